import Blocks
import Records

/// Hides the rows of a partition that match and lie below a position, for good.
package struct Deletion: Sendable, Hashable {
  /// Rising with time; never used twice.
  package var id: UInt64
  /// Whose rows it hides.
  package var partition: Partition
  /// Which of them.
  package var predicate: Predicate
  /// Rows at or behind it are not touched.
  package var positionEnd: Int64

  /// A deletion.
  package init(id: UInt64, partition: Partition, predicate: Predicate, positionEnd: Int64) {
    self.id = id
    self.partition = partition
    self.predicate = predicate
    self.positionEnd = positionEnd
  }
}

/// One of the things an edit says (Docs/formats/manifest.md).
package enum ManifestChange: Sendable, Hashable {
  case blockAdded(BlockFacts)
  case blockRemoved(id: UInt64)
  /// Rows of the partition below the position are in blocks, or deleted.
  case archivedThrough(Partition, position: Int64)
  case deletionAdded(Deletion)
  case deletionFinished(id: UInt64)
  /// The least position the tenant's next record may get.
  case nextPosition(Tenant, position: Int64)
  /// The least ids the next block and the next deletion may get.
  case nextIDs(block: UInt64, deletion: UInt64)
  /// No row of the block is hidden by deletions up to the id.
  case deletionsApplied(block: UInt64, through: UInt64)
  /// The store's identity.
  case store(StoreID)
  /// How often the store was opened for writing.
  case epoch(UInt64)
  /// The generation after this edit; without it, an edit counts one.
  case generation(UInt64)
  /// The least position that records of a tenant get whom nobody knows yet.
  case positionBase(Int64)
}
