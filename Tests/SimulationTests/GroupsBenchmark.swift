import Blocks
import Codecs
import Foundation
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// Figures of group-bys with few and with many values over blocks, without HTTP. Runs only if asked for:
/// `CORDWOOD_BENCHMARK_GROUPS=8000000 swift test -c release -Xswiftc -enable-testing --filter GroupsBench`
/// (the number of records); `CORDWOOD_BENCHMARK_STORE` names a directory that is kept and used again.
@Suite(.serialized) struct GroupsBenchmark {
  static let environment = ProcessInfo.processInfo.environment
  static let rowCount = Int(environment["CORDWOOD_BENCHMARK_GROUPS"] ?? "") ?? 0
  static let tenant = Tenant(realm: .audit, name: "bench")
  static let partition = Partition(tenant: tenant, dataset: .audit)

  @Test(.enabled(if: rowCount > 0)) func figures() async throws {
    try await BenchmarkStore.with(fill: fill) { store in
      for bytes in [256 << 20, 4 << 30] {
        print("query.memory_bytes_max \(bytes >> 20) MiB")
        let engine = QueryEngine(
          source: store, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: bytes))
        for column in ["severity", "action", "resource_type", "user_id", "resource_id", "ip_address"] {
          await measure("top 10 of \(column)", engine, column, "")
        }
        let measures = ",{\"avg\":\"metadata.n\"},{\"max\":\"timestamp\"}"
        for column in ["action", "user_id", "ip_address"] {
          await measure("the same with avg and max of \(column)", engine, column, measures)
        }
      }
    }
  }

  private func measure(_ name: String, _ engine: QueryEngine, _ column: String, _ more: String) async {
    let json =
      "{\"dataset\":\"audit\",\"where\":{\"ne\":[\"user_agent\",\"none\"]},\"group_by\":[\"\(column)\"],"
      + "\"measures\":[\"count\"\(more)],\"order_by\":\"count\",\"limit\":10}"
    var best = Double.infinity
    var shown = ""
    for _ in 0..<3 {
      let start = ContinuousClock.now
      do {
        let answer = try await engine.run(QueryRequest(json: Array(json.utf8)), for: Self.tenant)
        var rows = 0
        while let batch = try await answer.next() { rows += batch.rowCount }
        shown = "\(rows) rows"
      } catch { shown = "\(error)" }
      best = min(best, (ContinuousClock.now - start) / .milliseconds(1))
    }
    print("\(name): \(Int(best.rounded())) ms, \(shown)")
  }

  /// `severity` has 4 values, `action` 20, `resource_type` 1,000, `user_id` a million, `resource_id` five
  /// million, all equally frequent; `ip_address` five million of which the k-th has a share of about 1/k.
  private func fill(_ store: Storage) async throws {
    var random = SeededGenerator(seed: 7)
    let each = 8_192
    for start in stride(from: 0, to: Self.rowCount, by: each) {
      let count = min(each, Self.rowCount - start)
      func texts(_ name: String, _ value: () -> String) -> Column {
        var builder = TextBuilder(capacity: count)
        for _ in 0..<count { builder.appendRow(value()) }
        return builder.finish(type: Dataset.audit.schema.field(name)?.type ?? .utf8)
      }
      func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }
      let fields = Dataset.audit.schema.declaredFields
      let columns = fields.map { field in
        switch field.name {
        case "timestamp":
          Column(timestamps: (0..<count).map { 1_790_000_000_000_000_000 + Int64(start + $0) * 1_000_000 })
        case "user_id": texts(field.name) { "user-\(below(1_000_000))" }
        case "resource_id": texts(field.name) { "order/\(below(5_000_000))" }
        case "ip_address":
          texts(field.name) {
            let rank = Int(exp(Double.random(in: 0..<log(5e6), using: &random)))
            return "2001:db8::\(String(rank, radix: 16))"
          }
        case "action": texts(field.name) { "action-\(below(20))" }
        case "resource_type": texts(field.name) { "type-\(below(1_000))" }
        case "severity": texts(field.name) { ["DEBUG", "INFO", "WARNING", "ERROR"][below(4)] }
        case "metadata": texts(field.name) { "{\"n\":\(below(100_000))}" }
        case "user_agent": texts(field.name) { "Mozilla/5.0" }
        default: texts(field.name) { "{}" }
        }
      }
      let batch = RecordBatch(fields: fields, columns: columns, rowCount: count)
      _ = try await store.append(batch, to: Self.partition, idempotency: nil)
      if start % (each * 128) == each * 127 { try await store.archive() }
    }
    try await store.archive()
  }
}
