import Codecs
import Records

/// Numbers texts from 0 in the order they first come; null is a text of its own.
///
/// An open-addressing table over one array of bytes, so that a text seen before costs a hash and a comparison
/// and no memory.
struct TextNumbers: Sendable {
  private var bytes: [UInt8] = []
  /// Where each text ends in `bytes`.
  private var ends: [Int] = []
  private var hashes: [UInt64] = []
  private var slots = [Int32](repeating: -1, count: 64)
  private var nullNumber: Int32 = -1

  var count: Int { ends.count }
  var byteCount: Int { bytes.capacity + ends.capacity * 8 + hashes.capacity * 8 + slots.capacity * 4 }

  /// Bytes of all texts.
  var textByteCount: Int { bytes.count }

  /// How much it takes beside what it has when so many texts of so many bytes come to it.
  func growth(adding textCount: Int, textBytes: Int) -> Int {
    let slotBytes =
      (count + textCount) * 2 > slots.count ? max(slots.count * 2, (count + textCount) * 4) * 4 : 0
    return slotBytes
      + Querying.growth(capacity: bytes.capacity, count: bytes.count, adding: textBytes, stride: 1)
      + Querying.growth(capacity: ends.capacity, count: count, adding: textCount, stride: 8)
      + Querying.growth(capacity: hashes.capacity, count: count, adding: textCount, stride: 8)
  }

  mutating func numberOfNull() -> Int32 {
    if nullNumber < 0 { nullNumber = append(hash: 0) }
    return nullNumber
  }

  mutating func number(_ text: Span<UInt8>) -> Int32 { number(text, hash: Hash64.xxh64(text)) }

  private mutating func number(_ text: Span<UInt8>, hash: UInt64) -> Int32 {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] >= 0 {
      let number = slots[slot]
      if hashes[Int(number)] == hash, equals(text, range(of: Int(number))) { return number }
      slot = (slot + 1) & mask
    }
    for index in text.indices { bytes.append(text[index]) }
    let number = append(hash: hash)
    slots[slot] = number
    if count * 2 > slots.count { grow() }
    return number
  }

  /// The text of a number; nil: null.
  func text(_ number: Int) -> [UInt8]? {
    Int32(number) == nullNumber ? nil : Array(bytes[range(of: number)])
  }

  /// Bytes of the text of a number; 0 for null.
  func byteCount(of number: Int) -> Int { range(of: number).count }

  /// The number each text of `other` has here, new ones added.
  mutating func merge(_ other: TextNumbers) -> [Int32] {
    (0..<other.count).map { number(Int32($0), of: other) }
  }

  /// The number that text `index` of `other` has here.
  mutating func number(_ index: Int32, of other: TextNumbers) -> Int32 {
    if index == other.nullNumber { return numberOfNull() }
    return number(
      other.bytes.span.extracting(other.range(of: Int(index))), hash: other.hashes[Int(index)])
  }

  /// The place of each text in the order of their bytes, null first.
  func ranks() -> [Int32] {
    let order = (0..<Int32(count)).map { (number: $0, start: start(of: $0)) }.sorted { left, right in
      left.start != right.start ? left.start < right.start : compare(left.number, right.number) < 0
    }
    var ranks = [Int32](repeating: 0, count: count)
    for (rank, text) in order.enumerated() { ranks[Int(text.number)] = Int32(rank) }
    return ranks
  }

  /// The first eight bytes of a text as a number that orders as they do; 0 for null.
  private func start(of number: Int32) -> UInt64 {
    if number == nullNumber { return 0 }
    let range = range(of: Int(number))
    var start: UInt64 = 0
    for index in 0..<8 {
      start = start << 8 | (index < range.count ? UInt64(bytes[range.lowerBound + index]) : 0)
    }
    return start
  }

  /// Below, at or above 0, as text `left` comes before, is, or comes behind text `right` in the order of
  /// their bytes, null first.
  func compare(_ left: Int32, _ right: Int32) -> Int {
    if left == right { return 0 }
    if left == nullNumber { return -1 }
    if right == nullNumber { return 1 }
    let (left, right) = (range(of: Int(left)), range(of: Int(right)))
    let bytes = bytes.span
    for index in 0..<min(left.count, right.count) {
      let (a, b) = (bytes[left.lowerBound + index], bytes[right.lowerBound + index])
      if a != b { return a < b ? -1 : 1 }
    }
    return left.count - right.count
  }

  private func range(of number: Int) -> Range<Int> { (number == 0 ? 0 : ends[number - 1])..<ends[number] }

  private func equals(_ text: Span<UInt8>, _ range: Range<Int>) -> Bool {
    guard text.count == range.count else { return false }
    let own = bytes.span
    for index in text.indices where own[range.lowerBound + index] != text[index] { return false }
    return true
  }

  private mutating func append(hash: UInt64) -> Int32 {
    ends.append(bytes.count)
    hashes.append(hash)
    return Int32(ends.count - 1)
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for number in ends.indices where Int32(number) != nullNumber {
      var slot = Int(truncatingIfNeeded: hashes[number]) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(number)
    }
  }
}
