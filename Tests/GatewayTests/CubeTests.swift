import Codecs
import Foundation
import Querying
import Records
import TestKit
import Testing

@testable import APIs
@testable import HTTP
@testable import Routing

/// Cube's queries: dates in words, and what is refused.
@Suite struct CubeTests {
  /// Friday, 2026-11-20T10:30:00Z.
  static let now: Int64 = 1_795_170_600_000_000_000

  static func range(_ json: String, offset: Int = 0) throws -> String? {
    DateRange(try JSONTree(parsing: Array(json.utf8)), now: now, zone: UTCOffsets(always: offset)).map {
      RFC3339.string($0.start) + " " + ($0.end.map { RFC3339.string($0) } ?? "on")
    }
  }

  @Test(
    arguments: [
      (#""today""#, "2026-11-20T00:00:00Z 2026-11-21T00:00:00Z"),
      (#""yesterday""#, "2026-11-19T00:00:00Z 2026-11-20T00:00:00Z"),
      (#""Last 30 days""#, "2026-10-21T00:00:00Z 2026-11-20T00:00:00Z"),
      (#""last week""#, "2026-11-09T00:00:00Z 2026-11-16T00:00:00Z"),
      (#""this week""#, "2026-11-16T00:00:00Z 2026-11-23T00:00:00Z"),
      (#""this month""#, "2026-11-01T00:00:00Z 2026-12-01T00:00:00Z"),
      (#""last 3 months""#, "2026-08-01T00:00:00Z 2026-11-01T00:00:00Z"),
      (#""next quarter""#, "2027-01-01T00:00:00Z 2027-04-01T00:00:00Z"),
      (#""last year""#, "2025-01-01T00:00:00Z 2026-01-01T00:00:00Z"),
      (#""last 2 hours""#, "2026-11-20T08:00:00Z 2026-11-20T10:00:00Z"),
      (#""from 7 days ago to now""#, "2026-11-13T00:00:00Z 2026-11-20T10:30:00Z"),
      (#""2025-06-26""#, "2025-06-26T00:00:00Z 2025-06-27T00:00:00Z"),
      (#"["2025-06-01","2025-06-30"]"#, "2025-06-01T00:00:00Z 2025-07-01T00:00:00Z"),
      (
        #"["2025-06-01T12:00:00.000","2025-06-01T12:59:59.999"]"#, "2025-06-01T12:00:00Z 2025-06-01T13:00:00Z"
      ),
      (#"["2025-06-01T12:00:00","2025-06-01"]"#, "2025-06-01T12:00:00Z 2025-06-02T00:00:00Z"),
      (#""2262-04-11""#, "2262-04-11T00:00:00Z on"),
      (#"["1677-09-21T00:12:43.145","2262-04-11T23:47:16.854"]"#, "1677-09-21T00:12:43.145224192Z on"),
      (#""sometime""#, nil), (#""last 0 days""#, nil), (#""last -3 days""#, nil), (#"["x","y"]"#, nil),
      ("3", nil),
      ("[]", nil), (#""last 99999999999 days""#, nil),
    ] as [(String, String?)])
  func dateRanges(json: String, expected: String?) throws {
    #expect(try CubeTests.range(json) == expected, "\(json)")
  }

  @Test func offsetsShiftDays() throws {
    #expect(try CubeTests.range(#""today""#, offset: 7200) == "2026-11-19T22:00:00Z 2026-11-20T22:00:00Z")
    #expect(try CubeTests.range(#""today""#, offset: -39_600) == "2026-11-19T11:00:00Z 2026-11-20T11:00:00Z")
    #expect(
      try CubeTests.range(#""2025-06-26""#, offset: 3600) == "2025-06-25T23:00:00Z 2025-06-26T23:00:00Z")
  }

  @Test func datesAndDaysAgree() {
    for day in stride(from: -800_000, through: 800_000, by: 37) {
      let date = CivilDate(days: day)
      #expect(date.days == day)
      #expect((1...12).contains(date.month) && (1...31).contains(date.day))
    }
    #expect(CivilDate(days: 11_016) == CivilDate(year: 2000, month: 2, day: 29))
    #expect(CivilDate.first(ofMonth: 0, in: 2026) == CivilDate(year: 2025, month: 12, day: 1))
    #expect(CivilDate.first(ofMonth: -11, in: 2026) == CivilDate(year: 2025, month: 1, day: 1))
  }

  @Test(
    arguments: [
      "3", "{}", #"{"measures":["count"]}"#, #"{"measures":["logs.nope"]}"#,
      #"{"measures":["workflows.count"]}"#,
      #"{"measures":"logs.count"}"#, #"{"measures":["logs.count"],"dimensions":["logs.timestamp"]}"#,
      #"{"measures":["logs.count"],"limit":0}"#, #"{"measures":["logs.count"],"limit":50001}"#,
      #"{"measures":["logs.count"],"order":["logs.count"]}"#,
      #"{"measures":["logs.count"],"order":{"logs.count":"up"}}"#,
      #"{"measures":["logs.count"],"timezone":"Mars/Olympus"}"#,
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.severity"}]}"#,
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","granularity":"decade"}]}"#,
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","dateRange":"soon"}]}"#,
      #"{"measures":["logs.count"],"filters":[{"member":"logs.severity","operator":"like","values":["x"]}]}"#,
      #"{"measures":["logs.count"],"filters":[{"member":"logs.severity","operator":"equals"}]}"#,
      #"{"measures":["logs.count"],"filters":[{"member":"logs.password","operator":"set"}]}"#,
      #"{"measures":["logs.count"],"filters":{}}"#,
      #"{"measures":["logs.count"],"timeDimensions":{}}"#,
      #"{"measures":["logs.count"],"timeDimensions":[3]}"#,
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","dateRange":["2025-06-02","2025-06-01"]}]}"#,
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","dateRange":[]}]}"#,
      #"{"measures":["logs.count"],"filters":[{"member":"logs.timestamp","operator":"inDateRange","values":["2025-06-02","2025-06-01"]}]}"#,
      #"{"timeDimensions":[{"dimension":"logs.timestamp","dateRange":"today"}]}"#,
      #"{"measures":["logs.count"],"order":{"logs.cuont":"asc"}}"#,
      #"{"measures":["logs.count"],"order":[["logs.timestamp.decade","asc"]]}"#,
      #"{"measures":["logs.count"],"segments":["logs.mine"]}"#,
      #"{"measures":["logs.count"],"segments":"x"}"#,
      #"{"measures":["logs.count"],"ungrouped":true}"#, #"{"measures":["logs.count"],"total":"yes"}"#,
      #"{"measures":["logs.count"],"filters":[{"and":[],"or":[]}]}"#,
      #"{"measures":["logs.count"],"filters":[{"and":[],"member":"logs.action","operator":"set"}]}"#,
      #"{"measures":["logs.count"],"filters":[{"member":"logs.a","dimension":"logs.b","operator":"set"}]}"#,
      #"{"measures":["logs.count"],"filters":["logs.action"]}"#,
    ])
  func wrongQueriesAreRefused(json: String) throws {
    let tree = try JSONTree(parsing: Array(json.utf8))
    let problem = #expect(throws: Problem.self) { try CubeQuery(tree, cube: .audit, now: CubeTests.now) }
    #expect(problem?.status == 400)
  }

  @Test(arguments: [
    (#"{"measures":["logs.count"],"filter":[]}"#, #"did you mean "filters"?"#),
    (#"{"mesures":["logs.count"]}"#, #"did you mean "measures"?"#),
    (
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","daterange":"today"}]}"#,
      "dateRange"
    ),
    (#"{"measures":["logs.count"],"timeDimension":[]}"#, "timeDimensions"),
    (
      #"{"measures":["logs.count"],"filters":[{"member":"logs.action","operator":"equals","value":["a"]}]}"#,
      "values"
    ),
    (
      #"{"measures":["logs.count"],"filters":[{"or":[{"membre":"logs.action","operator":"set"}]}]}"#, "member"
    ),
  ])
  func slipsAreNamed(json: String, meant: String) throws {
    let tree = try JSONTree(parsing: Array(json.utf8))
    let problem = #expect(throws: Problem.self) { try CubeQuery(tree, cube: .audit, now: CubeTests.now) }
    #expect(problem?.status == 400 && problem?.detail.contains(meant) == true, "\(problem?.detail ?? "")")
  }

  @Test func whatIsTheClientsMatterIsLetIn() throws {
    for member in [
      #""pivotConfig":{}"#, #""renewQuery":true"#, #""responseFormat":"compact""#, #""queryType":"multi""#,
      #""castNumerics":true"#, #""cache":"no-cache""#, #""segments":[]"#, #""ungrouped":false"#,
      #""order":[["logs.timestamp.day","asc"],["logs.count","desc"],["logs.metadata.a","asc"]]"#,
    ] {
      let tree = try JSONTree(parsing: Array(#"{"measures":["logs.count"],\#(member)}"#.utf8))
      _ = try CubeQuery(tree, cube: .audit, now: CubeTests.now)
    }
  }

  private func query(_ operation: String, valueCount: Int, memberCount: Int = 1) throws -> CubeQuery {
    let values = (0..<valueCount).map { "\"\($0)\"" }.joined(separator: ",")
    let filters = (0..<memberCount).map {
      #"{"member":"logs.metadata.m\#($0)","operator":"\#(operation)","values":[\#(values)]}"#
    }
    let json = #"{"measures":["logs.count"],"filters":[\#(filters.joined(separator: ","))]}"#
    return try CubeQuery(JSONTree(parsing: Array(json.utf8)), cube: .audit, now: CubeTests.now)
  }

  /// As in filters of our own: the cost of checking them is bounded by their number, not by the body's size.
  @Test func conditionsAreBounded() throws {
    _ = try query("contains", valueCount: 1_000)
    _ = try query("set", valueCount: 1, memberCount: 1_000)
    for refused in [("contains", 1_001, 1), ("set", 1, 1_001), ("startsWith", 600, 2), ("equals", 1, 1_001)] {
      let problem = #expect(throws: Problem.self) {
        try query(refused.0, valueCount: refused.1, memberCount: refused.2)
      }
      #expect(problem?.status == 400)
    }
  }

  /// Values to be equal to are one list, however many.
  @Test func manyValuesAreOneCondition() throws {
    for operation in ["equals", "notEquals"] {
      let request = try query(operation, valueCount: 20_000).request(filter: .all)
      #expect("\(request.predicate)".contains("isIn"))
      _ = try PreparedQuery(request)
    }
  }
}
