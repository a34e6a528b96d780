/// Names of columns and reserved names by hash.
struct KeyTable: Sendable {
  private struct Entry {
    var name: [UInt8]
    var slot: Int16
  }

  /// Open addressing; a power of two at least four times the names, so that a free place is always found.
  private let places: [Int16]
  private let entries: [Entry]

  init(_ plan: ScanPlan) {
    var entries = plan.slots.enumerated().map { Entry(name: $1.name, slot: Int16($0)) }
    entries += plan.reserved.map { Entry(name: Array($0.utf8), slot: JSONColumnScanner.reservedSlot) }
    var size = 64
    while size < entries.count * 4 { size *= 2 }
    var places = [Int16](repeating: -1, count: size)
    for (index, entry) in entries.enumerated() {
      var place = Int(truncatingIfNeeded: KeyTable.hash(entry.name)) & (size - 1)
      while places[place] >= 0 { place = (place + 1) & (size - 1) }
      places[place] = Int16(index)
    }
    self.entries = entries
    self.places = places
  }

  /// What the key of `count` bytes (escapes resolved) is.
  @unsafe
  func find(_ key: UnsafePointer<UInt8>, _ count: Int) -> JSONColumnScanner.Key {
    var found = JSONColumnScanner.Key()
    found.count = count
    found.hash = unsafe KeyTable.hash(key, count)
    var place = Int(truncatingIfNeeded: found.hash) & (places.count - 1)
    while places[place] >= 0 {
      let entry = entries[Int(places[place])]
      if entry.name.count == count,
        unsafe entry.name.elementsEqual(UnsafeBufferPointer(start: key, count: count))
      {
        found.slot = entry.slot
        break
      }
      place = (place + 1) & (places.count - 1)
    }
    return found
  }

  private static func hash(_ name: [UInt8]) -> UInt64 {
    unsafe name.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return 0 }
      return unsafe hash(base, bytes.count)
    }
  }

  /// A hash within this process; spreads well enough for look-ups, nothing depends on it being hard to guess.
  @inline(__always)
  @unsafe
  static func hash(_ key: UnsafePointer<UInt8>, _ count: Int) -> UInt64 {
    var hash = UInt64(truncatingIfNeeded: count) &* 0x9E37_79B9_7F4A_7C15
    var at = 0
    while at &+ 8 <= count {
      hash = unsafe mix(hash, UnsafeRawPointer(key + at).loadUnaligned(as: UInt64.self))
      at &+= 8
    }
    if at < count {
      var word: UInt64 = 0
      while at < count {
        word = unsafe word << 8 | UInt64(key[at])
        at &+= 1
      }
      hash = mix(hash, word)
    }
    return hash
  }

  @inline(__always)
  private static func mix(_ hash: UInt64, _ word: UInt64) -> UInt64 {
    let mixed = (hash ^ word) &* 0xD6E8_FEB8_6659_FD93
    return mixed ^ (mixed >> 32)
  }
}
