import Matching
import Platform
import Records

/// A deletion made ready to run.
package struct LiveDeletion: Sendable {
  package let id: UInt64
  package let predicate: CompiledPredicate
  /// Rows at or behind it are not touched.
  package let positionEnd: Int64

  package init(id: UInt64, predicate: CompiledPredicate, positionEnd: Int64) {
    self.id = id
    self.predicate = predicate
    self.positionEnd = positionEnd
  }
}

/// Rows in the order of a block: sort key, then position. One consumer, one thread.
package protocol BlockRowSource: AnyObject {
  /// The next rows with all columns of the dataset's schema; never empty; nil at the end.
  func next() throws(StoreError) -> RecordBatch?
}

/// How blocks are written and read: Parquet in the server, something small in tests of what is above it.
package protocol BlockFormat: Sendable {
  /// Writes a block with the rows of `rows` (at least one) to the new file `path` and syncs it.
  ///
  /// - Returns: Bytes of the file.
  /// - Throws: What the disk or `rows` said; a file may be left at `path`.
  func write(
    _ rows: any BlockRowSource, id: UInt64, partition: Partition, deletionsApplied: UInt64, to path: String,
    on fileSystem: any FileSystem
  ) throws(StoreError) -> Int

  /// Opens the block at `path`, which `facts` describe.
  ///
  /// - Throws: `.corrupt` if it is missing or not what was written, else what the disk said.
  func open(_ path: String, facts: BlockFacts, on fileSystem: any FileSystem)
    throws(StoreError) -> any BlockReading
}

/// An open block. Any number of threads may use it, also after its file was removed.
package protocol BlockReading: AnyObject, Sendable {
  /// The units that may hold rows which match `predicate` (the compiled `request.predicate`), its time and position
  /// bounds, and none of `deletions`.
  func units(_ request: ScanRequest, predicate: CompiledPredicate, deletions: [LiveDeletion])
    throws(StoreError) -> [any ScanUnit]
  /// See ``GroupedCountAnswer``.
  func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [LiveDeletion]
  ) throws(StoreError) -> GroupedCountAnswer
  /// All rows, as they were written: for compaction.
  func rows() throws(StoreError) -> any BlockRowSource
}

extension GroupedCountRequest {
  /// The scan whose rows, counted by the groups, answer it.
  package var scan: ScanRequest {
    var columns = groupBy.map { OutputColumn($0, type: .utf8) }
    if bucketNanoseconds != nil {
      columns.insert(OutputColumn(ColumnPath("timestamp"), type: .timestamp), at: 0)
    }
    return ScanRequest(
      columns: columns, predicate: predicate, start: start, end: end, positions: positions, order: .unordered)
  }
}
