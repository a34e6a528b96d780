/// One column of a batch in Arrow's layout (https://arrow.apache.org/docs/format/Columnar.html), without
/// array offsets: row 0 is the first element of each buffer. Immutable; copying shares memory.
public struct Column: Sendable {
  /// Where the values lie.
  public enum Storage: Sendable {
    /// `int64`, `float64`, `timestamp` (8 bytes a row), `uuid` (16), `bool` (a bit a row, LSB first).
    case fixed(Buffer)
    /// `utf8`, `json`: rowCount + 1 Int32 offsets into `bytes`.
    case text(offsets: Buffer, bytes: Buffer)
    /// `utf8`, `json`: Int32 indices (a null row's index is any valid or 0) into values,
    /// which may repeat.
    case dictionary(indices: Buffer, offsets: Buffer, bytes: Buffer, valueCount: Int)
  }

  package let type: ColumnType
  public let rowCount: Int
  /// A bit a row, least significant first, set where the row has a value; nil when every row has one.
  public let validity: Buffer?
  public let storage: Storage

  package init(type: ColumnType, rowCount: Int, validity: Buffer?, storage: Storage) {
    self.type = type
    self.rowCount = rowCount
    self.validity = validity
    self.storage = storage
    switch storage {
    case .fixed(let values):
      let need = type.fixedWidth.map { $0 * rowCount } ?? (rowCount + 7) / 8
      invariant(values.byteCount >= need && !type.isText, "a fixed column holds every row")
    case .text(let offsets, _):
      invariant(offsets.byteCount >= (rowCount + 1) * 4 && type.isText, "n + 1 offsets")
    case .dictionary(let indices, let offsets, _, let valueCount):
      invariant(
        indices.byteCount >= rowCount * 4 && offsets.byteCount >= (valueCount + 1) * 4 && type.isText,
        "an index a row and n + 1 offsets")
    }
  }

  /// A column of nulls.
  package static func nulls(type: ColumnType, rowCount: Int) -> Column {
    let validity = Buffer(copying: [UInt8](repeating: 0, count: (rowCount + 7) / 8))
    if type.isText {
      return Column(
        type: type, rowCount: rowCount, validity: validity,
        storage: .text(
          offsets: Buffer(copying: [Int32](repeating: 0, count: rowCount + 1)), bytes: .empty))
    }
    let bytes = type.fixedWidth.map { $0 * rowCount } ?? (rowCount + 7) / 8
    return Column(
      type: type, rowCount: rowCount, validity: validity,
      storage: .fixed(Buffer(copying: [UInt8](repeating: 0, count: bytes))))
  }

  package init(timestamps values: [Int64]) {
    self.init(
      type: .timestamp, rowCount: values.count, validity: nil, storage: .fixed(Buffer(copying: values)))
  }

  package init(int64 values: [Int64]) {
    self.init(
      type: .int64, rowCount: values.count, validity: nil, storage: .fixed(Buffer(copying: values)))
  }

  /// Hands over the values of an `int64` or `timestamp` column; null rows hold any number. Traps on other
  /// types.
  public func withInt64<R, E: Error>(_ body: (Span<Int64>) throws(E) -> R) throws(E) -> R {
    guard case .fixed(let values) = storage, type == .int64 || type == .timestamp else {
      bug("an int64 or timestamp column")
    }
    return try values.slice(0..<rowCount * 8).withSpan(of: Int64.self, body)
  }

  /// Hands over the values of a `float64` column; null rows hold any number. Traps on other types.
  public func withFloat64<R, E: Error>(_ body: (Span<Double>) throws(E) -> R) throws(E) -> R {
    guard case .fixed(let values) = storage, type == .float64 else {
      bug("a float64 column")
    }
    return try values.slice(0..<rowCount * 8).withSpan(of: Double.self, body)
  }

  /// Hands over the bits of a `bool` column, least significant first. Traps on other types.
  public func withBits<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    guard case .fixed(let values) = storage, type == .bool else { bug("a bool column") }
    return try values.withSpan(of: UInt8.self, body)
  }

  /// Hands over the 16-byte values of a `uuid` column, one after the other. Traps on other types.
  public func withUUIDs<R, E: Error>(_ body: (Span<UInt8>) throws(E) -> R) throws(E) -> R {
    guard case .fixed(let values) = storage, type == .uuid else { bug("a uuid column") }
    return try values.slice(0..<rowCount * 16).withSpan(of: UInt8.self, body)
  }

  /// Hands over rowCount + 1 offsets and the bytes of a plain text column. Traps on dictionaries:
  /// see ``plainText()``.
  public func withText<R, E: Error>(
    _ body: (Span<Int32>, Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    guard case .text(let offsets, let bytes) = storage else { bug("a plain text column") }
    return try offsets.slice(0..<(rowCount + 1) * 4).withSpan(of: Int32.self) {
      (starts: Span<Int32>) throws(E) -> R in
      try bytes.withSpan(of: UInt8.self) { (text: Span<UInt8>) throws(E) -> R in try body(starts, text) }
    }
  }

  /// Hands over the indices (a row each), the offsets (a value each, and one) and the bytes of a dictionary
  /// column.
  public func withDictionary<R, E: Error>(
    _ body: (Span<Int32>, Span<Int32>, Span<UInt8>) throws(E) -> R
  ) throws(E) -> R {
    guard case .dictionary(let indices, let offsets, let bytes, let valueCount) = storage else {
      bug("a dictionary column")
    }
    return try indices.slice(0..<rowCount * 4).withSpan(of: Int32.self) {
      (keys: Span<Int32>) throws(E) -> R in
      try offsets.slice(0..<(valueCount + 1) * 4).withSpan(of: Int32.self) {
        (starts: Span<Int32>) throws(E) -> R in
        try bytes.withSpan(of: UInt8.self) { (text: Span<UInt8>) throws(E) -> R in
          try body(keys, starts, text)
        }
      }
    }
  }

  /// Hands over the validity bits, or nil when every row has a value.
  public func withValidity<R, E: Error>(_ body: (Span<UInt8>?) throws(E) -> R) throws(E) -> R {
    guard let validity else { return try body(nil) }
    return try validity.withSpan(of: UInt8.self) { (bits: Span<UInt8>) throws(E) -> R in try body(bits) }
  }

  /// Whether row `row` has a value. O(1); for a loop over rows use ``withValidity(_:)``.
  package func isValid(_ row: Int) -> Bool {
    invariant(row >= 0 && row < rowCount, "a row of the column")
    return withValidity { bits in
      guard let bits else { return true }
      return bits[row >> 3] & (1 << UInt8(row & 7)) != 0
    }
  }
}
