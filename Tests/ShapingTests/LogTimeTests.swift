import Codecs
import Shaping
import Testing

/// Times as programs write them.
@Suite struct LogTimeTests {
  /// 2025-11-30T12:00:00Z.
  static let noon: Int64 = 1_764_504_000_000_000_000
  static let second: Int64 = 1_000_000_000

  @Test(
    arguments: [
      // Numbers since 1970.
      ("1764504000", 0), ("1764504000.25", 250_000_000), ("1764504000250", 250_000_000),
      ("1764504000250000", 250_000_000), ("1764504000250000001", 250_000_001), ("1764504e3", 0),
      // Year first.
      ("2025-11-30T12:00:00Z", 0), ("2025-11-30t12:00:00.000000001z", 1), ("2025-11-30 12:00:00", 0),
      ("2025-11-30 12:00:00,25", 250_000_000), ("2025-11-30T13:00:00+01:00", 0),
      ("2025-11-30T13:00:00+0100", 0),
      ("2025-11-30T13:00:00+01", 0), ("2025-11-30 12:00:00.250 UTC", 250_000_000),
      ("2025-11-30 06:30:00 -0530", 0),
      ("2025/11/30 12:00:00", 0), ("2025/11/30 12:00:00.250000", 250_000_000), ("2025-11-30_12:00:00", 0),
      ("2025-11-30:12:00:00", 0), ("2025-11-30T12:00Z", 0), ("2025-11-30  12:00:00", 0),
      ("2025-11-30T12:00:00.0000000019Z", 1),
      // Day first.
      ("Sun, 30 Nov 2025 12:00:00 GMT", 0), ("30 Nov 2025 12:00:00", 0),
      ("30 November 2025 12:00:00 +0000", 0),
      ("30/Nov/2025:13:00:00 +0100", 0), ("[30/Nov/2025:12:00:00 +0000]", 0), ("30-Nov-2025 12:00:00 UTC", 0),
      ("30 Nov 2025 12:00:00.250", 250_000_000),
      // Month first.
      ("Nov 30 12:00:00", 0), ("Nov 30 12:00:00.250", 250_000_000), ("Sun Nov 30 12:00:00 2025", 0),
      ("Sun Nov 30 12:00:00 UTC 2025", 0), ("Nov 30 12:00:00 2025", 0), ("Nov 30 2025 12:00:00", 0),
      ("Nov 30, 2025 12:00:00", 0), ("[Sun Nov 30 12:00:00.25 2025]", 250_000_000),
    ] as [(String, Int64)])
  func formsAreRead(_ text: String, _ rest: Int64) {
    #expect(LogTime(now: LogTimeTests.noon).nanoseconds(text) == LogTimeTests.noon + rest, "\(text)")
  }

  @Test(arguments: [
    "", " ", "yesterday", "03/04/2025", "03/04/2025 12:00:00", "2025-13-01T00:00:00Z", "2025-02-29T00:00:00Z",
    "2025-11-31 00:00:00", "2025-11-30T24:00:00Z", "2025-11-30T12:60:00Z", "2025-11-30T12:00:61Z",
    "2025-11-30T12:00:00 CET", "2025-11-30T12:00:00+24:00", "2025-11-30T12:00:00+01:60",
    "2025-11-30T12:00:00.Z",
    "2025-11-30x12:00:00", "2025-11/30 12:00:00", "Nov 31 12:00:00", "Nov 0 12:00:00", "Foo 30 12:00:00",
    "Nov 30", "12:00:00", "30 Nov 25 12:00:00", "9999-01-01T00:00:00Z", "1601-01-01T00:00:00Z",
    "0000-00-00 00:00:00",
    "[2025-11-30T12:00:00Z", "2025-11-30T12:00:00Z]", "２０２５-11-30T12:00:00Z", "Nov\u{301} 30 12:00:00",
    String(repeating: "1", count: 65),
  ])
  func otherTextsAreNone(_ text: String) { #expect(LogTime(now: LogTimeTests.noon).nanoseconds(text) == nil) }

  /// Times without a zone are of the one that is set, others are not.
  @Test func zonesAreSet() {
    let india = LogTime(offsetSeconds: 19_800, now: LogTimeTests.noon)
    #expect(india.nanoseconds("2025-11-30 17:30:00") == LogTimeTests.noon)
    #expect(india.nanoseconds("Nov 30 17:30:00") == LogTimeTests.noon)
    #expect(india.nanoseconds("2025-11-30 12:00:00Z") == LogTimeTests.noon)
    #expect(india.nanoseconds("1764504000") == LogTimeTests.noon)
  }

  /// A time without a year is of the year that puts it nearest.
  @Test func newYearIsRolledOver() throws {
    let eve = try #require(RFC3339.parse("2025-12-31T23:59:58Z"))
    let day = try #require(RFC3339.parse("2026-01-01T00:00:02Z"))
    #expect(LogTime(now: day).nanoseconds("Dec 31 23:59:58") == eve)
    #expect(LogTime(now: eve).nanoseconds("Jan  1 00:00:02") == day)
    #expect(LogTime(now: eve).nanoseconds("Dec 31 23:59:58") == eve)
    let leap = try #require(RFC3339.parse("2024-02-29T00:00:00Z"))
    #expect(LogTime(now: leap).nanoseconds("Feb 29 00:00:00") == leap)
    // No such day within a year.
    #expect(
      LogTime(now: try #require(RFC3339.parse("2026-02-28T00:00:00Z"))).nanoseconds("Feb 29 00:00:00") == nil)
    for now in [Int64.min, .max] { _ = LogTime(now: now).nanoseconds("Feb 28 00:00:00") }
  }

  @Test func theEndsAreRead() {
    let times = LogTime(now: 0)
    #expect(times.nanoseconds("1677-09-21 00:12:43.145224192") == .min)
    #expect(times.nanoseconds("1677-09-21 00:12:43.145224191") == nil)
    #expect(times.nanoseconds("2262-04-11 23:47:16.854775807") == .max)
    #expect(times.nanoseconds("2262-04-11 23:47:16.854775808") == nil)
    #expect(times.nanoseconds("1969-12-31 23:59:59,5") == -500_000_000)
    #expect(times.nanoseconds("2016-12-31 23:59:60") == RFC3339.parse("2016-12-31T23:59:59.999999999Z"))
  }
}
