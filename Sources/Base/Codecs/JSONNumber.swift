/// What a JSON number's text is kept as without losing anything.
package enum JSONNumberValue: Sendable, Hashable {
  case int64(Int64)
  /// A double whose shortest text denotes the very value that was written.
  case float64(Double)
  /// Neither: keep the text.
  case other
}

/// Numbers in JSON text.
package enum JSONNumber {
  /// Sorts a number by what can hold it exactly.
  ///
  /// - `int64`: no point, no exponent, within Int64, and not `-0`.
  /// - `float64`: with a point or an exponent, and the nearest double's shortest text has the same value.
  ///   `1.0` and `1e2` are such; `0.1000000000000000055` is not.
  /// - `other`: the rest, integers beyond Int64 included: as doubles they would come back as `1e+19`.
  ///
  /// Text that is no JSON number is `other` too. Costs about 10 ns up to 15 digits, some 200 ns beyond.
  package static func classify(_ text: Span<UInt8>) -> JSONNumberValue {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return .other }
      let end = unsafe base + bytes.count
      guard let (decimal, stop) = unsafe Decimal.read(base, end), unsafe stop == end else { return .other }
      if decimal.isInteger {
        return decimal.int64.map { .int64($0) } ?? .other
      }
      if decimal.mantissa == 0, !decimal.isTruncated {
        return .float64(decimal.isNegative ? -0.0 : 0.0)
      }
      guard !decimal.isTruncated, decimal.digitCount <= 17,
        let value = unsafe nearest(decimal, base, bytes.count), value != 0
      else { return .other }
      // Up to 15 digits survive the way through a normal double (DBL_DIG), so its shortest text is this
      // value.
      if decimal.digitCount <= 15, abs(decimal.leadingExponent) < 300 { return .float64(value) }
      let same = value.magnitude.description.withDecimal {
        $0.mantissa == decimal.mantissa && $0.exponent == decimal.exponent
      }
      return same ? .float64(value) : .other
    }
  }

  /// The double nearest to a JSON number's text; nil if it is no number or beyond the largest double.
  package static func double(_ text: Span<UInt8>) -> Double? {
    unsafe text.withUnsafeBufferPointer { bytes in
      guard let base = bytes.baseAddress else { return nil }
      return unsafe double(base, bytes.count)
    }
  }

  /// As ``double(_:)``, of what is a number; infinite beyond the largest double.
  package static func nearest(_ number: Span<UInt8>) -> Double {
    if let value = double(number) { return value }
    return number.count > 0 && number[0] == UInt8(ascii: "-") ? -.infinity : .infinity
  }

  @unsafe
  static func double(_ text: UnsafePointer<UInt8>, _ count: Int) -> Double? {
    let end = unsafe text + count
    guard let (decimal, stop) = unsafe Decimal.read(text, end), unsafe stop == end else { return nil }
    return unsafe nearest(decimal, text, count)
  }

  /// The integer a JSON number's text is, if it is one without point or exponent and fits.
  @unsafe
  static func int64(_ text: UnsafePointer<UInt8>, _ count: Int) -> Int64? {
    let end = unsafe text + count
    guard let (decimal, stop) = unsafe Decimal.read(text, end), unsafe stop == end, decimal.isInteger else {
      return nil
    }
    return decimal.mantissa == 0 ? 0 : decimal.int64
  }

  /// `value` as ``format(_:)`` has it, but without a point if it is whole and below 2^53.
  package static func formatPlain(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 9_007_199_254_740_992 ? String(Int64(value)) : format(value)
  }

  /// `value` as the shortest text that reads back the same, with a point or an exponent; `null` if not
  /// finite.
  package static func format(_ value: Double) -> String {
    value.isFinite ? value.description : "null"
  }

  @unsafe
  private static func nearest(
    _ decimal: Decimal, _ text: UnsafePointer<UInt8>, _ count: Int
  ) -> Double? {
    let value: Double
    if !decimal.isTruncated, decimal.mantissa <= 1 << 53, abs(decimal.exponent) <= 22 {
      // Both operands are exact doubles, so one operation rounds correctly.
      let power = powersOfTen[abs(decimal.exponent)]
      let magnitude =
        decimal.exponent < 0 ? Double(decimal.mantissa) / power : Double(decimal.mantissa) * power
      value = decimal.isNegative ? -magnitude : magnitude
    } else {
      let string = unsafe String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
      guard let parsed = Double(string) else { return nil }
      value = parsed
    }
    return value.isFinite ? value : nil
  }

  /// Writes `value` if it has at most three decimals and is below 1e15; returns the length, or nil having
  /// written nothing. `out` has room for 24 bytes. Most measured durations are such, and this is 10 times
  /// faster than the general way.
  @unsafe
  static func writeShort(_ value: Double, to out: UnsafeMutablePointer<UInt8>) -> Int? {
    let magnitude = value.magnitude
    guard magnitude < 1e15 else { return nil }
    var scale = 1.0
    var decimals = 0
    var scaled = magnitude.rounded(.toNearestOrEven)
    while scaled / scale != magnitude {
      guard decimals < 3, magnitude < 1e12 else { return nil }
      decimals += 1
      scale *= 10
      scaled = (magnitude * scale).rounded(.toNearestOrEven)
    }
    var rest = UInt64(scaled)
    let places = max(decimals, 1)
    if decimals == 0 { rest &*= 10 }
    var digits = places + 1
    var bound: UInt64 = decimals < 2 ? 100 : decimals == 2 ? 1_000 : 10_000
    while rest >= bound {
      digits += 1
      bound &*= 10
    }
    var at = value.sign == .minus ? 1 : 0
    if at == 1 { unsafe out[0] = 0x2D }
    at += digits + 1
    let length = at
    for place in 0..<digits {
      if place == places {
        at -= 1
        unsafe out[at] = 0x2E
      }
      at -= 1
      unsafe out[at] = UInt8(truncatingIfNeeded: 0x30 + rest % 10)
      rest /= 10
    }
    return length
  }

  /// The byte behind the number at `start`, or nil if there is none by JSON's grammar.
  @inline(__always)
  @unsafe
  static func end(
    of start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> UnsafePointer<UInt8>? {
    var at = unsafe start
    if unsafe at < end, unsafe at[0] == 0x2D { unsafe at += 1 }
    guard unsafe at < end else { return nil }
    let first = unsafe at[0] &- 0x30
    guard first <= 9 else { return nil }
    unsafe at += 1
    if first != 0 {
      while unsafe at < end, unsafe at[0] &- 0x30 <= 9 { unsafe at += 1 }
    }
    if unsafe at < end, unsafe at[0] == 0x2E {
      unsafe at += 1
      guard unsafe at < end, unsafe at[0] &- 0x30 <= 9 else { return nil }
      while unsafe at < end, unsafe at[0] &- 0x30 <= 9 { unsafe at += 1 }
    }
    if unsafe at < end, unsafe at[0] | 0x20 == 0x65 {
      unsafe at += 1
      if unsafe at < end, unsafe at[0] == 0x2B || at[0] == 0x2D { unsafe at += 1 }
      guard unsafe at < end, unsafe at[0] &- 0x30 <= 9 else { return nil }
      while unsafe at < end, unsafe at[0] &- 0x30 <= 9 { unsafe at += 1 }
    }
    return unsafe at
  }
}

/// A number's text taken apart: mantissa * 10^exponent, the mantissa without trailing zeros.
private struct Decimal {
  var isNegative = false
  /// No point, no exponent.
  var isInteger = true
  var mantissa: UInt64 = 0
  var exponent = 0
  /// Digits of the mantissa, leading and trailing zeros not counted.
  var digitCount = 0
  /// More than 19 digits: the mantissa lacks some.
  var isTruncated = false

  /// The power of ten of the first digit.
  var leadingExponent: Int { exponent + digitCount - 1 }

  /// The value of an integer, unless it is `-0` or does not fit.
  var int64: Int64? {
    if mantissa == 0 { return isNegative ? nil : 0 }
    guard !isTruncated, exponent < 19 else { return nil }
    var value = mantissa
    for _ in 0..<exponent {
      let (next, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = next
    }
    if isNegative { return value <= 1 << 63 ? Int64(truncatingIfNeeded: 0 &- value) : nil }
    return Int64(exactly: value)
  }

  /// Reads the number at `start` and says where it ends; nil if there is none by JSON's grammar.
  @unsafe
  static func read(
    _ start: UnsafePointer<UInt8>, _ end: UnsafePointer<UInt8>
  ) -> (Decimal, UnsafePointer<UInt8>)? {
    guard let stop = unsafe JSONNumber.end(of: start, end) else { return nil }
    var decimal = Decimal()
    var at = unsafe start
    if unsafe at[0] == 0x2D {
      decimal.isNegative = true
      unsafe at += 1
    }
    var isFraction = false
    // Zeros not yet known to be trailing.
    var zeros = 0
    while unsafe at < stop {
      let byte = unsafe at[0]
      if byte | 0x20 == 0x65 { break }
      unsafe at += 1
      if byte == 0x2E {
        isFraction = true
        decimal.isInteger = false
        continue
      }
      if isFraction { decimal.exponent -= 1 }
      if byte == 0x30 {
        if decimal.mantissa != 0 { zeros += 1 }
        continue
      }
      decimal.push(digit: byte &- 0x30, after: zeros)
      zeros = 0
    }
    decimal.exponent += zeros
    if unsafe at < stop {
      decimal.isInteger = false
      decimal.exponent += unsafe readExponent(at + 1, stop)
    }
    return unsafe (decimal, stop)
  }

  private mutating func push(digit: UInt8, after zeros: Int) {
    digitCount += zeros + 1
    guard digitCount <= 19 else {
      isTruncated = true
      // The exponent still counts from the last digit that is kept; the value is not used any more.
      return
    }
    for _ in 0..<zeros { mantissa &*= 10 }
    mantissa = mantissa &* 10 &+ UInt64(digit)
  }

  @unsafe
  private static func readExponent(_ start: UnsafePointer<UInt8>, _ stop: UnsafePointer<UInt8>) -> Int {
    var at = unsafe start
    let sign = unsafe at[0]
    if sign == 0x2B || sign == 0x2D { unsafe at += 1 }
    var value = 0
    while unsafe at < stop {
      // Clamped: no double is near either bound, however many zeros precede the exponent.
      value = unsafe min(value * 10 + Int(at[0] &- 0x30), 1_000_000_000_000_000)
      unsafe at += 1
    }
    return sign == 0x2D ? -value : value
  }
}

extension String {
  /// Whether the string is a number that `test` holds for.
  fileprivate func withDecimal(_ test: (Decimal) -> Bool) -> Bool {
    var copy = self
    return copy.withUTF8 { bytes in
      guard let from = bytes.baseAddress, let (decimal, _) = unsafe Decimal.read(from, from + bytes.count)
      else { return false }
      return test(decimal)
    }
  }
}
