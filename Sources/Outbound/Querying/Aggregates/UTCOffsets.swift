/// How far a clock is ahead of UTC, and when that changes: a table of steps, one for a clock that is never
/// set.
///
/// Times are seconds since 1970, of UTC or local: as the clock shows them. A local time may come twice, or
/// never.
package struct UTCOffsets: Sendable, Hashable {
  /// From a second of UTC on, the clock is `offset` seconds ahead.
  package struct Change: Sendable, Hashable {
    /// Seconds since 1970 from which on it holds.
    package let second: Int
    /// Seconds that local time is ahead of UTC.
    package let offset: Int

    /// A change of the offset.
    package init(second: Int, offset: Int) {
      self.second = second
      self.offset = offset
    }
  }

  /// Zones of the IANA database have below 700 between the years 1677 and 2262.
  package static let changesMax = 4_096
  /// Before and behind all times, and far enough from the ends of Int to be reckoned with.
  static let ever = -(1 << 60)..<(1 << 60)

  /// Ascending; the first is ``ever``'s start.
  private let starts: [Int]
  /// As many as `starts`.
  private let offsets: [Int]

  /// A clock that is `offset` seconds ahead all the time.
  package init(always offset: Int) {
    starts = [UTCOffsets.ever.lowerBound]
    offsets = [offset]
  }

  /// A clock that is `first` seconds ahead until the first of `changes`.
  ///
  /// - Returns: nil if the changes do not ascend, are more than ``changesMax``, or lead further from UTC than
  ///   ``TimeBucket/utcOffsetSecondsMax``.
  package init?(first: Int, changes: [Change]) {
    let starts = [UTCOffsets.ever.lowerBound] + changes.map(\.second)
    let offsets = [first] + changes.map(\.offset)
    guard changes.count <= UTCOffsets.changesMax, zip(starts, starts.dropFirst()).allSatisfy({ $0 < $1 }),
      starts.last.map({ $0 < UTCOffsets.ever.upperBound }) ?? true,
      offsets.allSatisfy({ abs($0) <= TimeBucket.utcOffsetSecondsMax })
    else { return nil }
    self.starts = starts
    self.offsets = offsets
  }

  private init(starts: [Int], offsets: [Int]) {
    self.starts = starts
    self.offsets = offsets
  }

  /// The offset if there is but one.
  package var only: Int? { offsets.count == 1 ? offsets[0] : nil }

  var stepCount: Int { starts.count }

  /// Step `index`: its seconds of UTC and its offset.
  func step(_ index: Int) -> (seconds: Range<Int>, offset: Int) {
    let end = index + 1 < starts.count ? starts[index + 1] : UTCOffsets.ever.upperBound
    return (starts[index]..<end, offsets[index])
  }

  /// The number of the step that a second of UTC lies in: a binary search.
  func stepIndex(at second: Int) -> Int {
    var (low, high) = (0, starts.count - 1)
    while low < high {
      let middle = (low + high + 1) / 2
      if starts[middle] <= second { low = middle } else { high = middle - 1 }
    }
    return low
  }

  /// What the clock shows at a second of UTC.
  package func local(_ second: Int) -> Int { second + offsets[stepIndex(at: second)] }

  /// The first second of UTC at which the clock shows `local` or later: of a time that comes twice the first,
  /// of one that never comes the moment the clock is set past it.
  package func firstSecond(showing local: Int) -> Int {
    let most = TimeBucket.utcOffsetSecondsMax
    // Before this step the clock shows less whatever its offset.
    var index = stepIndex(at: local - most)
    while true {
      let (seconds, offset) = step(index)
      if local - offset < seconds.upperBound || index + 1 == starts.count {
        return max(seconds.lowerBound, local - offset)
      }
      index += 1
    }
  }

  /// The same clock for who asks about the times from `start` until `end` (ns since 1970) alone: without what
  /// is set before and after.
  package func during(start: Int64?, end: Int64?) -> UTCOffsets {
    let first = stepIndex(at: start.map { TimeBucket.second(of: $0) } ?? starts[0])
    let last = stepIndex(at: end.map { TimeBucket.second(of: $0) } ?? UTCOffsets.ever.upperBound - 1)
    guard first <= last else { return UTCOffsets(always: offsets[first]) }
    return UTCOffsets(
      starts: [UTCOffsets.ever.lowerBound] + starts[first...last].dropFirst(),
      offsets: Array(offsets[first...last]))
  }
}
