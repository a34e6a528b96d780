/// The hash of words that filters are made of, part of the format: ASCII lower-cased words as 64-bit
/// little-endian pieces, the last one filled up with zeros, each mixed in by a folded 128-bit product.
enum WordHash {
  static let seed: UInt64 = 0x9E37_79B9_7F4A_7C15
  static let multiplier: UInt64 = 0xD6E8_FEB8_6659_FD93
  static let finalMultiplier: UInt64 = 0xA076_1D64_78BD_642F

  /// Both halves of the product of `a` and `b`, folded.
  @inline(__always)
  static func fold(_ a: UInt64, _ b: UInt64) -> UInt64 {
    let product = a.multipliedFullWidth(by: b)
    return product.high ^ product.low
  }

  @inline(__always)
  static func begin(byteCount: Int) -> UInt64 { seed ^ UInt64(truncatingIfNeeded: byteCount) }

  @inline(__always)
  static func add(_ piece: UInt64, to hash: UInt64) -> UInt64 { fold(hash ^ piece, multiplier) }

  /// All bits of a hash.
  @inline(__always)
  static func end(_ hash: UInt64) -> UInt64 { fold(hash ^ seed, finalMultiplier) }

  /// The hash of a word: the upper half, never 0, so that 0 can stand for an empty place.
  @inline(__always)
  static func endWord(_ hash: UInt64) -> UInt32 { max(1, UInt32(truncatingIfNeeded: end(hash) >> 32)) }

  /// The hash of a word that is in lower case already; for queries, which have few.
  static func hash(_ word: [UInt8]) -> UInt32 {
    var hash = begin(byteCount: word.count)
    var start = 0
    while start < word.count {
      var piece: UInt64 = 0
      for index in start..<min(start + 8, word.count) {
        piece |= UInt64(word[index]) << UInt64((index - start) * 8)
      }
      hash = add(piece, to: hash)
      start += 8
    }
    return endWord(hash)
  }

  /// Whether a text's word is replaced by a slot and held by the page's filter: it has an ASCII digit, or is
  /// a hexadecimal number of eight or more digits that happens to have letters only.
  static func isSlotWord(_ word: [UInt8]) -> Bool {
    var isHexadecimal = word.count >= 8
    for byte in word {
      if byte >= 0x30 && byte <= 0x39 { return true }
      let lower = byte | 0x20
      isHexadecimal = isHexadecimal && lower >= 0x61 && lower <= 0x66
    }
    return isHexadecimal
  }
}
