import Encoding
import Gateway
import Logging
import Platform
import Records

/// Opens the store that `configuration` names.
enum EngineOpening {
  static func open(
    _ configuration: Configuration, clock: any WallClock, logger: Logger
  ) async throws -> Engine {
    let absent = AbsentStore()
    return Engine(
      sink: absent, control: absent, queries: absent, identity: "none", summary: "no store is built in yet",
      collect: { _ in }, close: {})
  }
}

/// Stands where the store will be: refuses everything.
struct AbsentStore: BatchSink, StoreControl, NativeQueries {
  func append(
    _ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?
  ) async throws(StoreError) -> AppendReceipt { throw .stopping }
  func archive() async throws(StoreError) { throw .stopping }
  func delete(_ predicate: Predicate, from partition: Partition) async throws(StoreError) -> Int {
    throw .stopping
  }
  func retain() async throws(StoreError) -> Int { throw .stopping }
  func usage() -> [PartitionUsage] { [] }
  func writeFailure() -> StoreError? { nil }
  func start(
    _ body: [UInt8], tenant: Tenant, format: OutputFormat
  ) async throws(StoreError) -> sending any AnswerChunks { throw .stopping }
}
