import Codecs
import Matching
import Records
import Testing

@testable import Querying

/// The two forms of the query language: JSON and text.
struct LanguageTests {
  @Test(arguments: [
    "all", "none", "level = \"ERROR\"", "level exists", "message contains \"a b\"",
    "message icontains \"q\\\"q\"",
    "metadata.status >= 500 and metadata.status < 600", "not (level = \"a\" or level = \"b\")",
    "service in (\"a\", \"b\") and not level in (\"x\")", "message ~ \"a[0-9]+\\\\.\" or message ~* \"x\"",
    "metadata[\"a.b\"].c = true and metadata.x != -1.5", "(level = \"a\" or level = \"b\") and env = \"c\"",
    "not not level exists", "message word \"x\" and message prefix \"y\"",
  ])
  func printingWhatWasParsedGivesTheSame(text: String) throws {
    let predicate = try Expression.parse(text)
    #expect(Expression.print(predicate) == text)
    #expect(try Expression.parse(Expression.print(predicate)) == predicate)
    #expect(try Predicate(json: JSONTree(parsing: Array(predicate.json.text.utf8))).json == predicate.json)
  }

  @Test(arguments: [
    "level = ERROR": Predicate.compare(ColumnPath("level"), .equal, .string("ERROR")),
    "level not in (a, 2)": .not(.isIn(ColumnPath("level"), [.string("a"), .int64(2)])),
    "LEVEL='it\\'s'": .compare(ColumnPath("LEVEL"), .equal, .string("it's")),
    "service!=r1": .compare(ColumnPath("service"), .notEqual, .string("r1")),
    "message ~ '\\d+'": .regex(ColumnPath("message"), pattern: "\\d+", ignoreCase: false),
  ])
  func whatPeopleType(text: String, expected: Predicate) throws {
    #expect(try Expression.parse(text) == expected)
  }

  @Test(arguments: [
    "", "level", "level =", "level = ", "= 3", "(level = a", "level = a)", "level = a and", "level in a",
    "level in (a", "message contains", "level = \"a", "not", "level ! a", "level == = a", "a..b = 1",
    "level = a b",
  ])
  func brokenExpressionsAreNamedNotTrapped(text: String) {
    #expect(throws: StoreError.self) { try Expression.parse(text) }
  }

  @Test func deepNestingIsRefused() {
    let deep = String(repeating: "(", count: 5000) + "level = a" + String(repeating: ")", count: 5000)
    #expect(throws: StoreError.self) { try Expression.parse(deep) }
    #expect(throws: StoreError.self) {
      try Expression.parse(String(repeating: "not ", count: 5000) + "level = a")
    }
  }

  @Test(arguments: [
    "{}", "[]", "1", "{\"dataset\":\"nope\"}", "{\"dataset\":\"logs\",\"x\":1}",
    "{\"dataset\":\"logs\",\"limit\":0}",
    "{\"dataset\":\"logs\",\"limit\":1.5}", "{\"dataset\":\"logs\",\"limit\":99999999999999999999}",
    "{\"dataset\":\"logs\",\"start\":\"yesterday\"}", "{\"dataset\":\"logs\",\"order\":1}",
    "{\"dataset\":\"logs\",\"columns\":[]}", "{\"dataset\":\"logs\",\"columns\":[\"a\",\"a\"]}",
    "{\"dataset\":\"logs\",\"columns\":[\"\"]}", "{\"dataset\":\"logs\",\"bucket\":\"0m\"}",
    "{\"dataset\":\"logs\",\"bucket\":\"99999999999999w\"}", "{\"dataset\":\"logs\",\"measures\":[\"p95\"]}",
    "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"level\"]}}",
    "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"level\",null]}}",
    "{\"dataset\":\"logs\",\"where\":{\"and\":{}}}",
    "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"a\",1],\"ne\":[\"a\",1]}}",
    "{\"dataset\":\"logs\",\"where\":{\"contains\":[\"message\",\"a\",{\"x\":1}]}}",
    "{\"dataset\":\"logs\",\"group_by\":[\"level\"],\"cursor\":\"AAAA\"}",
    "{\"dataset\":\"logs\",\"cursor\":\"AAAA\"}",
  ])
  func brokenRequestsAreNamedNotTrapped(json: String) {
    #expect(throws: StoreError.self) { try QueryRequest(json: Array(json.utf8)) }
  }

  /// Sort keys may be as long as records.
  @Test func cursorsOfLongKeysComeBack() throws {
    let request = try QueryRequest(json: Array("{\"dataset\":\"sessions\"}".utf8))
    let long = Array(String(repeating: "é", count: 40_000).utf8)
    let key: [QueryCursor.KeyPart] = request.orderColumns.map { _ in .text(long) }
    let cursor = QueryCursor(key: key, position: 3, positionEnd: 9)
    #expect(try QueryCursor(token: cursor.token(for: request), request: request) == cursor)
  }

  @Test(arguments: [
    "{\"dataset\":\"logs\",\"columns\":[\"nope\"]}", "{\"dataset\":\"logs\",\"columns\":[\"level.x\"]}",
  ])
  func columnsAreCheckedAgainstTheSchema(json: String) throws {
    let request = try QueryRequest(json: Array(json.utf8))
    #expect(throws: StoreError.self) { try PreparedQuery(request) }
  }

  @Test func errorsNeverQuoteValues() {
    do {
      _ = try QueryRequest(json: Array("{\"dataset\":\"logs\",\"start\":\"secret-value\"}".utf8))
      Issue.record("refused")
    } catch { #expect(!"\(error)".contains("secret-value")) }
  }

  @Test(arguments: [
    ("1m", 60_000_000_000 as Int64?), ("15s", 15_000_000_000), ("500ms", 500_000_000),
    ("2d", 172_800_000_000_000),
    ("0s", nil), ("s", nil), ("-1s", nil), ("1 m", nil), ("1y", nil), ("", nil),
  ])
  func widthsOfTime(text: String, nanoseconds: Int64?) { #expect(Duration.nanoseconds(text) == nanoseconds) }

  @Test func bucketsBeginAtOrBeforeTheTime() {
    for time: Int64 in [0, 1, 59, 60, 61, -1, -59, -60, -61, .max, .min + 100] {
      let start = TimeBucket.start(of: time, width: 60)
      #expect(start <= time && time - start < 60 && start % 60 == 0)
    }
    #expect(TimeBucket.start(of: .min, width: 1_000) == .min, "the first bucket begins where time does")
  }
}
