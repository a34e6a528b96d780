import Blocks
import Journaling
import Matching
import Records

/// Which rows of the head are wanted.
struct RowFilter: Sendable {
  /// nil: all.
  var predicate: CompiledPredicate?
  /// On `timestamp`: start included, end not.
  var start: Int64?
  var end: Int64?
  var positions: Range<Int64>
  var deletions: [PendingDeletion]
  /// See ``EvaluationBatch/cancellation``.
  var cancellation: CancellationToken?

  init(
    predicate: CompiledPredicate? = nil, start: Int64? = nil, end: Int64? = nil,
    positions: Range<Int64> = 0..<Int64.max, deletions: [PendingDeletion]
  ) {
    if let predicate, predicate.predicate == .all {
      self.predicate = nil
    } else {
      self.predicate = predicate
    }
    self.start = start
    self.end = end
    self.positions = positions
    self.deletions = deletions
  }

  /// The rows of `chunk` that are wanted. Reads only the columns it must.
  func select(_ chunk: HeadChunk) throws(StoreError) -> Selection {
    var rows = chunk.rows(in: positions)
    let bounds = chunk.bounds
    let cutsTime = bounds.timestampMin < start ?? .min || (end.map { bounds.timestampMax >= $0 } ?? false)
    let deletions = deletions.filter { bounds.positionMin < $0.positionEnd }
    var names = Set(predicate?.paths.map(\.column) ?? [])
    for deletion in deletions { names.formUnion(deletion.predicate.paths.map(\.column)) }
    if cutsTime { names.insert("timestamp") }
    if rows.isEmpty || (names.isEmpty && predicate == nil && deletions.isEmpty) { return rows }
    let batch = try chunk.batch(columns: names.sorted())
    if cutsTime { rows.formIntersection(timeSelection(batch)) }
    var evaluation = EvaluationBatch(batch)
    evaluation.cancellation = cancellation
    if let predicate { rows = predicate.evaluate(evaluation, among: rows) }
    for deletion in deletions {
      var older = chunk.rows(in: 0..<deletion.positionEnd)
      older.formIntersection(rows)
      if older.isEmpty { continue }
      rows.subtract(deletion.predicate.evaluate(evaluation, among: older))
    }
    return rows
  }

  private func timeSelection(_ batch: RecordBatch) -> Selection {
    guard let column = batch.column("timestamp") else { bug("the column was asked for") }
    return column.withInt64 { times in
      var rows = Selection(rowCount: times.count, all: false)
      let low = start ?? .min
      for row in times.indices where times[row] >= low && (end.map { times[row] < $0 } ?? true) {
        rows.insert(row)
      }
      return rows
    }
  }
}

extension HeadChunk {
  /// The rows whose positions are in `range`.
  func rows(in range: Range<Int64>) -> Selection {
    if range.lowerBound <= bounds.positionMin, bounds.positionMax < range.upperBound {
      return Selection(rowCount: rowCount, all: true)
    }
    var rows = Selection(rowCount: rowCount, all: false)
    var start = 0
    for frame in frames {
      let first = frame.bounds.positionMin
      let low = max(range.lowerBound, first) - first
      let high = min(range.upperBound, frame.positionEnd) - first
      if low < high { rows.set(start + Int(low)..<start + Int(high)) }
      start += frame.rowCount
    }
    return rows
  }
}
