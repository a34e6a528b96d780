import Records

/// Which partitions grew since they were looked at, and when to look next.
struct LivePending: Sendable {
  private let interval: Int64
  /// How many follow each partition.
  private var followers: [Partition: Int] = [:]
  private var grown: Set<Partition> = []
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
    if left <= 0 { grown.remove(partition) }
  }

  /// Notes that the partitions grew; whether a round must be started.
  mutating func note(_ partitions: Set<Partition>) -> Bool {
    if isStopped || followers.isEmpty { return false }
    for partition in partitions where followers[partition] != nil { grown.insert(partition) }
    if grown.isEmpty || isBusy { return false }
    isBusy = true
    return true
  }

  /// Nanoseconds until the round may begin: none after a rest, nor while rows wait that were there before.
  func rest(now: Int64) -> Int64 {
    if hasUnfinished || isStopped || lastRoundAt == .min { return 0 }
    let (since, overflows) = now.subtractingReportingOverflow(lastRoundAt)
    // A clock that jumped back does not stretch it.
    return overflows || since >= interval ? 0 : interval - max(0, since)
  }

  /// The partitions to look at.
  mutating func take(now: Int64) -> Set<Partition> {
    lastRoundAt = now
    defer { grown = [] }
    return isStopped ? [] : grown
  }

  /// Ends the round; whether another must follow.
  mutating func finish(_ unfinished: Set<Partition>) -> Bool {
    hasUnfinished = !unfinished.isEmpty
    for partition in unfinished where followers[partition] != nil { grown.insert(partition) }
    isBusy = !grown.isEmpty && !isStopped
    return isBusy
  }

  mutating func stop() {
    isStopped = true
    grown = []
  }
}
