import Codecs

/// Times as lenient APIs take them: RFC 3339, the same without a zone (UTC), a date alone
/// (midnight UTC), or seconds or milliseconds since 1970.
package enum FlexibleTime {
  /// nil: not one of them, or not between the years 1677 and 2262.
  package static func nanoseconds(_ text: String) -> Int64? {
    var text = text
    let bytes = Array(text.utf8)
    if bytes.count > 10, bytes[10] == UInt8(ascii: " ") || bytes[10] == UInt8(ascii: "_") {
      text = String(decoding: bytes[..<10] + [UInt8(ascii: "T")] + bytes[11...], as: UTF8.self)
    }
    if let time = RFC3339.parse(text) ?? RFC3339.parse(text + "Z") { return time }
    if bytes.count == 10, let time = RFC3339.parse(text + "T00:00:00Z") { return time }
    // A number in quotes.
    guard let number = Double(text), text.utf8.allSatisfy({ $0 >= 0x2B && $0 <= 0x39 }) else { return nil }
    return nanoseconds(number)
  }

  package static func nanoseconds(_ number: Double) -> Int64? { UnixTime.nanoseconds(number) }

  /// Why a text is no time, in a few words.
  package static func reason(_ text: String) -> String {
    let bytes = Array(text.utf8)
    if bytes.count < 10 { return "input is too short" }
    if !bytes[..<4].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return "invalid character in year" }
    return "not a time between the years 1677 and 2262"
  }
}
