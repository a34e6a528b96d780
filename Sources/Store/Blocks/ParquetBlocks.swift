import Platform
import Records

/// Blocks as Parquet files (Docs/formats/block.md): the format the server uses.
package struct ParquetBlocks: BlockFormat {
  private let layout: BlockLayout

  /// - Parameter layout: Of blocks that are written; any can be read.
  package init(layout: BlockLayout = BlockLayout()) { self.layout = layout }

  /// See ``BlockFormat/write(_:to:on:shouldStop:)``; asks `shouldStop` once a row group.
  package func write(
    _ rows: BlockInput, to place: BlockPlace, on fileSystem: any FileSystem, shouldStop: () -> Bool
  ) throws(StoreError) -> BlockFacts? {
    do throws(BlockError) {
      let source: any BlockRowSource
      switch rows {
      case .head(let parts, let deletions):
        source = try HeadRows(parts: parts, partition: place.partition, deletions: deletions)
      case .merged(let inputs):
        source = MergedRows(
          inputs.map { input in
            guard let reader = input.block as? BlockReader else {
              bug("a format merges the blocks it opened")
            }
            return (reader, input.deletions)
          }, bytesMax: layout.mergeBytesMax)
      }
      return try BlockWriter.write(
        source, to: place, fileSystem: fileSystem, layout: layout, shouldStop: shouldStop)
    } catch { throw error.storeError }
  }

  /// Reads footer, directory and facts.
  package func claim(
    _ path: String, on fileSystem: any FileSystem, registry: Registry
  ) throws(StoreError) -> BlockClaim? {
    let bytes: Buffer
    do throws(DiskError) {
      let file = try fileSystem.open(path, writable: false)
      bytes = try file.map(0..<(try file.size()))
    } catch { throw BlockError.disk(error).storeError }
    do throws(BlockError) { return try BlockClaim(bytes, path: path, registry: registry) } catch {
      throw error.storeError
    }
  }

  /// Maps the file; footer and index are read at the first use.
  package func open(
    _ path: String, facts: BlockFacts, on fileSystem: any FileSystem
  ) throws(StoreError) -> any BlockReading {
    do throws(BlockError) {
      return try BlockReader(facts, path: path, fileSystem: fileSystem)
    } catch { throw error.storeError }
  }
}
