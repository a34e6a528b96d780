import Foundation
import Matching
import Records
import Testing

@Suite struct CaptureTests {
  static func search(_ pattern: String, _ text: [UInt8]) throws -> CapturePatternSet.Search {
    try CapturePatternSet([CapturePattern(pattern)]).search(text.span)
  }

  static func captured(_ pattern: String, _ text: String) throws -> [String] {
    let bytes = Array(text.utf8)
    return try search(pattern, bytes).found.map { String(decoding: bytes[$0.range], as: UTF8.self) }
  }

  @Test(arguments: [
    ("EMP-([0-9]{6})", "EMP-123456, EMP-1 and EMP-654321", ["123456", "654321"]),
    ("EMP-[0-9]{6}", "xEMP-1234567", ["EMP-123456"]), ("x", "", []), ("x", "yz", []),
    // Alternatives in their order.
    ("a|ab", "ab ab", ["a", "a"]), ("ab|a", "ab a", ["ab", "a"]), ("(?:a|ab)(c|bcd)", "abcd", ["bcd"]),
    ("x(?:none|([0-9]+))", "xnone x12", ["12"]), ("id=([0-9]*)", "id= id=5", ["5"]),
    // Greed.
    ("a+?", "aaa", ["a", "a", "a"]), ("key=(.*?);", "key=a;b;", ["a"]), ("key=(.*);", "key=a;b;", ["a;b"]),
    ("(?U)key=(.*);", "key=a;b;", ["a"]), ("(?U)key=(.*?);", "key=a;b;", ["a;b"]),
    ("a{2,3}", "aaaaaaa", ["aaa", "aaa"]), ("a{2,3}?", "aaaaa", ["aa", "aa"]), ("ba??c", "bac", ["bac"]),
    (".*[^A-Z]|[A-Z]", "AAA", ["A", "A", "A"]), ("aa", "aaa", ["aa"]),
    // Each time a group is repeated.
    ("(?:([0-9]+),?)+", "1,22,333 4", ["1", "22", "333", "4"]), ("(a|b)*c", "abc", ["a", "b"]),
    ("(a*)*b", "aaab", ["aaa"]), ("(?:(a)|b)+", "abab", ["a", "a"]), ("(?:(a)|b){3}", "abab", ["a", "a"]),
    // Anchors.
    ("^a", "aa", ["a"]), ("a$", "aa", ["a"]), ("(?m)^(\\w+)$", "ab\ncd e\nf", ["ab", "f"]),
    ("\\bpin\\b ([0-9]+)", "spin 12, pin 34", ["34"]), ("^(a|b)$", "ab", []), ("a\\z", "aa", ["a"]),
    ("\\Ba", "aa a", ["a"]), ("(?:^|,)([a-z]+)", "a,b;c,d", ["a", "b", "d"]),
    // Cases and characters.
    ("(?i)emp-([a-z]+)", "EmP-Xy emp-z", ["Xy", "z"]), ("[а-я]+", "мир World", ["мир"]),
    ("«([^»]+)»", "a «тайна» b", ["тайна"]), ("[^\\x00-\\x7F]{2}", "aéü€b", ["éü"]),
    ("[[:alpha:]]{2}", "1ab2", ["ab"]), ("😀(.)", "😀😁", ["😁"]),
    ("(?s)BEGIN(.*)END", "BEGIN a\nb END", [" a\nb "]), ("(?P<id>[0-9]+)x", "12x", ["12"]),
    ("\\Q(a)\\E", "(a)", ["(a)"]), ("((?:a))", "a", ["a"]),
  ])
  func captures(_ pattern: String, _ text: String, _ expected: [String]) throws {
    #expect(try CaptureTests.captured(pattern, text) == expected)
  }

  @Test(arguments: [
    ("(a)(b)", "second capture group (others are written `(?:…)`) at character 4"),
    ("((a))", "second capture group"), ("(a)(?P<b>b)", "second capture group"),
    ("", "empty text"), ("a*", "empty text"), ("\\b", "empty text"), ("^$", "empty text"),
    ("a|", "empty text"), ("(?:a|b?)*", "empty text"), ("(a{0,3})", "empty text"), ("(a){0}", "empty text"),
    ("(){1000}(){1000}", "second capture group"), ("(?:){1000}{1000}{1000}", "empty text"),
    ("(?=a)b", "look-around"), ("(a)\\1", "back-reference"), ("(?P=a)", "refers back"), ("(", "not closed"),
    ("a{1001}", "more than 1000 times"), ("\\p{L}", "Unicode property"), ("(.{1000}){20}", "too large"),
    (String(repeating: "a", count: 1025), "more than 1024 bytes"),
  ])
  func refuses(_ pattern: String, _ reason: String) {
    #expect {
      try CapturePattern(pattern)
    } throws: { error in
      if case StoreError.invalid(let said) = error { said.contains(reason) } else { false }
    }
  }

  @Test func allStatesTogetherAreBounded() throws {
    let large = try CapturePattern("(?s).{400}")
    #expect(large.stateCount > 3_334 && large.stateCount <= 5_000)
    #expect(throws: StoreError.self) { try CapturePatternSet([large, large, large]) }
    let set = try CapturePatternSet([large, large])
    #expect(set.found(in: "").isEmpty)
  }

  @Test func severalExpressionsLookAtTheSameText() throws {
    let set = try CapturePatternSet([CapturePattern("[0-9]+"), CapturePattern("x"), CapturePattern("a(1)")])
    let text = Array("a1 22".utf8)
    let found = set.search(text.span).found
    #expect(found.map(\.pattern) == [0, 0, 2])
    #expect(found.map(\.range) == [1..<2, 3..<5, 1..<2])
  }

  /// What makes engines slow that go back, or that look again from each place: matches that begin and fail,
  /// and matches that may be longer until the end of the text says that they are not.
  @Test(arguments: [
    ("(a*)*b", "a", "b"), ("(a*)*b", "a", "cb"), ("(?:a|a)*b", "a", "cb"), ("(?:a+)+b|c", "a", "c"),
    (".*[^A-Z]|[A-Z]", "A", ""), ("a.*b|a", "a", ""), ("(?:x+x+)+y|x", "x", ""),
    ("[a-z]+[0-9]|q", "ab ", "q"),
    ("(?:a?){30}a{30}", "a", ""), ("(?s)(a|b)*a(?:a|b){20}c|a", "ab", ""), ("(?:[a-z]+ )*[0-9]|t", "at ", ""),
    ("\\b(?:\\w+\\s?)*:", "ab ", ":"), ("(?m)^(?:.*)*$x|a$", "a\n", ""),
  ])
  func stepsGrowWithTheTextAlone(_ pattern: String, _ unit: String, _ end: String) throws {
    let states = try CapturePattern(pattern).stateCount
    func steps(_ count: Int) throws -> Int {
      let text = Array((String(repeating: unit, count: count / unit.utf8.count) + end).utf8)
      let search = try CaptureTests.search(pattern, text)
      #expect(search.steps <= 10 * states * (text.count + 1))
      return search.steps
    }
    let few = try steps(1 << 12)
    let many = try steps(1 << 16)
    // The text is made in blocks, the first reading of a short text does with one.
    #expect(few > 0 && many <= 2 * 16 * few + 4096, "\(few) \(many)")
  }

  // MARK: Against another implementation

  @Test func agreesWithFoundation() throws {
    let seed: UInt64 = 20_261_129
    var random = SeededRandom(seed: seed)
    var matchCount = 0
    for round in 0..<400 {
      let parts = (0..<3).map { _ in CaptureTests.plain(RegexTests.randomPattern(&random, depth: 3)) }
      let pattern = "(?:\(parts[0]))(\(parts[1]))(?:\(parts[2]))"
      guard let own = try? CapturePatternSet([CapturePattern(pattern)]) else { continue }
      let foreign = pattern.replacingOccurrences(of: "\\w", with: "[0-9A-Za-z_]")
      let reference = try NSRegularExpression(pattern: foreign, options: [.useUnixLineSeparators])
      let hasFold = pattern.contains("(?i")
      for _ in 0..<24 {
        let raw = random.text(RegexTests.alphabet, 24)
        let text = hasFold ? raw.replacingOccurrences(of: "É", with: "x") : raw
        let expected = CaptureTests.ranges(reference, text)
        let found = own.found(in: text).map(\.range)
        matchCount += expected.count
        #expect(
          found == expected, "seed \(seed) round \(round): \(pattern) on \(text.debugDescription)")
      }
    }
    #expect(matchCount > 200)
  }

  /// Matches over the bounds of the blocks in which a long text is read backwards.
  @Test(arguments: ["ab([^b]*)b", "(?:a|b1)+", "1(.{0,40}?) ", "(?:[ab]{7})", "(?:a1*b(?: |_)?)+_"])
  func longTextsAgreeWithFoundation(_ pattern: String) throws {
    var random = SeededRandom(seed: 7)
    let reference = try NSRegularExpression(pattern: pattern, options: [.useUnixLineSeparators])
    let own = try CapturePatternSet([CapturePattern(pattern)])
    for count in [1_000, 1_023, 1_024, 1_025, 5_000, 20_000] {
      let text = (0..<count).map { _ in random.pick(["a", "b", "1", " ", "_", "é"]) }.joined()
      let expected = CaptureTests.ranges(reference, text)
      #expect(own.found(in: text).map(\.range) == expected)
    }
  }

  /// Without capture groups.
  private static func plain(_ pattern: String) -> String {
    pattern.replacingOccurrences(of: "(?", with: "<").replacingOccurrences(of: "(", with: "(?:")
      .replacingOccurrences(of: "<", with: "(?")
  }

  /// In UTF-8, of the group in each match; none empty.
  private static func ranges(_ expression: NSRegularExpression, _ text: String) -> [Range<Int>] {
    // By index in UTF-16.
    var offsets: [Int] = []
    var offset = 0
    for scalar in text.unicodeScalars {
      for _ in 0..<UTF16.width(scalar) { offsets.append(offset) }
      offset += UTF8.width(scalar)
    }
    offsets.append(offset)
    return expression.matches(in: text, range: NSRange(text.startIndex..., in: text)).compactMap { match in
      let range = match.range(at: match.numberOfRanges - 1)
      guard range.location != NSNotFound, range.length > 0 else { return nil }
      return offsets[range.location]..<offsets[range.location + range.length]
    }
  }
}

extension CapturePatternSet {
  /// `#expect` cannot show spans.
  fileprivate func found(in text: String) -> [Found] { search(Array(text.utf8).span).found }
}
