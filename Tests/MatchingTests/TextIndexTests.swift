import Matching
import Records
import Testing

@Suite struct TextIndexTests {
  @Test func realLinesAgreeWithAScan() throws {
    let seed: UInt64 = 21
    var random = SeededRandom(seed: seed)
    var skipped = 0
    var checked = 0
    for (name, lines) in SampleLines.files() {
      let texts: [[UInt8]?] = lines.map { random.once(in: 50) ? nil : $0 }
      let indexed = try IndexedTexts(texts, rowsPerPage: 128, asDictionary: random.once(in: 2))
      for _ in 0..<8 {
        let needle = SampleLines.needle(
          from: random.pick(lines), &random, lengthMax: random.pick([4, 12, 40]))
        let patterns: [TextPattern] = [
          .contains(needle, ignoreCase: false), .contains(swapCase(needle), ignoreCase: true),
          .word(needle), .prefix(needle),
          .regex(TextAutomatonTests.quoted(needle), ignoreCase: random.once(in: 2)),
        ]
        let pattern = random.pick(patterns)
        let division = try indexed.check(pattern, "seed \(seed), \(name)")
        skipped += division.pagesWithout
        checked += indexed.index.pageCount
      }
    }
    #expect(skipped * 4 > checked, "the index proves pages to be without a match: \(skipped) of \(checked)")
  }

  private func swapCase(_ text: String) -> String {
    String(
      decoding: text.utf8.map { ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A ? $0 ^ 0x20 : $0 }, as: UTF8.self)
  }

  @Test func regularExpressionsAgreeWithAScan() throws {
    let lines = SampleLines.generated(1500)
    let indexed = try IndexedTexts(lines, rowsPerPage: 100)
    let expressions = [
      "connection (reset|refused)", "^user [0-9]+ ", "session=[0-9a-f]{8}$", "[A-Z][a-z]+ query",
      "status=5..",
      "t[0-3] in .* ms$", "(?i)RESET BY", "\\bgamma\\b", "é", "日本[0-4]", "^$", ".*", "x{3}", "ms$|peer",
      "[^ -~]",
      "\\d+\\.\\d ms", "^request_id=req-0", "rows\\)$", "[0-9a-f]{16}$",
    ]
    for expression in expressions {
      for ignoreCase in [false, true] {
        _ = try indexed.check(.regex(expression, ignoreCase: ignoreCase), expression)
      }
    }
  }

  /// Few letters, so that words, templates and needles meet by chance; texts around the 64 bytes that are
  /// scanned at once; digits, hexadecimal words, upper case, multi-byte characters, the empty text and nulls
  /// among them.
  @Test(arguments: [1, 2, 3, 4, 5, 6]) func tinyAlphabetsAgreeWithAScan(seed: UInt64) throws {
    var random = SeededRandom(seed: seed)
    let alphabets = ["a1 ", "aB1_ é", "ab0-", "abcdefAF 0", "日1 x", "AaBb.", "a1“…", "Éa—日"]
    for round in 0..<30 {
      let alphabet = random.pick(alphabets)
      let lengthMax = random.pick([3, 12, 70, 140, 300])
      let texts: [[UInt8]?] = (0..<random.below(120)).map { _ in
        random.once(in: 12) ? nil : Array(random.text(alphabet, lengthMax).utf8)
      }
      let indexed = try IndexedTexts(
        texts, rowsPerPage: random.pick([1, 7, 64, 65]), pagesPerCall: 1 + random.below(4),
        asDictionary: random.once(in: 3))
      for _ in 0..<12 {
        var needle =
          random.once(in: 3)
          ? random.text(alphabet, 6)
          : SampleLines.needle(
            from: (texts.randomElement(using: &random) ?? nil) ?? [], &random, lengthMax: 20)
        // An empty word is refused.
        if needle.isEmpty { needle = " " }
        let patterns: [TextPattern] = [
          .contains(needle, ignoreCase: random.once(in: 2)), .word(needle), .prefix(needle),
          .regex(
            TextAutomatonTests.quoted(needle) + random.pick(["", "$", "\\b", ".", "+"]),
            ignoreCase: random.once(in: 2)),
        ]
        _ = try indexed.check(random.pick(patterns), "seed \(seed), round \(round)")
      }
      try indexed.index.verify()
    }
  }

  @Test func wordsWithDigitsSkipPages() throws {
    let lines = SampleLines.generated(4000)
    let indexed = try IndexedTexts(lines, rowsPerPage: 100)
    var random = SeededRandom(seed: 3)
    var pages = 0
    var candidates = 0
    for _ in 0..<60 {
      let line = String(decoding: random.pick(lines), as: UTF8.self)
      guard let request = line.split(separator: " ").first(where: { $0.hasPrefix("request_id=req-") }) else {
        continue
      }
      let word = String(request.dropFirst(15))
      for pattern in [TextPattern.word(word.uppercased()), .contains("-" + word + " ", ignoreCase: false)] {
        let division = try indexed.check(pattern, word)
        pages += indexed.index.pageCount
        candidates += indexed.index.pageCount - division.pagesWithout
      }
    }
    #expect(pages > 0 && candidates * 20 <= pages * 2, "\(candidates) of \(pages) pages are left")
  }

  @Test func templatesProveAndRuleOut() throws {
    let lines = SampleLines.generated(2000)
    let indexed = try IndexedTexts(lines, rowsPerPage: 256)
    let phrase = try indexed.check(.contains("connection reset by peer", ignoreCase: false), "phrase")
    #expect(phrase.candidates == 0 && phrase.proved > 200)
    let word = try indexed.check(.word("GAMMA"), "word")
    #expect(word.candidates == 0 && word.proved > 50)
    let absent = try indexed.check(.contains("capacitor", ignoreCase: true), "absent")
    #expect(absent.pagesWithout == indexed.index.pageCount)
  }

  /// Bytes are looked at 64 at a time: words at every place relative to that. The texts are too long for a
  /// template, so that the page's filter decides alone.
  @Test func wordsAreFoundAtEveryOffset() throws {
    let words = [
      "deadbeef", "4711", "x1", "1x", "ABCDEFABCDEFAB", String(repeating: "fedcba", count: 25), "日本7", "“é7",
      "日—7",
    ]
    for word in words {
      let texts: [[UInt8]?] = (0..<140).map { offset in
        Array((String(repeating: " ", count: offset) + word).utf8) + [UInt8](repeating: 0x2E, count: 4096)
      }
      let indexed = try IndexedTexts(texts, rowsPerPage: 1)
      let found = try indexed.check(.word(word), "offset")
      #expect(found.candidates == 140)
      let missed = try indexed.check(.word("1" + word), "offset")
      #expect(missed.candidates < 10)
    }
  }

  @Test func emptyAndOddTexts() throws {
    let long = [UInt8](repeating: 0x61, count: 5000) + Array(" 77 end".utf8)
    let texts: [[UInt8]?] = [
      [], nil, Array("1".utf8), [0xFF, 0x31], [0xFF], long, Array("a".utf8), [],
      [UInt8](repeating: 0x31, count: 4096),
      [UInt8](repeating: 0x31, count: 64), [UInt8](repeating: 0x20, count: 64), Array("DEADBEEF".utf8),
      Array("deadbeefx".utf8), Array("café9".utf8), [0],
    ]
    for asDictionary in [false, true] {
      for rowsPerPage in [1, 4, 100] {
        let indexed = try IndexedTexts(texts, rowsPerPage: rowsPerPage, asDictionary: asDictionary)
        for needle in ["", "1", "77", "end", "a", "deadbeef", "DEADBEEFX", "café9", "aaaa 77", "111", "\0"] {
          _ = try indexed.check(.contains(needle, ignoreCase: false), "contains")
          _ = try indexed.check(.contains(needle, ignoreCase: true), "contains")
          _ = try indexed.check(.prefix(needle), "prefix")
          if !needle.isEmpty { _ = try indexed.check(.word(needle), "word") }
        }
        _ = try indexed.check(.regex("^.$", ignoreCase: false), "regex")
      }
    }
    let none = try IndexedTexts([], rowsPerPage: 8)
    #expect(none.index.pageCount == 0)
    #expect(try none.index.verdict(for: TextAutomaton(.word("x"))).pages.isEmpty)
    try none.index.verify()
  }

  @Test func freeTextStaysSmallAndRight() throws {
    var random = SeededRandom(seed: 8)
    // Every text is a template of its own, three times more than there is room for; digit words among them.
    let texts: [[UInt8]?] = (0..<50_000).map { row in
      let words = (0..<6).map { _ in random.text("abcdefghijklmnop", 7) }.joined(separator: " ")
      return Array((row % 3 == 0 ? words + " \(random.below(100_000))" : words).utf8)
    }
    let indexed = try IndexedTexts(texts, rowsPerPage: 1024)
    #expect(indexed.index.templateCount <= 1 << 13)
    let byteCount = texts.reduce(0) { $0 + ($1?.count ?? 0) }
    #expect(indexed.bytes.count * 2 < byteCount, "\(indexed.bytes.count) of \(byteCount)")
    for needle in ["abc", "pon 5", " 4711"] {
      _ = try indexed.check(.contains(needle, ignoreCase: false), needle)
    }
    _ = try indexed.check(.word("4711"), "word")
    // What recurs gets in although what does not has filled its share.
    let late = try IndexedTexts(
      texts.prefix(12_000) + (0..<2048).map { Array("order \($0) shipped".utf8) }, rowsPerPage: 1024)
    let shipped = try late.check(.contains("shipped", ignoreCase: false), "late")
    #expect(shipped.proved == 2048)
  }

  @Test func aTableFullOfTemplatesKeepsToItsBounds() throws {
    // 20,000 templates seen twice each: more than there are ids.
    let texts: [[UInt8]?] = (0..<40_000).map {
      Array("t \(String(repeating: "x", count: 1 + $0 / 2 % 137)) ".utf8)
        + letters($0 / 2) + Array(" 1".utf8)
    }
    let indexed = try IndexedTexts(texts, rowsPerPage: 2048)
    #expect(indexed.index.templateCount == 1 << 14)
    _ = try indexed.check(.contains(" 1", ignoreCase: false), "full")
    _ = try indexed.check(.contains("xx q", ignoreCase: false), "full")
  }

  private func letters(_ number: Int) -> [UInt8] {
    Array(String(number, radix: 16).utf8.map { $0 < 0x3A ? $0 + 0x37 : $0 })
  }
}
