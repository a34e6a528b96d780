import Codecs
import Records

/// Entries of systemd's journal in its export format (`journalctl -o export`) as lines: each a record in the
/// columns of the dataset `logs`, as one that `systemd-journal-upload` sends is. Pure: the same bytes give
/// the same lines, in whatever pieces they come.
package struct ExportLines {
  /// A longer entry ends the reading: more would have to be kept than a file should make anybody keep.
  package static let entryBytesMax = 64 << 20
  /// From here on an entry that is not whole is looked at again only when there is half as much again.
  private static let eagerBytes = 1 << 20

  private var carry: [UInt8] = []
  private var wanted = 0
  /// Bytes before the carry.
  private var offset = 0
  /// What is wrong behind all lines that were given, with its place in all that was read; nothing comes then.
  package private(set) var fault: ExportFault?

  package init() {}

  /// Whether a file that begins so has such entries.
  package static func areIn(_ head: [UInt8]) -> Bool {
    head.drop { $0 == 0x0A }.starts(with: "__CURSOR=".utf8)
  }

  /// The lines of the entries that are whole with these bytes, up to a ``fault``: they are no such entries,
  /// or one is too long.
  ///
  /// - Parameter atEnd: No more bytes come: the last entry needs no empty line then.
  package mutating func decode(_ bytes: [UInt8], atEnd: Bool) -> [UInt8] {
    guard fault == nil else { return [] }
    carry += bytes
    guard atEnd || carry.count >= wanted else { return [] }
    var text = JSONWriter(capacity: carry.count * 2)
    var reader = ExportReader(carry, isLast: atEnd)
    do throws(ExportFault) {
      while let fields = try reader.next() {
        if fields.isEmpty { continue }
        text.beginObject()
        ExportEntry(fields, of: carry).write(to: &text)
        text.endObject()
        text.append(0x0A)
        text.beginLine()
      }
    } catch { fault = ExportFault(at: offset + error.offset, error.what) }
    carry.removeFirst(reader.at)
    offset += reader.at
    if fault == nil, carry.count > ExportLines.entryBytesMax {
      fault = ExportFault(at: offset, "an entry of more than \(ExportLines.entryBytesMax >> 20) MiB")
    }
    if fault != nil { carry = [] }
    wanted = carry.count < ExportLines.eagerBytes ? 0 : carry.count / 2 * 3
    return text.takeBytes()
  }
}
