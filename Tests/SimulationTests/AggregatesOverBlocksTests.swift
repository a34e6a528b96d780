import Blocks
import Codecs
import Foundation
import Journaling
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// Aggregates give the same over the head, over blocks, and over both: dictionaries, typed members and
/// summaries of real blocks.
struct AggregatesOverBlocksTests {
  static let partition = Partition(tenant: Tenant(realm: .native, name: "t"), dataset: .logs)
  static let rowCount = 3_000

  /// Rows `range` of logs: half have a number, some as text or with fractions; a tenth have another member.
  static func batch(_ range: Range<Int>) -> RecordBatch {
    let fields = Dataset.logs.schema.declaredFields
    var times = FixedBuilder<Int64>()
    for row in range { times.append(Int64(row) * 3_600_000_000_000) }
    let columns = fields.map { field -> Column in
      if field.name == "timestamp" { return times.finish(type: .timestamp) }
      var builder = TextBuilder()
      for row in range {
        let text: String? =
          switch field.name {
          case "level": row % 3 == 0 ? nil : row % 3 == 1 ? "ERROR" : "INFO"
          case "message": "message \(row % 17)"
          case "service": "service \(row % 5)"
          case "metadata":
            row % 2 == 0
              ? "{\"ms\":\(row % 100 == 0 ? "\"slow\"" : row % 50 == 0 ? "\(row).5" : "\(row)"),\"code\":\(row % 7)}"
              : row % 10 == 1 ? "{\"user\":{\"name\":\"u\(row % 4)\"}}" : nil
          default: nil
          }
        if let text { builder.appendRow(text) } else { builder.appendNull() }
      }
      return builder.finish(type: field.type)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: range.count)
  }

  static let queries = [
    """
    "measures":["count",{"sum":"metadata.ms"},{"avg":"metadata.ms"},{"min":"metadata.ms"},{"max":"message"},
      {"quantile":["metadata.ms",0.95]},{"count_distinct":"metadata.user.name"},{"count":"metadata.ms"},
      {"max":"timestamp"},{"count":"metadata"},{"sum":"position"}]
    """,
    """
    "group_by":["service","metadata.code"],"measures":[{"count":{"where":{"eq":["level","ERROR"]}},"as":"errors"},
      {"sum":"metadata.ms","where":{"lt":["metadata.code",3]}},{"count":{"where":{"exists":"metadata.user"}},"as":"users"}],
    "order_by":"errors","limit":9,"offset":2
    """,
    "\"bucket\":\"month\",\"group_by\":[\"level\"],\"measures\":[{\"count\":true,\"as\":\"n\"}]",
    "\"bucket\":\"day\",\"utc_offset_seconds\":20700,\"measures\":[\"count\",{\"avg\":\"metadata.ms\"}]",
    "\"bucket\":\"week\",\"utc_offset_seconds\":-3600,\"measures\":[\"count\"],\"order_by\":\"count\",\"offset\":1",
    """
    "where":{"and":[{"eq":["level","ERROR"]},{"gt":["metadata.ms",1000]}]},"group_by":["level"],
    "measures":[{"quantile":["metadata.ms",0.5]},{"count_distinct":"service"},{"min":"timestamp"},{"max":"service"}]
    """,
    "\"measures\":[{\"count\":true,\"as\":\"n\"}]",
    // As the third, but with a filter that keeps summaries out.
    """
    "bucket":"month","group_by":["level"],"measures":[{"count":{"where":{"and":[]}},"as":"n"}]
    """,
  ]

  static func answers(_ store: Storage) async throws -> [String] {
    let engine = QueryEngine(
      source: store, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 30))
    var answers: [String] = []
    for query in queries {
      let request = try QueryRequest(json: Array("{\"dataset\":\"logs\",\(query)}".utf8))
      let answer = try await engine.run(request, for: partition.tenant)
      var writer = JSONWriter(capacity: 1 << 12)
      let records = RecordWriter(fields: answer.fields)
      while let batch = try await answer.next() {
        records.appendObjects(batch, separator: nil, isFirst: true, terminator: 10, to: &writer)
      }
      answers.append(String(decoding: writer.takeBytes(), as: UTF8.self))
    }
    return answers
  }

  @Test func headAndBlocksAnswerAlike() async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var layout = BlockLayout()
    layout.rowsPerPage = 128
    layout.rowsPerGroup = 1_024
    let store = try await Storage.open(
      directory: directory, environment: StoreEnvironment(clock: ManualClock()), options: StorageOptions(),
      format: ParquetBlocks(layout: layout))
    store.start()
    for start in stride(from: 0, to: 2_000, by: 500) {
      let batch = AggregatesOverBlocksTests.batch(start..<start + 500)
      _ = try await store.append(batch, to: AggregatesOverBlocksTests.partition, idempotency: nil)
    }
    try await store.archive()
    let rest = AggregatesOverBlocksTests.batch(2_000..<AggregatesOverBlocksTests.rowCount)
    _ = try await store.append(rest, to: AggregatesOverBlocksTests.partition, idempotency: nil)
    let mixed = try await AggregatesOverBlocksTests.answers(store)
    try await store.archive()
    let archived = try await AggregatesOverBlocksTests.answers(store)
    #expect(mixed == archived)
    await store.stop()
    let numbers = (0..<AggregatesOverBlocksTests.rowCount).filter { $0 % 2 == 0 && $0 % 100 != 0 }
    let sum = numbers.reduce(0.0) { $0 + Double($1) + ($1 % 50 == 0 ? 0.5 : 0) }
    #expect(archived[0].contains("\"count\":3000,\"sum(metadata.ms)\":\(sum),"), "\(archived[0])")
    #expect(archived[0].contains("\"count_distinct(metadata.user.name)\":2"), "\(archived[0])")
    #expect(archived[2] == archived[7] && archived[2].split(separator: "\n").count == 15)
    #expect(archived[6] == "{\"n\":3000}\n")
    #expect(archived[1].split(separator: "\n").count == 9)
    #expect(archived[5].contains("\"count_distinct(service)\":5"), "\(archived[5])")
  }
}
