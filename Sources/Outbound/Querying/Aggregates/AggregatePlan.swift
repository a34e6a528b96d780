import Matching
import Records

/// An aggregate query checked against its schema: what to scan, what to gather, what to answer.
struct AggregatePlan: Sendable {
  let query: AggregateQuery
  let request: QueryRequest
  let fields: [Field]
  /// What the scan reads: `timestamp` if there are buckets, the group's columns as text, then what measures
  /// and filters need.
  let columns: [OutputColumn]
  let filters: [MeasureFilter]
  /// What is gathered, without repeats.
  let accumulators: [Accumulator]
  /// The accumulator that answers each measure.
  let sources: [Int]
  /// See ``ScanRequest/cancellation``.
  let cancellation: CancellationToken?

  init(
    _ query: AggregateQuery, request: QueryRequest, cancellation: CancellationToken? = nil
  ) throws(StoreError) {
    self.query = query
    self.request = request
    self.cancellation = cancellation
    fields = try request.fields(of: query)
    var columns = query.bucket.map { [OutputColumn.bucketTime(width: $0.partNanoseconds)] } ?? []
    columns += query.groupBy.map { OutputColumn($0, type: .utf8) }
    func index(_ column: OutputColumn) -> Int {
      if let index = columns.firstIndex(of: column) { return index }
      columns.append(column)
      return columns.count - 1
    }
    var filters: [MeasureFilter] = []
    var accumulators: [Accumulator] = []
    var sources: [Int] = []
    var exactPaths: Set<ColumnPath> = []
    for measure in query.measures {
      if let input = try request.input(of: measure.function), input.isExact { exactPaths.insert(input.path) }
    }
    for measure in query.measures {
      var filter: Int?
      if measure.filter != .all {
        filter = filters.firstIndex { $0.predicate == measure.filter }
        if filter == nil {
          filter = filters.count
          filters.append(
            try MeasureFilter(
              measure.filter, schema: request.dataset.schema, cancellation: cancellation, index: index))
        }
      }
      var input = try request.input(of: measure.function)
      // Of a member whose extremes are asked for too, one column serves all.
      if let column = input, column.type == .float64, exactPaths.contains(column.path) {
        input = OutputColumn(column.path, type: .float64, isExact: true)
      }
      let accumulator = Accumulator(
        kind: measure.function.kind, column: input.map(index), filter: filter, type: input?.type,
        isExact: input?.isExact ?? false)
      if let known = accumulators.firstIndex(of: accumulator) {
        sources.append(known)
      } else {
        sources.append(accumulators.count)
        accumulators.append(accumulator)
      }
    }
    // Units count rows by some column; `position` is small and always there.
    if columns.isEmpty { columns = [OutputColumn(ColumnPath("position"), type: .int64)] }
    self.columns = columns
    self.filters = filters
    self.accumulators = accumulators
    self.sources = sources
  }

  /// How many groups the answer needs: those it leaves out before the first, and its own.
  var groupsNeeded: Int {
    let (count, isOver) = query.offset.addingReportingOverflow(request.limit)
    return isOver ? .max : count
  }

  /// As ``groupsNeeded``, where a group's place does not change as rows come to it.
  var groupsKept: Int? { query.orderBy == nil ? groupsNeeded : nil }

  var scan: ScanRequest {
    var scan = ScanRequest(
      columns: columns, predicate: request.predicate, start: request.start, end: request.end,
      order: .unordered)
    scan.damage = request.isStrict ? .refuse : .leaveOut
    scan.cancellation = cancellation
    return scan
  }

  /// What summaries are asked for if the query is nothing but counts; rows before its start are to be read.
  var groupedCount: GroupedCountRequest {
    let from = query.bucket?.partsFrom ?? .min
    var counts = GroupedCountRequest(
      groupBy: query.groupBy, bucketNanoseconds: query.bucket?.partNanoseconds,
      predicate: request.predicate, start: from == .min ? request.start : max(from, request.start ?? .min),
      end: request.end)
    counts.damage = scan.damage
    counts.cancellation = cancellation
    return counts
  }
}

extension Measure.Function {
  fileprivate var kind: Accumulator.Kind {
    switch self {
    case .count, .countValues: .count
    case .countDistinct: .distinct
    case .sum, .avg: .sum
    case .min: .min
    case .max: .max
    case .quantile: .quantile
    }
  }
}
