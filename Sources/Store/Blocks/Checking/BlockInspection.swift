import Columnar
import Matching
import Records

/// What a block holds, for `cordwood inspect`.
package struct BlockInspection: Sendable {
  /// A physical column: its name, its bytes in the file and its bytes decompressed.
  package struct ColumnBytes: Sendable {
    /// A column of the schema, or one made of a member.
    package var name: String
    /// Bytes in the file.
    package var compressed: Int
    /// Bytes of its pages decompressed.
    package var uncompressed: Int
  }

  /// A part of the index.
  package struct Part: Sendable {
    /// What it is for.
    package var name: String
    /// Bytes in the file.
    package var byteCount: Int
  }

  /// As the manifest has it.
  package var facts: BlockFacts
  /// Whether it is of an older version of the format than is written now.
  package var isOfOlderFormat: Bool
  /// Row groups of the file.
  package var rowGroupCount: Int
  /// In the file's order.
  package var columns: [ColumnBytes]
  /// In the file's order, the text index in parts.
  package var index: [Part]
  /// Bytes of the file that are neither pages nor index: Bloom filters, page index, footer.
  package var footerByteCount: Int
}

extension BlockReader {
  /// Sizes of the block's parts.
  package func inspect() throws(BlockError) -> BlockInspection {
    let contents = try contents()
    let columns = contents.parquet.fields.enumerated().map { index, field in
      let chunks = contents.parquet.rowGroups.map { $0.columns[index] }
      return BlockInspection.ColumnBytes(
        name: field.name, compressed: chunks.reduce(0) { $0 + $1.fileRange.count },
        uncompressed: chunks.reduce(0) { $0 + $1.uncompressedBytes })
    }
    var parts: [BlockInspection.Part] = []
    for entry in contents.index.entries where entry.kind != BlockIndex.Section.text.rawValue {
      let name = BlockIndex.Section(rawValue: entry.kind).map { "\($0)" } ?? "section \(entry.kind)"
      parts.append(BlockInspection.Part(name: name, byteCount: entry.range.count))
    }
    for part in try contents.text().partByteCounts {
      parts.append(BlockInspection.Part(name: "text: " + part.part, byteCount: part.byteCount))
    }
    let pages = columns.reduce(0) { $0 + $1.compressed }
    return BlockInspection(
      facts: facts, isOfOlderFormat: contents.isOfOlderFormat, rowGroupCount: contents.groupCount,
      columns: columns, index: parts,
      footerByteCount: facts.byteCount - pages - contents.index.bytes.byteCount)
  }
}
