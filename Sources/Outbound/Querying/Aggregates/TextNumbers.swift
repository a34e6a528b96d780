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

  mutating func numberOfNull() -> Int32 {
    if nullNumber < 0 { nullNumber = append(hash: 0) }
    return nullNumber
  }

  mutating func number(_ text: Span<UInt8>) -> Int32 {
    let hash = Hash64.xxh64(text)
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
    (0..<other.count).map { index in
      Int32(index) == other.nullNumber
        ? numberOfNull() : number(other.bytes.span.extracting(other.range(of: index)))
    }
  }

  /// The place of each text in the order of their bytes, null first.
  func ranks() -> [Int32] {
    let order = (0..<count).sorted { left, right in
      if Int32(left) == nullNumber { return Int32(right) != nullNumber }
      if Int32(right) == nullNumber { return false }
      return bytes[range(of: left)].lexicographicallyPrecedes(bytes[range(of: right)])
    }
    var ranks = [Int32](repeating: 0, count: count)
    for (rank, number) in order.enumerated() { ranks[number] = Int32(rank) }
    return ranks
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
