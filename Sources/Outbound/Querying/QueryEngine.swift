import Platform
import Records

/// Answers queries in this process, over what a store's snapshots give: plan, run, stream.
package struct QueryEngine: QueryAnswering {
  private let source: any BatchSource
  let workers: any QueryWorkers
  let budget: MemoryBudget
  private let secondsMax: Int
  private let uptime: any UptimeClock
  /// How many queries did not come to their end, and why.
  package let endings = QueryEndings()
  /// Text of one batch of records; smaller in tests.
  var batchBytesMax = RowStream.batchBytesMax
  /// Text of one batch of groups; smaller in tests.
  var groupBytesMax = GroupBatches.bytesMax

  /// - Parameters:
  ///   - workers: Where plans are made and units are read.
  ///   - budget: What all running queries may hold together.
  ///   - secondsMax: How long one may work (`query.seconds_max`), without the time in which its client reads;
  ///     0: without end.
  package init(
    source: any BatchSource, workers: any QueryWorkers, budget: MemoryBudget, secondsMax: Int = 0,
    uptime: any UptimeClock = SystemUptime()
  ) {
    self.secondsMax = secondsMax
    // Many queries shall have room for a batch each.
    batchBytesMax = min(RowStream.batchBytesMax, max(1 << 20, budget.bytesMax / 16))
    self.uptime = uptime
    self.source = source
    self.workers = workers
    self.budget = budget
  }

  /// How often a query is begun anew since a file turned out to be damaged: one that is never read whole
  /// ends.
  private static let triesMax = 16

  private func work() -> QueryWork {
    let uptime = uptime
    return QueryWork(
      cancellation: CancellationToken(secondsMax: secondsMax) { uptime.uptime() }, endings: endings)
  }

  /// See ``QueryAnswering``. The snapshot is taken here.
  ///
  /// A file that turns out to be damaged before the first row is given is known to the store from then on:
  /// the query begins anew without it.
  package func run(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> QueryAnswer {
    let work = work()
    return try await work.run { () throws(StoreError) in try await run(request, for: tenant, work) }
  }

  private func run(
    _ request: QueryRequest, for tenant: Tenant, _ work: QueryWork
  ) async throws(StoreError) -> QueryAnswer {
    var request = request
    let marks = AnswerMarks.current
    request.isStrict = request.isStrict || marks?.isStrict ?? false
    var prepared = try PreparedQuery(request)
    prepared.cancellation = work.cancellation
    var tries = 1
    while true {
      do throws(StoreError) {
        let answer = try await runOnce(prepared, for: tenant, work)
        marks?.note(answer.damagedFiles)
        return answer
      } catch {
        guard case .corrupt = error, !prepared.request.isStrict, tries < QueryEngine.triesMax else {
          throw error
        }
        tries += 1
      }
    }
  }

  private func runOnce(
    _ prepared: PreparedQuery, for tenant: Tenant, _ work: QueryWork
  ) async throws(StoreError) -> QueryAnswer {
    let request = prepared.request
    let partition = Partition(tenant: tenant, dataset: request.dataset)
    let snapshot = try await source.snapshot(of: partition)
    let share = MemoryShare(of: budget, cancellation: work.cancellation)
    let answer: GroupBatches
    switch request.answer {
    case .rows: return try await rows(prepared, snapshot: snapshot, share, work)
    case .groups(let groups): answer = try await count(groups, prepared: prepared, snapshot: snapshot, share)
    case .aggregates:
      guard let plan = prepared.aggregates else { bug("aggregates are planned") }
      answer = try await aggregate(plan, snapshot: snapshot, share)
    }
    try snapshot.requireReadable()
    return QueryAnswer(
      fields: prepared.fields, request: request, groups: answer,
      damagedFiles: snapshot.damagedFiles)
  }

  private func rows(
    _ prepared: PreparedQuery, snapshot: any PartitionSnapshot, _ share: MemoryShare, _ work: QueryWork
  ) async throws(StoreError) -> QueryAnswer {
    let request = prepared.request
    let end = min(request.cursor?.positionEnd ?? .max, snapshot.positionEnd)
    let scan = prepared.scan(positionEnd: end)
    let (workers, bytesMax) = (workers, batchBytesMax)
    let (stream, objectCount) = try await workers.perform { () throws(StoreError) in
      let units = prepared.ordered(try snapshot.plan(scan))
      let stream = RowStream(
        units: units, query: prepared, snapshot: snapshot, run: RowStream.Run(workers, share, work),
        bytesMax: bytesMax)
      try stream.begin()
      return (stream, Set(units.flatMap(\.objects)).count)
    }
    let answer = QueryAnswer(
      fields: prepared.fields, request: request, positionEnd: end, objectCount: objectCount, rows: stream,
      damagedFiles: snapshot.damagedFiles)
    answer.memory = share.reservation
    return answer
  }

  /// See ``QueryAnswering``.
  package func explain(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> String {
    let prepared = try PreparedQuery(request)
    let partition = Partition(tenant: tenant, dataset: request.dataset)
    let snapshot = try await source.snapshot(of: partition)
    return try await workers.perform { () throws(StoreError) in
      try QueryPlan(prepared, snapshot: snapshot).description
    }
  }

  private func count(
    _ groups: QueryRequest.GroupedCount, prepared: PreparedQuery, snapshot: any PartitionSnapshot,
    _ share: MemoryShare
  ) async throws(StoreError) -> GroupBatches {
    let isTotal = groups.groupBy.isEmpty && groups.bucketNanoseconds == nil
    let asked = prepared.groupedCount(groups)
    let answer = try await workers.perform { () throws(StoreError) in try snapshot.groupedCounts(asked) }
    var counts = answer.counts
    let queue = UnitQueue(answer.remaining)
    let parts = try await workers.runOnAll(upTo: answer.remaining.count) {
      () throws(StoreError) -> [GroupKey: Int] in
      var counter = GroupCounter(
        groupColumnCount: groups.groupBy.count, bucketNanoseconds: groups.bucketNanoseconds, share: share)
      var total = 0
      while let unit = queue.take() {
        try share.check()
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
      return isTotal ? [GroupKey(bucket: 0, values: []): total] : try counter.results()
    }
    for part in parts { counts.merge(part, uniquingKeysWith: +) }
    guard counts.count <= GroupCounter.groupsMax else {
      throw .invalid("more than \(GroupCounter.groupsMax) groups: narrow the filter or widen the bucket")
    }
    if isTotal, counts.isEmpty { counts[GroupKey(bucket: 0, values: [])] = 0 }
    return table(counts, groups: groups, prepared, share)
  }

  /// The groups as rows: by bucket and values, or by count, cut to the limit.
  private func table(
    _ counts: [GroupKey: Int], groups: QueryRequest.GroupedCount, _ prepared: PreparedQuery,
    _ share: MemoryShare
  ) -> GroupBatches {
    let (request, fields) = (prepared.request, prepared.fields)
    let isTotal = groups.groupBy.isEmpty && groups.bucketNanoseconds == nil
    let rows = Array(
      counts.filter { $0.value > 0 || isTotal }
        .sorted { left, right in
          if groups.isOrderedByCount, left.value != right.value {
            return (left.value < right.value) != request.isDescending
          }
          let isBefore = QueryEngine.precedes(left.key, right.key)
          return groups.isOrderedByCount
            ? isBefore : isBefore != request.isDescending && left.key != right.key
        }
        .prefix(request.limit))
    return GroupBatches(
      count: rows.count, bytesMax: groupBytesMax,
      byteCount: { row in rows[row].key.values.reduce(0) { $0 + ($1?.utf8.count ?? 0) } },
      batch: { places in
        // What the groups take is given back with the answer.
        withExtendedLifetime(share) { QueryEngine.batch(of: rows[places], groups: groups, fields: fields) }
      })
  }

  private static func batch(
    of rows: ArraySlice<(key: GroupKey, value: Int)>, groups: QueryRequest.GroupedCount, fields: [Field]
  ) -> RecordBatch {
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
