import Journaling
import Records

/// Which partitions' heads are to be archived, and in which order.
///
/// Kept up by what changed since the last look: a look costs nothing where nothing happened, however many
/// partitions there are. Not shared between threads.
///
/// A head is due when it is large or has many small frames; when its oldest row is old; and, while the whole
/// head is near its bound, when it is among the largest, whatever its size: a step of archiving costs some
/// milliseconds and then goes by bytes, so the largest free the most per second.
/// Heads below ``StorageOptions/archiveSmallBytes`` that are only old take turns, so that many of them cost
/// neither the processor nor a file a minute each (Docs/decisions/0018-small-heads-take-turns.md).
struct ArchiveQueue {
  /// Small heads given out at one look: large ones wait no longer than for so many.
  static let smallCountMax = 32
  /// Largest heads given out at one look near the bound.
  static let largestCountMax = 16
  /// A head that was given out and is still there is given out again so long after.
  private static let retryNanoseconds: Int64 = 2_000_000_000

  private let options: StorageOptions
  private var known: [Partition: HeadStatistics] = [:]
  /// Due whatever their age.
  private var full: Set<Partition> = []
  private var large = AgeList()
  private var small = AgeList()
  /// Small heads that may go for their age alone, and when that was counted.
  private var turns: Double
  private var countedAt: Int64?
  /// When heads were last asked for.
  private var lookedAt: Int64?

  init(_ options: StorageOptions) {
    self.options = options
    turns = Double(options.archiveSmallPerMinute)
  }

  /// Takes over heads as they are now; those without rows are gone.
  mutating func update(_ heads: [HeadStatistics]) {
    for head in heads {
      let before = known[head.partition]
      guard head.rowCount > 0 else {
        known[head.partition] = nil
        full.remove(head.partition)
        continue
      }
      known[head.partition] = head
      if isFull(head) { full.insert(head.partition) } else { full.remove(head.partition) }
      let isListed =
        before.map { $0.oldestIngestedAt == head.oldestIngestedAt && isSmall($0) == isSmall(head) } ?? false
      if !isListed { list(head, at: seen(head)) }
    }
  }

  /// The heads that are due, those first that free the most for the work.
  ///
  /// - Parameters:
  ///   - now: Nanoseconds since 1970.
  ///   - journal: What the whole head takes.
  mutating func due(now: Int64, journal: JournalExtent) -> [Partition] {
    note(now)
    let first = largest(journal).map(\.partition)
    var chosen: [Partition: Int] = [:]
    for partition in full { chosen[partition] = known[partition]?.byteCount }
    for head in old(now) { chosen[head.partition] = head.byteCount }
    for head in smallTurns(now, journal) { chosen[head.partition] = head.byteCount }
    for partition in first { chosen[partition] = nil }
    return first
      + chosen.sorted { left, right in
        left.value == right.value ? left.key.precedes(right.key) : left.value > right.value
      }.map(\.key)
  }

  /// Takes note of the time. Where the clock was set back, rows that came in before lie in its future and
  /// would wait for that: their age counts from now.
  private mutating func note(_ now: Int64) {
    defer { lookedAt = now }
    if let lookedAt, now >= lookedAt { return }
    self.lookedAt = now
    (large, small) = (AgeList(), AgeList())
    for head in known.values.sorted(by: { $0.oldestIngestedAt < $1.oldestIngestedAt }) {
      list(head, at: seen(head))
    }
  }

  /// From when the head's age counts: rows from further ahead than a look may be late came in before the
  /// clock was set back.
  private func seen(_ head: HeadStatistics) -> Int64 {
    guard let lookedAt else { return head.oldestIngestedAt }
    let (ahead, isOver) = head.oldestIngestedAt.subtractingReportingOverflow(lookedAt)
    return isOver || ahead > 60_000_000_000 ? min(lookedAt, head.oldestIngestedAt) : head.oldestIngestedAt
  }

  private func isSmall(_ head: HeadStatistics) -> Bool { head.byteCount < options.archiveSmallBytes }

  private func isFull(_ head: HeadStatistics) -> Bool {
    head.byteCount >= options.archiveBytesMax
      || head.frameCount >= options.archiveFramesMax
        && head.rowCount < options.smallFrameRows * head.frameCount
  }

  private mutating func list(_ head: HeadStatistics, at time: Int64) {
    let entry = AgeList.Entry(time: time, oldest: head.oldestIngestedAt, partition: head.partition)
    if isSmall(head) { small.insert(entry) } else { large.insert(entry) }
  }

  /// While the head is near its bound writes would soon be refused: as many of the largest as bring it well
  /// below.
  private func largest(_ journal: JournalExtent) -> [HeadStatistics] {
    let bytes = Pressure(held: journal.headBytes, bound: options.journal.headBytesMax, size: \.byteCount)
    let frames = Pressure(held: journal.headFrames, bound: options.journal.headFramesMax, size: \.frameCount)
    let pressure = frames.share > bytes.share ? frames : bytes
    guard pressure.share > 0.5 else { return [] }
    var best: [HeadStatistics] = []
    for head in known.values {
      if best.count == ArchiveQueue.largestCountMax, let last = best.last, !pressure.isRelieved(head, last) {
        continue
      }
      best.insert(head, at: best.firstIndex { pressure.isRelieved(head, $0) } ?? best.count)
      if best.count > ArchiveQueue.largestCountMax { best.removeLast() }
    }
    var excess = pressure.held - pressure.bound / 8 * 3
    return Array(
      best.prefix { head in
        defer { excess -= head[keyPath: pressure.size] }
        return excess > 0
      })
  }

  /// How near one of the head's bounds is.
  private struct Pressure {
    let held: Int
    let bound: Int
    let size: KeyPath<HeadStatistics, Int>

    var share: Double { Double(held) / Double(max(bound, 1)) }

    /// Whether archiving `left` helps more than archiving `right`.
    func isRelieved(_ left: HeadStatistics, _ right: HeadStatistics) -> Bool {
      let (a, b) = (left[keyPath: size], right[keyPath: size])
      return a == b ? left.partition.precedes(right.partition) : a > b
    }
  }

  private func limit(_ now: Int64) -> Int64 { now - Int64(options.archiveAgeSecondsMax) * 1_000_000_000 }

  /// The large heads that are old.
  private mutating func old(_ now: Int64) -> [HeadStatistics] {
    var found: [HeadStatistics] = []
    while let entry = large.first, entry.time <= limit(now) {
      large.removeFirst()
      guard let head = known[entry.partition], !isSmall(head), head.oldestIngestedAt == entry.oldest else {
        continue
      }
      found.append(head)
    }
    for head in found { list(head, at: limit(now) + ArchiveQueue.retryNanoseconds) }
    return found
  }

  /// The small heads that are old and whose turn it is: the oldest, so many a minute, and beyond those the
  /// ones whose rows keep the journal's files from being removed.
  private mutating func smallTurns(_ now: Int64, _ journal: JournalExtent) -> [HeadStatistics] {
    let passed = max(0, Double(now.subtractingReportingOverflow(countedAt ?? now).partialValue) / 60e9)
    countedAt = now
    let perMinute = Double(options.archiveSmallPerMinute)
    turns = min(perMinute, turns + passed * perMinute)
    var found: [HeadStatistics] = []
    while found.count < ArchiveQueue.smallCountMax, let entry = small.first, entry.time <= limit(now) {
      guard let head = known[entry.partition], isSmall(head), head.oldestIngestedAt == entry.oldest else {
        small.removeFirst()
        continue
      }
      if turns >= 1 { turns -= 1 } else if !journal.isHeldUp(by: head, options.journal) { break }
      small.removeFirst()
      found.append(head)
    }
    for head in found { list(head, at: limit(now) + ArchiveQueue.retryNanoseconds) }
    return found
  }
}

extension JournalExtent {
  /// Whether the journal's files take more than the head may, and the head's rows lie in their oldest
  /// quarter.
  fileprivate func isHeldUp(by head: HeadStatistics, _ options: JournalOptions) -> Bool {
    let count = Int(newestSegment) - Int(oldestSegment) + 1
    guard count > 4, count > options.headBytesMax / max(options.segmentBytes, 1) else { return false }
    return Int(head.oldestSegment) <= Int(oldestSegment) + count / 4
  }
}
