/// The distinct word hashes of a page: a hash table with open addressing. Holds at most ``countMax`` words;
/// beyond, the page gets no filter. Memory: 16 to 32 bytes a word, at most 8 MiB.
@safe final class WordSet {
  static let countMax = 1 << 18

  private(set) var count = 0
  private(set) var isFull = false
  private var mask = (1 << 12) - 1
  private var places: UnsafeMutablePointer<UInt64>

  init() {
    unsafe places = .allocate(capacity: mask + 1)
    unsafe places.initialize(repeating: 0, count: mask + 1)
  }

  deinit { unsafe places.deallocate() }

  /// Adds a hash, which is not 0.
  @inline(__always)
  func insert(_ hash: UInt64) {
    var place = Int(truncatingIfNeeded: hash >> 20) & mask
    // Ends at an empty place: at most half of them are taken. Each place is masked to the table.
    while true {
      let found = unsafe places[place]
      if found == hash { return }
      if found == 0 { break }
      place = (place + 1) & mask
    }
    add(hash, at: place)
  }

  private func add(_ hash: UInt64, at place: Int) {
    guard !isFull else { return }
    unsafe places[place] = hash
    count += 1
    if count == Self.countMax { isFull = true }
    if count * 2 > mask { grow() }
  }

  private func grow() {
    let old = unsafe places
    let oldCount = mask + 1
    mask = mask * 2 + 1
    unsafe places = .allocate(capacity: mask + 1)
    unsafe places.initialize(repeating: 0, count: mask + 1)
    for index in 0..<oldCount {
      let hash = unsafe old[index]
      guard hash != 0 else { continue }
      var place = Int(truncatingIfNeeded: hash >> 20) & mask
      while unsafe places[place] != 0 { place = (place + 1) & mask }
      unsafe places[place] = hash
    }
    unsafe old.deallocate()
  }

  /// The hashes, in no order that means anything.
  func hashes() -> [UInt64] {
    var result: [UInt64] = []
    result.reserveCapacity(count)
    for place in 0...mask {
      let hash = unsafe places[place]
      if hash != 0 { result.append(hash) }
    }
    return result
  }

  /// Forgets all words; keeps the memory.
  func removeAll() {
    unsafe places.update(repeating: 0, count: mask + 1)
    count = 0
    isFull = false
  }
}
