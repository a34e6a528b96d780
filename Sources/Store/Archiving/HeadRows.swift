import Matching
import Records

/// Rows of the head, sorted: what archiving hands to ``BlockWriter``.
///
/// Memory: 12 bytes a row for the order (20 while sorting), and the columns of one row group.
package final class HeadRows: BlockRowSource {
  package let partition: Partition
  package let rowCountMax: Int

  /// - Parameter batches: All columns of the schema each (positions rising from batch to batch is fastest).
  /// - Parameter deletions: Rows they hide are left out.
  package init(_ batches: [RecordBatch], partition: Partition, deletions: [PendingDeletion] = []) {
    self.partition = partition
    rowCountMax = 0
  }
  package func census(sampleRowCount: Int) throws(ArchiveError) -> [String: MemberCensus] { [:] }
  package func next(rowCount: Int) throws(ArchiveError) -> RecordBatch? { nil }
}
