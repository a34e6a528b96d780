import Codecs
import Records

/// A condition on numbers: the values that fulfil it, as ranges of each number type. Compares by value, so
/// that integers a double cannot hold are still told apart.
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

  /// Whether a number written as JSON passes: an integer if written as one and within Int64, else the nearest
  /// double.
  func passes(json text: Span<UInt8>) -> Bool {
    switch JSONNumber.classify(text) {
    case .int64(let value): return passes(value)
    case .float64(let value): return passes(value)
    case .other:
      if let value = JSONNumber.double(text) { return passes(value) }
      // Beyond the largest double, on the side its sign says.
      let isNegative = text.count > 0 && text[0] == UInt8(ascii: "-")
      return passes(isNegative ? -Double.infinity : Double.infinity)
    }
  }
}
