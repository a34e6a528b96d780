import Codecs
import Records

/// How time is cut into the buckets of an answer.
package enum TimeBucket: Sendable, Hashable {
  /// Of one width, aligned to 1970 UTC; `nanoseconds` is above 0.
  case fixed(nanoseconds: Int64)
  /// By what a clock shows that may be set meanwhile.
  case local(LocalBucket)

  /// By the calendar of a clock that is `utcOffsetSeconds` ahead of UTC all year. As no two of its buckets
  /// begin at one time, they are known by that.
  package static func calendar(_ unit: Unit, utcOffsetSeconds: Int) -> TimeBucket {
    .local(LocalBucket([unit], offsets: UTCOffsets(always: utcOffsetSeconds), isKnownByStart: true))
  }

  /// No clock is further from UTC than 18 hours.
  package static let utcOffsetSecondsMax = 64_800

  static let second: Int64 = 1_000_000_000

  /// The second since 1970 that a nanosecond lies in.
  static func second(of time: Int64) -> Int { floorDivide(Int(time), Int(second)) }

  /// What the bucket of `time` is known by, its start in nanoseconds since 1970 unless it is local, and its
  /// first and last nanosecond since 1970, both included, cut to what int64 holds. Of local ones the part of
  /// it around `time` in which the clock is not set.
  func place(of time: Int64) -> (key: Int64, range: ClosedRange<Int64>) {
    switch self {
    case .fixed(let width):
      let start = TimeBucket.start(of: time, width: width)
      let rest = time % width
      return (start, start...time.addingClamped(width - 1 - (rest >= 0 ? rest : rest + width)))
    case .local(let bucket): return bucket.place(of: time)
    }
  }

  /// The start of the bucket of a fixed width that `time` lies in, at the earliest where time begins.
  static func start(of time: Int64, width: Int64) -> Int64 { time.flooredTime(by: width) }

  /// As ``place(of:)`` has it.
  func range(of time: Int64) -> ClosedRange<Int64> { place(of: time).range }

  /// The widest fixed buckets that these are unions of, from ``partsFrom`` on: what block summaries are asked
  /// for.
  var partNanoseconds: Int64 {
    switch self {
    case .fixed(let width): width
    case .local(let bucket): bucket.parts.width
    }
  }

  /// What answers give for a bucket: its start, or a local one's key.
  var keyType: ColumnType {
    if case .local(let bucket) = self, !bucket.isKnownByStart { return .int64 }
    return .timestamp
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
    case .local(let bucket): bucket.text
    }
  }

  static func floorDivide(_ value: Int, _ divisor: Int) -> Int {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
  }
}

extension TimeBucket {
  /// What a clock and a calendar count; weeks begin on Monday (ISO 8601).
  package enum Unit: String, Sendable, Hashable, CaseIterable {
    case second, minute, hour, day, week, month, quarter, year

    /// Those that are whole days.
    package static let ofCalendar: [Unit] = [.day, .week, .month, .quarter, .year]

    /// The local seconds of the unit that `local` lies in. Years of int64's nanoseconds only.
    package func range(of local: Int) -> Range<Int> {
      switch self {
      case .second: Unit.range(of: local, width: 1)
      case .minute: Unit.range(of: local, width: 60)
      case .hour: Unit.range(of: local, width: 3_600)
      case .day: Unit.range(of: local, width: 86_400)
      // 1970-01-01 was a Thursday.
      case .week: Unit.range(of: local, width: 7 * 86_400, from: -3 * 86_400)
      case .month: Unit.months(around: local, count: 1)
      case .quarter: Unit.months(around: local, count: 3)
      case .year: Unit.months(around: local, count: 12)
      }
    }

    private static func range(of local: Int, width: Int, from first: Int = 0) -> Range<Int> {
      let start = TimeBucket.floorDivide(local - first, width) * width + first
      return start..<start + width
    }

    private static func months(around local: Int, count: Int) -> Range<Int> {
      let date = CivilDate(days: TimeBucket.floorDivide(local, 86_400))
      // Since January of the year 0.
      let first = (date.year * 12 + date.month - 1) / count * count
      return start(ofMonth: first)..<start(ofMonth: first + count)
    }

    private static func start(ofMonth number: Int) -> Int {
      CivilDate(year: number / 12, month: number % 12 + 1, day: 1).days * 86_400
    }
  }
}
