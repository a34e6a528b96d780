/// Something a store does by itself, and does again until it succeeds. The raw value is the word in logs and
/// metrics.
package enum StoreWork: String, Sendable, Hashable, CaseIterable {
  /// Making appends durable in the journal.
  case commit
  /// Making the journal's next segment ahead of need.
  case segmentMaking = "segment_making"
  /// Removing segments whose rows are in blocks.
  case segmentRemoval = "segment_removal"
  /// Writing the oldest head rows of a partition to a block.
  case archiving
  /// Merging blocks of a partition, or rewriting one without its deleted rows.
  case compaction
  /// Forgetting deletions whose rows are gone from a partition's files.
  case deletionUpkeep = "deletion_upkeep"
  /// Dropping blocks that are older than their dataset is kept.
  case retention
  /// Unlinking files that nothing names any more.
  case unlinking
  /// Keeping the manifest short, and marking its last edit as durable.
  case manifestUpkeep = "manifest_upkeep"

  /// What is true of the data while it fails, and what happens next: a sentence for people.
  package var consequence: String {
    switch self {
    case .commit: "Appends are refused and nothing of them is kept; the next append tries again."
    case .segmentMaking: "Nothing is lost; the segment is made when a commit needs it."
    case .segmentRemoval:
      "Nothing is lost; the journal keeps segments that it does not need, until the next archiving."
    case .archiving: "Nothing is lost; the rows stay in the journal, which grows, until a try succeeds."
    case .compaction: "Nothing is lost; the blocks stay as they are until a try succeeds."
    case .deletionUpkeep: "Deleted rows stay hidden; the deletion is remembered longer than needed."
    case .retention: "Blocks that are too old are kept until a try succeeds."
    case .unlinking: "The files take up room until a try succeeds or the next start."
    case .manifestUpkeep:
      "Nothing is lost; the manifest stays long, or its last edit without a mark, until a later edit."
    }
  }
}

/// The files of a store that take no more writes once a sync of them failed.
package enum StoreLog: String, Sendable, Hashable, CaseIterable { case journal, manifest }

/// What a store's background tells: what happened, to which partition and file, and by that what is true now.
///
/// A piece of work is one of a partition's, where it has one: of each the first failure is told, then nothing
/// until it succeeds or there is nothing left of it to do, which is told as its end.
package enum StoreEvent: Sendable, Equatable {
  /// Work failed; see ``StoreWork/consequence``. `file` is the one the disk refused, where the store knows
  /// it.
  case failed(StoreWork, partition: Partition?, file: String?, error: StoreError)
  /// Work that had failed is done.
  case healed(StoreWork, partition: Partition?)
  /// What was written last may be lost, so nothing more is written, archived, compacted or deleted before a
  /// restart.
  case poisoned(StoreLog, error: StoreError)
  /// Bytes of a block are not those written: its partition is not compacted again before a restart, and
  /// queries that need them fail.
  case damaged(Partition, error: StoreError)
  /// Head rows are in a block; nil: all of them were deleted.
  case archived(Partition, file: String?, rowCount: Int)
  /// Blocks were replaced by one; nil: no row was left.
  case compacted(Partition, inputCount: Int, file: String?, rowCount: Int)
  /// Blocks were dropped since all their rows are older than the dataset is kept.
  case dropped(Partition, blockCount: Int, rowCount: Int)
  /// At a start: files that nothing names, left by an earlier life, were removed.
  case orphansRemoved(count: Int)
  /// At a start: a file or folder lay in the store's folders that the store did not write. It is under
  /// `target` now; nil: it could not be moved, and lies where it was.
  case setAside(file: String, target: String?)
}

/// Who is told what happens in a store's background: log, metrics, readiness.
package protocol StoreObserver: Sendable {
  /// Takes note. Runs on the store's threads, also inside a commit and under locks of the store: returns
  /// within microseconds, never blocks, never calls the store.
  func observe(_ event: StoreEvent)
}

/// Tells nobody.
package struct NoObserver: StoreObserver {
  package init() {}
  package func observe(_ event: StoreEvent) {}
}
