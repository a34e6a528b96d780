/// The physical and logical type of a column. The raw value is written to disk: never renumber.
package enum ColumnType: UInt8, Sendable, Hashable, Codable {
  /// Signed 64-bit integers.
  case int64 = 1
  /// IEEE 754 double precision.
  case float64 = 2
  /// One bit a row, least significant first.
  case bool = 3
  /// UTF-8 text, NUL excluded by the decoders.
  case utf8 = 4
  /// 16 bytes a row: a UUID in network order.
  case uuid = 5
  /// UTF-8 text that is one JSON object.
  case json = 6
  /// Nanoseconds since 1970-01-01T00:00:00Z as int64; years 1677 to 2262.
  case timestamp = 7

  /// Bytes a row for fixed-width types; nil for text and bit-packed bool.
  package var fixedWidth: Int? {
    switch self {
    case .int64, .float64, .timestamp: 8
    case .uuid: 16
    case .bool, .utf8, .json: nil
    }
  }

  package var isText: Bool { self == .utf8 || self == .json }

  package var isNumber: Bool { self == .int64 || self == .float64 }
}

/// A column of a dataset's schema.
package struct Field: Sendable, Hashable {
  package let name: String
  package let type: ColumnType
  /// Whether a record may lack the value.
  package let isNullable: Bool

  package init(_ name: String, _ type: ColumnType, isNullable: Bool) {
    self.name = name
    self.type = type
    self.isNullable = isNullable
  }
}
