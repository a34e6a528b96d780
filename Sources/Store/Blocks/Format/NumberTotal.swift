import Records

/// Count, sum and extremes of numbers of one type, exactly.
struct NumberTotal: Sendable, Equatable {
  /// Integers, or the doubles' own bits.
  enum Extremes: Sendable, Equatable {
    case int64(least: Int64, greatest: Int64)
    case float64(least: Double, greatest: Double)
  }

  var count = 0
  /// nil: there is no number.
  var extremes: Extremes?
  /// Of integers.
  var integerSum: Int128 = 0
  /// Of doubles: their sum is exactly that of these; nil: it is beyond float64 on the way.
  var doubleSum: [Double]? = []

  /// Adds those of other rows.
  mutating func add(_ other: NumberTotal) {
    count += other.count
    integerSum &+= other.integerSum
    if let more = other.doubleSum {
      for part in more { doubleSum = doubleSum.flatMap { ExactParts.adding(part, to: $0) } }
    } else {
      doubleSum = nil
    }
    switch (extremes, other.extremes) {
    case (_, nil): break
    case (nil, let own): extremes = own
    case (.int64(let a, let b), .int64(let c, let d)):
      extremes = .int64(least: min(a, c), greatest: max(b, d))
    case (.float64(let a, let b), .float64(let c, let d)):
      // The first of equal ones, as a scan has it: 0 and -0 are.
      extremes = .float64(least: c < a ? c : a, greatest: d > b ? d : b)
    default: bug("totals of one column")
    }
  }
}

/// A sum of doubles as several whose sum it is exactly (Shewchuk's expansions).
enum ExactParts {
  /// The parts of the sum with one more number, none of them 0; nil: it is beyond float64.
  static func adding(_ value: Double, to parts: [Double]) -> [Double]? {
    var grown: [Double] = []
    var rest = value
    for part in parts {
      let (sum, error) = sum(rest, part)
      if error != 0 { grown.append(error) }
      rest = sum
    }
    if rest != 0 { grown.append(rest) }
    return grown.allSatisfy(\.isFinite) ? grown : nil
  }

  /// The rounded sum, and exactly what rounding took (Knuth).
  @inline(__always)
  static func sum(_ a: Double, _ b: Double) -> (sum: Double, error: Double) {
    let sum = a + b
    let added = sum - a
    return (sum, (a - (sum - added)) + (b - added))
  }
}
