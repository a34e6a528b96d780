/// A grouped count that block summaries may answer.
package struct GroupedCountRequest: Sendable {
  /// Columns to group by; null is a group of its own.
  package var groupBy: [ColumnPath]
  /// Width of time buckets in ns (aligned to 1970), or nil for none.
  package var bucketNanoseconds: Int64?
  package var predicate: Predicate
  package var start: Int64?
  package var end: Int64?
  package var positions: Range<Int64>
  /// See ``ScanRequest/damage``.
  package var damage = DamagePolicy.refuse
  /// See ``ScanRequest/cancellation``.
  package var cancellation: CancellationToken?

  package init(
    groupBy: [ColumnPath], bucketNanoseconds: Int64?, predicate: Predicate, start: Int64?, end: Int64?,
    positions: Range<Int64> = 0..<Int64.max
  ) {
    self.groupBy = groupBy
    self.bucketNanoseconds = bucketNanoseconds
    self.predicate = predicate
    self.start = start
    self.end = end
    self.positions = positions
  }
}

/// A group: the bucket's start (ns; 0 without buckets) and the columns' values.
package struct GroupKey: Sendable, Hashable {
  package var bucket: Int64
  package var values: [String?]
  package init(bucket: Int64, values: [String?]) {
    self.bucket = bucket
    self.values = values
  }

  /// Values are compared as their bytes, as ``Name`` is.
  package static func == (left: GroupKey, right: GroupKey) -> Bool {
    left.bucket == right.bucket && left.values.count == right.values.count
      && zip(left.values, right.values).allSatisfy { left, right in
        if let left, let right { left.hasBytes(of: right) } else { left == nil && right == nil }
      }
  }

  /// Of the bytes.
  package func hash(into hasher: inout Hasher) {
    hasher.combine(bucket)
    for value in values {
      if let value { value.hashBytes(into: &hasher) } else { hasher.combine(0xFE as UInt8) }
    }
  }
}

/// What summaries could say about a grouped count: exact counts for what they cover, and scans for the rest.
package struct GroupedCountAnswer: Sendable {
  /// Counts of disjoint rows; a group may be in several of them.
  package var parts: [[GroupKey: Int]]
  /// Units (with the same predicate and bounds, columns: `timestamp` if bucketed, then `groupBy` as utf8)
  /// that must be scanned and counted besides; their rows are disjoint from what `parts` cover.
  package var remaining: [any ScanUnit]
  package init(counts: [GroupKey: Int], remaining: [any ScanUnit]) {
    parts = counts.isEmpty ? [] : [counts]
    self.remaining = remaining
  }

  /// Those of all parts together.
  package var counts: [GroupKey: Int] {
    parts.reduce(into: [:]) { all, part in all.merge(part, uniquingKeysWith: +) }
  }
}
