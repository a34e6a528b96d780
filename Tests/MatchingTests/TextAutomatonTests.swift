import Matching
import Records
import Testing

@Suite struct TextAutomatonTests {
  static func lowercased(_ bytes: [UInt8]) -> [UInt8] {
    bytes.map { (0x41...0x5A).contains($0) ? $0 + 32 : $0 }
  }

  /// Pattern against text, byte by byte.
  static func naive(_ pattern: TextPattern, _ text: [UInt8]) -> Bool {
    func places(_ needle: [UInt8], _ text: [UInt8]) -> [Int] {
      guard needle.count <= text.count else { return [] }
      return (0...text.count - needle.count).filter { Array(text[$0..<$0 + needle.count]) == needle }
    }
    switch pattern {
    case .contains(let needle, let ignoreCase):
      return ignoreCase
        ? UnicodeModel.has(needle, in: text) : !places(Array(needle.utf8), text).isEmpty
    case .word(let word): return UnicodeModel.hasWord(word, in: text)
    case .prefix(let prefix): return text.starts(with: prefix.utf8)
    case .regex: preconditionFailure("not naive")
    }
  }

  static func words(_ text: [UInt8]) -> Set<[UInt8]> {
    Set(UnicodeModel.words(lowercased(text)).map { Array($0.utf8) })
  }

  /// A literal made into a regular expression.
  static func quoted(_ text: String) -> String { "\\Q" + text + "\\E" }

  static let alphabet = "aAbB1_ -é“日"

  @Test func agreesWithNaiveSearch() throws {
    let seed: UInt64 = 11
    var random = SeededRandom(seed: seed)
    for round in 0..<400 {
      let rowCount = random.below(90)
      let lengthMax = random.pick([4, 12, 40, 200])
      let rows = (0..<rowCount).map { _ in random.text(TextAutomatonTests.alphabet, lengthMax) }
      // Needles cut from the text across rows as well as random ones.
      let all = Array(rows.joined())
      var needle = random.text(TextAutomatonTests.alphabet, 5)
      if !all.isEmpty, random.once(in: 2) {
        let start = random.below(all.count)
        needle = String(all[start..<min(all.count, start + 1 + random.below(30))])
      }
      var patterns: [TextPattern] = [
        .contains(needle, ignoreCase: false), .contains(needle, ignoreCase: true), .prefix(needle),
      ]
      if !needle.isEmpty { patterns.append(.word(needle)) }
      var candidates = Selection(rowCount: rowCount, all: true)
      if random.once(in: 2) { for row in 0..<rowCount where random.once(in: 3) { candidates.remove(row) } }
      for pattern in patterns {
        let automaton = try TextAutomaton(pattern)
        var found = candidates
        var added = candidates
        textColumn(rows).withText {
          automaton.matchRows(offsets: $0, bytes: $1, among: &found)
          automaton.matchRows(offsets: $0, bytes: $1, into: &added)
        }
        for (row, text) in rows.enumerated() {
          let bytes = Array(text.utf8)
          let expected = TextAutomatonTests.naive(pattern, bytes)
          let context: Comment = "seed \(seed) round \(round) \(pattern) on \(text)"
          #expect(automaton.accepts(bytes) == expected, context)
          #expect(found[row] == (expected && candidates[row]), context)
          #expect(added[row] == (expected || candidates[row]), context)
          #expect(automaton.verdict(for: [.literal(bytes)]) == (expected ? .yes : .no), context)
          if expected {
            #expect(Set(automaton.requiredWords).isSubset(of: TextAutomatonTests.words(bytes)), context)
          }
        }
      }
    }
  }

  @Test func requiredWords() throws {
    func words(_ pattern: TextPattern) throws -> [String] {
      try TextAutomaton(pattern).requiredWords.map { String(decoding: $0, as: UTF8.self) }
    }
    #expect(
      try words(.contains("quantum flux capacitor misaligned", ignoreCase: false)) == ["flux", "capacitor"])
    #expect(try words(.contains(" GET /", ignoreCase: true)) == ["get"])
    #expect(try words(.contains("word", ignoreCase: false)) == [])
    #expect(try words(.word("Request-7f")) == ["request", "7f"])
    #expect(try words(.word("“Request”—7f")) == ["request", "7f"])
    #expect(try words(.contains("x—read—timeout… é y", ignoreCase: false)) == ["read", "timeout", "é"])
    #expect(try words(.prefix("日本、語")) == ["日本"])
    #expect(try words(.prefix("GET /api/v1")) == ["get", "api"])
    #expect(try words(.regex("user=(\\d+) took \\d+ ms$", ignoreCase: false)) == ["took", "ms"])
    #expect(try words(.regex("^Error: (a|b)", ignoreCase: true)) == ["error"])
    #expect(try words(.regex("( x )?( y )+ z ", ignoreCase: false)) == ["y", "z"])
    #expect(try words(.regex("a b c|d e f", ignoreCase: false)) == [])
    #expect(try words(.regex("\\bfoo\\b", ignoreCase: false)) == [])
  }

  @Test func refusesEmptyWordsAndLongNeedles() {
    #expect(throws: StoreError.self) { try TextAutomaton(.word("")) }
    let long = String(repeating: "a", count: TextAutomaton.needleBytesMax + 1)
    #expect(throws: StoreError.self) { try TextAutomaton(.contains(long, ignoreCase: false)) }
  }

  @Test func longNeedlesWork() throws {
    let long = String(repeating: "ab", count: TextAutomaton.needleBytesMax / 2)
    let automaton = try TextAutomaton(.contains(long, ignoreCase: true))
    let text = Array(("x" + long.uppercased()).utf8)
    #expect(automaton.accepts(text))
    #expect(automaton.verdict(for: [.literal(Array("xab".utf8))]) == .no)
  }

  @Test func needlesAroundTheLengthWhereTheAutomatonTakesOver() throws {
    for length in [63, 64, 65, 66, 130, 400] {
      let needle = String(
        (0..<length).map { "abcdefg "["abcdefg ".index("abcdefg ".startIndex, offsetBy: $0 % 8)] })
      for pattern in [
        TextPattern.contains(needle, ignoreCase: true), .word(needle), .prefix(needle),
        .regex(needle, ignoreCase: false),
      ] {
        let automaton = try TextAutomaton(pattern)
        let rows = [
          needle, needle + "-", String(needle.dropLast()) + "-", String(needle.dropFirst()), "", needle + "x",
        ]
        let expected: [Int32] = if case .word = pattern, needle.last != " " { [0, 1] } else { [0, 1, 5] }
        var found = Selection(rowCount: rows.count, all: true)
        textColumn(rows).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
        #expect(
          found.indices() == (length % 8 == 0 && pattern == .word(needle) ? [0, 1] : expected),
          "\(length) \(pattern)")
      }
    }
  }

  @Test func almostMatchingTextStaysLinear() throws {
    // Every second place matches the needle but for its middle; rows are shorter than another needle.
    let text = String(repeating: "ab", count: 50_000)
    for (needle, rowLength) in [
      (String(repeating: "ab", count: 3000) + "aa" + String(repeating: "ab", count: 3000), 100_000),
      (String(repeating: "ab", count: 4000), 7000),
    ] {
      for ignoreCase in [false, true] {
        let automaton = try TextAutomaton(.contains(needle, ignoreCase: ignoreCase))
        let bytes = Array(text.utf8)
        let rows = stride(from: 0, to: bytes.count, by: rowLength).map {
          String(decoding: bytes[$0..<min($0 + rowLength, bytes.count)], as: UTF8.self)
        }
        var found = Selection(rowCount: rows.count, all: true)
        textColumn(rows).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
        #expect(found.isEmpty)
      }
    }
  }

  // MARK: Templates

  static func randomPattern(_ random: inout SeededRandom) -> TextPattern {
    switch random.below(6) {
    case 0: .contains(random.text(alphabet, 6), ignoreCase: random.once(in: 2))
    case 1: .word(random.text(alphabet, 4) + "a")
    case 2: .prefix(random.text(alphabet, 4))
    default: .regex(RegexTests.randomPattern(&random, depth: 3), ignoreCase: random.once(in: 4))
    }
  }

  @Test func templateVerdictsAreNeverWrong() throws {
    let seed: UInt64 = 12
    var random = SeededRandom(seed: seed)
    var proved = [Verdict.no: 0, .maybe: 0, .yes: 0]
    for round in 0..<800 {
      let pattern = TextAutomatonTests.randomPattern(&random)
      let automaton = try TextAutomaton(pattern)
      let runner = TemplateRunner(automaton)
      for _ in 0..<6 {
        let pieces = TextAutomatonTests.randomTemplate(&random)
        let verdict = runner.verdict(for: pieces)
        proved[verdict, default: 0] += 1
        #expect(verdict == automaton.verdict(for: pieces))
        for _ in 0..<12 {
          let text = TextAutomatonTests.filling(pieces, &random)
          let matches = automaton.accepts(text)
          let isWrong = verdict == .yes && !matches || verdict == .no && matches
          #expect(
            !isWrong,
            "seed \(seed) round \(round) \(pattern) \(verdict) but \(String(decoding: text, as: UTF8.self))")
        }
      }
    }
    // Each verdict must really occur, or the test proves nothing.
    #expect(proved.values.allSatisfy { $0 > 150 }, "\(proved)")
  }

  static func randomTemplate(_ random: inout SeededRandom) -> [TemplatePiece] {
    (0..<random.below(5)).map { _ in
      random.once(in: 2)
        ? .literal(Array(random.text(alphabet, 6).utf8))
        : .slot(ByteSet256(Array(random.text("ab1", 3).utf8) + [UInt8(ascii: "1")]))
    }
  }

  static func filling(_ pieces: [TemplatePiece], _ random: inout SeededRandom) -> [UInt8] {
    pieces.flatMap { piece in
      switch piece {
      case .literal(let bytes): return bytes
      case .slot(let set):
        let choices = (0...255).filter { set.contains($0) }
        return (0..<1 + random.below(4)).map { _ in random.pick(choices) }
      }
    }
  }

  @Test func templateVerdictsProveWhatTheyCan() throws {
    let digits = ByteSet256(UInt8(ascii: "0")...UInt8(ascii: "9"))
    let template: [TemplatePiece] = [
      .literal(Array("user ".utf8)), .slot(digits), .literal(Array(" logged in from ".utf8)), .slot(digits),
    ]
    func verdict(_ pattern: TextPattern) throws -> Verdict {
      try TextAutomaton(pattern).verdict(for: template)
    }
    #expect(try verdict(.contains("logged in", ignoreCase: false)) == .yes)
    #expect(try verdict(.contains("logged out", ignoreCase: false)) == .no)
    #expect(try verdict(.contains("r 42 l", ignoreCase: false)) == .maybe)
    #expect(try verdict(.contains("r x", ignoreCase: false)) == .no)
    #expect(try verdict(.word("LOGGED")) == .yes)
    #expect(try verdict(.word("use")) == .no)
    #expect(try verdict(.word("42")) == .maybe)
    #expect(try verdict(.regex("user \\d+ logged", ignoreCase: false)) == .yes)
    #expect(try verdict(.regex("[a-f]{3}$", ignoreCase: false)) == .no)
    #expect(try verdict(.regex("\\d{3}", ignoreCase: false)) == .maybe)
  }
}
