import Codecs
import Platform
import Records
import Synchronization
import Testing

@testable import Querying

/// Groups that there is no memory for, against a model that has all of them.
struct ManyGroupsTests {
  static let n = ColumnPath("metadata", members: ["n"])
  static let errors = Records.Predicate.compare(ColumnPath("level"), .equal, .string("ERROR"))

  /// How often groups come, and in which order.
  enum Shape: CaseIterable {
    /// The k-th with a share of 1/k.
    case skewed
    /// All about equally often.
    case uniform
    /// All once.
    case distinct
    /// Many that come once, then few that come often: what counters have forgotten by then.
    case heavyLast
    /// Few that come often, then many that come once.
    case heavyFirst
    /// Pairs of neighbours that come as often as each other.
    case twins
  }

  static func names(_ shape: Shape, _ count: Int, _ random: inout SplitMix) -> [Int] {
    func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
    return (0..<count).map { row in
      switch shape {
      case .skewed:
        var rank = 1
        while rank < 4_000, below(100) < 70 { rank = rank * 2 + below(2) }
        return rank
      case .uniform: return below(2_500)
      case .distinct: return row
      case .heavyLast: return row < count * 9 / 10 ? row : 10_000 + below(7)
      case .heavyFirst: return row < count / 10 ? below(7) : row
      case .twins: return row < count / 2 ? row / 2 : 10_000 + (row - count / 2) % 1_200 / 2
      }
    }
  }

  static func rows(_ shape: Shape, _ count: Int, _ random: inout SplitMix) -> [MemorySource.Row] {
    names(shape, count, &random).enumerated().map { row, name in
      let number = Int.random(in: -50...(name % 9 == 0 ? 900 : 200), using: &random)
      return MemorySource.Row(
        position: Int64(row), timestamp: Int64(row % 3) * 1_000_000_000,
        level: name % 13 == 0 ? nil : ["INFO", "ERROR"][Int.random(in: 0..<2, using: &random)],
        message: "a group of some length, number \(name)", service: name % 2 == 0 ? "even" : nil,
        metadata: row % 5 == 0 ? nil : "{\"n\":\(number)}")
    }
  }

  static func passes(_ predicate: Records.Predicate, _ row: MemorySource.Row) -> Bool {
    predicate == .all || row.level == "ERROR"
  }

  /// An engine whose queries' groups may hold so many bytes.
  static func engine(
    _ rows: [MemorySource.Row], groupBytes: Int, budget: MemoryBudget, _ random: inout SplitMix
  ) -> QueryEngine {
    var engine = AggregateTests.engine(rows, unitCount: 5, budget: budget, using: &random)
    engine.groupLimits.bytesMax = groupBytes
    return engine
  }

  static func answer(
    _ engine: QueryEngine, _ request: QueryRequest
  ) async throws -> (rows: [[Cell]], approximation: Approximation?) {
    let answer = try await engine.run(request, for: AggregateTests.tenant)
    var rows: [[Cell]] = []
    while let batch = try await answer.next() { rows += Cell.rows(batch) }
    return (rows, answer.approximation)
  }

  /// What a query orders by, and which way; each is bounded by rows.
  static let orders: [(Measure.Function, Records.Predicate, isDescending: Bool)] = [
    (.count, .all, true), (.count, .all, true), (.count, .all, true), (.count, errors, true),
    (.countValues(n), .all, true), (.countDistinct(n), .all, true), (.sum(n), .all, true),
    (.sum(n), .all, false), (.sum(ColumnPath("position")), errors, true), (.avg(n), .all, true),
    (.avg(n), .all, false), (.max(n), .all, true), (.min(n), .all, false), (.max(n), errors, false),
    (.min(ColumnPath("timestamp")), .all, true), (.quantile(n, 0.9), .all, true),
    (.quantile(n, 0.1), .all, false),
  ]

  static func request(_ seed: Int) -> QueryRequest {
    let order = orders[seed % orders.count]
    let query = AggregateQuery(
      groupBy: [ColumnPath("message")] + (seed % 3 == 1 ? [ColumnPath("service")] : []),
      bucket: seed % 4 == 3 ? .fixed(nanoseconds: 1_000_000_000) : nil,
      measures: [
        Measure(order.0, where: order.1, as: "by"), Measure(.avg(n)), Measure(.quantile(n, 0.5)),
        Measure(.max(ColumnPath("position"))), Measure(.count),
      ], orderBy: "by")
    return QueryRequest(
      dataset: .logs, answer: .aggregates(query), limit: [1, 5, 20][seed % 3],
      isDescending: order.isDescending)
  }

  static func isBeyond(_ cell: Cell, _ bound: Double?, isDescending: Bool) -> Bool {
    let value: Double
    switch cell {
    case .null, .text: return false
    case .int(let number): value = Double(number)
    case .number(let number): value = number
    }
    guard let bound else { return true }
    return isDescending ? value > bound : value < bound
  }

  /// What is said of a group is right, and whoever is beyond the bound stands where it belongs, at the front.
  static func check(
    _ found: [[Cell]], _ approximation: Approximation?, against all: [[Cell]], _ request: QueryRequest,
    _ place: String
  ) {
    guard case .aggregates(let query) = request.answer else { return }
    let by = query.groupBy.count + (query.bucket == nil ? 0 : 1)
    let expected = Array(all.prefix(request.limit))
    #expect(found.count == expected.count, "\(place)")
    let known = Dictionary(uniqueKeysWithValues: all.map { (Array($0.prefix(by)), $0) })
    for (row, (left, right)) in zip(found, expected).enumerated() {
      let isSure =
        approximation.map { isBeyond(right[by], $0.errorBound, isDescending: request.isDescending) } ?? true
      if isSure {
        #expect(zip(left, right).allSatisfy { $0.isNear($1) }, "\(place) row \(row): \(left) \(right)")
      }
      let own = known[Array(left.prefix(by))] ?? []
      #expect(
        own.count == left.count && zip(left, own).allSatisfy { $0.isNear($1) }, "\(place): \(left) \(own)")
    }
  }

  @Test(arguments: Shape.allCases, 0..<6)
  func theBoundHolds(shape: Shape, seed: Int) async throws {
    var random = SplitMix(state: UInt64(seed) &* 7919 &+ 1)
    let rows = ManyGroupsTests.rows(shape, 3_000, &random)
    let budget = MemoryBudget(bytesMax: 64 << 20)
    let engine = ManyGroupsTests.engine(rows, groupBytes: 200_000, budget: budget, &random)
    var request = ManyGroupsTests.request(seed)
    guard case .aggregates(let query) = request.answer else { return }
    let all = AggregateModel(rows: rows).answer(
      query, where: .all, limit: .max, isDescending: request.isDescending, passes: ManyGroupsTests.passes)
    let (found, approximation) = try await ManyGroupsTests.answer(engine, request)
    ManyGroupsTests.check(found, approximation, against: all, request, "\(shape) \(seed)")
    request.isExact = true
    await #expect {
      _ = try await ManyGroupsTests.answer(engine, request)
    } throws: { error in
      if case .memoryExhausted? = error as? StoreError { true } else { false }
    }
    #expect(budget.bytesUsed == 0, "memory is given back")
    // What fits is what it was.
    let (whole, none) = try await ManyGroupsTests.answer(
      ManyGroupsTests.engine(rows, groupBytes: 32 << 20, budget: budget, &random), request)
    #expect(none == nil)
    ManyGroupsTests.check(whole, nil, against: all, request, "\(shape) \(seed), exact")
  }

  @Test(arguments: [Shape.heavyLast, .heavyFirst]) func fewFrequentGroupsAreProvedRight(shape: Shape)
    async throws
  {
    var random = SplitMix(state: 3)
    let rows = ManyGroupsTests.rows(shape, 6_000, &random)
    let engine = ManyGroupsTests.engine(
      rows, groupBytes: 300_000, budget: MemoryBudget(bytesMax: 64 << 20), &random)
    var request = QueryRequest(
      dataset: .logs,
      answer: .groups(
        QueryRequest.GroupedCount(groupBy: [ColumnPath("message")], isOrderedByCount: true)), limit: 7)
    let proved = try await ManyGroupsTests.answer(engine, request)
    #expect(proved.approximation == nil && proved.rows.count == 7)
    request.limit = 20
    let (found, approximation) = try await ManyGroupsTests.answer(engine, request)
    #expect(found.count == 20 && Array(found.prefix(7)) == proved.rows)
    let bound = try #require(approximation?.errorBound)
    #expect(bound >= 1 && bound < 60, "of the others each comes once: \(bound)")
    // Of the same rows it is the same, whoever read which of them.
    for _ in 0..<4 {
      let again = try await ManyGroupsTests.answer(
        ManyGroupsTests.engine(
          rows, groupBytes: 300_000, budget: MemoryBudget(bytesMax: 64 << 20), &random), request)
      #expect(again.rows == found)
      #expect(again.approximation == approximation)
    }
  }

  @Test(arguments: 0..<10) func theFirstByValueAreExactHoweverManyThereAre(seed: Int) async throws {
    var random = SplitMix(state: UInt64(seed))
    let shape = Shape.allCases[seed % Shape.allCases.count]
    let rows = ManyGroupsTests.rows(shape, 3_000, &random)
    let budget = MemoryBudget(bytesMax: 64 << 20)
    var engine = ManyGroupsTests.engine(rows, groupBytes: 240_000, budget: budget, &random)
    if seed % 2 == 0 { engine.groupLimits.pruneMin = 32 }
    let query = AggregateQuery(
      groupBy: [ColumnPath("message"), ColumnPath("level")],
      bucket: seed % 3 == 0 ? .fixed(nanoseconds: 1_000_000_000) : nil,
      measures: [
        Measure(.count), Measure(.sum(ManyGroupsTests.n)), Measure(.countDistinct(ManyGroupsTests.n)),
        Measure(.quantile(ManyGroupsTests.n, 0.5)), Measure(.min(ColumnPath("service"))),
        Measure(.max(ColumnPath("position"))), Measure(.sum(ColumnPath("position"))),
      ], offset: seed % 4)
    let request = QueryRequest(
      dataset: .logs, answer: .aggregates(query), limit: 9, isDescending: seed % 5 < 2)
    let all = AggregateModel(rows: rows).answer(
      query, where: .all, limit: 9, isDescending: request.isDescending, passes: ManyGroupsTests.passes)
    let (found, approximation) = try await ManyGroupsTests.answer(engine, request)
    #expect(approximation == nil && budget.bytesUsed == 0)
    #expect(found.count == all.count)
    for (left, right) in zip(found, all) {
      #expect(zip(left, right).allSatisfy { $0.isNear($1) }, "seed \(seed): \(left) \(right)")
    }
  }

  @Test func whatCannotBeToldIsRefused() async throws {
    var random = SplitMix(state: 5)
    let rows = ManyGroupsTests.rows(.distinct, 3_000, &random)
    let budget = MemoryBudget(bytesMax: 64 << 20)
    let engine = ManyGroupsTests.engine(rows, groupBytes: 120_000, budget: budget, &random)
    for json in [
      "\"group_by\":[\"message\"]", "\"group_by\":[\"message\"],\"order_by\":\"count\"",
      "\"group_by\":[\"message\"],\"order_by\":\"count\",\"order\":\"asc\",\"limit\":5",
      "\"group_by\":[\"message\"],\"order_by\":\"count\",\"limit\":5,\"exact\":true",
      "\"group_by\":[\"message\"],\"measures\":[{\"max\":\"service\"}],\"order_by\":\"max(service)\","
        + "\"limit\":5",
    ] {
      let request = try QueryRequest(json: Array("{\"dataset\":\"logs\",\(json)}".utf8))
      await #expect("\(json)") {
        _ = try await ManyGroupsTests.answer(engine, request)
      } throws: { error in
        if case .memoryExhausted(let reason)? = error as? StoreError {
          reason.contains("ask for fewer")
        } else {
          false
        }
      }
      #expect(budget.bytesUsed == 0, "memory is given back")
    }
    // Who wants nothing but whole answers has no guesses either.
    let request = try QueryRequest(
      json: Array("{\"dataset\":\"logs\",\"group_by\":[\"message\"],\"order_by\":\"count\",\"limit\":5}".utf8)
    )
    let marks = AnswerMarks(isStrict: false)
    _ = try await AnswerMarks.$current.withValue(marks) { try await ManyGroupsTests.answer(engine, request) }
    #expect(marks.approximations.count == 1)
    await #expect(throws: StoreError.self) {
      try await AnswerMarks.$current.withValue(AnswerMarks(isStrict: true)) {
        try await ManyGroupsTests.answer(engine, request)
      }
    }
  }

  /// In each pass, whichever worker sees it first.
  @Test(arguments: 1...11) func whatTakesTooLongEndsInEachPass(opened: Int) async throws {
    var random = SplitMix(state: 9)
    var units: [[MemorySource.Row]] = Array(repeating: [], count: 5)
    for row in ManyGroupsTests.rows(.distinct, 3_000, &random) { units[Int(row.position) % 5].append(row) }
    let clock = OpeningClock(lateAt: opened)
    let budget = MemoryBudget(bytesMax: 64 << 20)
    var engine = QueryEngine(
      source: TimedSource(units: units, clock: clock), workers: WorkerPool(threads: 2), budget: budget,
      secondsMax: 5, uptime: clock)
    engine.groupLimits.bytesMax = 200_000
    let request = ManyGroupsTests.request(0)
    let slow = engine
    await #expect(throws: StoreError.deadlineExceeded(seconds: 5)) {
      _ = try await ManyGroupsTests.answer(slow, request)
    }
    #expect(clock.openedCount <= opened + 1, "the other worker's unit at most")
    #expect(budget.bytesUsed == 0)
  }
}

/// Ten seconds later once so many units were opened.
private final class OpeningClock: UptimeClock {
  private let opened = Atomic<Int>(0)
  private let lateAt: Int

  init(lateAt: Int) { self.lateAt = lateAt }

  var openedCount: Int { opened.load(ordering: .relaxed) }
  func open() { opened.add(1, ordering: .relaxed) }
  func uptime() -> Int64 { openedCount >= lateAt ? 10_000_000_000 : 0 }
}

/// As ``MemorySource``, by a clock that sees units opened.
private struct TimedSource: BatchSource {
  let units: [[MemorySource.Row]]
  let clock: OpeningClock

  func snapshot(of partition: Partition) -> any PartitionSnapshot {
    TimedSnapshot(MemorySnapshot(units: units), clock)
  }
}

private final class TimedSnapshot: PartitionSnapshot {
  private let snapshot: MemorySnapshot
  private let clock: OpeningClock

  init(_ snapshot: MemorySnapshot, _ clock: OpeningClock) {
    self.snapshot = snapshot
    self.clock = clock
  }

  var positionEnd: Int64 { snapshot.positionEnd }

  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] {
    try snapshot.plan(request).map { TimedUnit(unit: $0, clock: clock) }
  }

  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    try snapshot.groupedCounts(request)
  }
}

private struct TimedUnit: ScanUnit {
  let unit: any ScanUnit
  let clock: OpeningClock

  var objects: Set<StoredObject> { unit.objects }
  var bounds: KeyBounds { unit.bounds }
  var rowCountMax: Int { unit.rowCountMax }
  var memoryBytesEstimate: Int { unit.memoryBytesEstimate }

  func open() throws(StoreError) -> any BatchCursor {
    clock.open()
    return try unit.open()
  }

  func countMatches() throws(StoreError) -> Int { try unit.countMatches() }
}
