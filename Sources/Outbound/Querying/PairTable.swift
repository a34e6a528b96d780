import Codecs

/// Numbers pairs of numbers from 0 in the order they first come: an open-addressing table.
///
/// Grouping folds its columns through it, two at a time, so that a row costs one probe a column whatever
/// the columns hold. About 20 bytes a pair.
struct PairTable {
  private(set) var count = 0
  /// The pairs by number.
  private(set) var pairs: [(Int64, Int32)] = []
  private var slots: [Int32]
  private var lastPair: (Int64, Int32) = (0, 0)
  private var lastNumber: Int32 = -1

  /// Bytes held, about.
  var byteCount: Int { pairs.capacity * 16 + slots.capacity * 4 }

  /// How much it takes beside what it has when so many pairs come to it.
  func growth(adding pairCount: Int) -> Int {
    TableGrowth.ofSlots(slots.count, count: count, adding: pairCount)
      + TableGrowth.ofArray(capacity: pairs.capacity, count: count, adding: pairCount, stride: 16)
  }

  init() { slots = [Int32](repeating: -1, count: 64) }

  mutating func number(_ first: Int64, _ second: Int32) -> Int32 {
    if lastNumber >= 0, lastPair.0 == first, lastPair.1 == second { return lastNumber }
    let mask = slots.count - 1
    var slot = PairTable.hash(first, second) & mask
    while slots[slot] >= 0 {
      let number = slots[slot]
      let pair = pairs[Int(number)]
      if pair.0 == first, pair.1 == second {
        lastPair = pair
        lastNumber = number
        return number
      }
      slot = (slot + 1) & mask
    }
    let number = Int32(pairs.count)
    pairs.append((first, second))
    count += 1
    slots[slot] = number
    if count * 2 > slots.count { grow() }
    lastPair = (first, second)
    lastNumber = number
    return number
  }

  private static func hash(_ first: Int64, _ second: Int32) -> Int {
    var mixed = UInt64(bitPattern: first) &* 0x9E37_79B9_7F4A_7C15
    mixed ^= UInt64(UInt32(bitPattern: second)) &* 0xC2B2_AE3D_27D4_EB4F
    mixed ^= mixed >> 29
    mixed = mixed &* 0xBF58_476D_1CE4_E5B9
    return Int(truncatingIfNeeded: mixed >> 32)
  }

  private mutating func grow() {
    slots = [Int32](repeating: -1, count: slots.count * 2)
    let mask = slots.count - 1
    for (number, pair) in pairs.enumerated() {
      var slot = PairTable.hash(pair.0, pair.1) & mask
      while slots[slot] >= 0 { slot = (slot + 1) & mask }
      slots[slot] = Int32(number)
    }
  }
}
