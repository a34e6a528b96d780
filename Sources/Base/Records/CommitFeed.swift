/// Rows of one partition that were committed, in the order of their positions.
package struct CommittedRows: Sendable {
  /// The asked columns, in the asked order; none is empty.
  package let batches: [RecordBatch]
  /// Where to go on: one behind the last row's position, or, if no row of the partition follows, behind all
  /// that the tenant has. Never below the position asked for.
  package let positionEnd: Int64

  package init(batches: [RecordBatch], positionEnd: Int64) {
    self.batches = batches
    self.positionEnd = positionEnd
  }
}

/// Ends an observation when it is released.
package final class CommitObservation: Sendable {
  private let end: @Sendable () -> Void
  package init(_ end: @escaping @Sendable () -> Void) { self.end = end }
  deinit { end() }
}

/// What live subscribers and forwarders follow: commits as they become durable.
package protocol CommitFeed: Sendable {
  /// Calls `wake` after every commit with the partitions that grew, once their rows are durable and visible.
  /// On the journal's thread: it must return within microseconds and never block.
  func observeCommits(_ wake: @escaping @Sendable (Set<Partition>) -> Void) -> CommitObservation

  /// One behind the last position the tenant has given to a durable record; 0 before the first.
  func positionEnd(of tenant: Tenant) -> Int64

  /// The partition's rows from `position` on, as long as all of them lie in the head; no disk but page
  /// faults.
  ///
  /// - Parameters:
  ///   - columns: Names of the dataset's schema.
  ///   - rowsMax: A frame that would exceed it is left for the next call, unless it is the first.
  /// - Returns: nil if rows from `position` on may have left the head for blocks: then a scan of a snapshot,
  ///   bounded by position, finds them.
  func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows?
}
