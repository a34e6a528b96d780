import Codecs
import Encoding
import Records

/// What an export says of entries, the same in each form: their columns with the tenant's name behind them,
/// and times to the microsecond, as the API has them.
final class AuditExportEncoder: BatchEncoder {
  private let tenant: String
  private let fields: [Field]
  private let encoder: any BatchEncoder

  /// - Parameter make: Makes what encodes columns of these fields.
  init(
    tenant: String, fields: [Field], _ make: ([Field]) throws(EncodingError) -> any BatchEncoder
  ) throws(EncodingError) {
    self.tenant = tenant
    self.fields = fields + [Field("tenant_id", .utf8, isNullable: false)]
    encoder = try make(self.fields)
  }

  var bytesHeld: Int { encoder.bytesHeld }

  func begin() throws(EncodingError) -> [UInt8] { try encoder.begin() }

  func encode(_ batch: RecordBatch) throws(EncodingError) -> [UInt8] {
    var builder = TextBuilder(capacity: batch.rowCount)
    for _ in 0..<batch.rowCount { builder.appendRow(tenant) }
    let columns = zip(batch.fields, batch.columns).map { field, column in
      field.type == .timestamp ? AuditExportEncoder.microseconds(column) : column
    }
    return try encoder.encode(
      RecordBatch(
        fields: fields, columns: columns + [builder.finish(type: .utf8)], rowCount: batch.rowCount))
  }

  func end(cursor: String?) throws(EncodingError) -> [UInt8] { try encoder.end(cursor: cursor) }

  /// Times rounded down, as text cuts them.
  private static func microseconds(_ column: Column) -> Column {
    column.withInt64 { times in
      Column(
        timestamps: times.indices.map { index in
          let below = ((times[index] % 1_000) + 1_000) % 1_000
          return times[index] < .min + 1_000 ? times[index] : times[index] - below
        })
    }
  }
}

/// A bare JSON array of entries.
final class AuditListEncoder: BatchEncoder {
  private let records: RecordWriter
  private var writer = JSONWriter(capacity: 1 << 16)
  private var isFirst = true

  init(fields: [Field], style: RecordStyle) { records = RecordWriter(fields: fields, style: style) }

  func begin() -> [UInt8] { Array("[".utf8) }

  func encode(_ batch: RecordBatch) -> [UInt8] {
    records.appendObjects(
      batch, separator: UInt8(ascii: ","), isFirst: isFirst, terminator: nil, to: &writer)
    isFirst = false
    return writer.takeBytes()
  }

  func end(cursor: String?) -> [UInt8] { Array("]\n".utf8) }
}

extension OutputFormat {
  var fileEnding: String { self == .arrow ? "arrows" : rawValue }
}
