import Archiving
import Matching
import Platform
import Records

/// Blocks as Parquet files (Docs/formats/block.md): the format the server uses.
package struct ParquetBlocks: BlockFormat {
  private let layout: BlockLayout

  package init(layout: BlockLayout = BlockLayout()) { self.layout = layout }

  package func write(
    _ rows: BlockRows, to place: BlockPlace, on fileSystem: any FileSystem, shouldStop: () -> Bool
  ) throws(StoreError) -> BlockFacts? {
    let source: any BlockRowSource
    switch rows {
    case .head(let batches, let deletions):
      source = HeadRows(batches, partition: place.partition, deletions: deletions.map(PendingDeletion.init))
    case .merged(let inputs):
      source = MergedRows(
        inputs.map { input in
          guard let block = input.block as? ParquetBlock else {
            preconditionFailure("a format merges the blocks it opened")
          }
          return (block.reader, input.deletions.map(PendingDeletion.init))
        })
    }
    let target = BlockTarget(
      id: place.id, path: place.path, temporaryPath: place.temporaryPath, directory: place.directory,
      deletionsApplied: place.deletionsApplied)
    do throws(ArchiveError) {
      let info = try BlockWriter.write(
        source, to: target, fileSystem: fileSystem, layout: layout, shouldStop: shouldStop)
      return info.map(BlockFacts.init)
    } catch {
      throw error.storeError
    }
  }

  package func open(
    _ path: String, facts: BlockFacts, on fileSystem: any FileSystem
  ) throws(StoreError) -> any BlockReading {
    do throws(ArchiveError) {
      return ParquetBlock(try BlockReader(BlockInfo(facts), path: path, fileSystem: fileSystem))
    } catch {
      throw error.storeError
    }
  }
}

/// An open Parquet block.
final class ParquetBlock: BlockReading {
  let reader: BlockReader

  init(_ reader: BlockReader) { self.reader = reader }

  func units(
    _ request: ScanRequest, predicate: CompiledPredicate, deletions: [LiveDeletion]
  ) throws(StoreError) -> [any ScanUnit] {
    do throws(ArchiveError) {
      return try reader.units(
        for: request, predicate: predicate, deletions: deletions.map(PendingDeletion.init))
    } catch {
      throw error.storeError
    }
  }

  func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [LiveDeletion]
  ) throws(StoreError) -> GroupedCountAnswer {
    do throws(ArchiveError) {
      return try reader.groupedCounts(
        request, predicate: predicate, deletions: deletions.map(PendingDeletion.init))
    } catch {
      throw error.storeError
    }
  }
}

extension PendingDeletion {
  fileprivate init(_ deletion: LiveDeletion) {
    self.init(id: deletion.id, predicate: deletion.predicate, positionEnd: deletion.positionEnd)
  }
}

extension BlockFacts {
  fileprivate init(_ info: BlockInfo) {
    self.init(
      id: info.id, partition: info.partition, rowCount: info.rowCount, byteCount: info.byteCount,
      bounds: info.bounds, ingested: info.ingestedAt, deletionsApplied: info.deletionsApplied)
  }
}

extension BlockInfo {
  init(_ facts: BlockFacts) {
    self.init(
      id: facts.id, partition: facts.partition, rowCount: facts.rowCount, byteCount: facts.byteCount,
      positions: facts.bounds.positionMin...facts.bounds.positionMax,
      timestamps: facts.bounds.timestampMin...facts.bounds.timestampMax,
      ingestedAt: facts.ingestedMin...facts.ingestedMax, deletionsApplied: facts.deletionsApplied)
  }
}
