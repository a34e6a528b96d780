import Codecs
import Records

/// Why bytes of a block's index could not be understood.
struct IndexError: Error, Equatable {
  let offsetBytes: Int
  let reason: String
}

/// Writes the small values of a block's index.
struct IndexWriter {
  private(set) var bytes: [UInt8] = []

  mutating func append(_ byte: UInt8) { bytes.append(byte) }
  mutating func append(raw other: [UInt8]) { bytes += other }
  mutating func append(count: Int) { Varint.append(UInt64(count), to: &bytes) }
  mutating func append(unsigned value: UInt64) { Varint.append(value, to: &bytes) }
  mutating func append(signed value: Int64) { Varint.append(signed: value, to: &bytes) }

  mutating func append(text: String) {
    append(count: text.utf8.count)
    bytes += Array(text.utf8)
  }

  mutating func append<Value: FixedWidthInteger>(littleEndian value: Value) {
    var rest = value
    for _ in 0..<Value.bitWidth / 8 {
      bytes.append(UInt8(truncatingIfNeeded: rest))
      rest >>= 8
    }
  }

  mutating func pad8() {
    while bytes.count % 8 != 0 { bytes.append(0) }
  }
}

/// Reads the small values of a block's index. Total: broken bytes are errors.
struct IndexReader {
  private let buffer: Buffer
  private(set) var offset = 0

  init(_ buffer: Buffer) { self.buffer = buffer }

  var isAtEnd: Bool { offset == buffer.byteCount }

  func error(_ reason: String) -> IndexError { IndexError(offsetBytes: offset, reason: reason) }

  mutating func byte() throws(IndexError) -> UInt8 {
    guard offset < buffer.byteCount else { throw error("the section ends early") }
    offset += 1
    let at = offset - 1
    return buffer.withSpan(of: UInt8.self) { $0[at] }
  }

  mutating func unsigned() throws(IndexError) -> UInt64 {
    var at = offset
    guard let value = buffer.withSpan(of: UInt8.self, { Varint.read($0, at: &at) }) else {
      throw error("a broken varint")
    }
    offset = at
    return value
  }

  mutating func signed() throws(IndexError) -> Int64 {
    var at = offset
    guard let value = buffer.withSpan(of: UInt8.self, { Varint.readSigned($0, at: &at) }) else {
      throw error("a broken varint")
    }
    offset = at
    return value
  }

  /// A number of rows, bytes or things, at most `max`.
  mutating func count(max: Int = 1 << 40) throws(IndexError) -> Int {
    guard let value = Int(exactly: try unsigned()), value <= max else { throw error("a count out of range") }
    return value
  }

  mutating func raw(_ count: Int) throws(IndexError) -> [UInt8] {
    guard count >= 0, count <= buffer.byteCount - offset else { throw error("the section ends early") }
    let range = offset..<offset + count
    offset += count
    return buffer.slice(range).withSpan(of: UInt8.self) { span in span.indices.map { span[$0] } }
  }

  mutating func text() throws(IndexError) -> String {
    let bytes = try raw(try count())
    guard let text = String(validating: bytes, as: UTF8.self) else { throw error("text that is not UTF-8") }
    return text
  }

  mutating func integer<Value: FixedWidthInteger>(_ type: Value.Type) throws(IndexError) -> Value {
    try raw(Value.bitWidth / 8).reversed().reduce(0) { $0 << 8 | Value($1) }
  }

  mutating func integers(_ count: Int) throws(IndexError) -> [Int64] {
    guard count >= 0, count <= (buffer.byteCount - offset) / 8 else { throw error("the section ends early") }
    var values: [Int64] = []
    values.reserveCapacity(count)
    for _ in 0..<count { values.append(try integer(Int64.self)) }
    return values
  }
}
