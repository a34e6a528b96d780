import Records

/// Rows of a snapshot in the order of the sort key, merged from its units, limited and projected.
///
/// Units come sorted by their first key and are opened when the merge reaches them, so that the newest
/// hundred rows open one unit, and rows that lie in order are passed on without a copy. At most as many
/// cursors are open as units overlap. One consumer at a time.
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
  private var pending: ArraySlice<any ScanUnit>
  private var active: [MergeSource] = []
  private var window = 1
  private var remaining: Int
  /// Taken for the batch that was given last.
  private var batchBytesTaken = 0
  /// What ``begin()`` found.
  private var first: Merged?
  private(set) var lastKey: AnswerKey?

  static let batchRowsMax = 8_192
  /// Text of a batch that is merged from several, about; a single row may have more.
  static let batchBytesMax = 64 << 20

  /// - Parameter units: Of `snapshot`, for the query's scan.
  init(
    units: [any ScanUnit], query: PreparedQuery, snapshot: any PartitionSnapshot, run: QueryRun,
    bytesMax: Int = batchBytesMax
  ) {
    self.bytesMax = bytesMax
    request = query.request
    outputCount = query.outputs.count
    keyIndices = query.keyIndices
    orderColumns = query.request.orderColumns
    self.snapshot = snapshot
    self.run = run
    pending = units[...]
    remaining = request.limit
  }

  /// Whether units can be told apart by their first key, a time or a position: only then may later ones stay
  /// closed.
  private var isSortedByNumber: Bool { orderColumns.isEmpty || orderColumns == ["timestamp"] }

  /// The first keys that the unit's rows may have.
  private func keys(of unit: any ScanUnit) -> ClosedRange<Int64> {
    let bounds = unit.bounds
    return orderColumns.isEmpty
      ? bounds.positionMin...bounds.positionMax : bounds.timestampMin...bounds.timestampMax
  }

  private var workers: any QueryWorkers { run.workers }
  private var share: MemoryShare { run.share }

  /// The next rows, at most ``batchRowsMax``; nil at the end.
  func next() async throws(StoreError) -> RecordBatch? {
    try await run.work.run { () throws(StoreError) in try await nextBatch() }
  }

  private func nextBatch() async throws(StoreError) -> RecordBatch? {
    share.give(back: batchBytesTaken)
    batchBytesTaken = 0
    let batch = try await findBatch()
    let bytes = batch?.textByteCount ?? 0
    try share.take(bytes)
    batchBytesTaken = bytes
    return batch
  }

  private func findBatch() async throws(StoreError) -> RecordBatch? {
    guard remaining > 0 else { return try finish() }
    if let merged = first {
      first = nil
      if let batch = take(merged) { return batch }
    }
    while true {
      try await activate()
      guard !active.isEmpty else { return try finish() }
      if let batch = try await merge() { return batch }
    }
  }

  /// Opens a unit that is the only one and merges its first rows on the caller's thread, a worker's: so a
  /// query for a few rows of one unit, planned there, changes threads no more. Called before the first
  /// ``next()``.
  func begin() throws(StoreError) {
    guard remaining > 0, pending.count == 1, let unit = pending.first else { return }
    pending = []
    let source = try MergeSource(
      unit: unit, keyIndices: keyIndices, isDescending: request.isDescending, share: share)
    guard source.batch != nil else { return }
    active = [source]
    first = try mergeRun(before: nil)
  }

  /// The rows given so far were used: if a file went bad under them, the answer must not end as a whole one.
  private func finish() throws(StoreError) -> RecordBatch? {
    active = []
    pending = []
    try snapshot.requireReadable()
    return nil
  }

  /// Opens every unit that may hold a row before the best one at hand; several at once, more each time.
  private func activate() async throws(StoreError) {
    while let unit = pending.first {
      if let best = best(), isSortedByNumber, let bound = best.firstKey,
        request.isDescending ? keys(of: unit).upperBound < bound : keys(of: unit).lowerBound > bound
      {
        return
      }
      let some = Array(pending.prefix(isSortedByNumber ? window : max(window, workers.workerCount * 2)))
      pending = pending.dropFirst(some.count)
      window = min(window * 2, workers.workerCount * 4)
      try await open(some)
    }
  }

  private func open(_ units: [any ScanUnit]) async throws(StoreError) {
    let queue = UnitQueue(units)
    let descending = request.isDescending
    let indices = keyIndices
    let share = share
    let opened = try await workers.runOnAll(upTo: units.count) { () throws(StoreError) -> [MergeSource] in
      var sources: [MergeSource] = []
      while let unit = queue.take() {
        let source = try MergeSource(
          unit: unit, keyIndices: indices, isDescending: descending, share: share)
        if source.batch != nil { sources.append(source) }
      }
      return sources
    }
    active += opened.flatMap { $0 }
  }

  private func best() -> MergeSource? {
    var best: MergeSource?
    for source in active where best.map({ source.precedes($0) }) ?? true { best = source }
    return best
  }

  /// Merges up to a batch of rows from the active units. nil: a unit must be opened first.
  private func merge() async throws(StoreError) -> RecordBatch? {
    let bound = isSortedByNumber ? pending.first.map(keys(of:)) : nil
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

  private func mergeRun(before bound: ClosedRange<Int64>?) throws(StoreError) -> Merged {
    let most = min(remaining, RowStream.batchRowsMax)
    var sources: [RecordBatch] = []
    var runs: [RowRun] = []
    var count = 0
    var last: AnswerKey?
    var room = TextRoom(bytesMax: bytesMax)
    while count < most, let best = best(), let batch = best.batch {
      try share.check()
      if let bound, let first = best.firstKey, count > 0,
        request.isDescending ? bound.upperBound >= first : bound.lowerBound <= first
      {
        break
      }
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
