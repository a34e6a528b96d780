import Platform
import Records

/// When a write is acknowledged.
package enum Durability: String, Sendable, Hashable, CaseIterable {
  /// After `fdatasync`: survives a power cut.
  case fsync
  /// After the write to the system's cache, synced once a second at most by the next commit: survives kill
  /// -9.
  case os
  /// As `os`, never synced while running but at segment ends and at stop.
  case none
}

/// The journal's bounds. Each has a key in the configuration.
package struct JournalOptions: Sendable, Hashable {
  /// Size of a segment; one that must hold a larger frame is larger.
  package var segmentBytes = 64 << 20
  /// A batch whose frame would be larger is split by rows; a single row may still exceed it.
  package var frameBytesMax = 8 << 20
  /// Bytes of frames in the head; beyond it writes get ``StoreError/headFull(retryAfterSeconds:)``.
  package var headBytesMax = 2 << 30
  /// Frames in the head (48 bytes of memory each); beyond it as above.
  package var headFramesMax = 2_000_000
  /// Bytes of batches that wait for a commit; beyond it as above.
  package var queuedBytesMax = 256 << 20
  /// Bytes of batches that one commit takes at most (a larger single request is a commit of its own).
  package var commitBytesMax = 16 << 20
  /// What is told in ``StoreError/headFull(retryAfterSeconds:)``.
  package var retryAfterSeconds = 1
  /// Kept free on the file system; below it writes get ``StoreError/diskFull(_:)``.
  package var writeReserveBytes = 1 << 30
  /// `storage.durability`: when a write is acknowledged.
  package var durability = Durability.fsync
  /// How long an idempotency key is known, while the journal is open.
  package var idempotencySeconds = 15 * 60
  /// Keys of one tenant known at most; beyond it new ones get
  /// ``StoreError/keysExhausted(retryAfterSeconds:)``.
  package var idempotencyTenantEntriesMax = 200_000
  /// Bytes of memory for keys and answers of one tenant at most; beyond it as above.
  package var idempotencyTenantBytesMax = 64 << 20
  /// Bytes of memory for keys and answers of all tenants at most; beyond it as above. Of the last quarter
  /// only tenants get some that have less than 1/64 of what one may have.
  package var idempotencyBytesMax = 256 << 20
  /// How long the last piece of an import is known, while the journal is open.
  package var importSeconds = 30 * 86_400
  /// How long it is known when there are more imports than the next two allow.
  package var importSecondsMin = 86_400
  /// Imports of one tenant known at most; beyond it those go that are older than ``importSecondsMin``, and
  /// without any a new one gets ``StoreError/keysExhausted(retryAfterSeconds:)``.
  package var importTenantEntriesMax = 50_000
  /// Bytes of memory for the imports of all tenants at most; beyond it as above.
  package var importBytesMax = 64 << 20

  /// What codes in frames mean.
  package var registry = Registry.standard

  /// What a server has without a configuration.
  package init() {}
}

/// What the manifest knows of the journal when it is opened.
package struct JournalStart: Sendable {
  /// Rows of the partition below the position are in blocks: frames before it are not shown. Always the
  /// ``HeadFrame/positionEnd`` of a frame, or 0.
  package var archivedThrough: [Partition: Int64]
  /// The least position the tenant's next record may get. The journal takes the larger of this and what it
  /// holds.
  package var nextPositions: [Tenant: Int64]
  /// The least position that records of a tenant get whom nobody knows yet.
  package var positionBase: Int64
  /// The store's anchor, if somebody has it open; else the journal opens the one beside its directory.
  package var anchor: Anchor?

  /// What a manifest says; nothing for a new store.
  package init(
    archivedThrough: [Partition: Int64] = [:], nextPositions: [Tenant: Int64] = [:], positionBase: Int64 = 0,
    anchor: Anchor? = nil
  ) {
    self.archivedThrough = archivedThrough
    self.nextPositions = nextPositions
    self.positionBase = positionBase
    self.anchor = anchor
  }
}

/// Why the journal could not be opened or read.
package enum JournalError: Error, Sendable, Equatable {
  /// The disk refused. Nothing was lost; a retry may help.
  case disk(DiskError)
  /// The bytes are not those once synced. Nothing was changed; a retry cannot help.
  case corrupt(file: String, offsetBytes: Int, reason: String)
  /// A later version wrote the file. Nothing is wrong with it, and nothing was changed.
  case laterVersion(file: String, version: Int)
}

/// What opening found.
package struct JournalRecovery: Sendable, Hashable {
  /// Segments that were there, the first one made counted.
  package var segmentCount = 0
  /// Frames of whole commits.
  package var frameCount = 0
  /// Rows of these frames, archived ones counted.
  package var rowCount = 0
  /// Where an unfinished commit was cut off: segment file and byte; nil after a clean stop.
  package var cut: Cut?
  /// Bytes overwritten with zeros behind the cut.
  package var zeroedBytes = 0

  /// Where the last whole commit ends.
  package struct Cut: Sendable, Hashable {
    /// Of the segment.
    package var file: String
    /// Where in the file.
    package var offsetBytes: Int
  }

  /// Nothing found.
  package init() {}
}

/// Running totals since the journal was opened, for metrics.
package struct JournalStatistics: Sendable {
  /// Commits that were made durable, as the durability has it.
  package var commits = 0
  /// Syncs of segments.
  package var syncs = 0
  /// Commits that failed: nothing of them was kept, but see ``StoreError/poisoned(_:)``.
  package var failedCommits = 0
  /// Appends in the commits.
  package var requests = 0
  /// Rows in the commits.
  package var rows = 0
  /// Frames written, those of keys counted.
  package var frames = 0
  /// Bytes of these frames.
  package var bytesWritten = 0
  /// Segments made.
  package var segmentsCreated = 0
  /// Segments removed after archiving.
  package var segmentsRemoved = 0
  /// Idempotency keys known after the last commit.
  package var idempotencyEntries = 0
  /// Syncs by duration: bucket i counts those under 2^i · 64 µs, the last all longer ones.
  package var syncBuckets = [Int](repeating: 0, count: 16)
  /// Time that all syncs took.
  package var syncNanoseconds: Int64 = 0

  /// Nothing done yet.
  package init() {}

  /// The upper bound of sync bucket `index` in seconds; infinite for the last.
  package static func bucketSeconds(_ index: Int) -> Double {
    index == 15 ? .infinity : 64e-6 * Double(1 << index)
  }
}

/// What the head holds of one partition.
package struct HeadStatistics: Sendable, Hashable {
  /// Whose rows these are.
  package var partition: Partition
  /// Rows that are in no block.
  package var rowCount: Int
  /// Bytes of their frames.
  package var byteCount: Int
  /// How many frames these are.
  package var frameCount: Int
  /// `ingested_at` of the oldest row, ns since 1970.
  package var oldestIngestedAt: Int64
  /// The segment that row lies in: it and those behind it are kept for this partition.
  package var oldestSegment: UInt32

  /// Figures of one partition.
  package init(
    partition: Partition, rowCount: Int, byteCount: Int, frameCount: Int, oldestIngestedAt: Int64,
    oldestSegment: UInt32 = 0
  ) {
    self.partition = partition
    self.rowCount = rowCount
    self.byteCount = byteCount
    self.frameCount = frameCount
    self.oldestIngestedAt = oldestIngestedAt
    self.oldestSegment = oldestSegment
  }
}

/// What the whole head takes, and the files it lies in.
package struct JournalExtent: Sendable, Hashable {
  /// Held against ``JournalOptions/headBytesMax``.
  package var headBytes = 0
  /// Held against ``JournalOptions/headFramesMax``.
  package var headFrames = 0
  /// The first and the last segment on the disk.
  package var oldestSegment: UInt32 = 0
  /// See ``oldestSegment``.
  package var newestSegment: UInt32 = 0

  /// An empty head.
  package init() {}
}
