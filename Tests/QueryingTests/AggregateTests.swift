import Codecs
import Matching
import Platform
import Records
import Testing

@testable import Querying

/// Measures over groups, against a model.
struct AggregateTests {
  typealias Filter = Records.Predicate

  static let tenant = QueryEngineTests.tenant
  static let milliseconds = ColumnPath("metadata", members: ["ms"])
  static let kind = ColumnPath("metadata", members: ["kind"])
  static let user = ColumnPath("metadata", members: ["user", "name"])

  /// Filters as the engine has them, and as the model understands them.
  static let filters: [(Filter, @Sendable (MemorySource.Row) -> Bool)] = [
    (.all, { _ in true }),
    (.compare(ColumnPath("level"), .equal, .string("ERROR")), { $0.level == "ERROR" }),
    (.not(.exists(ColumnPath("level"))), { $0.level == nil }),
    (
      .compare(milliseconds, .greater, .int64(50)),
      {
        if case .number(let value) = AggregateModel.value(milliseconds, $0) { return value > 50 }
        return false
      }
    ),
    (
      .and([
        .compare(user, .equal, .string("a\"b")), .or([.exists(kind), .exists(ColumnPath("service"))]),
      ]),
      {
        AggregateModel.value(user, $0) == .text("a\"b")
          && (AggregateModel.value(kind, $0) != .null || $0.service != nil)
      }
    ),
    (
      .contains(ColumnPath("metadata"), needle: "lon", ignoreCase: false),
      { $0.metadata?.contains("long") ?? false }
    ),
    (.none, { _ in false }),
  ]

  static func passes(_ predicate: Filter, _ row: MemorySource.Row) -> Bool {
    filters.first { $0.0 == predicate }?.1(row) ?? false
  }

  /// Rows of three years around `middle`, every few of them without this or that.
  static func rows(_ count: Int, middle: Int64, using generator: inout SplitMix) -> [MemorySource.Row] {
    let year: Int64 = 31_556_952_000_000_000
    let times = (0..<20).map { _ in Int64.random(in: middle - year...middle + year, using: &generator) }
    return (0..<count).map { index in
      var members: [String] = []
      switch Int.random(in: 0..<6, using: &generator) {
      case 0: break
      case 1: members.append("\"ms\":null")
      case 2: members.append("\"ms\":\"slow\"")
      case 3: members.append("\"ms\":\(Double.random(in: -9...99, using: &generator))")
      default: members.append("\"ms\":\(Int.random(in: -9...99, using: &generator))")
      }
      if Bool.random(using: &generator) {
        members.append(
          "\"kind\":" + (["\"long\"", "\"\"", "7", "true"].randomElement(using: &generator) ?? ""))
      }
      if Bool.random(using: &generator) { members.append("\"user\":{\"name\":\"a\\\"b\"}") }
      return MemorySource.Row(
        position: Int64(index), timestamp: times[Int.random(in: 0..<20, using: &generator)],
        level: ["INFO", "ERROR", nil].randomElement(using: &generator) ?? nil, message: "row \(index % 13)",
        service: ["api", "db", "", nil].randomElement(using: &generator) ?? nil,
        metadata: members.isEmpty ? nil : "{\(members.joined(separator: ","))}")
    }
  }

  static func engine(
    _ rows: [MemorySource.Row], unitCount: Int, budget: MemoryBudget = MemoryBudget(bytesMax: 64 << 20),
    using generator: inout SplitMix
  ) -> QueryEngine {
    var units: [[MemorySource.Row]] = Array(repeating: [], count: unitCount)
    for row in rows { units[Int.random(in: 0..<unitCount, using: &generator)].append(row) }
    return QueryEngine(source: MemorySource(units: units), workers: WorkerPool(threads: 3), budget: budget)
  }

  static func answer(_ engine: QueryEngine, _ request: QueryRequest) async throws -> [[Cell]] {
    let answer = try await engine.run(request, for: tenant)
    let batch = try #require(try await answer.next())
    #expect(try await answer.next() == nil)
    #expect(batch.fields == answer.fields)
    return Cell.rows(batch)
  }

  static func measures(using generator: inout SplitMix) -> [Measure] {
    let position = ColumnPath("position")
    let time = ColumnPath("timestamp")
    let functions: [Measure.Function] = [
      .count, .countValues(ColumnPath("level")), .countValues(milliseconds), .countValues(user),
      .countDistinct(ColumnPath("service")), .countDistinct(kind), .countDistinct(time),
      .countDistinct(position), .sum(milliseconds), .avg(milliseconds), .sum(position), .avg(position),
      .min(milliseconds), .max(milliseconds), .min(time), .max(time), .min(ColumnPath("message")),
      .max(ColumnPath("service")), .max(position), .quantile(milliseconds, 0.95), .quantile(milliseconds, 0),
      .quantile(milliseconds, 1), .quantile(position, 0.5),
    ]
    return (0..<Int.random(in: 1...6, using: &generator)).map { index in
      Measure(
        functions.randomElement(using: &generator) ?? .count,
        where: Bool.random(using: &generator) ? .all : filters.randomElement(using: &generator)?.0 ?? .all,
        as: "m\(index)")
    }
  }

  @Test(arguments: 0..<60)
  func answersAgreeWithTheModel(seed: Int) async throws {
    var generator = SplitMix(state: UInt64(seed) &* 7919)
    // Around 1969, so that times before 1970 are among them, or 2026.
    let middle: Int64 = seed.isMultiple(of: 2) ? -20_000_000_000_000_000 : 1_795_000_000_000_000_000
    let rows = AggregateTests.rows(seed % 5 == 4 ? 0 : 250, middle: middle, using: &generator)
    let budget = MemoryBudget(bytesMax: 64 << 20)
    let engine = AggregateTests.engine(rows, unitCount: 1 + seed % 7, budget: budget, using: &generator)
    let paths = [ColumnPath("level"), ColumnPath("service"), AggregateTests.kind, AggregateTests.user]
    let offset = [0, 3_600, -5 * 3_600, 20_700, 1].randomElement(using: &generator) ?? 0
    let buckets: [TimeBucket?] =
      [nil, nil, .fixed(nanoseconds: 7_000_000_000_000_001)]
      + TimeBucket.Unit.ofCalendar.map { .calendar($0, utcOffsetSeconds: offset) }
    let measures =
      seed % 6 == 0 ? [Measure(.count, as: "m0")] : AggregateTests.measures(using: &generator)
    let query = AggregateQuery(
      groupBy: Array(paths.shuffled(using: &generator).prefix(Int.random(in: 0...3, using: &generator))),
      bucket: buckets.randomElement(using: &generator) ?? nil, measures: measures,
      orderBy: Bool.random(using: &generator) ? measures.last?.name : nil,
      offset: seed % 3 == 0 ? Int.random(in: 0...5, using: &generator) : 0)
    let request = QueryRequest(
      dataset: .logs, predicate: AggregateTests.filters[seed % AggregateTests.filters.count].0,
      answer: .aggregates(query), limit: seed % 4 == 0 ? 3 : 1_000_000,
      isDescending: Bool.random(using: &generator))
    let found = try await AggregateTests.answer(engine, request)
    let expected = AggregateModel(rows: rows).answer(
      query, where: request.predicate, limit: request.limit, isDescending: request.isDescending,
      passes: AggregateTests.passes)
    #expect(found.count == expected.count, "seed \(seed)")
    for (row, (left, right)) in zip(found, expected).enumerated() {
      #expect(zip(left, right).allSatisfy { $0.isNear($1) }, "seed \(seed) row \(row): \(left) \(right)")
    }
    #expect(budget.bytesUsed == 0, "memory is given back")
  }

  @Test func nothingHasNoSumButACount() async throws {
    var generator = SplitMix(state: 1)
    let engine = AggregateTests.engine([], unitCount: 1, using: &generator)
    let path = AggregateTests.milliseconds
    let functions: [Measure.Function] = [
      .count, .countValues(path), .countDistinct(path), .sum(path), .avg(path), .min(path), .max(path),
      .quantile(path, 0.5), .max(ColumnPath("timestamp")), .min(ColumnPath("level")),
      .sum(ColumnPath("position")),
    ]
    let total = AggregateQuery(measures: functions.map { Measure($0) })
    let request = QueryRequest(dataset: .logs, answer: .aggregates(total))
    #expect(
      try await AggregateTests.answer(engine, request) == [
        [.int(0), .int(0), .int(0), .null, .null, .null, .null, .null, .null, .null, .null]
      ])
    var grouped = total
    grouped.groupBy = [ColumnPath("level")]
    let groups = QueryRequest(dataset: .logs, answer: .aggregates(grouped))
    #expect(try await AggregateTests.answer(engine, groups).isEmpty)
  }

  @Test func integersSumInInt64OrAreAnError() async throws {
    let rows = [0, 1].map {
      MemorySource.Row(position: .max - 1, timestamp: $0, level: $0 == 0 ? "a" : "b", message: "m")
    }
    var generator = SplitMix(state: 1)
    let engine = AggregateTests.engine(rows, unitCount: 2, using: &generator)
    let position = ColumnPath("position")
    let sum = AggregateQuery(measures: [Measure(.sum(position))])
    await #expect(throws: StoreError.invalid("sum: a sum is beyond int64")) {
      try await AggregateTests.answer(engine, QueryRequest(dataset: .logs, answer: .aggregates(sum)))
    }
    let other = AggregateQuery(
      groupBy: [ColumnPath("level")], measures: [Measure(.sum(position)), Measure(.avg(position))])
    let mean = Cell.number(Double(Int64.max - 1))
    #expect(
      try await AggregateTests.answer(
        engine, QueryRequest(dataset: .logs, answer: .aggregates(other), isDescending: false))
        == [[.text("a"), .int(.max - 1), mean], [.text("b"), .int(.max - 1), mean]])
  }

  @Test func sumsBeyondFloat64AreAnErrorAndSmallPartsAreNotLost() async throws {
    func sum(_ values: [String]) async throws -> [[Cell]] {
      let rows = values.enumerated().map {
        MemorySource.Row(
          position: Int64($0.offset), timestamp: 0, level: nil, message: "m",
          metadata: "{\"ms\":\($0.element)}")
      }
      var generator = SplitMix(state: 1)
      let engine = AggregateTests.engine(rows, unitCount: 2, using: &generator)
      let query = AggregateQuery(measures: [Measure(.sum(AggregateTests.milliseconds))])
      return try await AggregateTests.answer(engine, QueryRequest(dataset: .logs, answer: .aggregates(query)))
    }
    await #expect(throws: StoreError.invalid("sum: the sum is beyond float64")) {
      try await sum(["1e308", "1e308", "1e308"])
    }
    #expect(try await sum(["1e16", "1", "1", "1", "-1e16"]) == [[.number(3)]])
  }

  @Test func memoryHasABound() async throws {
    var generator = SplitMix(state: 9)
    let rows = AggregateTests.rows(400, middle: 0, using: &generator)
    let budget = MemoryBudget(bytesMax: 12_000)
    let engine = AggregateTests.engine(rows, unitCount: 3, budget: budget, using: &generator)
    let query = AggregateQuery(
      groupBy: [ColumnPath("message"), ColumnPath("level")],
      measures: [Measure(.quantile(AggregateTests.milliseconds, 0.5))])
    let request = QueryRequest(dataset: .logs, answer: .aggregates(query))
    await #expect {
      try await AggregateTests.answer(engine, request)
    } throws: { error in
      if case .memoryExhausted? = error as? StoreError { true } else { false }
    }
    #expect(budget.bytesUsed == 0, "memory is given back")
  }

  @Test func plansPrintAsTrees() async throws {
    var generator = SplitMix(state: 5)
    let engine = AggregateTests.engine(
      AggregateTests.rows(50, middle: 0, using: &generator), unitCount: 1, using: &generator)
    func plan(_ json: String) async throws -> String {
      try await engine.explain(QueryRequest(json: Array(json.utf8)), for: AggregateTests.tenant)
    }
    #expect(
      try await plan(
        """
        {"dataset":"logs","group_by":["level"],"bucket":"month","utc_offset_seconds":3600,"limit":3,"offset":2,
         "measures":["count",{"quantile":["metadata.ms",0.95],"as":"p95"},
           {"count":{"where":{"eq":["level","ERROR"]}},"as":"errors"}],"order_by":"p95"}
        """) == """
          limit 3
            offset 2
              order by p95 descending
                aggregate count; p95: quantile(metadata.ms, 0.95); errors: count where level = "ERROR" by bucket of a month at UTC+3600 s, level
                  filter all
                    scan logs: 1 units, at most 50 rows
          """)
    #expect(
      try await plan("{\"dataset\":\"logs\",\"measures\":[{\"sum\":\"metadata.ms\"}]}") == """
        order by group ascending
          aggregate sum(metadata.ms)
            filter all
              scan logs: 1 units, at most 50 rows
        """)
  }
}
