import Records

/// A predicate checked against a schema and made ready to run. Immutable; any number of threads may use it.
package struct CompiledPredicate: Sendable {
  package let predicate: Predicate
  /// Every column or member it reads, without repeats.
  package let paths: [ColumnPath]
  /// What every matching row fulfils: the leaves of the top-level conjunction.
  package let requiredConditions: [RequiredCondition]

  /// - Throws: `.invalid` with a sentence: unknown column, type mismatch, broken pattern.
  package init(_ predicate: Predicate, schema: DatasetSchema) throws(StoreError) {
    self.predicate = predicate
    self.paths = []
    self.requiredConditions = []
  }

  /// The rows of `batch` that match.
  package func evaluate(_ batch: EvaluationBatch) -> Selection {
    Selection(rowCount: batch.rowCount, all: false)
  }

  /// The rows of `batch` among `candidates` that match; cheaper than all when few are candidates.
  package func evaluate(_ batch: EvaluationBatch, among candidates: Selection) -> Selection { candidates }

  /// Nanoseconds since 1970 that every matching row's `timestamp` lies in; nil: no row can match.
  package var timeRange: ClosedRange<Int64>? { bounds(of: "timestamp") }

  /// Values of an int64 or timestamp column that every matching row lies in; nil: no row can match.
  package func bounds(of column: String) -> ClosedRange<Int64>? { Int64.min...Int64.max }

  /// What statistics prove of all rows they cover: `.no`: none matches, `.yes`: all do. `statistics` answers
  /// by column name; nil: nothing known.
  package func verdict(_ statistics: (String) -> ColumnStatistics?) -> Verdict { .maybe }
}

/// A condition every matching row fulfils.
package enum RequiredCondition: Sendable {
  /// The value equals one of these literals (already converted to the column's type on columns).
  case equalsAny(ColumnPath, [Literal])
  /// The value is not null and between the bounds, both included.
  case range(ColumnPath, lower: Literal?, upper: Literal?)
  /// The text (on a whole object: a string value at some depth) is matched.
  case text(ColumnPath, TextAutomaton)
  case exists(ColumnPath)
}

/// What is known about a column's values over some rows.
package struct ColumnStatistics: Sendable {
  /// Bounds of the values that are not null; they need not be attained.
  package enum Bounds: Sendable {
    /// int64 and timestamp.
    case int64(min: Int64, max: Int64)
    case float64(min: Double, max: Double)
    /// utf8 and uuid, by bytes.
    case bytes(min: [UInt8], max: [UInt8])
  }

  /// nil: nothing known.
  package var bounds: Bounds?
  /// nil: not known.
  package var nullCount: Int?
  package var rowCount: Int

  package init(bounds: Bounds?, nullCount: Int?, rowCount: Int) {
    self.bounds = bounds
    self.nullCount = nullCount
    self.rowCount = rowCount
  }
}
