import Records

/// An open unit of a merge: its current batch, the row it stands at, and the batch's sort keys.
final class MergeSource: @unchecked Sendable {
  // Safe because: owned by one RowStream, which lets one worker at a time touch it.
  private enum Keys {
    case times([Int64], positions: [Int64])
    case positions([Int64])
    case texts([[[UInt8]]], positions: [Int64])
  }

  private let cursor: any BatchCursor
  private let keyIndices: [Int]
  private let isDescending: Bool
  private let share: MemoryShare
  private let bytesTaken: Int
  private(set) var batch: RecordBatch?
  private(set) var row = 0
  /// Where the batch stands among the sources of the merge under way; -1: not yet there.
  var lastSourceIndex = -1
  private var keys = Keys.times([], positions: [])
  /// Of the batch; nil: not asked for yet.
  private var sizes: [Int]?

  /// Bytes of text of each row of the batch.
  func textBytes() -> [Int] {
    if let sizes { return sizes }
    let found = batch?.textBytes() ?? []
    sizes = found
    return found
  }

  init(unit: any ScanUnit, keyIndices: [Int], isDescending: Bool, share: MemoryShare) throws(StoreError) {
    self.keyIndices = keyIndices
    self.isDescending = isDescending
    self.share = share
    // Texts that rows are ordered by are copied, each into an array of its own.
    let textKeyCount = keyIndices.count > 2 ? keyIndices.count - 1 : 0
    bytesTaken = unit.memoryBytesEstimate + textKeyCount * RowStream.batchRowsMax * 64
    try share.take(bytesTaken)
    let (opened, first): (any BatchCursor, RecordBatch?)
    do throws(StoreError) {
      opened = try unit.open()
      first = try opened.next()
    } catch {
      // Without a cursor this is no object yet, and its end gives nothing back.
      share.give(back: bytesTaken)
      throw error
    }
    cursor = opened
    batch = first
    readKeys()
  }

  deinit { share.give(back: bytesTaken) }

  /// The first key of the row it stands at, where that is a number.
  var firstKey: Int64? { batch == nil ? nil : firstKey(row) }

  private func firstKey(_ row: Int) -> Int64? {
    switch keys {
    case .times(let times, _): times[row]
    case .positions(let positions): positions[row]
    case .texts: nil
    }
  }

  func advance(to end: Int) throws(StoreError) {
    row = end
    guard let batch, row == batch.rowCount else { return }
    self.batch = try cursor.next()
    row = 0
    lastSourceIndex = -1
    readKeys()
  }

  private func readKeys() {
    sizes = nil
    guard let batch else { return }
    let positions = MergeSource.int64s(batch.columns[keyIndices[keyIndices.count - 1]])
    let columns = keyIndices.dropLast().map { batch.columns[$0] }
    if columns.isEmpty {
      keys = .positions(positions)
    } else if columns.count == 1, columns[0].type == .timestamp {
      keys = .times(MergeSource.int64s(columns[0]), positions: positions)
    } else {
      keys = .texts(columns.map(MergeSource.texts), positions: positions)
    }
  }

  private static func int64s(_ column: Column) -> [Int64] {
    column.withInt64 { span in span.indices.map { span[$0] } }
  }

  private static func texts(_ column: Column) -> [[UInt8]] {
    column.plainText().withText { offsets, bytes in
      (0..<offsets.count - 1).map { row in
        (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }
      }
    }
  }

  func key(at row: Int) -> AnswerKey {
    switch keys {
    case .times(let times, let positions):
      AnswerKey(parts: [.timestamp(times[row])], position: positions[row])
    case .positions(let positions): AnswerKey(parts: [], position: positions[row])
    case .texts(let columns, let positions):
      AnswerKey(parts: columns.map { .text($0[row]) }, position: positions[row])
    }
  }

  /// Whether row `row` comes before row `other` of `source`.
  private func isBefore(_ row: Int, _ source: MergeSource, _ other: Int) -> Bool {
    switch (keys, source.keys) {
    case (.times(let a, let p), .times(let b, let q)):
      if a[row] != b[other] { return (a[row] < b[other]) != isDescending }
      return (p[row] < q[other]) != isDescending
    case (.positions(let p), .positions(let q)): return (p[row] < q[other]) != isDescending
    case (.texts(let a, let p), .texts(let b, let q)):
      for (left, right) in zip(a, b) where left[row] != right[other] {
        return left[row].lexicographicallyPrecedes(right[other]) != isDescending
      }
      return (p[row] < q[other]) != isDescending
    default: bug("sources of one merge have keys of one kind")
    }
  }

  /// Whether the row it stands at comes first; one at its end never does.
  func precedes(_ other: MergeSource) -> Bool {
    guard batch != nil else { return false }
    guard other.batch != nil else { return true }
    return isBefore(row, other, other.row)
  }

  /// How far its rows come before the rival's first row and before `bound`, the key of the first row that
  /// units not opened yet may have: a row number behind `row`. Gallops, so that rows that do not interleave
  /// cost a few comparisons.
  func end(of rival: MergeSource?, limit: Int, bound: Int64?) -> Int {
    guard let batch else { return row }
    let most = min(batch.rowCount, row + limit)
    func isOurs(_ index: Int) -> Bool {
      if let bound, let key = firstKey(index), isDescending ? key <= bound : key >= bound { return false }
      return rival.map { isBefore(index, $0, $0.row) } ?? true
    }
    var good = row
    var step = 1
    while good + step < most, isOurs(good + step) {
      good += step
      step *= 2
    }
    var bad = min(good + step, most)
    while good + 1 < bad {
      let middle = (good + bad) / 2
      if isOurs(middle) { good = middle } else { bad = middle }
    }
    return good + 1
  }
}
