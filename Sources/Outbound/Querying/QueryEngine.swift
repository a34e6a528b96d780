import Codecs
import Matching
import Platform
import Records

/// Answers queries over a store: plan, run, stream.
package struct QueryEngine: Sendable {
  private let source: any BatchSource
  let workers: any QueryWorkers
  let budget: MemoryBudget

  package init(source: any BatchSource, workers: any QueryWorkers, budget: MemoryBudget) {
    self.source = source
    self.workers = workers
    self.budget = budget
  }

  /// Begins to answer `request` for `tenant`; rows come with ``QueryAnswer/next()``.
  ///
  /// The answer is of one moment: the snapshot is taken here. Counts are computed here as well.
  package func run(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> QueryAnswer {
    let prepared = try PreparedQuery(request)
    let partition = Partition(tenant: tenant, dataset: request.dataset)
    let source = source
    switch request.answer {
    case .rows:
      let snapshot = source.snapshot(of: partition)
      let end = min(request.cursor?.positionEnd ?? .max, snapshot.positionEnd)
      let (workers, budget) = (workers, budget)
      let (stream, fileCount) = try await workers.perform { () throws(StoreError) in
        let units = prepared.ordered(try snapshot.plan(prepared.scan(positionEnd: end)))
        let stream = RowStream(
          units: units, request: request, outputCount: prepared.outputs.count,
          keyIndices: prepared.keyIndices, workers: workers, share: MemoryShare(of: budget))
        try stream.begin()
        return (stream, Set(units.flatMap(\.files)).count)
      }
      return QueryAnswer(
        fields: prepared.fields, request: request, positionEnd: end, fileCount: fileCount, rows: stream,
        snapshot: snapshot)
    case .groups(let groups):
      let batch = try await count(groups, prepared: prepared, snapshot: source.snapshot(of: partition))
      return QueryAnswer(fields: prepared.fields, request: request, batch: batch)
    case .aggregates:
      guard let plan = prepared.aggregates else { preconditionFailure("aggregates are planned") }
      let batch = try await aggregate(plan, snapshot: source.snapshot(of: partition))
      return QueryAnswer(fields: prepared.fields, request: request, batch: batch)
    }
  }

  /// The plan as a tree of text, a line a node, over the store as it is.
  package func explain(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> String {
    let prepared = try PreparedQuery(request)
    let partition = Partition(tenant: tenant, dataset: request.dataset)
    let source = source
    return try await workers.perform { () throws(StoreError) in
      try QueryPlan(prepared, snapshot: source.snapshot(of: partition)).description
    }
  }

  private func count(
    _ groups: QueryRequest.GroupedCount, prepared: PreparedQuery, snapshot: any PartitionSnapshot
  ) async throws(StoreError) -> RecordBatch {
    let isTotal = groups.groupBy.isEmpty && groups.bucketNanoseconds == nil
    let asked = prepared.groupedCount(groups)
    let answer = try await workers.perform { () throws(StoreError) in try snapshot.groupedCounts(asked) }
    var counts = answer.counts
    let queue = UnitQueue(answer.remaining)
    let share = MemoryShare(of: budget)
    let parts = try await workers.runOnAll(upTo: answer.remaining.count) {
      () throws(StoreError) -> [GroupKey: Int] in
      var counter = GroupCounter(
        groupColumnCount: groups.groupBy.count, bucketNanoseconds: groups.bucketNanoseconds)
      var total = 0
      while let unit = queue.take() {
        if isTotal {
          total += try unit.countMatches()
          continue
        }
        let bytes = unit.memoryBytesEstimate
        try share.take(bytes)
        defer { share.give(back: bytes) }
        let cursor = try unit.open()
        while let batch = try cursor.next() { try counter.add(batch) }
      }
      return isTotal ? [GroupKey(bucket: 0, values: []): total] : counter.results()
    }
    for part in parts { counts.merge(part, uniquingKeysWith: +) }
    guard counts.count <= GroupCounter.groupsMax else {
      throw .invalid("more than \(GroupCounter.groupsMax) groups: narrow the filter or widen the bucket")
    }
    if isTotal, counts.isEmpty { counts[GroupKey(bucket: 0, values: [])] = 0 }
    return QueryEngine.table(counts, groups: groups, request: prepared.request, fields: prepared.fields)
  }

  /// The groups as rows: by bucket and values, or by count, cut to the limit.
  static func table(
    _ counts: [GroupKey: Int], groups: QueryRequest.GroupedCount, request: QueryRequest, fields: [Field]
  ) -> RecordBatch {
    let isTotal = groups.groupBy.isEmpty && groups.bucketNanoseconds == nil
    let rows = counts.filter { $0.value > 0 || isTotal }
      .sorted { left, right in
        if groups.isOrderedByCount, left.value != right.value {
          return (left.value < right.value) != request.isDescending
        }
        let isBefore = QueryEngine.precedes(left.key, right.key)
        return groups.isOrderedByCount ? isBefore : isBefore != request.isDescending && left.key != right.key
      }
      .prefix(request.limit)
    var buckets = FixedBuilder<Int64>(capacity: rows.count)
    var values = groups.groupBy.map { _ in [String?]() }
    var totals = FixedBuilder<Int64>(capacity: rows.count)
    for row in rows {
      if groups.bucketNanoseconds != nil { buckets.append(row.key.bucket) }
      for index in values.indices { values[index].append(row.key.values[index]) }
      totals.append(Int64(row.value))
    }
    var columns: [Column] = groups.bucketNanoseconds == nil ? [] : [buckets.finish(type: .timestamp)]
    for column in values {
      var builder = TextBuilder(capacity: column.count)
      for value in column { if let value { builder.appendRow(value) } else { builder.appendNull() } }
      columns.append(builder.finish())
    }
    columns.append(totals.finish(type: .int64))
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }

  /// By bucket, then by values in byte order, null first.
  private static func precedes(_ left: GroupKey, _ right: GroupKey) -> Bool {
    if left.bucket != right.bucket { return left.bucket < right.bucket }
    for (a, b) in zip(left.values, right.values) where a != b {
      guard let a else { return true }
      guard let b else { return false }
      return a.utf8.lexicographicallyPrecedes(b.utf8)
    }
    return false
  }
}

/// A request checked against its schema, with the columns its scan must read.
package struct PreparedQuery: Sendable {
  package let request: QueryRequest
  package let fields: [Field]
  /// What is given out, in order.
  let outputs: [OutputColumn]
  /// What the scan reads: the outputs, then sort-key columns that are not among them.
  let scanColumns: [OutputColumn]
  /// Where the sort-key columns and `position` lie among ``scanColumns``.
  let keyIndices: [Int]
  /// How aggregates are made, if they are what is asked for.
  let aggregates: AggregatePlan?

  package init(_ request: QueryRequest) throws(StoreError) {
    self.request = request
    _ = try CompiledPredicate(request.predicate, schema: request.dataset.schema)
    fields = try request.fields()
    if case .aggregates(let query) = request.answer {
      aggregates = try AggregatePlan(query, request: request)
    } else {
      aggregates = nil
    }
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

  /// Units in the order their first rows can come, where that order is by position.
  func ordered(_ units: [any ScanUnit]) -> [any ScanUnit] {
    guard request.orderColumns.isEmpty else { return units }
    return request.isDescending
      ? units.sorted { $0.bounds.positionMax > $1.bounds.positionMax }
      : units.sorted { $0.bounds.positionMin < $1.bounds.positionMin }
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
        end = min(end ?? .max, time == .max ? .max : time + 1)
      } else {
        start = max(start ?? .min, time)
      }
    }
    return ScanRequest(
      columns: scanColumns, predicate: predicate, start: start, end: end, positions: 0..<max(0, positionEnd),
      order: request.isDescending ? .descending : .ascending)
  }

  func groupedCount(_ groups: QueryRequest.GroupedCount) -> GroupedCountRequest {
    GroupedCountRequest(
      groupBy: groups.groupBy, bucketNanoseconds: groups.bucketNanoseconds, predicate: request.predicate,
      start: request.start, end: request.end)
  }
}

/// An answer under way. One consumer at a time.
package final class QueryAnswer: @unchecked Sendable {
  // Safe because: its one consumer awaits each call to next() before the following one.
  package let fields: [Field]
  private let request: QueryRequest
  private let positionEnd: Int64
  /// How many files the scan opens after pruning.
  package let fileCount: Int
  private let rows: RowStream?
  private let snapshot: (any PartitionSnapshot)?
  private var batch: RecordBatch?
  private var rowCount = 0

  init(
    fields: [Field], request: QueryRequest, positionEnd: Int64, fileCount: Int, rows: RowStream,
    snapshot: any PartitionSnapshot
  ) {
    self.fileCount = fileCount
    self.fields = fields
    self.request = request
    self.positionEnd = positionEnd
    self.rows = rows
    self.snapshot = snapshot
  }

  init(fields: [Field], request: QueryRequest, batch: RecordBatch) {
    self.fields = fields
    self.request = request
    self.batch = batch
    positionEnd = 0
    fileCount = 0
    rows = nil
    snapshot = nil
  }

  /// The next rows, at most 8,192 of records or all groups at once; nil at the end.
  package func next() async throws(StoreError) -> RecordBatch? {
    if let rows {
      let batch = try await rows.next()
      rowCount += batch?.rowCount ?? 0
      return batch
    }
    defer { batch = nil }
    return batch
  }

  /// Where the next page begins, once the rows are read; nil if the limit was not reached.
  package var cursor: String? { lastCursor?.token(for: request) }

  /// As ``cursor``, for this engine.
  var lastCursor: QueryCursor? {
    guard let last = rows?.lastKey, rowCount >= request.limit else { return nil }
    return QueryCursor(key: last.key, position: last.position, positionEnd: positionEnd)
  }
}
