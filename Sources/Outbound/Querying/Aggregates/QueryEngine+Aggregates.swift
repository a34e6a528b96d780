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
    let bytesMax = groupBytesMax
    do throws(StoreError) {
      let shares = pass.shares(of: pass.plan.scan)
      let planned = shares.count > 1 ? try await sources(pass, shares) : nil
      let (known, all) = try await pass.workers.perform { () throws(StoreError) in
        let known = if let planned { planned } else { try pass.plan.sources(in: pass.snapshot) }
        // A short answer is made in one go: each hand-over between threads costs as much as it does.
        guard known.units.isEmpty else { return (known, GroupBatches?.none) }
        var whole = Aggregation(pass.plan, memory: memory)
        try whole.add(known)
        return (known, try whole.answer(bytesMax: bytesMax).batches)
      }
      pass.run.work.cancellation.meter.note(rowsKnown: known.rowCount)
      if let all { return GroupAnswer(batches: all, approximation: nil) }
      let groups = try await gather(pass, known.units, known, memory: memory)
      return GroupAnswer(batches: groups.batches, approximation: nil)
    } catch {
      memory.giveBackAll()
      guard case .memoryExhausted = error else { throw error }
      pass.run.work.cancellation.meter.beginAnew()
      return try await greatest(pass, insteadOf: error)
    }
  }

  /// As ``AggregatePlan/sources(in:)``, on several threads.
  private func sources(
    _ pass: GroupPass, _ shares: [any PartitionSnapshot]
  ) async throws(StoreError) -> AggregateSources {
    let plan = pass.plan
    if let request = plan.frequentRequest {
      let answers = try await pass.onEach(shares) { share throws(StoreError) in
        try share.frequentValues(request)
      }
      let answer = FrequentAnswer(parts: answers.flatMap(\.parts), remaining: answers.flatMap(\.remaining))
      if let found = plan.proved(by: answer) { return found }
    }
    return try await pass.summed(shares)
  }

  /// One pass over the rows of some units: each worker gathers for itself, and merges with whoever is done.
  func gather(
    _ pass: GroupPass, _ units: [any ScanUnit], _ known: AggregateSources = AggregateSources(),
    memory: GroupMemory,
    admitted: AdmittedCells? = nil
  ) async throws(StoreError) -> (batches: GroupBatches, last: Double?) {
    let queue = WorkQueue(units, endingTogether: pass.workers.workerCount)
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
      try whole.add(known)
      return try whole.answer(bytesMax: bytesMax)
    }
  }
}
