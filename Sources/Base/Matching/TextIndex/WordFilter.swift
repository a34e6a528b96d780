/// A page's set of words as a Bloom filter in blocks of 64 bytes: a word's five bits all lie in one block, so a
/// question costs one cache line.
///
/// ```
/// kind     u8      0: every word may be there (no filter); 1: no word is; 2: blocks follow
/// blocks   64 × n  bit b of a block is bit b & 7 of byte b >> 3
/// ```
enum WordFilter {
  static let unknown: UInt8 = 0
  static let empty: UInt8 = 1
  static let blocked: UInt8 = 2
  private static let blockBytes = 64
  private static let bitsPerWord = 5
  private static let spread: UInt64 = 0xE703_7ED1_A0B4_28DB

  /// The filter of `words`; no filter if there are too many of them or it would take more than
  /// `byteCountMax` bytes.
  static func encode(_ words: WordSet, byteCountMax: Int) -> [UInt8] {
    if words.count == 0 { return [empty] }
    let blocks = (words.count * 9 + blockBytes * 8 - 1) / (blockBytes * 8)
    if words.isFull || blocks * blockBytes > byteCountMax { return [unknown] }
    var bytes = [UInt8](repeating: 0, count: 1 + blocks * blockBytes)
    bytes[0] = blocked
    words.withHashes { hashes in
      for index in 0..<hashes.count {
        let start = 1 + block(of: hashes[index], among: blocks) * blockBytes
        var bits = WordHash.fold(UInt64(hashes[index]), spread)
        for _ in 0..<bitsPerWord {
          let bit = Int(truncatingIfNeeded: bits & 511)
          bytes[start + bit >> 3] |= 1 << UInt8(truncatingIfNeeded: bit & 7)
          bits >>= 9
        }
      }
    }
    return bytes
  }

  private static func block(of hash: UInt32, among blocks: Int) -> Int {
    Int(truncatingIfNeeded: (UInt64(hash) &* UInt64(truncatingIfNeeded: blocks)) >> 32)
  }

  /// Whether the word with hash `hash` may be in the filter; nil if the bytes are no filter.
  static func mayContain(_ hash: UInt32, in bytes: Span<UInt8>) -> Bool? {
    guard bytes.count > 0 else { return nil }
    switch bytes[0] {
    case unknown: return true
    case empty: return false
    case blocked:
      let blocks = (bytes.count - 1) / blockBytes
      guard blocks > 0, blocks * blockBytes == bytes.count - 1, blocks < 1 << 31 else { return nil }
      let start = 1 + block(of: hash, among: blocks) * blockBytes
      var bits = WordHash.fold(UInt64(hash), spread)
      for _ in 0..<bitsPerWord {
        let bit = Int(truncatingIfNeeded: bits & 511)
        if bytes[start + bit >> 3] & 1 << UInt8(truncatingIfNeeded: bit & 7) == 0 { return false }
        bits >>= 9
      }
      return true
    default: return nil
    }
  }
}
