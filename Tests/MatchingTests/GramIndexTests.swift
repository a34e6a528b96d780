import Foundation
import Matching
import Records
import Testing

/// Gram filters never drop a page that holds a match, and drop those that cannot.
@Suite struct GramIndexTests {
  static let parts = [
    "zebra", "Finch", "user", "ERROR", "10.1.2.3", "req-7f3a9c01", "é", "☃☃", "日本語", "_x_", "--", " ", "42",
    "0",
    "550e8400-e29b-41d4", "a", "\u{1F600}", "\"q\"", "\\", "Straße", "ID", "k=v;",
  ]

  static func text(_ random: inout SeededRandom) -> String {
    (0..<random.below(7)).map { _ in random.pick(parts) }.joined(separator: random.pick(["", " ", "-"]))
  }

  /// A piece of one of the texts, in any case; bytes of characters stay together.
  static func needle(_ texts: [String], _ random: inout SeededRandom) -> String {
    let text = Array(random.pick(texts))
    guard !text.isEmpty else { return "x" }
    let start = random.below(text.count)
    let piece = String(text[start..<min(text.count, start + 1 + random.below(9))])
    return random.pick([piece, piece, piece.uppercased(), piece.lowercased(), piece + "q"])
  }

  private func index(_ texts: [String], rowsPerPage: Int, calls: Int, isRest: Bool) throws -> GramIndex {
    var builder = GramIndexBuilder(rowsPerPage: rowsPerPage)
    let step = max(1, (texts.count / rowsPerPage + calls) / calls) * rowsPerPage
    for start in stride(from: 0, to: texts.count, by: step) {
      let part = texts[start..<min(start + step, texts.count)]
      let bytes = part.map { Array($0.utf8) as [UInt8]? }
      let rest = part.map { text -> [UInt8]? in
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\u0022")
        return Array("{\"name\":{\"m\":[1,\"\(escaped)\"]}}".utf8)
      }
      let plain = NestedText(column: "plain", members: [IndexedTexts.column(bytes)], rest: nil)
      let object = NestedText(
        column: "object", members: isRest ? [] : [IndexedTexts.dictionary(bytes)],
        rest: isRest ? IndexedTexts.column(rest, type: .json) : nil)
      builder.add([plain, object], rowCount: part.count)
    }
    let pages = (texts.count + rowsPerPage - 1) / rowsPerPage
    let bytes = builder.finish()
    let index = try GramIndex(Buffer(copying: try #require(bytes)), pageCount: pages)
    try index.verify()
    return index
  }

  @Test(arguments: 1...12) func noMatchIsMissed(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let texts = (0..<1 + random.below(300)).map { _ in Self.text(&random) }
    let rowsPerPage = random.pick([1, 3, 16])
    let index = try index(
      texts, rowsPerPage: rowsPerPage, calls: 1 + random.below(3), isRest: random.once(in: 2))
    var dropped = 0
    for round in 0..<150 {
      let needles = [Self.needle(texts, &random), Self.needle(texts, &random)]
      let escaped = needles.map { NSRegularExpression.escapedPattern(for: $0) }
      let pattern: TextPattern = random.pick([
        .contains(needles[0], ignoreCase: random.once(in: 2)), .prefix(needles[0]),
        .regex(escaped[0], ignoreCase: true), .regex("\(escaped[0])|\(escaped[1])", ignoreCase: true),
        .regex("\(escaped[0]).*(\(escaped[1])|zeb)", ignoreCase: false),
        .regex("(\(escaped[0])){2,}|(?:\(escaped[1]))+x?$", ignoreCase: true),
        .regex("\\b\(escaped[0])\\b", ignoreCase: true), .regex("[0-9a-f]{4}-e29b", ignoreCase: false),
      ])
      let automaton = try TextAutomaton(pattern)
      for column in ["plain", "object"] {
        var pages = Selection(rowCount: index.pageCount, all: true)
        try index.narrow(&pages, column: column, by: automaton.grams)
        for (row, text) in texts.enumerated() where automaton.accepts(Array(text.utf8)) {
          #expect(pages[row / rowsPerPage], "seed \(seed) round \(round) \(pattern) \(text)")
        }
        dropped += index.pageCount - pages.count
      }
    }
    #expect(dropped > 0)
  }

  /// What a pattern asks for, by what it drops: a page with each of `texts`.
  private func open(_ pattern: TextPattern, _ texts: [String]) throws -> [Bool] {
    let index = try index(texts, rowsPerPage: 1, calls: 1, isRest: false)
    var pages = Selection(rowCount: texts.count, all: true)
    try index.narrow(&pages, column: "plain", by: try TextAutomaton(pattern).grams)
    return texts.indices.map { pages[$0] }
  }

  @Test func needlesNeedNoBoundaries() throws {
    let texts = ["the influxdb server", "nothing of it", "FLU X", "", "lux"]
    #expect(try open(.contains("flux", ignoreCase: true), texts) == [true, false, false, false, false])
    #expect(try open(.regex("FLUX", ignoreCase: true), texts) == [true, false, false, false, false])
    #expect(try open(.regex("in.lux", ignoreCase: false), texts) == [true, false, false, false, true])
    #expect(try open(.regex("fl(ux|y)db", ignoreCase: false), texts) == [true, true, true, true, true])
    #expect(
      try open(.regex("(influx|noth)[a-z]+", ignoreCase: false), texts) == [true, true, false, false, false])
    #expect(
      try open(.regex("serv(er){1,3}", ignoreCase: false), texts) == [true, false, false, false, false])
    #expect(try open(.contains("fl", ignoreCase: true), texts) == [true, true, true, true, true])
    #expect(try open(.regex("a*", ignoreCase: true), texts) == [true, true, true, true, true])
  }

  /// Pages full of numbers hold all numbers by one bit, and still no words.
  @Test func numbersAndIdsLetWordsBeSeen() throws {
    var random = SeededRandom(seed: 3)
    let texts = (0..<16_384).map { row in
      row < 8_192 ? "\(random.below(1_000_000))" : "req-" + String(random.next(), radix: 16)
    }
    let index = try index(texts, rowsPerPage: 8_192, calls: 1, isRest: false)
    func pages(_ text: String) throws -> [Bool] {
      var pages = Selection(rowCount: 2, all: true)
      try index.narrow(
        &pages, column: "plain", by: try TextAutomaton(.contains(text, ignoreCase: true)).grams)
      return [pages[0], pages[1]]
    }
    #expect(try pages("zebrafinch") == [false, false])
    #expect(try pages("123456") == [true, true])
    #expect(try pages("deadbeef") == [false, true])
    #expect(try pages("req-") == [false, true])
    #expect(try pages("12.3") == [false, false])
  }

  @Test func equalSetsAreKeptOnce() throws {
    func bytes(_ rowCount: Int) throws -> Int {
      var builder = GramIndexBuilder(rowsPerPage: 2)
      let texts = (0..<rowCount).map { Array(($0 % 2 == 0 ? "create" : "delete").utf8) as [UInt8]? }
      let text = NestedText(column: "c", members: [IndexedTexts.dictionary(texts)], rest: nil)
      builder.add([text], rowCount: rowCount)
      let bytes = builder.finish()
      return try #require(bytes).count
    }
    #expect(try bytes(2_000) - bytes(1_000) == 500 * 4)
  }

  @Test func damagedBytesAreErrors() throws {
    var random = SeededRandom(seed: 8)
    var builder = GramIndexBuilder(rowsPerPage: 4)
    let texts = (0..<40).map { _ in Array(Self.text(&random).utf8) as [UInt8]? }
    builder.add(
      [NestedText(column: "c", members: [IndexedTexts.column(texts)], rest: nil)], rowCount: 40)
    let finished = builder.finish()
    let bytes = try #require(finished)
    let query = try TextAutomaton(.contains("zebra", ignoreCase: true)).grams
    for _ in 0..<3_000 {
      var broken = bytes
      switch random.below(3) {
      case 0: broken[random.below(broken.count)] ^= 1 << UInt8(random.below(8))
      case 1: broken.removeLast(1 + random.below(broken.count))
      default: broken = (0..<random.below(40)).map { _ in UInt8(random.below(256)) }
      }
      do throws(TextIndexError) {
        let index = try GramIndex(Buffer(copying: broken), pageCount: random.pick([10, 10, 9, 1 << 20]))
        var pages = Selection(rowCount: index.pageCount, all: true)
        try index.narrow(&pages, column: "c", by: query)
        try index.verify()
      } catch {}
    }
  }
}
