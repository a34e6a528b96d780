import Matching
import Records

/// Rows of several blocks of one partition in the order of a block, without the deleted ones: what compaction writes.
///
/// Holds one batch of each input and one of its own.
final class SortedMerge: BlockRowSource {
  private let inputs: [MergeInput]
  /// Inputs not at their end, the one that comes first last.
  private var queue: [MergeInput]
  private let rowsPerBatch: Int
  private let pace: () -> Void

  /// - Parameters:
  ///   - sources: Rows of each block, and the deletions to be applied to them.
  ///   - pace: Called before each batch: may wait, so that others get their turn.
  init(
    _ sources: [(rows: any BlockRowSource, deletions: [LiveDeletion])], schema: DatasetSchema,
    rowsPerBatch: Int, pace: @escaping () -> Void = {}
  ) throws(StoreError) {
    var inputs: [MergeInput] = []
    for source in sources {
      inputs.append(try MergeInput(source.rows, deletions: source.deletions, schema: schema))
    }
    self.inputs = inputs
    self.rowsPerBatch = rowsPerBatch
    self.pace = pace
    queue = inputs.filter { !$0.isAtEnd }.sorted { $1.precedes($0) }
  }

  func next() throws(StoreError) -> RecordBatch? {
    pace()
    var sources: [RecordBatch] = []
    var runs: [RowRun] = []
    var rows = 0
    for input in inputs { input.sourceIndex = -1 }
    while rows < rowsPerBatch, let first = queue.popLast(), let batch = first.batch {
      if first.sourceIndex < 0 {
        first.sourceIndex = sources.count
        sources.append(batch)
      }
      let end = first.end(before: queue.last, limit: rowsPerBatch - rows)
      runs.append(RowRun(source: first.sourceIndex, start: first.row, count: end - first.row))
      rows += end - first.row
      try first.advance(to: end)
      if first.isAtEnd { continue }
      // Few inputs: a walk from the front of the queue is as good as a heap.
      var place = queue.count
      while place > 0, queue[place - 1].precedes(first) { place -= 1 }
      queue.insert(first, at: place)
    }
    return rows == 0 ? nil : RecordBatch.gather(sources, runs: runs)
  }
}

/// One block in a merge: its batch under way, where in it the merge stands, and the sort keys.
private final class MergeInput {
  private enum Keys {
    case times([Int64])
    case texts([[UInt8]])
  }

  private let rows: any BlockRowSource
  private let deletions: [LiveDeletion]
  private let schema: DatasetSchema
  private(set) var batch: RecordBatch?
  private(set) var row = 0
  /// Where the batch stands among the sources of the merged batch; -1: not yet there.
  var sourceIndex = -1
  private var keys = Keys.times([])
  private var positions: [Int64] = []

  init(
    _ rows: any BlockRowSource, deletions: [LiveDeletion], schema: DatasetSchema
  ) throws(StoreError) {
    self.rows = rows
    self.deletions = deletions
    self.schema = schema
    try readBatch()
  }

  var isAtEnd: Bool { batch == nil }

  func advance(to end: Int) throws(StoreError) {
    row = end
    if let batch, row == batch.rowCount { try readBatch() }
  }

  private func readBatch() throws(StoreError) {
    row = 0
    sourceIndex = -1
    batch = nil
    while let next = try rows.next() {
      let kept = next.without(deletions)
      if kept.rowCount == 0 { continue }
      batch = kept
      readKeys(kept)
      return
    }
  }

  private func readKeys(_ batch: RecordBatch) {
    positions = batch.columns[0].withInt64 { span in span.indices.map { span[$0] } }
    let columns = schema.sortKey.compactMap { batch.column($0)?.plainText() }
    if schema.sortKey == ["timestamp"] {
      keys = .times(columns[0].withInt64 { span in span.indices.map { span[$0] } })
    } else {
      keys = .texts((0..<batch.rowCount).map { SortKeyText.key(columns, row: $0) })
    }
  }

  /// Whether the row it stands at comes first; neither is at its end.
  func precedes(_ other: MergeInput) -> Bool { isBefore(row, other, other.row) }

  private func isBefore(_ row: Int, _ other: MergeInput, _ otherRow: Int) -> Bool {
    switch (keys, other.keys) {
    case (.times(let ours), .times(let theirs)):
      if ours[row] != theirs[otherRow] { return ours[row] < theirs[otherRow] }
    case (.texts(let ours), .texts(let theirs)):
      if ours[row] != theirs[otherRow] { return ours[row].lexicographicallyPrecedes(theirs[otherRow]) }
    case (.times, .texts), (.texts, .times): preconditionFailure("inputs of one merge have keys of one kind")
    }
    return positions[row] < other.positions[otherRow]
  }

  /// How far its rows come before the first of `rival`; gallops, so that inputs that hardly interleave cost little.
  func end(before rival: MergeInput?, limit: Int) -> Int {
    let most = min(positions.count, row + limit)
    guard let rival else { return most }
    var good = row
    var step = 1
    while good + step < most, isBefore(good + step, rival, rival.row) {
      good += step
      step *= 2
    }
    var bad = min(good + step, most)
    while good + 1 < bad {
      let middle = (good + bad) / 2
      if isBefore(middle, rival, rival.row) { good = middle } else { bad = middle }
    }
    return good + 1
  }
}

extension RecordBatch {
  /// The rows that none of `deletions` hides; all columns of the schema must be there.
  func without(_ deletions: [LiveDeletion]) -> RecordBatch {
    if deletions.isEmpty { return self }
    guard let positions = column("position") else { preconditionFailure("a batch with its positions") }
    let evaluation = EvaluationBatch(self)
    var rows = Selection(rowCount: rowCount, all: true)
    for deletion in deletions {
      var older = Selection(rowCount: rowCount, all: false)
      positions.withInt64 { span in
        for row in span.indices where span[row] < deletion.positionEnd { older.insert(row) }
      }
      older.formIntersection(rows)
      rows.subtract(deletion.predicate.evaluate(evaluation, among: older))
    }
    if rows.isFull { return self }
    let runs = rows.ranges().map { RowRun(source: 0, start: $0.lowerBound, count: $0.count) }
    return RecordBatch.gather([self], runs: runs)
  }
}

/// Hands rows on and keeps account of what the manifest wants to know of them.
final class FactsCollector: BlockRowSource {
  private let rows: any BlockRowSource
  private(set) var rowCount = 0
  private(set) var bounds: KeyBounds?
  private(set) var ingestedMin = Int64.max
  private(set) var ingestedMax = Int64.min

  init(_ rows: any BlockRowSource) { self.rows = rows }

  func next() throws(StoreError) -> RecordBatch? {
    guard let batch = try rows.next() else { return nil }
    rowCount += batch.rowCount
    let positions = FactsCollector.range(batch, "position")
    let times = FactsCollector.range(batch, "timestamp")
    let ingested = FactsCollector.range(batch, "ingested_at")
    let here = KeyBounds(
      timestampMin: times.lowerBound, timestampMax: times.upperBound, positionMin: positions.lowerBound,
      positionMax: positions.upperBound)
    bounds = bounds.map { KeyBounds.union([$0, here]) } ?? here
    ingestedMin = min(ingestedMin, ingested.lowerBound)
    ingestedMax = max(ingestedMax, ingested.upperBound)
    return batch
  }

  private static func range(_ batch: RecordBatch, _ name: String) -> ClosedRange<Int64> {
    guard let column = batch.column(name) else { preconditionFailure("a batch with every column") }
    return column.withInt64 { values in
      var low = Int64.max
      var high = Int64.min
      for index in values.indices {
        low = min(low, values[index])
        high = max(high, values[index])
      }
      precondition(low <= high, "a batch has a row")
      return low...high
    }
  }
}
