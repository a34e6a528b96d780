/// RFC 3339 times in filters.
enum TimestampText {
  /// Nanoseconds since 1970 of `2025-01-31T12:00:00.123456789Z` or with an offset; nil if it is none or outside
  /// the years 1677 to 2262. A leap second is the second after; digits beyond the ninth are dropped.
  static func parse(_ text: [UInt8]) -> Int64? {
    func number(_ range: Range<Int>) -> Int? {
      guard range.upperBound <= text.count else { return nil }
      var value = 0
      for byte in text[range] {
        guard byte >= 0x30 && byte <= 0x39 else { return nil }
        value = value * 10 + Int(byte - 0x30)
      }
      return value
    }
    guard text.count >= 20, let year = number(0..<4), let month = number(5..<7), let day = number(8..<10),
      let hour = number(11..<13), let minute = number(14..<16), let second = number(17..<19),
      text[4] == 0x2D, text[7] == 0x2D, [0x54, 0x74, 0x20].contains(text[10]), text[13] == 0x3A,
      text[16] == 0x3A,
      (1...12).contains(month), day >= 1, day <= daysIn(month, year), hour < 24, minute < 60, second <= 60
    else { return nil }
    var index = 19
    var nanoseconds = 0
    if text[index] == 0x2E {
      index += 1
      let start = index
      while index < text.count, text[index] >= 0x30 && text[index] <= 0x39 { index += 1 }
      guard index > start else { return nil }
      for place in 0..<9 {
        nanoseconds = nanoseconds * 10 + (start + place < index ? Int(text[start + place] - 0x30) : 0)
      }
    }
    guard index < text.count else { return nil }
    var offset = 0
    if text[index] == 0x5A || text[index] == 0x7A {
      guard index + 1 == text.count else { return nil }
    } else {
      guard text[index] == 0x2B || text[index] == 0x2D, text.count == index + 6, text[index + 3] == 0x3A,
        let hours = number(index + 1..<index + 3), let minutes = number(index + 4..<index + 6), hours < 24,
        minutes < 60
      else { return nil }
      offset = (hours * 60 + minutes) * (text[index] == 0x2B ? 60 : -60)
    }
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
    let (scaled, isTooFar) = Int64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
    let (total, isBeyond) = scaled.addingReportingOverflow(Int64(nanoseconds))
    return isTooFar || isBeyond ? nil : total
  }

  private static func daysIn(_ month: Int, _ year: Int) -> Int {
    let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
  }

  /// Days since 1970-01-01 in the Gregorian calendar; years start in March so that the leap day comes last.
  private static func days(_ year: Int, _ month: Int, _ day: Int) -> Int {
    let shifted = month > 2 ? year : year - 1
    let era = (shifted >= 0 ? shifted : shifted - 399) / 400
    let yearOfEra = shifted - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }
}

/// UUIDs in filters.
enum UUIDText {
  /// The 16 bytes of `018f…-…` with hyphens in their places, in either case; nil if it is none.
  static func parse(_ text: [UInt8]) -> [UInt8]? {
    guard text.count == 36 else { return nil }
    var bytes: [UInt8] = []
    var high: UInt8?
    for (index, byte) in text.enumerated() {
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == 0x2D else { return nil }
        continue
      }
      guard let digit = Unicode.Scalar(byte).hexDigit else { return nil }
      if let first = high {
        bytes.append(first << 4 | UInt8(digit))
        high = nil
      } else {
        high = UInt8(digit)
      }
    }
    return bytes
  }
}
