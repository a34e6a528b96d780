import Blocks
import Codecs
import Foundation
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// Figures of the engine under the audit and the workflow API, without HTTP: rows that look like those of
/// `Benchmarks/audit.py`. Runs only if asked for:
/// `CORDWOOD_BENCHMARK_ROWS=4000000 swift test -c release -Xswiftc -enable-testing --filter AuditBenchmark`;
/// `CORDWOOD_BENCHMARK_STORE` names a directory that is kept and used again.
@Suite(.serialized) struct AuditBenchmark {
  static let environment = ProcessInfo.processInfo.environment
  static let rowCount = Int(environment["CORDWOOD_BENCHMARK_ROWS"] ?? "") ?? 0
  static let tenant = Tenant(realm: .audit, name: "bench")
  static let now: Int64 = 1_790_000_000_000_000_000
  static let span: Int64 = 30 * 86_400_000_000_000

  @Test(.enabled(if: rowCount > 0)) func figures() async throws {
    try await BenchmarkStore.with(fill: fill) { store in
      for usage in store.usage() {
        let bytes = Double(usage.blockBytes) / Double(max(1, usage.blockRows))
        print(
          "\(usage.partition.dataset): \(usage.blockRows) rows, \(usage.blockCount) blocks, \(bytes) bytes a row"
        )
      }
      let engine = QueryEngine(
        source: store, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 30))
      try await audit(engine)
      try await workflows(engine)
    }
  }

  @Test(.enabled(if: rowCount > 0)) func writing() throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    var maker = EntryMaker(rowCount: 524_288)
    var batches: [RecordBatch] = []
    let schema = Dataset.audit.schema
    for start in stride(from: 0, to: 524_288, by: 32_768) {
      let batch = maker.audit(start..<start + 32_768)
      let common = [
        Column(int64: (0..<32_768).map { Int64(start + $0) }),
        UUIDv7.column(
          first: UUIDv7.make(milliseconds: 1_790_000_000_000, random: (UInt64(start), 7)), count: 32_768),
        batch.columns[0],
        Column(timestamps: [Int64](repeating: Self.now, count: 32_768)),
      ]
      batches.append(
        RecordBatch(fields: schema.fields, columns: common + batch.columns.dropFirst(), rowCount: 32_768))
    }
    for round in 0..<3 {
      let start = clock()
      let partition = Partition(tenant: Self.tenant, dataset: .audit)
      let facts = try BlockWriter.write(
        HeadRows(batches, partition: partition),
        to: BlockPlace(
          id: UInt64(round + 1), partition: partition, directory: directory,
          path: "\(directory)/\(round).parquet", deletionsApplied: 0),
        fileSystem: LocalFileSystem())
      let seconds = Double(clock() - start) / Double(CLOCKS_PER_SEC)
      let block = try #require(facts)
      print(
        "writing a block: \(seconds / 524_288 * 1e9) ns CPU a row, \(Double(block.byteCount) / 524_288) bytes a row"
      )
      if round == 0 {
        let reader = try BlockReader(block, path: "\(directory)/0.parquet", fileSystem: LocalFileSystem())
        for part in try reader.inspect().index {
          print("  index \(part.name): \(Double(part.byteCount) / 524_288) bytes a row")
        }
      }
    }
  }

  // MARK: Rows

  private func fill(_ store: Storage) async throws {
    var maker = EntryMaker(rowCount: Self.rowCount)
    let audit = Partition(tenant: Self.tenant, dataset: .audit)
    let each = 8_192
    for start in stride(from: 0, to: Self.rowCount, by: each) {
      let batch = maker.audit(start..<min(start + each, Self.rowCount))
      _ = try await store.append(batch, to: audit, idempotency: nil)
      if start % (each * 128) == each * 127 { try await store.archive() }
    }
    let logs = min(Self.rowCount, 1_000_000)
    maker = EntryMaker(rowCount: logs)
    for start in stride(from: 0, to: logs, by: each) {
      let batch = maker.workflows(start..<min(start + each, logs))
      _ = try await store.append(
        batch, to: Partition(tenant: Self.tenant, dataset: .workflows), idempotency: nil)
    }
    try await store.archive()
  }

  // MARK: Questions

  private func audit(_ engine: QueryEngine) async throws {
    try await measure("stats") {
      try await rows(engine, .audit, groups: QueryRequest.GroupedCount(groupBy: [ColumnPath("severity")]))
    }
    try await measure("daily counts by severity") {
      try await rows(
        engine, .audit,
        groups: QueryRequest.GroupedCount(
          groupBy: [ColumnPath("severity")], bucketNanoseconds: 86_400_000_000_000))
    }
    for pattern in ["zebrafinch", "ebrafin", "zebra|finch", "req-[0-9a-f]+7f[0-9]1$", "export"] {
      let predicate = Predicate.or(
        [
          "action", "resource_type", "resource_id", "ip_address", "user_agent", "before", "after", "metadata",
        ].map { .regex(ColumnPath($0), pattern: pattern, ignoreCase: true) })
      try await measure("search \(pattern), list") { try await list(engine, predicate) }
      try await measure("search \(pattern), count") {
        [String(try await engine.count(predicate, in: .audit, for: Self.tenant))]
      }
    }
    try await measure("list, page 1") { try await list(engine, .all) }
  }

  private func workflows(_ engine: QueryEngine) async throws {
    try await measure("workflow counts by status") {
      try await rows(engine, .workflows, groups: QueryRequest.GroupedCount(groupBy: [ColumnPath("status")]))
    }
    let path = ColumnPath("execution_time_seconds")
    try await measure("workflow average") {
      let request = QueryRequest(
        dataset: .workflows, predicate: .compare(path, .notEqual, .float64(0)),
        answer: .aggregates(AggregateQuery(measures: [Measure(.avg(path))])))
      return try await texts(engine.run(request, for: Self.tenant))
    }
  }

  private func rows(
    _ engine: QueryEngine, _ dataset: Dataset, groups: QueryRequest.GroupedCount
  ) async throws -> [String] {
    let request = QueryRequest(
      dataset: dataset, predicate: .all, answer: .groups(groups), limit: QueryRequest.limitMax)
    return try await texts(engine.run(request, for: Self.tenant))
  }

  private func list(_ engine: QueryEngine, _ predicate: Records.Predicate) async throws -> [String] {
    let columns = Dataset.audit.schema.fields.filter { $0.name != "position" }.map { ColumnPath($0.name) }
    let request = QueryRequest(
      dataset: .audit, predicate: predicate, answer: .rows(columns: columns), limit: 50, isDescending: true)
    return try await texts(engine.run(request, for: Self.tenant))
  }

  private func texts(_ answer: QueryAnswer) async throws -> [String] {
    var found: [String] = []
    while let batch = try await answer.next() { found.append("\(batch.rowCount) rows") }
    return found
  }

  private func measure(_ name: String, _ body: () async throws -> [String]) async throws {
    _ = try await body()
    var times: [Double] = []
    let cpu = clock()
    var shown: [String] = []
    for _ in 0..<9 {
      let start = ContinuousClock.now
      shown = try await body()
      times.append((ContinuousClock.now - start) / .milliseconds(1))
    }
    times.sort()
    let cpuMilliseconds = Double(clock() - cpu) / Double(CLOCKS_PER_SEC) * 1000 / 9
    func text(_ number: Double) -> String { String(format: "%.1f", number) }
    print(
      "\(name): p50 \(text(times[4])) ms, CPU \(text(cpuMilliseconds)) ms; \(shown.joined(separator: ", "))")
  }
}

/// Entries as `Benchmarks/audit.py` makes them; the rare word is in one row of half a million.
struct EntryMaker {
  let rowCount: Int
  private var random = SeededGenerator(seed: 7)

  init(rowCount: Int) { self.rowCount = rowCount }

  private mutating func pick(_ choices: [String]) -> String {
    choices[Int.random(in: 0..<choices.count, using: &random)]
  }
  private mutating func below(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &random) }

  private func time(_ row: Int) -> Int64 {
    AuditBenchmark.now - AuditBenchmark.span + AuditBenchmark.span / Int64(rowCount) * Int64(row)
  }

  /// 1 for the median; now and then much more.
  private mutating func long() -> Double {
    let unit =
      Double.random(in: 0..<1, using: &random) + Double.random(in: 0..<1, using: &random)
      + Double.random(in: 0..<1, using: &random) - 1.5
    return exp(unit * 2)
  }

  private func column(_ name: String, _ dataset: Dataset, _ texts: [String?]) -> Column {
    var builder = TextBuilder(capacity: texts.count)
    for text in texts { if let text { builder.appendRow(text) } else { builder.appendNull() } }
    return builder.finish(type: dataset.schema.field(name)?.type ?? .utf8)
  }

  mutating func audit(_ rows: Range<Int>) -> RecordBatch {
    var texts: [String: [String?]] = [:]
    for row in rows {
      let chance = below(100)
      let isRare = row % 500_000 == 250_000
      let source = isRare ? "zebrafinch" : pick(["dashboard", "api", "import", "mobile app"])
      let request = String(UInt32.random(in: 0...UInt32.max, using: &random) | 0x1000_0000, radix: 16)
      let duration = String(format: "%.1f", long() * 20)
      let values: [(String, String)] = [
        ("user_id", "bench"), ("action", pick(["create", "update", "delete", "login", "logout", "export"])),
        ("resource_type", pick(["user", "order", "invoice", "document", "role"])),
        ("resource_id", "\(below(1_000_000))"),
        ("ip_address", "10.\(below(256)).\(below(256)).\(below(256))"),
        ("user_agent", "Mozilla/5.0 (X11; Linux x86_64) Gecko/\(20_100_101 + below(9))"),
        ("severity", chance < 80 ? "INFO" : chance < 94 ? "WARNING" : chance < 99 ? "ERROR" : "CRITICAL"),
        ("before", "{\"email\":\"user\(row % 50_000)@example.com\",\"n\":\(below(100))}"),
        ("after", "{\"email\":\"new\(row % 50_000)@example.com\"}"),
        (
          "metadata",
          "{\"source\":\"\(source)\",\"duration_ms\":\(duration),\"request\":\"req-\(request)\"}"
        ),
      ]
      for (name, value) in values { texts[name, default: []].append(value) }
    }
    let fields = Dataset.audit.schema.declaredFields
    let columns = fields.map { field in
      field.name == "timestamp"
        ? Column(timestamps: rows.map { time($0) }) : column(field.name, .audit, texts[field.name] ?? [])
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }

  mutating func workflows(_ rows: Range<Int>) -> RecordBatch {
    var texts: [String: [String?]] = [:]
    var seconds = FixedBuilder<Double>()
    for row in rows {
      let chance = below(100)
      seconds.append((long() * 300).rounded() / 100)
      let values: [(String, String?)] = [
        ("environment", "production"), ("workflow_version", nil), ("ticket_id", "T-\(row)"),
        ("category", pick(["billing", "shipping", "returns", "technical"])), ("resolution_status", nil),
        ("status", chance < 85 ? "SUCCESS" : chance < 91 ? "ERROR" : chance < 96 ? "PARTIAL" : "FAILED"),
        ("metrics", "{\"confidence\":\(Double(below(100)) / 100)}"),
        ("payload", "{\"customer\":\"c-\(below(10_000))\"}"),
      ]
      for (name, value) in values { texts[name, default: []].append(value) }
    }
    let fields = Dataset.workflows.schema.declaredFields
    let columns = fields.map { field -> Column in
      switch field.type {
      case .timestamp: Column(timestamps: rows.map { time($0) })
      case .float64: seconds.finish(type: .float64)
      default: column(field.name, .workflows, texts[field.name] ?? [])
      }
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }
}
