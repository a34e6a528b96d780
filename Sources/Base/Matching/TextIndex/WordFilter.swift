/// A page's set of words as a binary fuse filter (Graf and Lemire): an array of fingerprints of a byte each,
/// three of which, exclusive-or'ed, give a word's own fingerprint. A word that is not in the set passes once
/// in 256 times. Takes 9.2 bits a word for large sets to 10 for 18,000 words; a Bloom filter of this size
/// lets five times more pages through.
///
/// ```
/// kind          u8   0: every word may be there (no filter); 1: no word is; 3: what follows
/// seed          u8
/// segmentBits   u8   segments have 1 << segmentBits fingerprints, 2 ... 18
/// segments      u32  at least 1; there are two more
/// fingerprints  u8 × (segments + 2) << segmentBits
/// ```
enum WordFilter {
  static let unknown: UInt8 = 0
  static let empty: UInt8 = 1
  static let fuse: UInt8 = 3
  private static let headerByteCount = 7
  private static let segmentBitsRange = 2...18
  private static let spread: UInt64 = 0xE703_7ED1_A0B4_28DB
  /// Each try fails rarely, and independently of the others.
  private static let triesMax: UInt8 = 32

  /// Sizes of the array, and where a word's three fingerprints lie.
  struct Shape {
    var segmentBits: Int
    var segments: Int
    var seed: UInt8 = 0
    var count: Int { (segments + 2) << segmentBits }

    /// For `count` words: segments grow with the number of words, and small sets need more room to spare.
    init(wordCount: Int) {
      var bits = 2
      var rest = Double(wordCount) * 14.98 / (3.33 * 3.33)
      while rest >= 3.33, bits < WordFilter.segmentBitsRange.upperBound {
        rest /= 3.33
        bits += 1
      }
      let words = Double(max(wordCount, 2))
      let logarithm = Double(words.exponent) + words.significand - 1
      let need = Int(words * max(1.125, 0.875 + 0.25 * 19.93 / logarithm))
      segmentBits = bits
      segments = max(1, (need + (1 << bits) - 1) >> bits - 2)
    }

    init(segmentBits: Int, segments: Int, seed: UInt8) {
      self.segmentBits = segmentBits
      self.segments = segments
      self.seed = seed
    }

    @inline(__always)
    func mix(_ hash: UInt32) -> UInt64 {
      WordHash.fold(UInt64(hash) | UInt64(seed) << 32 | 1 << 48, WordFilter.spread)
    }

    /// In three neighbouring segments, one each.
    @inline(__always)
    func places(_ mixed: UInt64) -> (Int, Int, Int) {
      let mask = 1 << segmentBits - 1
      let span = UInt64(truncatingIfNeeded: segments << segmentBits)
      let first = Int(truncatingIfNeeded: mixed.multipliedFullWidth(by: span).high)
      let second = (first &+ 1 << segmentBits) ^ (Int(truncatingIfNeeded: mixed >> 18) & mask)
      let third = (first &+ 2 << segmentBits) ^ (Int(truncatingIfNeeded: mixed) & mask)
      return (first, second, third)
    }
  }

  @inline(__always)
  private static func fingerprint(_ mixed: UInt64) -> UInt8 {
    UInt8(truncatingIfNeeded: mixed ^ mixed >> 32)
  }

  /// The filter of `words`; no filter if there are too many of them or it would take more than
  /// `byteCountMax` bytes.
  static func encode(_ words: WordSet, byteCountMax: Int) -> [UInt8] {
    if words.count == 0 { return [empty] }
    var shape = Shape(wordCount: words.count)
    if words.isFull || shape.count > byteCountMax { return [unknown] }
    for seed in 0..<triesMax {
      shape.seed = seed
      guard let order = words.withHashes({ peel($0, shape) }) else { continue }
      var writer = ByteWriter()
      writer.bytes.reserveCapacity(headerByteCount + shape.count)
      writer.append(fuse)
      writer.append(seed)
      writer.append(UInt8(shape.segmentBits))
      writer.append(UInt32(shape.segments))
      return writer.bytes + fill(order, shape)
    }
    return [unknown]
  }

  private struct Peeled {
    var mixed: UInt64
    /// Which of its three places is its own.
    var own: UInt8
  }

  /// Takes one word after the other away that is alone at one of its places; nil if some are left.
  private static func peel(_ hashes: Span<UInt32>, _ shape: Shape) -> [Peeled]? {
    // Per place: words there times 4, exclusive-or the number (0, 1, 2) of the place for each; and the words'
    // mixed hashes exclusive-or'ed. Where one word is left, they are its own.
    var counts = [UInt32](repeating: 0, count: shape.count)
    var sums = [UInt64](repeating: 0, count: shape.count)
    for index in 0..<hashes.count {
      let mixed = shape.mix(hashes[index])
      let (a, b, c) = shape.places(mixed)
      counts[a] = counts[a] &+ 4
      counts[b] = (counts[b] &+ 4) ^ 1
      counts[c] = (counts[c] &+ 4) ^ 2
      sums[a] ^= mixed
      sums[b] ^= mixed
      sums[c] ^= mixed
    }
    var order: [Peeled] = []
    order.reserveCapacity(hashes.count)
    var alone: [UInt32] = []
    alone.reserveCapacity(shape.count)
    for place in 0..<shape.count where counts[place] >> 2 == 1 { alone.append(UInt32(place)) }
    while let next = alone.popLast() {
      let place = Int(next)
      guard counts[place] >> 2 == 1 else { continue }
      let mixed = sums[place]
      order.append(Peeled(mixed: mixed, own: UInt8(counts[place] & 3)))
      let (a, b, c) = shape.places(mixed)
      for (number, other) in [(UInt32(0), a), (1, b), (2, c)] {
        counts[other] = (counts[other] &- 4) ^ number
        sums[other] ^= mixed
        if counts[other] >> 2 == 1 { alone.append(UInt32(other)) }
      }
    }
    return order.count == hashes.count ? order : nil
  }

  /// Sets each word's own place, the last taken away first, so that its three fingerprints give its own.
  private static func fill(_ order: [Peeled], _ shape: Shape) -> [UInt8] {
    var fingerprints = [UInt8](repeating: 0, count: shape.count)
    for word in order.reversed() {
      let (a, b, c) = shape.places(word.mixed)
      let value = fingerprint(word.mixed)
      switch word.own {
      case 0: fingerprints[a] = value ^ fingerprints[b] ^ fingerprints[c]
      case 1: fingerprints[b] = value ^ fingerprints[a] ^ fingerprints[c]
      default: fingerprints[c] = value ^ fingerprints[a] ^ fingerprints[b]
      }
    }
    return fingerprints
  }

  /// Whether the word with hash `hash` may be in the filter; nil if the bytes are no filter.
  static func mayContain(_ hash: UInt32, in bytes: Span<UInt8>) -> Bool? {
    guard bytes.count > 0 else { return nil }
    switch bytes[0] {
    case unknown: return bytes.count == 1 ? true : nil
    case empty: return bytes.count == 1 ? false : nil
    case fuse:
      var cursor = ByteCursor(position: 1)
      guard let seed = cursor.integer(UInt8.self, in: bytes),
        let segmentBits = cursor.integer(UInt8.self, in: bytes).map(Int.init),
        let segments = cursor.integer(UInt32.self, in: bytes).map(Int.init),
        segmentBitsRange.contains(segmentBits), segments > 0
      else { return nil }
      let shape = Shape(segmentBits: segmentBits, segments: segments, seed: seed)
      guard shape.count == bytes.count - headerByteCount else { return nil }
      let mixed = shape.mix(hash)
      let (a, b, c) = shape.places(mixed)
      // All three lie below shape.count.
      let start = headerByteCount
      return fingerprint(mixed) == bytes[start + a] ^ bytes[start + b] ^ bytes[start + c]
    default: return nil
    }
  }
}
