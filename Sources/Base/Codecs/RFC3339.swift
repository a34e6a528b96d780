import Records

/// Times as text (RFC 3339) and as nanoseconds since 1970-01-01T00:00:00Z.
///
/// Read: `2026-11-19T10:20:30.123456789Z`; `T`, `t` or one space between date and time; any number of
/// fraction digits, those after the ninth cut off; `Z`, `z` or an offset of up to ±23:59. The instant must
/// fit Int64 nanoseconds: 1677-09-21T00:12:43.145224192Z to 2262-04-11T23:47:16.854775807Z. A leap second
/// (`:60` at the end of a day in UTC) reads as the last nanosecond before it: refusing it would lose real
/// records, rolling it over would move them into the next day.
public enum RFC3339 {
  /// The nanoseconds `text` stands for, or nil if it is no such time or out of range.
  public static func parse(_ text: Span<UInt8>) -> Int64? {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return nil }
      return unsafe parse(base, bytes.count)
    }
  }

  /// The nanoseconds `text` stands for, or nil if it is no such time or out of range.
  package static func parse(_ text: String) -> Int64? { parse(Array(text.utf8).span) }

  /// As ``parse(_:)-(Span)`` over `count` readable bytes.
  @unsafe
  static func parse(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
    guard let (seconds, nanoseconds) = unsafe instant(text, count) else { return nil }
    return combine(seconds: seconds, nanoseconds: nanoseconds)
  }

  /// The first or the last of the times that are shown as `text` where the fraction is cut to multiples of
  /// `width`, a power of ten up to 1e9; nil as ``parse(_:)-(Span)``.
  static func parse(_ text: Span<UInt8>, cutTo width: Int64, isLast: Bool) -> Int64? {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress, let (seconds, nanoseconds) = unsafe instant(base, bytes.count)
      else {
        return nil
      }
      let first = nanoseconds / Int(width) * Int(width)
      return combine(seconds: seconds, nanoseconds: isLast ? first + Int(width) - 1 : first)
    }
  }

  /// The times that are shown as `text`, as ``parse(_:cutTo:isLast:)`` has them; cut to those there are. nil
  /// if it is no time in RFC 3339, or there is none of them.
  package static func range(_ text: String, of width: Int64) -> ClosedRange<Int64>? {
    let bytes = Array(text.utf8)
    return range(
      first: parse(bytes.span, cutTo: width, isLast: false),
      last: parse(bytes.span, cutTo: width, isLast: true)
    )
  }

  /// Between two times of one text, of which one may lie beyond what there is.
  static func range(first: Int64?, last: Int64?) -> ClosedRange<Int64>? {
    switch (first, last) {
    case (let first?, let last?): first...last
    case (let first?, nil): first...(.max)
    case (nil, let last?): .min...last
    case (nil, nil): nil
    }
  }

  /// Seconds since 1970 and the nanoseconds in the second; nil for what is no time.
  @inline(__always)
  @unsafe
  private static func instant(
    _ text: UnsafePointer<UInt8>, _ count: Int
  ) -> (seconds: Int, nanoseconds: Int)? {
    // Shortest: `YYYY-MM-DDTHH:MM:SSZ`. All fixed offsets below are under 20.
    guard count >= 20 else { return nil }
    let raw = unsafe UnsafeRawPointer(text)
    let date = unsafe UInt64(littleEndian: raw.loadUnaligned(as: UInt64.self))
    let time = unsafe UInt64(littleEndian: raw.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
    // `....-..-` and `..x..:..`
    guard (date ^ 0x2D00_002D_0000_0000) & 0xFF00_00FF_0000_0000 == 0,
      (time ^ 0x0000_3A00_0000_0000) & 0x0000_FF00_0000_0000 == 0
    else { return nil }
    let separator = UInt8(truncatingIfNeeded: time >> 16)
    guard separator | 0x20 == 0x74 || separator == 0x20 else { return nil }
    // Separators become 0, digits their values; anything above 9 raises a top bit.
    let d = (date & 0x00FF_FF00_FFFF_FFFF) ^ 0x0030_3000_3030_3030
    let t = (time & 0xFFFF_00FF_FF00_FFFF) ^ 0x3030_0030_3000_3030
    let limit: UInt64 = 0x7676_7676_7676_7676
    let top: UInt64 = 0x8080_8080_8080_8080
    let s10 = unsafe UInt64(text[17] ^ 0x30)
    let s1 = unsafe UInt64(text[18] ^ 0x30)
    guard (d | ((d & ~top) &+ limit) | t | ((t & ~top) &+ limit)) & top == 0, s10 <= 9, s1 <= 9,
      unsafe text[16] == 0x3A
    else { return nil }
    let year = Int(byte(d, 0) * 1000 + byte(d, 1) * 100 + byte(d, 2) * 10 + byte(d, 3))
    let month = Int(byte(d, 5) * 10 + byte(d, 6))
    let day = Int(byte(t, 0) * 10 + byte(t, 1))
    let hour = Int(byte(t, 3) * 10 + byte(t, 4))
    let minute = Int(byte(t, 6) * 10 + byte(t, 7))
    var second = Int(s10 * 10 + s1)
    guard hour < 24, minute < 60, second <= 60,
      isValid(year: year, month: month, day: day)
    else { return nil }
    var at = 19
    guard var nanoseconds = unsafe fraction(text, count, &at) else { return nil }
    let isLeap = second == 60
    if isLeap {
      second = 59
      nanoseconds = 999_999_999
    }
    guard let offset = unsafe offsetSeconds(text, count, at) else { return nil }
    let seconds =
      CivilDate(year: year, month: month, day: day).days * 86_400 + hour * 3_600 + minute * 60 + second
      - offset
    // The last second of a day in UTC; the remainder of a negative count of seconds is negative.
    if isLeap, (seconds + 1) % 86_400 != 0 { return nil }
    return (seconds, nanoseconds)
  }

  /// The fraction at `at`, in nanoseconds, 0 without one; nil if a point has no digit after it. Moves
  /// behind it.
  @unsafe
  private static func fraction(_ text: UnsafePointer<UInt8>, _ count: Int, _ at: inout Int) -> Int? {
    guard at < count, unsafe text[at] == 0x2E else { return 0 }
    at += 1
    var value = 0
    var digits = 0
    while at < count {
      let digit = unsafe text[at] &- 0x30
      if digit > 9 { break }
      if digits < 9 {
        value = value &* 10 &+ Int(digit)
        digits &+= 1
      }
      at &+= 1
    }
    guard digits > 0 else { return nil }
    while digits < 9 {
      value &*= 10
      digits &+= 1
    }
    return value
  }

  /// Seconds east of UTC of the zone at `at`, which must be the rest of the text.
  @unsafe
  private static func offsetSeconds(_ text: UnsafePointer<UInt8>, _ count: Int, _ at: Int) -> Int? {
    guard at < count else { return nil }
    let sign = unsafe text[at]
    if sign | 0x20 == 0x7A { return at + 1 == count ? 0 : nil }
    guard sign == 0x2B || sign == 0x2D, at + 6 == count else { return nil }
    // Within bounds: exactly six bytes are left.
    let h10 = unsafe Int(text[at + 1] ^ 0x30)
    let h1 = unsafe Int(text[at + 2] ^ 0x30)
    let m10 = unsafe Int(text[at + 4] ^ 0x30)
    let m1 = unsafe Int(text[at + 5] ^ 0x30)
    guard h10 <= 9, h1 <= 9, m10 <= 9, m1 <= 9, unsafe text[at + 3] == 0x3A else { return nil }
    let hours = h10 * 10 + h1
    let minutes = m10 * 10 + m1
    guard hours < 24, minutes < 60 else { return nil }
    let seconds = hours * 3_600 + minutes * 60
    return sign == 0x2D ? -seconds : seconds
  }

  @inline(__always)
  private static func byte(_ word: UInt64, _ index: UInt64) -> UInt64 { (word >> (index * 8)) & 0xFF }

  private static func isValid(year: Int, month: Int, day: Int) -> Bool {
    guard month >= 1, month <= 12, day >= 1 else { return false }
    if day <= 28 { return true }
    if month == 2 {
      let leap = year & 3 == 0 && (year % 100 != 0 || year % 400 == 0)
      return day == 29 && leap
    }
    // April, June, September and November have 30 days.
    return day <= (0b1010_0101_0000 >> month & 1 == 1 ? 30 : 31)
  }

  /// seconds * 1e9 + nanoseconds if that fits Int64. Near the lower end the product alone would not.
  private static func combine(seconds: Int, nanoseconds: Int) -> Int64? {
    var seconds = seconds
    var rest = nanoseconds
    if seconds < 0, rest > 0 {
      seconds += 1
      rest -= 1_000_000_000
    }
    let (whole, overflow) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, beyond) = whole.addingReportingOverflow(Int64(rest))
    return overflow || beyond ? nil : sum
  }

  /// Appends `nanoseconds` in UTC with `Z`: no fraction, or 3, 6 or 9 digits of it, as few as are exact.
  public static func append(_ nanoseconds: Int64, to bytes: inout [UInt8]) {
    unsafe withText(nanoseconds) { unsafe bytes.append(contentsOf: $0) }
  }

  /// `nanoseconds` as text in UTC: no fraction, or 3, 6 or 9 digits of it, as few as are exact.
  package static func format(_ nanoseconds: Int64) -> [UInt8] {
    unsafe withText(nanoseconds) { unsafe Array($0) }
  }

  /// As ``format(_:)``, as a string.
  package static func string(_ nanoseconds: Int64) -> String {
    unsafe withText(nanoseconds) { unsafe String(decoding: $0, as: UTF8.self) }
  }

  @unsafe
  private static func withText<R>(_ nanoseconds: Int64, _ body: (UnsafeBufferPointer<UInt8>) -> R) -> R {
    unsafe withUnsafeTemporaryAllocation(of: UInt8.self, capacity: textBytesMax) { buffer in
      // Within bounds: the buffer has `textBytesMax` bytes.
      guard let base = buffer.baseAddress else { bug("a temporary buffer has memory") }
      let count = unsafe write(nanoseconds, to: base)
      return unsafe body(UnsafeBufferPointer(start: base, count: count))
    }
  }

  /// The most bytes ``write(_:to:)`` writes.
  static let textBytesMax = 32

  /// Writes the text of `nanoseconds` to `out`, which has room for ``textBytesMax`` bytes; returns its
  /// length.
  @unsafe
  static func write(_ nanoseconds: Int64, to out: UnsafeMutablePointer<UInt8>) -> Int {
    var (seconds, rest) = nanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    if rest < 0 {
      rest += 1_000_000_000
      seconds -= 1
    }
    // Days since 0000-03-01, positive for all of Int64's range: so division rounds downwards.
    let shifted = Int(seconds) + 719_468 * 86_400
    let (day, second) = shifted.quotientAndRemainder(dividingBy: 86_400)
    let date = CivilDate(days: day &- 719_468)
    unsafe pair(date.year / 100, out)
    unsafe pair(date.year % 100, out + 2)
    unsafe out[4] = 0x2D
    unsafe pair(date.month, out + 5)
    unsafe out[7] = 0x2D
    unsafe pair(date.day, out + 8)
    unsafe out[10] = 0x54
    unsafe pair(second / 3_600, out + 11)
    unsafe out[13] = 0x3A
    unsafe pair(second / 60 % 60, out + 14)
    unsafe out[16] = 0x3A
    unsafe pair(second % 60, out + 17)
    guard rest != 0 else {
      unsafe out[19] = 0x5A
      return 20
    }
    var value = Int(rest)
    var digits = 9
    while value % 1_000 == 0 {
      value /= 1_000
      digits -= 3
    }
    unsafe out[19] = 0x2E
    for place in stride(from: digits, to: 0, by: -1) {
      unsafe out[19 + place] = UInt8(truncatingIfNeeded: 0x30 + value % 10)
      value /= 10
    }
    unsafe out[20 + digits] = 0x5A
    return 21 + digits
  }

  @inline(__always)
  @unsafe
  private static func pair(_ value: Int, _ out: UnsafeMutablePointer<UInt8>) {
    unsafe out[0] = UInt8(truncatingIfNeeded: 0x30 &+ value / 10)
    unsafe out[1] = UInt8(truncatingIfNeeded: 0x30 &+ value % 10)
  }
}
