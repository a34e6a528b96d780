import Codecs
import Foundation
import Querying
import Records
import TestKit
import Testing

@testable import APIs
@testable import HTTP
@testable import Routing

/// Ranges of dates and answers in zones whose clocks are set.
@Suite struct CubeZoneTests {
  /// One hour ahead, two from 2026-03-29T01:00Z to 2026-10-25T01:00Z.
  static let berlin = UTCOffsets(
    first: 3_600,
    changes: [.init(second: 1_774_746_000, offset: 7_200), .init(second: 1_792_890_000, offset: 3_600)])
  static let zones = TimeZones { $0 == "Europe/Berlin" ? berlin : nil }

  static func range(_ json: String, now: String = "2026-10-27T10:30:00Z") throws -> String? {
    let zone = try #require(berlin)
    let now = try #require(RFC3339.parse(now))
    return DateRange(try JSONTree(parsing: Array(json.utf8)), now: now, zone: zone).map {
      RFC3339.string($0.start) + " " + ($0.end.map { RFC3339.string($0) } ?? "on")
    }
  }

  @Test(
    arguments: [
      (#""today""#, "2026-10-26T23:00:00Z 2026-10-27T23:00:00Z"),
      (#""last 2 days""#, "2026-10-24T22:00:00Z 2026-10-26T23:00:00Z"),
      (#""this month""#, "2026-09-30T22:00:00Z 2026-10-31T23:00:00Z"),
      (#""this year""#, "2025-12-31T23:00:00Z 2026-12-31T23:00:00Z"),
      (#""last 7 months""#, "2026-02-28T23:00:00Z 2026-09-30T22:00:00Z"),
      (#""last 60 hours""#, "2026-10-24T22:00:00Z 2026-10-27T10:00:00Z"),
      (#""2026-10-25""#, "2026-10-24T22:00:00Z 2026-10-25T23:00:00Z"),
      (#"["2026-03-29","2026-03-29"]"#, "2026-03-28T23:00:00Z 2026-03-29T22:00:00Z"),
      // What comes twice is the first of both; what never comes is when the clock is set.
      (#"["2026-10-25T02:30:00","2026-10-25T03:00:00"]"#, "2026-10-25T00:30:00Z 2026-10-25T02:00:00.001Z"),
      (#"["2026-03-29T02:30:00.5","2026-03-29T03:00:00"]"#, "2026-03-29T01:00:00Z 2026-03-29T01:00:00.001Z"),
      (#"["2026-10-25T02:30:00+01:00","2026-10-26"]"#, "2026-10-25T01:30:00Z 2026-10-26T23:00:00Z"),
      (#"["1750000000","1750000000.5"]"#, "2025-06-15T15:06:40Z 2025-06-15T15:06:40.501Z"),
    ] as [(String, String?)])
  func rangesAreTheClocks(json: String, expected: String?) throws {
    #expect(try CubeZoneTests.range(json) == expected, "\(json)")
  }

  /// Words against days counted one by one on Foundation's clock.
  @Test(
    arguments: [
      "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "UTC",
      "Africa/Casablanca",
    ])
  func daysAreTheZones(name: String) throws {
    let zone = try #require(TimeZone(identifier: name))
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = zone
    calendar.firstWeekday = 2
    let start = Date(timeIntervalSince1970: 1_262_304_000)
    var changes: [UTCOffsets.Change] = []
    var last = start
    while let next = zone.nextDaylightSavingTimeTransition(after: last),
      next.timeIntervalSince1970 < 2_000_000_000
    {
      changes.append(.init(second: Int(next.timeIntervalSince1970), offset: zone.secondsFromGMT(for: next)))
      last = next
    }
    let offsets = try #require(UTCOffsets(first: zone.secondsFromGMT(for: start), changes: changes))
    var generator = SeededGenerator(seed: 3)
    let units: [(Calendar.Component, String, Int)] = [
      (.day, "day", 1), (.weekOfYear, "week", 1), (.month, "month", 1), (.month, "quarter", 3),
      (.year, "year", 1),
    ]
    for _ in 0..<300 {
      let near = changes.randomElement(using: &generator)?.second ?? 1_600_000_000
      let now = max(near + Int.random(in: -9_000_000...9_000_000, using: &generator), 1_400_000_000)
      let date = Date(timeIntervalSince1970: Double(now))
      let (component, word, months) = units.randomElement(using: &generator) ?? units[0]
      let count = Int.random(in: 1...(word == "day" ? 400 : 12), using: &generator)
      let first = component == .month ? Calendar.Component.month : component
      var this = try #require(calendar.dateInterval(of: first, for: date)).start
      if word == "quarter" {
        let month = calendar.component(.month, from: date)
        this = try #require(calendar.date(byAdding: .month, value: -((month - 1) % 3), to: this))
      }
      let then = try #require(calendar.date(byAdding: component, value: -count * months, to: this))
      let found = DateRange(
        .string("last \(count) \(word)s"), now: Int64(now) * 1_000_000_000, zone: offsets)
      let ends = [then, this].map { Int64($0.timeIntervalSince1970) * 1_000_000_000 }
      let range = try #require(found)
      #expect([range.start, range.end] == ends, "\(name) \(date) last \(count) \(word)s")
    }
  }

  // MARK: Answers

  static func load(_ query: String, type: String? = nil) throws -> CubeLoad {
    try CubeLoad(
      JSONTree(parsing: Array(query.utf8)), type: type.map { .string($0) }, cube: .audit, now: CubeTests.now,
      zones: zones)
  }

  /// The answer, with a group for each of `keys` (local times) in each result.
  static func answer(_ load: CubeLoad, keys: [String]) throws -> JSONTree {
    var text = JSONWriter(capacity: 256)
    load.begin(&text)
    for query in load.queries {
      var answer = CubeAnswer(query)
      let starts = keys.compactMap { RFC3339.parse($0).map { $0 / 1_000_000_000 } }
      answer.add(
        RecordBatch(
          fields: [Field("bucket", .int64, isNullable: false), Field("m0", .int64, isNullable: false)],
          columns: [Column(int64: starts), Column(int64: starts.indices.map(Int64.init))],
          rowCount: starts.count))
      _ = answer.write(to: &text, now: CubeTests.now, label: load.label(of: query))
    }
    load.end(&text)
    return try JSONTree(parsing: text.takeBytes())
  }

  static func compared(_ ranges: String, more: String = "") -> String {
    #"""
    {"measures":["logs.count"],"timezone":"Europe/Berlin","timeDimensions":[
      {"dimension":"logs.timestamp","granularity":"month","compareDateRange":\#(ranges)}\#(more)]}
    """#
  }

  static func json(_ text: String) throws -> JSONTree { try JSONTree(parsing: Array(text.utf8)) }

  /// Texts that look the same are two, and in the order of their bytes.
  @Test func textsAreOrderedByTheirBytes() throws {
    let load = try CubeZoneTests.load(
      #"{"measures":["logs.count"],"dimensions":["logs.action"],"order":{"logs.action":"desc"},"limit":2}"#)
    var answer = CubeAnswer(try #require(load.queries.first))
    var builder = TextBuilder()
    for text in ["e\u{301}", "f", "\u{E9}"] { builder.appendRow(text) }
    answer.add(
      RecordBatch(
        fields: [Field("action", .utf8, isNullable: true), Field("m0", .int64, isNullable: false)],
        columns: [builder.finish(type: .utf8), Column(int64: [1, 2, 3])], rowCount: 3))
    var text = JSONWriter(capacity: 256)
    _ = answer.write(to: &text, now: CubeTests.now)
    let told = String(decoding: text.takeBytes(), as: UTF8.self)
    let places = ["\"logs.count\":\"3\"", "\"logs.count\":\"2\""].map { told.range(of: $0)?.lowerBound }
    #expect(places[0] != nil && places[1] != nil && !told.contains("\"logs.count\":\"1\""), "\(told)")
  }

  @Test func comparisonsHaveAResultForEachRange() throws {
    let query = CubeZoneTests.compared(#"[["2026-10-01","2026-10-31"],"last month"]"#)
    let load = try CubeZoneTests.load(query, type: "multi")
    let requests = load.queries.map { $0.request(filter: .all) }
    #expect(
      requests.map { $0.start.map(RFC3339.string) } == ["2026-09-30T22:00:00Z", "2026-09-30T22:00:00Z"])
    #expect(requests.map { $0.end.map(RFC3339.string) } == ["2026-10-31T23:00:00Z", "2026-10-31T23:00:00Z"])
    let answer = try CubeZoneTests.answer(load, keys: ["2026-10-01T00:00:00Z"])
    let row = #"""
      {"logs.timestamp.month":"2026-10-01T00:00:00.000","logs.timestamp":"2026-10-01T00:00:00.000",
       "logs.count":"0","compareDateRange":"2026-10-01T00:00:00.000 - 2026-10-31T23:59:59.999"}
      """#
    let asked = #"""
      {"measures":["logs.count"],"timezone":"Europe/Berlin","timeDimensions":[{"dimension":"logs.timestamp",
        "granularity":"month","dateRange":["2026-10-01T00:00:00.000","2026-10-31T23:59:59.999"]}],
       "dimensions":[],"filters":[]}
      """#
    #expect(answer["queryType"] == .string("compareDateRangeQuery"))
    #expect(answer["slowQuery"] == .bool(false))
    guard case .array(let results)? = answer["results"] else {
      Issue.record("results are a list")
      return
    }
    #expect(results.count == 2)
    for result in results {
      #expect(try result["data"] == CubeZoneTests.json("[\(row)]"))
      #expect(try result["query"] == CubeZoneTests.json(asked))
      #expect(result["annotation"]?["timeDimensions"]?["logs.timestamp.month"] != nil)
    }
    #expect(answer["pivotQuery"]?["dimensions"] == .array([.string("compareDateRange")]))
    #expect(answer["pivotQuery"]?["queryType"] == .string("compareDateRangeQuery"))
  }

  @Test func listsOfQueriesShareATime() throws {
    let query =
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","granularity":"day"}]}"#
    let answer = try CubeZoneTests.answer(
      CubeZoneTests.load("[\(query),\(query)]", type: "multi"), keys: ["2026-10-01T00:00:00Z"])
    #expect(answer["queryType"] == .string("blendingQuery"))
    guard case .array(let results)? = answer["results"], case .array(let rows)? = results.last?["data"] else {
      Issue.record("results are a list")
      return
    }
    #expect(results.count == 2 && rows.count == 1)
    #expect(rows.first?["time.day"] == .string("2026-10-01T00:00:00.000"))
    let pivot = #"""
      {"measures":["logs.count"],"dimensions":[],"timeDimensions":[{"dimension":"time","granularity":"day"}],
       "queryType":"blendingQuery"}
      """#
    #expect(try answer["pivotQuery"] == CubeZoneTests.json(pivot))
  }

  @Test func severalUnitsAreOneBucketAndAllInTheRow() throws {
    let query = #"""
      {"measures":["logs.count"],"timezone":"Europe/Berlin","order":[["logs.timestamp.month","desc"],["logs.timestamp","asc"]],
       "timeDimensions":[{"dimension":"logs.timestamp","granularity":"month","dateRange":["2026-01-01","2026-12-31"]},
         {"dimension":"logs.timestamp","granularity":"week"},{"dimension":"logs.timestamp","granularity":"week"},
         {"dimension":"logs.timestamp","dateRange":["2026-06-01","2027-06-01"]}]}
      """#
    let load = try CubeZoneTests.load(query)
    let request = load.queries[0].request(filter: .all)
    #expect(request.start.map(RFC3339.string) == "2026-05-31T22:00:00Z")
    #expect(request.end.map(RFC3339.string) == "2026-12-31T23:00:00Z")
    guard case .aggregates(let query) = request.answer, case .local(let bucket)? = query.bucket else {
      Issue.record("a local bucket")
      return
    }
    #expect(bucket.units == [.month, .week])
    #expect(
      bucket.offsets == UTCOffsets(first: 7_200, changes: [.init(second: 1_792_890_000, offset: 3_600)]))
    // The week of Monday, the 28th of September, in both months.
    let keys = ["2026-09-28T00:00:00Z", "2026-10-05T00:00:00Z", "2026-10-01T00:00:00Z"]
    let answer = try CubeZoneTests.answer(load, keys: keys)
    func row(_ month: String, _ week: String, _ count: Int) -> String {
      #"""
      {"logs.timestamp.month":"2026-\#(month)T00:00:00.000","logs.timestamp.week":"2026-\#(week)T00:00:00.000",
       "logs.timestamp":"2026-\#(week)T00:00:00.000","logs.count":"\#(count)"}
      """#
    }
    let rows = [row("10-01", "09-28", 2), row("10-01", "10-05", 1), row("09-01", "09-28", 0)]
    #expect(try answer["data"] == CubeZoneTests.json("[\(rows.joined(separator: ","))]"))
  }

  @Test func timesAmongDimensionsAreTimes() throws {
    let query = #"{"measures":["logs.count"],"dimensions":["logs.severity","logs.timestamp.day"]}"#
    let found = try CubeZoneTests.load(query).queries[0]
    #expect(found.units == [.day] && found.dimensions.map(\.name) == ["severity"])
    #expect(found.tree["dimensions"] == .array([.string("logs.severity")]))
  }

  @Test func rangesApartHaveNoRows() throws {
    let query = #"""
      {"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","dateRange":"2026-01-01"},
        {"dimension":"logs.timestamp","dateRange":"2025-01-01"}]}
      """#
    let request = try CubeZoneTests.load(query).queries[0].request(filter: .all)
    #expect(request.start == request.end && request.start != nil)
  }

  @Test func ordinaryQueriesCanHaveListsToo() throws {
    let query =
      #"{"measures":["logs.count"],"timeDimensions":[{"dimension":"logs.timestamp","granularity":"day","compareDateRange":null}]}"#
    #expect(try CubeZoneTests.answer(CubeZoneTests.load(query), keys: [])["data"] == .array([]))
    let answer = try CubeZoneTests.answer(CubeZoneTests.load(query, type: "multi"), keys: [])
    #expect(answer["queryType"] == .string("regularQuery"))
    #expect(answer["pivotQuery"]?["queryType"] == .string("regularQuery"))
  }

  @Test(
    arguments: [
      (compared("[]"), "multi"), (compared("3"), "multi"), (compared("{}"), "multi"),
      (compared(#"["today",3]"#), "multi"), (compared(#"["today","soon"]"#), "multi"),
      (compared(#"["today",["2026-02-01","2026-01-01"]]"#), "multi"), (compared(#"["today"]"#), nil),
      (compared(#"["today"]"#), "regularQuery"),
      (compared("[" + Array(repeating: #""today""#, count: 1_000).joined(separator: ",") + "]"), "multi"),
      (
        compared(#"["today"]"#, more: #",{"dimension":"logs.timestamp","compareDateRange":["today"]}"#),
        "multi"
      ),
      (compared(#"["today"],"dateRange":"today""#), "multi"),
      ("[]", "multi"), ("[3]", "multi"), (#"[{"measures":["logs.count"]}]"#, "multi"),
      (#"[{"measures":["logs.count"]}]"#, nil), (#"{"measures":["logs.count"]}"#, "many"),
      (#"{"measures":["logs.count"],"dimensions":["logs.timestamp.decade"]}"#, nil),
      (#"{"measures":["logs.count"],"timezone":"Europe/Nowhere"}"#, nil),
      (#"{"measures":["logs.count"],"timezone":"+25:00"}"#, nil),
      (#"{"measures":["logs.count"],"timezone":""}"#, nil),
    ] as [(String, String?)])
  func wrongLoadsAreRefused(query: String, type: String?) throws {
    let problem = #expect(throws: Problem.self, "\(query)") { try CubeZoneTests.load(query, type: type) }
    #expect(problem?.status == 400)
  }
}
