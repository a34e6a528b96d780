/// A place in the index at which to read its little-endian integers and varints; reading gives nil at the end
/// or for a varint over 2^62.
struct ByteCursor {
  /// At most the number of bytes.
  private(set) var position: Int

  init(position: Int = 0) { self.position = position }

  mutating func integer<T: FixedWidthInteger>(_ type: T.Type, in bytes: Span<UInt8>) -> T? {
    let width = T.bitWidth / 8
    guard position <= bytes.count, width <= bytes.count - position else { return nil }
    var value: T = 0
    for index in 0..<width { value |= T(truncatingIfNeeded: bytes[position + index]) << T(index * 8) }
    position += width
    return value
  }

  mutating func varint(in bytes: Span<UInt8>) -> Int? {
    var value = 0
    var shift = 0
    while position < bytes.count, shift < 56 {
      let byte = bytes[position]
      position += 1
      value |= Int(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  mutating func take(_ count: Int, of bytes: Span<UInt8>) -> [UInt8]? {
    guard count >= 0, position <= bytes.count, count <= bytes.count - position else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(count)
    for index in position..<position + count { result.append(bytes[index]) }
    position += count
    return result
  }
}
