import Matching
import Records

/// The rows of several blocks of one partition, merged into sort order: what compaction hands to ``BlockWriter``.
///
/// Memory: two pages of decoded rows a block, and one row group.
package final class MergedRows: BlockRowSource {
  package let partition: Partition
  package let rowCountMax: Int

  /// - Parameter blocks: At least one; each with the deletions that are pending on it (its rows they hide are left out).
  package init(_ blocks: [(reader: BlockReader, deletions: [PendingDeletion])]) {
    partition = blocks[0].reader.info.partition
    rowCountMax = 0
  }
  package func census(sampleRowCount: Int) throws(ArchiveError) -> [String: MemberCensus] { [:] }
  package func next(rowCount: Int) throws(ArchiveError) -> RecordBatch? { nil }
}
