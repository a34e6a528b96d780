import CArrow
import Records

/// How a Parquet column is stored.
package struct ParquetColumnOptions: Sendable {
  /// How a column's values are written.
  package enum Encoding: Sendable {
    /// As it is; text columns get no bounds then.
    case plain
    /// Indices into the distinct values, until those exceed 2 MiB in a row group: then plain from that page
    /// on.
    case dictionary
    /// DELTA_BINARY_PACKED, for int64 and timestamps.
    case delta

    var number: Int32 {
      switch self {
      case .plain: 0
      case .dictionary: 1
      case .delta: 2
      }
    }
  }
  /// What a column's values are, as far as it matters for how they are compressed.
  package enum Content: Sendable {
    /// Anything.
    case mixed
    /// Texts of a few lengths whose characters are random: ids, hashes.
    case random
    /// Numbers of eight bytes.
    case numbers

    var number: Int32 {
      switch self {
      case .mixed: 0
      case .random: 1
      case .numbers: 2
      }
    }
  }
  /// How the values are written.
  package var encoding: Encoding
  /// What the values are.
  package var content: Content
  /// Distinct values a row group's Bloom filter is sized for (3 % false positives); nil: no filter.
  package var bloomDistinctCount: Int?
  /// Whether an int64 column holds times in microseconds since 1970, which the file then says of it. Such a
  /// column is read as int64.
  package var isMicroseconds: Bool
  /// Options of one column.
  package init(
    encoding: Encoding, content: Content = .mixed, bloomDistinctCount: Int? = nil,
    isMicroseconds: Bool = false
  ) {
    self.encoding = encoding
    self.content = content
    self.bloomDistinctCount = bloomDistinctCount
    self.isMicroseconds = isMicroseconds
  }
}

/// Writes one Parquet file into a sink: Zstandard level 1, checksummed pages, page index.
///
/// Every column's pages hold the same rows: page p of a row group has rows p × `rowsPerPage` on. Text that is
/// json is marked by field metadata `cordwood.type`; ids have the UUID type, times are ns in UTC. Memory: the
/// encoded pages of one column of one row group. One thread at a time. After an error only dropping the
/// writer is sensible; an unfinished file stays without a footer.
@safe package final class ParquetWriter {
  private let fields: [Field]
  private let encodings: [ParquetColumnOptions.Encoding]
  private let sink: Sink
  private var writer: OpaquePointer?

  /// - Parameters:
  ///   - options: One a field.
  ///   - sortedBy: Names of the columns the rows are sorted by, most significant first; told to readers, not
  ///     checked.
  ///   - sink: Takes the file's bytes in order; answers false when it failed.
  package init(
    fields: [Field], options: [ParquetColumnOptions], sortedBy: [String], rowsPerPage: Int,
    sink: @escaping (Span<UInt8>) -> Bool
  ) throws(ColumnarError) {
    invariant(fields.count == options.count && !fields.isEmpty, "options for each field")
    invariant(
      zip(fields, options).allSatisfy { !$1.isMicroseconds || $0.type == .int64 }, "microseconds are int64")
    invariant(rowsPerPage > 0, "pages hold rows")
    self.fields = fields
    self.encodings = options.map(\.encoding)
    self.sink = Sink(sink)
    let context = unsafe self.sink.context
    var made: OpaquePointer?
    try calling { error in
      unsafe withColumns(
        fields, options: options, sortedBy: sortedBy
      ) { columns, count in
        unsafe cw_writer_open(columns, count, Int64(rowsPerPage), Sink.function, context, &made, &error)
      }
    }
    unsafe writer = made
  }

  deinit { unsafe cw_writer_free(writer) }

  /// Writes `batch` as one row group. Its columns may have dictionary layout; values that no row has are left
  /// out.
  package func writeRowGroup(_ batch: RecordBatch) throws(ColumnarError) {
    invariant(batch.fields.count == fields.count, "a batch of the file's fields")
    var flags: [UInt8] = []
    var columns: [Column] = []
    for (index, column) in batch.columns.enumerated() {
      invariant(column.type == fields[index].type, "a batch of the file's fields")
      var column = column
      var isDictionary = false
      if case .dictionary = column.storage {
        isDictionary = encodings[index] == .dictionary
        column = isDictionary ? column.withUsedValuesOnly() : column.plainText()
      }
      columns.append(column)
      flags.append(isDictionary ? 1 : 0)
    }
    var array = unsafe ExportedBatch.export(columns, rowCount: batch.rowCount)
    defer { unsafe array.release?(&array) }
    try calling { error in unsafe cw_writer_row_group(writer, &array, flags, &error) }
  }

  /// Writes raw bytes where the file stands and returns their offset in it; Parquet readers never look there.
  package func embed(_ bytes: [UInt8]) throws(ColumnarError) -> Int {
    var offset: Int64 = 0
    try calling { error in unsafe cw_writer_embed(writer, bytes, Int64(bytes.count), &offset, &error) }
    return Int(offset)
  }

  /// Writes Bloom filters, page index and footer. Nothing may be written afterwards.
  package func finish(metadata: [(String, String)]) throws(ColumnarError) {
    // All keys and values in one piece of memory, each ended by 0.
    var text: [CChar] = []
    var starts: [Int] = []
    for (key, value) in metadata {
      for part in [key, value] {
        starts.append(text.count)
        text.append(contentsOf: part.utf8.map { CChar(bitPattern: $0) })
        text.append(0)
      }
    }
    try calling { error in
      unsafe text.withUnsafeBufferPointer { buffer in
        let pointers = unsafe starts.map { start in unsafe buffer.baseAddress.map { unsafe $0 + start } }
        let keys = unsafe stride(from: 0, to: pointers.count, by: 2).map { unsafe pointers[$0] }
        let values = unsafe stride(from: 1, to: pointers.count, by: 2).map { unsafe pointers[$0] }
        return unsafe cw_writer_finish(writer, keys, values, Int32(metadata.count), &error)
      }
    }
  }
}
