import Codecs
import Records

/// Times as programs write them into logs.
///
/// - a number since 1970, told by its size (``UnixTime``): `1764504000.25`
/// - the year first, `-` or `/` in the date; `T`, `_`, `:` or blanks before the time; `.` or `,` before a
///   fraction: `2025-11-30 12:00:00,250`
/// - the day first, the month by name (RFC 5322, RFC 1123, CLF): `Sun, 30 Nov 2025 12:00:00 GMT`,
///   `30/Nov/2025:12:00:00 +0100`; with dots by number: `30.11.2025 12:00:00`
/// - the month first, by name (asctime, syslog): `Sun Nov 30 12:00:00 2025`, `Nov 30 12:00:00`
///
/// A zone is `Z`, `UTC`, `GMT` or an offset with or without a colon; other names of zones are not known,
/// since they mean several. Other months as numbers behind or before days (`03/04/2025`) are not read: they
/// mean two days.
package struct LogTime: Sendable, Hashable {
  /// What times without a zone are of: seconds east of UTC.
  package let offsetSeconds: Int
  /// Times without a year are the nearest to it: nanoseconds since 1970.
  package let now: Int64

  /// - Parameter offsetSeconds: Of times without a zone, within a day.
  package init(offsetSeconds: Int = 0, now: Int64) {
    self.offsetSeconds = offsetSeconds
    self.now = now
  }

  /// Longer texts are no times.
  package static let bytesMax = 64

  /// Nanoseconds since 1970, digits below them cut off. nil: none of the forms, or not between the years 1677
  /// and 2262.
  package func nanoseconds(_ text: Span<UInt8>) -> Int64? {
    guard text.count <= LogTime.bytesMax else { return nil }
    if let time = UnixTime.nanoseconds(text) { return time }
    var reading = TimeReading()
    guard reading.read(text), let instant = reading.instant(offsetSeconds) else { return nil }
    if reading.hasYear { return instant.nanoseconds }
    return nearest(reading)
  }

  /// As ``nanoseconds(_:)-(Span)``.
  package func nanoseconds(_ text: String) -> Int64? { nanoseconds(Array(text.utf8).span) }

  /// The time of the year that puts it nearest to now: what was written on the last day of December and comes
  /// in January is of the year before.
  private func nearest(_ reading: TimeReading) -> Int64? {
    let year = CivilDate(days: Int(now / 86_400_000_000_000)).year
    var best: Int64?
    for candidate in year - 1...year + 1 {
      var reading = reading
      reading.year = candidate
      // The 29th of February is of leap years alone.
      guard let time = reading.instant(offsetSeconds)?.nanoseconds else { continue }
      if best.map({ time.gap(to: now) < $0.gap(to: now) }) ?? true { best = time }
    }
    return best
  }
}

extension Int64 {
  /// How far apart two times are.
  fileprivate func gap(to other: Int64) -> UInt64 {
    self >= other ? UInt64(bitPattern: self &- other) : UInt64(bitPattern: other &- self)
  }
}

/// The parts of a time, as they are read from left to right.
private struct TimeReading {
  var year = 0
  var hasYear = false
  private var month = 0
  private var day = 0
  private var hour = 0
  private var minute = 0
  private var second = 0
  private var nanosecond = 0
  /// nil: none was said.
  private var zone: Int?
  private var at = 0

  /// An instant, which may lie beyond what 64 bits hold.
  struct Instant {
    var seconds: Int
    var nanosecond: Int

    var nanoseconds: Int64? {
      // Downwards from the second above where it is negative, so that the least there is passes.
      let (whole, rest) =
        seconds < 0 ? (seconds + 1, Int64(nanosecond) - 1_000_000_000) : (seconds, Int64(nanosecond))
      let (product, isBeyond) = Int64(whole).multipliedReportingOverflow(by: 1_000_000_000)
      let (sum, isOver) = product.addingReportingOverflow(rest)
      return isBeyond || isOver ? nil : sum
    }
  }

  /// nil: there is no such day, hour, minute or second.
  func instant(_ offsetSeconds: Int) -> Instant? {
    let date = CivilDate(year: year, month: month, day: day)
    guard (1...12).contains(month), day >= 1, hour < 24, minute < 60, second <= 60,
      !hasYear && year == 0 || CivilDate(days: date.days) == date
    else { return nil }
    let whole = date.days * 86_400 + hour * 3_600 + minute * 60 - (zone ?? offsetSeconds)
    // A leap second is the last nanosecond before it, as in RFC 3339 here.
    return second == 60
      ? Instant(seconds: whole + 59, nanosecond: 999_999_999)
      : Instant(seconds: whole + second, nanosecond: nanosecond)
  }

  // MARK: Forms

  mutating func read(_ text: Span<UInt8>) -> Bool {
    let isBracketed = take("[", text)
    guard date(text), isBracketed ? take("]", text) : true else { return false }
    return at == text.count
  }

  private mutating func date(_ text: Span<UInt8>) -> Bool {
    if let number = digits(text, 4...4) { return yearFirst(number, text) }
    if let number = digits(text, 1...2) { return dayFirst(number, text) }
    guard let word = letters(text) else { return false }
    if TimeReading.isWeekday(word) {
      _ = take(",", text)
      guard blanks(text) else { return false }
      if let number = digits(text, 1...2) { return dayFirst(number, text) }
      guard let word = letters(text) else { return false }
      return monthFirst(word, text)
    }
    return monthFirst(word, text)
  }

  private mutating func yearFirst(_ number: Int, _ text: Span<UInt8>) -> Bool {
    guard at < text.count, text[at] == UInt8(ascii: "-") || text[at] == UInt8(ascii: "/") else {
      return false
    }
    (year, hasYear) = (number, true)
    let separator = text[at]
    at += 1
    guard let month = digits(text, 1...2), at < text.count, text[at] == separator else { return false }
    at += 1
    guard let day = digits(text, 1...2) else { return false }
    (self.month, self.day) = (month, day)
    if at == text.count { return true }
    guard take("T", text) || take("t", text) || take("_", text) || take(":", text) || blanks(text) else {
      return false
    }
    return clock(text) && zone(text)
  }

  private mutating func dayFirst(_ number: Int, _ text: Span<UInt8>) -> Bool {
    day = number
    if take(".", text) { return dotted(text) }
    guard take("/", text) || take("-", text) || blanks(text), named(letters(text)),
      take("/", text) || take("-", text) || blanks(text), let year = digits(text, 4...4)
    else { return false }
    (self.year, hasYear) = (year, true)
    guard take(":", text) || blanks(text) else { return false }
    return clock(text) && zone(text)
  }

  /// Behind the day and a dot: month and year as numbers.
  private mutating func dotted(_ text: Span<UInt8>) -> Bool {
    guard let month = digits(text, 1...2), take(".", text), let year = digits(text, 4...4) else {
      return false
    }
    (self.month, self.year, hasYear) = (month, year, true)
    if at == text.count { return true }
    _ = take(",", text)
    return blanks(text) && clock(text) && zone(text)
  }

  private mutating func monthFirst(_ word: [UInt8], _ text: Span<UInt8>) -> Bool {
    guard named(word), blanks(text), let day = digits(text, 1...2) else { return false }
    self.day = day
    _ = take(",", text)
    guard blanks(text) else { return false }
    if let year = year(text) {
      (self.year, hasYear) = (year, true)
      guard blanks(text) else { return false }
      return clock(text) && zone(text)
    }
    guard clock(text), zone(text) else { return false }
    let end = at
    if blanks(text), let year = digits(text, 4...4) { (self.year, hasYear) = (year, true) } else { at = end }
    return true
  }

  /// Four digits that no colon follows.
  private mutating func year(_ text: Span<UInt8>) -> Int? {
    let start = at
    if let year = digits(text, 4...4), at < text.count, text[at] == 0x20 { return year }
    at = start
    return nil
  }

  private mutating func clock(_ text: Span<UInt8>) -> Bool {
    guard let hour = digits(text, 1...2), take(":", text), let minute = digits(text, 2...2) else {
      return false
    }
    (self.hour, self.minute) = (hour, minute)
    guard take(":", text) else { return true }
    guard let second = digits(text, 2...2) else { return false }
    self.second = second
    guard take(".", text) || take(",", text) else { return true }
    var width = 100_000_000
    let start = at
    while at < text.count, let digit = TimeReading.digit(text[at]) {
      nanosecond += digit * width
      width /= 10
      at += 1
    }
    return at > start
  }

  private mutating func zone(_ text: Span<UInt8>) -> Bool {
    let end = at
    _ = blanks(text)
    guard at < text.count else {
      at = end
      return true
    }
    let sign = text[at]
    if sign == UInt8(ascii: "+") || sign == UInt8(ascii: "-") {
      at += 1
      guard let offset = offset(text), offset / 100 < 24, offset % 100 < 60 else { return false }
      let seconds = (offset / 100 * 60 + offset % 100) * 60
      zone = sign == UInt8(ascii: "+") ? seconds : -seconds
      return true
    }
    let word = letters(text) ?? []
    if [[0x7A], Array("utc".utf8), Array("gmt".utf8)].contains(word) { zone = 0 } else { at = end }
    return true
  }

  /// Hours and minutes as a number of four digits: `05:30`, `0530` or `05`.
  private mutating func offset(_ text: Span<UInt8>) -> Int? {
    if let both = digits(text, 4...4) { return both }
    guard let hours = digits(text, 2...2) else { return nil }
    guard take(":", text) else { return hours * 100 }
    return digits(text, 2...2).map { hours * 100 + $0 }
  }

  // MARK: Parts

  private static func digit(_ byte: UInt8) -> Int? { (0x30...0x39).contains(byte) ? Int(byte - 0x30) : nil }

  /// A number of so many digits, no more of them behind it.
  private mutating func digits(_ text: Span<UInt8>, _ count: ClosedRange<Int>) -> Int? {
    var (value, end) = (0, at)
    while end < text.count, end - at <= count.upperBound, let digit = TimeReading.digit(text[end]) {
      value = value * 10 + digit
      end += 1
    }
    guard count.contains(end - at) else { return nil }
    at = end
    return value
  }

  /// Letters, in lower case.
  private mutating func letters(_ text: Span<UInt8>) -> [UInt8]? {
    var word: [UInt8] = []
    while at < text.count, (0x61...0x7A).contains(text[at] | 0x20), word.count < 12 {
      word.append(text[at] | 0x20)
      at += 1
    }
    return word.isEmpty ? nil : word
  }

  private mutating func take(_ character: Unicode.Scalar, _ text: Span<UInt8>) -> Bool {
    guard at < text.count, UInt32(text[at]) == character.value else { return false }
    at += 1
    return true
  }

  private mutating func blanks(_ text: Span<UInt8>) -> Bool {
    let start = at
    while at < text.count, text[at] == 0x20 { at += 1 }
    return at > start
  }

  private mutating func named(_ word: [UInt8]?) -> Bool {
    guard let word, word.count >= 3,
      let index = TimeReading.months.firstIndex(where: { $0.starts(with: word) })
    else { return false }
    month = index + 1
    return true
  }

  private static func isWeekday(_ word: [UInt8]) -> Bool {
    word.count >= 3 && weekdays.contains { $0.starts(with: word) }
  }

  private static let months = [
    "january", "february", "march", "april", "may", "june", "july", "august", "september", "october",
    "november", "december",
  ].map { Array($0.utf8) }
  private static let weekdays = [
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday",
  ].map { Array($0.utf8) }
}
