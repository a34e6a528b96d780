/// A column a scan gives out.
package struct OutputColumn: Sendable, Hashable {
  package let path: ColumnPath
  /// For a column its schema type. For a member:
  ///
  /// - `utf8`: what groups are made by. Strings as they are, numbers in the one spelling of their value,
  ///   other values as JSON text; null where missing.
  /// - `float64`: the doubles nearest to numbers, infinite beyond the largest; null elsewhere.
  /// - `json`: the member's JSON text.
  package let type: ColumnType
  /// Of a member's numbers (`float64`): exactly, as `int64`, `float64` or `utf8` in the one spelling, as each
  /// batch's numbers can be said. Rows of different batches cannot be put together then.
  package let isExact: Bool
  /// Of a member's values (`utf8`): whether numbers may come as `int64` or `float64` where all values of a
  /// batch are of one of these. Rows of different batches cannot be put together then.
  package var isTallied = false
  /// Of times: whether they may come rounded down to whole microseconds, which takes less to read.
  package let isRounded: Bool

  package init(_ path: ColumnPath, type: ColumnType, isExact: Bool = false, isRounded: Bool = false) {
    self.path = path
    self.type = type
    self.isExact = isExact
    self.isRounded = isRounded
  }

  /// The time of a row, to tell which bucket of `width` nanoseconds it is in.
  package static func bucketTime(width: Int64) -> OutputColumn {
    OutputColumn(ColumnPath("timestamp"), type: .timestamp, isRounded: width % 1_000 == 0)
  }

  package var field: Field { Field(path.description, type, isNullable: true) }
}

extension RecordBatch {
  /// What a scan gives of `outputs`; of exact numbers, and values that are tallied, the field has the type
  /// that the column has.
  package init(outputs: [OutputColumn], columns: [Column], rowCount: Int) {
    let fields = zip(outputs, columns).map { output, column in
      output.isExact || output.isTallied
        ? Field(output.path.description, column.type, isNullable: true) : output.field
    }
    self.init(fields: fields, columns: columns, rowCount: rowCount)
  }
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
  /// Whether nothing is taken from what was decoded before, nor kept for others: who rewrites or checks what
  /// is stored sees what the disk has.
  package var readsDisk = false

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
