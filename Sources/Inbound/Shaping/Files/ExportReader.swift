/// It is no stream of entries of systemd's journal: what follows means nothing.
package struct ExportFault: Error, Sendable, Hashable {
  /// Where in what was read.
  package let offset: Int
  /// For people.
  package let what: String

  init(at offset: Int, _ what: String) { (self.offset, self.what) = (offset, what) }

  /// For people: where, and what.
  package var reason: String { "at byte \(offset): \(what)" }
}

/// A field of an entry.
package struct ExportField {
  package let name: Range<Int>
  package let value: Range<Int>
}

/// Reads entries of systemd's journal in its export format, one after the other: fields as `NAME=value` and a
/// line feed or, where the value has one or is no text, `NAME`, a line feed, the value's length in eight
/// bytes, the least first, the value, and a line feed. An empty line ends an entry.
package struct ExportReader {
  /// Longer names are none: without a length before it, what has no line feed would be looked at for ever.
  private static let nameBytesMax = 256

  private let body: [UInt8]
  private let isLast: Bool
  /// Behind the last entry that was read.
  package private(set) var at = 0

  package init(_ body: [UInt8], isLast: Bool) { (self.body, self.isLast) = (body, isLast) }

  /// The fields of the next entry, none for an empty line; nil: there is no whole one any more.
  package mutating func next() throws(ExportFault) -> [ExportField]? {
    guard at < body.count else { return nil }
    var fields: [ExportField] = []
    var place = at
    while place < body.count {
      if body[place] == 0x0A {
        at = place + 1
        return fields
      }
      guard let found = try field(place) else {
        guard !isLast else { throw ExportFault(at: place, "the body ends within a field") }
        return nil
      }
      fields.append(found.field)
      place = found.end
    }
    guard isLast else { return nil }
    at = place
    return fields
  }

  /// The field at `start` and where the next begins; nil: it is not whole.
  private func field(_ start: Int) throws(ExportFault) -> (field: ExportField, end: Int)? {
    var place = start
    let most = start + ExportReader.nameBytesMax
    while place < body.count, body[place] != 0x0A, body[place] != UInt8(ascii: "=") {
      place += 1
      guard place <= most else { throw ExportFault(at: start, "a name of more than 256 bytes") }
    }
    guard place < body.count else { return nil }
    let name = start..<place
    guard !name.isEmpty else { throw ExportFault(at: start, "a field without a name") }
    if body[place] == UInt8(ascii: "=") {
      guard let end = body[place...].firstIndex(of: 0x0A) else { return nil }
      return (ExportField(name: name, value: place + 1..<end), end + 1)
    }
    let from = place + 9
    guard from <= body.count else { return nil }
    let count = (0..<8).reduce(UInt64(0)) { $0 | UInt64(body[place + 1 + $1]) << UInt64(8 * $1) }
    guard count < 1 << 40 else { throw ExportFault(at: place + 1, "a length that is none") }
    let end = from + Int(count)
    guard end < body.count else { return nil }
    guard body[end] == 0x0A else { throw ExportFault(at: end, "no line feed behind a value") }
    return (ExportField(name: name, value: from..<end), end + 1)
  }
}
