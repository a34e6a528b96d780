import Blocks
import Journaling
import Platform
import Records

/// What lies in a data directory.
package struct StorageInspection: Sendable {
  /// One partition's part.
  package struct PartitionPart: Sendable {
    /// Whose rows these are.
    package var partition: Partition
    /// Rows below it are in blocks, or deleted.
    package var archivedThrough: Int64
    /// Deletions that may still hide rows.
    package var deletionCount: Int
    /// By position.
    package var blocks: [BlockPart]
    /// Frames with rows that are in no block.
    package var headFrames: Int
    /// Rows of these frames.
    package var headRows: Int
    /// Bytes of these frames.
    package var headBytes: Int
  }

  /// A live block.
  package struct BlockPart: Sendable {
    /// Of the file.
    package var path: String
    /// What the manifest says of it.
    package var facts: BlockFacts
  }

  /// Of the file.
  package var manifestPath: String
  /// Of the file.
  package var manifestBytes: Int
  /// Edits that the file holds.
  package var editCount: Int
  /// Edits that there ever were.
  package var generation: UInt64
  /// How often the store was opened for writing.
  package var epoch: UInt64
  /// What the anchor says of the journal; nil: there is none.
  package var anchor: AnchorState?
  /// The journal's files, by number.
  package var segments: [JournalReader.Segment]
  /// Sorted by name.
  package var partitions: [PartitionPart]
}

/// Looks into a data directory without changing it, also while a server has it open. Blocking.
package enum StorageInspector {
  /// - Parameter registry: What codes on the disk mean.
  /// - Throws: `.corrupt` for a damaged manifest; damage of the journal shows in ``StorageChecker`` only.
  package static func inspect(
    directory: String, registry: Registry, fileSystem: any FileSystem = LocalFileSystem()
  ) throws(StoreError) -> StorageInspection {
    let reader = try StorageReader(directory: directory, fileSystem: fileSystem, registry: registry)
    var parts: [Partition: StorageInspection.PartitionPart] = [:]
    func part(_ partition: Partition) -> StorageInspection.PartitionPart {
      StorageInspection.PartitionPart(
        partition: partition, archivedThrough: 0, deletionCount: 0, blocks: [], headFrames: 0, headRows: 0,
        headBytes: 0)
    }
    for (partition, state) in reader.scan.state.partitions {
      var found = part(partition)
      found.archivedThrough = state.archivedThrough
      found.deletionCount = state.deletions.count
      found.blocks = state.blocks.map {
        StorageInspection.BlockPart(path: reader.layout.block($0.id, of: partition), facts: $0)
      }
      parts[partition] = found
    }
    let archivedThrough = reader.scan.state.archivedThrough
    let segments = try head(reader, registry) { frame in
      guard let partition = frame.partition, frame.end > archivedThrough[partition] ?? 0 else { return }
      parts[partition, default: part(partition)].headFrames += 1
      parts[partition, default: part(partition)].headRows += frame.header.rowCount
      parts[partition, default: part(partition)].headBytes += frame.header.frameBytes
    }
    return StorageInspection(
      manifestPath: reader.manifestPath, manifestBytes: reader.manifestBytes,
      editCount: reader.scan.editCount, generation: reader.scan.state.generation,
      epoch: reader.scan.state.epoch, anchor: try anchor(directory, fileSystem), segments: segments,
      partitions: parts.values.sorted { $0.partition.description < $1.partition.description })
  }

  private static func anchor(
    _ directory: String, _ fileSystem: any FileSystem
  ) throws(StoreError) -> AnchorState? {
    do throws(JournalError) {
      let reading = try AnchorReading(directory: directory, fileSystem: fileSystem)
      return reading.exists ? reading.state : nil
    } catch { throw StoreError(error) }
  }

  /// Columns and index of one block, in bytes.
  package static func inspect(
    _ block: StorageInspection.BlockPart, fileSystem: any FileSystem = LocalFileSystem()
  ) throws(StoreError) -> BlockInspection {
    do throws(BlockError) {
      return try BlockReader(block.facts, path: block.path, fileSystem: fileSystem).inspect()
    } catch { throw error.storeError }
  }

  /// Hands over the rows that are in no block, all columns of their schemas, oldest first; deleted rows
  /// included.
  package static func forEachHeadBatch(
    directory: String, registry: Registry, fileSystem: any FileSystem = LocalFileSystem(),
    _ body: (Partition, RecordBatch) -> Void
  ) throws(StoreError) {
    let reader = try StorageReader(directory: directory, fileSystem: fileSystem, registry: registry)
    let archivedThrough = reader.scan.state.archivedThrough
    _ = try head(reader, registry) { (frame) throws(JournalError) in
      guard let partition = frame.partition, frame.end > archivedThrough[partition] ?? 0,
        let batch = try frame.batch()
      else { return }
      body(partition, batch)
    }
  }

  private static func head(
    _ storage: StorageReader, _ registry: Registry,
    _ body: (JournalReader.Frame) throws(JournalError) -> Void
  ) throws(StoreError) -> [JournalReader.Segment] {
    do throws(JournalError) {
      let reader = try JournalReader(
        directory: storage.layout.journal, fileSystem: storage.fileSystem, registry: registry
      ) { (frame) throws(JournalError) in
        try body(frame)
      }
      return reader.segments
    } catch { throw StoreError(error) }
  }
}

extension JournalReader.Frame {
  /// One behind its last row's position.
  fileprivate var end: Int64 { header.firstPosition + Int64(header.rowCount) }
}
