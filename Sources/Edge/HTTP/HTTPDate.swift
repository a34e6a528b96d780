import Codecs
import Platform

/// The `Date` header's format (RFC 9110 §5.6.7).
enum HTTPDate {
  private static let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"]
  private static let months = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
  ]

  static func text(for clock: any WallClock) -> String {
    text(for: max(Int(clock.now() / 1_000_000_000), 0))
  }

  /// `Sat, 21 Nov 2026 05:46:59 GMT` for seconds since 1970, which must not be negative.
  static func text(for seconds: Int) -> String {
    let dayCount = seconds / 86_400
    let date = CivilDate(days: dayCount)
    return "\(days[dayCount % 7]), \(two(date.day)) \(months[date.month - 1]) \(date.year) "
      + "\(two(seconds / 3_600 % 24)):\(two(seconds / 60 % 60)):\(two(seconds % 60)) GMT"
  }

  private static func two(_ number: Int) -> String { number < 10 ? "0\(number)" : String(number) }
}
