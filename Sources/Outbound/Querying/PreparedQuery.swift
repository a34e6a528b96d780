import Matching
import Records

/// A request checked against its schema, with the columns its scan must read.
package struct PreparedQuery: Sendable {
  /// As it was asked.
  package let request: QueryRequest
  /// Of the answer's batches.
  package let fields: [Field]
  /// What is given out, in order.
  let outputs: [OutputColumn]
  /// What the scan reads: the outputs, then sort-key columns that are not among them.
  let scanColumns: [OutputColumn]
  /// Where the sort-key columns and `position` lie among ``scanColumns``.
  let keyIndices: [Int]
  /// How groups are made, if they are what is asked for.
  let aggregates: AggregatePlan?
  /// See ``ScanRequest/cancellation``.
  let cancellation: CancellationToken?

  /// Checks a request.
  ///
  /// - Parameter cancellation: See ``ScanRequest/cancellation``.
  /// - Throws: `.invalid`: it does not fit the dataset, or its text patterns are too large together.
  package init(_ asked: QueryRequest, cancellation: CancellationToken? = nil) throws(StoreError) {
    self.cancellation = cancellation
    let predicate = try CompiledPredicate(
      asked.predicate, schema: asked.dataset.schema, cancellation: cancellation)
    var request = asked
    // That there is no record of an id must not be said while it may lie in a file that cannot be read.
    if predicate.requiredIDs != nil { request.isStrict = true }
    self.request = request
    fields = try request.fields()
    switch request.answer {
    case .rows: aggregates = nil
    case .groups(let groups):
      aggregates = try AggregatePlan(AggregateQuery(groups), request: request, cancellation: cancellation)
    case .aggregates(let query):
      aggregates = try AggregatePlan(query, request: request, cancellation: cancellation)
    }
    try CompiledPredicate.check([predicate] + (aggregates?.filters.map(\.compiled) ?? []))
    var columns: [OutputColumn] = []
    if case .rows(let paths) = request.answer {
      for path in paths { columns.append(try request.output(path)) }
    }
    outputs = columns
    var indices: [Int] = []
    for name in request.orderColumns + ["position"] {
      let column = try request.output(ColumnPath(name))
      if let index = columns.firstIndex(of: column) {
        indices.append(index)
      } else {
        indices.append(columns.count)
        columns.append(column)
      }
    }
    scanColumns = columns
    keyIndices = indices
  }

  func scan(positionEnd: Int64) -> ScanRequest {
    var predicate = request.predicate
    if let cursor = request.cursor {
      let behind = cursor.predicate(orderColumns: request.orderColumns, isDescending: request.isDescending)
      predicate = .both(predicate, behind)
    }
    var (start, end) = (request.start, request.end)
    if let cursor = request.cursor, case .timestamp(let time)? = cursor.key.first, cursor.key.count == 1 {
      if request.isDescending {
        // Behind the last nanosecond there is none: then no bound.
        if let behind = time.endBehind { end = min(end ?? .max, behind) }
      } else {
        start = max(start ?? .min, time)
      }
    }
    var scan = ScanRequest(
      columns: scanColumns, predicate: predicate, start: start, end: end, positions: 0..<max(0, positionEnd),
      order: request.isDescending ? .descending : .ascending)
    scan.damage = damage
    scan.cancellation = cancellation
    return scan
  }

  /// What is done about files that cannot be read.
  var damage: DamagePolicy { request.isStrict ? .refuse : .leaveOut }

  func groupedCount(_ groups: QueryRequest.GroupedCount) -> GroupedCountRequest {
    var counts = GroupedCountRequest(
      groupBy: groups.groupBy, bucketNanoseconds: groups.bucketNanoseconds, predicate: request.predicate,
      start: request.start, end: request.end)
    counts.damage = damage
    counts.cancellation = cancellation
    return counts
  }
}

extension QueryRequest {
  /// Whether compiling its filters may take more than some microseconds: regular expressions, long texts, or
  /// many conditions.
  var takesLongToPrepare: Bool {
    var weight = predicate.weight
    if case .aggregates(let query) = answer { weight += query.measures.reduce(0) { $0 + $1.filter.weight } }
    return weight > 1_024
  }
}

extension Predicate {
  /// What compiling it costs, in bytes of plain text to look for.
  fileprivate var weight: Int {
    switch self {
    case .all, .none: 0
    case .and(let parts), .or(let parts): parts.reduce(0) { $0 + $1.weight }
    case .not(let part): part.weight
    case .compare, .exists: 8
    case .isIn(_, let literals): 8 * literals.count
    case .contains(_, let text, _), .word(_, let text), .prefix(_, let text): 8 + text.utf8.count
    case .regex: 2_048
    }
  }
}
