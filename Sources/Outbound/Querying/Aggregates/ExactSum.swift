/// A sum of doubles without rounding: a number of fixed point with 34 bits to spare above the largest double.
///
/// What is added in which order does not matter. 560 bytes; an addition takes some 10 ns.
struct ExactSum: Sendable {
  /// Bits of weight 2^-1074 and up, 32 a limb; carries wait in the upper halves.
  private var limbs = [Int64](repeating: 0, count: ExactSum.limbCount)
  private var additions = 0

  private static let limbCount = 70
  /// What one takes.
  static let byteCount = limbCount * 8 + 48
  /// Additions before a limb could overflow: each changes it by less than 2^32.
  private static let additionsMax = 1 << 29

  /// Adds a finite number.
  mutating func add(_ value: Double) {
    guard value != 0 else { return }
    let exponentBits = Int(value.exponentBitPattern)
    let significand = value.significandBitPattern | (exponentBits == 0 ? 0 : 1 << 52)
    // Weight of the significand's last bit, from 2^-1074 on.
    let shift = max(exponentBits, 1) - 1
    let (limb, bits) = (shift >> 5, UInt64(shift & 31))
    let wide = UInt128(significand) << UInt128(bits)
    let sign: Int64 = value.sign == .minus ? -1 : 1
    for place in 0..<3 {
      let part = UInt32(truncatingIfNeeded: wide >> UInt128(32 * place))
      limbs[limb + place] += sign * Int64(part)
    }
    additions += 1
    if additions >= ExactSum.additionsMax { carry() }
  }

  mutating func add(_ other: ExactSum) {
    carry()
    var other = other
    other.carry()
    for index in limbs.indices { limbs[index] += other.limbs[index] }
    additions = 2
  }

  /// Leaves 32 bits in each limb but the last, which has the sign.
  private mutating func carry() {
    for index in 0..<limbs.count - 1 {
      let carried = limbs[index] >> 32
      limbs[index] -= carried << 32
      limbs[index + 1] += carried
    }
    additions = 1
  }

  /// The sum as a double times 2^`scale`, rounded once (half to even); as the double itself (`scale` 0) where
  /// it is not beyond the largest.
  var rounded: (value: Double, scale: Int) {
    let (magnitude, isNegative) = digits
    return ExactSum.rounded(magnitude, leastWeight: -1074, hasMore: false, isNegative: isNegative)
  }

  /// The sum by a count of at least 1, rounded once. Some 3 µs.
  func mean(count: Int) -> (value: Double, scale: Int) {
    var (magnitude, isNegative) = digits
    // Room for the half of the least double, and more.
    magnitude.insert(contentsOf: [0, 0], at: 0)
    var rest: UInt64 = 0
    for index in magnitude.indices.reversed() {
      let part = UInt128(rest) << 32 | UInt128(magnitude[index])
      let (quotient, left) = part.quotientAndRemainder(dividingBy: UInt128(count))
      (magnitude[index], rest) = (UInt32(truncatingIfNeeded: quotient), UInt64(left))
    }
    return ExactSum.rounded(magnitude, leastWeight: -1138, hasMore: rest != 0, isNegative: isNegative)
  }

  /// The sum without its sign, 32 bits a digit, the least first.
  private var digits: (magnitude: [UInt32], isNegative: Bool) {
    var sum = self
    sum.carry()
    let isNegative = (sum.limbs.last ?? 0) < 0
    if isNegative {
      for index in sum.limbs.indices { sum.limbs[index] = -sum.limbs[index] }
      sum.carry()
    }
    // The limbs have a hundred bits more than the greatest sum.
    return (sum.limbs.map { UInt32(truncatingIfNeeded: $0) }, isNegative)
  }

  /// - Parameters:
  ///   - leastWeight: The lowest bit of `digits` stands for 2 to so many.
  ///   - hasMore: Whether something follows below it.
  private static func rounded(
    _ digits: [UInt32], leastWeight: Int, hasMore: Bool, isNegative: Bool
  ) -> (value: Double, scale: Int) {
    func bit(_ place: Int) -> UInt64 { UInt64(digits[place >> 5] >> UInt32(place & 31) & 1) }
    func hasBits(below place: Int) -> Bool {
      let digit = place >> 5
      if hasMore || digits[..<digit].contains(where: { $0 != 0 }) { return true }
      return digits[digit] & (1 << UInt32(place & 31) - 1) != 0
    }
    guard let top = digits.lastIndex(where: { $0 != 0 }) else { return (0, 0) }
    let highest = top * 32 + 31 - digits[top].leadingZeroBitCount
    // The last bit that is kept: of 53, or that of the least double.
    let last = max(highest - 52, -1074 - leastWeight)
    var kept: UInt64 = 0
    if highest >= last {
      for bitPlace in stride(from: highest, through: last, by: -1) { kept = kept << 1 | bit(bitPlace) }
    }
    if last > 0, highest >= last - 1, bit(last - 1) == 1, kept & 1 == 1 || hasBits(below: last - 1) {
      kept += 1
    }
    let value = isNegative ? -Double(kept) : Double(kept)
    // Of a double's last bit 2^971 is the greatest weight.
    let weight = last + leastWeight
    if weight > 971 || (weight == 971 && kept == 1 << 53) { return (value, weight) }
    // Exact: what is below the normal doubles was rounded to their grid above.
    guard weight < -1022 else { return (value * power(weight), 0) }
    return (value * 0x1p-1000 * power(weight + 1000), 0)
  }

  private static func power(_ exponent: Int) -> Double {
    Double(sign: .plus, exponent: exponent, significand: 1)
  }
}
