import Platform
import Records

/// One request to be committed.
package struct AppendRequest: Sendable {
  package let batch: RecordBatch
  package let partition: Partition
  package let idempotency: IdempotencyKey?

  package init(batch: RecordBatch, partition: Partition, idempotency: IdempotencyKey? = nil) {
    self.batch = batch
    self.partition = partition
    self.idempotency = idempotency
  }
}

/// The journal's synchronous engine: no thread, no clock, no chance of its own. One thread at a time may write; the head may be read from
/// any. ``Journal`` is its shell; simulations drive it directly.
package final class JournalFile {
  package static func open(
    directory: String, fileSystem: any FileSystem, clock: any WallClock, entropy: any EntropySource,
    options: JournalOptions, start: JournalStart
  ) throws(JournalError) -> (journal: JournalFile, recovery: JournalRecovery) {
    preconditionFailure("to come")
  }

  /// Commits the requests together: one write, one sync. One result for each, in order.
  package func commit(_ requests: [AppendRequest]) -> [Result<AppendReceipt, StoreError>] {
    preconditionFailure("to come")
  }

  package func head(of partition: Partition) -> HeadSnapshot { preconditionFailure("to come") }
  package func heads() -> [HeadStatistics] { preconditionFailure("to come") }
  /// See ``Journal/release(_:)``.
  package func release(_ archivedThrough: [Partition: Int64]) { preconditionFailure("to come") }
  package func nextPosition(of tenant: Tenant) -> Int64 { preconditionFailure("to come") }
  package var writeFailure: StoreError? { preconditionFailure("to come") }
  package func statistics() -> JournalStatistics { preconditionFailure("to come") }
  /// Makes the next segment ahead of need, if that is due.
  package func prepareNextSegment() { preconditionFailure("to come") }

  private init() {}
}
