import Codecs
import Querying
import Routing

/// The units that dates make up.
enum CalendarDate {
  typealias Unit = TimeBucket.Unit

  /// The first moment of the unit `steps` after the one that `zone` shows at `time`, in nanoseconds since
  /// 1970, cut to what int64 holds. Days and longer are the calendar's; hours and shorter are stepped by
  /// their length, however the clock is set.
  ///
  /// - Parameter steps: From -100,000 to 100,001.
  static func start(of unit: Unit, at time: Int64, plus steps: Int = 0, zone: UTCOffsets) -> Int64 {
    let second = time.wholeSeconds
    let local = zone.local(second)
    let shown = unit.range(of: local)
    let first = CivilDate(days: shown.lowerBound.floored(by: 86_400))
    let days: Int
    switch unit {
    case .second, .minute, .hour:
      return Int64.nanoseconds(second - (local - shown.lowerBound) + steps * shown.count)
    case .day: days = first.days + steps
    case .week: days = first.days + steps * 7
    case .month: days = CivilDate.first(ofMonth: first.month + steps, in: first.year).days
    case .quarter: days = CivilDate.first(ofMonth: first.month + steps * 3, in: first.year).days
    case .year: days = CivilDate(year: first.year + steps, month: 1, day: 1).days
    }
    return Int64.nanoseconds(zone.firstSecond(showing: days * 86_400))
  }

  /// `2025-06-26T00:00:00.000`, for a second as a clock shows it and the milliseconds within it.
  static func text(local second: Int, milliseconds: Int = 0) -> String {
    func padded(_ number: Int, _ width: Int) -> String {
      let digits = String(number)
      return String(repeating: "0", count: max(0, width - digits.count)) + digits
    }
    let days = second.floored(by: 86_400)
    let date = CivilDate(days: days)
    let rest = second - days * 86_400
    let clock = [rest / 3_600, rest / 60 % 60, rest % 60].map { padded($0, 2) }.joined(separator: ":")
    return
      "\(padded(date.year, 4))-\(padded(date.month, 2))-\(padded(date.day, 2))T\(clock).\(padded(milliseconds, 3))"
  }

  /// The same for what `zone` shows at a moment, in nanoseconds since 1970.
  static func text(of time: Int64, in zone: UTCOffsets) -> String {
    let second = time.wholeSeconds
    return text(local: zone.local(second), milliseconds: time.beyondSeconds / 1_000_000)
  }
}

extension Int {
  fileprivate func floored(by divisor: Int) -> Int {
    self % divisor < 0 ? self / divisor - 1 : self / divisor
  }
}

extension Int64 {
  /// Of nanoseconds, rounded down.
  var wholeSeconds: Int { Int(self).floored(by: 1_000_000_000) }
  /// Of nanoseconds, what ``wholeSeconds`` leaves: 0 to 999,999,999.
  var beyondSeconds: Int { Int((self % 1_000_000_000 + 1_000_000_000) % 1_000_000_000) }

  /// Nanoseconds of seconds and what is beyond them, cut to what int64 holds: times at the edges are as good
  /// as any to ask for.
  static func nanoseconds(_ seconds: Int, beyond: Int = 0) -> Int64 {
    Int64(clamping: Int128(seconds) * 1_000_000_000 + Int128(beyond))
  }
}
