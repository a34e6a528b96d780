import Codecs
import Records

/// How time is cut into the buckets of an answer.
package enum TimeBucket: Sendable, Hashable {
  /// A whole unit of the calendar; weeks begin on Monday (ISO 8601).
  package enum Unit: String, Sendable, Hashable, CaseIterable {
    case day, week, month, quarter, year
  }

  /// Of one width, aligned to 1970 UTC; `nanoseconds` is above 0.
  case fixed(nanoseconds: Int64)
  /// By the calendar of a clock that is `utcOffsetSeconds` ahead of UTC all year.
  case calendar(Unit, utcOffsetSeconds: Int)
  /// By what a clock shows that may be set meanwhile.
  case local(LocalBucket)

  /// No clock is further from UTC than 18 hours.
  package static let utcOffsetSecondsMax = 64_800

  static let second: Int64 = 1_000_000_000

  /// The second since 1970 that a nanosecond lies in.
  static func second(of time: Int64) -> Int { floorDivide(Int(time), Int(second)) }

  /// What the bucket of `time` is known by, its start in nanoseconds since 1970 unless it is local, and its
  /// range.
  func place(of time: Int64) -> (key: Int64, range: ClosedRange<Int64>) {
    if case .local(let bucket) = self { return bucket.place(of: time) }
    let range = range(of: time)
    return (range.lowerBound, range)
  }

  /// The bucket `time` lies in: its first and last nanosecond since 1970, both included, cut to what int64
  /// holds. Of local ones the part of it around `time` in which the clock is not set.
  func range(of time: Int64) -> ClosedRange<Int64> {
    switch self {
    case .fixed(let width):
      let start = GroupCounter.bucketStart(time, width: width)
      let rest = time % width
      let (last, isLate) = time.addingReportingOverflow(width - 1 - (rest >= 0 ? rest : rest + width))
      return start...(isLate ? .max : last)
    case .calendar(let unit, let offset):
      let local = TimeBucket.floorDivide(Int(time), Int(TimeBucket.second)) + offset
      let days = unit.days(around: TimeBucket.floorDivide(local, 86_400))
      let (start, isEarly) = Int64(days.lowerBound * 86_400 - offset)
        .multipliedReportingOverflow(by: TimeBucket.second)
      let (end, isLate) = Int64(days.upperBound * 86_400 - offset)
        .multipliedReportingOverflow(by: TimeBucket.second)
      return (isEarly ? .min : start)...(isLate ? .max : end - 1)
    case .local(let bucket): return bucket.place(of: time).range
    }
  }

  /// The widest fixed buckets that these are unions of, from ``partsFrom`` on: what block summaries are asked
  /// for.
  var partNanoseconds: Int64 {
    switch self {
    case .fixed(let width): return width
    case .calendar(_, let offset):
      let seconds = [86_400, 3_600, 900, 60].first { offset.isMultiple(of: $0) } ?? 1
      return Int64(seconds) * TimeBucket.second
    case .local(let bucket): return bucket.parts.width
    }
  }

  /// What answers give for a bucket: its start, or a local one's key.
  var keyType: ColumnType {
    guard case .local = self else { return .timestamp }
    return .int64
  }

  /// From when on, in nanoseconds since 1970, buckets are unions of parts; rows before are to be read.
  var partsFrom: Int64 {
    guard case .local(let bucket) = self else { return .min }
    return bucket.parts.from
  }

  /// The bucket as plans print it.
  var text: String {
    switch self {
    case .fixed(let width): "bucket of \(width) ns"
    case .calendar(let unit, 0): "bucket of a \(unit.rawValue)"
    case .calendar(let unit, let offset):
      "bucket of a \(unit.rawValue) at UTC\(offset < 0 ? "" : "+")\(offset) s"
    case .local(let bucket): bucket.text
    }
  }

  static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}

extension TimeBucket.Unit {
  /// The days since 1970 of the unit that `day` lies in.
  func days(around day: Int) -> Range<Int> {
    switch self {
    case .day: return day..<day + 1
    case .week:
      // 1970-01-01 was a Thursday.
      let monday = TimeBucket.floorDivide(day + 3, 7) * 7 - 3
      return monday..<monday + 7
    case .month: return months(around: day, count: 1)
    case .quarter: return months(around: day, count: 3)
    case .year: return months(around: day, count: 12)
    }
  }

  private func months(around day: Int, count: Int) -> Range<Int> {
    let first = Self.monthNumber(ofDay: day) / count * count
    return Self.firstDay(ofMonth: first)..<Self.firstDay(ofMonth: first + count)
  }

  /// Months since January of the year 0. Days of int64's years only.
  private static func monthNumber(ofDay day: Int) -> Int {
    let date = CivilDate(days: day)
    return date.year * 12 + date.month - 1
  }

  private static func firstDay(ofMonth number: Int) -> Int {
    CivilDate(year: number / 12, month: number % 12 + 1, day: 1).days
  }
}
