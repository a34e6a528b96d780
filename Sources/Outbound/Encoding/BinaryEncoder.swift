import Codecs
import Columnar
import Records

/// An Arrow IPC stream or a Parquet file, as it is written.
///
/// Parquet gathers batches to row groups of ``rowGroupRows`` rows, or of fewer that have ``rowGroupBytes`` of
/// text, so that it needs the memory of one row group.
package final class BinaryEncoder: BatchEncoder {
  /// Rows of a row group of Parquet.
  package static let rowGroupRows = 131_072
  /// Text of a row group of Parquet, beyond which no further batch goes into it.
  package static let rowGroupBytes = 64 << 20

  private enum Writer {
    case arrow(ArrowStreamWriter)
    case parquet(ParquetWriter)
  }

  private let output = Output()
  private let writer: Writer
  private var waiting: [RecordBatch] = []
  private var waitingRows = 0
  private var waitingBytes = 0
  private let rowGroupBytes: Int

  /// - Parameters:
  ///   - format: `.arrow` or `.parquet`.
  ///   - rowGroupBytes: Smaller in tests.
  package init(
    format: OutputFormat, fields: [Field], rowGroupBytes: Int = BinaryEncoder.rowGroupBytes
  ) throws(EncodingError) {
    invariant(format == .arrow || format == .parquet, "a binary format")
    self.rowGroupBytes = rowGroupBytes
    let output = output
    let sink: (Span<UInt8>) -> Bool = { bytes in
      for index in bytes.indices { output.bytes.append(bytes[index]) }
      return true
    }
    do throws(ColumnarError) {
      writer =
        format == .arrow
        ? .arrow(try ArrowStreamWriter(fields: fields, sink: sink))
        : .parquet(
          try ParquetWriter(
            fields: fields.map {
              Field($0.name, $0.type == .uuid ? .utf8 : $0.type, isNullable: $0.isNullable)
            },
            options: fields.map {
              ParquetColumnOptions(encoding: $0.type == .uuid ? .plain : .dictionary)
            },
            sortedBy: [], rowsPerPage: 8_192, sink: sink))
    } catch {
      throw EncodingError(reason: "\(error)")
    }
  }

  /// See ``BatchEncoder``.
  package func begin() -> [UInt8] { output.take() }

  /// See ``BatchEncoder``.
  package func encode(_ batch: RecordBatch) throws(EncodingError) -> [UInt8] {
    do throws(ColumnarError) {
      switch writer {
      case .arrow(let writer): try writer.write(batch)
      case .parquet:
        let bytes = batch.textByteCount
        if waitingRows > 0, waitingBytes + bytes > rowGroupBytes { try writeRowGroup() }
        waiting.append(batch)
        waitingRows += batch.rowCount
        waitingBytes += bytes
        if waitingRows >= BinaryEncoder.rowGroupRows { try writeRowGroup() }
      }
    } catch {
      throw EncodingError(reason: "\(error)")
    }
    return output.take()
  }

  /// Neither format can say where the next page begins: `cursor` is left out.
  package func end(cursor: String?) throws(EncodingError) -> [UInt8] {
    do throws(ColumnarError) {
      switch writer {
      case .arrow(let writer): try writer.finish()
      case .parquet(let writer):
        if waitingRows > 0 { try writeRowGroup() }
        try writer.finish(metadata: [])
      }
    } catch {
      throw EncodingError(reason: "\(error)")
    }
    return output.take()
  }

  /// Twice the rows of a row group of Parquet: they are put together before they are written.
  package var bytesHeld: Int { waitingBytes * 2 }

  private func writeRowGroup() throws(ColumnarError) {
    guard case .parquet(let writer) = writer else { return }
    let runs = waiting.enumerated().map { RowRun(source: $0.offset, start: 0, count: $0.element.rowCount) }
    let rows = RecordBatch.gather(waiting, runs: runs)
    // Ids as text, as in blocks: fastparquet cuts zeros at the end of bytes (decision 0035).
    let columns = rows.columns.map { $0.type == .uuid ? UUIDTexts.texts(of: $0) : $0 }
    let fields = zip(rows.fields, columns).map { Field($0.name, $1.type, isNullable: $0.isNullable) }
    try writer.writeRowGroup(RecordBatch(fields: fields, columns: columns, rowCount: rows.rowCount))
    waiting = []
    waitingRows = 0
    waitingBytes = 0
  }

  /// Where the writer's sink puts bytes until they are fetched.
  private final class Output {
    var bytes: [UInt8] = []
    func take() -> [UInt8] {
      defer { bytes = [] }
      return bytes
    }
  }
}

extension OutputFormat {
  /// The format's encoder for batches of `fields`.
  package func encoder(
    fields: [Field], style: RecordStyle = RecordStyle(), remarks: AnswerRemarks = AnswerRemarks()
  ) throws(EncodingError) -> any BatchEncoder {
    switch self {
    case .json, .ndjson, .csv:
      TextEncoder(format: self, fields: fields, style: style, remarks: remarks)
    case .arrow, .parquet: try BinaryEncoder(format: self, fields: fields)
    }
  }
}
