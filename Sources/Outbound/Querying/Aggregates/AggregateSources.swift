import Records

/// What an aggregate query is answered from: what summaries say, and the units that are left to scan.
struct AggregateSources {
  var counts: [[GroupKey: Int]] = []
  var totals: [TotalsAnswer.Part] = []
  var units: [any ScanUnit] = []

  /// Rows that need not be read.
  var rowCount: Int {
    counts.reduce(0) { $0 + $1.values.reduce(0, +) } + totals.reduce(0) { $0 + $1.rowCount }
  }

  /// Adds what is known of other rows.
  mutating func add(_ other: AggregateSources) {
    counts += other.counts
    totals += other.totals
    units += other.units
  }
}

extension Aggregation {
  /// Adds what need not be read.
  mutating func add(_ known: AggregateSources) throws(StoreError) {
    for counts in known.counts { try add(counts) }
    if !known.totals.isEmpty { try add(known.totals) }
  }
}

extension AggregatePlan {
  /// What summaries prove of the query, and the units that are left to scan.
  func sources(in snapshot: any PartitionSnapshot) throws(StoreError) -> AggregateSources {
    if let request = frequentRequest, let found = proved(by: try snapshot.frequentValues(request)) {
      return found
    }
    return try summed(in: snapshot)
  }

  /// As ``sources(in:)``, for queries that the most frequent values do not answer.
  func summed(in snapshot: any PartitionSnapshot) throws(StoreError) -> AggregateSources {
    guard query.isPlainCount || totals(scan) != nil else {
      return AggregateSources(units: try snapshot.plan(scan))
    }
    let from = query.bucket?.partsFrom ?? .min
    let start = from == .min ? request.start : max(from, request.start ?? .min)
    var late = scan
    late.start = start
    // Before, the buckets' clock was set in ways that summaries do not know.
    var units: [any ScanUnit] = []
    if start != request.start {
      var early = scan
      early.end = min(from, request.end ?? .max)
      units = try snapshot.plan(early)
      guard from < request.end ?? .max else { return AggregateSources(units: units) }
    }
    if query.isPlainCount {
      let answer = try snapshot.groupedCounts(groupedCount)
      return AggregateSources(counts: answer.parts, units: answer.remaining + units)
    }
    guard let asked = totals(late) else { bug("asked above") }
    let answer = try snapshot.totals(asked)
    return AggregateSources(totals: answer.parts, units: answer.remaining + units)
  }

  /// What summaries are asked for if the query is nothing but numbers over all rows of some times.
  private func totals(_ scan: ScanRequest) -> TotalsRequest? {
    guard query.groupBy.isEmpty, filters.isEmpty, scan.predicate == .all else { return nil }
    let isSummed = accumulators.allSatisfy { accumulator in
      switch accumulator.kind {
      case .count, .sum, .min, .max: true
      case .quantile, .distinct: false
      }
    }
    guard isSummed else { return nil }
    return TotalsRequest(
      scan: scan, bucketNanoseconds: query.bucket?.partNanoseconds, paths: summedPaths,
      countsOthers: accumulators.contains { $0.kind == .count && $0.column != nil })
  }

  /// The paths that accumulators read, without repeats.
  var summedPaths: [ColumnPath] {
    var known: Set<ColumnPath> = []
    return accumulators.compactMap { $0.column.map { columns[$0].path } }.filter {
      known.insert($0).inserted
    }
  }

  /// What to ask if the query is for the most frequent values of a column; nil: it is not.
  var frequentRequest: FrequentRequest? {
    guard query.isPlainCount, query.bucket == nil, query.groupBy.count == 1, request.predicate == .all,
      query.orderBy != nil, request.isDescending,
      !request.dataset.schema.summaryColumns.contains(query.groupBy[0].description)
    else { return nil }
    return FrequentRequest(scan: scan, path: query.groupBy[0])
  }

  /// The counts of the most frequent values, where summaries and a few units prove them; nil: they do not.
  func proved(by answer: FrequentAnswer) -> AggregateSources? {
    guard let counts = answer.counts(ofMostFrequent: groupsNeeded) else { return nil }
    return AggregateSources(counts: [counts], units: answer.remaining)
  }
}
