import Matching
import Records

/// What is known of a block without opening it: the manifest keeps it, and the block's index repeats it.
package struct BlockInfo: Sendable, Hashable {
  /// Given by the caller; never used twice.
  package var id: UInt64
  package var partition: Partition
  package var rowCount: Int
  /// Length of the file.
  package var byteCount: Int
  /// Smallest and largest values over all rows, both included.
  package var positions: ClosedRange<Int64>
  package var timestamps: ClosedRange<Int64>
  package var ingestedAt: ClosedRange<Int64>
  /// No row of the block is hidden by deletions up to this one.
  package var deletionsApplied: UInt64

  package init(
    id: UInt64, partition: Partition, rowCount: Int, byteCount: Int, positions: ClosedRange<Int64>,
    timestamps: ClosedRange<Int64>, ingestedAt: ClosedRange<Int64>, deletionsApplied: UInt64
  ) {
    self.id = id
    self.partition = partition
    self.rowCount = rowCount
    self.byteCount = byteCount
    self.positions = positions
    self.timestamps = timestamps
    self.ingestedAt = ingestedAt
    self.deletionsApplied = deletionsApplied
  }

  package var bounds: KeyBounds {
    KeyBounds(
      timestampMin: timestamps.lowerBound, timestampMax: timestamps.upperBound,
      positionMin: positions.lowerBound, positionMax: positions.upperBound)
  }
}

/// How rows are cut into row groups and pages, and when members and summaries are kept. Smaller in tests.
package struct BlockLayout: Sendable, Hashable {
  /// A multiple of ``rowsPerPage``.
  package var rowsPerGroup = 131_072
  /// At most 65,535.
  package var rowsPerPage = 8_192
  /// Rows of a data page of datasets whose records are looked up one by one. A page has whole data pages; where it would not,
  /// it is one itself.
  package var rowsPerLookup = 256
  /// Rows looked at to choose the members that become columns.
  package var sampleRowCount = 8_192
  /// Columns made of one object column's members.
  package var memberColumnsMax = 64
  /// Distinct values a column may have to be summed up by minute.
  package var summaryValuesMax = 1_000
  /// Cells of one column's counts by minute.
  package var summaryCellsMax = 200_000
  /// Cells of a pair of columns' counts.
  package var jointCellsMax = 10_000

  package init() {}

  /// Rows of a page as the file has it: what is decompressed for one row. A record of the query log is mostly looked up by its
  /// id; those of other datasets have more columns, each of which would grow with every page.
  func rowsPerDataPage(of dataset: Dataset) -> Int {
    dataset == .queries && rowsPerLookup > 0 && rowsPerPage % rowsPerLookup == 0 ? rowsPerLookup : rowsPerPage
  }
}

/// A deletion that is not applied in a block: rows that match and lie below the position are hidden.
package struct PendingDeletion: Sendable {
  package var id: UInt64
  package var predicate: CompiledPredicate
  package var positionEnd: Int64

  package init(id: UInt64, predicate: CompiledPredicate, positionEnd: Int64) {
    self.id = id
    self.predicate = predicate
    self.positionEnd = positionEnd
  }
}
