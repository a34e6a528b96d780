import Codecs
import Testing

@testable import Commands

/// Flags into the JSON of a query, rows into lines.
@Suite struct QueryBodyTests {
  static let now: Int64 = 1_795_000_000_000_000_000

  static func body(_ change: (inout QueryFlags) -> Void) throws -> String {
    var flags = QueryFlags()
    change(&flags)
    return try QueryBody.make(flags, now: now).text
  }

  @Test func flagsBecomeFilters() throws {
    #expect(try QueryBodyTests.body { _ in } == "{\"dataset\":\"logs\"}")
    #expect(
      try QueryBodyTests.body {
        $0.levels = ["ERROR"]
        $0.services = ["a", "b"]
        $0.contains = ["timed out"]
        $0.limit = 5
        $0.order = "asc"
      }
        == "{\"dataset\":\"logs\",\"where\":{\"and\":[{\"in\":[\"level\",[\"ERROR\",\"error\",\"Error\"]]},{\"in\":[\"service\",[\"a\",\"b\"]]},"
        + "{\"contains\":[\"message\",\"timed out\"]}]},\"order\":\"asc\",\"limit\":5}")
    #expect(
      try QueryBodyTests.body {
        $0.countBy = ["service"]
        $0.bucket = "1h"
        $0.largestFirst = true
        $0.columns = ["ignored"]
      }
        == "{\"dataset\":\"logs\",\"measures\":[\"count\"],\"group_by\":[\"service\"],\"bucket\":\"1h\",\"order_by\":\"count\"}"
    )
    #expect(
      try QueryBodyTests.body {
        $0.dataset = "audit"
        $0.levels = ["high"]
      } == "{\"dataset\":\"audit\",\"where\":{\"in\":[\"severity\",[\"high\",\"HIGH\",\"High\"]]}}")
  }

  @Test func timesAreUnderstood() throws {
    let cases = [
      ("1h", "2026-11-18T10:06:40Z"), ("2026-11-19", "2026-11-19T00:00:00Z"),
      ("2026-11-19T12:00:00", "2026-11-19T12:00:00Z"), ("2026-11-19T12:00:00+02:00", "2026-11-19T10:00:00Z"),
      ("now", "2026-11-18T11:06:40Z"),
    ]
    for (text, expected) in cases {
      #expect(try QueryBody.time(text, "--since", now: QueryBodyTests.now) == expected, "\(text)")
    }
    #expect(throws: Failure.self) { try QueryBody.time("yesterday", "--since", now: QueryBodyTests.now) }
  }

  @Test func mistakesAreFoundBeforeTheServerIsAsked() {
    let wrong: [(inout QueryFlags) -> Void] = [
      { $0.dataset = "nothing" }, { $0.expressions = ["level ="] }, { $0.expressions = ["nope = 1"] },
      { $0.regex = ["("] }, { $0.since = "soon" },
    ]
    for change in wrong { #expect(throws: Failure.self) { try QueryBodyTests.body(change) } }
  }

  static let row = try? JSONTree(
    parsing: Array(
      "{\"position\":1,\"timestamp\":\"2026-11-19T12:00:00Z\",\"level\":\"ERROR\",\"message\":\"a\\u001b[2J\",\"service\":\"shop\",\"metadata\":{\"n\":1}}"
        .utf8))

  @Test func rowsBecomeLines() throws {
    let row = try #require(QueryBodyTests.row)
    let plain = RowPrinter(hasColour: false, isTerminal: true).line(row)
    #expect(plain == "2026-11-19T12:00:00Z ERROR shop a\\x1b[2J metadata={\"n\":1}")
    let coloured = RowPrinter(hasColour: true, isTerminal: true).line(row)
    #expect(coloured.contains("\u{1B}[31mERROR\u{1B}[0m"))
    #expect(!coloured.contains("\u{1B}[2J"), "data must not steer the terminal")
    let piped = RowPrinter(hasColour: false, isTerminal: false).line(row)
    #expect(piped.contains("a\u{1B}[2J"), "a program gets the bytes as they are")
  }

  @Test func countsBecomeTables() throws {
    let rows = try ["{\"service\":\"shop\",\"count\":12345}", "{\"count\":7}"].map {
      try JSONTree(parsing: Array($0.utf8))
    }
    let table = RowPrinter(hasColour: false, isTerminal: false).table(rows, columns: ["service", "count"])
    #expect(table == "service  count\nshop     12345\n             7\n")
  }

  /// Columns of a terminal: wide characters take two, marks and joiners none.
  @Test(arguments: [
    ("shop", 4), ("", 0), ("日本語", 6), ("한국", 4), ("ｱｲ", 2), ("Ａ", 2), ("e\u{301}", 1), ("ü", 1), ("😀", 2),
    ("👩‍👩‍👧", 2), ("🇩🇪", 2), ("❤️", 2), ("❤", 1), ("a\u{200B}b", 2), ("\u{301}", 0),
  ])
  func widthsAreThoseOfTerminals(_ text: String, _ columns: Int) {
    #expect(DisplayWidth.columns(of: text) == columns)
  }

  @Test func wideTextsAreAligned() throws {
    let rows = try ["{\"service\":\"日本\",\"count\":1}", "{\"service\":\"shop-1\",\"count\":22}"].map {
      try JSONTree(parsing: Array($0.utf8))
    }
    let table = RowPrinter(hasColour: false, isTerminal: true).table(rows, columns: ["service", "count"])
    #expect(table == "service  count\n日本         1\nshop-1      22\n")
  }

  @Test(arguments: [("aé", 3, 3), ("aé", 2, 1), ("日", 2, 0), ("a😀", 4, 1), ("a😀", 5, 5), ("", 0, 0)])
  func textIsCutBetweenCharacters(_ text: String, _ count: Int, _ expected: Int) {
    #expect(RowOutput.wholeCharacters(Array(text.utf8.prefix(count))) == expected)
  }

  @Test func progressIsOneLine() {
    #expect(
      Progress.line(
        name: "a.log", done: 50_000_000, from: 0, of: 100_000_000, lines: 400_000, seconds: 4, note: nil)
        == "a.log  [##########----------]  50%  12.5 MB/s  100,000 lines/s  0:04 left")
    #expect(
      Progress.line(
        name: "standard input", done: 5_000_000, from: 0, of: nil, lines: 1, seconds: 0, note: nil)
        == "standard input  5.0 MB  0.0 MB/s  0 lines/s")
  }
}
