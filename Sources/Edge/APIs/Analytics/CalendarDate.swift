import Codecs
import Querying
import Routing

/// Days of the proleptic Gregorian calendar, and the units they make up.
struct CalendarDate: Sendable, Hashable {
  typealias Unit = LocalBucket.Unit

  var year: Int
  var month: Int
  var day: Int

  /// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date
  /// Algorithms").
  init(days: Int) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let march = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * march + 2) / 5 + 1
    month = march < 10 ? march + 3 : march - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  init(year: Int, month: Int, day: Int) {
    // Months beyond December carry into years.
    let months = year * 12 + month - 1
    self.year = months >= 0 ? months / 12 : (months - 11) / 12
    self.month = months - self.year * 12 + 1
    self.day = day
  }

  /// Days since 1970-01-01.
  var days: Int {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// The first moment of the unit `steps` after the one that `zone` shows at `time`, in nanoseconds since
  /// 1970, cut to what int64 holds. Days and longer are the calendar's; hours and shorter are stepped by
  /// their length, however the clock is set.
  ///
  /// - Parameter steps: From -100,000 to 100,001.
  static func start(of unit: Unit, at time: Int64, plus steps: Int = 0, zone: UTCOffsets) -> Int64 {
    let second = time.wholeSeconds
    let local = zone.local(second)
    let shown = unit.range(of: local)
    let first = CalendarDate(days: shown.lowerBound.floored(by: 86_400))
    let days: Int
    switch unit {
    case .second, .minute, .hour:
      return Int64.nanoseconds(second - (local - shown.lowerBound) + steps * shown.count)
    case .day: days = first.days + steps
    case .week: days = first.days + steps * 7
    case .month: days = CalendarDate(year: first.year, month: first.month + steps, day: 1).days
    case .quarter: days = CalendarDate(year: first.year, month: first.month + steps * 3, day: 1).days
    case .year: days = CalendarDate(year: first.year + steps, month: 1, day: 1).days
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
    let date = CalendarDate(days: days)
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
  /// The sum, cut to what int64 holds: times at the edges are as good as any to ask for.
  func plus(_ other: Int64) -> Int64 {
    let (sum, isBeyond) = addingReportingOverflow(other)
    return isBeyond ? (other > 0 ? .max : .min) : sum
  }

  /// Of nanoseconds, rounded down.
  var wholeSeconds: Int { Int(self).floored(by: 1_000_000_000) }
  /// Of nanoseconds, what ``wholeSeconds`` leaves: 0 to 999,999,999.
  var beyondSeconds: Int { Int((self % 1_000_000_000 + 1_000_000_000) % 1_000_000_000) }

  /// Nanoseconds, cut to what int64 holds.
  static func nanoseconds(_ seconds: Int) -> Int64 {
    let (product, isBeyond) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    return isBeyond ? (seconds < 0 ? .min : .max) : product
  }
}
