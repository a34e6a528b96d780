import Records

extension QueryEngine {
  /// Gathers on all workers, then merges their parts and answers on one.
  func aggregate(
    _ plan: AggregatePlan, snapshot: any PartitionSnapshot, _ share: MemoryShare
  ) async throws(StoreError) -> GroupBatches {
    let (counts, units) = try await workers.perform { () throws(StoreError) in
      try plan.sources(in: snapshot)
    }
    let queue = UnitQueue(units)
    let bytesMax = groupBytesMax
    let parts = try await workers.runOnAll(upTo: units.count) { () throws(StoreError) -> Aggregation in
      var part = Aggregation(plan, share: share)
      while let unit = queue.take() { try part.add(unit) }
      return part
    }
    return try await workers.perform { () throws(StoreError) in
      // The others stay as they are until the last is merged, and the first is copied.
      var whole = parts[0]
      if parts.count > 1 { try share.take(whole.byteCount) }
      for part in parts.dropFirst() { try whole.merge(part) }
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
