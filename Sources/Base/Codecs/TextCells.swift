import Records

/// The cells of a text column (`utf8`, `json`) by row, for code that writes rows one after the other. Some
/// nanoseconds a call; a dictionary is looked through.
@safe package struct TextCells {
  /// Keeps every buffer in place.
  private let column: Column
  private let validity: UnsafePointer<UInt8>?
  private let offsets: UnsafePointer<Int32>
  private let bytes: UnsafePointer<UInt8>
  private let byteCount: Int
  private let indices: UnsafePointer<Int32>?
  private let valueCount: Int

  /// Traps on a column of another type.
  package init(_ column: Column) {
    self.column = column
    unsafe validity = column.validity.map { unsafe TextCells.start($0, as: UInt8.self) }
    switch column.storage {
    case .fixed: bug("a text column")
    case .text(let starts, let text):
      unsafe offsets = TextCells.start(starts, as: Int32.self)
      unsafe bytes = TextCells.start(text, as: UInt8.self)
      byteCount = text.byteCount
      unsafe indices = nil
      valueCount = column.rowCount
    case .dictionary(let keys, let starts, let text, let count):
      unsafe offsets = TextCells.start(starts, as: Int32.self)
      unsafe bytes = TextCells.start(text, as: UInt8.self)
      byteCount = text.byteCount
      unsafe indices = TextCells.start(keys, as: Int32.self)
      valueCount = count
    }
  }

  private static func start<T>(_ buffer: Buffer, as type: T.Type) -> UnsafePointer<T> {
    // An empty buffer's address is never read from.
    unsafe buffer.withUnsafeBytes {
      unsafe ($0.baseAddress ?? UnsafeRawPointer(HeapMemory.nothing.base)).assumingMemoryBound(to: T.self)
    }
  }

  /// Whether the row has a value.
  package func isValid(_ row: Int) -> Bool {
    invariant(row >= 0 && row < column.rowCount, "a row of the column")
    guard let validity = unsafe validity else { return true }
    // Within bounds: a bit a row.
    return unsafe validity[row >> 3] & (1 << UInt8(row & 7)) != 0
  }

  /// The row's bytes; nothing for null.
  private func text(_ row: Int) -> UnsafeBufferPointer<UInt8> {
    guard isValid(row) else { return unsafe UnsafeBufferPointer(start: bytes, count: 0) }
    let index = unsafe indices.map { unsafe Int($0[row]) } ?? row
    invariant(index >= 0 && index < valueCount, "an index into the dictionary")
    // Within bounds: there is one offset more than values; what they say is checked.
    let start = unsafe Int(offsets[index])
    let end = unsafe Int(offsets[index + 1])
    invariant(start >= 0 && start <= end && end <= byteCount, "offsets lie within the text")
    return unsafe UnsafeBufferPointer(start: bytes + start, count: end - start)
  }

  /// How many bytes the row has; 0 for null.
  package func byteCount(_ row: Int) -> Int { unsafe text(row).count }

  /// Appends the row's bytes as they are; nothing for null.
  package func append(_ row: Int, to output: inout [UInt8]) {
    unsafe output.append(contentsOf: text(row))
  }

  /// Appends the row's bytes as they are; nothing for null.
  package func append(_ row: Int, to writer: inout JSONWriter) {
    unsafe writer.append(raw: text(row))
  }

  /// Appends the row as JSON: a string, or the object as it is; `null` for null.
  package func appendJSON(_ row: Int, to writer: inout JSONWriter) {
    guard isValid(row) else { return writer.appendNull() }
    if column.type == .json {
      unsafe writer.append(raw: text(row))
    } else {
      unsafe writer.appendString(text(row))
    }
  }

  /// The row's text; empty for null.
  package func string(_ row: Int) -> String {
    unsafe String(decoding: text(row), as: UTF8.self)
  }

  /// The row's bytes, copied; empty for null.
  package func copy(_ row: Int) -> [UInt8] { unsafe Array(text(row)) }
}
