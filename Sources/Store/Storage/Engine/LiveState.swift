import Blocks
import Matching
import Records

/// One partition as readers see it.
struct LivePartition: Sendable {
  /// By position.
  var blocks: [LiveBlock] = []
  var archivedThrough: Int64 = 0
  /// By id.
  var deletions: [PendingDeletion] = []
}

/// Running totals since the store was opened, for metrics.
package struct StorageStatistics: Sendable {
  package var archiveRuns = 0
  package var archivedRows = 0
  package var archivedBytes = 0
  package var archiveNanoseconds: Int64 = 0
  package var compactions = 0
  package var compactedBlocks = 0
  package var compactedRows = 0
  package var compactedBytes = 0
  package var compactionNanoseconds: Int64 = 0
  package var deletions = 0
  package var deletedRows = 0
  package var retainedBlocksDropped = 0
  package var filesRemoved = 0
  package var failures = 0

  package init() {}
}

/// What readers take a consistent look at; the manifest's state with files and compiled deletions.
struct LiveState: Sendable {
  var partitions: [Partition: LivePartition] = [:]
  /// Why the manifest takes no more edits.
  var failure: StoreError?
  var statistics = StorageStatistics()

  /// Takes over what the manifest says of `partition`; files of blocks that are gone are marked.
  ///
  /// - Returns: The blocks that are gone.
  mutating func update(
    _ partition: Partition, from state: ManifestState, layout: StorageLayout, trash: Trash
  ) throws(StoreError) -> [LiveBlock] {
    let old = partitions[partition] ?? LivePartition()
    let new = state.partitions[partition] ?? ManifestState.PartitionState()
    let files = Dictionary(uniqueKeysWithValues: old.blocks.map { ($0.facts.id, $0.file) })
    var next = LivePartition(archivedThrough: new.archivedThrough)
    next.blocks = new.blocks.map { facts in
      let path = layout.block(facts.id, of: partition)
      return LiveBlock(
        facts: facts, file: files[facts.id] ?? BlockFile(id: facts.id, path: path, trash: trash))
    }
    for deletion in new.deletions {
      if let known = old.deletions.first(where: { $0.id == deletion.id }) {
        next.deletions.append(known)
      } else {
        let compiled = try CompiledPredicate(deletion.predicate, schema: partition.dataset.schema)
        next.deletions.append(
          PendingDeletion(id: deletion.id, predicate: compiled, positionEnd: deletion.positionEnd))
      }
    }
    partitions[partition] = next
    let live = Set(new.blocks.map(\.id))
    return old.blocks.filter { !live.contains($0.facts.id) }
  }
}
