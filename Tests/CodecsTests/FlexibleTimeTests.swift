import Codecs
import Testing

@Suite struct FlexibleTimeTests {
  @Test(
    arguments: [
      ("1793491200", 1_793_491_200_000_000_000), ("1793491200.5", 1_793_491_200_500_000_000),
      ("1793491200500", 1_793_491_200_500_000_000), ("1793491200500000", 1_793_491_200_500_000_000),
      ("1793491200500000000", 1_793_491_200_500_000_000), ("1.7934912005e9", 1_793_491_200_500_000_000),
      ("1793491200.1234567899", 1_793_491_200_123_456_789), ("0", 0), ("-0.0", 0), ("0e99", 0),
      ("1e-9", 1), ("1e-10", 0), ("1e-99999", 0), ("-1.5", -1_500_000_000),
      ("20000000000.1", 20_000_000_000_100_000), ("20000000000001", 20_000_000_000_001_000),
      ("20000000000000001", 20_000_000_000_000_001), ("-20000000000000001", -20_000_000_000_000_001),
      ("9223372036854775807", .max), ("-9223372036854775808", .min), ("9223372036.854775807", .max),
      ("-9223372036.854775808", .min), ("9223372036854775.807", .max), ("-9223372036854.775808", .min),
      ("9223372036854775808", nil), ("-9223372036854775809", nil), ("9223372036.854775808", nil),
      ("20000000000", nil), ("20000000000000", nil), ("1e30", nil), ("1e999999999", nil),
      ("99999999999999999999", nil),
      ("", nil), ("-", nil), ("1.", nil), ("x", nil), ("0x10", nil), ("nan", nil), ("2026-01-01", nil),
    ] as [(String, Int64?)])
  func numbersAreTimesByTheirSize(_ text: String, _ nanoseconds: Int64?) {
    #expect(UnixTime.nanoseconds(Array(text.utf8).span) == nanoseconds)
    #expect(
      text.isEmpty || text == "2026-01-01"
        || FlexibleTime.nanoseconds("+" + text) == (text.hasPrefix("-") ? nil : nanoseconds))
  }

  /// What is shown of a time, cut, is the range that the time lies in; at both ends too.
  @Test(
    arguments: [
      .min, .min + 1, .min + 191, .min + 192, .min + 999_999, -1, 0, 999, 1_780_000_000_123_456_789,
      .max - 807, .max,
    ] as [Int64],
    [1_000, 1_000_000, 1_000_000_000] as [Int64])
  func whatIsShownFindsItsTime(_ time: Int64, _ width: Int64) throws {
    let rest = (Int128(time) % Int128(width) + Int128(width)) % Int128(width)
    let (low, high) = (Int128(time) - rest, Int128(time) - rest + Int128(width) - 1)
    let expected = Int64(clamping: low)...Int64(clamping: high)
    var text = RFC3339.string(time)
    if let point = text.firstIndex(of: ".") {
      let digits = ["1000": 6, "1000000": 3, "1000000000": 0]["\(width)"] ?? 0
      let fraction = text[text.index(after: point)...].dropLast().prefix(digits)
      text = text[..<point] + (fraction.isEmpty ? "" : "." + fraction) + "Z"
    }
    #expect(FlexibleTime.range(text, of: width) == expected, "\(text)")
    #expect(RFC3339.range(text, of: width) == expected)
    #expect(FlexibleTime.range(String(text.dropLast()), of: width) == expected)
    #expect(FlexibleTime.range("\(time)", of: width) == expected || abs(Double(time)) < 2e16)
  }

  @Test func aDateHasDashes() {
    #expect(FlexibleTime.isDate("2026-01-01"))
    for text in ["1767247200", "2026-01-1", "2026-01-01T", "2026/01/01", ""] {
      #expect(!FlexibleTime.isDate(text))
    }
    #expect(FlexibleTime.range("nope", of: 1_000) == nil)
    #expect(FlexibleTime.range("9999-01-01T00:00:00Z", of: 1_000) == nil)
  }
}
