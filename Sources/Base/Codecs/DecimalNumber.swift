import Records

/// The value of a number's text, whatever its size: what numbers are compared by where neither int64 nor a
/// double says them exactly.
///
/// Texts of one value (`12.5`, `12.50`, `1.25e1`) make one number; `-0` is 0. Nothing is ever expanded:
/// comparing costs at most the digits that were written, adding up exponents nothing.
package struct DecimalNumber: Sendable, Hashable {
  /// Never of 0.
  package let isNegative: Bool
  /// ASCII digits without zeros at either end; none for 0.
  package let digits: [UInt8]
  /// The power of ten of the first digit; 0 for 0.
  package let exponent: Int

  /// Numbers whose first digit is of a higher power of ten than this, or of a lower one than its negative,
  /// are taken for ones of that power: no text without an exponent is so long.
  package static let exponentMax = 1_000_000_000_000_000

  /// Whether the exponent is so far out that it is not told from those beyond it.
  package var isClamped: Bool { exponent.magnitude >= UInt(DecimalNumber.exponentMax) }

  /// The number that `text`, by JSON's grammar, denotes; nil if it is none. Takes as long as the text.
  package init?(_ text: Span<UInt8>) {
    guard JSONNumber.isNumber(text) else { return nil }
    var digits: [UInt8] = []
    var (start, point) = (0, -1)
    var at = 0
    let isNegative = text[0] == UInt8(ascii: "-")
    if isNegative { at = 1 }
    // Digits before the point, less the zeros passed over.
    while at < text.count, text[at] | 0x20 != UInt8(ascii: "e") {
      let byte = text[at]
      at += 1
      if byte == UInt8(ascii: ".") {
        point = start + digits.count
      } else if digits.isEmpty, byte == UInt8(ascii: "0") {
        start += 1
      } else {
        digits.append(byte)
      }
    }
    if point < 0 { point = start + digits.count }
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    let written = at < text.count ? DecimalNumber.exponent(text.extracting((at + 1)...)) : 0
    self.init(isNegative: isNegative, digits: digits, exponent: point - start - 1 + written)
  }

  private init(isNegative: Bool, digits: [UInt8], exponent: Int) {
    self.isNegative = isNegative && !digits.isEmpty
    self.digits = digits
    let most = DecimalNumber.exponentMax
    self.exponent = digits.isEmpty ? 0 : min(max(exponent, -most), most)
  }

  /// A whole number.
  package init(_ value: Int64) {
    var digits = Array(String(value.magnitude).utf8)
    let exponent = digits.count - 1
    while digits.last == UInt8(ascii: "0") { digits.removeLast() }
    self.init(isNegative: value < 0, digits: digits, exponent: exponent)
  }

  /// What the shortest text of a double denotes: the value that doubles stand for wherever they are stored.
  /// nil of infinities and NaN.
  package init?(_ value: Double) {
    guard value.isFinite, let number = DecimalNumber(value.description) else { return nil }
    self = number
  }

  /// As ``init(_:)-(Span<UInt8>)``.
  package init?(_ text: String) {
    var text = text
    let number = text.withUTF8 { unsafe DecimalNumber(Span(_unsafeElements: $0)) }
    guard let number else { return nil }
    self = number
  }

  private static func exponent(_ text: Span<UInt8>) -> Int {
    var value = 0
    for index in text.indices {
      let digit = text[index] &- 0x30
      // Twice the most, so that no digits bring it back into the bounds.
      if digit <= 9 { value = min(value * 10 + Int(digit), 2 * exponentMax) }
    }
    return text[0] == UInt8(ascii: "-") ? -value : value
  }
}

extension DecimalNumber: Comparable {
  package static func < (left: DecimalNumber, right: DecimalNumber) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    return left.isNegative ? right.isNearer(than: left) : left.isNearer(than: right)
  }

  /// Whether it is nearer to 0.
  private func isNearer(than other: DecimalNumber) -> Bool {
    if digits.isEmpty || other.digits.isEmpty { return digits.isEmpty && !other.digits.isEmpty }
    if exponent != other.exponent { return exponent < other.exponent }
    return digits.lexicographicallyPrecedes(other.digits)
  }
}

extension DecimalNumber {
  /// How an integer type has the number.
  package enum Floor: Sendable, Hashable {
    /// Below Int64, above it.
    case below, above
    /// The greatest Int64 that is not greater, and whether it is the number itself.
    case int64(Int64, isExact: Bool)
  }

  /// The number rounded down.
  package var floor: Floor {
    if digits.isEmpty { return .int64(0, isExact: true) }
    if exponent < 0 { return .int64(isNegative ? -1 : 0, isExact: false) }
    guard exponent < 19 else { return isNegative ? .below : .above }
    var magnitude: UInt64 = 0
    for place in 0...exponent {
      magnitude = magnitude * 10 + (place < digits.count ? UInt64(digits[place] - 0x30) : 0)
    }
    let isExact = digits.count <= exponent + 1
    let limit: UInt64 = 1 << 63
    guard isNegative else {
      return magnitude < limit ? .int64(Int64(magnitude), isExact: isExact) : .above
    }
    if magnitude > limit || (magnitude == limit && !isExact) { return .below }
    return .int64(Int64(truncatingIfNeeded: 0 &- magnitude) - (isExact ? 0 : 1), isExact: isExact)
  }

  /// The nearest double; infinite beyond the largest.
  package var nearest: Double {
    let magnitude: Double
    if exponent > 310 {
      magnitude = .infinity
    } else if exponent < -330 {
      magnitude = 0
    } else {
      let text = "0." + String(decoding: digits.isEmpty ? [0x30] : digits, as: UTF8.self) + "e\(exponent + 1)"
      magnitude = Double(text) ?? .infinity
    }
    return isNegative ? -magnitude : magnitude
  }

  // MARK: The one spelling

  /// Digits a whole number has at most before it is written with an exponent: those of 2^128 and one more.
  static let wholeDigitsMax = 40
  /// Zeros between the point and the first digit at most.
  static let leadingZerosMax = 5

  /// What ``text`` has beside its digits, at most: zeros, sign, point and exponent.
  package static let textBytesBeside = 48

  /// The number in the one spelling that keys and answers have (Docs/query.md): digits, a point only before
  /// a fraction, no zeros at either end; `1.5e+300` from 10^40 on and `1.5e-7` below 10^-6.
  package var text: String { String(decoding: bytes, as: UTF8.self) }

  /// As ``text``.
  package var bytes: [UInt8] {
    if digits.isEmpty { return [0x30] }
    var out: [UInt8] = isNegative ? [UInt8(ascii: "-")] : []
    if exponent >= DecimalNumber.wholeDigitsMax || exponent < -DecimalNumber.leadingZerosMax - 1 {
      out.append(digits[0])
      if digits.count > 1 {
        out.append(UInt8(ascii: "."))
        out += digits[1...]
      }
      out += "e\(exponent < 0 ? "-" : "+")\(exponent.magnitude)".utf8
    } else if exponent < 0 {
      out += "0.".utf8
      out += repeatElement(0x30, count: -exponent - 1)
      out += digits
    } else {
      out += digits.prefix(exponent + 1)
      out += repeatElement(0x30, count: max(0, exponent + 1 - digits.count))
      if digits.count > exponent + 1 {
        out.append(UInt8(ascii: "."))
        out += digits[(exponent + 1)...]
      }
    }
    return out
  }
}

extension Literal {
  /// The number that `text` is by JSON's grammar; nil if it is none (`0x10`, `+16`, `007`), or one whose
  /// exponent is too far out to be told from others.
  package init?(number text: String) {
    guard let number = DecimalNumber(text), !number.isClamped else { return nil }
    self = Literal.typed(text) ?? Literal.typed(number.text) ?? .number(number.text)
  }

  private static func typed(_ text: String) -> Literal? {
    var text = text
    let value = text.withUTF8 { unsafe JSONNumber.classify(Span(_unsafeElements: $0)) }
    switch value {
    case .int64(let value): return .int64(value)
    case .float64(let value): return .float64(value)
    case .other: return nil
    }
  }
}
