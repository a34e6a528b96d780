/// Integers in 1 to 10 bytes, seven bits a byte, low bits first (LEB128). Signed ones are zigzag-coded.
package enum Varint {
  /// Appends `value` in ``byteCount(_:)`` bytes.
  package static func append(_ value: UInt64, to bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Appends `value`, small magnitudes of either sign in few bytes.
  package static func append(signed value: Int64, to bytes: inout [UInt8]) {
    append(zigzag(value), to: &bytes)
  }

  /// Reads a value at `position` and moves behind it. nil (position unmoved) when bytes run out or the
  /// value has more than 64 bits; a longer form than needed is accepted.
  package static func read(_ bytes: Span<UInt8>, at position: inout Int) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    var at = position
    while at < bytes.count, at >= 0 {
      let byte = bytes[at]
      at += 1
      if shift == 63, byte > 1 { return nil }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 {
        position = at
        return value
      }
      shift += 7
      if shift > 63 { return nil }
    }
    return nil
  }

  /// Reads a zigzag-coded value at `position` and moves behind it; nil as ``read(_:at:)``.
  package static func readSigned(_ bytes: Span<UInt8>, at position: inout Int) -> Int64? {
    read(bytes, at: &position).map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
  }

  /// How many bytes `value` takes: 1 to 10.
  package static func byteCount(_ value: UInt64) -> Int {
    max(1, (64 - value.leadingZeroBitCount + 6) / 7)
  }

  private static func zigzag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: value << 1) ^ UInt64(bitPattern: value >> 63)
  }
}
