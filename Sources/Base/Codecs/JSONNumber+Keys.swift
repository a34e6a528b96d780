/// The one spelling of numbers, which groups and counts of different values are made by, and what may be
/// stored without its text.
extension JSONNumber {
  /// Whether the whole of `text` is a number by JSON's grammar.
  package static func isNumber(_ text: Span<UInt8>) -> Bool {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return false }
      let end = unsafe base + bytes.count
      return unsafe JSONNumber.end(of: base, end) == end
    }
  }

  /// As ``classify(_:)``, but only what comes back from its type as the very text: `12.50`, `1e3` and `1E+2`
  /// are `other`. About 5 ns for short numbers, some 200 ns for long ones.
  package static func typed(_ text: Span<UInt8>) -> JSONNumberValue {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return .other }
      return unsafe typed(base, bytes.count)
    }
  }

  /// As ``typed(_:)``; `count` is not 0.
  @inline(__always)
  @unsafe
  static func typed(_ text: UnsafePointer<UInt8>, _ count: Int) -> JSONNumberValue {
    let isNegative = unsafe text[0] == 0x2D
    var at = isNegative ? 1 : 0
    var mantissa: Int64 = 0
    var decimals = -1
    // Fifteen digits and a point: both parts of the fraction below are exact doubles.
    guard count - at <= 16 else { return unsafe typedSlowly(text, count) }
    while at < count {
      let byte = unsafe text[at]
      if byte == 0x2E, decimals < 0 {
        decimals = 0
      } else if byte &- 0x30 <= 9 {
        mantissa = mantissa &* 10 &+ Int64(byte &- 0x30)
        if decimals >= 0 { decimals += 1 }
      } else {
        return unsafe typedSlowly(text, count)
      }
      at += 1
    }
    let digits = count - (isNegative ? 1 : 0) - (decimals >= 0 ? 1 : 0)
    guard digits <= 15, digits > 0, decimals != 0 else { return unsafe typedSlowly(text, count) }
    if decimals < 0 {
      return mantissa != 0 || !isNegative ? .int64(isNegative ? -mantissa : mantissa) : .other
    }
    // A zero at the end is only written behind a whole number.
    if decimals > 1, unsafe text[count - 1] == 0x30 { return .other }
    let value = Double(mantissa) / powersOfTen[decimals]
    // Smaller ones are written with an exponent.
    if value < 0.0001, mantissa != 0 { return .other }
    return .float64(isNegative ? -value : value)
  }

  @unsafe
  private static func typedSlowly(_ text: UnsafePointer<UInt8>, _ count: Int) -> JSONNumberValue {
    let bytes = unsafe UnsafeBufferPointer(start: text, count: count)
    let value = unsafe classify(Span(_unsafeElements: bytes))
    guard case .float64(let number) = value else { return value }
    return unsafe number.description.utf8.elementsEqual(bytes) ? value : .other
  }

  // MARK: Keys

  /// Appends the number that `text` is in the one spelling (``DecimalNumber/text``). About 10 ns where it is
  /// in it already, some 300 ns elsewhere. Text that is no number is appended as it is.
  package static func appendKey(of text: Span<UInt8>, to out: inout [UInt8]) {
    if isKey(text) || !isNumber(text) {
      for index in text.indices { out.append(text[index]) }
    } else if let number = DecimalNumber(text) {
      out += number.bytes
    }
  }

  /// Appends a double, which is finite, in the one spelling.
  package static func appendKey(of value: Double, to out: inout JSONWriter) {
    let magnitude = value.magnitude
    if magnitude < 9_007_199_254_740_992, magnitude == magnitude.rounded(.towardZero) {
      out.appendInt64(Int64(value))
    } else if magnitude >= 0.0001, magnitude < 1e15 {
      out.appendFloat64(value)
    } else if let number = DecimalNumber(value) {
      out.append(raw: number.bytes)
    } else {
      out.appendNull()
    }
  }

  /// Whether a number surely is in the one spelling: all but those with an exponent or far from 1.
  package static func isKey(_ text: Span<UInt8>) -> Bool {
    guard !text.isEmpty, text.count <= DecimalNumber.wholeDigitsMax else { return false }
    let first = text[0] == UInt8(ascii: "-") ? 1 : 0
    guard first < text.count else { return false }
    var point = -1
    for index in first..<text.count {
      let byte = text[index]
      if byte &- 0x30 <= 9 { continue }
      guard byte == UInt8(ascii: "."), point < 0 else { return false }
      point = index
    }
    let isZeroFirst = text[first] == UInt8(ascii: "0")
    if point < 0 { return !isZeroFirst || text.count == 1 }
    guard point > first, point + 1 < text.count, text[text.count - 1] != UInt8(ascii: "0") else {
      return false
    }
    guard isZeroFirst else { return true }
    guard point == first + 1 else { return false }
    var zeros = 0
    while text[point + 1 + zeros] == UInt8(ascii: "0") { zeros += 1 }
    return zeros <= DecimalNumber.leadingZerosMax
  }

  static let powersOfTen: [Double] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19, 1e20, 1e21, 1e22,
  ]
}
