import Foundation
import Matching
import Records
import Testing

/// Texts inside object columns.
@Suite struct TextIndexNestedTests {
  /// A random JSON value and the strings in it.
  private func value(_ random: inout SeededRandom, depth: Int, strings: inout [String]) -> String {
    switch random.below(depth > 2 ? 4 : 7) {
    case 0: return "\(random.below(1000))"
    case 1: return random.pick(["true", "false", "null", "1.5e3"])
    case 2, 3, 6:
      let text = random.text("ab1 é\"\\\n\u{1F600}:,{“…日", 8)
      strings.append(text)
      return quoted(text, &random)
    case 4:
      let items = (0..<random.below(4)).map { _ in value(&random, depth: depth + 1, strings: &strings) }
      return "[" + items.joined(separator: random.pick([",", " , "])) + "]"
    default:
      let items = (0..<random.below(4)).map {
        "\"n\($0)\"" + random.pick([":", " : "]) + value(&random, depth: depth + 1, strings: &strings)
      }
      return "{" + items.joined(separator: ",") + "}"
    }
  }

  private func quoted(_ text: String, _ random: inout SeededRandom) -> String {
    var result = "\""
    for unit in text.utf16 {
      let isPlain = unit < 0x7F && unit >= 0x20 && unit != 0x22 && unit != 0x5C
      if isPlain, !random.once(in: 6) {
        result += String(UnicodeScalar(UInt8(unit)))
      } else {
        let digits = String(unit, radix: 16)
        result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      }
    }
    return result + "\""
  }

  /// ASCII letters only, as in `word`.
  private func upper(_ word: [UInt8]) -> String {
    String(decoding: word.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }, as: UTF8.self)
  }

  @Test(arguments: [1, 2, 3]) func noStringIsMissed(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    for _ in 0..<30 {
      let rowCount = 1 + random.below(60)
      var strings: [[String]] = []
      var members: [[UInt8]?] = []
      var rests: [[UInt8]?] = []
      for _ in 0..<rowCount {
        var inRow: [String] = []
        if random.once(in: 2) {
          let text = random.text("ab1 é—", 8)
          inRow.append(text)
          members.append(Array(text.utf8))
        } else {
          members.append(nil)
        }
        rests.append(
          random.once(in: 3) ? nil : Array(("{\"m\":" + value(&random, depth: 0, strings: &inRow) + "}").utf8)
        )
        strings.append(inRow)
      }
      let rowsPerPage = random.pick([1, 5, 64])
      var builder = TextIndexBuilder(rowsPerPage: rowsPerPage)
      let member = random.once(in: 2) ? IndexedTexts.dictionary(members) : IndexedTexts.column(members)
      let numbers = Column(int64: [Int64](repeating: 7, count: rowCount))
      let rest = IndexedTexts.column(rests, type: .json)
      builder.add(
        text: nil,
        nested: [
          NestedText(column: "labels", members: [numbers], rest: nil),
          NestedText(column: "metadata", members: [member, numbers], rest: rest),
        ], rowCount: rowCount)
      let index = try TextIndex(Buffer(copying: builder.finish()))
      try index.verify()
      for (row, inRow) in strings.enumerated() {
        for text in inRow {
          for word in TextAutomatonTests.words(Array(text.utf8)) {
            let automaton = try TextAutomaton(.word(upper(word)))
            #expect(
              try index.pages(nestedIn: "metadata", matching: automaton)[row / rowsPerPage], "\(seed) \(text)"
            )
          }
          #expect(try index.pages(nestedIn: "metadata", equalTo: Array(text.utf8))[row / rowsPerPage])
        }
      }
      let absent = try TextAutomaton(.contains(" zebra ", ignoreCase: false))
      #expect(try index.pages(nestedIn: "labels", matching: absent).isEmpty)
      #expect(try index.pages(nestedIn: "unheard", matching: absent).isFull)
    }
  }

  @Test func namesAndNumbersAreNotValues() throws {
    var builder = TextIndexBuilder(rowsPerPage: 4)
    let rest = IndexedTexts.column(
      [Array(#"{"name":{"inner" : "value one"},"n":[4711,"two"]}"#.utf8)], type: .json)
    builder.add(text: nil, nested: [NestedText(column: "o", members: [], rest: rest)], rowCount: 1)
    let index = try TextIndex(Buffer(copying: builder.finish()))
    for (word, isThere) in [
      ("value", true), ("two", true), ("name", false), ("inner", false), ("4711", false),
    ] {
      #expect(try index.pages(nestedIn: "o", matching: TextAutomaton(.word(word)))[0] == isThere, "\(word)")
    }
  }

  @Test func brokenJSONNeverTraps() throws {
    var random = SeededRandom(seed: 9)
    let texts: [[UInt8]?] = (0..<3000).map { _ in Array(random.text("\"\\u1dD8{:[ é,", 14).utf8) }
    var builder = TextIndexBuilder(rowsPerPage: 500)
    builder.add(
      text: nil,
      nested: [NestedText(column: "o", members: [], rest: IndexedTexts.column(texts, type: .json))],
      rowCount: texts.count)
    try TextIndex(Buffer(copying: builder.finish())).verify()
  }
}
