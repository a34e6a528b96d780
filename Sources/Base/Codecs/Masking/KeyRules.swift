import CArrow

/// The rules of names met before in this scan: names repeat from record to record, and finding a rule costs
/// as much as parsing the member. One place a hash, the last name stays.
@safe struct KeyRules: ~Copyable {
  static let nameBytesMax = 32
  private static let placeCount = 256

  struct Place {
    /// What lies behind the name does not matter.
    var name = SIMD32<UInt8>()
    /// -1: free.
    var count: Int16 = -1
    var rule: UInt16 = 0
  }

  /// Nil until the first name is kept.
  private var places: UnsafeMutablePointer<Place>?

  init() { unsafe places = nil }

  deinit { unsafe places?.deallocate() }

  private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash) & (placeCount - 1) }

  /// The rule kept for the `count` bytes at `name`, of which 32 are read.
  @inline(__always)
  @unsafe
  func find(_ name: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64) -> UInt16? {
    guard let place = unsafe places.map({ unsafe $0 + KeyRules.place(hash) }) else { return nil }
    guard unsafe Int(place.pointee.count) == count else { return nil }
    // Within bounds: 32 bytes on both sides.
    let known = unsafe UnsafeRawPointer(place).assumingMemoryBound(to: UInt8.self)
    return unsafe cw_mask_same_name(name, known, count) != 0 ? place.pointee.rule : nil
  }

  /// Keeps the rule for a name of at most 32 bytes, of which 32 are read.
  @unsafe
  mutating func keep(_ name: UnsafePointer<UInt8>, _ count: Int, _ hash: UInt64, _ rule: UInt16) {
    let places = unsafe places ?? .allocate(capacity: KeyRules.placeCount)
    if unsafe self.places == nil { unsafe places.initialize(repeating: Place(), count: KeyRules.placeCount) }
    unsafe self.places = places
    let bytes = unsafe UnsafeRawPointer(name).loadUnaligned(as: SIMD32<UInt8>.self)
    unsafe places[KeyRules.place(hash)] = Place(name: bytes, count: Int16(count), rule: rule)
  }
}
