/// Walks the fields of one message in Protocol Buffers' wire format
/// (https://protobuf.dev/programming-guides/encoding/). Total: any bytes give fields or an error, and nothing
/// is copied or allocated. Groups, which proto3 does not have, are errors.
package struct ProtobufReader {
  /// What a field holds; what it means, its number says.
  package enum Value: Sendable, Hashable {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    /// A text, bytes or a message: where they lie.
    case bytes(Range<Int>)
  }

  /// The bytes are no message.
  package struct WireError: Error, Sendable, Hashable {
    /// Where that was seen.
    package let offsetBytes: Int
  }

  /// Offset of the next byte to read.
  package private(set) var at: Int
  private let end: Int

  /// - Parameter range: Where the message lies in the bytes that ``next(_:)`` is given.
  package init(_ range: Range<Int>) {
    at = range.lowerBound
    end = range.upperBound
  }

  /// The next field, with its number (1 to 2^29 - 1); nil at the end.
  package mutating func next(_ bytes: Span<UInt8>) throws(WireError) -> (field: Int, value: Value)? {
    guard at < end else { return nil }
    let start = at
    let tag = try varint(bytes)
    let field = Int(truncatingIfNeeded: tag >> 3)
    guard tag <= UInt64(UInt32.max), field > 0 else { throw WireError(offsetBytes: start) }
    switch tag & 7 {
    case 0: return (field, .varint(try varint(bytes)))
    case 1: return (field, .fixed64(try fixed(bytes, 8)))
    case 2:
      let count = try varint(bytes)
      guard count <= UInt64(end - at) else { throw WireError(offsetBytes: start) }
      let range = at..<at + Int(count)
      at = range.upperBound
      return (field, .bytes(range))
    case 5: return (field, .fixed32(UInt32(truncatingIfNeeded: try fixed(bytes, 4))))
    default: throw WireError(offsetBytes: start)
    }
  }

  private mutating func varint(_ bytes: Span<UInt8>) throws(WireError) -> UInt64 {
    guard let value = Varint.read(bytes, at: &at), at <= end else { throw WireError(offsetBytes: at) }
    return value
  }

  private mutating func fixed(_ bytes: Span<UInt8>, _ count: Int) throws(WireError) -> UInt64 {
    guard end - at >= count else { throw WireError(offsetBytes: at) }
    var value: UInt64 = 0
    for index in 0..<count { value |= UInt64(bytes[at + index]) << UInt64(8 * index) }
    at += count
    return value
  }
}
