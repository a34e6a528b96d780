import Decoding
import Records
import Testing

/// A generator that a printed seed replays.
struct Dice {
  var state: UInt64
  init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1 }
  mutating func roll(_ sides: Int) -> Int {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return Int(state >> 1) % sides
  }
}

/// A JSON value that knows a sloppy text of itself and its canonical one.
indirect enum Tree {
  case literal(String)
  case string(String)
  case array([Tree])
  /// In order, keys may repeat.
  case object([(String, Tree)])

  static let pieces = [
    "a", "bc", "é", "😀", "\"", "\\", "/", "\n", "\u{1}", "日本", "key", " ", "\u{7f}", "long text 123456",
  ]

  static func word(_ dice: inout Dice) -> String {
    (0..<dice.roll(4)).map { _ in pieces[dice.roll(pieces.count)] }.joined()
  }

  static func random(_ dice: inout Dice, _ depth: Int) -> Tree {
    switch dice.roll(depth > 0 ? 6 : 4) {
    case 0: return .literal(["true", "false", "null"][dice.roll(3)])
    case 1:
      return .literal(["0", "-1", "1.50", "1E+5", "12345678901234567890", "-0.0", "3e-7"][dice.roll(7)])
    case 2, 3: return .string(word(&dice))
    case 4: return .array((0..<dice.roll(5)).map { _ in random(&dice, depth - 1) })
    default: return object(&dice, depth)
    }
  }

  static func object(_ dice: inout Dice, _ depth: Int) -> Tree {
    let count = dice.roll(8) == 0 ? dice.roll(60) : dice.roll(6)
    let few = dice.roll(2) == 0
    return .object(
      (0..<count).map { _ in (few ? "k\(dice.roll(5))" : word(&dice), random(&dice, depth - 1)) })
  }

  var canonical: String {
    switch self {
    case .literal(let text): text
    case .string(let text): Tree.quoted(text)
    case .array(let elements): "[" + elements.map(\.canonical).joined(separator: ",") + "]"
    case .object(let members):
      "{" + Tree.lastOfEach(members).map { Tree.quoted($0) + ":" + $1.canonical }.joined(separator: ",") + "}"
    }
  }

  /// Whether an object in it has a key twice.
  var hasRepeats: Bool {
    switch self {
    case .literal, .string: false
    case .array(let elements): elements.contains(where: \.hasRepeats)
    case .object(let members):
      Tree.lastOfEach(members).count < members.count || members.contains { $0.1.hasRepeats }
    }
  }

  /// Keys compared by their code points: Swift's strings would take canonical equivalents for equal.
  static func lastOfEach(_ members: [(String, Tree)]) -> [(String, Tree)] {
    members.enumerated().filter { index, member in
      !members[(index + 1)...].contains { Array($0.0.utf8) == Array(member.0.utf8) }
    }.map(\.element)
  }

  static func quoted(_ text: String) -> String {
    "\""
      + text.unicodeScalars.map { scalar in
        switch scalar {
        case "\"": "\\\""
        case "\\": "\\\\"
        case "\n": "\\n"
        case "\u{1}": "\\u0001"
        default: String(scalar)
        }
      }.joined() + "\""
  }

  func sloppy(_ dice: inout Dice) -> String {
    func space(_ dice: inout Dice) -> String {
      dice.roll(3) == 0 ? [" ", "\n", "\t", "\r\n  "][dice.roll(4)] : ""
    }
    var text: String
    switch self {
    case .literal(let literal): text = literal
    case .string(let string): text = Tree.escaped(string, &dice)
    case .array(let elements):
      text = "[" + space(&dice)
      for (index, element) in elements.enumerated() { text += (index > 0 ? "," : "") + element.sloppy(&dice) }
      text += "]"
    case .object(let members):
      text = "{" + space(&dice)
      for (index, member) in members.enumerated() {
        text += (index > 0 ? "," : "") + space(&dice) + Tree.escaped(member.0, &dice) + space(&dice) + ":"
        text += member.1.sloppy(&dice)
      }
      text += "}"
    }
    return space(&dice) + text + space(&dice)
  }

  static func escaped(_ text: String, _ dice: inout Dice) -> String {
    let plain = dice.roll(2) == 0
    var result = "\""
    for scalar in text.unicodeScalars {
      if !plain, dice.roll(3) == 0 {
        for unit in String(scalar).utf16 {
          let hex = String(unit, radix: 16, uppercase: dice.roll(2) == 0)
          result += "\\u" + String(repeating: "0", count: 4 - hex.count) + hex
        }
      } else if scalar == "/", dice.roll(2) == 0 {
        result += "\\/"
      } else {
        result += String(quoted(String(scalar)).dropFirst().dropLast())
      }
    }
    return result + "\""
  }
}

struct PropertyTests {
  /// Objects of any shape are stored in canonical form, or refused for a key that one of them has twice.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func objectsAreStoredCanonically(_ seed: UInt64) throws {
    var dice = Dice(seed + 1)
    for round in 0..<250 {
      let object = Tree.object(&dice, 4)
      let text = #"[{"message":"m","metadata":\#(object.sloppy(&dice))}]"#
      if object.hasRepeats {
        #expect(refusal(text)?.reason == .repeatedName, "seed \(seed) round \(round): \(text)")
        continue
      }
      let found = try decode(text).first?["metadata"]
      #expect(found == object.canonical, "seed \(seed) round \(round): \(text)")
      if found != object.canonical { return }
    }
  }

  /// Members beside the declared columns become the overflow object, with those of one that is sent, unless
  /// both have a name.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func overflowIsMerged(_ seed: UInt64) throws {
    var dice = Dice(seed + 100)
    for round in 0..<250 {
      guard case .object(var beside) = Tree.object(&dice, 2), case .object(let own) = Tree.object(&dice, 2)
      else { continue }
      beside.removeAll { Dataset.logs.schema.index(of: $0.0) != nil }
      let hasOwn = dice.roll(2) == 0
      let merged = Tree.object(hasOwn ? beside + own : beside)
      let isRefused = merged.hasRepeats || hasOwn && Tree.object(own).hasRepeats
      let expected = merged.canonical
      beside.append(("message", .string("m")))
      if hasOwn { beside.insert(("metadata", .object(own)), at: dice.roll(beside.count + 1)) }
      let text = Tree.object(beside).sloppy(&dice)
      if isRefused {
        #expect(refusal(text, format: .json)?.reason == .repeatedName, "seed \(seed) round \(round): \(text)")
        continue
      }
      let found = try decode(text, format: .json).first
      #expect(found?["message"] == "m")
      #expect(found?["metadata"] ?? "{}" == expected, "seed \(seed) round \(round): \(text)")
    }
  }

  /// Damaged texts are refused exactly when a plain recursive parser refuses them.
  @Test(arguments: 0..<8 as Range<UInt64>)
  func damageIsSeen(_ seed: UInt64) {
    var dice = Dice(seed + 200)
    let noise = Array("{}[]\",:\\ \n\t\u{1}0123456789.eE+-tfnu/".utf8) + [0, 0x80, 0xC3, 0xE2, 0xFF]
    for round in 0..<1_500 {
      var body = Array(#"{"message":"m","metadata":\#(Tree.object(&dice, 3).sloppy(&dice))}"#.utf8)
      for _ in 0...dice.roll(2) {
        let place = 15 + dice.roll(body.count - 15)
        switch dice.roll(3) {
        case 0: body[place] = noise[dice.roll(noise.count)]
        case 1: body.insert(noise[dice.roll(noise.count)], at: place)
        default: body.remove(at: place)
        }
      }
      let expected = NaiveParser.accepts(body)
      let error = refusal(body, format: .json)
      // A valid text may still break a rule of the schema.
      let isSchema: Bool =
        switch error?.reason {
        case .wrongType, .missing, .nulCharacter, .repeatedName: true
        default: false
        }
      if !isSchema || !expected {
        #expect(
          (error == nil) == expected, "seed \(seed) round \(round): \(String(decoding: body, as: UTF8.self))")
      }
    }
  }
}

/// JSON by the book, for comparison: one object and white space around it.
struct NaiveParser {
  private let text: [Unicode.Scalar]
  private var at = 0

  static func accepts(_ bytes: [UInt8]) -> Bool {
    guard let string = String(validating: bytes, as: UTF8.self) else { return false }
    var parser = NaiveParser(text: Array(string.unicodeScalars))
    parser.space()
    return parser.peek == "{" && parser.value()
      && {
        parser.space(); return parser.at == parser.text.count
      }()
  }

  private init(text: [Unicode.Scalar]) { self.text = text }
  private var peek: Unicode.Scalar? { at < text.count ? text[at] : nil }
  private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
    guard peek == scalar else { return false }
    at += 1
    return true
  }
  private mutating func space() {
    while let next = peek, " \n\r\t".unicodeScalars.contains(next) { at += 1 }
  }
  private mutating func value() -> Bool {
    space()
    defer { space() }
    switch peek {
    case "{":
      return list("}") {
        $0.space(); guard $0.string() else { return false }; $0.space(); return $0.take(":") && $0.value()
      }
    case "[": return list("]") { $0.value() }
    case "\"": return string()
    case "t": return word("true")
    case "f": return word("false")
    case "n": return word("null")
    default: return number()
    }
  }
  private mutating func list(_ close: Unicode.Scalar, _ item: (inout NaiveParser) -> Bool) -> Bool {
    at += 1
    space()
    if take(close) { return true }
    while item(&self) {
      space()
      if take(close) { return true }
      guard take(",") else { return false }
    }
    return false
  }
  private mutating func word(_ word: String) -> Bool { word.unicodeScalars.allSatisfy { take($0) } }
  private mutating func digits() -> Bool {
    let start = at
    while let next = peek, ("0"..."9").contains(next) { at += 1 }
    return at > start
  }
  private mutating func number() -> Bool {
    _ = take("-")
    if !take("0"), !digits() { return false }
    if take("."), !digits() { return false }
    if take("e") || take("E") {
      if !take("+") { _ = take("-") }
      return digits()
    }
    return true
  }
  private mutating func string() -> Bool {
    guard take("\"") else { return false }
    while let next = peek {
      at += 1
      if next == "\"" { return true }
      if next.value < 0x20 { return false }
      guard next == "\\" else { continue }
      guard let letter = peek else { return false }
      at += 1
      if letter == "u" {
        guard let first = hex() else { return false }
        if (0xDC00...0xDFFF).contains(first) || first == 0 { return false }
        if (0xD800...0xDBFF).contains(first) {
          guard take("\\"), take("u"), let second = hex(), (0xDC00...0xDFFF).contains(second) else {
            return false
          }
        }
      } else if !"\"\\/bfnrt".unicodeScalars.contains(letter) {
        return false
      }
    }
    return false
  }
  private mutating func hex() -> UInt32? {
    guard at + 4 <= text.count else { return nil }
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let digit = Character(text[at]).hexDigitValue, text[at].isASCII else { return nil }
      value = value * 16 + UInt32(digit)
      at += 1
    }
    return value
  }
}
