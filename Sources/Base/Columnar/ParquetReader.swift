import CArrow
import Records

/// What the footer says of a column of a row group.
package struct ColumnChunkInfo: Sendable {
  /// Where the chunk's pages lie in the file.
  package let fileRange: Range<Int>
  /// Of the chunk's pages.
  package let uncompressedBytes: Int
  /// nil: the file does not say.
  package let nullCount: Int?
  /// Whether every page holds dictionary indices.
  package let isDictionary: Bool
  /// Smallest and largest value, if the file tells (int64 and timestamp).
  package let int64Bounds: ClosedRange<Int64>?
  /// Smallest and largest value, if the file tells (float64).
  package let float64Bounds: ClosedRange<Double>?
  /// Smallest and largest UTF-8 bytes, if the file tells (text).
  package let textBounds: (min: [UInt8], max: [UInt8])?
}

/// What the footer says of a row group.
package struct RowGroupInfo: Sendable {
  /// Rows of the group.
  package let rowCount: Int
  /// One a column of the file.
  package let columns: [ColumnChunkInfo]
}

/// Rows of a text column as numbers of values of its row group's dictionary.
package struct TextCodes: Sendable {
  /// Int32, a row each; 0 for null.
  package let indices: Buffer
  /// See ``Column/validity``.
  package let validity: Buffer?
  /// Of these.
  package let rowCount: Int
  /// How many values the dictionary has at least.
  package let valuesNeeded: Int
}

/// Reads a Parquet file that lies in memory; reads may run on any number of threads at once.
///
/// Hostile bytes end in ``ColumnarError``, never in a trap. Files need flat columns of our types and, to be
/// read, an offset index.
@safe package final class ParquetReader: @unchecked Sendable {
  // Safe because: the C reader is only read after opening, but for its page rows, which a mutex guards.
  private let reader: OpaquePointer
  private let file: Buffer
  /// Rows of the file.
  package let rowCount: Int
  /// The file's columns, in its order.
  package let fields: [Field]
  /// In the file's order.
  package let rowGroups: [RowGroupInfo]
  /// The footer's names and values.
  package let metadata: [String: String]

  /// Parses the footer. Cost: microseconds a column chunk; no page is touched.
  /// - Parameter verifyChecksums: Whether reads check each page's CRC-32.
  package init(_ file: Buffer, verifyChecksums: Bool) throws(ColumnarError) {
    self.file = file
    var made: OpaquePointer?
    try calling { error in
      unsafe file.withUnsafeBytes { bytes in
        // Stays valid after the closure: `file` is held as long as the reader.
        unsafe cw_reader_open(
          bytes.assumingMemoryBound(to: UInt8.self).baseAddress, Int64(bytes.count),
          verifyChecksums ? 1 : 0, &made, &error)
      }
    }
    guard let made = unsafe made else { throw .unsupported("no memory for a reader") }
    unsafe reader = made
    rowCount = unsafe Int(cw_reader_rows(made))
    var fields: [Field] = []
    for column in 0..<(unsafe cw_reader_columns(made)) {
      guard let type = unsafe ColumnType(rawValue: UInt8(cw_reader_column_type(made, column))) else {
        bug("the C side numbers types as Records does")
      }
      let name = unsafe String(cString: cw_reader_column_name(made, column))
      fields.append(Field(name, type, isNullable: unsafe cw_reader_column_nullable(made, column) != 0))
    }
    self.fields = fields
    rowGroups = unsafe (0..<cw_reader_row_groups(made)).map { group in
      RowGroupInfo(
        rowCount: unsafe Int(cw_reader_row_group_rows(made, group)),
        columns: fields.indices.map { unsafe ColumnChunkInfo(made, group, Int32($0), fields[$0].type) })
    }
    var metadata: [String: String] = [:]
    for index in 0..<(unsafe cw_reader_metadata_count(made)) {
      var count: Int64 = 0
      let key = unsafe ParquetReader.text(cw_reader_metadata_key(made, index, &count), count)
      metadata[key] = unsafe ParquetReader.text(cw_reader_metadata_value(made, index, &count), count)
    }
    self.metadata = metadata
  }

  deinit { unsafe cw_reader_free(reader) }

  /// Rows `rows` (ascending, disjoint, within the row group) of the columns numbered `columns`, one after the
  /// other; only pages that hold them are decompressed.
  /// - Parameter asDictionary: Whether text columns stored as dictionaries throughout come in dictionary
  ///   layout (the row group's whole dictionary, whatever the rows; fewer than 16 rows come plain all the
  ///   same); otherwise text comes plain.
  package func read(
    rowGroup: Int, columns: [Int], rows: [Range<Int>], asDictionary: Bool
  ) throws(ColumnarError) -> [Column] {
    invariant(rowGroups.indices.contains(rowGroup), "a row group of the file")
    let starts = rows.map { Int64($0.lowerBound) }
    let ends = rows.map { Int64($0.upperBound) }
    var result: [Column] = []
    for column in columns {
      invariant(fields.indices.contains(column), "a column of the file")
      var array = unsafe ArrowArray()
      try calling { error in
        unsafe cw_reader_read(
          reader, Int32(rowGroup), Int32(column), starts, ends, Int32(rows.count), asDictionary ? 1 : 0,
          &array, &error)
      }
      result.append(try unsafe ImportedArray(array).column(type: fields[column].type))
    }
    return result
  }

  /// Rows `rows` of a text column stored as a dictionary throughout, as indices into it: the dictionary
  /// itself is not read. See ``dictionary(rowGroup:column:)``.
  package func codes(
    rowGroup: Int, column: Int, rows: [Range<Int>]
  ) throws(ColumnarError) -> TextCodes {
    invariant(rowGroups.indices.contains(rowGroup) && fields.indices.contains(column), "a column chunk")
    let starts = rows.map { Int64($0.lowerBound) }
    let ends = rows.map { Int64($0.upperBound) }
    var array = unsafe ArrowArray()
    var valuesNeeded: Int64 = 0
    try calling { error in
      unsafe cw_reader_codes(
        reader, Int32(rowGroup), Int32(column), starts, ends, Int32(rows.count), &array, &valuesNeeded,
        &error)
    }
    return unsafe ImportedArray(array).codes(valuesNeeded: Int(valuesNeeded))
  }

  /// The values of the dictionary of such a column, as plain text.
  package func dictionary(rowGroup: Int, column: Int) throws(ColumnarError) -> Column {
    invariant(rowGroups.indices.contains(rowGroup) && fields.indices.contains(column), "a column chunk")
    var array = unsafe ArrowArray()
    try calling { error in
      unsafe cw_reader_dictionary(reader, Int32(rowGroup), Int32(column), &array, &error)
    }
    return try unsafe ImportedArray(array).column(type: fields[column].type)
  }

  /// The rows of the page of a column that has `row`, within their row group. O(log pages).
  package func page(rowGroup: Int, column: Int, row: Int) throws(ColumnarError) -> Range<Int> {
    invariant(rowGroups.indices.contains(rowGroup) && fields.indices.contains(column), "a column chunk")
    var first: Int64 = 0
    var end: Int64 = 0
    try calling { error in
      unsafe cw_reader_page(reader, Int32(rowGroup), Int32(column), Int64(row), &first, &end, &error)
    }
    return Int(first)..<Int(end)
  }

  /// Whether the column's Bloom filter lets the value be in the row group: its UTF-8, or the 16 bytes of an
  /// id. True where there is no filter. Touches 32 bytes of the file.
  package func bloomMayContain(rowGroup: Int, column: Int, text: [UInt8]) -> Bool {
    invariant(rowGroups.indices.contains(rowGroup) && fields.indices.contains(column), "a column chunk")
    return unsafe cw_reader_may_contain(
      reader, Int32(rowGroup), Int32(column), text, Int64(text.count)) != 0
  }

  /// The first row of each page of a column, within its row group.
  package func pageStarts(rowGroup: Int, column: Int) throws(ColumnarError) -> [Int] {
    invariant(rowGroups.indices.contains(rowGroup) && fields.indices.contains(column), "a column chunk")
    let count = unsafe cw_reader_pages(reader, Int32(rowGroup), Int32(column), nil, 0)
    guard count >= 0 else { throw .corrupt("a column chunk without a sound offset index") }
    var starts = [Int64](repeating: 0, count: Int(count))
    _ = unsafe cw_reader_pages(reader, Int32(rowGroup), Int32(column), &starts, count)
    return starts.map { Int($0) }
  }

  /// Decompresses every page and, if the reader verifies checksums, checks them: finds any damage within
  /// pages.
  package func verify() throws(ColumnarError) {
    try calling { error in unsafe cw_reader_verify(reader, &error) }
  }

  private static func text(_ start: UnsafePointer<CChar>?, _ count: Int64) -> String {
    guard let start = unsafe start else { return "" }
    // The C side hands over `count` bytes of a string that lives as long as the reader.
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: Int(count))
    return unsafe String(decoding: bytes, as: UTF8.self)
  }
}

extension ColumnChunkInfo {
  @unsafe fileprivate init(_ reader: OpaquePointer, _ group: Int32, _ column: Int32, _ type: ColumnType) {
    var facts = unsafe cw_chunk()
    unsafe cw_reader_chunk(reader, group, column, &facts)
    // The C side has checked that the chunk lies within the file.
    fileRange = unsafe Int(facts.start_offset)..<Int(facts.start_offset + facts.compressed_bytes)
    uncompressedBytes = unsafe Int(facts.uncompressed_bytes)
    nullCount = unsafe facts.null_count < 0 ? nil : Int(facts.null_count)
    isDictionary = unsafe facts.all_dictionary != 0
    let known = unsafe facts.has_bounds != 0
    switch type {
    case .int64, .timestamp:
      int64Bounds = unsafe known && facts.int_min <= facts.int_max ? facts.int_min...facts.int_max : nil
      float64Bounds = nil
      textBounds = nil
    case .float64:
      float64Bounds =
        unsafe known && facts.float_min <= facts.float_max ? facts.float_min...facts.float_max : nil
      int64Bounds = nil
      textBounds = nil
    case .utf8, .json:
      textBounds =
        known
        ? unsafe (
          Array(UnsafeBufferPointer(start: facts.bytes_min, count: Int(facts.bytes_min_count))),
          Array(UnsafeBufferPointer(start: facts.bytes_max, count: Int(facts.bytes_max_count)))
        ) : nil
      int64Bounds = nil
      float64Bounds = nil
    case .bool, .uuid:
      int64Bounds = nil
      float64Bounds = nil
      textBounds = nil
    }
  }
}
