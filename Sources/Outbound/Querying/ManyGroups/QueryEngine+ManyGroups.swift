import Records

/// What passes over the rows of a query have in common.
struct GroupPass: Sendable {
  let plan: AggregatePlan
  let snapshot: any PartitionSnapshot
  let run: QueryRun

  var workers: any QueryWorkers { run.workers }

  /// See ``PartitionSnapshot/shares(of:atMost:)``.
  func shares(of scan: ScanRequest) -> [any PartitionSnapshot] {
    snapshot.shares(of: scan, atMost: workers.workerCount)
  }

  /// What `body` makes of each share, on all workers at once.
  func onEach<Value: Sendable>(
    _ shares: [any PartitionSnapshot],
    _ body: @escaping @Sendable (any PartitionSnapshot) throws(StoreError) -> Value
  ) async throws(StoreError) -> [Value] {
    let queue = WorkQueue(shares)
    let found = try await workers.runOnAll(upTo: shares.count) { () throws(StoreError) -> [Value] in
      var values: [Value] = []
      while let share = queue.take() { values.append(try body(share)) }
      return values
    }
    return found.flatMap { $0 }
  }

  /// As ``AggregatePlan/summed(in:)``, of all shares.
  func summed(_ shares: [any PartitionSnapshot]) async throws(StoreError) -> AggregateSources {
    let plan = plan
    let parts = try await onEach(shares) { share throws(StoreError) in try plan.summed(in: share) }
    return parts.reduce(into: AggregateSources()) { $0.add($1) }
  }

  /// The units of a scan.
  func plan(_ scan: ScanRequest) async throws(StoreError) -> [any ScanUnit] {
    try await onEach(shares(of: scan)) { share throws(StoreError) in try share.plan(scan) }.flatMap { $0 }
  }
}

// Groups that there is no memory for: the greatest of them, by two passes over the rows (decision 0025).
extension QueryEngine {
  /// How often fewer groups are tried.
  private static let triesMax = 4
  /// Cells whose groups are computed: at least, and at most unless more groups are needed.
  private static let cellsMin = 16
  private static let cellsAimed = 1 << 16

  /// The first pass bounds by cells the measure that orders the groups, the second gathers the groups of the
  /// greatest cells. They are those of an answer over all groups if the last one has more than what any other
  /// group can have.
  ///
  /// - Parameter error: Why not all are gathered; thrown where the greatest cannot be told.
  func greatest(_ pass: GroupPass, insteadOf error: StoreError) async throws(StoreError) -> GroupAnswer {
    guard !pass.plan.request.isExact, let ranking = try GroupRanking(pass.plan),
      ranking.needed <= groupLimits.bytesMax / 64
    else { throw error }
    let memory = GroupMemory(pass.run.share, limits: groupLimits)
    defer { memory.giveBackAll() }
    let cells = try await cells(of: ranking, pass, memory)
    let room = Double(groupLimits.bytesMax / (2 * (groupLimits.workerCount + 1)))
    // Great cells have more groups than others have.
    let bytesPerGroup = cells.keyBytes + Double(48 * (pass.plan.columns.count + pass.plan.accumulators.count))
    let bytesPerCell = bytesPerGroup * (2 + 2 * cells.groupsPerCell)
    var count = min(Int(room / bytesPerCell), max(QueryEngine.cellsAimed, 8 * ranking.needed))
    for _ in 0..<QueryEngine.triesMax {
      count = max(QueryEngine.cellsMin, count)
      let admitted = cells.greatest(count)
      if let groups = try await groups(of: admitted, pass) {
        let approximation = ranking.approximation(leftOut: admitted.leftOut, last: groups.last)
        if approximation == nil || groups.batches.count == pass.plan.request.limit {
          return GroupAnswer(batches: groups.batches, approximation: approximation)
        }
        break
      }
      count /= 8
    }
    throw error
  }

  /// The first pass. What its workers have counts to the end: the greatest cells are found on a copy.
  private func cells(
    of ranking: GroupRanking, _ pass: GroupPass, _ memory: GroupMemory
  ) async throws(StoreError) -> GroupCells {
    let units = try await pass.plan(ranking.plan.scan)
    let queue = WorkQueue(units, endingTogether: pass.workers.workerCount)
    let partCount = max(1, min(pass.workers.workerCount, queue.count))
    let cellBits = GroupCells.bits(bytesMax: groupLimits.bytesMax / 4 / (partCount + 1))
    try memory.take(GroupCells.byteCount(bits: cellBits))
    let done = MergingPlace<GroupCells>()
    _ = try await pass.workers.runOnAll(upTo: queue.count) { () throws(StoreError) in
      try memory.take(GroupCells.byteCount(bits: cellBits))
      var part = GroupCells(ranking, bits: cellBits)
      while let unit = queue.take() {
        try memory.withRoom(unit.memoryBytesEstimate) { () throws(StoreError) in
          let cursor = try unit.open()
          defer { part.forgetDictionaries() }
          while let batch = try cursor.next() {
            try memory.check()
            part.add(batch)
          }
        }
      }
      while let other = done.leave(part) { part.merge(other) }
    }
    guard let whole = done.take() else { bug("a worker leaves the last part") }
    return whole
  }

  /// The second pass; nil: there is no memory for so many groups.
  private func groups(
    of admitted: AdmittedCells, _ pass: GroupPass
  ) async throws(StoreError) -> (batches: GroupBatches, last: Double?)? {
    let memory = GroupMemory(pass.run.share, limits: groupLimits)
    do throws(StoreError) {
      let units = try await pass.plan(pass.plan.scan)
      return try await gather(pass, units, memory: memory, admitted: admitted)
    } catch {
      memory.giveBackAll()
      guard case .memoryExhausted = error else { throw error }
      return nil
    }
  }
}
