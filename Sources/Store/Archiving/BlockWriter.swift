import Platform
import Records

/// Where a block goes.
package struct BlockTarget: Sendable {
  package var id: UInt64
  /// The file's final path.
  package var path: String
  /// Where it is written first, in the same directory. If it exists it is replaced.
  package var temporaryPath: String
  /// The directory that is synced after the renaming; exists.
  package var directory: String
  /// See ``BlockInfo/deletionsApplied``.
  package var deletionsApplied: UInt64

  package init(
    id: UInt64, path: String, temporaryPath: String, directory: String, deletionsApplied: UInt64
  ) {
    self.id = id
    self.path = path
    self.temporaryPath = temporaryPath
    self.directory = directory
    self.deletionsApplied = deletionsApplied
  }
}

/// Writes block files (Docs/formats/block.md).
package enum BlockWriter {
  /// Writes the rows under the temporary name, syncs, renames, syncs the directory. Blocking: on a thread of its own.
  ///
  /// - Parameter shouldStop: Asked once a row group; true ends the writing with nil and no file.
  /// - Returns: What to put into the manifest; nil (and no file) if there was no row or `shouldStop` said so.
  /// - Throws: After any error the block does not count: the temporary file was removed if that was possible, the final
  ///   name may exist (an orphan). Nothing else changed.
  package static func write(
    _ rows: any BlockRowSource, to target: BlockTarget, fileSystem: any FileSystem,
    layout: BlockLayout = BlockLayout(), shouldStop: () -> Bool = { false }
  ) throws(ArchiveError) -> BlockInfo? {
    nil
  }
}
