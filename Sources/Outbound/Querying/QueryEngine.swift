import Platform
import Records

/// Answers queries in this process, over what a store's snapshots give: plan, run, stream.
package struct QueryEngine: QueryAnswering {
  private let source: any BatchSource
  let workers: any QueryWorkers
  private let budget: MemoryBudget
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
    // A quarter is left for other queries, and for what this one reads. Groups have 32-bit numbers and take
    // 24 bytes at least.
    groupLimits = GroupLimits(
      bytesMax: min(budget.bytesMax - budget.bytesMax / 4, 1 << 35), workerCount: workers.workerCount)
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
    request.isExact = request.isExact || marks?.isStrict ?? false
    var prepared = try PreparedQuery(request)
    prepared.cancellation = work.cancellation
    var tries = 1
    while true {
      do throws(StoreError) {
        let answer = try await runOnce(prepared, for: tenant, work)
        marks?.note(answer.damagedFiles, answer.approximation)
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
    guard let plan = prepared.aggregates else {
      return try await rows(prepared, snapshot: snapshot, share, work)
    }
    let groups = try await aggregate(plan, snapshot: snapshot, share)
    try snapshot.requireReadable()
    return QueryAnswer(
      fields: prepared.fields, request: request, groups: groups, damagedFiles: snapshot.damagedFiles)
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
}
