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
  /// Partitions whose frames changed since ``takeChanged()``, in the order they did first.
  private var changed: [Partition] = []
  private var isChanged: Set<Partition> = []
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
    note(partition)
  }

  private mutating func note(_ partition: Partition) {
    if isChanged.insert(partition).inserted { changed.append(partition) }
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
    invariant(
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
    note(partition)
  }

  func heads() -> [HeadStatistics] {
    partitions.map { HeadIndex.statistics($0.key, $0.value) }
  }

  /// The partitions that changed since the last call, as they are; without rows if nothing is left of one.
  mutating func takeChanged() -> [HeadStatistics] {
    if changed.isEmpty { return [] }
    defer {
      changed = []
      isChanged = []
    }
    return changed.map { HeadIndex.statistics($0, partitions[$0] ?? Frames()) }
  }

  /// See ``JournalExtent``. O(segments).
  var extent: JournalExtent {
    var extent = JournalExtent()
    extent.headBytes = byteCount
    extent.headFrames = frameCount
    extent.oldestSegment = segments.keys.min() ?? 0
    extent.newestSegment = segments.keys.max() ?? 0
    return extent
  }

  private static func statistics(_ partition: Partition, _ frames: Frames) -> HeadStatistics {
    HeadStatistics(
      partition: partition, rowCount: frames.rowCount, byteCount: frames.byteCount,
      frameCount: frames.entries.count, oldestIngestedAt: frames.entries.first?.ingestedAt ?? 0,
      oldestSegment: frames.entries.first?.segment ?? 0)
  }
}
