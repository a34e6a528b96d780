import Records

/// How rows are cut into row groups and pages, and when members and summaries are kept. Smaller in tests.
package struct BlockLayout: Sendable, Hashable {
  /// The most; a multiple of ``rowsPerPage``.
  package var rowsPerGroup = 131_072
  /// At most 65,535.
  package var rowsPerPage = 8_192
  /// Bytes of text a row group has at most: what must be in memory at once, several times, to write one.
  package var bytesPerGroup = 64 << 20
  /// Bytes of text a page should have on average: where it would have more, it gets fewer rows.
  package var bytesPerPage = 8 << 20
  /// Bytes that the blocks which are merged may hold decoded, all together.
  package var mergeBytesMax = 128 << 20
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

  /// The layout for rows of about so many bytes of text: pages are halved until they are small enough.
  func fitting(bytesPerRow: Int) -> BlockLayout {
    var layout = self
    while layout.rowsPerPage > 1, layout.rowsPerPage * bytesPerRow > bytesPerPage { layout.halvePages() }
    return layout
  }

  /// The layout after a page of so many bytes turned out to be too large.
  func shrunk(pageBytes: Int) -> BlockLayout {
    fitting(bytesPerRow: max(1, pageBytes / rowsPerPage, bytesPerPage / rowsPerPage + 1))
  }

  private mutating func halvePages() {
    rowsPerPage = max(1, rowsPerPage / 2)
    rowsPerGroup = max(rowsPerGroup / rowsPerPage, 1) * rowsPerPage
  }

  /// Rows of a page as the file has it: what is decompressed for one row. A record of the query log is mostly
  /// looked up by its id; those of other datasets have more columns, each of which would grow with every
  /// page.
  func rowsPerDataPage(of dataset: Dataset) -> Int {
    dataset == .queries && rowsPerLookup > 0 && rowsPerPage % rowsPerLookup == 0 ? rowsPerLookup : rowsPerPage
  }
}
