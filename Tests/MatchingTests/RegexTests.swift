import Foundation
import Matching
import Records
import Testing

@Suite struct RegexTests {
  func matches(_ pattern: String, _ text: String, ignoreCase: Bool = false) throws -> Bool {
    let automaton = try TextAutomaton(.regex(pattern, ignoreCase: ignoreCase))
    let bytes = Array(text.utf8)
    return automaton.accepts(bytes)
  }

  @Test(arguments: [
    ("", ""), ("", "a"), ("a", "bab"), ("^a", "ab"), ("a$", "ba"), ("\\Aab\\z", "ab"), ("a|b", "cb"),
    ("colou?r", "my color"), ("a{2,3}b", "xaab"), ("^a{0}$", ""), ("a{2,}", "baaa"), ("(?:ab)+c", "ababc"),
    ("(?i)error", "An ErRoR"), ("(?i:e)R", "ER"), ("[^a-c]", "abcd"), ("[]a]", "]"), ("[^]a]", "b"),
    ("[a-]", "-"), ("[\\d.]+ms", "12.5ms"), ("\\bfoo\\b", "a foo."), ("\\Boo", "foo"), ("é", "café"),
    ("caf.$", "café"), ("^.{4}$", "a😀b€"), ("[à-ü]", "é"), ("[^x]$", "é"), ("[😀-😂]", "😁"),
    ("\\x{e9}", "é"), ("\\x41", "A"), ("^.{1000}$", String(repeating: "é😀", count: 500)), ("a{,2}", "a{,2}"),
    ("{", "{"), ("x{a", "x{a"), ("\\Qa.b\\E+", "a.bbb"),
    ("[[:digit:]]+x", "12x"), ("[[:^digit:]]", "1a"), ("(?P<name>a)(?<other>b)", "ab"), ("(?s)a.b", "a\nb"),
    ("(?m)^b$", "a\nb\nc"), ("a*?b", "aab"), ("(?-i)a", "a"), ("\\.\\*\\(", ".*("), ("\\t", "\t"), ("$", ""),
    ("^", "x"), ("(|a)b", "b"), ("(a*)*b", "aaab"), ("\\b", "a"), ("a\\b", "a"), ("\\B", ""), ("\\W", "é"),
    ("x*", "aaa"), ("(^|,)b", "a,b"), ("b($|,)", "ab"), ("(?i)[k-l]", "K"), ("(?i)é", "É"), ("\\0", "\u{0}"),
    ("a{1000}", String(repeating: "a", count: 1000)),
  ])
  func accepts(_ pattern: String, _ text: String) throws {
    #expect(try matches(pattern, text))
  }

  @Test(arguments: [
    ("a", "b"), ("^a", "ba"), ("a$", "ab"), ("a$", "a\n"), ("^b$", "a\nb"), ("a.b", "a\nb"),
    ("a{2,3}b", "ab"),
    ("^a{2,3}$", "aaaa"), ("\\bfoo\\b", "food"), ("\\Bfoo", "foo"), ("[^a-c]", "abc"), ("(?i)[^é]", "É"),
    ("^.$", "ab"), ("^..$", "é"), ("[^\\x{0}-\\x{10FFFF}]", "abc"), ("(a*)*b", "aaaa"), ("\\d", "٣"),
    ("(x+x+)+y", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"), ("\\b", " "), ("\\b", "é"),
    ("a\\Bb\\bc", "abc"),
    ("a\\B\\z", "a"), ("a{1000}", String(repeating: "a", count: 999)), ("a^b", "ab"), ("x$y", "xy"),
    ("\\B", "aéa"),
  ])
  func rejects(_ pattern: String, _ text: String) throws {
    #expect(try !matches(pattern, text))
  }

  @Test(arguments: [
    "(", ")", "a)", "(?", "(?i", "[", "[a", "[a-", "[b-a]", "*", "+a", "?", "a**", "a*+", "a++", "\\", "a\\",
    "\\1", "(a)\\1",
    "(?=a)", "(?!a)", "(?<=a)", "(?<!a)", "(?>a)", "\\p{L}", "\\q", "\\Z", "\\G", "a{1001}", "a{2,1}",
    "[[:nope:]]",
    "\\x{110000}", "\\x{d800}", "\\xg", "(?P<>a)", "(?P=a)", "(?x)a", "a{1000}{1000}",
    "(((a{100}){100}){100}){100}",
    "((((((((a{0,1000}){1000}){1000}){1000}){1000}){1000}){1000}){1000})", "(){1000}{1000}{1000}{1000}",
    "\\pN", "[a-\\d]", "[\\b]", String(repeating: "(", count: 100_000), "(.{1000}){20}",
    String(repeating: "a", count: 70_000),
  ])
  func refuses(_ pattern: String) {
    #expect {
      try TextAutomaton(.regex(pattern, ignoreCase: false))
    } throws: { error in
      if case StoreError.invalid(let reason) = error { !reason.isEmpty } else { false }
    }
  }

  @Test func explosivePatternsStayLinear() throws {
    let text = [UInt8](repeating: UInt8(ascii: "a"), count: 50_000)
    for pattern in [
      "(a*)*b", "(a|a)*b", "(a|aa)+$b", "(a+)+b", "(.*)(.*)(.*)(.*)x", "(a?){500}a{500}b", "(?:a|b|ab)*c",
    ] {
      let automaton = try TextAutomaton(.regex(pattern, ignoreCase: false))
      #expect(!automaton.accepts(text), "\(pattern)")
    }
  }

  @Test func manyStatesStayWithinTheCache() throws {
    // 2^15 states and more would be needed at once: the cache is emptied again and again.
    var random = SeededRandom(seed: 7)
    let automaton = try TextAutomaton(.regex("x[ab]{18}y", ignoreCase: false))
    var rows: [String] = []
    for _ in 0..<200 {
      var row = String((0..<2000).map { _ in random.pick(["a", "b", "x"]) })
      if random.once(in: 2) { row += "x" + String((0..<18).map { _ in random.pick(["a", "b"]) }) + "y" }
      rows.append(row)
    }
    let column = textColumn(rows.map { $0 })
    var found = Selection(rowCount: rows.count, all: true)
    column.withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
    for (index, row) in rows.enumerated() {
      #expect(found[index] == row.hasSuffix("y"))
      let bytes = Array(row.utf8)
      #expect(automaton.accepts(bytes) == row.hasSuffix("y"))
    }
  }

  // MARK: Against another implementation

  static let alphabet = "ab1_ -\néÉ😀B"

  static func randomPattern(_ random: inout SeededRandom, depth: Int) -> String {
    let atoms = [
      "a", "b", "1", " ", "-", "é", "😀", ".", "\\d", "\\w", "[ab]", "[^a]", "[a-é]", "[^é-ü]", "\\S", "\\D",
      "_",
    ]
    if depth == 0 || random.once(in: 3) { return random.pick(atoms) }
    switch random.below(8) {
    case 0:
      return "(" + randomPattern(&random, depth: depth - 1) + "|" + randomPattern(&random, depth: depth - 1)
        + ")"
    case 1:
      return "(?:" + randomPattern(&random, depth: depth - 1) + ")"
        + random.pick(["*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"])
    case 2: return "^" + randomPattern(&random, depth: depth - 1)
    case 3: return randomPattern(&random, depth: depth - 1) + "\\z"
    case 4: return "(?i:" + randomPattern(&random, depth: depth - 1) + ")"
    case 5:
      return random.pick(["a", "b", "1"]) + random.pick(["*", "+", "?", "*?"])
        + randomPattern(&random, depth: depth - 1)
    default: return randomPattern(&random, depth: depth - 1) + randomPattern(&random, depth: depth - 1)
    }
  }

  @Test func agreesWithFoundation() throws {
    let seed: UInt64 = 20_260_101
    var random = SeededRandom(seed: seed)
    for round in 0..<800 {
      let pattern = RegexTests.randomPattern(&random, depth: 4)
      // ASCII-only \d, \w and case folding, as here: written out for the other side.
      let foreign = pattern.replacingOccurrences(of: "\\w", with: "[0-9A-Za-z_]")
      let reference = try NSRegularExpression(pattern: foreign, options: [.useUnixLineSeparators])
      let automaton = try TextAutomaton(.regex(pattern, ignoreCase: false))
      var texts: [String] = []
      for _ in 0..<24 {
        let text = random.text(RegexTests.alphabet, 12)
        texts.append(text)
      }
      let expected = texts.map {
        reference.firstMatch(in: $0, range: NSRange($0.startIndex..., in: $0)) != nil
      }
      var found = Selection(rowCount: texts.count, all: true)
      textColumn(texts).withText { automaton.matchRows(offsets: $0, bytes: $1, among: &found) }
      for (index, text) in texts.enumerated() {
        let bytes = Array(text.utf8)
        #expect(
          automaton.accepts(bytes) == expected[index],
          "seed \(seed) round \(round): \(pattern) on \(text.debugDescription), expected \(expected[index])")
        #expect(
          found[index] == expected[index],
          "rows: seed \(seed) round \(round): \(pattern) on \(text.debugDescription)")
      }
    }
  }

  @Test func agreesWithFoundationOnWordBoundariesOfASCII() throws {
    let seed: UInt64 = 20_260_102
    var random = SeededRandom(seed: seed)
    for round in 0..<600 {
      var pattern = ""
      for _ in 0..<1 + random.below(6) {
        pattern += random.pick([
          "a", "b", "\\b", "\\B", " ", "-", "\\w", "\\W", "a*", "(?:a|\\b)", "(?: |\\B)+", "^", "\\z",
          "(?m:^)", "(?m:$)", "\\n",
        ])
      }
      let reference = try NSRegularExpression(pattern: pattern, options: [.useUnixLineSeparators])
      let automaton = try TextAutomaton(.regex(pattern, ignoreCase: false))
      for _ in 0..<16 {
        let text = random.text("ab -\n", 8)
        // The other side takes no line start after a last line feed.
        if text.hasSuffix("\n") && pattern.contains("(?m:^)") { continue }
        let expected = reference.firstMatch(in: text, range: NSRange(text.startIndex..., in: text)) != nil
        let bytes = Array(text.utf8)
        #expect(
          automaton.accepts(bytes) == expected,
          "seed \(seed) round \(round): \(pattern) on \(text.debugDescription), expected \(expected)")
      }
    }
  }
}

/// A plain text column; nil is null.
func textColumn(_ values: [String?], type: ColumnType = .utf8) -> Column {
  var builder = TextBuilder()
  for value in values {
    if let value { builder.appendRow(value) } else { builder.appendNull() }
  }
  return builder.finish(type: type)
}
