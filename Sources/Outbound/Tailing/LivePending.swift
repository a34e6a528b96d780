import Records

/// Which partitions grew since they were looked at, and when to look next.
struct LivePending: Sendable {
  private let interval: Int64
  /// How many follow each partition.
  private var followers: [Partition: Int] = [:]
  /// Those that grew, and where their rows end.
  private var grown: [Partition: Int64] = [:]
  /// The last end told of each partition that is followed.
  private var ends: [Partition: Int64] = [:]
  /// Whether a round is under way or about to.
  private var isBusy = false
  private var hasUnfinished = false
  private var isStopped = false
  private var lastRoundAt: Int64 = .min

  /// - Parameter interval: Nanoseconds between the starts of rounds.
  init(interval: Int64) { self.interval = interval }

  mutating func follow(_ partition: Partition) { followers[partition, default: 0] += 1 }

  mutating func unfollow(_ partition: Partition) {
    let left = (followers[partition] ?? 0) - 1
    followers[partition] = left > 0 ? left : nil
    if left <= 0 {
      grown[partition] = nil
      ends[partition] = nil
    }
  }

  /// Where the partition's rows end by what was told since it is followed; nil: nothing was.
  func end(of partition: Partition) -> Int64? { ends[partition] }

  /// Notes that the partitions grew, and to where; whether a round must be started.
  mutating func note(_ partitions: [Partition: Int64]) -> Bool {
    if isStopped || followers.isEmpty { return false }
    for (partition, end) in partitions where followers[partition] != nil { grow(partition, to: end) }
    if grown.isEmpty || isBusy { return false }
    isBusy = true
    return true
  }

  private mutating func grow(_ partition: Partition, to end: Int64) {
    let end = max(end, ends[partition] ?? 0)
    ends[partition] = end
    grown[partition] = end
  }

  /// Nanoseconds until the round may begin: none after a rest, nor while rows wait that were there before.
  func rest(now: Int64) -> Int64 {
    if hasUnfinished || isStopped || lastRoundAt == .min { return 0 }
    let (since, overflows) = now.subtractingReportingOverflow(lastRoundAt)
    // A clock that jumped back does not stretch it.
    return overflows || since >= interval ? 0 : interval - max(0, since)
  }

  /// The partitions to look at, and where their rows end.
  mutating func take(now: Int64) -> [Partition: Int64] {
    lastRoundAt = now
    defer { grown = [:] }
    return isStopped ? [:] : grown
  }

  /// Ends the round; whether another must follow.
  mutating func finish(_ unfinished: [Partition: Int64]) -> Bool {
    hasUnfinished = !unfinished.isEmpty
    for (partition, end) in unfinished where followers[partition] != nil { grow(partition, to: end) }
    isBusy = !grown.isEmpty && !isStopped
    return isBusy
  }

  mutating func stop() {
    isStopped = true
    grown = [:]
  }
}
