import Records
import Testing

@testable import Matching

/// Words begin and end where Unicode says, whatever way is taken.
@Suite struct WordTests {
  @Test func theTableIsUnicodes() {
    var count = 0
    for value in UInt32(0)...0x10FFFF {
      // What the table does not know yet is of no word.
      guard let scalar = Unicode.Scalar(value) else { continue }
      let isKnown = scalar.properties.age.map { $0.major <= 14 } ?? false
      let isWord = isKnown && UnicodeModel.isWord(scalar)
      if WordCharacters.shared.contains(value) != isWord { Issue.record("\(value)") }
      if isWord { count += 1 }
    }
    #expect(count > 130_000)
  }

  /// The scanner passes over the characters of some lead bytes: all scalars, many a text.
  @Test func everyCharacterEndsWordsOrNot() {
    let scanner = TextScanner()
    let found = WordSet()
    for start in stride(from: UInt32(0), to: 0x11_0000, by: 1024) {
      var text: [UInt8] = []
      var count = 0
      for scalar in (start..<start + 1024).compactMap(Unicode.Scalar.init) {
        // A word that is there once, and what may split it.
        text += "\(scalar.value)x\(scalar)y ".utf8
        count += WordCharacters.shared.contains(scalar.value) ? 1 : 2
      }
      unsafe text.withUnsafeBytes { unsafe scanner.load($0) }
      found.removeAll()
      scanner.scanWords(into: found)
      #expect(WordCharacters.shared.words(of: text.span).count == count, "\(start)")
      // `y` is one word however often it is there.
      let words = Set(WordCharacters.shared.words(of: text.span).map { text[$0].map(\.asciiLowercased) })
      #expect(found.count == words.count, "\(start)")
      found.withHashes { hashes in
        let hashes = Set(hashes.indices.map { hashes[$0] })
        #expect(words.allSatisfy { hashes.contains(WordHash.hash($0)) }, "\(start)")
      }
    }
  }

  @Test(arguments: [
    ("timeout", "“timeout”"), ("timeout", "timeout… retry"), ("timeout", "read—timeout—retry"),
    ("timeout", "timeout、失敗"), ("timeout", "«TIMEOUT»"), ("timeout", "\u{A0}timeout\u{202F}"),
    ("timeout", "😀timeout😀"), ("timeout", "\u{E000}timeout\u{378}"), ("timeout", "×timeout→"),
    ("失敗", "timeout、失敗。"), ("失敗", "失敗"), ("e\u{301}te\u{301}", "“e\u{301}te\u{301}”"),
    ("“timeout”", "—“timeout”"), ("…", "x ……"), ("…", "…"), ("été", "l’ÉTÉ."), ("Ähre", "–ähre–"),
    ("١٢", "،١٢،"),
    ("नमस्ते", "“नमस्ते।"), ("k", "\u{2009}K\u{2009}"), ("\u{212A}", "\u{212A}!"), ("Ⅷ", "Ⅷ·"),
    ("a_b", "“a_b”"),
    ("\u{10428}", "\u{3000}\u{10400}\u{3000}"), ("ж, ж", "“Ж, Ж”"),
  ])
  func isFound(word: String, text: String) throws {
    #expect(UnicodeModel.hasWord(word, in: Array(text.utf8)))
    try check(word, text, true)
  }

  @Test(arguments: [
    ("timeout", "étimeout"), ("timeout", "timeouté"), ("timeout", "timeout\u{301}"), ("timeout", "日timeout"),
    ("timeout", "timeout失"), ("e", "e\u{301}"), ("\u{301}", "e\u{301}"), ("k", "\u{212A}"), ("1", "1٢"),
    ("नमस", "नमस्ते"), ("x", "x²"), ("I", "ⅧI"), ("ж", "“жж”"), ("Ä", "äb"), ("…", "x…y"),
    ("“timeout”", "a“timeout”"),
    ("\u{AC00}", "\u{AC00}\u{AC01}"),
    ("\u{5341}", "\u{5341}\u{4DBF}"), ("x", "x\u{E0100}"), ("x", "\u{10400}x"),
  ])
  func isNotFound(word: String, text: String) throws {
    #expect(!UnicodeModel.hasWord(word, in: Array(text.utf8)))
    try check(word, text, false)
  }

  private func check(_ word: String, _ text: String, _ isFound: Bool) throws {
    let automaton = try TextAutomaton(.word(word))
    // Between rows that would be of the word, or end it.
    let rows = ["x", text, "é", text, "“", text, "日"]
    var found = Selection(rowCount: rows.count, all: true)
    textColumn(rows).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
    let bytes = Array(text.utf8)
    #expect(automaton.accepts(bytes) == isFound)
    #expect([1, 3, 5].allSatisfy { found[$0] == isFound })
    #expect(automaton.verdict(for: [.literal(bytes)]) == (isFound ? .yes : .no))
    for rowsPerPage in [1, 8] {
      _ = try IndexedTexts(rows.map { Array($0.utf8) }, rowsPerPage: rowsPerPage).check(.word(word), text)
    }
  }

  /// By a scan of rows, one by one, by templates, and by pages of an index.
  @Test(arguments: 1...6) func everyWayAgreesWithTheModel(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var counts = [0, 0]
    for round in 0..<20 {
      let wordsMax = random.pick([1, 3, 12])
      let texts = (0..<1 + random.below(70)).map { _ in WordTexts.text(&random, wordsMax: wordsMax) }
      let bytes = texts.map { Array($0.utf8) }
      let indexed = try IndexedTexts(
        bytes, rowsPerPage: random.pick([1, 7, 64]), asDictionary: random.once(in: 3))
      try indexed.index.verify()
      for _ in 0..<10 {
        let needle = WordTexts.needle(of: random.pick(texts), &random)
        let context = "seed \(seed) round \(round) \(needle)"
        let expected = bytes.map { UnicodeModel.hasWord(needle, in: $0) }
        for isFound in expected { counts[isFound ? 1 : 0] += 1 }
        let automaton = try TextAutomaton(.word(needle))
        var found = Selection(rowCount: texts.count, all: true)
        textColumn(texts).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
        #expect(texts.indices.map { found[$0] } == expected, "\(context)")
        #expect(bytes.map { automaton.accepts($0) } == expected, "\(context)")
        for pattern: TextPattern in [
          .word(needle), .contains(needle, ignoreCase: random.once(in: 2)), .prefix(needle),
          .regex("\\Q\(needle)\\E$", ignoreCase: true),
        ] {
          _ = try indexed.check(pattern, context)
        }
      }
    }
    #expect(counts[1] > 150 && counts[0] > 500, "\(counts)")
  }

  /// The filters of object columns, and whole objects.
  @Test(arguments: 1...3) func objectsAgreeWithTheModel(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    var pagesWithout = 0
    for _ in 0..<15 {
      let rows = (0..<40).map { _ in
        (0..<1 + random.below(3)).map { _ in WordTexts.text(&random, wordsMax: 3) }
      }
      let objects = IndexedTexts.column(rows.map { Array(WordTexts.object($0).utf8) }, type: .json)
      var builder = TextIndexBuilder(rowsPerPage: 4)
      builder.add(
        text: nil, nested: [NestedText(column: "payload", members: [], rest: objects)], rowCount: rows.count)
      let index = try TextIndex(Buffer(copying: builder.finish()))
      for _ in 0..<20 {
        let needle = WordTexts.needle(of: random.pick(rows)[0], &random)
        let automaton = try TextAutomaton(.word(needle))
        let pages = try index.pages(nestedIn: "payload", matching: automaton)
        let expected = rows.map { texts in texts.contains { UnicodeModel.hasWord(needle, in: Array($0.utf8)) }
        }
        for row in rows.indices where expected[row] { #expect(pages[row / 4], "\(needle)") }
        pagesWithout += index.pageCount - pages.count
        var found = Selection(rowCount: rows.count, all: true)
        ObjectEvaluation(ObjectColumns(rest: objects, members: []), []).narrow(
          &found, by: .text(automaton), nil)
        #expect(rows.indices.map { found[$0] } == expected, "\(needle)")
        let equal = random.pick(rows)[0]
        let equals = try index.pages(nestedIn: "payload", equalTo: Array(equal.utf8))
        for row in rows.indices where rows[row].contains(equal) { #expect(equals[row / 4], "\(equal)") }
      }
    }
    #expect(pagesWithout > 500, "\(pagesWithout)")
  }

  /// Bytes that are no UTF-8: index and scan come to the same.
  @Test(arguments: 1...4) func brokenTextIsTheSameToAll(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let pieces: [[UInt8]] = [
      [0xE2], [0x80], [0x9C], [0xE2, 0x80, 0x9C], [0xC3], [0xA9], [0xF0, 0x9F], [0xE4, 0xB7], [0xE5], [0xFF],
      [0xC1],
      [0xED, 0xA0, 0x80], [0xE0, 0x80, 0xA0], [0xF4, 0x90, 0x80, 0x80], Array("a".utf8), Array("4711".utf8),
      Array(" ".utf8), Array("é".utf8),
    ]
    for _ in 0..<20 {
      let texts = (0..<50).map { _ in (0..<random.below(8)).flatMap { _ in random.pick(pieces) } }
      let indexed = try IndexedTexts(texts, rowsPerPage: random.pick([1, 9]))
      for needle in ["a", "4711", "“", "é", "aé", "4711 a", "É“a"] {
        let automaton = try TextAutomaton(.word(needle))
        let verdict = try indexed.index.verdict(for: automaton)
        var found = Selection(rowCount: texts.count, all: true)
        IndexedTexts.column(texts).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
        for page in 0..<indexed.index.pageCount {
          let (proved, candidates) = try verdict.selection(page: page)
          for row in 0..<proved.rowCount {
            let text = texts[page * indexed.index.rowsPerPage + row]
            let matches = automaton.accepts(text)
            #expect(matches ? proved[row] || candidates[row] : !proved[row], "\(text) \(needle)")
            #expect(found[page * indexed.index.rowsPerPage + row] == matches, "\(text) \(needle)")
          }
        }
      }
    }
  }

  /// What stands beside characters beyond ASCII is counted without a look at the texts.
  @Test func templatesProveWords() throws {
    let texts = (0..<500).map { "読込—“timeout”… no. \($0)、失敗 (\($0 % 7)é)" }
    let indexed = try IndexedTexts(texts.map { Array($0.utf8) }, rowsPerPage: 64)
    for word in ["timeout", "TIMEOUT", "失敗", "読込", "“timeout", "…", "、", "no"] {
      let division = try indexed.check(.word(word), word)
      #expect(division.proved == (word == "、" ? 0 : 500) && division.candidates == 0, "\(word) \(division)")
    }
    for word in ["time", "敗", "é", "読"] {
      let division = try indexed.check(.word(word), word)
      #expect(division.pagesWithout == indexed.index.pageCount, "\(word)")
    }
    // Words with digits are in the pages' filters, without what stands around them.
    let number = try indexed.check(.word("417"), "417")
    #expect(number.candidates > 0 && number.candidates <= 128)
  }

  @Test func almostMatchingWordsStayLinear() throws {
    let word = String(repeating: "б-а", count: 800) + "б"
    let text = "x" + String(repeating: "б-а", count: 20_000)
    let automaton = try TextAutomaton(.word(word))
    #expect(!automaton.accepts(Array(text.utf8)))
    #expect(automaton.accepts(Array(("“" + word.uppercased() + "”").utf8)))
    // Letters whose cases differ in length.
    let odd = try TextAutomaton(.word("\u{2C65}\u{23A}-\u{2C65}x"))
    #expect(odd.accepts(Array("\u{2C65}\u{23A}-\u{23A}\u{2C65}-\u{2C65}X".utf8)))
    #expect(odd.accepts(Array("\u{2C65}\u{23A}x\u{23A}\u{2C65}-\u{23A}X—".utf8)) == false)
    #expect(odd.accepts(Array("x \u{23A}\u{23A}-\u{23A}X—".utf8)))
  }
}
