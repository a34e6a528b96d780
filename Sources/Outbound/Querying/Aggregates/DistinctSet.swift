/// A set of values that answers how many there are: exact for few, a sketch for many.
///
/// **The rule**: up to ``exactMax`` values the count is exact; with more it is an estimate whose standard
/// error is
/// ``relativeError``. Which of the two it is, and the answer, depend on the values alone, not on their order
/// nor on how parts were merged.
///
/// Values are kept as 64-bit hashes: numbers by a mixing that is one to one, texts by XXH64, where 65,536
/// texts hold two of one hash with a chance of 1 in 10^10. The sketch is HyperLogLog (Flajolet et al., 2007)
/// with 2^14 registers of those hashes, as HyperLogLog++ has it, but with the estimator of Ertl ("New
/// cardinality estimation algorithms for HyperLogLog sketches", 2017), which needs no table of corrections.
struct DistinctSet: Sendable {
  /// Values kept one by one: 1 MB a group.
  static let exactMax = 65_536
  /// 1.04 / sqrt(2^14).
  static let relativeError = 0.0081

  private static let indexBits: UInt64 = 14
  private static let registerCount = 1 << 14
  private static let rankMax = 64 - 14 + 1

  /// Hashes by their low bits, 0 where free; empty before the first and once there are registers.
  private var slots: [UInt64] = []
  private var used = 0
  private var hasZero = false
  private var registers: [UInt8] = []
  /// What the sketch answers at least.
  private var countMin = exactMax + 1

  /// Without values; exact for few.
  init() {}

  /// Without values; a sketch from the first on, whose error is the same for few: 16 KB.
  static var sketch: DistinctSet {
    var set = DistinctSet()
    set.registers = [UInt8](repeating: 0, count: registerCount)
    set.countMin = 0
    return set
  }

  /// Bytes beyond the struct itself.
  var heapBytes: Int { slots.capacity * 8 + registers.capacity }

  // MARK: Adding

  /// Adds a value by its hash; returns by how many bytes the set grew.
  @inline(__always)
  mutating func insert(_ hash: UInt64) -> Int {
    if !registers.isEmpty {
      register(hash)
      return 0
    }
    if hash == 0 { return insertZero() }
    let mask = slots.count - 1
    if mask >= 0 {
      var slot = Int(truncatingIfNeeded: hash) & mask
      while slots[slot] != 0 {
        if slots[slot] == hash { return 0 }
        slot = (slot + 1) & mask
      }
    }
    return insertNew(hash)
  }

  private mutating func insertZero() -> Int {
    guard !hasZero else { return 0 }
    hasZero = true
    return convertIfFull()
  }

  private mutating func insertNew(_ hash: UInt64) -> Int {
    let before = heapBytes
    if (used + 1) * 2 > slots.count {
      let old = slots
      slots = [UInt64](repeating: 0, count: max(8, old.count * 2))
      for hash in old where hash != 0 { place(hash) }
    }
    place(hash)
    used += 1
    _ = convertIfFull()
    return heapBytes - before
  }

  private mutating func place(_ hash: UInt64) {
    let mask = slots.count - 1
    var slot = Int(truncatingIfNeeded: hash) & mask
    while slots[slot] != 0 { slot = (slot + 1) & mask }
    slots[slot] = hash
  }

  private mutating func convertIfFull() -> Int {
    let before = heapBytes
    if used + (hasZero ? 1 : 0) > DistinctSet.exactMax { convert() }
    return heapBytes - before
  }

  private mutating func convert() {
    registers = [UInt8](repeating: 0, count: DistinctSet.registerCount)
    if hasZero { register(0) }
    for hash in slots where hash != 0 { register(hash) }
    slots = []
  }

  /// The register is said by the first 14 bits, its rank by how many zeros follow.
  @inline(__always)
  private mutating func register(_ hash: UInt64) {
    let index = Int(truncatingIfNeeded: hash >> (64 - DistinctSet.indexBits))
    let rest = hash << DistinctSet.indexBits | 1 << (DistinctSet.indexBits - 1)
    let rank = UInt8(truncatingIfNeeded: rest.leadingZeroBitCount + 1)
    if rank > registers[index] { registers[index] = rank }
  }

  /// Adds the values of `other`.
  mutating func merge(_ other: DistinctSet) {
    if other.registers.isEmpty {
      if other.hasZero { _ = insert(0) }
      for hash in other.slots where hash != 0 { _ = insert(hash) }
      return
    }
    if registers.isEmpty { convert() }
    for index in registers.indices { registers[index] = max(registers[index], other.registers[index]) }
  }

  // MARK: Answers

  /// How many values there are.
  var count: Int {
    guard !registers.isEmpty else { return used + (hasZero ? 1 : 0) }
    var numbers = [Int](repeating: 0, count: DistinctSet.rankMax + 1)
    for rank in registers { numbers[Int(rank)] += 1 }
    let size = Double(DistinctSet.registerCount)
    // Ertl's algorithm 6: sums over the ranks' counts, with the ends (none, all zeros) made continuous.
    var sum = size * DistinctSet.tau(1 - Double(numbers[DistinctSet.rankMax]) / size)
    for rank in (1..<DistinctSet.rankMax).reversed() { sum = (sum + Double(numbers[rank])) / 2 }
    sum += size * DistinctSet.sigma(Double(numbers[0]) / size)
    // 1 / (2 ln 2)
    let estimate = 0.721_347_520_444_481_7 * size * size / sum
    return max(countMin, Int(estimate.rounded()))
  }

  private static func sigma(_ start: Double) -> Double {
    guard start < 1 else { return .infinity }
    var (x, y, z) = (start, 1.0, start)
    while true {
      x *= x
      let before = z
      z += x * y
      y += y
      if z == before { return z }
    }
  }

  private static func tau(_ start: Double) -> Double {
    guard start > 0, start < 1 else { return 0 }
    var (x, y, z) = (start, 1.0, 1 - start)
    while true {
      x = x.squareRoot()
      let before = z
      y /= 2
      z -= (1 - x) * (1 - x) * y
      if z == before { return z / 3 }
    }
  }
}
