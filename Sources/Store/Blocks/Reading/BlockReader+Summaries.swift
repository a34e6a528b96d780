import Columnar
import Matching
import Records

// What a block's summaries answer, and what is left to be read.
extension BlockReader {
  /// Counts from summaries where they are exact, and units for the rest.
  package func groupedCounts(
    for request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(BlockError) -> GroupedCountAnswer {
    let scan = request.scan
    if isWholeVisible(scan.positions, deletions) {
      if let counts = try minuteCounts(request) {
        let answer = try answer(scan, predicate, counts.needsWholeBlock ? 0 : 1) { slots in
          guard counts.needsWholeBlock else { return counts.counts(minutes: slots) }
          return counts.isOneBucket(facts.timestamps) ? counts.counts(minutes: .min ... .max) : nil
        }
        return GroupedCountAnswer(counts: answer.found ?? [:], remaining: answer.remaining)
      }
      if let (section, numbers, condition) = try numberCounts(request, predicate) {
        let buckets = SlotBuckets(section, width: request.bucketNanoseconds, times: facts.timestamps)
        if let buckets {
          let answer = try answer(scan, predicate, section.width) { slots in
            let places = section.places(of: slots)
            return numbers.counts(condition, slots: places).map { buckets.counts($0, places) }
          }
          return GroupedCountAnswer(counts: answer.found ?? [:], remaining: answer.remaining)
        }
      }
    }
    let units = try units(for: scan, predicate: predicate, deletions: deletions)
    return GroupedCountAnswer(counts: [:], remaining: units)
  }

  /// Totals from section 14 where it knows them, and units for the rest.
  package func totals(
    for request: TotalsRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(BlockError) -> TotalsAnswer {
    if isWholeVisible(request.scan.positions, deletions), predicate.isAlways,
      let (section, numbers) = try numbers(request),
      let buckets = SlotBuckets(section, width: request.bucketNanoseconds, times: facts.timestamps)
    {
      let answer = try answer(request.scan, predicate, section.width) { slots -> [TotalsAnswer.Part]? in
        var parts: [TotalsAnswer.Part] = []
        for (bucket, places) in buckets.runs(section.places(of: slots)) {
          var found: [[NumberTotals]] = []
          for (index, path) in request.paths.enumerated() {
            let isMember = !path.members.isEmpty
            guard let totals = numbers[index].totals(slots: places, isNearest: isMember) else { return nil }
            found.append(totals)
          }
          let rowCount = section.rows[places].reduce(0, +)
          parts.append(TotalsAnswer.Part(bucket: bucket, rowCount: rowCount, numbers: found))
        }
        return parts
      }
      return TotalsAnswer(parts: answer.found ?? [], remaining: answer.remaining)
    }
    let units = try units(for: request.scan, predicate: predicate, deletions: deletions)
    return TotalsAnswer(parts: [], remaining: units)
  }

  /// The values that section 15 lists, of all of the block, or units.
  package func frequentValues(
    for request: FrequentRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(BlockError) -> FrequentAnswer {
    let scan = request.scan
    let bounds = facts.bounds
    let isWhole =
      scan.start ?? .min <= bounds.timestampMin && scan.end.map { bounds.timestampMax < $0 } ?? true
      && isWholeVisible(scan.positions, deletions)
    guard isWhole, predicate.isAlways, let column = try frequentValues(of: request.path) else {
      let units = try units(for: scan, predicate: predicate, deletions: deletions)
      return FrequentAnswer(parts: [], remaining: units)
    }
    try contents().note(in: scan.cancellation?.meter)
    var counts: [GroupKey: Int] = [:]
    for value in column.values { counts[GroupKey(bucket: 0, values: [value.text])] = value.rows }
    if column.nulls > 0 { counts[GroupKey(bucket: 0, values: [nil])] = column.nulls }
    let part = FrequentAnswer.Part(counts: counts, othersMax: column.othersMax)
    return FrequentAnswer(parts: [part], remaining: [])
  }

  /// What section 15 says of a column or member that is nothing but text; nil: nothing.
  private func frequentValues(of path: ColumnPath) throws(BlockError) -> FrequentSection.Column? {
    let contents = try contents()
    let index: Int
    if let name = path.members.first {
      let member = contents.columns.member(name, of: path.column)
      guard path.members.count == 1, !member.mayBeInRest, member.columns.count == 1,
        member.columns[0].type == .utf8
      else { return nil }
      index = member.columns[0].index
    } else {
      guard contents.schema.field(path.column)?.type == .utf8 else { return nil }
      index = contents.columns.index(of: path.column)
    }
    return try contents.frequent()?.column(contents.parquet.fields[index].name)
  }

  /// Whether the request may see every row of the block.
  private func isWholeVisible(_ positions: Range<Int64>, _ deletions: [PendingDeletion]) -> Bool {
    positions.lowerBound <= facts.bounds.positionMin && facts.bounds.positionMax < positions.upperBound
      && !deletions.contains { $0.positionEnd > facts.bounds.positionMin }
  }

  /// Asks `known` about the slots that the scan's times cover whole; units for other times, and for all if it
  /// does not know.
  private func answer<Found>(
    _ scan: ScanRequest, _ predicate: CompiledPredicate, _ width: Int,
    _ known: (ClosedRange<Int64>) throws(BlockError) -> Found?
  ) throws(BlockError) -> (found: Found?, remaining: [any ScanUnit]) {
    let start = max(scan.start ?? .min, facts.bounds.timestampMin)
    // The last nanosecond that is asked for and there.
    let last = min(scan.end.map { $0 == .min ? .min : $0 - 1 } ?? .max, facts.bounds.timestampMax)
    // Before the first time there is nothing lies, and no time says where that ends.
    guard start <= last, scan.end != .min else { return (nil, []) }
    let cut = SlotCut(start, last, of: facts.timestamps, width: width)
    var found: Found?
    if let whole = cut.whole {
      found = try known(whole)
      try contents().note(in: scan.cancellation?.meter)
      if found == nil { return (nil, try units(for: scan, predicate: predicate)) }
    }
    var remaining: [any ScanUnit] = []
    for part in cut.parts {
      var scan = scan
      (scan.start, scan.end) = (part.start, part.end)
      remaining += try units(for: scan, predicate: predicate)
    }
    return (found, remaining)
  }

  /// What sections 4 and 5 say of such a request; nil: nothing.
  private func minuteCounts(_ request: GroupedCountRequest) throws(BlockError) -> BlockCounts? {
    guard BlockCounts.isPossible(request) else { return nil }
    return try contents().summary().flatMap { BlockCounts($0, request) }
  }

  /// What section 14 says of a count of numbers; nil: nothing.
  private func numberCounts(
    _ request: GroupedCountRequest, _ predicate: CompiledPredicate
  ) throws(BlockError) -> (NumberSection, BlockNumbers, NumberCondition)? {
    guard request.groupBy.isEmpty, let condition = predicate.numberCondition else { return nil }
    let contents = try contents()
    guard let section = try contents.numbers(),
      let numbers = BlockNumbers(condition.path, section, contents)
    else { return nil }
    return (section, numbers, condition)
  }

  /// What section 14 says of the numbers of each path; nil: of one of them nothing.
  private func numbers(_ request: TotalsRequest) throws(BlockError) -> (NumberSection, [BlockNumbers])? {
    let contents = try contents()
    guard let section = try contents.numbers() else { return nil }
    var found: [BlockNumbers] = []
    for path in request.paths {
      guard let numbers = BlockNumbers(path, section, contents), !(request.countsOthers && numbers.hasOthers)
      else { return nil }
      found.append(numbers)
    }
    return (section, found)
  }
}

/// Which bucket of an answer each slot of a block belongs to.
private struct SlotBuckets {
  private let section: NumberSection
  private let width: Int64?
  /// If all of the block lies in one.
  private let only: Int64?

  /// nil: a slot may have rows of several buckets.
  init?(_ section: NumberSection, width: Int64?, times: ClosedRange<Int64>) {
    self.section = section
    self.width = width
    guard let width else {
      only = 0
      return
    }
    let first = times.lowerBound.flooredTime(by: width)
    only = times.upperBound.flooredTime(by: width) == first ? first : nil
    let slotWidth = Int64(section.width) * BlockSummary.minuteNanoseconds
    guard only != nil || slotWidth > 0 && width % slotWidth == 0 else { return nil }
  }

  private func bucket(of place: Int) -> Int64 {
    if let only { return only }
    let start = NumberSection.times(ofSlot: section.slots[place], width: section.width).lowerBound
    return width.map { start.flooredTime(by: $0) } ?? 0
  }

  /// Neighbouring slots of one bucket.
  func runs(_ places: Range<Int>) -> [(bucket: Int64, places: Range<Int>)] {
    if let only { return places.isEmpty ? [] : [(only, places)] }
    var runs: [(bucket: Int64, places: Range<Int>)] = []
    for place in places {
      let bucket = bucket(of: place)
      if let last = runs.last, last.bucket == bucket {
        runs[runs.count - 1].places = last.places.lowerBound..<place + 1
      } else {
        runs.append((bucket, place..<place + 1))
      }
    }
    return runs
  }

  /// Counts of slots by bucket.
  func counts(_ counts: [Int], _ places: Range<Int>) -> [GroupKey: Int] {
    var result: [GroupKey: Int] = [:]
    for (bucket, run) in runs(places) {
      let rows = run.reduce(0) { $0 + counts[$1 - places.lowerBound] }
      if rows > 0 { result[GroupKey(bucket: bucket, values: []), default: 0] += rows }
    }
    return result
  }
}
