import Records

/// A condition on numbers: the values that fulfil it, as ranges of each number type. Compares by value, so that
/// integers a double cannot hold are still told apart.
struct NumberTest: Sendable, Hashable {
  /// Sorted and disjoint.
  private(set) var integers: [ClosedRange<Int64>] = []
  /// Sorted and disjoint. NaN is in none.
  private(set) var doubles: [ClosedRange<Double>] = []

  init(_ comparison: Comparison, _ literal: Int64) {
    let below = literal == .min ? nil : Int64.min...literal - 1
    let above = literal == .max ? nil : literal + 1...Int64.max
    let ranges: [ClosedRange<Int64>?] =
      switch comparison {
      case .equal: [literal...literal]
      case .notEqual: [below, above]
      case .less: [below]
      case .lessOrEqual: [.min...literal]
      case .greater: [above]
      case .greaterOrEqual: [literal...Int64.max]
      }
    integers = ranges.compactMap { $0 }
    // The nearest double may lie on either side of the literal.
    let near = Double(literal)
    switch Int64(exactly: near).map({ $0 == literal ? 0 : $0 < literal ? -1 : 1 }) ?? 1 {
    case 0: doubles = NumberTest.ranges(comparison, near)
    case 1: doubles = NumberTest.ranges(comparison, between: near.nextDown, and: near)
    default: doubles = NumberTest.ranges(comparison, between: near, and: near.nextUp)
    }
  }

  init(_ comparison: Comparison, _ literal: Double) {
    guard !literal.isNaN else { return }
    doubles = NumberTest.ranges(comparison, literal)
    let lowest = -0x1p63
    let highest = 0x1p63
    if let exact = Int64(exactly: literal) {
      integers = NumberTest(comparison, exact).integers
    } else if literal < lowest {
      integers = NumberTest.passes(above: comparison) ? [Int64.min...Int64.max] : []
    } else if literal >= highest {
      integers = NumberTest.passes(below: comparison) ? [Int64.min...Int64.max] : []
    } else {
      // A fraction: between two integers. Fractions are small enough that rounding is exact.
      let floor = Int64(literal.rounded(.down))
      var ranges: [ClosedRange<Int64>] = []
      if NumberTest.passes(below: comparison) { ranges.append(.min...floor) }
      if NumberTest.passes(above: comparison) { ranges.append(floor + 1...Int64.max) }
      integers = comparison == .notEqual ? [Int64.min...Int64.max] : ranges
    }
  }

  /// Numbers that equal one of the literals.
  init(anyOf tests: [NumberTest]) {
    integers = tests.flatMap(\.integers).sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) {
      merged, next in
      if merged.last != next { merged.append(next) }
    }
    doubles = tests.flatMap(\.doubles).sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) {
      merged, next in
      if merged.last != next { merged.append(next) }
    }
  }

  /// Whether a value below (above) the literal passes.
  private static func passes(below comparison: Comparison) -> Bool {
    comparison == .less || comparison == .lessOrEqual || comparison == .notEqual
  }
  private static func passes(above comparison: Comparison) -> Bool {
    comparison == .greater || comparison == .greaterOrEqual || comparison == .notEqual
  }

  private static func ranges(_ comparison: Comparison, _ literal: Double) -> [ClosedRange<Double>] {
    let below = literal == -.infinity ? nil : -Double.infinity...literal.nextDown
    let above = literal == .infinity ? nil : literal.nextUp...Double.infinity
    let ranges: [ClosedRange<Double>?] =
      switch comparison {
      case .equal: [literal...literal]
      case .notEqual: [below, above]
      case .less: [below]
      case .lessOrEqual: [-.infinity...literal]
      case .greater: [above]
      case .greaterOrEqual: [literal...Double.infinity]
      }
    return ranges.compactMap { $0 }
  }

  /// For a literal strictly between two neighbouring doubles.
  private static func ranges(
    _ comparison: Comparison, between low: Double, and high: Double
  ) -> [ClosedRange<Double>] {
    switch comparison {
    case .equal: []
    case .notEqual: [-Double.infinity...Double.infinity]
    case .less, .lessOrEqual: [-Double.infinity...low]
    case .greater, .greaterOrEqual: [high...Double.infinity]
    }
  }

  func passes(_ value: Int64) -> Bool { NumberTest.contains(integers, value) }
  func passes(_ value: Double) -> Bool { !value.isNaN && NumberTest.contains(doubles, value) }

  private static func contains<T: Comparable>(_ ranges: [ClosedRange<T>], _ value: T) -> Bool {
    var low = 0
    var high = ranges.count
    // The first range that does not end before the value.
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < value { low = middle + 1 } else { high = middle }
    }
    return low < ranges.count && ranges[low].lowerBound <= value
  }
}

/// A number as JSON text has it.
enum JSONNumberValue: Sendable, Hashable {
  case integer(Int64)
  case double(Double)

  private static let powers: [Double] = [
    1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18,
    1e19,
    1e20, 1e21, 1e22,
  ]

  /// `text` is a valid JSON number: an integer if written as one and within Int64, else the nearest double.
  init(_ text: Span<UInt8>) {
    var mantissa: UInt64 = 0
    var digits = 0
    var exponent = 0
    var isPlain = true
    var isFraction = false
    let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
    for index in (isNegative ? 1 : 0)..<text.count {
      let byte = text[index]
      if byte >= 0x30 && byte <= 0x39 {
        if digits < 19 { mantissa = mantissa * 10 + UInt64(byte - 0x30) }
        if mantissa > 0 { digits += 1 }
        if isFraction { exponent -= 1 }
      } else if byte == UInt8(ascii: "."), !isFraction {
        isFraction = true
      } else {
        isPlain = false
        break
      }
    }
    if isPlain && !isFraction && digits <= 19 {
      if !isNegative, let value = Int64(exactly: mantissa) {
        self = .integer(value)
        return
      }
      if isNegative, mantissa > 0 || digits > 0, mantissa <= UInt64(1) << 63 {
        self = .integer(Int64(truncatingIfNeeded: 0 &- mantissa))
        return
      }
    }
    if isPlain, digits <= 15, exponent >= -22 {
      // Both are exact doubles, so one division rounds once.
      let value = Double(mantissa) / JSONNumberValue.powers[-exponent]
      self = .double(isNegative ? -value : value)
      return
    }
    var copy = ""
    copy.reserveCapacity(text.count)
    for index in text.indices { copy.unicodeScalars.append(Unicode.Scalar(text[index])) }
    self = .double(Double(copy) ?? .nan)
  }
}
