import Records

/// The head of one partition at one moment. Its segments stay mapped while it lives, also after they were removed.
package final class HeadSnapshot: Sendable {
  package let partition: Partition
  /// Rising positions; every row acknowledged before the snapshot and not released before it.
  package let frames: [HeadFrame]
  /// The tenant's next position at that moment: every visible row of any dataset lies below.
  package let positionEnd: Int64

  init(partition: Partition, frames: [HeadFrame], positionEnd: Int64) {
    self.partition = partition
    self.frames = frames
    self.positionEnd = positionEnd
  }

  package var rowCount: Int { frames.reduce(0) { $0 + $1.rowCount } }
  package var byteCount: Int { frames.reduce(0) { $0 + $1.byteCount } }
}

/// Rows of one partition that were committed together, where they lie in the journal. Positions are consecutive.
package struct HeadFrame: Sendable {
  package let bounds: KeyBounds
  package let rowCount: Int
  /// Bytes in the journal.
  package let byteCount: Int

  /// One behind the last row's position.
  package var positionEnd: Int64 { bounds.positionMax + 1 }

  /// `ingested_at` of every row, ns since 1970.
  package var ingestedAt: Int64 { preconditionFailure("to come") }
  /// All columns of the dataset's schema.
  package func batch() -> RecordBatch { preconditionFailure("to come") }
  /// The named columns, in that order; unknown names trap. Declared columns share the mapping's memory; `position`, `id` and
  /// `ingested_at` are made for the call (8, 16 and 8 bytes a row); a column without values is a new column of nulls.
  package func batch(columns: [String]) -> RecordBatch { preconditionFailure("to come") }
}
