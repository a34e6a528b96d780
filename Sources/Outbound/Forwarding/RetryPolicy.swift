import Codecs

/// When a push is tried again. Waits come from the schedule, or from Loki when it asks for one.
package struct RetryPolicy: Sendable, Hashable {
  /// Seconds before the first, second, … retry.
  package var delaysSeconds: [Double] = [5, 10, 20]
  /// Seconds before each retry after those: the tenant is parked.
  package var parkedSeconds = 60.0
  /// A wait is longer than said by up to this share, by chance, so that tenants do not come back all at once.
  package var jitterRatio = 0.1
  /// The longest wait Loki may ask for.
  package var retryAfterSecondsMax = 3600.0

  /// What holds unless it is configured.
  package init() {}

  /// Whether the retry after `failures` failures in a row (from 1) is one out of the parking place.
  package func isParked(failures: Int) -> Bool { failures > delaysSeconds.count }

  /// Nanoseconds to wait after `failures` failures in a row (from 1).
  ///
  /// - Parameters:
  ///   - asked: Seconds Loki asked for, nil if it did not.
  ///   - chance: A random number.
  package func wait(failures: Int, asked: Double?, chance: UInt64) -> Int64 {
    let scheduled = isParked(failures: failures) ? parkedSeconds : delaysSeconds[max(failures, 1) - 1]
    let seconds = asked.map { min(max($0, 1), retryAfterSecondsMax) } ?? scheduled
    let share = Double(chance >> 11) / Double(UInt64(1) << 53)
    return Int64(seconds * (1 + jitterRatio * share) * 1e9)
  }
}

/// Reads the header `Retry-After` (RFC 9110 §10.2.3).
package enum RetryAfter {
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  /// Seconds from `now` (ns since 1970): of a number of seconds, or of a date in the preferred form
  /// (`Sun, 06 Nov 1994 08:49:37 GMT`; 0 if it is past). nil for anything else.
  package static func seconds(_ text: String, now: Int64) -> Double? {
    let text = text.utf8.drop { $0 == 0x20 }
    if let number = number(text.prefix { $0 != 0x20 }), text.count < 10 { return Double(number) }
    guard let date = date(String(Substring(text))) else { return nil }
    return max(0, Double(date) - Double(now) / 1e9)
  }

  /// Seconds since 1970.
  private static func date(_ text: String) -> Int? {
    let words = text.split(separator: " ")
    guard words.count == 6, words[0].hasSuffix(","), words[5] == "GMT",
      let day = number(words[1].utf8), let year = number(words[3].utf8), (1970...9999).contains(year),
      let month = months.firstIndex(of: String(words[2])), (1...31).contains(day)
    else { return nil }
    let clock = words[4].split(separator: ":")
    guard clock.count == 3, let hour = number(clock[0].utf8), let minute = number(clock[1].utf8),
      let second = number(clock[2].utf8), hour < 24, minute < 60, second <= 60
    else { return nil }
    let days = CivilDate(year: year, month: month + 1, day: day).days
    return days * 86_400 + hour * 3600 + minute * 60 + second
  }

  private static func number(_ digits: Substring.UTF8View) -> Int? {
    guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int(String(Substring(digits)))
  }
}
