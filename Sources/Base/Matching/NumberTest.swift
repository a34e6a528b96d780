import Codecs
import Records

/// A condition on numbers: the values that fulfil it, as ranges of each number type, and what to compare
/// other numbers with. Compares by the exact decimal value; of a double that is what its shortest text says.
struct NumberTest: Sendable, Hashable {
  /// Sorted and disjoint.
  private(set) var integers: [ClosedRange<Int64>] = []
  /// Sorted and disjoint. NaN is in none.
  private(set) var doubles: [ClosedRange<Double>] = []
  private var others = Others.nearest

  /// How numbers are compared that neither type says.
  private enum Others: Sendable, Hashable {
    case compare(Comparison, DecimalNumber)
    case oneOf(Set<DecimalNumber>)
    /// By their nearest doubles, as before numbers of any size were compared by value.
    case nearest
  }

  init(_ comparison: Comparison, _ literal: Int64) {
    let number = DecimalNumber(literal)
    others = .compare(comparison, number)
    integers = NumberTest.ranges(comparison, literal)
    // Up to 2^53 an integer is a double, and that double's text is its own.
    doubles =
      literal.magnitude <= 1 << 53
      ? NumberTest.ranges(comparison, Double(literal)) : NumberTest.doubles(comparison, number)
  }

  init(_ comparison: Comparison, _ literal: DecimalNumber) {
    others = .compare(comparison, literal)
    doubles = NumberTest.doubles(comparison, literal)
    let all = [Int64.min...Int64.max]
    switch literal.floor {
    case .below: integers = NumberTest.passes(above: comparison) ? all : []
    case .above: integers = NumberTest.passes(below: comparison) ? all : []
    case .int64(let value, isExact: true): integers = NumberTest.ranges(comparison, value)
    case .int64(let floor, isExact: false): integers = NumberTest.ranges(comparison, between: floor)
    }
  }

  /// Compares with all numbers whose nearest double `literal` is.
  init(_ comparison: Comparison, rounded literal: Double) {
    guard !literal.isNaN else { return }
    doubles = NumberTest.ranges(comparison, literal)
    if let exact = Int64(exactly: literal) {
      integers = NumberTest.ranges(comparison, exact)
    } else if literal < -0x1p63 {
      integers = NumberTest.passes(above: comparison) ? [Int64.min...Int64.max] : []
    } else if literal >= 0x1p63 {
      integers = NumberTest.passes(below: comparison) ? [Int64.min...Int64.max] : []
    } else {
      // A fraction: fractions are small enough that rounding is exact.
      integers = NumberTest.ranges(comparison, between: Int64(literal.rounded(.down)))
    }
  }

  /// Numbers that equal one of the literals of `tests`, each of which is an equality.
  init(anyOf tests: [NumberTest]) {
    integers = tests.flatMap(\.integers).sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) {
      merged, next in
      if merged.last != next { merged.append(next) }
    }
    doubles = tests.flatMap(\.doubles).sorted { $0.lowerBound < $1.lowerBound }.reduce(into: []) {
      merged, next in
      if merged.last != next { merged.append(next) }
    }
    var numbers: Set<DecimalNumber> = []
    for test in tests {
      // One that rounds makes all of them round: no filter of now has any.
      guard case .compare(_, let number) = test.others else { return }
      numbers.insert(number)
    }
    others = .oneOf(numbers)
  }

  private static func ranges(_ comparison: Comparison, _ literal: Int64) -> [ClosedRange<Int64>] {
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
    return ranges.compactMap { $0 }
  }

  /// For a literal strictly between `floor` and the next integer.
  private static func ranges(_ comparison: Comparison, between floor: Int64) -> [ClosedRange<Int64>] {
    if comparison == .notEqual { return [Int64.min...Int64.max] }
    var ranges: [ClosedRange<Int64>] = []
    if passes(below: comparison) { ranges.append(.min...floor) }
    if passes(above: comparison), floor < .max { ranges.append(floor + 1...Int64.max) }
    return ranges
  }

  /// The doubles whose shortest text compares so. These texts rise with their doubles, and the literal lies
  /// nowhere but next to the double nearest to it.
  private static func doubles(_ comparison: Comparison, _ literal: DecimalNumber) -> [ClosedRange<Double>] {
    let near = literal.nearest
    guard let own = DecimalNumber(near) else {
      let largest = Double.greatestFiniteMagnitude
      return near > 0
        ? ranges(comparison, between: largest, and: .infinity)
        : ranges(comparison, between: -.infinity, and: -largest)
    }
    if own == literal { return ranges(comparison, near) }
    return own < literal
      ? ranges(comparison, between: near, and: near.nextUp)
      : ranges(comparison, between: near.nextDown, and: near)
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

  /// Whether a number written as JSON passes.
  func passes(json text: Span<UInt8>) -> Bool {
    switch JSONNumber.classify(text) {
    case .int64(let value): return passes(value)
    case .float64(let value): return passes(value)
    case .other:
      guard let number = DecimalNumber(text) else { return false }
      switch others {
      case .compare(let comparison, let literal): return NumberTest.holds(comparison, number, literal)
      case .oneOf(let numbers): return numbers.contains(number)
      case .nearest: return passes(number.nearest)
      }
    }
  }

  private static func holds(_ comparison: Comparison, _ left: DecimalNumber, _ right: DecimalNumber) -> Bool {
    switch comparison {
    case .equal: left == right
    case .notEqual: left != right
    case .less: left < right
    case .lessOrEqual: left <= right
    case .greater: left > right
    case .greaterOrEqual: left >= right
    }
  }
}
