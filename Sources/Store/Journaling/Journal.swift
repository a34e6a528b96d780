import Platform
import Records

/// The journal as the rest of the server sees it.
package final class Journal: Sendable {
  /// Opens the journal in `directory` (made if missing), cuts off what was not committed, and starts its thread.
  /// Blocks: call on a disk thread.
  package static func open(
    directory: String, fileSystem: any FileSystem, clock: any WallClock, entropy: any EntropySource,
    options: JournalOptions, start: JournalStart
  ) throws(JournalError) -> (journal: Journal, recovery: JournalRecovery) {
    preconditionFailure("to come")
  }

  /// See ``BatchSink``.
  package func append(
    _ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?
  ) async throws(StoreError) -> AppendReceipt { preconditionFailure("to come") }

  /// The partition's rows at this moment. To see no row twice or never beside blocks: take the head first, then the live blocks and
  /// the archived-through position of one manifest state, and drop frames below that position. O(frames), no disk.
  package func head(of partition: Partition) -> HeadSnapshot { preconditionFailure("to come") }

  /// What the head holds, by partition. O(partitions).
  package func heads() -> [HeadStatistics] { preconditionFailure("to come") }

  /// Takes rows below the positions (a frame's ``HeadFrame/positionEnd``), which blocks now hold durably, out of the head, and
  /// removes segments that nobody needs. Failing to remove one is not an error: it is tried again the next time.
  package func release(_ archivedThrough: [Partition: Int64]) async { preconditionFailure("to come") }

  /// The position the tenant's next record will get, and thus one behind the last committed.
  package func nextPosition(of tenant: Tenant) -> Int64 { preconditionFailure("to come") }

  /// nil while writes are possible; else what they are answered.
  package func writeFailure() -> StoreError? { preconditionFailure("to come") }

  package func statistics() -> JournalStatistics { preconditionFailure("to come") }

  /// Refuses new appends with `stopping`, commits those that wait, and syncs.
  package func stop() async { preconditionFailure("to come") }

  private init() {}
}
