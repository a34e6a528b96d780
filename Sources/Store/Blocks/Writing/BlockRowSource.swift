import Records

/// Rows of one partition in sort order, all columns of its schema, text plain or dictionary, objects as JSON
/// text (checked, no white space, no name twice).
package protocol BlockRowSource: AnyObject {
  var partition: Partition { get }
  /// The most rows that will come; exact but for rows that deletions hide.
  var rowCountMax: Int { get }
  /// Bytes of text a row has on average, about; at least 1.
  var bytesPerRow: Int { get }
  /// The largest position less the smallest, of all rows that may come.
  var positionSpan: UInt64 { get }
  /// At most how far apart the timestamps of neighbouring rows are, in nanoseconds; nil: not known.
  func timeGapMax() throws(BlockError) -> UInt64?
  /// Which members the object columns have in the rows that will come: looks at an evenly spread sample of
  /// them, and has no name that none of them has. Called once, before the first row.
  func census(sampleRowCount: Int) throws(BlockError) -> [String: MemberCensus]
  /// The next rows.
  func next(_ cut: GroupCut) throws(BlockError) -> NextRows
  /// Begins with the first row again.
  func restart()
}

/// Where rows are cut into row groups.
package struct GroupCut: Sendable, Hashable {
  /// A row group has whole pages, but for the last one.
  package var rowsPerPage: Int
  /// A multiple of ``rowsPerPage``.
  package var rowsMax: Int
  /// Bytes of text of a row group; a single page may have more only if it is a single row.
  package var bytesMax: Int

  /// The three bounds.
  package init(rowsPerPage: Int, rowsMax: Int, bytesMax: Int) {
    self.rowsPerPage = rowsPerPage
    self.rowsMax = rowsMax
    self.bytesMax = bytesMax
  }
}

/// What a source of rows has next.
package enum NextRows {
  /// As many pages as fit; a page is short at the end only.
  case rows(RecordBatch)
  /// One page alone has so many bytes of text, more than a row group may have: pages must be smaller.
  case pageTooLarge(byteCount: Int)
  case end
}
