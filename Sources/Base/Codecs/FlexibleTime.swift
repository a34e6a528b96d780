/// Times as lenient APIs take them: RFC 3339, the same without a zone (UTC), a date alone
/// (midnight UTC), or seconds or milliseconds since 1970.
package enum FlexibleTime {
  /// nil: not one of them, or not between the years 1677 and 2262.
  package static func nanoseconds(_ text: String) -> Int64? { nanoseconds(bytes: Array(text.utf8)) }

  /// As ``nanoseconds(_:)-(String)``, of UTF-8.
  static func nanoseconds(bytes: [UInt8]) -> Int64? {
    // No form is longer than a few dozen bytes; numbers may be.
    var text = bytes
    let isDate = text.count == 10
    if text.count > 10, text[10] == UInt8(ascii: " ") || text[10] == UInt8(ascii: "_") {
      text[10] = UInt8(ascii: "T")
    }
    if let time = RFC3339.parse(text.span) { return time }
    text.append(UInt8(ascii: "Z"))
    if let time = RFC3339.parse(text.span) { return time }
    if isDate {
      let midnight = bytes + Array("T00:00:00Z".utf8)
      if let time = RFC3339.parse(midnight.span) { return time }
    }
    // A number in quotes.
    guard bytes.allSatisfy({ $0 >= 0x2B && $0 <= 0x39 }) else { return nil }
    return Double(String(decoding: bytes, as: UTF8.self)).flatMap { nanoseconds($0) }
  }

  /// The same of a number.
  package static func nanoseconds(_ number: Double) -> Int64? { UnixTime.nanoseconds(number) }

  /// Why a text is no time, in a few words.
  package static func reason(_ text: String) -> String {
    let bytes = Array(text.utf8)
    if bytes.count < 10 { return "input is too short" }
    if !bytes[..<4].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return "invalid character in year" }
    return "not a time between the years 1677 and 2262"
  }
}
