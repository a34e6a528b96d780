import Records

/// Counts rows by columns and time bucket, batch by batch: one worker's part of a grouped count.
///
/// Rows are counted by the number ``GroupTable`` gives their group. Bounded by ``groupsMax`` groups and by
/// the query's share of memory.
struct GroupCounter {
  /// Groups a query may have; a million short groups answer in about 100 MB.
  static let groupsMax = 1_000_000

  private var table: GroupTable
  private var groups: [Int32] = []
  private var counts: [Int] = []
  private let share: MemoryShare
  private var bytesTaken = 0

  init(groupColumnCount: Int, bucketNanoseconds: Int64?, share: MemoryShare) {
    self.share = share
    table = GroupTable(
      bucket: bucketNanoseconds.map { .fixed(nanoseconds: $0) }, columnCount: groupColumnCount)
  }

  /// Adds the rows of `batch`: `timestamp` first if there are buckets, then the group's columns as text.
  mutating func add(_ batch: RecordBatch) throws(StoreError) {
    table.number(batch, into: &groups)
    try table.check()
    let total = table.count
    if counts.count < total { counts += [Int](repeating: 0, count: total - counts.count) }
    for group in groups { counts[Int(group)] += 1 }
    let bytes = table.byteCount + counts.capacity * 8
    guard bytes > bytesTaken else { return }
    try share.take(bytes - bytesTaken)
    bytesTaken = bytes
  }

  /// The start of the bucket `time` lies in; buckets are aligned to 1970.
  static func bucketStart(_ time: Int64, width: Int64) -> Int64 {
    let rest = time % width
    let start = rest >= 0 ? time - rest : time.subtractingReportingOverflow(rest + width).partialValue
    return start > time ? Int64.min : start
  }

  /// The counts so far by group. Their texts are taken of the share, and stay so.
  func results() throws(StoreError) -> [GroupKey: Int] {
    var results: [GroupKey: Int] = [:]
    let keys = table.keys(isRanked: false)
    try share.take(counts.indices.reduce(0) { $0 + table.textBytes(of: $1, keys: keys) })
    results.reserveCapacity(counts.count)
    for (group, count) in counts.enumerated() where count > 0 {
      results[table.key(of: group, keys: keys), default: 0] += count
    }
    return results
  }
}
