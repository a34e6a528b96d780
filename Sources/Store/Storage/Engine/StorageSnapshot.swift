import Blocks
import Codecs
import Journaling
import Matching
import Records
import Synchronization

/// One moment of a partition. Its blocks' files are unlinked only after it is gone, its part of the journal
/// stays mapped.
final class StorageSnapshot: PartitionSnapshot {
  let positionEnd: Int64
  private let partition: Partition
  private let frames: HeadFrames
  private let failedBefore: Set<UInt32>
  private let blocks: [LiveBlock]
  private let deletions: [PendingDeletion]
  private let openBlocks: OpenBlocks
  private let quarantine: Quarantine
  private let leftOut = Mutex<Set<DamagedFile>>([])

  private var schema: DatasetSchema { partition.dataset.schema }

  init(
    _ partition: Partition, positionEnd: Int64, frames: HeadFrames, live: LivePartition,
    openBlocks: OpenBlocks, quarantine: Quarantine
  ) {
    self.partition = partition
    self.positionEnd = positionEnd
    self.frames = frames
    failedBefore = frames.failedSegments()
    blocks = live.blocks
    deletions = live.deletions
    self.openBlocks = openBlocks
    self.quarantine = quarantine
  }

  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] {
    let units = try remaining(request) { (reader, scan, predicate, pending) throws(StoreError) in
      try reader.units(scan, predicate: predicate, deletions: pending)
    }
    return sorted(units, request.order)
  }

  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    var request = request
    var answer = GroupedCountAnswer(counts: [:], remaining: [])
    answer.remaining = try remaining(request.scan) { (reader, scan, predicate, pending) throws(StoreError) in
      request.positions = scan.positions
      let part = try reader.groupedCounts(request, predicate: predicate, deletions: pending)
      if answer.counts.isEmpty {
        answer.counts = part.counts
      } else {
        answer.counts.merge(part.counts, uniquingKeysWith: +)
      }
      return part.remaining
    }
    return answer
  }

  func totals(_ request: TotalsRequest) throws(StoreError) -> TotalsAnswer {
    var request = request
    var answer = TotalsAnswer(parts: [], remaining: [])
    answer.remaining = try remaining(request.scan) { (reader, scan, predicate, pending) throws(StoreError) in
      request.scan = scan
      let part = try reader.totals(request, predicate: predicate, deletions: pending)
      answer.parts += part.parts
      return part.remaining
    }
    return answer
  }

  func frequentValues(_ request: FrequentRequest) throws(StoreError) -> FrequentAnswer {
    var request = request
    var answer = FrequentAnswer(parts: [], remaining: [])
    answer.remaining = try remaining(request.scan) { (reader, scan, predicate, pending) throws(StoreError) in
      request.scan = scan
      let part = try reader.frequentValues(request, predicate: predicate, deletions: pending)
      answer.parts += part.parts
      return part.remaining
    }
    return answer
  }

  /// Asks each block that may have rows of the scan: what `body` says is left of it is to be read, and the
  /// head's rows.
  ///
  /// - Parameter body: Is given the scan with the positions that this snapshot shows, and the deletions that
  ///   are pending on the block.
  private func remaining(
    _ scan: ScanRequest,
    _ body: (any BlockReading, ScanRequest, CompiledPredicate, [PendingDeletion]) throws(StoreError)
      -> [any ScanUnit]
  ) throws(StoreError) -> [any ScanUnit] {
    try check(scan.columns)
    let predicate = try CompiledPredicate(scan.predicate, schema: schema, cancellation: scan.cancellation)
    var scan = scan
    scan.positions = visible(scan.positions)
    var units: [any ScanUnit] = []
    for block in meeting(scan, predicate) {
      try scan.cancellation?.check()
      let pending = deletions.filter { $0.isPending(for: block.facts) }
      let left = try read(block, scan.damage) { (reader) throws(StoreError) in
        try body(reader, scan, predicate, pending)
      }
      units += watched(left ?? [], block)
    }
    return units + (try headUnits(scan, predicate))
  }

  var damagedFiles: [DamagedFile] {
    leftOut.withLock { $0 }.sorted { ($0.name, $0.offsetBytes) < ($1.name, $1.offsetBytes) }
  }

  func requireReadable() throws(StoreError) {
    do throws(JournalError) { try frames.requireReadable(since: failedBefore) } catch {
      throw StoreError(error)
    }
  }

  /// The blocks that may hold rows of the request's times and positions, and of its ids.
  private func meeting(_ request: ScanRequest, _ predicate: CompiledPredicate) -> [LiveBlock] {
    let times = predicate.ingestTimes
    return blocks.filter { block in
      let facts = block.facts
      return facts.bounds.meets(start: request.start, end: request.end, positions: request.positions)
        && times?.contains { facts.ingestedMin <= $0 && $0 <= facts.ingestedMax } ?? true
    }
  }

  private func meets(_ frame: HeadFrame, _ request: ScanRequest) -> Bool {
    frame.bounds.meets(start: request.start, end: request.end, positions: request.positions)
  }

  /// What `body` makes of the block; nil: the block is damaged, and left out. Who may not leave it out has it
  /// read again each time: it may have been restored.
  private func read<Value>(
    _ block: LiveBlock, _ policy: DamagePolicy, _ body: (any BlockReading) throws(StoreError) -> Value
  ) throws(StoreError) -> Value? {
    if policy == .leaveOut, let known = quarantine.file(ofBlock: block.facts.id) {
      leftOut.withLock { _ = $0.insert(known) }
      return nil
    }
    do throws(StoreError) { return try body(try openBlocks.reader(of: block)) } catch {
      guard let file = quarantine.note(error, of: block) else { throw error }
      openBlocks.forget(block.facts.id)
      if policy == .refuse { throw error }
      leftOut.withLock { _ = $0.insert(file) }
      return nil
    }
  }

  private func watched(_ units: [any ScanUnit], _ block: LiveBlock) -> [any ScanUnit] {
    units.map { WatchedUnit(unit: $0, watch: DamageWatch(quarantine: quarantine, source: .block(block))) }
  }

  private func visible(_ positions: Range<Int64>) -> Range<Int64> {
    let low = max(0, positions.lowerBound)
    return low..<max(low, min(positions.upperBound, positionEnd))
  }

  private func headUnits(
    _ request: ScanRequest, _ predicate: CompiledPredicate
  ) throws(StoreError) -> [any ScanUnit] {
    var filter = RowFilter(
      predicate: predicate, start: request.start, end: request.end, positions: request.positions,
      deletions: deletions)
    filter.cancellation = request.cancellation
    let damaged = quarantine.frames(of: partition)
    if !damaged.isEmpty {
      let times = predicate.ingestTimes
      let lost = frames.filter {
        damaged[$0.place] != nil && meets($0, request) && times?.contains($0.ingestedAt) ?? true
      }
      try leaveOut(lost, damaged, request.damage)
    }
    let isLeftOut = request.damage == .leaveOut ? damaged : [:]
    func units(_ frames: some Sequence<HeadFrame>) -> [any ScanUnit] {
      HeadUnit.units(frames, request: request, filter: filter, schema: schema).map { unit in
        let source = DamageWatch.Source.frames(unit.frames, of: partition)
        return WatchedUnit(unit: unit, watch: DamageWatch(quarantine: quarantine, source: source))
      }
    }
    // An id says when its row was taken in, to the millisecond: one of a few frames, of thousands.
    guard let times = predicate.ingestTimes else {
      return isLeftOut.isEmpty ? units(frames) : units(frames.filter { isLeftOut[$0.place] == nil })
    }
    return units(frames.ingested(at: times).filter { isLeftOut[$0.place] == nil })
  }

  /// Notes that damaged frames are left out; where they may not be, throws unless they are sound again.
  private func leaveOut(
    _ frames: [HeadFrame], _ damaged: [JournalOffset: DamagedFile], _ policy: DamagePolicy
  ) throws(StoreError) {
    if policy == .leaveOut {
      return leftOut.withLock { $0.formUnion(frames.compactMap { damaged[$0.place] }) }
    }
    do throws(JournalError) { for frame in frames { try frame.verify() } } catch { throw StoreError(error) }
  }

  private func sorted(_ units: [any ScanUnit], _ order: ScanOrder) -> [any ScanUnit] {
    guard schema.sortKey.first == "timestamp" else { return units }
    switch order {
    case .unordered: return units
    case .ascending: return units.sorted { $0.bounds.timestampMin < $1.bounds.timestampMin }
    case .descending: return units.sorted { $0.bounds.timestampMax > $1.bounds.timestampMax }
    }
  }

  private func check(_ columns: [OutputColumn]) throws(StoreError) {
    for output in columns {
      guard let field = schema.field(output.path.column) else {
        throw .invalid("there is no column `\(output.path.column)`")
      }
      if output.path.members.isEmpty {
        guard output.type == field.type || output.type == .utf8 else {
          throw .invalid("the column `\(output.path.column)` has another type")
        }
      } else {
        guard field.type == .json, [.utf8, .float64, .json].contains(output.type) else {
          throw .invalid("the column `\(output.path.column)` has no members")
        }
      }
    }
  }
}

extension CompiledPredicate {
  /// The `ingested_at` that matching rows have, where the predicate asks for certain ids; nil: it does not.
  fileprivate var ingestTimes: Set<Int64>? {
    guard let ids = requiredIDs else { return nil }
    return Set(
      ids.compactMap { id in
        let (time, isOver) = UUIDv7.milliseconds(of: id).multipliedReportingOverflow(by: 1_000_000)
        return isOver ? nil : time
      })
  }
}
