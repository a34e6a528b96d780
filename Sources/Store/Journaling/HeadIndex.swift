import Records

/// What readers see: the published frames by partition, and the totals. Behind one lock; changed only by the
/// writing thread.
struct HeadIndex: Sendable {
  struct Frames: Sendable {
    var entries: [FrameEntry] = []
    var rowCount = 0
    var byteCount = 0

    mutating func append(_ entry: FrameEntry) {
      entries.append(entry)
      rowCount += Int(entry.rowCount)
      byteCount += Int(entry.byteCount)
    }
  }

  private(set) var partitions: [Partition: Frames] = [:]
  private var nextPositions: [Tenant: Int64] = [:]
  /// Where tenants start that nobody knows yet.
  var positionBase: Int64 = 0
  /// Rows of the partition below it are in blocks and no longer here; absent: none was released.
  private(set) var releasedThrough: [Partition: Int64] = [:]
  private(set) var byteCount = 0
  private(set) var frameCount = 0
  /// By number; those in use.
  var segments: [UInt32: SegmentFile] = [:]
  /// How many shown frames each segment holds; absent: none.
  private(set) var liveFrames: [UInt32: Int] = [:]
  var failure: StoreError?
  var statistics = JournalStatistics()

  mutating func insert(_ entry: FrameEntry, of partition: Partition) {
    partitions[partition, default: Frames()].append(entry)
    byteCount += Int(entry.byteCount)
    frameCount += 1
    liveFrames[entry.segment, default: 0] += 1
    raise(partition.tenant, to: entry.positionEnd)
  }

  /// What the tenant's next record gets.
  func nextPosition(of tenant: Tenant) -> Int64 { nextPositions[tenant] ?? positionBase }

  /// The tenant's next record gets at least `position`.
  mutating func raise(_ tenant: Tenant, to position: Int64) {
    nextPositions[tenant] = max(nextPositions[tenant] ?? 0, position)
  }

  /// Takes out the partition's frames below `position`. Traps if it lies inside a frame.
  mutating func release(_ partition: Partition, through position: Int64) {
    releasedThrough[partition] = max(releasedThrough[partition] ?? 0, position)
    guard var frames = partitions[partition] else { return }
    let count = frames.entries.firstIndex { $0.firstPosition >= position } ?? frames.entries.count
    if count == 0 { return }
    precondition(
      frames.entries[count - 1].positionEnd <= position, "rows are archived by whole frames")
    for entry in frames.entries[..<count] {
      frames.rowCount -= Int(entry.rowCount)
      frames.byteCount -= Int(entry.byteCount)
      byteCount -= Int(entry.byteCount)
      liveFrames[entry.segment, default: 0] -= 1
      if liveFrames[entry.segment] == 0 { liveFrames[entry.segment] = nil }
    }
    frameCount -= count
    frames.entries.removeFirst(count)
    partitions[partition] = frames.entries.isEmpty ? nil : frames
  }

  func heads() -> [HeadStatistics] {
    partitions.map { partition, frames in
      HeadStatistics(
        partition: partition, rowCount: frames.rowCount, byteCount: frames.byteCount,
        frameCount: frames.entries.count, oldestIngestedAt: frames.entries[0].ingestedAt)
    }
  }
}
