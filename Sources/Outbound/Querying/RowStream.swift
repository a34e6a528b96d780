import Platform
import Records

/// Rows of a snapshot in the order of the sort key, merged from its units, limited and projected.
///
/// Parts of the scan are planned, and their units opened, when the merge reaches them, so that the newest
/// hundred rows open one unit of one block, and rows that lie in order are passed on without a copy. At most
/// as many cursors are open as units overlap. One consumer at a time.
final class RowStream: AnswerRows, @unchecked Sendable {
  // Safe because: its owner awaits each call to next() before the following one, and units are handed to
  // workers only inside such a call.
  private let request: QueryRequest
  /// Columns of the scan that are given out; the others are the sort key's.
  private let outputCount: Int
  private let orderColumns: [String]
  /// Where the sort-key columns, then `position`, lie in the scan's batches.
  private let keyIndices: [Int]
  /// Kept as long as its units are read.
  private let snapshot: any PartitionSnapshot
  private let run: QueryRun
  private let bytesMax: Int
  /// In the order of the first keys that their rows may have, as ``pending``.
  private var parts: ArraySlice<ScanPart>
  /// Not opened yet.
  private var pending: ArraySlice<any ScanUnit> = []
  private var active: [MergeSource] = []
  private var objects: Set<StoredObject> = []
  /// What is done about parts that turn out to be damaged.
  private var policy: DamagePolicy
  /// How many are planned, and opened, at once next.
  private var partWindow: Int
  private var window: Int
  private var remaining: Int
  /// Taken for the batch that was given last.
  private var batchBytesTaken = 0
  /// What ``begin()`` found.
  private var merged: Merged?
  /// What ``readAhead()`` read.
  private var ahead: RecordBatch?
  private(set) var lastKey: AnswerKey?

  static let batchRowsMax = 8_192
  /// Parts planned at once.
  private static let partWindowMax = 64
  /// Text of a batch that is merged from several, about; a single row may have more.
  static let batchBytesMax = 64 << 20

  /// - Parameter parts: Of `snapshot`, for the query's scan.
  init(
    parts: [ScanPart], query: PreparedQuery, snapshot: any PartitionSnapshot, run: QueryRun,
    bytesMax: Int = batchBytesMax
  ) {
    self.bytesMax = bytesMax
    request = query.request
    outputCount = query.outputs.count
    keyIndices = query.keyIndices
    orderColumns = query.request.orderColumns
    self.snapshot = snapshot
    self.run = run
    policy = query.damage
    remaining = request.limit
    window = max(2, run.workers.workerCount)
    partWindow = window
    self.parts = parts[...]
    if isSortedByNumber { self.parts.sort { isBehind(firstKey($1.bounds), firstKey($0.bounds)) } }
  }

  /// How many objects the units found so far are read from.
  var objectCount: Int { objects.count }

  /// Whether units can be told apart by their first key, a time or a position: only then may later ones stay
  /// closed.
  private var isSortedByNumber: Bool { orderColumns.isEmpty || orderColumns == ["timestamp"] }

  /// The key of the first row that may lie within.
  private func firstKey(_ bounds: KeyBounds) -> Int64 {
    switch (orderColumns.isEmpty, request.isDescending) {
    case (true, true): bounds.positionMax
    case (true, false): bounds.positionMin
    case (false, true): bounds.timestampMax
    case (false, false): bounds.timestampMin
    }
  }

  private func isBehind(_ key: Int64, _ other: Int64) -> Bool {
    request.isDescending ? key < other : key > other
  }

  private var workers: any QueryWorkers { run.workers }
  private var share: MemoryShare { run.share }

  /// The next rows, at most ``batchRowsMax``; nil at the end.
  func next() async throws(StoreError) -> RecordBatch? {
    try await run.work.run { () throws(StoreError) in try await nextBatch() }
  }

  private func nextBatch() async throws(StoreError) -> RecordBatch? {
    if let batch = ahead {
      ahead = nil
      return batch
    }
    share.give(back: batchBytesTaken)
    batchBytesTaken = 0
    guard let batch = try await findBatch() else {
      try finish()
      return nil
    }
    try share.take(batch.textByteCount)
    batchBytesTaken = batch.textByteCount
    return batch
  }

  /// nil at the end.
  private func findBatch() async throws(StoreError) -> RecordBatch? {
    if let found = merged {
      merged = nil
      if let batch = take(found) { return batch }
    }
    while remaining > 0 {
      try await activate()
      guard !active.isEmpty else { return nil }
      if let batch = try await merge() { return batch }
    }
    return nil
  }

  /// What is done on the caller's thread before others help: handing over takes a tenth of it.
  private static let aloneNanoseconds: Int64 = 1_000_000

  /// Looks for the first rows on the caller's thread, a worker's, as long as that is short work: so a query
  /// for a few rows, or for a needle, changes threads no more. Called before ``readAhead()``.
  func begin() throws(StoreError) {
    guard remaining > 0, isSortedByNumber || parts.count == 1 else { return }
    let began = run.uptime.uptime()
    repeat {
      switch nextStep() {
      case .plan: add(try parts.removeFirst().units(policy))
      case .open:
        guard isSortedByNumber || pending.count == 1 else { return }
        if let source = try source(pending.removeFirst()) { active.append(source) }
      case .merge:
        if !active.isEmpty { merged = try mergeRun(before: bound) }
        return
      }
    } while run.uptime.uptime() - began < RowStream.aloneNanoseconds
  }

  /// Reads the first rows, so that what keeps them from being read is known before the answer begins. What
  /// turns out to be damaged later ends it. Called once, before the first ``next()``.
  func readAhead() async throws(StoreError) {
    ahead = try await nextBatch()
    policy = .refuse
  }

  /// The rows given so far were used: if a file went bad under them, the answer must not end as a whole one.
  private func finish() throws(StoreError) {
    active = []
    pending = []
    parts = []
    try snapshot.requireReadable()
  }

  private enum Step { case plan, open, merge }

  /// What comes before the next rows are known: whatever may hold a row before the best one at hand is
  /// planned, and opened.
  private func nextStep() -> Step {
    guard isSortedByNumber else { return !parts.isEmpty ? .plan : pending.isEmpty ? .merge : .open }
    let best = best()?.firstKey
    func mayPrecede(_ bounds: KeyBounds, _ key: Int64?) -> Bool {
      key.map { !isBehind(firstKey(bounds), $0) } ?? true
    }
    let unit = pending.first?.bounds
    if let part = parts.first?.bounds, mayPrecede(part, best), mayPrecede(part, unit.map(firstKey)) {
      return .plan
    }
    if let unit, mayPrecede(unit, best) { return .open }
    return .merge
  }

  private func activate() async throws(StoreError) {
    while true {
      switch nextStep() {
      case .plan: try await planSome()
      case .open: try await openSome()
      case .merge: return
      }
    }
  }

  /// Several at once, more each time.
  private func planSome() async throws(StoreError) {
    let some = Array(parts.prefix(isSortedByNumber ? partWindow : parts.count))
    parts = parts.dropFirst(some.count)
    partWindow = min(partWindow * 2, RowStream.partWindowMax)
    let queue = WorkQueue(some)
    let policy = policy
    let found = try await workers.runOnAll(upTo: some.count) {
      () throws(StoreError) -> (units: [any ScanUnit], damaged: [ScanPart]) in
      var found: (units: [any ScanUnit], damaged: [ScanPart]) = ([], [])
      while let part = queue.take() {
        do throws(StoreError) { found.units += try part.units(policy) } catch {
          // Its rows may never be reached; the first one's are.
          guard case .corrupt = error, some.count > 1 else { throw error }
          found.damaged.append(part)
        }
      }
      return found
    }
    add(found.flatMap(\.units))
    let damaged = found.flatMap(\.damaged)
    guard !damaged.isEmpty else { return }
    parts = damaged + parts
    if isSortedByNumber { parts.sort { isBehind(firstKey($1.bounds), firstKey($0.bounds)) } }
    partWindow = 1
  }

  private func add(_ units: [any ScanUnit]) {
    for unit in units { objects.formUnion(unit.objects) }
    pending += units
    if isSortedByNumber { pending.sort { isBehind(firstKey($1.bounds), firstKey($0.bounds)) } }
  }

  /// Several at once, more each time.
  private func openSome() async throws(StoreError) {
    let some = Array(pending.prefix(isSortedByNumber ? window : max(window, workers.workerCount * 2)))
    pending = pending.dropFirst(some.count)
    window = min(window * 2, workers.workerCount * 4)
    let queue = WorkQueue(some)
    let opened = try await workers.runOnAll(upTo: some.count) { () throws(StoreError) -> [MergeSource] in
      var sources: [MergeSource] = []
      while let unit = queue.take() {
        if let source = try self.source(unit) { sources.append(source) }
      }
      return sources
    }
    active += opened.flatMap { $0 }
  }

  /// The unit, open; nil: it has no row.
  private func source(_ unit: any ScanUnit) throws(StoreError) -> MergeSource? {
    let source = try MergeSource(
      unit: unit, keyIndices: keyIndices, isDescending: request.isDescending, share: share)
    return source.batch == nil ? nil : source
  }

  /// The key of the first row that what is not open yet may have, where that is known.
  private var bound: Int64? {
    guard isSortedByNumber else { return nil }
    let keys = [parts.first?.bounds, pending.first?.bounds].compactMap { $0.map(firstKey) }
    return request.isDescending ? keys.max() : keys.min()
  }

  private func best() -> MergeSource? {
    var best: MergeSource?
    for source in active where best.map({ source.precedes($0) }) ?? true { best = source }
    return best
  }

  /// Merges up to a batch of rows from the active units. nil: a unit must be opened first.
  private func merge() async throws(StoreError) -> RecordBatch? {
    let bound = bound
    return take(try await workers.perform { () throws(StoreError) in try self.mergeRun(before: bound) })
  }

  private func take(_ merged: Merged) -> RecordBatch? {
    let (batch, last, isExhausted) = merged
    if isExhausted { active.removeAll { $0.batch == nil } }
    guard let batch else { return nil }
    remaining -= batch.rowCount
    lastKey = last ?? lastKey
    return RecordBatch(
      fields: Array(batch.fields.prefix(outputCount)), columns: Array(batch.columns.prefix(outputCount)),
      rowCount: batch.rowCount)
  }

  private typealias Merged = (RecordBatch?, AnswerKey?, Bool)

  private func mergeRun(before bound: Int64?) throws(StoreError) -> Merged {
    let most = min(remaining, RowStream.batchRowsMax)
    var sources: [RecordBatch] = []
    var runs: [RowRun] = []
    var count = 0
    var last: AnswerKey?
    var room = TextRoom(bytesMax: bytesMax)
    while count < most, let best = best(), let batch = best.batch {
      try share.check()
      if let bound, let first = best.firstKey, count > 0, !isBehind(bound, first) { break }
      let rival = active.filter { $0 !== best && $0.batch != nil }.min { $0.precedes($1) }
      let sorted = best.end(of: rival, limit: most - count, bound: bound)
      let end = room.end(best.row..<sorted, of: best, isNew: best.lastSourceIndex < 0, isFirst: count == 0)
      if end == best.row { break }
      if sources.isEmpty || best.lastSourceIndex < 0 {
        best.lastSourceIndex = sources.count
        sources.append(batch)
      }
      runs.append(RowRun(source: best.lastSourceIndex, start: best.row, count: end - best.row))
      count += end - best.row
      last = best.key(at: end - 1)
      try best.advance(to: end)
    }
    for source in active { source.lastSourceIndex = -1 }
    let isExhausted = active.contains { $0.batch == nil }
    guard count > 0 else { return (nil, nil, isExhausted) }
    return (RecordBatch.gather(sources, runs: RowStream.joined(runs)), last, isExhausted)
  }

  /// Runs that continue each other as one.
  private static func joined(_ runs: [RowRun]) -> [RowRun] {
    var joined: [RowRun] = []
    for run in runs {
      if let last = joined.last, last.source == run.source, last.start + last.count == run.start {
        joined[joined.count - 1].count += run.count
      } else {
        joined.append(run)
      }
    }
    return joined
  }
}
