import Codecs
import Records

/// Bodies that are one object with the records in one of its members.
extension BodyScan {
  /// One object whose one member, `name`, is the array of records.
  mutating func scanEnvelope(
    _ body: [UInt8], from start: Int, member name: String
  ) throws(DecodingError) {
    var at = JSONScanner.skipSpace(body.span, from: start)
    guard at < body.count else { throw DecodingError(entry: nil, byte: at, field: nil, reason: .empty) }
    let absent = DecodingError(entry: nil, byte: at, field: name, reason: .missing)
    guard body[at] == UInt8(ascii: "{") else {
      // What a list holds changes nothing.
      if body[at] != UInt8(ascii: "[") { _ = try BodyScan.skip(body, at) }
      throw absent
    }
    var isFound = false
    at = JSONScanner.skipSpace(body.span, from: at + 1)
    var isFirst = true
    while true {
      if isFirst, at < body.count, body[at] == UInt8(ascii: "}") { break }
      isFirst = false
      let (isRecords, end, value) = try key(body, at, isEqualTo: name)
      if isRecords {
        guard !isFound else {
          throw DecodingError(entry: nil, byte: at, field: name, reason: .repeatedName)
        }
        isFound = true
        guard value < body.count, body[value] == UInt8(ascii: "[") else {
          _ = try BodyScan.skip(body, value)
          throw DecodingError(
            entry: nil, byte: value, field: name, reason: .wrongType(expected: "an array"))
        }
        guard let end = try scanArray(body.span, value) else { return }
        at = end
      } else {
        _ = try BodyScan.skip(body, value)
        throw DecodingError(
          entry: nil, byte: at, field: JSONScanner.string(body.span, at..<end).told,
          reason: .unknownField)
      }
      at = JSONScanner.skipSpace(body.span, from: at)
      guard at < body.count else { throw DecodingError(entry: nil, byte: at, field: nil, reason: .truncated) }
      if body[at] == UInt8(ascii: "}") { break }
      guard body[at] == UInt8(ascii: ",") else {
        throw DecodingError(entry: nil, byte: at, field: nil, reason: .syntax(.commaOrBrace))
      }
      at = JSONScanner.skipSpace(body.span, from: at + 1)
    }
    let rest = JSONScanner.skipSpace(body.span, from: at + 1)
    guard rest == body.count else {
      throw DecodingError(entry: nil, byte: rest, field: nil, reason: .trailingContent)
    }
    guard isFound else { throw absent }
    if entryCount == 0 { throw DecodingError(entry: nil, byte: at, field: name, reason: .empty) }
  }

  /// Whether the key at `at` is `name`, where it ends, and where its value starts.
  private func key(
    _ body: [UInt8], _ at: Int, isEqualTo name: String
  ) throws(DecodingError) -> (isEqual: Bool, end: Int, value: Int) {
    guard at < body.count, body[at] == UInt8(ascii: "\"") else {
      throw DecodingError(
        entry: nil, byte: at, field: nil, reason: at < body.count ? .syntax(.key) : .truncated)
    }
    let end = try BodyScan.skip(body, at)
    // An escape has six bytes at most for one that it stands for.
    let isEqual =
      end - at <= name.utf8.count * 6 + 2 && JSONScanner.string(body.span, at..<end).hasBytes(of: name)
    let colon = JSONScanner.skipSpace(body.span, from: end)
    guard colon < body.count, body[colon] == UInt8(ascii: ":") else {
      throw DecodingError(
        entry: nil, byte: colon, field: nil, reason: colon < body.count ? .syntax(.colon) : .truncated)
    }
    return (isEqual, end, JSONScanner.skipSpace(body.span, from: colon + 1))
  }

  /// Checks the value at `start` and builds nothing; returns the offset behind it.
  private static func skip(_ body: [UInt8], _ start: Int) throws(DecodingError) -> Int {
    var reader = JSONReader(body, from: start)
    do throws(JSONTree.SyntaxError) { try reader.skip() } catch {
      let byte = error.offsetBytes
      throw DecodingError(
        entry: nil, byte: byte, field: nil, reason: byte >= body.count ? .truncated : .syntax(.value))
    }
    return reader.at
  }
}
