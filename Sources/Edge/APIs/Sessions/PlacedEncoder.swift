import Access
import Encoding
import Records

/// A session's records with the names of its container and its own as columns behind theirs. They are not
/// read: records have the container's identity where it had its name.
final class PlacedEncoder: BatchEncoder {
  private let names: [String]
  private let fields: [Field]
  private let encoder: any BatchEncoder

  /// - Parameter make: Makes what encodes columns of these fields.
  init(
    _ place: SessionCatalog.Session, fields: [Field],
    _ make: ([Field]) throws(EncodingError) -> any BatchEncoder
  ) throws(EncodingError) {
    names = [place.container, place.name]
    self.fields = fields + ["container", "session"].map { Field($0, .utf8, isNullable: false) }
    encoder = try make(self.fields)
  }

  func begin() throws(EncodingError) -> [UInt8] { try encoder.begin() }

  func encode(_ batch: RecordBatch) throws(EncodingError) -> [UInt8] {
    let columns = names.map { name in
      var builder = TextBuilder(capacity: batch.rowCount)
      for _ in 0..<batch.rowCount { builder.appendRow(name) }
      return builder.finish(type: .utf8)
    }
    return try encoder.encode(
      RecordBatch(fields: fields, columns: batch.columns + columns, rowCount: batch.rowCount))
  }

  func end(cursor: String?) throws(EncodingError) -> [UInt8] { try encoder.end(cursor: cursor) }
}
