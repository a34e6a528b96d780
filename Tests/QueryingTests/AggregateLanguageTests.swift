import Records
import Testing

@testable import Querying

/// The JSON form of aggregates.
struct AggregateLanguageTests {
  static func answer(_ members: String) throws -> QueryRequest.Answer {
    try QueryRequest(json: Array("{\"dataset\":\"audit\",\(members)}".utf8)).answer
  }

  @Test func everyMeasureIsRead() throws {
    let bytes = ColumnPath("metadata", members: ["bytes"])
    let error = Records.Predicate.compare(ColumnPath("severity"), .equal, .string("ERROR"))
    let found = try AggregateLanguageTests.answer(
      """
      "measures":["count",{"count":"user_id"},{"count":{},"as":"rows"},{"count":true,"as":"all"},
       {"sum":"metadata.bytes"},{"avg":"metadata.bytes"},{"min":"timestamp"},{"max":"user_id"},
       {"quantile":["metadata.bytes",0.95]},{"quantile":["metadata.bytes",1],"as":"most"},
       {"count_distinct":"user_id"},{"count":{"where":{"eq":["severity","ERROR"]}},"as":"errors"},
       {"sum":"metadata.bytes","where":{"eq":["severity","ERROR"]},"as":"lost"}],
      "group_by":["action","metadata.kind"],"bucket":"week","utc_offset_seconds":-3600,"order_by":"errors","offset":7
      """)
    let measures = [
      Measure(.count), Measure(.countValues(ColumnPath("user_id"))), Measure(.count, as: "rows"),
      Measure(.count, as: "all"), Measure(.sum(bytes)), Measure(.avg(bytes)),
      Measure(.min(ColumnPath("timestamp"))), Measure(.max(ColumnPath("user_id"))),
      Measure(.quantile(bytes, 0.95)), Measure(.quantile(bytes, 1), as: "most"),
      Measure(.countDistinct(ColumnPath("user_id"))), Measure(.count, where: error, as: "errors"),
      Measure(.sum(bytes), where: error, as: "lost"),
    ]
    let expected = AggregateQuery(
      groupBy: [ColumnPath("action"), ColumnPath("metadata", members: ["kind"])],
      bucket: .calendar(.week, utcOffsetSeconds: -3_600), measures: measures, orderBy: "errors", offset: 7)
    #expect(found == .aggregates(expected))
    #expect(
      measures.map(\.name) == [
        "count", "count(user_id)", "rows", "all", "sum(metadata.bytes)", "avg(metadata.bytes)",
        "min(timestamp)", "max(user_id)", "quantile(metadata.bytes, 0.95)", "most", "count_distinct(user_id)",
        "errors", "lost",
      ])
    let request = QueryRequest(dataset: .audit, answer: found)
    #expect(
      try request.fields().map(\.type) == [
        .timestamp, .utf8, .utf8, .int64, .int64, .int64, .int64, .float64, .float64, .timestamp, .utf8,
        .float64, .float64, .int64, .int64, .float64,
      ])
  }

  @Test(arguments: [
    "\"measures\":[\"count\"]", "\"count\":true", "\"group_by\":[\"action\"]", "\"bucket\":\"1d\"",
    "\"group_by\":[\"action\"],\"measures\":[\"count\"],\"order_by\":\"count\",\"offset\":0",
  ])
  func plainCountsStayGroupedCounts(members: String) throws {
    guard case .groups = try AggregateLanguageTests.answer(members) else {
      Issue.record("a grouped count")
      return
    }
  }

  @Test func theMostComeFirstWhereAnOrderIsAskedFor() throws {
    func request(_ members: String) throws -> QueryRequest {
      try QueryRequest(json: Array("{\"dataset\":\"audit\",\(members)}".utf8))
    }
    #expect(
      try request("\"measures\":[{\"max\":\"timestamp\",\"as\":\"m\"}],\"order_by\":\"m\"").isDescending)
    #expect(try !request("\"measures\":[{\"max\":\"timestamp\",\"as\":\"m\"}]").isDescending)
    #expect(
      try !request("\"measures\":[{\"max\":\"timestamp\",\"as\":\"m\"}],\"order_by\":\"m\",\"order\":\"asc\"")
        .isDescending)
    #expect(try request("\"measures\":[\"count\"],\"group_by\":[\"action\"]").limit == QueryRequest.limitMax)
  }

  @Test(arguments: [
    ("\"measures\":[]", "measures: "), ("\"measures\":\"count\"", "measures: "),
    ("\"measures\":null", "measures: "),
    ("\"measures\":[\"sum\"]", "measures[0]: "), ("\"measures\":[\"count\",7]", "measures[1]: "),
    ("\"measures\":[{}]", "measures[0]: "), ("\"measures\":[{\"as\":\"x\"}]", "measures[0]: "),
    ("\"measures\":[{\"sum\":1}]", "measures[0].sum: "),
    ("\"measures\":[{\"sum\":\"\"}]", "measures[0].sum: "),
    ("\"measures\":[{\"median\":\"metadata.x\"}]", "measures[0]: "),
    ("\"measures\":[{\"sum\":\"metadata.x\",\"avg\":\"metadata.x\"}]", "measures[0]: "),
    ("\"measures\":[{\"sum\":\"metadata.x\",\"as\":\"\"}]", "measures[0].as: "),
    ("\"measures\":[{\"sum\":\"metadata.x\",\"as\":1}]", "measures[0].as: "),
    ("\"measures\":[{\"quantile\":\"metadata.x\"}]", "measures[0].quantile: "),
    ("\"measures\":[{\"quantile\":[\"metadata.x\",2]}]", "measures[0].quantile: "),
    ("\"measures\":[{\"quantile\":[\"metadata.x\",-0.5]}]", "measures[0].quantile: "),
    ("\"measures\":[{\"quantile\":[\"metadata.x\",\"p95\"]}]", "measures[0].quantile: "),
    ("\"measures\":[{\"quantile\":[1,0.5]}]", "measures[0].quantile: "),
    ("\"measures\":[{\"count\":false}]", "measures[0].count: "),
    ("\"measures\":[{\"count\":{\"of\":1}}]", "measures[0].count: "),
    ("\"measures\":[{\"count\":{\"where\":{\"x\":[]}}}]", "measures[0].where"),
    ("\"measures\":[{\"count\":{\"where\":{\"and\":[]}},\"where\":{\"and\":[]}}]", "measures[0].where: "),
    ("\"measures\":[\"count\",\"count\"]", "measures: "),
    ("\"measures\":[\"count\"],\"order_by\":\"sum\"", "order_by: "),
    ("\"measures\":[\"count\"],\"order_by\":1", "order_by: "),
    ("\"measures\":[\"count\"],\"offset\":-1", "offset: "),
    ("\"measures\":[\"count\"],\"offset\":1.5", "offset: "),
    ("\"offset\":1", "offset: "), ("\"utc_offset_seconds\":1", "utc_offset_seconds: "),
    ("\"bucket\":\"fortnight\"", "bucket: "), ("\"bucket\":7", "bucket: "),
    ("\"bucket\":\"1d\",\"utc_offset_seconds\":3600", "utc_offset_seconds: "),
    ("\"measures\":[\"count\"],\"utc_offset_seconds\":3600", "utc_offset_seconds: "),
    ("\"bucket\":\"day\",\"utc_offset_seconds\":64801", "utc_offset_seconds: "),
    ("\"bucket\":\"day\",\"utc_offset_seconds\":-9223372036854775808", "utc_offset_seconds: "),
    ("\"bucket\":\"day\",\"utc_offset_seconds\":\"+01:00\"", "utc_offset_seconds: "),
  ])
  func brokenRequestsNameTheirMember(members: String, place: String) {
    #expect {
      try AggregateLanguageTests.answer(members)
    } throws: { error in
      guard case .invalid(let reason)? = error as? StoreError else { return false }
      return reason.hasPrefix(place)
    }
  }

  @Test(arguments: [
    ("{\"sum\":\"user_id\"}", "sum: "), ("{\"avg\":\"timestamp\"}", "avg: "),
    ("{\"quantile\":[\"timestamp\",0.5]}", "quantile: "), ("{\"min\":\"metadata\"}", "min: "),
    ("{\"max\":\"id\"}", "max: "), ("{\"count_distinct\":\"metadata\"}", "count_distinct: "),
    ("{\"sum\":\"nope\"}", "audit has no column"), ("{\"sum\":\"user_id.x\"}", "user_id is no object"),
    ("{\"max\":\"timestamp\",\"as\":\"action\"}", "measures: "),
  ])
  func measuresAreCheckedAgainstTheSchema(measure: String, place: String) throws {
    let answer = try AggregateLanguageTests.answer("\"group_by\":[\"action\"],\"measures\":[\(measure)]")
    #expect {
      try PreparedQuery(QueryRequest(dataset: .audit, answer: answer))
    } throws: { error in
      guard case .invalid(let reason)? = error as? StoreError else { return false }
      return reason.hasPrefix(place)
    }
  }

  @Test func filtersOfMeasuresAreChecked() throws {
    let broken = AggregateQuery(measures: [Measure(.count, where: .exists(ColumnPath("nope")))])
    #expect(throws: StoreError.self) {
      try PreparedQuery(QueryRequest(dataset: .audit, answer: .aggregates(broken)))
    }
    let none = AggregateQuery(measures: [])
    #expect(throws: StoreError.self) {
      try PreparedQuery(QueryRequest(dataset: .audit, answer: .aggregates(none)))
    }
  }
}
