import Platform
import Records

/// When a write is acknowledged.
package enum Durability: String, Sendable, Hashable, CaseIterable {
  /// After `fdatasync`: survives a power cut.
  case fsync
  /// After the write to the system's cache, synced once a second at most by the next commit: survives kill -9.
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
  package var durability = Durability.fsync
  /// How long an idempotency key is known, by the clock.
  package var idempotencySeconds = 15 * 60
  /// Keys known at most; beyond it the oldest is forgotten.
  package var idempotencyEntriesMax = 200_000
  /// Bytes of keys and answers kept at most; beyond it the oldest is forgotten.
  package var idempotencyBytesMax = 64 << 20

  /// What codes in frames mean.
  package var registry = Registry.standard

  package init() {}
}

/// What the manifest knows of the journal when it is opened.
package struct JournalStart: Sendable {
  /// Rows of the partition below the position are in blocks: frames before it are not shown. Always the
  /// ``HeadFrame/positionEnd`` of a frame, or 0.
  package var archivedThrough: [Partition: Int64]
  /// The least position the tenant's next record may get. The journal takes the larger of this and what it holds.
  package var nextPositions: [Tenant: Int64]

  package init(archivedThrough: [Partition: Int64] = [:], nextPositions: [Tenant: Int64] = [:]) {
    self.archivedThrough = archivedThrough
    self.nextPositions = nextPositions
  }
}

/// Why the journal could not be opened or read.
package enum JournalError: Error, Sendable, Equatable {
  /// The disk refused. Nothing was lost; a retry may help.
  case disk(DiskError)
  /// The bytes are not those once synced. Nothing was changed; a retry cannot help.
  case corrupt(file: String, offsetBytes: Int, reason: String)
}

/// What opening found.
package struct JournalRecovery: Sendable, Hashable {
  package var segmentCount = 0
  package var frameCount = 0
  package var rowCount = 0
  /// Where an unfinished commit was cut off: segment file and byte; nil after a clean stop.
  package var cut: Cut?
  /// Bytes overwritten with zeros behind the cut.
  package var zeroedBytes = 0

  package struct Cut: Sendable, Hashable {
    package var file: String
    package var offsetBytes: Int
  }

  package init() {}
}

/// Running totals since the journal was opened, for metrics.
package struct JournalStatistics: Sendable {
  package var commits = 0
  package var syncs = 0
  package var failedCommits = 0
  package var requests = 0
  package var rows = 0
  package var frames = 0
  package var bytesWritten = 0
  package var segmentsCreated = 0
  package var segmentsRemoved = 0
  package var idempotencyEntries = 0
  /// Syncs by duration: bucket i counts those under 2^i · 64 µs, the last all longer ones.
  package var syncBuckets = [Int](repeating: 0, count: 16)
  package var syncNanoseconds: Int64 = 0

  package init() {}

  /// The upper bound of sync bucket `index` in seconds; infinite for the last.
  package static func bucketSeconds(_ index: Int) -> Double {
    index == 15 ? .infinity : 64e-6 * Double(1 << index)
  }
}

/// What the head holds of one partition.
package struct HeadStatistics: Sendable, Hashable {
  package var partition: Partition
  package var rowCount: Int
  package var byteCount: Int
  package var frameCount: Int
  /// `ingested_at` of the oldest row, ns since 1970.
  package var oldestIngestedAt: Int64

  package init(
    partition: Partition, rowCount: Int, byteCount: Int, frameCount: Int, oldestIngestedAt: Int64
  ) {
    self.partition = partition
    self.rowCount = rowCount
    self.byteCount = byteCount
    self.frameCount = frameCount
    self.oldestIngestedAt = oldestIngestedAt
  }
}
