import Matching
import Records

/// A deletion that may still hide rows somewhere, made ready to run: those that match and lie below a position.
package struct PendingDeletion: Sendable {
  package let id: UInt64
  package let predicate: CompiledPredicate
  /// Rows at or behind it are not touched.
  package let positionEnd: Int64

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
