import Records

/// Writes one message in Protocol Buffers' wire format, field by field.
package struct ProtobufWriter {
  /// Written so far.
  package private(set) var bytes: [UInt8] = []

  /// Empty: a message without fields.
  package init() {}

  /// A number.
  package mutating func append(_ field: Int, varint value: UInt64) {
    Varint.append(UInt64(field) << 3, to: &bytes)
    Varint.append(value, to: &bytes)
  }

  /// Bytes, or a message.
  package mutating func append(_ field: Int, bytes value: [UInt8]) {
    Varint.append(UInt64(field) << 3 | 2, to: &bytes)
    Varint.append(UInt64(value.count), to: &bytes)
    bytes += value
  }

  /// A text.
  package mutating func append(_ field: Int, text: String) { append(field, bytes: Array(text.utf8)) }
}
