import Foundation
import Matching
import Records
import Testing

/// What named groups captured.
@Suite struct NamedPatternTests {
  private static func captured(_ pattern: String, _ text: String) throws -> [String?]? {
    let bytes = Array(text.utf8)
    return try NamedPattern(pattern).captures(in: bytes.span)?.map { range in
      range.map { String(decoding: bytes[$0], as: UTF8.self) }
    }
  }

  @Test(
    arguments: [
      (#"^(?<time>\S+) (?<level>[A-Z]+) (?<message>.*)$"#, "t1 WARN a b", ["t1", "WARN", "a b"]),
      (#"^\[(?P<a>[^]]*)\](?: <(?<b>\w+)>)? (?<c>.*)"#, "[x] y z", ["x", nil, "y z"]),
      (#"^\[(?P<a>[^]]*)\](?: <(?<b>\w+)>)? (?<c>.*)"#, "[x] <q> z", ["x", "q", "z"]),
      // The last time counts; unnamed groups are none.
      (#"(?:(?<n>[0-9]+)(,|;))+"#, "a 1,22;333, b", ["333"]), (#"(a|(b))(?<x>c?)"#, "zbc", ["c"]),
      // The first match, alternatives in their order, greed.
      (#"(?<x>a|ab)(?<y>c|bcd)?"#, "zabcd abcd", ["a", "bcd"]),
      (#"(?<k>\w+?)=(?<v>.*?);"#, "ab=c;d=e;", ["ab", "c"]),
      (#"(?<x>a)|(?<y>b)"#, "b", [nil, "b"]), (#"(?<x>[0-9]*)z"#, "z", [""]),
      (#"(?i)(?<w>ÄB)c"#, "äbC", ["äb"]),
    ] as [(String, String, [String?])])
  func captures(_ pattern: String, _ text: String, _ expected: [String?]) throws {
    #expect(try NamedPatternTests.captured(pattern, text) == expected)
  }

  @Test func whatDoesNotMatchHasNone() throws {
    #expect(try NamedPatternTests.captured("^(?<a>x)$", "xy") == nil)
    #expect(try NamedPatternTests.captured("(?<a>x)", "") == nil)
    #expect(try NamedPattern("(?<b>x)(?<a>y)(z)").names == ["b", "a"])
  }

  @Test(arguments: [
    ("(a)", "has no named group"), ("(?<a>x)(?<a>y)", "two groups of one name"),
    ("(?<a>x(?<b>y))", "named group within another"), ("(?<a>x*)", "empty text"), ("(?<a>", "not closed"),
    ("(?<a-b>x)", "broken group name"), ("(?<>x)", "broken group name"),
    ("(?<a>x)\\1", "back-reference"), ("(?<a>.{900}){9}", "too large"),
    ("(?<a>" + String(repeating: "x", count: 4_200) + ")", "more than 4096 bytes"),
    ("(?<a>(?:[a-z0-9]{3}){1000}(?:[a-z]{3}){1000})", "states, more than 5000"),
  ])
  func refuses(_ pattern: String, _ reason: String) {
    #expect {
      try NamedPattern(pattern)
    } throws: { error in
      if case StoreError.invalid(let said) = error { said.contains(reason) } else { false }
    }
  }

  /// No text makes it slow: time grows with states times bytes.
  @Test func noTextIsSlow() throws {
    let pattern = try NamedPattern(#"^(?<a>(?:x+x+)+)(?<b>y)$"#)
    let text = [UInt8](repeating: UInt8(ascii: "x"), count: 100_000)
    #expect(pattern.captures(in: text.span) == nil)
    #expect(pattern.captures(in: (text + [UInt8(ascii: "y")]).span) == [0..<100_000, 100_000..<100_001])
  }
}
