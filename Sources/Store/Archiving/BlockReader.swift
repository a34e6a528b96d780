import Matching
import Platform
import Records

/// An open block: maps its file and answers scans. Any number of threads may use it.
///
/// Opening maps; footer and index are read at the first use. Keeps the file readable after it was unlinked.
package final class BlockReader: Sendable {
  /// As the manifest has it.
  package let info: BlockInfo
  package let path: String

  /// - Throws: `.corrupt` if the file is not there or has another length than `info` says.
  package init(_ info: BlockInfo, path: String, fileSystem: any FileSystem) throws(ArchiveError) {
    self.info = info
    self.path = path
  }

  /// The row groups that may hold matching rows; for ordered requests in that order.
  ///
  /// - Parameters:
  ///   - predicate: `request.predicate`, compiled for the partition's schema.
  ///   - deletions: Those of the partition with ids above ``BlockInfo/deletionsApplied``.
  package func units(
    for request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(ArchiveError) -> [any ScanUnit] {
    []
  }

  /// Counts from summaries where they are exact, and units for the rest.
  package func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(ArchiveError) -> GroupedCountAnswer {
    GroupedCountAnswer(counts: [:], remaining: [])
  }

  /// How many rows `deletion` hides that earlier `pending` ones do not.
  package func countDeleted(by deletion: PendingDeletion, pending: [PendingDeletion]) throws(ArchiveError)
    -> Int
  {
    0
  }
}
