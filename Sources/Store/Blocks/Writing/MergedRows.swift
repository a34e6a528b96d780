import Matching
import Records

/// The rows of several blocks of one partition, merged into sort order: what compaction hands to
/// ``BlockWriter``.
///
/// Memory: two pages of decoded rows a block, and one row group.
package final class MergedRows: BlockRowSource {
  /// Of all the blocks.
  package let partition: Partition
  package let rowCountMax: Int
  private let readers: [BlockReader]
  private let deletions: [[PendingDeletion]]
  private var inputs: [Input]?

  /// A block's rows at hand.
  private struct Input {
    let rows: BlockRows
    var batch: RecordBatch
    var keys: SortKeys
    var at = 0
    /// Where the batch lies among those of the row group at hand, once rows of it were taken.
    var source: Int?
  }

  /// - Parameter blocks: At least one; each with the deletions that are pending on it (its rows they hide are
  ///   left out).
  package init(_ blocks: [(reader: BlockReader, deletions: [PendingDeletion])]) {
    precondition(!blocks.isEmpty, "blocks to merge")
    partition = blocks[0].reader.facts.partition
    readers = blocks.map(\.reader)
    deletions = blocks.map(\.deletions)
    rowCountMax = readers.reduce(0) { $0 + $1.facts.rowCount }
    for reader in readers { precondition(reader.facts.partition == partition, "blocks of one partition") }
  }

  /// See ``BlockRowSource``. Reads a few pages of each block.
  package func census(sampleRowCount: Int) throws(BlockError) -> [String: MemberCensus] {
    var result: [String: MemberCensus] = [:]
    for (reader, deletions) in zip(readers, deletions) {
      let share = sampleRowCount * reader.facts.rowCount / max(rowCountMax, 1)
      let found = try reader.contents().census(sampleRowCount: max(share, 64), deletions: deletions)
      for (name, census) in found { result[name, default: MemberCensus()].formUnion(census) }
    }
    return result
  }

  /// See ``BlockRowSource``.
  package func next(rowCount: Int) throws(BlockError) -> RecordBatch? {
    var inputs: [Input]
    if let known = self.inputs { inputs = known } else { inputs = try open() }
    var sources: [RecordBatch] = []
    var runs: [RowRun] = []
    var left = rowCount
    while left > 0, let first = MergedRows.least(inputs) {
      let source = inputs[first].source ?? sources.count
      if source == sources.count {
        sources.append(inputs[first].batch)
        inputs[first].source = source
      }
      let start = inputs[first].at
      let end = MergedRows.runEnd(inputs, first, countMax: left)
      runs.append(RowRun(source: source, start: start, count: end - start))
      left -= end - start
      inputs[first].at = end
      if end == inputs[first].batch.rowCount { try advance(&inputs, first) }
    }
    for index in inputs.indices { inputs[index].source = nil }
    self.inputs = inputs
    return runs.isEmpty ? nil : RecordBatch.gather(sources, runs: runs)
  }

  private func open() throws(BlockError) -> [Input] {
    var inputs: [Input] = []
    for (reader, deletions) in zip(readers, deletions) {
      let rows = try BlockRows(reader, deletions: deletions)
      if let batch = try rows.next() { inputs.append(Input(rows: rows, batch: batch, keys: keys(batch))) }
    }
    return inputs
  }

  private func keys(_ batch: RecordBatch) -> SortKeys { SortKeys(batch, schema: partition.dataset.schema) }

  private func advance(_ inputs: inout [Input], _ index: Int) throws(BlockError) {
    if let batch = try inputs[index].rows.next() {
      inputs[index] = Input(rows: inputs[index].rows, batch: batch, keys: keys(batch))
    } else {
      inputs.remove(at: index)
    }
  }

  /// The input whose next row comes first.
  private static func least(_ inputs: [Input]) -> Int? {
    var result: Int?
    for index in inputs.indices {
      if let best = result,
        !inputs[index].keys.precedes(inputs[index].at, inputs[best].keys, inputs[best].at)
      {
        continue
      }
      result = index
    }
    return result
  }

  /// One behind the last row of input `first` that comes before the next rows of all others.
  private static func runEnd(_ inputs: [Input], _ first: Int, countMax: Int) -> Int {
    let start = inputs[first].at
    let limit = min(start + countMax, inputs[first].batch.rowCount)
    let others = inputs.indices.filter { $0 != first }
    guard let bound = least(others.map { inputs[$0] }).map({ others[$0] }) else { return limit }
    let (own, other) = (inputs[first], inputs[bound])
    // Neighbours overlap little: usually the whole batch comes first.
    if own.keys.precedes(limit - 1, other.keys, other.at) { return limit }
    var low = start + 1
    var high = limit - 1
    while low < high {
      let middle = (low + high) / 2
      if own.keys.precedes(middle, other.keys, other.at) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// The sort keys of a batch's rows.
struct SortKeys {
  /// Text keys, if the dataset has any, else the timestamp.
  private let texts: [Column]
  private let times: [Int64]
  private let positions: [Int64]

  init(_ batch: RecordBatch, schema: DatasetSchema) {
    positions = batch.existing("position").int64Values
    if schema.sortKey == ["timestamp"] {
      texts = []
      times = batch.existing("timestamp").int64Values
    } else {
      texts = schema.sortKey.map { batch.existing($0).plainText() }
      times = []
    }
  }

  /// Whether row `row` comes before row `otherRow` of `other`.
  func precedes(_ row: Int, _ other: SortKeys, _ otherRow: Int) -> Bool {
    if texts.isEmpty {
      if times[row] != other.times[otherRow] { return times[row] < other.times[otherRow] }
      return positions[row] < other.positions[otherRow]
    }
    for (left, right) in zip(texts, other.texts) {
      let order = left.compareText(row, right, otherRow)
      if order != 0 { return order < 0 }
    }
    return positions[row] < other.positions[otherRow]
  }
}

extension Column {
  /// The values of an int64 or timestamp column, copied.
  var int64Values: [Int64] { withInt64 { values in values.indices.map { values[$0] } } }

  /// Negative, 0 or positive as the text of `row` comes before, equals or comes after `otherRow` of `other`,
  /// by bytes.
  func compareText(_ row: Int, _ other: Column, _ otherRow: Int) -> Int {
    withText { offsets, bytes in
      other.withText { otherOffsets, otherBytes in
        let left = Int(offsets[row])..<Int(offsets[row + 1])
        let right = Int(otherOffsets[otherRow])..<Int(otherOffsets[otherRow + 1])
        for index in 0..<min(left.count, right.count) {
          let a = bytes[left.lowerBound + index]
          let b = otherBytes[right.lowerBound + index]
          if a != b { return Int(a) - Int(b) }
        }
        return left.count - right.count
      }
    }
  }
}
