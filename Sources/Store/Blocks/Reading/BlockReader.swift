import Codecs
import Matching
import Platform
import Records
import Synchronization

/// An open block: maps its file and answers scans. Any number of threads may use it.
///
/// Opening maps; footer and index are read at the first use. Keeps the file readable after it was unlinked.
package final class BlockReader: BlockReading {
  /// As the manifest has it.
  package let facts: BlockFacts
  /// Of the file, for errors.
  package let path: String
  let file: Buffer
  let mapping: BlockMapping
  private let read = Mutex<BlockContents?>(nil)
  private let pages = Mutex<BlockPages?>(nil)

  /// - Throws: `.corrupt` if the file is not there or has another length than `facts` says.
  package init(_ facts: BlockFacts, path: String, fileSystem: any FileSystem) throws(BlockError) {
    self.facts = facts
    self.path = path
    let file: any File
    let byteCount: Int
    do throws(DiskError) {
      file = try fileSystem.open(path, writable: false)
      byteCount = try file.size()
    } catch {
      if case .notFound = error { throw .corrupt(file: path, offsetBytes: 0, reason: "the file is missing") }
      throw .disk(error)
    }
    guard byteCount == facts.byteCount else {
      throw .corrupt(
        file: path, offsetBytes: min(byteCount, facts.byteCount),
        reason: "\(byteCount) bytes where \(facts.byteCount) were written")
    }
    do throws(DiskError) { self.file = try file.map(0..<byteCount) } catch { throw .disk(error) }
    mapping = BlockMapping(self.file, path: path)
  }

  /// See ``BlockReading``.
  package var memoryBytes: Int { read.withLock { $0?.memoryBytes ?? 0 } + 1_024 }

  /// See ``BlockReading``. A record of the query log is verified by what the disk has when that is asked for:
  /// of those blocks nothing is kept.
  package func keepPages(in cache: PageCache, while life: BlockLife) {
    if facts.partition.dataset == .queries { return }
    pages.withLock { $0 = BlockPages(cache: cache, block: facts.id, life: life) }
  }

  /// See ``BlockReading``.
  package func isOfOlderFormat() throws(StoreError) -> Bool {
    do throws(BlockError) {
      return try mapping.reading { () throws(BlockError) in try contents().isOfOlderFormat }
    } catch { throw error.storeError }
  }

  func contents() throws(BlockError) -> BlockContents {
    if let known = read.withLock({ $0 }) { return known }
    // Two threads may both read it; one result stays.
    let contents = try BlockContents(file, path: path, facts: facts, pages: pages.withLock { $0 })
    return read.withLock { known in
      let kept = known ?? contents
      known = kept
      return kept
    }
  }

  /// The row groups that may hold matching rows; for ordered requests in that order.
  ///
  /// - Parameters:
  ///   - predicate: `request.predicate`, compiled for the partition's schema.
  ///   - deletions: Those of the partition with ids above ``BlockFacts/deletionsApplied``.
  package func units(
    for request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(BlockError) -> [any ScanUnit] {
    guard facts.bounds.meets(start: request.start, end: request.end, positions: request.positions),
      !request.positions.isEmpty, !predicate.isNever
    else { return [] }
    if let ids = predicate.requiredIDs, !ids.contains(where: mayHold) { return [] }
    let contents = try contents()
    let scan = try BlockScan(contents, request, predicate: predicate, deletions: deletions)
    var units: [any ScanUnit] = []
    for group in 0..<contents.groupCount {
      let range = contents.pages(of: group)
      let pages = scan.candidates.slice(range).indices().map { Int($0) + range.lowerBound }
      if !pages.isEmpty { units.append(BlockUnit(scan, group: group, pages: pages)) }
    }
    return request.order == .descending ? units.reversed() : units
  }

  /// The milliseconds of an id are those of its row's `ingested_at`.
  private func mayHold(id: [UInt8]) -> Bool {
    guard id.count == 16 else { return false }
    let (time, isOverflow) = UUIDv7.milliseconds(of: id).multipliedReportingOverflow(by: 1_000_000)
    return !isOverflow && facts.ingested.contains(time)
  }

  /// Counts from summaries where they are exact, and units for the rest.
  package func groupedCounts(
    for request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion] = []
  ) throws(BlockError) -> GroupedCountAnswer {
    var scan = request.scan
    let hides = deletions.contains { $0.positionEnd > facts.bounds.positionMin }
    let isInside =
      request.positions.lowerBound <= facts.bounds.positionMin
      && facts.bounds.positionMax < request.positions.upperBound
    guard !hides, isInside, let summary = try contents().summary(),
      let counts = BlockCounts(summary, request)
    else {
      let units = try units(for: scan, predicate: predicate, deletions: deletions)
      return GroupedCountAnswer(counts: [:], remaining: units)
    }
    let start = max(request.start ?? .min, facts.bounds.timestampMin)
    // The last nanosecond that is asked for and there.
    let last = min(request.end.map { $0 == .min ? .min : $0 - 1 } ?? .max, facts.bounds.timestampMax)
    guard start <= last else { return GroupedCountAnswer(counts: [:], remaining: []) }
    let isWhole = start == facts.bounds.timestampMin && last == facts.bounds.timestampMax
    if counts.needsWholeBlock {
      guard isWhole, counts.isOneBucket(facts.timestamps) else {
        let units = try units(for: scan, predicate: predicate)
        return GroupedCountAnswer(counts: [:], remaining: units)
      }
      return GroupedCountAnswer(counts: counts.counts(minutes: .min ... .max), remaining: [])
    }
    // A minute counts as whole if what is missing of it lies outside the block.
    var first = BlockSummary.minute(of: start)
    var end = BlockSummary.minute(of: last)
    var remaining: [any ScanUnit] = []
    let minute = BlockSummary.minuteNanoseconds
    let isLastCut = last != facts.bounds.timestampMax && BlockSummary.minute(of: last + 1) == end
    let isFirstCut = start != facts.bounds.timestampMin && BlockSummary.minute(of: start - 1) == first
    if first == end, isFirstCut || isLastCut {
      let units = try units(for: scan, predicate: predicate)
      return GroupedCountAnswer(counts: [:], remaining: units)
    }
    if isFirstCut {
      (scan.start, scan.end) = (start, (first + 1) * minute)
      remaining += try units(for: scan, predicate: predicate)
      first += 1
    }
    if isLastCut {
      (scan.start, scan.end) = (end * minute, last + 1)
      remaining += try units(for: scan, predicate: predicate)
      end -= 1
    }
    let found = first <= end ? counts.counts(minutes: first...end) : [:]
    return GroupedCountAnswer(counts: found, remaining: remaining)
  }
}

// The seam
extension BlockReader {
  /// See ``BlockReading``.
  package func units(
    _ request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> [any ScanUnit] {
    do throws(BlockError) {
      return try mapping.reading { () throws(BlockError) in
        try units(for: request, predicate: predicate, deletions: deletions)
      }
    } catch { throw error.storeError }
  }

  /// See ``BlockReading``.
  package func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> GroupedCountAnswer {
    do throws(BlockError) {
      return try mapping.reading { () throws(BlockError) in
        try groupedCounts(for: request, predicate: predicate, deletions: deletions)
      }
    } catch { throw error.storeError }
  }
}
