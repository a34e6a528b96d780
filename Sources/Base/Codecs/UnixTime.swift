/// Times as numbers: seconds since 1970, or milliseconds where those would lie behind the year 2600.
package enum UnixTime {
  private static let secondsMax = 20_000_000_000.0

  /// Nanoseconds, rounded to microseconds; nil: not finite, or not between the years 1677 and 2262.
  package static func nanoseconds(_ number: Double) -> Int64? {
    guard number.isFinite else { return nil }
    let seconds = abs(number) > secondsMax ? number / 1000 : number
    let whole = seconds.rounded(.down)
    guard abs(whole) < 9_223_372_035 else { return nil }
    return Int64(whole) * 1_000_000_000 + Int64(((seconds - whole) * 1e6).rounded()) * 1_000
  }
}
