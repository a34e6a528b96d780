import CArrow
import Records

/// Writes batches as an Arrow IPC stream into a sink. Text is written plain, ids as `arrow.uuid`, times as ns
/// in UTC, json as utf8 with field metadata `cordwood.type`. One thread at a time.
@safe package final class ArrowStreamWriter {
  /// How the buffers of batches are compressed.
  package enum Compression: Int32, Sendable {
    case none = 0, lz4 = 1, zstandard = 2
  }

  private let fields: [Field]
  private let sink: Sink
  private var writer: OpaquePointer?

  /// The schema is written with the first batch, or at the end.
  /// - Parameter sink: Takes the stream's bytes in order; answers false when it failed.
  package init(
    fields: [Field], compression: Compression = .none, sink: @escaping (Span<UInt8>) -> Bool
  ) throws(ColumnarError) {
    self.fields = fields
    self.sink = Sink(sink)
    let context = unsafe self.sink.context
    var made: OpaquePointer?
    try calling { error in
      unsafe withColumns(fields) { columns, count in
        unsafe cw_ipc_open(columns, count, compression.rawValue, Sink.function, context, &made, &error)
      }
    }
    unsafe writer = made
  }

  deinit { unsafe cw_ipc_free(writer) }

  /// Writes one batch. Its columns may have dictionary layout.
  package func write(_ batch: RecordBatch) throws(ColumnarError) {
    invariant(batch.fields.map(\.type) == fields.map(\.type), "a batch of the stream's fields")
    let columns = batch.columns.map { column in
      if case .dictionary = column.storage { column.plainText() } else { column }
    }
    var array = unsafe ExportedBatch.export(columns, rowCount: batch.rowCount)
    defer { unsafe array.release?(&array) }
    try calling { error in unsafe cw_ipc_write(writer, &array, &error) }
  }

  /// Writes the end-of-stream mark. Nothing may be written afterwards.
  package func finish() throws(ColumnarError) {
    try calling { error in unsafe cw_ipc_finish(writer, &error) }
  }
}

/// Reads Arrow IPC streams that lie in memory.
package enum ArrowStreamReader {
  /// The columns and batches of a stream. Batches share the memory of `buffer` unless they are compressed.
  ///
  /// Every buffer's length, all offsets and all UTF-8 are checked. Columns of other types than ours:
  /// `unsupported`.
  package static func read(
    _ buffer: Buffer
  ) throws(ColumnarError) -> (fields: [Field], batches: [RecordBatch]) {
    let collector = Collector(buffer)
    let context = unsafe Unmanaged.passUnretained(collector).toOpaque()
    try calling { error in
      unsafe buffer.withUnsafeBytes { bytes in
        unsafe cw_ipc_read(
          bytes.assumingMemoryBound(to: UInt8.self).baseAddress, Int64(bytes.count), context,
          Collector.field, Collector.batch, &error)
      }
    }
    if let failure = collector.failure { throw failure }
    return (collector.fields, collector.batches)
  }

  /// Takes what the C side finds.
  private final class Collector {
    /// Imported arrays point into it.
    let buffer: Buffer
    var fields: [Field] = []
    var batches: [RecordBatch] = []
    var failure: ColumnarError?

    init(_ buffer: Buffer) { self.buffer = buffer }

    static let field: @convention(c) (UnsafeMutableRawPointer?, UnsafePointer<CChar>?, Int32, Int32) -> Void =
      {
        context, name, type, nullable in
        guard let context = unsafe context, let name = unsafe name,
          let type = ColumnType(rawValue: UInt8(truncatingIfNeeded: type))
        else { return }
        let collector = unsafe Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
        collector.fields.append(Field(unsafe String(cString: name), type, isNullable: nullable != 0))
      }

    static let batch: @convention(c) (UnsafeMutableRawPointer?, UnsafeMutablePointer<ArrowArray>?) -> Void = {
      context, array in
      guard let context = unsafe context, let array = unsafe array else { return }
      let collector = unsafe Unmanaged<Collector>.fromOpaque(context).takeUnretainedValue()
      let imported = unsafe ImportedArray(array.pointee, keeping: collector.buffer)
      do throws(ColumnarError) {
        collector.batches.append(try imported.batch(fields: collector.fields))
      } catch {
        collector.failure = error
      }
    }
  }
}
