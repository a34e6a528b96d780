import Records

/// How rows are cut into row groups and pages, and when members and summaries are kept. Smaller in tests.
package struct BlockLayout: Sendable, Hashable {
  /// A multiple of ``rowsPerPage``.
  package var rowsPerGroup = 131_072
  /// At most 65,535.
  package var rowsPerPage = 8_192
  /// Rows of a data page of datasets whose records are looked up one by one. A page has whole data pages;
  /// where it would not, it is one itself.
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

  /// The server's.
  package init() {}

  /// Rows of a page as the file has it: what is decompressed for one row. A record of the query log is mostly
  /// looked up by its id; those of other datasets have more columns, each of which would grow with every
  /// page.
  func rowsPerDataPage(of dataset: Dataset) -> Int {
    dataset == .queries && rowsPerLookup > 0 && rowsPerPage % rowsPerLookup == 0 ? rowsPerLookup : rowsPerPage
  }
}
