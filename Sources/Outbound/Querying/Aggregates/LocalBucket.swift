import Records

/// Buckets by what a clock shows, whether or not it is set within them.
///
/// A time is of the unit that the clock shows then: a day may have 23 or 25 hours, an hour that is shown
/// twice is one bucket, and one that is skipped has no rows. Of several units, a bucket is what lies in one
/// of each. Its key is the first local second of it, in seconds since 1970.
package struct LocalBucket: Sendable, Hashable {
  /// Times are of one bucket if all of these are equal.
  package let units: [TimeBucket.Unit]
  /// Of the time zone.
  package let offsets: UTCOffsets
  /// Whether keys are the buckets' starts in nanoseconds since 1970 instead: of a clock that is never set.
  let isKnownByStart: Bool

  /// - Parameter units: At least one; their order does not matter.
  package init(_ units: [TimeBucket.Unit], offsets: UTCOffsets) {
    self.init(units, offsets: offsets, isKnownByStart: false)
  }

  init(_ units: [TimeBucket.Unit], offsets: UTCOffsets, isKnownByStart: Bool) {
    invariant(!units.isEmpty, "a bucket has a unit")
    self.units = units
    self.offsets = offsets
    self.isKnownByStart = isKnownByStart
  }

  /// The key of the bucket `time` lies in, and the nanoseconds around it that surely are of the same bucket.
  func place(of time: Int64) -> (key: Int64, range: ClosedRange<Int64>) {
    let second = TimeBucket.second(of: time)
    let (step, offset) = offsets.step(offsets.stepIndex(at: second))
    var local = units[0].range(of: second + offset)
    for unit in units.dropFirst() { local = local.clamped(to: unit.range(of: second + offset)) }
    let start = max(step.lowerBound, local.lowerBound - offset)
    let end = min(step.upperBound, local.upperBound - offset)
    let (first, isEarly) = Int64(start).multipliedReportingOverflow(by: TimeBucket.second)
    let (behind, isLate) = Int64(end).multipliedReportingOverflow(by: TimeBucket.second)
    let range = (isEarly ? .min : first)...(isLate ? .max : behind - 1)
    return (isKnownByStart ? range.lowerBound : Int64(local.lowerBound), range)
  }

  // MARK: Summaries

  /// 2000-01-01: what is later shall be counted by wide parts, even if the clock was set oddly before.
  private static let recent = 946_684_800

  /// The widest parts that the buckets are unions of from a time on: what block summaries are asked for. Rows
  /// before that time are to be read. Both in nanoseconds; a clock's oddities (offsets of seconds, before
  /// about 1972) cost no later row.
  var parts: (width: Int64, from: Int64) {
    let most =
      units.contains(.second) ? 1 : units.contains(.minute) ? 60 : units.contains(.hour) ? 3_600 : 86_400
    for width in [86_400, 3_600, 1_800, 900, 60] where width <= most {
      let from = evenFrom(width)
      guard from <= LocalBucket.recent else { continue }
      let (time, isEarly) = Int64(from).multipliedReportingOverflow(by: TimeBucket.second)
      return (Int64(width) * TimeBucket.second, isEarly ? .min : time)
    }
    return (TimeBucket.second, .min)
  }

  /// The first multiple of `width` from which on offsets and changes are multiples of it.
  private func evenFrom(_ width: Int) -> Int {
    for index in (0..<offsets.stepCount).reversed() {
      let (seconds, offset) = offsets.step(index)
      let isEven = index == 0 || seconds.lowerBound.isMultiple(of: width)
      let odd = !offset.isMultiple(of: width) ? seconds.upperBound : isEven ? nil : seconds.lowerBound
      if let odd { return TimeBucket.floorDivide(odd + width - 1, width) * width }
    }
    return UTCOffsets.ever.lowerBound
  }

  /// The bucket as plans print it.
  var text: String {
    let names = units.map { $0 == .hour ? "an hour" : "a \($0.rawValue)" }.joined(separator: " and ")
    switch offsets.only {
    case 0?: return "bucket of \(names)"
    case let offset?: return "bucket of \(names) at UTC\(offset < 0 ? "" : "+")\(offset) s"
    case nil: return "bucket of \(names) of a clock set \(offsets.stepCount - 1) times"
    }
  }
}
