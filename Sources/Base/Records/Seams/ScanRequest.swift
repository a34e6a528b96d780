/// A column a scan gives out.
package struct OutputColumn: Sendable, Hashable {
  package let path: ColumnPath
  /// For a column its schema type. For a member: `utf8` (scalars as JSON text, strings unquoted; null where
  /// missing),
  /// `float64` (numbers; null elsewhere) or `json` (the member's JSON text).
  package let type: ColumnType

  package init(_ path: ColumnPath, type: ColumnType) {
    self.path = path
    self.type = type
  }

  package var field: Field { Field(path.description, type, isNullable: true) }
}

/// The order rows come in.
package enum ScanOrder: Sendable, Hashable {
  /// By the dataset's sort key, then position.
  case ascending, descending
  /// As is cheapest.
  case unordered
}

/// What a scan is asked for.
package struct ScanRequest: Sendable {
  package var columns: [OutputColumn]
  package var predicate: Predicate
  /// Nanoseconds since 1970 on `timestamp`: start included, end not. nil: no bound.
  package var start: Int64?
  package var end: Int64?
  /// Only positions in this range.
  package var positions: Range<Int64>
  package var order: ScanOrder
  /// Only whoever tells what is lacking may leave it out.
  package var damage = DamagePolicy.refuse
  /// Looked at while planning and reading; nil: the work goes on to its end.
  package var cancellation: CancellationToken?

  package init(
    columns: [OutputColumn], predicate: Predicate = .all, start: Int64? = nil, end: Int64? = nil,
    positions: Range<Int64> = 0..<Int64.max, order: ScanOrder = .unordered
  ) {
    self.columns = columns
    self.predicate = predicate
    self.start = start
    self.end = end
    self.positions = positions
    self.order = order
  }
}

/// Smallest and largest `timestamp` and `position` of some rows, both included.
package struct KeyBounds: Sendable, Hashable {
  package var timestampMin: Int64
  package var timestampMax: Int64
  package var positionMin: Int64
  package var positionMax: Int64

  package init(timestampMin: Int64, timestampMax: Int64, positionMin: Int64, positionMax: Int64) {
    self.timestampMin = timestampMin
    self.timestampMax = timestampMax
    self.positionMin = positionMin
    self.positionMax = positionMax
  }
}
