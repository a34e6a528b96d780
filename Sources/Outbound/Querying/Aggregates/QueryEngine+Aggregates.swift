import Records

/// The groups of an answer, and how sure they are.
struct GroupAnswer {
  let batches: GroupBatches
  let approximation: Approximation?
}

extension QueryEngine {
  /// Gathers all groups, or, where there is no memory for them, the greatest.
  func aggregate(_ pass: GroupPass) async throws(StoreError) -> GroupAnswer {
    let memory = GroupMemory(pass.run.share, limits: groupLimits)
    do throws(StoreError) {
      let (counts, units) = try await pass.workers.perform { () throws(StoreError) in
        try pass.plan.sources(in: pass.snapshot)
      }
      let groups = try await gather(pass, units, counts, memory: memory)
      return GroupAnswer(batches: groups.batches, approximation: nil)
    } catch {
      memory.giveBackAll()
      guard case .memoryExhausted = error else { throw error }
      return try await greatest(pass, insteadOf: error)
    }
  }

  /// One pass over the rows of some units: each worker gathers for itself, and merges with whoever is done.
  func gather(
    _ pass: GroupPass, _ units: [any ScanUnit], _ counts: [GroupKey: Int] = [:], memory: GroupMemory,
    admitted: AdmittedCells? = nil
  ) async throws(StoreError) -> (batches: GroupBatches, last: Double?) {
    let queue = UnitQueue(units, endingTogether: pass.workers.workerCount)
    let plan = pass.plan
    let bytesMax = groupBytesMax
    let done = MergingPlace<Aggregation>()
    _ = try await pass.workers.runOnAll(upTo: queue.count) { () throws(StoreError) in
      var part = Aggregation(plan, memory: memory, admitted: admitted)
      while let unit = queue.take() { try part.add(unit) }
      while let other = done.leave(part) { try part.merge(other) }
    }
    return try await pass.workers.perform { () throws(StoreError) in
      guard var whole = done.take() else { bug("a worker leaves the last part") }
      if !counts.isEmpty { try whole.add(counts) }
      return try whole.answer(bytesMax: bytesMax)
    }
  }
}

extension AggregatePlan {
  /// What summaries prove, if the query is nothing but counts, and the units that are left to scan.
  func sources(
    in snapshot: any PartitionSnapshot
  ) throws(StoreError) -> (counts: [GroupKey: Int], units: [any ScanUnit]) {
    guard query.isPlainCount else { return ([:], try snapshot.plan(scan)) }
    let asked = groupedCount
    guard let from = asked.start, from != request.start else {
      let answer = try snapshot.groupedCounts(asked)
      return (answer.counts, answer.remaining)
    }
    // Before, the buckets' clock was set in ways that summaries do not know.
    var early = scan
    early.end = min(from, request.end ?? .max)
    let units = try snapshot.plan(early)
    guard from < request.end ?? .max else { return ([:], units) }
    let answer = try snapshot.groupedCounts(asked)
    return (answer.counts, answer.remaining + units)
  }
}
