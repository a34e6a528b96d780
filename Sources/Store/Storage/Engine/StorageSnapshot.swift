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
  /// Whether it is this one of several shares that gives the head's rows.
  private let readsHead: Bool
  private let leftOut: LeftOut

  /// The files that plans have left out, those of all shares of a snapshot.
  private final class LeftOut: Sendable {
    private let files = Mutex<Set<DamagedFile>>([])

    var all: Set<DamagedFile> { files.withLock { $0 } }

    func add(_ more: some Sequence<DamagedFile>) { files.withLock { $0.formUnion(more) } }
  }

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
    readsHead = true
    leftOut = LeftOut()
  }

  private init(share blocks: [LiveBlock], of whole: StorageSnapshot, readsHead: Bool) {
    self.blocks = blocks
    self.readsHead = readsHead
    partition = whole.partition
    positionEnd = whole.positionEnd
    frames = whole.frames
    failedBefore = whole.failedBefore
    deletions = whole.deletions
    openBlocks = whole.openBlocks
    quarantine = whole.quarantine
    leftOut = whole.leftOut
  }

  /// Blocks that make it worth while to plan on one more thread: they take as long as handing over does.
  private static let shareBlocksMin = 8

  func shares(of request: ScanRequest, atMost count: Int) -> [any PartitionSnapshot] {
    let blocks = blocks.filter {
      $0.facts.bounds.meets(start: request.start, end: request.end, positions: request.positions)
    }
    let count = min(count, blocks.count / StorageSnapshot.shareBlocksMin)
    guard count > 1 else { return [self] }
    return (0..<count).map { share in
      let own = stride(from: share, to: blocks.count, by: count).map { blocks[$0] }
      return StorageSnapshot(share: own, of: self, readsHead: share == 0)
    }
  }

  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] {
    try remaining(request) { (reader, scan, predicate, pending) throws(StoreError) in
      try reader.units(scan, predicate: predicate, deletions: pending)
    }
  }

  func parts(_ request: ScanRequest) throws(StoreError) -> [ScanPart] {
    let (scan, predicate) = try compiled(request)
    var parts: [ScanPart] = []
    for block in meeting(scan, predicate) where !isLeftOut(block, scan.damage) {
      let object = StoredObject(name: block.file.path)
      parts.append(
        ScanPart(objects: [object], bounds: block.facts.bounds) { [self] (policy) throws(StoreError) in
          try remaining(of: block, policy, scan.cancellation) { (reader, pending) throws(StoreError) in
            try reader.units(scan, predicate: predicate, deletions: pending)
          }
        })
    }
    return parts + (try headUnits(scan, predicate)).map { ScanPart($0) }
  }

  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    var request = request
    var answer = GroupedCountAnswer(counts: [:], remaining: [])
    answer.remaining = try remaining(request.scan) { (reader, scan, predicate, pending) throws(StoreError) in
      request.positions = scan.positions
      let part = try reader.groupedCounts(request, predicate: predicate, deletions: pending)
      answer.parts += part.parts
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

  func members(start: Int64?, end: Int64?) throws(StoreError) -> Set<StoredMember> {
    var found: Set<StoredMember> = []
    for block in blocks where block.facts.bounds.meets(start: start, end: end, positions: 0..<positionEnd) {
      let more = try read(block, .leaveOut) { (reader) throws(StoreError) in try reader.members() }
      found.formUnion(more ?? [])
    }
    return found
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
    let (scan, predicate) = try compiled(scan)
    var units: [any ScanUnit] = []
    for block in meeting(scan, predicate) {
      units += try remaining(of: block, scan.damage, scan.cancellation) {
        (reader, pending) throws(StoreError) in
        try body(reader, scan, predicate, pending)
      }
    }
    return units + (try headUnits(scan, predicate))
  }

  /// The scan with the positions that this snapshot shows, and its predicate.
  private func compiled(_ scan: ScanRequest) throws(StoreError) -> (ScanRequest, CompiledPredicate) {
    try check(scan.columns)
    let predicate = try CompiledPredicate(scan.predicate, schema: schema, cancellation: scan.cancellation)
    var scan = scan
    scan.positions = visible(scan.positions)
    return (scan, predicate)
  }

  /// What `body` says is left to be read of the block; nothing, if it is damaged and may be left out.
  private func remaining(
    of block: LiveBlock, _ policy: DamagePolicy, _ cancellation: CancellationToken?,
    _ body: (any BlockReading, [PendingDeletion]) throws(StoreError) -> [any ScanUnit]
  ) throws(StoreError) -> [any ScanUnit] {
    try cancellation?.check()
    let pending = deletions.filter { $0.isPending(for: block.facts) }
    let left = try read(block, policy) { (reader) throws(StoreError) in try body(reader, pending) }
    return watched(left ?? [], block)
  }

  var damagedFiles: [DamagedFile] {
    leftOut.all.sorted { ($0.name, $0.offsetBytes) < ($1.name, $1.offsetBytes) }
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
    if isLeftOut(block, policy) { return nil }
    do throws(StoreError) { return try body(try openBlocks.reader(of: block)) } catch {
      guard let file = quarantine.note(error, of: block) else { throw error }
      openBlocks.forget(block.facts.id)
      if policy == .refuse { throw error }
      leftOut.add([file])
      return nil
    }
  }

  /// Whether the block is known to be damaged and may be left out; notes that it was.
  private func isLeftOut(_ block: LiveBlock, _ policy: DamagePolicy) -> Bool {
    guard policy == .leaveOut, let known = quarantine.file(ofBlock: block.facts.id) else { return false }
    leftOut.add([known])
    return true
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
    guard readsHead else { return [] }
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
      return leftOut.add(frames.compactMap { damaged[$0.place] })
    }
    do throws(JournalError) { for frame in frames { try frame.verify() } } catch { throw StoreError(error) }
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
