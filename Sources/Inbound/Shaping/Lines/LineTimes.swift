import Codecs
import Records

/// What the times of a file's lines are of: its zone, and about when it was written.
package struct LineTimes: Sendable, Hashable {
  /// A zone: from each of its steps on (seconds of its own clock since 1970) so many seconds east of UTC.
  package struct Zone: Sendable, Hashable {
    package struct Step: Sendable, Hashable {
      package let fromLocalSeconds: Int
      package let offsetSeconds: Int

      package init(fromLocalSeconds: Int, offsetSeconds: Int) {
        (self.fromLocalSeconds, self.offsetSeconds) = (fromLocalSeconds, offsetSeconds)
      }
    }

    private let first: Int
    private let steps: [Step]

    /// - Parameters:
    ///   - offsetSeconds: Before the first step.
    ///   - steps: In their order.
    package init(offsetSeconds: Int, steps: [Step] = []) { (first, self.steps) = (offsetSeconds, steps) }

    /// Of a time on its clock. Where clocks are put back an hour is there twice: the later one is meant.
    func offset(at localSeconds: Int) -> Int {
      var (low, high) = (0, steps.count)
      while low < high {
        let middle = (low + high) / 2
        if steps[middle].fromLocalSeconds <= localSeconds { low = middle + 1 } else { high = middle }
      }
      return low == 0 ? first : steps[low - 1].offsetSeconds
    }
  }

  /// Of times that name none; nil: nobody said, and UTC is taken.
  package let zone: Zone?
  /// Times without a year are the latest before it: nanoseconds since 1970.
  package let now: Int64
  private let year: Int

  package init(zone: Zone? = nil, now: Int64) {
    (self.zone, self.now) = (zone, now)
    year = CivilDate(days: Int(now / 86_400_000_000_000)).year
  }

  /// For texts that are read as a whole.
  var texts: LogTime { LogTime(offsetSeconds: offset(at: Int(now / 1_000_000_000)), now: now) }

  private func offset(at localSeconds: Int) -> Int { zone?.offset(at: localSeconds) ?? 0 }

  /// nil: there is no such day, hour, minute or second, or it is not between 1677 and 2262.
  func nanoseconds(_ clock: LineClock) -> Int64? {
    guard clock.isValid, clock.zone != .unknown || zone != nil else { return nil }
    guard clock.hasYear else { return latest(clock) }
    return nanoseconds(clock, year: clock.year)
  }

  private func nanoseconds(_ clock: LineClock, year: Int) -> Int64? {
    let date = CivilDate(year: year, month: clock.month, day: clock.day)
    let days = date.days
    guard CivilDate(days: days) == date else { return nil }
    // A leap second is the last nanosecond before it.
    let isLeap = clock.second == 60
    let local = days * 86_400 + clock.hour * 3_600 + clock.minute * 60 + clock.second - (isLeap ? 1 : 0)
    let offset =
      switch clock.zone {
      case .offset(let seconds): seconds
      case .none, .unknown: self.offset(at: local)
      }
    let rest = isLeap ? 999_999_999 : Int64(clock.nanosecond)
    let (product, isBeyond) = Int64(local - offset).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, isOver) = product.addingReportingOverflow(rest)
    return isBeyond || isOver ? nil : sum
  }

  /// Of the last year in which it is not later than ``now``, but for a day that clocks may differ.
  private func latest(_ clock: LineClock) -> Int64? {
    let (limit, isOver) = now.addingReportingOverflow(86_400_000_000_000)
    // The 29th of February is of leap years alone.
    for candidate in 0...9 {
      guard let time = nanoseconds(clock, year: year + 1 - candidate), isOver || time <= limit else {
        continue
      }
      return time
    }
    return nil
  }
}
