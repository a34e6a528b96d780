import Platform
import Records

/// Answers queries in this process, over what a store's snapshots give: plan, run, stream.
package struct QueryEngine: QueryAnswering {
  let source: any BatchSource
  private let threads: any QueryThreads
  private let budgets: TenantBudgets
  private let secondsMax: Int
  private let uptime: any UptimeClock
  /// How many queries did not come to their end, and why.
  package let endings = QueryEndings()
  /// Text of one batch of records; smaller in tests.
  var batchBytesMax = RowStream.batchBytesMax
  /// Text of one batch of groups; smaller in tests.
  var groupBytesMax = GroupBatches.bytesMax
  /// What the groups of one query may hold.
  var groupLimits: GroupLimits

  /// - Parameters:
  ///   - workers: Where plans are made and units are read.
  ///   - budget: What all running queries may hold together.
  ///   - secondsMax: How long one may work (`query.seconds_max`), without the time in which its client reads;
  ///     0: without end.
  package init(
    source: any BatchSource, workers: any QueryThreads, budget: MemoryBudget, secondsMax: Int = 0,
    uptime: any UptimeClock = SystemUptime()
  ) {
    self.secondsMax = secondsMax
    // Many queries shall have room for a batch each.
    batchBytesMax = min(RowStream.batchBytesMax, max(1 << 20, budget.bytesMax / 16))
    self.uptime = uptime
    self.source = source
    threads = workers
    budgets = TenantBudgets(of: budget)
    // A quarter is left for other queries, and for what this one reads. Groups have 32-bit numbers and take
    // 24 bytes at least.
    groupLimits = GroupLimits(
      bytesMax: min(budget.bytesMax - budget.bytesMax / 4, 1 << 35), workerCount: workers.workerCount)
  }

  /// How often a query is begun anew since a file turned out to be damaged: one that is never read whole
  /// ends.
  static let startsMax = 16

  func begin(for tenant: Tenant) -> QueryRun {
    let uptime = uptime
    let workers = threads.workers(for: tenant)
    let token = CancellationToken(secondsMax: secondsMax, pace: workers.pace) { uptime.uptime() }
    return QueryRun(
      workers: workers, share: MemoryShare(of: budgets.budget(of: tenant), cancellation: token),
      work: QueryWork(cancellation: token, endings: endings), uptime: uptime)
  }

  /// See ``QueryAnswering``. The snapshot is taken here.
  ///
  /// A file that turns out to be damaged before the first row is given is known to the store from then on:
  /// the query begins anew without it.
  package func run(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> QueryAnswer {
    let run = begin(for: tenant)
    return try await run.work.run { () throws(StoreError) in try await answer(request, for: tenant, run) }
  }

  private func answer(
    _ request: QueryRequest, for tenant: Tenant, _ run: QueryRun
  ) async throws(StoreError) -> QueryAnswer {
    var request = request
    let marks = AnswerMarks.current
    request.isStrict = request.isStrict || marks?.isStrict ?? false
    request.isExact = request.isExact || marks?.isStrict ?? false
    let prepared = try await prepare(request, run)
    var tries = 1
    while true {
      do throws(StoreError) {
        let answer = try await runOnce(prepared, for: tenant, run)
        marks?.note(answer.damagedFiles, answer.approximation)
        return answer
      } catch {
        guard case .corrupt = error, !prepared.request.isStrict, tries < QueryEngine.startsMax else {
          throw error
        }
        tries += 1
        run.work.cancellation.meter.beginAnew()
      }
    }
  }

  /// Checks the request: here, or among the tenant's work if that may take long.
  private func prepare(_ request: QueryRequest, _ run: QueryRun) async throws(StoreError) -> PreparedQuery {
    let token = run.work.cancellation
    guard request.takesLongToPrepare else { return try PreparedQuery(request, cancellation: token) }
    return try await run.workers.perform { () throws(StoreError) in
      try PreparedQuery(request, cancellation: token)
    }
  }

  private func runOnce(
    _ prepared: PreparedQuery, for tenant: Tenant, _ run: QueryRun
  ) async throws(StoreError) -> QueryAnswer {
    let request = prepared.request
    let partition = Partition(tenant: tenant, dataset: request.dataset)
    let snapshot = try await source.snapshot(of: partition)
    guard let plan = prepared.aggregates else {
      return try await rows(prepared, snapshot: snapshot, run)
    }
    let groups = try await aggregate(GroupPass(plan: plan, snapshot: snapshot, run: run))
    try snapshot.requireReadable()
    let answer = QueryAnswer(request: request, groups: groups, damagedFiles: snapshot.damagedFiles)
    answer.workers = run.workers
    answer.work = run.work.cancellation
    return answer
  }

  private func rows(
    _ prepared: PreparedQuery, snapshot: any PartitionSnapshot, _ run: QueryRun
  ) async throws(StoreError) -> QueryAnswer {
    let request = prepared.request
    let end = min(request.cursor?.positionEnd ?? .max, snapshot.positionEnd)
    let scan = prepared.scan(positionEnd: end)
    let bytesMax = batchBytesMax
    let stream = try await run.workers.perform { () throws(StoreError) in
      let stream = RowStream(
        parts: try snapshot.parts(scan), query: prepared, snapshot: snapshot, run: run,
        bytesMax: bytesMax)
      try stream.begin()
      return stream
    }
    try await stream.readAhead()
    let answer = QueryAnswer(
      fields: prepared.fields, request: request, positionEnd: end, objectCount: stream.objectCount,
      rows: stream, damagedFiles: snapshot.damagedFiles)
    answer.memory = run.share.reservation
    answer.workers = run.workers
    answer.work = run.work.cancellation
    return answer
  }

  /// See ``QueryAnswering``.
  package func explain(_ request: QueryRequest, for tenant: Tenant) async throws(StoreError) -> String {
    let run = begin(for: tenant)
    return try await run.work.run { () throws(StoreError) in
      let prepared = try await prepare(request, run)
      let partition = Partition(tenant: tenant, dataset: request.dataset)
      let snapshot = try await source.snapshot(of: partition)
      return try await run.workers.perform { () throws(StoreError) in
        try QueryPlan(prepared, snapshot: snapshot).description
      }
    }
  }
}
