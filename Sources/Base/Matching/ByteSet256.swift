/// A set of bytes.
package struct ByteSet256: Sendable, Hashable {
  /// Byte b is bit b & 63 of lane b >> 6.
  package var bits: SIMD4<UInt64>

  /// No byte.
  package init() { bits = .zero }

  /// A bit a byte, from the lowest on.
  package init(bits: SIMD4<UInt64>) { self.bits = bits }

  /// All bytes of the range.
  package init(_ range: ClosedRange<UInt8>) {
    self.init()
    for byte in range { insert(byte) }
  }

  /// These bytes; order and repeats do not matter.
  package init(_ bytes: some Sequence<UInt8>) {
    self.init()
    for byte in bytes { insert(byte) }
  }

  /// All 256 bytes.
  package static let all = ByteSet256(bits: SIMD4(repeating: ~0))
  /// ASCII letters and digits and `_`: the words of ASCII, and what `\w` and `\b` call word bytes.
  package static let asciiWords: ByteSet256 = {
    var set = ByteSet256(UInt8(ascii: "0")...UInt8(ascii: "9"))
    for range in [UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z")] {
      set.formUnion(ByteSet256(range))
    }
    set.insert(UInt8(ascii: "_"))
    return set
  }()
  /// As ``asciiWords``, and all bytes from 0x80 on: what no character beyond ASCII ends. Text indexes of
  /// version 1 are made of such words.
  package static let wordsAndHigh: ByteSet256 = {
    var set = asciiWords
    set.formUnion(ByteSet256(0x80...0xFF))
    return set
  }()

  /// Whether the byte is in the set.
  package func contains(_ byte: UInt8) -> Bool {
    bits[Int(byte >> 6)] & (1 << UInt64(byte & 63)) != 0
  }

  /// Adds the byte.
  package mutating func insert(_ byte: UInt8) {
    bits[Int(byte >> 6)] |= 1 << UInt64(byte & 63)
  }

  /// Adds the other set's bytes.
  package mutating func formUnion(_ other: ByteSet256) { bits |= other.bits }
  /// Drops the bytes that the other set lacks.
  package mutating func formIntersection(_ other: ByteSet256) { bits &= other.bits }
  /// The bytes that are not in the set.
  package func inverted() -> ByteSet256 { ByteSet256(bits: ~bits) }
  /// Whether it has no byte.
  package var isEmpty: Bool { bits == .zero }

  /// How many bytes it has.
  package var count: Int {
    (0..<4).reduce(0) { $0 + bits[$1].nonzeroBitCount }
  }
}
