import Codecs

/// A time that stands in a line, read where it begins; where it ends is told by what it is.
///
/// The forms are those of `LogTime`, and those that only files have: two digits of a year (Spark's
/// `17/06/09 20:10:40`, HDFS' `081109 203615`), none (logcat's `03-17 16:13:38.811`), dots (`2005.06.03`).
struct LineClock {
  enum Zone: Hashable {
    /// None was said.
    case none
    /// A name that several have (`CET`).
    case unknown
    /// Seconds east of UTC.
    case offset(Int)
  }

  private(set) var hasYear = false
  private(set) var year = 0
  private(set) var month = 0
  private(set) var day = 0
  private(set) var hour = 0
  private(set) var minute = 0
  private(set) var second = 0
  private(set) var nanosecond = 0
  private(set) var zone = Zone.none
  /// Of a number since 1970; nil: it is a date.
  private(set) var epoch: Int64?

  var isValid: Bool {
    (1...12).contains(month) && (1...31).contains(day) && hour < 24 && minute < 60 && second <= 60
  }

  /// Reads the time at `scan`, with its zone, and goes behind it.
  ///
  /// - Returns: false: there is none; `scan` is where it was.
  mutating func read(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    let start = scan.at
    let first = scan.peek(text)
    let isRead =
      first.isDigit ? readDigits(text, &scan) : first.isLetter ? readWords(text, &scan) : false
    if !isRead { scan.at = start }
    return isRead
  }

  /// klog's: month and day in four digits, which were read, and the time of day here.
  mutating func readKlog(_ text: Span<UInt8>, _ date: Range<Int>, _ scan: inout LineScan) -> Bool {
    month = LineClock.number(text, date.lowerBound..<date.lowerBound + 2)
    day = LineClock.number(text, date.lowerBound + 2..<date.upperBound)
    return isValid && clock(text, &scan)
  }

  // MARK: Digits first

  private mutating func readDigits(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    let start = scan.at
    guard let digits = scan.digits(text, max: 20) else { return false }
    let next = scan.peek(text)
    switch digits.count {
    case 4:
      guard next == UInt8(ascii: "-") || next == UInt8(ascii: "/") || next == UInt8(ascii: ".") else {
        return false
      }
      return readYearFirst(text, &scan, LineClock.number(text, digits), next)
    case 8 where next == UInt8(ascii: "-") || next == UInt8(ascii: "T") || next == 0x20:
      return readPlainDate(text, &scan, digits)
    case 6 where next == 0x20: return readShortDate(text, &scan, digits)
    case 1, 2:
      switch next {
      case UInt8(ascii: "/"): return readSlashes(text, &scan, digits)
      case UInt8(ascii: "-"): return readDashes(text, &scan, digits)
      case 0x20: return readDayFirst(text, &scan, digits, separator: 0x20)
      case UInt8(ascii: "."): return readDots(text, &scan, digits)
      default: return false
      }
    case 10, 13, 16, 19:
      scan.at = start
      return readEpoch(text, &scan)
    default: return false
    }
  }

  private mutating func readYearFirst(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ year: Int, _ separator: UInt8
  ) -> Bool {
    scan.at += 1
    guard let month = two(text, &scan), scan.peek(text) == separator else { return false }
    scan.at += 1
    guard let day = two(text, &scan) else { return false }
    (self.year, hasYear, self.month, self.day) = (year, true, month, day)
    switch scan.peek(text) {
    case UInt8(ascii: "T"), UInt8(ascii: "t"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: ":"):
      scan.at += 1
    case 0x20: scan.skipBlanks(text)
    default: return false
    }
    return clock(text, &scan)
  }

  /// `20171223-22:15:29:606`, `20251130T120000`
  private mutating func readPlainDate(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>
  ) -> Bool {
    let start = digits.lowerBound
    (year, hasYear) = (LineClock.number(text, start..<start + 4), true)
    month = LineClock.number(text, start + 4..<start + 6)
    day = LineClock.number(text, start + 6..<start + 8)
    scan.at += 1
    guard isValid else { return false }
    return packedClock(text, &scan) || clock(text, &scan)
  }

  /// `081109 203615`, `081109 20:36:15`: the year's last two digits first.
  private mutating func readShortDate(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>
  ) -> Bool {
    let start = digits.lowerBound
    year = LineClock.century(LineClock.number(text, start..<start + 2))
    hasYear = true
    month = LineClock.number(text, start + 2..<start + 4)
    day = LineClock.number(text, start + 4..<start + 6)
    scan.skipBlanks(text)
    guard isValid else { return false }
    return packedClock(text, &scan) || clock(text, &scan)
  }

  /// `30/Nov/2025:12:00:00 +0100` or Spark's `17/06/09 20:10:40`; `03/04/2025` means two days.
  private mutating func readSlashes(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>
  ) -> Bool {
    if scan.peek(text, 1).isLetter {
      return readDayFirst(text, &scan, digits, separator: UInt8(ascii: "/"))
    }
    guard digits.count == 2 else { return false }
    scan.at += 1
    guard let month = two(text, &scan), scan.take("/", text), let day = two(text, &scan),
      scan.peek(text) == 0x20
    else { return false }
    scan.skipBlanks(text)
    (year, hasYear) = (LineClock.century(LineClock.number(text, digits)), true)
    (self.month, self.day) = (month, day)
    return isValid && clock(text, &scan)
  }

  /// `30-Nov-2025 12:00:00` or logcat's `03-17 16:13:38.811`
  private mutating func readDashes(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>
  ) -> Bool {
    if scan.peek(text, 1).isLetter {
      return readDayFirst(text, &scan, digits, separator: UInt8(ascii: "-"))
    }
    return readMonthDay(text, &scan, digits, separator: UInt8(ascii: "-"))
  }

  /// `30.11.2025 12:00:00`, the day first, as all write it who write dots; Proxifier's `10.30 16:49:06`, the
  /// month first.
  private mutating func readDots(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>
  ) -> Bool {
    let start = scan
    scan.at += 1
    if let month = scan.digits(text, max: 2), scan.take(".", text),
      let year = scan.digits(text, max: 5), year.count == 4
    {
      (day, self.month) = (LineClock.number(text, digits), LineClock.number(text, month))
      (self.year, hasYear) = (LineClock.number(text, year), true)
      _ = scan.take(",", text)
      scan.skipBlanks(text)
      return isValid && clock(text, &scan)
    }
    scan = start
    return readMonthDay(text, &scan, digits, separator: UInt8(ascii: "."))
  }

  /// Month and day in two digits each, no year.
  private mutating func readMonthDay(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>, separator: UInt8
  ) -> Bool {
    guard digits.count == 2, scan.peek(text) == separator else { return false }
    scan.at += 1
    guard let day = two(text, &scan), scan.peek(text) == 0x20 else { return false }
    scan.at += 1
    (month, self.day) = (LineClock.number(text, digits), day)
    return isValid && clock(text, &scan)
  }

  private mutating func readDayFirst(
    _ text: Span<UInt8>, _ scan: inout LineScan, _ digits: Range<Int>, separator: UInt8
  ) -> Bool {
    guard scan.peek(text) == separator else { return false }
    scan.at += 1
    guard let month = self.month(text, &scan), scan.peek(text) == separator else { return false }
    scan.at += 1
    guard let year = scan.digits(text, max: 5), year.count == 4 else { return false }
    (day, self.month) = (LineClock.number(text, digits), month)
    (self.year, hasYear) = (LineClock.number(text, year), true)
    guard scan.take(":", text) || scan.take(" ", text) else { return false }
    return clock(text, &scan)
  }

  /// Seconds, milliseconds, microseconds or nanoseconds, by their digits.
  private mutating func readEpoch(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    let start = scan.at
    guard scan.digits(text) != nil else { return false }
    if scan.peek(text) == UInt8(ascii: "."), scan.peek(text, 1).isDigit {
      scan.at += 1
      _ = scan.digits(text, max: 9)
    }
    switch scan.peek(text) {
    case 0x20, 0x09, 0, UInt8(ascii: "]"), UInt8(ascii: "|"), UInt8(ascii: ","), UInt8(ascii: ":"): break
    default: return false
    }
    epoch = UnixTime.nanoseconds(text.extracting(start..<scan.at))
    return epoch != nil
  }

  // MARK: Words first

  /// `Sun Nov 30 12:00:00.25 2025`, `Sun, 30 Nov 2025 12:00:00 GMT`, `Nov 30 12:00:00`
  private mutating func readWords(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    if LineClock.isWeekday(text, at: scan.at) {
      scan.at += 3
      while scan.peek(text).isLetter { scan.at += 1 }
      _ = scan.take(",", text)
      guard scan.peek(text) == 0x20 else { return false }
      scan.skipBlanks(text)
      if let digits = scan.digits(text, max: 2) {
        return readDayFirst(text, &scan, digits, separator: scan.peek(text))
      }
    }
    guard let month = self.month(text, &scan), scan.peek(text) == 0x20 else { return false }
    scan.skipBlanks(text)
    guard let day = two(text, &scan) else { return false }
    _ = scan.take(",", text)
    guard scan.peek(text) == 0x20 else { return false }
    scan.skipBlanks(text)
    (self.month, self.day) = (month, day)
    var ahead = scan
    if let year = ahead.digits(text, max: 5), year.count == 4, ahead.peek(text) == 0x20 {
      (self.year, hasYear) = (LineClock.number(text, year), true)
      ahead.skipBlanks(text)
      scan = ahead
    }
    guard clock(text, &scan) else { return false }
    if !hasYear { yearBehind(text, &scan) }
    return true
  }

  /// ` 2025` behind the time, before a blank, a bracket or the end.
  private mutating func yearBehind(_ text: Span<UInt8>, _ scan: inout LineScan) {
    var ahead = scan
    guard ahead.take(" ", text), let year = ahead.digits(text, max: 5), year.count == 4,
      ahead.isAtEnd || ahead.peek(text) == UInt8(ascii: "]") || ahead.peek(text) == 0x20
    else { return }
    let number = LineClock.number(text, year)
    guard (1970...2261).contains(number) else { return }
    (self.year, hasYear) = (number, true)
    scan = ahead
  }

  private func month(_ text: Span<UInt8>, _ scan: inout LineScan) -> Int? {
    guard scan.at + 3 <= scan.end else { return nil }
    let word = LineClock.three(text, scan.at)
    guard let index = LineClock.months.firstIndex(of: word) else { return nil }
    scan.at += 3
    while scan.peek(text).isLetter { scan.at += 1 }
    return index + 1
  }

  // MARK: The time of day

  /// `12:00:00`, `12:00`, `15.42.50`, with a fraction behind `.`, `,` or `:`, and a zone.
  private mutating func clock(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    guard let hour = two(text, &scan) else { return false }
    let separator = scan.peek(text)
    guard separator == UInt8(ascii: ":") || separator == UInt8(ascii: ".") else { return false }
    scan.at += 1
    guard let minute = two(text, &scan) else { return false }
    (self.hour, self.minute) = (hour, minute)
    guard scan.peek(text) == separator, scan.peek(text, 1).isDigit else {
      zone = Zone(text, &scan)
      return separator == UInt8(ascii: ":") && isValid
    }
    scan.at += 1
    guard let second = two(text, &scan) else { return false }
    self.second = second
    fraction(text, &scan)
    zone = Zone(text, &scan)
    return isValid
  }

  /// `203615`
  private mutating func packedClock(_ text: Span<UInt8>, _ scan: inout LineScan) -> Bool {
    var ahead = scan
    guard let digits = ahead.digits(text, max: 7), digits.count == 6 else { return false }
    let start = digits.lowerBound
    hour = LineClock.number(text, start..<start + 2)
    minute = LineClock.number(text, start + 2..<start + 4)
    second = LineClock.number(text, start + 4..<start + 6)
    guard isValid else { return false }
    scan = ahead
    fraction(text, &scan)
    zone = Zone(text, &scan)
    return true
  }

  private mutating func fraction(_ text: Span<UInt8>, _ scan: inout LineScan) {
    switch scan.peek(text) {
    case UInt8(ascii: "."), UInt8(ascii: ","), UInt8(ascii: ":"): break
    default: return
    }
    guard scan.peek(text, 1).isDigit else { return }
    scan.at += 1
    if text[scan.at - 1] == UInt8(ascii: ":") {
      // Milliseconds as a number: `:9` is nine of them.
      guard let digits = scan.digits(text, max: 3) else { return }
      nanosecond = LineClock.number(text, digits) * 1_000_000
      return
    }
    var width = 100_000_000
    while scan.at < scan.end, text[scan.at].isDigit {
      nanosecond += Int(text[scan.at] & 15) * width
      width /= 10
      scan.at += 1
    }
  }

  // MARK: Parts

  /// One or two digits, no more behind them.
  private func two(_ text: Span<UInt8>, _ scan: inout LineScan) -> Int? {
    let first = scan.peek(text)
    guard first.isDigit else { return nil }
    let second = scan.peek(text, 1)
    guard second.isDigit else {
      scan.at += 1
      return Int(first & 15)
    }
    guard !scan.peek(text, 2).isDigit else { return nil }
    scan.at += 2
    return Int(first & 15) * 10 + Int(second & 15)
  }

  static func number(_ text: Span<UInt8>, _ digits: Range<Int>) -> Int {
    var value = 0
    for index in digits { value = value &* 10 &+ Int(text[index] & 15) }
    return value
  }

  /// As POSIX has it: 69 to 99 are of the last century.
  private static func century(_ year: Int) -> Int { year < 69 ? 2_000 + year : 1_900 + year }

  private static func three(_ text: Span<UInt8>, _ at: Int) -> UInt32 {
    UInt32(text[at] | 0x20) << 16 | UInt32(text[at + 1] | 0x20) << 8 | UInt32(text[at + 2] | 0x20)
  }

  private static func isWeekday(_ text: Span<UInt8>, at start: Int) -> Bool {
    start + 3 <= text.count && weekdays.contains(three(text, start))
  }

  private static func packed(_ names: String) -> [UInt32] {
    names.utf8.split(separator: 0x20).map { $0.reduce(0) { $0 << 8 | UInt32($1) } }
  }

  private static let months = packed("jan feb mar apr may jun jul aug sep oct nov dec")
  private static let weekdays = packed("mon tue wed thu fri sat sun")
}

extension LineTimes {
  /// The time at `scan`, which goes behind it.
  ///
  /// - Returns: false: there is none. `line.time` stays nil where there is one that cannot be told, and its
  ///   text is among the fields.
  func read(_ text: Span<UInt8>, _ scan: inout LineScan, into line: inout ParsedLine) -> Bool {
    var clock = LineClock()
    let start = scan.at
    guard clock.read(text, &scan) else { return false }
    line.time = clock.epoch ?? nanoseconds(clock)
    if line.time == nil { line.unreadTime = start..<scan.at }
    return true
  }
}
