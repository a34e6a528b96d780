/// The distinct word hashes of a page: a hash table with open addressing, and the hashes in order of
/// appearance. Holds at most ``countMax`` words; beyond, the page gets no filter. Memory: 12 to 20 bytes a
/// word, at most 5 MiB.
@safe final class WordSet {
  static let countMax = 1 << 18

  private(set) var count = 0
  private(set) var isFull = false
  private var mask = (1 << 12) - 1
  private var places: UnsafeMutablePointer<UInt32>
  /// Half as long as `places`.
  private var list: UnsafeMutablePointer<UInt32>

  init() {
    unsafe places = .allocate(capacity: mask + 1)
    unsafe places.initialize(repeating: 0, count: mask + 1)
    unsafe list = .allocate(capacity: (mask + 1) / 2)
  }

  deinit {
    unsafe places.deallocate()
    unsafe list.deallocate()
  }

  /// Adds a hash, which is not 0.
  @inline(__always)
  func insert(_ hash: UInt32) {
    var place = Int(truncatingIfNeeded: hash) & mask
    // Ends at an empty place: at most half of them are taken. Each place is masked to the table.
    while true {
      let found = unsafe places[place]
      if found == hash { return }
      if found == 0 { break }
      place = (place &+ 1) & mask
    }
    add(hash, at: place)
  }

  private func add(_ hash: UInt32, at place: Int) {
    guard !isFull else { return }
    // Half of the places are as many as the list holds: grown below when that many are taken.
    unsafe places[place] = hash
    unsafe list[count] = hash
    count += 1
    if count == Self.countMax { isFull = true }
    if count * 2 > mask { grow() }
  }

  private func grow() {
    unsafe places.deallocate()
    mask = mask * 2 + 1
    unsafe places = .allocate(capacity: mask + 1)
    unsafe places.initialize(repeating: 0, count: mask + 1)
    let longer = UnsafeMutablePointer<UInt32>.allocate(capacity: (mask + 1) / 2)
    for index in 0..<count {
      let hash = unsafe list[index]
      unsafe longer[index] = hash
      var place = Int(truncatingIfNeeded: hash) & mask
      while unsafe places[place] != 0 { place = (place + 1) & mask }
      unsafe places[place] = hash
    }
    unsafe list.deallocate()
    unsafe list = longer
  }

  /// Hands the hashes over, each once.
  func withHashes<R>(_ body: (Span<UInt32>) -> R) -> R {
    unsafe body(UnsafeBufferPointer(start: list, count: count).span)
  }

  /// Forgets all words; keeps the memory.
  func removeAll() {
    unsafe places.update(repeating: 0, count: mask + 1)
    count = 0
    isFull = false
  }
}
