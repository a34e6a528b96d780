import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Querying

struct QueryEngineTests {
  static let tenant = Tenant(realm: .native, name: "t")

  struct World {
    var rows: [MemorySource.Row]
    var engine: QueryEngine
    let budget = MemoryBudget(bytesMax: 1 << 20)

    init(seed: UInt64, rowCount: Int, unitCount: Int, timeSpread: Int64) {
      var generator = SplitMix(state: seed)
      let levels: [String?] = ["INFO", "ERROR", nil]
      rows = (0..<rowCount).map { index in
        MemorySource.Row(
          position: Int64(index), timestamp: Int64.random(in: -timeSpread...timeSpread, using: &generator),
          level: levels.randomElement(using: &generator) ?? nil, message: "row \(index % 13)")
      }
      var units: [[MemorySource.Row]] = Array(repeating: [], count: unitCount)
      for row in rows { units[Int.random(in: 0..<unitCount, using: &generator)].append(row) }
      engine = QueryEngine(
        source: MemorySource(units: units), workers: WorkerPool(threads: 2), budget: budget)
    }

    func run(_ json: String) async throws -> (positions: [Int64], cursor: String?) {
      let answer = try await engine.run(QueryRequest(json: Array(json.utf8)), for: QueryEngineTests.tenant)
      var positions: [Int64] = []
      while let batch = try await answer.next() {
        #expect(batch.rowCount > 0 && batch.rowCount <= 8192)
        let column = try #require(batch.column("position"))
        positions += column.withInt64 { span in span.indices.map { span[$0] } }
      }
      return (positions, answer.cursor)
    }
  }

  @Test(arguments: 0..<30)
  func rowsComeInOrderOnceAndLimited(seed: Int) async throws {
    let world = World(
      seed: UInt64(seed), rowCount: 300, unitCount: 1 + seed % 9, timeSpread: Int64(1 + seed * seed))
    for order in ["asc", "desc"] {
      var expected = world.rows.filter { $0.level == "ERROR" }
        .sorted { ($0.timestamp, $0.position) < ($1.timestamp, $1.position) }.map(\.position)
      if order == "desc" { expected.reverse() }
      for limit in [1, 5, 50, 1000] {
        let query =
          "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"level\",\"ERROR\"]},\"columns\":[\"position\"],\"order\":\"\(order)\",\"limit\":\(limit)}"
        let found = try await world.run(query)
        #expect(found.positions == Array(expected.prefix(limit)), "seed \(seed) \(order) \(limit)")
      }
    }
    #expect(world.budget.bytesUsed == 0, "memory is given back")
  }

  @Test(arguments: 0..<10)
  func pagesByCursorAddUpToTheWhole(seed: Int) async throws {
    let world = World(seed: UInt64(seed + 100), rowCount: 120, unitCount: 4, timeSpread: 9)
    for order in ["asc", "desc"] {
      let base =
        "{\"dataset\":\"logs\",\"columns\":[\"message\",\"position\"],\"order\":\"\(order)\",\"limit\":"
      let whole = try await world.run(base + "1000}")
      var pages: [Int64] = []
      var cursor: String?
      repeat {
        let page = try await world.run(base + "11" + (cursor.map { ",\"cursor\":\"\($0)\"" } ?? "") + "}")
        pages += page.positions
        cursor = page.cursor
      } while cursor != nil
      #expect(pages == whole.positions, "seed \(seed) \(order)")
    }
  }

  @Test func aChangedOrForeignCursorIsRefused() async throws {
    let world = World(seed: 1, rowCount: 50, unitCount: 2, timeSpread: 100)
    let cursor = try #require(
      try await world.run("{\"dataset\":\"logs\",\"columns\":[\"position\"],\"limit\":3}").cursor)
    for index in cursor.indices {
      var changed = cursor
      changed.replaceSubrange(index...index, with: cursor[index] == "A" ? "B" : "A")
      await #expect(throws: StoreError.self) {
        try await world.run(
          "{\"dataset\":\"logs\",\"columns\":[\"position\"],\"limit\":3,\"cursor\":\"\(changed)\"}")
      }
    }
    await #expect(throws: StoreError.self) {
      try await world.run(
        "{\"dataset\":\"logs\",\"columns\":[\"position\"],\"order\":\"asc\",\"cursor\":\"\(cursor)\"}")
    }
  }

  @Test(arguments: 0..<20)
  func groupedCountsAgreeWithCounting(seed: Int) async throws {
    let world = World(seed: UInt64(seed + 50), rowCount: 400, unitCount: 5, timeSpread: 3_000)
    let json = "{\"dataset\":\"logs\",\"group_by\":[\"level\",\"message\"],\"bucket\":\"500ms\"}"
    var request = try QueryRequest(json: Array(json.utf8))
    guard case .groups(var groups) = request.answer else { return }
    groups.bucketNanoseconds = 500
    request.answer = .groups(groups)
    let answer = try await world.engine.run(request, for: QueryEngineTests.tenant)
    let batch = try #require(try await answer.next())
    var expected: [GroupKey: Int] = [:]
    for row in world.rows {
      let bucket = Int64((Double(row.timestamp) / 500).rounded(.down)) * 500
      expected[GroupKey(bucket: bucket, values: [row.level, row.message]), default: 0] += 1
    }
    #expect(batch.rowCount == expected.count, "seed \(seed)")
    let buckets = batch.columns[0].withInt64 { span in span.indices.map { span[$0] } }
    let counts = batch.columns[3].withInt64 { span in span.indices.map { span[$0] } }
    func texts(_ column: Column) -> [String?] {
      (0..<batch.rowCount).map { row in
        guard column.isValid(row) else { return nil }
        return column.withText { offsets, bytes in
          String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self)
        }
      }
    }
    let levels = texts(batch.columns[1])
    let messages = texts(batch.columns[2])
    for row in 0..<batch.rowCount {
      let key = GroupKey(bucket: buckets[row], values: [levels[row], messages[row]])
      #expect(expected[key] == Int(counts[row]), "seed \(seed)")
    }
    #expect(buckets == buckets.sorted())
  }

  @Test func topGroupsByCount() async throws {
    let world = World(seed: 3, rowCount: 200, unitCount: 3, timeSpread: 100)
    let json =
      "{\"dataset\":\"logs\",\"group_by\":[\"message\"],\"measures\":[\"count\"],\"order_by\":\"count\",\"limit\":2}"
    let answer = try await world.engine.run(
      QueryRequest(json: Array(json.utf8)), for: QueryEngineTests.tenant)
    let batch = try #require(try await answer.next())
    #expect(batch.rowCount == 2)
    let counts = batch.columns[1].withInt64 { span in span.indices.map { span[$0] } }
    #expect(counts == counts.sorted(by: >) && counts[0] == 16)
  }

  @Test func countsOfNothingAreZero() async throws {
    let world = World(seed: 3, rowCount: 20, unitCount: 2, timeSpread: 100)
    let json = "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"level\",\"none\"]},\"measures\":[\"count\"]}"
    let answer = try await world.engine.run(
      QueryRequest(json: Array(json.utf8)), for: QueryEngineTests.tenant)
    let batch = try #require(try await answer.next())
    #expect(batch.columns[0].withInt64 { $0[0] } == 0)
  }

  @Test func theMemoryBoundIsAnErrorNotACrash() async throws {
    var world = World(seed: 5, rowCount: 50, unitCount: 5, timeSpread: 3)
    world.engine = QueryEngine(
      source: MemorySource(units: [world.rows]), workers: WorkerPool(threads: 2),
      budget: MemoryBudget(bytesMax: 10))
    let engine = world.engine
    await #expect(throws: StoreError.self) {
      let answer = try await engine.run(
        QueryRequest(json: Array("{\"dataset\":\"logs\"}".utf8)), for: QueryEngineTests.tenant)
      _ = try await answer.next()
    }
  }

  @Test func plansPrintAsTrees() async throws {
    let world = World(seed: 5, rowCount: 50, unitCount: 2, timeSpread: 3)
    let rows = try QueryRequest(
      json: Array(
        "{\"dataset\":\"logs\",\"columns\":[\"message\"],\"where\":{\"word\":[\"message\",\"row\"]},\"limit\":5}"
          .utf8))
    #expect(
      try await world.engine.explain(rows, for: QueryEngineTests.tenant) == """
        limit 5
          project message
            merge by timestamp, position descending
              filter message word "row"
                scan logs: 2 units, at most 50 rows
        """)
    let groups = try QueryRequest(
      json: Array(
        "{\"dataset\":\"logs\",\"group_by\":[\"level\"],\"bucket\":\"1m\",\"order_by\":\"count\",\"limit\":3}"
          .utf8))
    #expect(
      try await world.engine.explain(groups, for: QueryEngineTests.tenant) == """
        limit 3
          order by count descending
            count by bucket of 60000000000 ns, level
              filter all
                scan logs: 0 rows from summaries, 2 units, at most 50 rows
        """)
  }

  @Test func aFixedSortKeyLeavesTheOrderToPositions() {
    let container = Records.Predicate.compare(ColumnPath("container"), .equal, .string("c"))
    let session = Records.Predicate.compare(ColumnPath("session"), .equal, .string("s"))
    let level = Records.Predicate.isIn(ColumnPath("level"), [.string("x")])
    let answer = QueryRequest.Answer.rows(columns: [ColumnPath("message")])
    for (predicate, columns) in [
      (.and([container, session]), []), (.and([level, .and([session, container])]), []),
      (container, ["container", "session"]), (.or([container, session]), ["container", "session"]),
      (.not(.and([container, session])), ["container", "session"]), (.all, ["container", "session"]),
    ] as [(Records.Predicate, [String])] {
      #expect(QueryRequest(dataset: .sessions, predicate: predicate, answer: answer).orderColumns == columns)
    }
    #expect(QueryRequest(dataset: .logs, predicate: .all, answer: answer).orderColumns == ["timestamp"])
  }
}

/// A small seeded generator.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
