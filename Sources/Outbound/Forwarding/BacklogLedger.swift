import Records

/// One tenant's account of bytes that wait, by runs of positions.
struct BacklogLedger: Sendable {
  /// Records accepted within about a second.
  private struct Run {
    var start: Int64
    var end: Int64
    var bytes: Int
    var since: Int64
  }

  /// Runs of one second; with more than these, neighbours are merged and ages become coarser.
  static let runCountMax = 512
  private static let runNanosecondsMax: Int64 = 1_000_000_000

  /// Payload bytes of a record as long as none was counted.
  private static let meanGuess = 256

  /// Ascending, without overlap.
  private var runs: [Run] = []
  private(set) var bytes = 0
  /// Everything below it is forwarded.
  private var cursor: Int64 = 0
  private var countedEnd: Int64 = 0
  /// Of all records that were ever counted; halved now and then, so that it follows the present.
  private var countedRecords: Int64 = 0
  private var countedBytes = 0
  /// Bytes forwarded a second, over the last seconds.
  private var drainBytesPerSecond = 0.0
  private var drainedSince: Int64?
  private var drained = 0
  var isChanged = false

  init() {}

  init(_ saved: SavedCursor, positionEnd: Int64, now: Int64) {
    cursor = saved.position
    let mean = saved.backlog.recordBytesMean > 0 ? saved.backlog.recordBytesMean : BacklogLedger.meanGuess
    countedRecords = 1000
    countedBytes = mean * 1000
    let counted = max(saved.backlog.countedEnd, saved.position)
    countedEnd = max(counted, positionEnd)
    guard positionEnd > cursor else { return }
    let since = saved.backlog.oldestAt ?? now
    if counted > cursor {
      runs.append(Run(start: cursor, end: counted, bytes: saved.backlog.bytes, since: since))
    }
    if positionEnd > counted {
      let estimate = Int(min(Double(positionEnd - counted) * Double(mean), 1e18))
      runs.append(Run(start: counted, end: positionEnd, bytes: estimate, since: since))
    }
    bytes = runs.reduce(0) { $0 + $1.bytes }
  }

  /// When the oldest waiting record was accepted; nil: none waits.
  var oldestAt: Int64? { runs.first?.since }

  var saved: SavedBacklog {
    SavedBacklog(
      bytes: bytes, countedEnd: countedEnd,
      recordBytesMean: countedRecords > 0 ? countedBytes / Int(countedRecords) : 0, oldestAt: oldestAt)
  }

  mutating func add(_ positions: Range<Int64>, bytes added: Int, now: Int64) {
    countedRecords += Int64(positions.count)
    countedBytes += added
    if countedRecords > 1_000_000 {
      countedRecords /= 2
      countedBytes /= 2
    }
    countedEnd = max(countedEnd, positions.upperBound)
    // The forwarder may be faster than the request that wrote the records.
    guard positions.upperBound > cursor else { return }
    isChanged = true
    bytes += added
    if let last = runs.last,
      now - last.since < BacklogLedger.runNanosecondsMax || positions.lowerBound < last.end
    {
      runs[runs.count - 1].end = max(last.end, positions.upperBound)
      runs[runs.count - 1].bytes += added
      return
    }
    runs.append(
      Run(start: positions.lowerBound, end: positions.upperBound, bytes: added, since: now))
    if runs.count > BacklogLedger.runCountMax { merge() }
  }

  /// Halves the number of runs; each keeps the earlier time of the two.
  private mutating func merge() {
    runs = stride(from: 0, to: runs.count, by: 2).map { index in
      guard index + 1 < runs.count else { return runs[index] }
      let next = runs[index + 1]
      return Run(
        start: runs[index].start, end: next.end, bytes: runs[index].bytes + next.bytes,
        since: runs[index].since)
    }
  }

  mutating func advance(to position: Int64, oldestAt: Int64?, now: Int64) {
    let before = bytes
    cursor = max(cursor, position)
    countedEnd = max(countedEnd, position)
    let gone = runs.firstIndex { $0.end > position } ?? runs.count
    for run in runs[..<gone] { bytes -= run.bytes }
    runs.removeFirst(gone)
    if let run = runs.first, run.start < position {
      let share = Double(position - run.start) / Double(run.end - run.start)
      let part = Int(Double(run.bytes) * share)
      runs[0].start = position
      runs[0].bytes -= part
      bytes -= part
    }
    if let oldestAt, !runs.isEmpty { runs[0].since = oldestAt }
    isChanged = true
    measureDrain(before - bytes, now: now)
  }

  private mutating func measureDrain(_ count: Int, now: Int64) {
    guard let since = drainedSince, now >= since else {
      drainedSince = now
      drained = count
      return
    }
    drained += count
    let elapsed = now - since
    guard elapsed >= 5_000_000_000 else { return }
    drainBytesPerSecond = Double(drained) / (Double(elapsed) / 1e9)
    drainedSince = now
    drained = 0
  }

  func verdict(adding added: Int, now: Int64, quota: BacklogQuota) -> QuotaVerdict {
    let bytesLimit = Int(Double(quota.bytesMax) * quota.refusalRatio)
    if bytes + added >= bytesLimit {
      return .quotaExceeded(
        kind: .bytes, retryAfterSeconds: retryAfter(excess: bytes + added - bytesLimit, now: now))
    }
    guard let oldestAt else { return .ok }
    let ageLimit = Int64(Double(quota.ageSecondsMax) * quota.refusalRatio * 1e9)
    guard now - oldestAt >= ageLimit else { return .ok }
    return .quotaExceeded(kind: .age, retryAfterSeconds: retryAfter(excess: bytes, now: now))
  }

  /// How long the excess takes at the pace of late; without one as long as a parked tenant waits.
  private func retryAfter(excess: Int, now: Int64) -> Int {
    guard drainBytesPerSecond >= 1, let since = drainedSince, now - since < 30_000_000_000 else { return 60 }
    return min(max(Int((Double(excess) / drainBytesPerSecond).rounded(.up)), 1), 300)
  }
}
