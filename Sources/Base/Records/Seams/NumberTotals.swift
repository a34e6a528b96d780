/// What summaries know of numbers of one type: how many there are, their exact sum, and their extremes.
package enum NumberTotals: Sendable, Hashable {
  case int64(count: Int, sum: Int128, least: Int64, greatest: Int64)
  /// The sum is exactly that of `parts`.
  case float64(count: Int, parts: [Double], least: Double, greatest: Double)
}

/// Totals of numbers, of all rows of some times, that block summaries may answer.
package struct TotalsRequest: Sendable {
  /// What is to be read where summaries do not say; it has no condition.
  package var scan: ScanRequest
  /// Width of time buckets in ns (aligned to 1970), or nil for none.
  package var bucketNanoseconds: Int64?
  /// Columns and members.
  package var paths: [ColumnPath]
  /// Whether values that are no numbers count too: then summaries say nothing of members that have some.
  package var countsOthers: Bool

  package init(
    scan: ScanRequest, bucketNanoseconds: Int64?, paths: [ColumnPath], countsOthers: Bool
  ) {
    self.scan = scan
    self.bucketNanoseconds = bucketNanoseconds
    self.paths = paths
    self.countsOthers = countsOthers
  }
}

/// What summaries could say about totals, exactly, and scans for the rest.
package struct TotalsAnswer: Sendable {
  /// Rows of one bucket; several parts may have the same.
  package struct Part: Sendable {
    /// Its start (ns; 0 without buckets).
    package var bucket: Int64
    package var rowCount: Int
    /// By path of the request. An integer of a member beyond 2^53 in magnitude is in none.
    package var numbers: [[NumberTotals]]

    package init(bucket: Int64, rowCount: Int, numbers: [[NumberTotals]]) {
      self.bucket = bucket
      self.rowCount = rowCount
      self.numbers = numbers
    }
  }

  package var parts: [Part]
  /// As ``GroupedCountAnswer/remaining``, with the columns of the request.
  package var remaining: [any ScanUnit]

  package init(parts: [Part], remaining: [any ScanUnit]) {
    self.parts = parts
    self.remaining = remaining
  }
}
