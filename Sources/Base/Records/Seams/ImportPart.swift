/// A piece of something long that is stored in pieces, in order: only where it follows what is stored, and
/// once.
///
/// The store keeps the last piece of each import for a month, with the rows it stands for: what was sent
/// before an interruption is known however long that was. See Docs/decisions/0026-progress-of-imports.md.
package struct ImportPart: Sendable, Hashable {
  package static let nameBytesMax = 128
  package static let noteBytesMax = 64

  /// What the sender calls the import: 1 to 128 bytes.
  package let name: String
  /// Where the piece lies in what is imported, in the sender's unit; not negative.
  package let range: Range<Int64>
  /// The sender's own, at most 64 bytes: comes back to whoever goes on.
  package let note: String
  /// Stored whatever is known of the import: it begins anew. Not part of what the piece is.
  package let restarts: Bool

  package init(name: String, range: Range<Int64>, note: String, restarts: Bool = false) {
    self.name = name
    self.range = range
    self.note = note
    self.restarts = restarts
  }

  /// Whether this is `other`, sent again.
  package func repeats(_ other: ImportPart) -> Bool { range == other.range && note == other.note }

  /// Whether this is to be stored when `last` was the last stored.
  package func follows(_ last: ImportPart?) -> Bool {
    restarts || range.lowerBound == last?.range.upperBound ?? 0
  }
}

extension ImportPart {
  /// Stands in a key entry where a hash of the body stands else: `cordwood-import1`.
  package static let mark = Array("cordwood-import1".utf8)

  /// What a key entry keeps beside the name: the range's ends (8 bytes each, little-endian), the note's
  /// length (1 byte), the note.
  package var bytes: [UInt8] {
    let ends = [range.lowerBound, range.upperBound]
    return ends.flatMap { end in (0..<8).map { UInt8(truncatingIfNeeded: end >> Int64(8 * $0)) } }
      + [UInt8(note.utf8.count)] + Array(note.utf8)
  }

  /// Reads what ``bytes`` wrote, whatever follows it; nil for anything else.
  package init?(name: String, bytes: [UInt8]) {
    guard bytes.count >= 17, bytes.count >= 17 + Int(bytes[16]) else { return nil }
    let ends = [0, 8].map { start in
      (0..<8).reduce(Int64(0)) { $0 | Int64(bytes[start + $1]) << Int64(8 * $1) }
    }
    guard ends[0] >= 0, ends[0] <= ends[1] else { return nil }
    self.init(
      name: name, range: ends[0]..<ends[1],
      note: String(decoding: bytes[17..<17 + Int(bytes[16])], as: UTF8.self))
  }
}
