/// What the bytes of a text index are (Docs/formats/text-index.md).
///
/// ```
/// head           magic      "CWTX"
///                version    u8 = 2, three bytes 0
///                headByteCount  u64: bytes of the head, its checksum included
///                rowCount   u64
///                pageCount, rowsPerPage, templateCount, nestedColumnCount   u32 each
///                names      per object column: length varint, UTF-8
///                slot sets  count varint, 32 bytes each: byte b is bit b & 7 of byte b >> 3
///                templates  per template, the first has id 2: slot set varint, length varint, skeleton
///                directory  per section, per page: end of the page's bytes in the section u64, checksum u64
///                checksum   u64 over the head before it
/// sections       histograms, row ids, word filters, then one of word filters per object column
/// ```
///
/// Integers are little-endian, varints LEB128.
package enum TextIndexLayout {
  static let magic = [UInt8]("CWTX".utf8)
  static let version: UInt8 = 2
  /// The first version that splits texts at characters, not bytes.
  static let characterVersion: UInt8 = 2
  /// Rows whose text has no template here: any text.
  static let unknownID = 0
  /// Rows without a text.
  static let nullID = 1
  static let firstTemplateID = 2
  static let templateCountMax = 1 << 14
  static let skeletonByteCountMax = 4 << 20
  static let headByteCountRange = 8..<16
  static let directoryEntryByteCount = 16
  /// Sections before those of the object columns.
  static let fixedSectionCount = 3

  /// The checksum of a page's bytes and of the head: the word hash of the bytes as they are, case kept.
  package static func checksum(_ bytes: Span<UInt8>) -> UInt64 {
    var hash = WordHash.begin(byteCount: bytes.count)
    let whole = bytes.count & ~7
    unsafe bytes.withUnsafeBytes { source in
      // Reads 8 bytes at each multiple of 8 below `whole` <= count.
      for position in stride(from: 0, to: whole, by: 8) {
        hash = WordHash.add(
          UInt64(littleEndian: unsafe source.loadUnaligned(fromByteOffset: position, as: UInt64.self)),
          to: hash)
      }
    }
    if whole < bytes.count {
      var piece: UInt64 = 0
      for index in whole..<bytes.count { piece |= UInt64(bytes[index]) << UInt64((index - whole) * 8) }
      hash = WordHash.add(piece, to: hash)
    }
    return WordHash.end(hash)
  }
}
