import Blocks
import Codecs
import Foundation
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// What looking up one record by its id takes, without HTTP: records of the query log in blocks, ids at
/// random. Runs only if asked for, as ``AuditBenchmark``: `CORDWOOD_BENCHMARK_LOOKUPS=1000000 swift test -c
/// release … --filter LookupBenchmark`.
@Suite(.serialized) struct LookupBenchmark {
  static let environment = ProcessInfo.processInfo.environment
  static let rowCount = Int(environment["CORDWOOD_BENCHMARK_LOOKUPS"] ?? "") ?? 0
  static let roundCount = Int(environment["CORDWOOD_BENCHMARK_ROUNDS"] ?? "") ?? 20
  static let tenant = Tenant(realm: .querylog, name: "bench")
  /// Rows of a commit: as many clients' records as came in together.
  static let each = 20

  @Test(.enabled(if: rowCount > 0)) func figures() async throws {
    let wall = ManualClock()
    var layout = BlockLayout()
    if let rows = Int(Self.environment["CORDWOOD_BENCHMARK_PAGE"] ?? "") { layout.rowsPerLookup = rows }
    try await BenchmarkStore.with(clock: wall, layout: layout, fill: { try await fill($0, wall) }) { store in
      for usage in store.usage() {
        let bytes = Double(usage.blockBytes) / Double(max(1, usage.blockRows))
        print("\(usage.blockRows) rows, \(usage.blockCount) blocks, \(bytes) bytes a row")
      }
      let engine = QueryEngine(
        source: store, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 30))
      try await scan(engine)
      let ids = try await ids(engine)
      try await lookUp(engine, ids)
    }
  }

  private func fill(_ store: Storage, _ wall: ManualClock) async throws {
    var random = SeededGenerator(seed: 7)
    let partition = Partition(tenant: Self.tenant, dataset: .queries)
    for start in stride(from: 0, to: Self.rowCount, by: Self.each) {
      wall.advance(nanoseconds: 1_000_000)
      _ = try await store.append(rows(start, at: wall.now(), &random), to: partition, idempotency: nil)
    }
    let start = clock()
    try await store.archive()
    print("archiving: \(Self.cpu(since: start, over: Self.rowCount)) µs CPU a row")
  }

  private func rows(_ start: Int, at now: Int64, _ random: inout SeededGenerator) -> RecordBatch {
    var times: [Int64] = []
    var texts = [[String]](repeating: [], count: 4)
    let tables = ["orders", "customers", "invoice_lines", "sessions", "products"]
    for row in start..<start + Self.each {
      times.append(now / 1_000 * 1_000 + Int64(row - start) * 10_000)
      texts[0].append("user\(Self.below(200, &random))")
      texts[1].append(
        "SELECT id, name, total FROM \(tables[Self.below(5, &random)]) WHERE customer_id = \(Self.below(1_000_000, &random)) "
          + "AND created_at > '2026-0\(1 + Self.below(9, &random))-1\(Self.below(10, &random))' LIMIT \(Self.below(500, &random))"
      )
      texts[2].append(["SUCCESS", "SUCCESS", "SUCCESS", "ERROR"][Self.below(4, &random)])
      texts[3].append(
        (0..<4).map { _ in
          let word = String(random.next(), radix: 16)
          return String(repeating: "0", count: 16 - word.count) + word
        }.joined())
    }
    let columns = texts.map { texts in
      var builder = TextBuilder(capacity: texts.count)
      for text in texts { builder.appendRow(text) }
      return builder.finish(type: .utf8)
    }
    return RecordBatch(
      fields: Dataset.queries.schema.declaredFields, columns: [Column(timestamps: times)] + columns,
      rowCount: Self.each)
  }

  private func scan(_ engine: QueryEngine) async throws {
    for (name, columns) in [
      ("all columns", ["id", "user_id", "query", "status", "hash", "timestamp"]), ("query", ["query"]),
    ] {
      var best = Double.infinity
      for _ in 0..<5 {
        let start = clock()
        let request = QueryRequest(
          dataset: .queries, predicate: .all, answer: .rows(columns: columns.map { ColumnPath($0) }),
          limit: Self.rowCount)
        let answer = try await engine.run(request, for: Self.tenant)
        while try await answer.next() != nil {}
        best = min(best, Self.cpu(since: start, over: Self.rowCount))
      }
      print("scan of \(name): \(best) µs CPU a row")
    }
    var best = Double.infinity
    for _ in 0..<20 {
      let start = clock()
      let request = QueryRequest(
        dataset: .queries, predicate: .compare(ColumnPath("user_id"), .equal, .string("user7")),
        answer: .rows(columns: ["id", "query", "hash"].map { ColumnPath($0) }), limit: 50, isDescending: true)
      let answer = try await engine.run(request, for: Self.tenant)
      while try await answer.next() != nil {}
      best = min(best, Self.cpu(since: start, over: 1))
    }
    print("newest 50 of a user: \(best) µs CPU")
  }

  private func ids(_ engine: QueryEngine) async throws -> [[UInt8]] {
    var ids: [[UInt8]] = []
    let request = QueryRequest(
      dataset: .queries, predicate: .all, answer: .rows(columns: [ColumnPath("id")]), limit: Self.rowCount)
    let answer = try await engine.run(request, for: Self.tenant)
    while let batch = try await answer.next() {
      batch.columns[0].withUUIDs { bytes in
        for row in 0..<batch.rowCount { ids.append((row * 16..<row * 16 + 16).map { bytes[$0] }) }
      }
    }
    return ids
  }

  private func lookUp(_ engine: QueryEngine, _ ids: [[UInt8]]) async throws {
    var random = SeededGenerator(seed: 11)
    let columns = ["user_id", "query", "status", "hash", "timestamp"].map { ColumnPath($0) }
    // The best of many short rounds: others use the machine too.
    var best = Double.infinity
    for _ in 0..<Self.roundCount {
      let start = clock()
      for _ in 0..<1_000 {
        let request = QueryRequest(
          dataset: .queries,
          predicate: .compare(ColumnPath("id"), .equal, .uuid(ids[Self.below(ids.count, &random)])),
          answer: .rows(columns: columns), limit: 1)
        let batch = try await engine.run(request, for: Self.tenant).next()
        #expect(batch?.rowCount == 1)
      }
      best = min(best, Self.cpu(since: start, over: 1_000))
    }
    print("lookup: \(best) µs CPU")
  }

  private static func below(_ bound: Int, _ random: inout SeededGenerator) -> Int {
    Int.random(in: 0..<bound, using: &random)
  }

  private static func cpu(since start: clock_t, over count: Int) -> Double {
    Double(clock() - start) / Double(CLOCKS_PER_SEC) / Double(count) * 1e6
  }
}
