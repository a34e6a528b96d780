import Records

/// A number as a person would compare it: sign, digits before and behind the point, all written out.
package struct DecimalModel: Hashable, Comparable, Sendable {
  private static let places = 700

  /// Of the magnitude; `places` digits each.
  private let whole: String
  private let fraction: String
  private let isNegative: Bool

  /// - Parameter text: A number as JSON writes it, between 10^-690 and 10^690; nil: it is none.
  package init?(_ text: String) {
    var rest = Substring(text)
    let sign = rest.hasPrefix("-")
    if sign { rest.removeFirst() }
    let parts = rest.split(omittingEmptySubsequences: false) { $0 == "e" || $0 == "E" }
    guard parts.count <= 2, let digits = parts.first else { return nil }
    let halves = digits.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard halves.count <= 2, halves.allSatisfy({ !$0.isEmpty && $0.allSatisfy(\.isWholeNumber) }),
      halves[0] == "0" || !halves[0].hasPrefix("0")
    else { return nil }
    var exponent = 0
    if parts.count == 2 {
      guard let value = Int(parts[1]) else { return nil }
      exponent = value
    }
    let all = halves.joined()
    // Where the point stands among all places.
    let point = halves[0].count + exponent
    let before = String(repeating: "0", count: max(0, DecimalModel.places - point))
    let padded = before + all + String(repeating: "0", count: 2 * DecimalModel.places)
    whole = String(padded.prefix(DecimalModel.places))
    fraction = String(padded.dropFirst(DecimalModel.places).prefix(DecimalModel.places))
    isNegative = sign && (whole + fraction).contains { $0 != "0" }
  }

  package static func < (left: DecimalModel, right: DecimalModel) -> Bool {
    if left.isNegative != right.isNegative { return left.isNegative }
    let (a, b) = left.isNegative ? (right, left) : (left, right)
    return a.whole + a.fraction < b.whole + b.fraction
  }

  /// The spelling that Docs/query.md promises.
  package var key: String {
    let digits = whole + fraction
    guard let first = digits.firstIndex(where: { $0 != "0" }) else { return "0" }
    let exponent = DecimalModel.places - 1 - digits.distance(from: digits.startIndex, to: first)
    var significant = String(digits[first...])
    while significant.hasSuffix("0") { significant.removeLast() }
    let sign = isNegative ? "-" : ""
    if exponent >= 40 || exponent < -6 {
      let tail = significant.count > 1 ? "." + significant.dropFirst() : ""
      return "\(sign)\(significant.prefix(1))\(tail)e\(exponent < 0 ? "-" : "+")\(abs(exponent))"
    }
    var before = String(whole.drop { $0 == "0" })
    if before.isEmpty { before = "0" }
    var behind = fraction
    while behind.hasSuffix("0") { behind.removeLast() }
    return sign + before + (behind.isEmpty ? "" : "." + behind)
  }

  /// Whether the operator named as in filters holds.
  package func holds(_ comparison: Comparison, _ other: DecimalModel) -> Bool {
    switch comparison {
    case .equal: self == other
    case .notEqual: self != other
    case .less: self < other
    case .lessOrEqual: self < other || self == other
    case .greater: other < self
    case .greaterOrEqual: other < self || self == other
    }
  }

  /// Numbers that something has once compared or spelled wrongly.
  package static let nasty = [
    "0", "-0", "0.0", "-0.0", "0e5", "1", "1.0", "1e0", "10e-1", "0.1e1", "-1", "-1.5", "12.5", "12.50",
    "1.25e1", "1e3", "1000.0", "1000", "1E+3", "0.1", "0.10", "1e-1", "0.3", "0.30000000000000004",
    "0.1000000000000000055511151231257827", "9007199254740991", "9007199254740992", "9007199254740993",
    "9007199254740993.0", "9007199254740992.5", "9.007199254740993e15", "9223372036854775806",
    "9223372036854775807", "9223372036854775808", "9223372036854775807.5", "9.223372036854775807e18",
    "-9223372036854775808", "-9223372036854775809", "-9223372036854775808.5", "18446744073709551614",
    "18446744073709551615", "18446744073709551616", "18446744073709550593", "1.8446744073709552e19",
    "4611686018427387904", "4.611686018427388e18", "4611686018427388000", "1e18", "1000000000000000000",
    "1e22", "1e23", "100000000000000000000000", "99999999999999991611392", "1e40", "1e39", "1e300", "1e+300",
    "1E300", "1e308", "1.7976931348623157e308", "1.7976931348623158e308", "1.7976931348623159e308", "1e309",
    "1e400", "-1e400", "10e399", "1e-400", "-1e-400", "5e-324", "4.9406564584124654e-324", "2e-324",
    "2.2250738585072014e-308", "0.0001", "0.00001", "1e-5", "0.000001", "1e-6", "1e-7", "0.0000001",
    "1e-07", "1234567890123456789012345678901234567890", "1234567890123456789012345678901234567891",
    "12345678901234567890123456789012345678901", "0.1234567890123456789012345678901234567890",
    "0.123456789012345678901234567890123456789", "1732780800123456789", "1732780800123456701",
    "-12.50", "1e1", "1e+1", "100e-1", "123456789.123456789", "0.50", "0.5", "5e-1", "1.000000000000001",
  ]
}
