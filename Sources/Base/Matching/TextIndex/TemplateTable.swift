import Records

/// Skeletons by their bytes: a hash table with open addressing over one arena. An entry's number is its place
/// in the order of first appearance. Full at ``countMax`` entries or ``byteCountMax`` bytes, or when a
/// look-up would try too many places (texts made to collide): then new skeletons are refused.
@safe final class TemplateTable {
  let countMax: Int
  let byteCountMax: Int
  private(set) var count = 0
  private(set) var byteCount = 0
  private var byteCapacity: Int

  private let mask: Int
  /// Entry number + 1, or 0.
  private let places: UnsafeMutablePointer<UInt32>
  private let hashes: UnsafeMutablePointer<UInt64>
  /// Where entry i's skeleton starts; entry i + 1 starts where it ends.
  private let starts: UnsafeMutablePointer<Int>
  /// Bytes seen in the slots of entry i.
  private let slots: UnsafeMutablePointer<SIMD4<UInt64>>
  /// Rows of the page at hand.
  private let rows: UnsafeMutablePointer<UInt32>
  private var arena: UnsafeMutableRawPointer

  private static let triesMax = 64

  /// - Parameter countMax: A power of two; the table has four times as many places.
  init(countMax: Int, byteCountMax: Int) {
    self.countMax = countMax
    self.byteCountMax = byteCountMax
    byteCapacity = min(64 * 1024, byteCountMax)
    mask = countMax * 4 - 1
    unsafe places = .allocate(capacity: mask + 1)
    unsafe places.initialize(repeating: 0, count: mask + 1)
    unsafe hashes = .allocate(capacity: countMax)
    unsafe starts = .allocate(capacity: countMax + 1)
    unsafe starts[0] = 0
    unsafe slots = .allocate(capacity: countMax)
    unsafe rows = .allocate(capacity: countMax)
    unsafe arena = .allocate(byteCount: byteCapacity, alignment: 16)
  }

  deinit {
    unsafe places.deallocate()
    unsafe hashes.deallocate()
    unsafe starts.deallocate()
    unsafe slots.deallocate()
    unsafe rows.deallocate()
    unsafe arena.deallocate()
  }

  /// The entry whose skeleton is exactly `skeleton`, or nil.
  @inline(__always)
  @unsafe func find(_ skeleton: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
    var place = Int(truncatingIfNeeded: hash >> 20) & mask
    for _ in 0..<Self.triesMax {
      // Places are masked to the table, entries in it are below `count`.
      let entry = Int(unsafe places[place]) - 1
      if entry < 0 { return nil }
      if unsafe hashes[entry] == hash, unsafe isEqual(entry, skeleton) { return entry }
      place = (place + 1) & mask
    }
    return nil
  }

  @inline(__always)
  @unsafe private func isEqual(_ entry: Int, _ skeleton: UnsafeRawBufferPointer) -> Bool {
    let start = unsafe starts[entry]
    guard unsafe starts[entry + 1] - start == skeleton.count else { return false }
    var offset = 0
    // Both runs have skeleton.count bytes.
    while offset + 8 <= skeleton.count {
      let stored = unsafe arena.loadUnaligned(fromByteOffset: start + offset, as: UInt64.self)
      if unsafe stored != skeleton.loadUnaligned(fromByteOffset: offset, as: UInt64.self) { return false }
      offset += 8
    }
    while offset < skeleton.count {
      if unsafe arena.load(fromByteOffset: start + offset, as: UInt8.self) != skeleton[offset] {
        return false
      }
      offset += 1
    }
    return true
  }

  /// Adds a skeleton that ``find(_:hash:)`` did not find; nil if the table is full.
  @unsafe func add(_ skeleton: UnsafeRawBufferPointer, hash: UInt64) -> Int? {
    guard count < countMax, byteCount + skeleton.count <= byteCountMax else { return nil }
    var place = Int(truncatingIfNeeded: hash >> 20) & mask
    var tries = 1
    while unsafe places[place] != 0 {
      guard tries < Self.triesMax else { return nil }
      tries += 1
      place = (place + 1) & mask
    }
    if byteCount + skeleton.count > byteCapacity { growArena(to: byteCount + skeleton.count) }
    if let from = skeleton.baseAddress {
      unsafe (arena + byteCount).copyMemory(from: from, byteCount: skeleton.count)
    }
    byteCount += skeleton.count
    unsafe places[place] = UInt32(count + 1)
    unsafe hashes[count] = hash
    unsafe starts[count + 1] = byteCount
    unsafe slots[count] = .zero
    unsafe rows[count] = 0
    count += 1
    return count - 1
  }

  private func growArena(to bytes: Int) {
    byteCapacity = min(max(byteCapacity * 2, bytes), byteCountMax)
    let larger = UnsafeMutableRawPointer.allocate(byteCount: byteCapacity, alignment: 16)
    unsafe larger.copyMemory(from: arena, byteCount: byteCount)
    unsafe arena.deallocate()
    unsafe arena = larger
  }

  /// Notes a row of entry `entry`, and the bytes of its slots. True if it is the page's first.
  @inline(__always)
  func note(_ entry: Int, slotBytes: SIMD4<UInt64>) -> Bool {
    invariant(entry < count, "an entry of the table")
    unsafe slots[entry] |= slotBytes
    unsafe rows[entry] += 1
    return unsafe rows[entry] == 1
  }

  /// Rows noted of an entry since ``resetRows(_:)``.
  func rowCount(of entry: Int) -> Int {
    invariant(entry < count, "an entry of the table")
    return Int(unsafe rows[entry])
  }

  func resetRows(of entry: Int) {
    invariant(entry < count, "an entry of the table")
    unsafe rows[entry] = 0
  }

  func slotBytes(of entry: Int) -> ByteSet256 {
    invariant(entry < count, "an entry of the table")
    return ByteSet256(bits: unsafe slots[entry])
  }

  /// Copies an entry of another table, its rows of the page and slot bytes too; nil if this one is full.
  func adopt(_ entry: Int, of other: TemplateTable) -> Int? {
    invariant(entry < other.count, "an entry of the table")
    let start = unsafe other.starts[entry]
    let bytes = unsafe UnsafeRawBufferPointer(
      start: other.arena + start, count: other.starts[entry + 1] - start)
    guard let added = unsafe add(bytes, hash: other.hashes[entry]) else { return nil }
    unsafe slots[added] = other.slots[entry]
    unsafe rows[added] = other.rows[entry]
    return added
  }

  /// The bytes of entry `entry`.
  func skeleton(_ entry: Int) -> [UInt8] {
    invariant(entry < count, "an entry of the table")
    let start = unsafe starts[entry]
    return unsafe [UInt8](UnsafeRawBufferPointer(start: arena + start, count: starts[entry + 1] - start))
  }

  /// Forgets all entries; keeps the memory.
  func removeAll() {
    guard count > 0 else { return }
    unsafe places.update(repeating: 0, count: mask + 1)
    count = 0
    byteCount = 0
  }
}
