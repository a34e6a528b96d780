import Codecs
import Platform
import Records

/// A checksum of what has none of its own: a block's bytes from its index to its end, Parquet's Bloom
/// filters, page index and footer among them.
///
/// It stands in the footer itself, as the value of ``key``, and is of those bytes with its own digits as
/// zeros.
enum TailChecksum {
  static let key = "cordwood.tail"
  private static let word = Array("crc32c ".utf8)
  private static let zeros = [UInt8](repeating: UInt8(ascii: "0"), count: 8)

  /// The value as the footer is written with it first.
  static let placeholder = String(decoding: word + zeros, as: UTF8.self)

  /// What the digits are to be, and where in `tail`; nil: the placeholder is not there.
  static func digits(for tail: Span<UInt8>) -> (offset: Int, digits: [UInt8])? {
    guard let offset = offset(of: word + zeros, in: tail) else { return nil }
    return (offset + word.count, text(CRC32C.checksum(tail)))
  }

  /// Whether `tail` is what it was when `value` was put into it.
  static func isSound(_ tail: Span<UInt8>, value: String) -> Bool {
    let bytes = Array(value.utf8)
    guard bytes.count == placeholder.utf8.count, let offset = offset(of: bytes, in: tail) else {
      return false
    }
    let place = offset + word.count
    var checksum = CRC32C.checksum(tail.extracting(0..<place))
    checksum = CRC32C.checksum(zeros.span, seed: checksum)
    checksum = CRC32C.checksum(tail.extracting(place + zeros.count..<tail.count), seed: checksum)
    return value == String(decoding: word + text(checksum), as: UTF8.self)
  }

  /// Where `value` comes last: behind it there is nothing of ours.
  private static func offset(of value: [UInt8], in tail: Span<UInt8>) -> Int? {
    guard tail.count >= value.count else { return nil }
    for start in (0...tail.count - value.count).reversed() {
      if value.indices.allSatisfy({ tail[start + $0] == value[$0] }) { return start }
    }
    return nil
  }

  private static func text(_ checksum: UInt32) -> [UInt8] {
    Array(Hex.text((0..<4).map { UInt8(truncatingIfNeeded: checksum >> UInt32(24 - 8 * $0)) }).utf8)
  }
}
