/// A member of an object column that has a column of its own.
package struct StoredMember: Sendable, Hashable {
  /// Where it is.
  package let path: ColumnPath
  /// Of its values: text, numbers (int64, float64) or bool. A member may have several.
  package let type: ColumnType

  /// A member of one type.
  package init(_ path: ColumnPath, _ type: ColumnType) {
    self.path = path
    self.type = type
  }
}

/// One moment of a partition: live blocks, head and durable end. Keeps them readable while it lives.
package protocol PartitionSnapshot: AnyObject, Sendable {
  /// Every visible row's position is below it.
  var positionEnd: Int64 { get }
  /// The units that may hold matching rows after pruning by position, time, statistics, Bloom filters and the
  /// text index. Deleted rows are left out by the units. Blocking (disk, CPU): call on a query thread.
  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit]
  /// What ``plan(_:)`` gives, in parts that are planned when they are asked: after pruning by position and
  /// time only. Blocking.
  func parts(_ request: ScanRequest) throws(StoreError) -> [ScanPart]
  /// This moment as several whose rows are disjoint and together its own, at most `count`, so that a scan is
  /// planned on several threads at once; itself alone where that would not pay. What one of them leaves out
  /// is among the ``damagedFiles`` of all. No disk.
  func shares(of request: ScanRequest, atMost count: Int) -> [any PartitionSnapshot]
  /// What summaries prove of the counts, and the units that are left. Blocking.
  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer
  /// What summaries know of numbers, and the units that are left. Blocking.
  func totals(_ request: TotalsRequest) throws(StoreError) -> TotalsAnswer
  /// What summaries know of the most frequent values, and the units that are left. Blocking.
  func frequentValues(_ request: FrequentRequest) throws(StoreError) -> FrequentAnswer
  /// The members of object columns that blocks of these times have columns for, each once: the frequent ones.
  /// What only the head has is not among them. Blocking.
  ///
  /// - Parameters:
  ///   - start: Nanoseconds since 1970, included; nil: no bound.
  ///   - end: Not included.
  func members(start: Int64?, end: Int64?) throws(StoreError) -> Set<StoredMember>
  /// The files whose rows its plans and counts have left out so far, by name, each once. No disk.
  var damagedFiles: [DamagedFile] { get }
  /// Throws `.corrupt` if a file was cut or could not be read while rows of it were given out without a copy:
  /// zeros may have been seen in their place. To be asked when the last of them were used. No disk.
  func requireReadable() throws(StoreError)
}

extension PartitionSnapshot {
  /// All planned at once: for sources that plan without reading.
  package func parts(_ request: ScanRequest) throws(StoreError) -> [ScanPart] {
    try plan(request).map { ScanPart($0) }
  }
  /// Itself alone.
  package func shares(of request: ScanRequest, atMost count: Int) -> [any PartitionSnapshot] { [self] }
  /// Nothing is known: for sources without summaries.
  package func totals(_ request: TotalsRequest) throws(StoreError) -> TotalsAnswer {
    TotalsAnswer(parts: [], remaining: try plan(request.scan))
  }
  /// Nothing is known: for sources without summaries.
  package func frequentValues(_ request: FrequentRequest) throws(StoreError) -> FrequentAnswer {
    FrequentAnswer(parts: [], remaining: try plan(request.scan))
  }
  /// None is known: for sources without blocks.
  package func members(start: Int64?, end: Int64?) throws(StoreError) -> Set<StoredMember> { [] }
  /// None: for sources without files.
  package var damagedFiles: [DamagedFile] { [] }
  /// All was read: for sources without files.
  package func requireReadable() throws(StoreError) {}
}

/// The way back.
package protocol BatchSource: Sendable {
  /// A consistent view; rows acknowledged before the call, wherever they were, are in it. Does not block; a
  /// store on this machine's disks does not even suspend.
  ///
  /// - Throws: What keeps the store from knowing what is live now: an earlier view is never given instead.
  func snapshot(of partition: Partition) async throws(StoreError) -> any PartitionSnapshot
}
