import Codecs

/// Days, weeks, months, quarters and years of the proleptic Gregorian calendar, in UTC shifted by a fixed offset.
struct CalendarDate: Sendable, Hashable {
  enum Unit: String, Sendable {
    case second, minute, hour, day, week, month, quarter, year
  }

  var year: Int
  var month: Int
  var day: Int

  private static let dayNanoseconds: Int64 = 86_400_000_000_000

  /// The date of a day counted from 1970-01-01 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
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

  /// The first moment of the unit `steps` after the one that `time` lies in, in nanoseconds since 1970, cut to what int64 holds.
  static func start(of unit: Unit, at time: Int64, plus steps: Int = 0, offset: Int64) -> Int64 {
    let local = time.plus(offset)
    func floor(_ width: Int64) -> Int64 {
      let rest = local % width
      // At most 100,000 days lie in `steps`: the product is within int64.
      return local.plus(-(rest < 0 ? rest + width : rest)).plus(Int64(steps) * width).plus(-offset)
    }
    switch unit {
    case .second: return floor(1_000_000_000)
    case .minute: return floor(60_000_000_000)
    case .hour: return floor(3_600_000_000_000)
    case .day: return floor(dayNanoseconds)
    case .week, .month, .quarter, .year: break
    }
    let rest = local % dayNanoseconds
    let day = Int((local - rest) / dayNanoseconds) - (rest < 0 ? 1 : 0)
    let date = CalendarDate(days: day)
    let start =
      switch unit {
      // 1970-01-01 was a Thursday; weeks begin on Mondays (ISO 8601).
      case .week: day - ((day + 3) % 7 + 7) % 7 + steps * 7
      case .month: CalendarDate(year: date.year, month: date.month + steps, day: 1).days
      case .quarter:
        CalendarDate(year: date.year, month: (date.month - 1) / 3 * 3 + 1 + steps * 3, day: 1).days
      default: CalendarDate(year: date.year + steps, month: 1, day: 1).days
      }
    let (nanoseconds, isBeyond) = Int64(start).multipliedReportingOverflow(by: dayNanoseconds)
    return isBeyond ? (start < 0 ? .min : .max) : nanoseconds.plus(-offset)
  }
}

extension Int64 {
  /// The sum, cut to what int64 holds: times at the edges are as good as any to ask for.
  func plus(_ other: Int64) -> Int64 {
    let (sum, isBeyond) = addingReportingOverflow(other)
    return isBeyond ? (other > 0 ? .max : .min) : sum
  }
}
