import Matching
import Records

/// A deletion that may still hide rows somewhere, made ready to run: those that match and lie below a
/// position.
package struct PendingDeletion: Sendable {
  /// See ``BlockFacts/deletionsApplied``.
  package let id: UInt64
  /// Which rows it hides, for the schema of its partition.
  package let predicate: CompiledPredicate
  /// Rows at or behind it are not touched.
  package let positionEnd: Int64

  /// A deletion made ready to run.
  package init(id: UInt64, predicate: CompiledPredicate, positionEnd: Int64) {
    self.id = id
    self.predicate = predicate
    self.positionEnd = positionEnd
  }

  /// Whether it may hide rows of the block.
  package func isPending(for block: BlockFacts) -> Bool {
    id > block.deletionsApplied && block.bounds.positionMin < positionEnd
  }
}
