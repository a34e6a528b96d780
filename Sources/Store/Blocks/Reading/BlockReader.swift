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
    try mapping.answering { () throws(BlockError) in try contents().isOfOlderFormat }
  }

  /// See ``BlockReading``.
  package func members() throws(StoreError) -> Set<StoredMember> {
    try mapping.answering { () throws(BlockError) in
      var found: Set<StoredMember> = []
      for (field, members) in try contents().columns.members {
        for member in members {
          found.insert(StoredMember(ColumnPath(field, members: [member.name]), member.type))
        }
      }
      return found
    }
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
    contents.note(in: request.cancellation?.meter)
    let groups = contents.groups(thatMayHold: predicate)
    if groups.isEmpty { return [] }
    let scan = try BlockScan(
      contents, request, predicate: predicate, deletions: deletions, groups: groups)
    var units: [any ScanUnit] = []
    for group in groups {
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
}

// The seam
extension BlockReader {
  /// See ``BlockReading``.
  package func units(
    _ request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> [any ScanUnit] {
    try mapping.answering { () throws(BlockError) in
      try units(for: request, predicate: predicate, deletions: deletions)
    }
  }

  /// See ``BlockReading``.
  package func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> GroupedCountAnswer {
    try mapping.answering { () throws(BlockError) in
      try groupedCounts(for: request, predicate: predicate, deletions: deletions)
    }
  }

  /// See ``BlockReading``.
  package func totals(
    _ request: TotalsRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> TotalsAnswer {
    try mapping.answering { () throws(BlockError) in
      try totals(for: request, predicate: predicate, deletions: deletions)
    }
  }

  /// See ``BlockReading``.
  package func frequentValues(
    _ request: FrequentRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> FrequentAnswer {
    try mapping.answering { () throws(BlockError) in
      try frequentValues(for: request, predicate: predicate, deletions: deletions)
    }
  }
}
