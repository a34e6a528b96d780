/// Times as numbers since 1970, told apart by their size: the one rule of all routes (Docs/api.md).
///
/// | absolute value | unit | of years |
/// |---|---|---|
/// | up to 2e10 | seconds | all |
/// | up to 2e13 | milliseconds | but 1970-08-20 and before (and as long before 1970) |
/// | up to 2e16 | microseconds | the same |
/// | beyond | nanoseconds | the same |
package enum UnixTime {
  /// The largest number of a unit is 2 and so many zeros, and ten to the power of so many nanoseconds make
  /// one.
  private static let units: [(zeros: Int, power: Int)] = [(10, 9), (13, 6), (16, 3)]
  private static let powers: [UInt64] = (0..<20).reduce(into: []) { powers, _ in
    powers.append((powers.last ?? 0) == 0 ? 1 : (powers.last ?? 1) * 10)
  }

  /// Nanoseconds, exact; digits below them are cut off. nil: no JSON number, or not between the years 1677
  /// and 2262.
  package static func nanoseconds(_ text: Span<UInt8>) -> Int64? {
    guard JSONNumber.double(text) != nil else { return nil }
    var decimal = Digits()
    decimal.read(text)
    guard let magnitude = decimal.nanoseconds else { return nil }
    guard decimal.isNegative else { return Int64(exactly: magnitude) }
    return magnitude <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- magnitude) : nil
  }

  /// As ``nanoseconds(_:)-(Span)``, of the shortest text of a number.
  package static func nanoseconds(_ number: Double) -> Int64? {
    nanoseconds(Array(number.description.utf8).span)
  }

  /// As ``nanoseconds(_:)-(Span)``.
  package static func nanoseconds(_ number: Int64) -> Int64? {
    nanoseconds(Array(number.description.utf8).span)
  }

  /// As ``nanoseconds(_:)-(Span)``; nil also for what is no number.
  package static func nanoseconds(_ tree: JSONTree) -> Int64? {
    switch tree {
    case .int64(let number): nanoseconds(number)
    case .float64(let number): nanoseconds(number)
    case .number(let text): nanoseconds(Array(text.utf8).span)
    case .null, .bool, .string, .array, .object: nil
    }
  }

  /// A number as an integer times a power of ten.
  private struct Digits {
    var isNegative = false
    /// The first 19 digits from the first that is not 0.
    private var mantissa: UInt64 = 0
    private var count = 0
    private var exponent = 0

    /// - Parameter text: A JSON number.
    mutating func read(_ text: Span<UInt8>) {
      var isFraction = false
      var at = 0
      while at < text.count {
        let byte = text[at]
        at += 1
        switch byte {
        case UInt8(ascii: "-"): isNegative = true
        case UInt8(ascii: "."): isFraction = true
        case UInt8(ascii: "e"), UInt8(ascii: "E"):
          exponent += Digits.exponent(text, from: at)
          return
        default: push(byte - UInt8(ascii: "0"), isFraction: isFraction)
        }
      }
    }

    private mutating func push(_ digit: UInt8, isFraction: Bool) {
      if count == 19 {
        if !isFraction { exponent += 1 }
        return
      }
      if isFraction { exponent -= 1 }
      if digit == 0, count == 0 { return }
      mantissa = mantissa * 10 + UInt64(digit)
      count += 1
    }

    private static func exponent(_ text: Span<UInt8>, from start: Int) -> Int {
      var value = 0
      var at = start
      while at < text.count {
        let digit = text[at] &- UInt8(ascii: "0")
        // Clamped: no time is near.
        if digit < 10 { value = min(value * 10 + Int(digit), 1_000_000) }
        at += 1
      }
      return text[start] == UInt8(ascii: "-") ? -value : value
    }

    /// Without the sign; nil: 2^64 or more.
    var nanoseconds: UInt64? {
      if mantissa == 0 { return 0 }
      let shift = exponent + (UnixTime.units.first { isUpTo(zeros: $0.zeros) }?.power ?? 0)
      guard shift < 0 else { return count + shift > 19 ? nil : mantissa * UnixTime.powers[shift] }
      return shift < -19 ? 0 : mantissa / UnixTime.powers[-shift]
    }

    /// Whether the value is 2 and so many zeros, or below.
    private func isUpTo(zeros: Int) -> Bool {
      let integerDigits = count + exponent
      if integerDigits != zeros + 1 { return integerDigits <= zeros }
      return mantissa <= 2 * UnixTime.powers[count - 1]
    }
  }
}
