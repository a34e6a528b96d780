import Records

/// Rows of one partition in sort order, all columns of its schema, text plain or dictionary, objects as JSON
/// text (checked, no white space, no name twice).
package protocol BlockRowSource: AnyObject {
  var partition: Partition { get }
  /// The most rows that will come; exact but for rows that deletions hide.
  var rowCountMax: Int { get }
  /// Which members the object columns have in the rows that will come: looks at an evenly spread sample of
  /// them, and has no name that none of them has. Called once, before the first row.
  func census(sampleRowCount: Int) throws(BlockError) -> [String: MemberCensus]
  /// The next rows, exactly `rowCount` of them unless the end is reached; nil at the end.
  func next(rowCount: Int) throws(BlockError) -> RecordBatch?
}
