/// 64-bit hashes that are written to disk: equal on every machine and in every version.
package enum Hash64 {
  private static let prime1: UInt64 = 0x9E37_79B1_85EB_CA87
  private static let prime2: UInt64 = 0xC2B2_AE3D_27D4_EB4F
  private static let prime3: UInt64 = 0x1656_67B1_9E37_79F9
  private static let prime4: UInt64 = 0x85EB_CA77_C2B2_AE63
  private static let prime5: UInt64 = 0x27D4_EB2F_1656_67C5

  /// XXH64 of `bytes`, the hash of Parquet's split-block Bloom filters (with seed 0).
  package static func xxh64(_ bytes: Span<UInt8>, seed: UInt64 = 0) -> UInt64 {
    unsafe bytes.withUnsafeBytes { unsafe xxh64($0, seed: seed) }
  }

  /// XXH64 of `bytes`.
  package static func xxh64(_ bytes: [UInt8], seed: UInt64 = 0) -> UInt64 {
    xxh64(bytes.span, seed: seed)
  }

  /// XXH64 of `bytes`.
  @unsafe static func xxh64(_ bytes: UnsafeRawBufferPointer, seed: UInt64) -> UInt64 {
    let count = bytes.count
    guard count > 0, let base = bytes.baseAddress else { return avalanche(seed &+ prime5) }
    var at = 0
    var hash: UInt64
    if count >= 32 {
      var a = seed &+ prime1 &+ prime2
      var b = seed &+ prime2
      var c = seed
      var d = seed &- prime1
      while at + 32 <= count {
        // Within bounds: 32 bytes are left.
        a = unsafe round(a, base.loadUnaligned(fromByteOffset: at, as: UInt64.self))
        b = unsafe round(b, base.loadUnaligned(fromByteOffset: at + 8, as: UInt64.self))
        c = unsafe round(c, base.loadUnaligned(fromByteOffset: at + 16, as: UInt64.self))
        d = unsafe round(d, base.loadUnaligned(fromByteOffset: at + 24, as: UInt64.self))
        at += 32
      }
      hash = rotate(a, 1) &+ rotate(b, 7) &+ rotate(c, 12) &+ rotate(d, 18)
      hash = merge(merge(merge(merge(hash, a), b), c), d)
    } else {
      hash = seed &+ prime5
    }
    hash &+= UInt64(count)
    while at + 8 <= count {
      let word = unsafe base.loadUnaligned(fromByteOffset: at, as: UInt64.self)
      hash = rotate(hash ^ round(0, word), 27) &* prime1 &+ prime4
      at += 8
    }
    if at + 4 <= count {
      let word = unsafe UInt64(base.loadUnaligned(fromByteOffset: at, as: UInt32.self))
      hash = rotate(hash ^ (word &* prime1), 23) &* prime2 &+ prime3
      at += 4
    }
    while at < count {
      let byte = unsafe UInt64(base.load(fromByteOffset: at, as: UInt8.self))
      hash = rotate(hash ^ (byte &* prime5), 11) &* prime1
      at += 1
    }
    return avalanche(hash)
  }

  @inline(__always)
  private static func rotate(_ value: UInt64, _ by: UInt64) -> UInt64 {
    (value &<< by) | (value &>> (64 &- by))
  }

  @inline(__always)
  private static func round(_ lane: UInt64, _ word: UInt64) -> UInt64 {
    rotate(lane &+ word &* prime2, 31) &* prime1
  }

  @inline(__always)
  private static func merge(_ hash: UInt64, _ lane: UInt64) -> UInt64 {
    (hash ^ round(0, lane)) &* prime1 &+ prime4
  }

  @inline(__always)
  private static func avalanche(_ value: UInt64) -> UInt64 {
    var hash = value
    hash ^= hash &>> 33
    hash &*= prime2
    hash ^= hash &>> 29
    hash &*= prime3
    return hash ^ (hash &>> 32)
  }
}
