import Codecs
import Decoding
import EntryDecoding
import Masking
import Records
import TestKit
import Testing

/// The short way for plain entries against the way by a tree.
@Suite struct PlainEntriesTests {
  /// Text of an entry of a form: most often a good one.
  struct Generator {
    var dice: SeededGenerator
    let form: EntryForm

    mutating func one(of texts: [String]) -> String { texts[dice.roll(texts.count)] }

    mutating func text() -> String {
      let texts = [
        "", "x", "é", "e\u{301}", "😀", "\\u00e9", "\\n", "\\ud83d\\ude00", "\\/", "a\\\"b", "10.0.0.1",
      ]
      if dice.roll(40) == 0 {
        return one(of: ["\"\\u0000\"", "\"\\ud800\"", "\"\n\"", "\"\\x\"", "7", "[]", "true"])
      }
      return "\"" + String(repeating: one(of: texts), count: dice.roll(20) == 0 ? 60 : dice.roll(3)) + "\""
    }

    mutating func space() -> String { dice.roll(12) == 0 ? one(of: [" ", "\n", "\t \r\n"]) : "" }

    mutating func value(_ depth: Int = 3) -> String {
      switch dice.roll(depth > 0 ? 7 : 5) {
      case 0: return one(of: ["null", "true", "false"])
      case 1, 2:
        return one(of: [
          "0", "-0", "1.50", "1e2", "12345678901234567890", "-7", "0.1", "1e-7", "1E400", "9007199254740993",
        ])
      case 3, 4: return text()
      case 5:
        return "[" + (0..<dice.roll(4)).map { _ in value(depth - 1) }.joined(separator: "," + space()) + "]"
      default: return object(depth)
      }
    }

    mutating func object(_ depth: Int) -> String {
      // Names that begin with their place do not come twice.
      let members = (0..<dice.roll(5)).map { index in
        let name = dice.roll(25) == 0 ? "k" : "\(index)" + one(of: ["k", "é", "\\u006b", "", "timestamp"])
        return "\"\(name)\":" + space() + value(depth - 1)
      }
      return "{" + members.joined(separator: ",") + space() + "}"
    }

    mutating func value(of field: EntryForm.EntryField) -> String {
      if dice.roll(60) == 0 { return value() }
      if field.isNullable, dice.roll(4) == 0 { return "null" }
      switch field.kind {
      case .text: return text()
      case .choice(let words, _):
        return dice.roll(50) == 0 ? #""NONE""# : "\"\(words[dice.roll(words.count)])\""
      case .time:
        return one(
          of: [
            #""2025-06-26T01:23:45.678Z""#, #""2025-06-26T01:23:45.123456789+02:00""#,
            #""2025-06-26 01:23:45""#,
            #""2025-06-26""#, #""2025-06-26T01:23:45""#, #""1750901025""#, "1750901025", "1750901025678",
            "0.5",
            #""2025-06-26t01:23:45z""#, #""2016-12-31T23:59:60Z""#,
          ] + (dice.roll(30) == 0 ? ["null", #""nope""#, "1e400", "{}"] : []))
      case .number: return one(of: ["4", "4.5", #""4.5""#, "1e3", "-0", "9007199254740993", #"" 4""#])
      case .object: return object(2)
      }
    }

    mutating func entry() -> String {
      var members: [String] = []
      for field in form.fields where dice.roll(field.isRequired ? 60 : 3) != 0 {
        members.append("\"\(field.name)\":" + space() + value(of: field))
      }
      for index in 0..<(dice.roll(3) == 0 ? dice.roll(4) : 0) { members.append("\"own\(index)\":" + value()) }
      if dice.roll(40) == 0 { members.append(#""own0":1"#) }
      if dice.roll(60) == 0, let first = members.first { members.append(first) }
      if dice.roll(3) == 0 { members.shuffle(using: &dice) }
      return "{" + space() + members.joined(separator: space() + ",") + "}"
    }

    /// An entry that is fine, but never plain: it has a name of more than the limits' bytes.
    func rareEntry() -> String {
      let name = String(repeating: "n", count: 1_100)
      return form.overflow == nil
        ? #"{"action":"","resource_type":"","resource_id":"","severity":"INFO","\#(name)":1}"#
        : #"{"environment":"staging","executed_at":"2025-06-26","\#(name)":1}"#
    }

    mutating func entries() -> [String] {
      (0..<dice.roll(4)).map { _ in dice.roll(6) == 0 ? rareEntry() : entry() }
    }

    mutating func body(isList: Bool) -> [UInt8] {
      var text =
        space()
        + (isList
          ? "[" + entries().joined(separator: "," + space()) + "]" : entry())
      text += space()
      var bytes = Array(text.utf8)
      // Broken at any place.
      if dice.roll(4) == 0 {
        let at = dice.roll(bytes.count)
        switch dice.roll(3) {
        case 0: bytes.remove(at: at)
        case 1: bytes[at] = [0, 0x22, 0x7B, 0x7D, 0x2C, 0xFF, 0x5C, 0x30][dice.roll(8)]
        default: bytes.removeSubrange(at...)
        }
      }
      return bytes
    }
  }

  enum Outcome: Equatable {
    case rows([[String: Cell]])
    case nothing
    case refused([ValidationError])
  }

  enum Cell: Equatable {
    case plain(String)
    case object(JSONTree)
  }

  static func outcome(_ decoder: EntryDecoder, _ body: [UInt8], isList: Bool) -> Outcome {
    do throws(ValidationFailure) {
      let constants = ["user_id": "01"]
      guard
        let batch = isList
          ? try decoder.decode(list: body, constants: constants, now: 7)
          : try decoder.decode(entry: body, constants: constants, now: 7)
      else { return .nothing }
      return .rows(
        (0..<batch.rowCount).map { row in
          var cells: [String: Cell] = [:]
          for (name, text) in EntryTests.row(batch, row) {
            // What is stored is JSON; if it were not, its text would be compared. Read so, numbers are as
            // they were sent.
            let isObject = batch.fields.contains { $0.name == name && $0.type == .json }
            let tree = isObject ? try? JSONTree(lenientlyParsing: Array(text.utf8)) : nil
            cells[name] = tree.map { .object($0) } ?? .plain(text)
          }
          return cells
        })
    } catch { return .refused(error.errors) }
  }

  @Test(arguments: 0..<10)
  func theShortWayIsTheLongWay(seed: Int) {
    for form in [EntryForm.audit, .workflow] {
      var limits = DecodingLimits()
      limits.entriesMax = 3
      limits.membersMax = 12
      let short = EntryDecoder(form, masking: .none, limits: limits)
      let long = EntryDecoder(form, masking: .none, limits: limits, hasShortcut: false)
      var generator = Generator(
        dice: SeededGenerator(seed: UInt64(seed) &* 2 &+ (form.overflow == nil ? 1 : 2)), form: form)
      for _ in 0..<400 {
        let isList = generator.dice.roll(3) != 0
        let body = generator.body(isList: isList)
        let expected = PlainEntriesTests.outcome(long, body, isList: isList)
        let found = PlainEntriesTests.outcome(short, body, isList: isList)
        #expect(found == expected, "seed \(seed): \(String(decoding: body, as: UTF8.self))")
        if found != expected { return }
      }
    }
  }

  static let good =
    #"{"action":"a","resource_type":"","resource_id":"","severity":"INFO","metadata":{"n":1.50}}"#

  /// A tree takes memory. Either way a number's text stays what it was.
  static func isShort(_ body: String, masking: MaskingPlan = .none) throws -> Bool {
    let decoder = EntryDecoder(.audit, masking: masking, limits: DecodingLimits())
    let batch = try decoder.decode(list: Array(body.utf8), now: 7)
    #expect(try EntryTests.row(#require(batch))["metadata"] == #"{"n":1.50}"#)
    do {
      _ = try decoder.decode(list: Array(body.utf8), now: 7, within: .exhausted)
      return true
    } catch { return false }
  }

  @Test func plainEntriesGoTheShortWay() throws {
    let good = PlainEntriesTests.good
    #expect(try PlainEntriesTests.isShort("[\(good)]"))
    #expect(try PlainEntriesTests.isShort(" [ \(good) , \(good) ] \n"))
    let more = [
      #""timestamp":"2025-06-26""#, #""ip_address":null"#, #""unknown":{"a":[1]}"#,
      #""before":{"k":"\u00e9"}"#,
    ]
    for member in more {
      #expect(try PlainEntriesTests.isShort("[\(good.dropLast()),\(member)}]"), "\(member)")
    }
    let numbers = [
      #""timestamp":1750901025"#, #""user_agent":null,"ip_address":"x","timestamp":1"#,
    ]
    for member in numbers {
      #expect(try PlainEntriesTests.isShort("[\(good.dropLast()),\(member)}]"), "\(member)")
    }
    let many = (0..<1_001).map { "\"k\($0)\":1" }.joined(separator: ",")
    let rare = [#""before":{\#(many)}"#]
    for member in rare {
      #expect(try !PlainEntriesTests.isShort("[\(good.dropLast()),\(member)}]"), "\(member)")
    }
    let masking = MaskingPlan(MaskingRules(), for: Dataset.audit.schema)
    #expect(try !PlainEntriesTests.isShort("[\(good)]", masking: masking))
  }

  @Test func namesThatComeTwiceAreRefusedAtEveryDepth() {
    for (open, close) in [
      ("", ""), (#""metadata":{"#, "}"), (#""metadata":{"a":[{"#, "}]}"), (#""x":{"#, "}"),
    ] {
      for pair in [#""k":1,"k":2"#, #""k":1,"\u006b":2"#, #""k":{},"j":1,"k":[]"#] {
        let start = #"[{"action":"a","resource_type":"","resource_id":"","severity":"INFO",\#(open)"#
        let body = "\(start)\(pair)\(close)}]"
        let errors = EntryTests.errors(EntryTests.audit, body, isList: true)
        #expect(errors.count == 1 && errors[0].contains("k: value_error"), "\(body) \(errors)")
      }
    }
  }

  @Test func depthIsThatOfTheTree() throws {
    for depth in 55..<70 {
      let deep = String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
      let body = Array(PlainEntriesTests.good.replacing("1.50", with: deep).utf8)
      for isList in [false, true] {
        let text = isList ? [0x5B] + body + [0x5D] : body
        let long = EntryDecoder(.audit, masking: .none, limits: DecodingLimits(), hasShortcut: false)
        #expect(
          PlainEntriesTests.outcome(EntryTests.audit, text, isList: isList)
            == PlainEntriesTests.outcome(long, text, isList: isList), "\(depth) \(isList)")
      }
    }
  }
}

extension SeededGenerator {
  mutating func roll(_ sides: Int) -> Int { Int.random(in: 0..<sides, using: &self) }
}
