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
  /// Blocks written from the head, or heads all of whose rows were deleted.
  package var archiveRuns = 0
  /// Rows of these blocks.
  package var archivedRows = 0
  /// Bytes of these blocks.
  package var archivedBytes = 0
  /// Time that took.
  package var archiveNanoseconds: Int64 = 0
  /// Merges, and blocks rewritten without their deleted rows.
  package var compactions = 0
  /// Blocks that went into them.
  package var compactedBlocks = 0
  /// Rows of the blocks that came out.
  package var compactedRows = 0
  /// Bytes of the blocks that came out.
  package var compactedBytes = 0
  /// Time that took.
  package var compactionNanoseconds: Int64 = 0
  /// Deletions that hid anything.
  package var deletions = 0
  /// Rows they hid.
  package var deletedRows = 0
  /// Blocks dropped for their age.
  package var retainedBlocksDropped = 0
  /// Block files unlinked.
  package var filesRemoved = 0
  /// Steps of background work that failed, each try counted.
  package var failures = 0
  /// Decoded pages that are kept.
  package var pages = PageCache.Statistics()

  /// Nothing done yet.
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
