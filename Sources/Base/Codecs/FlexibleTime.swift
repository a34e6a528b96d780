import Records

/// Times as lenient APIs take them: RFC 3339, the same without a zone (UTC), a date alone
/// (midnight UTC), or a number since 1970 (``UnixTime``).
package enum FlexibleTime {
  private static let bytesMax = 512

  /// nil: not one of them, or not between the years 1677 and 2262.
  package static func nanoseconds(_ text: String) -> Int64? { nanoseconds(bytes: Array(text.utf8)) }

  /// As ``nanoseconds(_:)-(String)``, of UTF-8.
  static func nanoseconds(bytes: [UInt8]) -> Int64? {
    number(bytes) ?? shown(bytes) { RFC3339.parse($0) }
  }

  /// The times that are shown as `text` where fractions are cut to some digits: so that a time that was shown
  /// is found, whatever else is kept of it. At the ends of what there is as much of that as there is.
  ///
  /// - Parameter width: What the last digit shown stands for, a power of ten up to 1e9 nanoseconds.
  package static func range(_ text: String, of width: Int64) -> ClosedRange<Int64>? {
    let bytes = Array(text.utf8)
    if let time = number(bytes) {
      let first = time.flooredTime(by: width)
      // From the time itself: the first of the first ones is not to be had.
      let rest = time % width
      return first...time.addingClamped(width - 1 - (rest < 0 ? rest + width : rest))
    }
    return RFC3339.range(
      first: shown(bytes) { RFC3339.parse($0, cutTo: width, isLast: false) },
      last: shown(bytes) { RFC3339.parse($0, cutTo: width, isLast: true) })
  }

  /// Whether the text looks like a date without a time: four digits, a dash, and so on.
  package static func isDate(_ text: String) -> Bool {
    let bytes = Array(text.utf8)
    return bytes.count == 10 && bytes[4] == UInt8(ascii: "-") && bytes[7] == UInt8(ascii: "-")
  }

  /// What `parse` takes of a text in one of the forms, made RFC 3339.
  private static func shown(_ bytes: [UInt8], _ parse: (Span<UInt8>) -> Int64?) -> Int64? {
    var text = bytes
    guard text.count <= bytesMax else { return nil }
    let isDate = text.count == 10
    if text.count > 10, text[10] == UInt8(ascii: " ") || text[10] == UInt8(ascii: "_") {
      text[10] = UInt8(ascii: "T")
    }
    if let time = parse(text.span) { return time }
    text.append(UInt8(ascii: "Z"))
    if let time = parse(text.span) { return time }
    guard isDate else { return nil }
    let midnight = bytes + Array("T00:00:00Z".utf8)
    return parse(midnight.span)
  }

  /// A number as text.
  private static func number(_ bytes: [UInt8]) -> Int64? {
    guard bytes.count <= bytesMax, let first = bytes.first else { return nil }
    guard first == UInt8(ascii: "+") else { return UnixTime.nanoseconds(bytes.span) }
    let rest = Array(bytes.dropFirst())
    return rest.first == UInt8(ascii: "-") ? nil : UnixTime.nanoseconds(rest.span)
  }

  /// Why a text is no time, in a few words.
  package static func reason(_ text: String) -> String {
    let bytes = Array(text.utf8)
    if bytes.count < 10 { return "input is too short" }
    if !bytes[..<4].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return "invalid character in year" }
    return "not a time between the years 1677 and 2262"
  }
}
