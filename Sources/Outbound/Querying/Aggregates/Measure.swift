import Matching
import Records

/// What is computed over the rows of a group.
///
/// Null and missing values never count, nor do values of another kind than the function takes: a member that
/// is text has no sum.
package struct Measure: Sendable, Hashable {
  /// The function and the column or member it reads.
  package enum Function: Sendable, Hashable {
    /// Rows.
    case count
    /// Rows with a value that is not null.
    case countValues(ColumnPath)
    /// Different values; see ``DistinctSet`` for when it is exact.
    case countDistinct(ColumnPath)
    /// Sum of numbers; null without any.
    case sum(ColumnPath)
    /// Mean of numbers; null without any.
    case avg(ColumnPath)
    /// Least number, time or text (by its bytes); of a member its least number.
    case min(ColumnPath)
    /// Greatest number, time or text (by its bytes); of a member its greatest number.
    case max(ColumnPath)
    /// The least value that a share of 0 to 1 of the numbers is not above; see ``QuantileSketch`` for when it
    /// is exact.
    case quantile(ColumnPath, Double)
  }

  /// How it is computed.
  package var function: Function
  /// Which rows of the group it sees.
  package var filter: Predicate
  /// The name of its column in the answer.
  package var name: String

  /// - Parameter name: nil: the function's text, such as `sum(metadata.bytes)`.
  package init(_ function: Function, where filter: Predicate = .all, as name: String? = nil) {
    self.function = function
    self.filter = filter
    self.name = name ?? function.description
  }

  /// The measure as plans print it.
  var text: String {
    var text = function.description
    if filter != .all { text += " where \(Expression.print(filter))" }
    return name == function.description ? text : "\(name): \(text)"
  }
}

extension Measure.Function: CustomStringConvertible {
  /// `count`, `sum(metadata.bytes)`, `quantile(metadata.duration_ms, 0.95)`.
  package var description: String {
    switch self {
    case .count: "count"
    case .countValues(let path): "count(\(path))"
    case .countDistinct(let path): "count_distinct(\(path))"
    case .sum(let path): "sum(\(path))"
    case .avg(let path): "avg(\(path))"
    case .min(let path): "min(\(path))"
    case .max(let path): "max(\(path))"
    case .quantile(let path, let share): "quantile(\(path), \(Measure.Function.text(of: share)))"
    }
  }

  private static func text(of share: Double) -> String {
    share == 0 ? "0" : share == 1 ? "1" : "\(share)"
  }

  /// What it reads; nil for rows.
  var path: ColumnPath? {
    switch self {
    case .count: nil
    case .countValues(let path), .countDistinct(let path), .sum(let path), .avg(let path), .min(let path),
      .max(let path), .quantile(let path, _):
      path
    }
  }

  /// The member of the JSON form, for errors.
  var word: String {
    switch self {
    case .count, .countValues: "count"
    case .countDistinct: "count_distinct"
    case .sum: "sum"
    case .avg: "avg"
    case .min: "min"
    case .max: "max"
    case .quantile: "quantile"
    }
  }
}

/// What a state gathers: measures that need the same share one.
struct Accumulator: Hashable {
  enum Kind: Hashable { case count, sum, min, max, quantile, distinct }

  let kind: Kind
  /// The column read, by its index among the scan's; nil: none.
  let column: Int?
  /// By its index among the plan's filters; nil: every row.
  let filter: Int?
  /// The type of the column read.
  let type: ColumnType?
  /// See ``OutputColumn/isExact``.
  let isExact: Bool

  /// A state without groups.
  func makeState() -> any MeasureState {
    switch (kind, type) {
    case (.count, _): CountState()
    case (.sum, .int64): IntegerSumState()
    case (.sum, _): NumberSumState()
    case (.min, _) where isExact: NumberExtremeState(isMax: false)
    case (.max, _) where isExact: NumberExtremeState(isMax: true)
    case (.min, .float64): ExtremeState<Double>(isMax: false)
    case (.max, .float64): ExtremeState<Double>(isMax: true)
    case (.min, .utf8): TextExtremeState(isMax: false)
    case (.max, .utf8): TextExtremeState(isMax: true)
    case (.min, _): ExtremeState<Int64>(isMax: false)
    case (.max, _): ExtremeState<Int64>(isMax: true)
    case (.quantile, _): QuantileState()
    case (.distinct, _): DistinctState()
    }
  }
}
