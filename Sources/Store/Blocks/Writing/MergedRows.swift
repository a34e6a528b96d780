import Matching
import Records

/// The rows of several blocks of one partition, merged into sort order: what compaction hands to
/// ``BlockWriter``.
///
/// Memory: two pages of decoded rows a block, or as much as its share of `bytesMax` allows, and one row
/// group.
package final class MergedRows: BlockRowSource {
  /// Of all the blocks.
  package let partition: Partition
  package let rowCountMax: Int
  private let readers: [BlockReader]
  private let deletions: [[PendingDeletion]]
  private let bytesMax: Int
  private var inputs: [Input]?
  /// The page that did not fit into the row group before.
  private var left = Rows()

  /// A block's rows at hand.
  private struct Input {
    let rows: BlockRows
    var batch: RecordBatch
    var keys: SortKeys
    /// Bytes of text of each row.
    var sizes: [Int]
    var at = 0
    /// Where the batch lies among those of the row group at hand, once rows of it were taken.
    var source: Int?
  }

  /// Rows of a row group, or of a page of it.
  private struct Rows {
    var sources: [RecordBatch] = []
    var runs: [RowRun] = []
    var rowCount = 0
    var byteCount = 0

    mutating func add(_ run: RowRun, byteCount: Int) {
      runs.append(run)
      rowCount += run.count
      self.byteCount += byteCount
    }
  }

  /// - Parameters:
  ///   - blocks: At least one; each with the deletions that are pending on it (its rows they hide are left
  ///     out).
  ///   - bytesMax: What their decoded rows may take together.
  package init(
    _ blocks: [(reader: BlockReader, deletions: [PendingDeletion])],
    bytesMax: Int = BlockLayout().mergeBytesMax
  ) {
    invariant(!blocks.isEmpty, "blocks to merge")
    self.bytesMax = bytesMax
    partition = blocks[0].reader.facts.partition
    readers = blocks.map(\.reader)
    deletions = blocks.map(\.deletions)
    rowCountMax = readers.reduce(0) { $0 + $1.facts.rowCount }
    for reader in readers { invariant(reader.facts.partition == partition, "blocks of one partition") }
  }

  /// See ``BlockRowSource``.
  package var positionSpan: UInt64 {
    let low = readers.map(\.facts.bounds.positionMin).min() ?? 0
    let high = readers.map(\.facts.bounds.positionMax).max() ?? 0
    return UInt64(bitPattern: high &- low)
  }

  /// See ``BlockRowSource``. Goes by the bounds of the pages; rows that deletions hide leave gaps of any
  /// size.
  package func timeGapMax() throws(BlockError) -> UInt64? {
    guard partition.dataset.schema.isSortedByTime, deletions.allSatisfy(\.isEmpty) else {
      return nil
    }
    var gap: UInt64 = 0
    // Before a block's first row stands what reaches farthest of those that begin before it.
    var reached: Int64?
    for reader in readers.sorted(by: { $0.facts.bounds.timestampMin < $1.facts.bounds.timestampMin }) {
      let pages = try reader.contents().pages.pages
      if let reached, reached < pages[0].timestampMin {
        gap = max(gap, UInt64(bitPattern: pages[0].timestampMin &- reached))
      }
      for (place, page) in pages.enumerated() {
        let start = place == 0 ? page.timestampMin : pages[place - 1].timestampMax
        gap = max(
          gap, UInt64(bitPattern: page.timestampMax &- page.timestampMin),
          UInt64(bitPattern: page.timestampMin &- start))
      }
      reached = max(reached ?? .min, reader.facts.bounds.timestampMax)
    }
    return gap
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

  /// See ``BlockRowSource``. Goes by what the columns take as the files have them.
  package var bytesPerRow: Int {
    var bytes = 0
    for reader in readers {
      // What cannot be read fails where the first row is asked for.
      guard let contents = try? reader.contents() else { continue }
      bytes += contents.bytesPerRow * reader.facts.rowCount
    }
    return bytes / max(rowCountMax, 1) + 1
  }

  /// See ``BlockRowSource``.
  package func restart() {
    inputs = nil
    left = Rows()
  }

  /// See ``BlockRowSource``.
  package func next(_ cut: GroupCut) throws(BlockError) -> NextRows {
    var inputs: [Input]
    if let known = self.inputs { inputs = known } else { inputs = try open() }
    defer {
      for index in inputs.indices { inputs[index].source = nil }
      self.inputs = inputs
    }
    var group = Rows()
    var page = takeLeft()
    group.sources = page.sources
    while group.rowCount + cut.rowsPerPage <= cut.rowsMax {
      try fill(&page, cut.rowsPerPage, &inputs, &group.sources)
      if page.rowCount == 0 { break }
      if group.rowCount > 0, group.byteCount + page.byteCount > cut.bytesMax {
        leave(page, group.sources)
        break
      }
      if page.byteCount > cut.bytesMax, cut.rowsPerPage > 1 {
        return .pageTooLarge(byteCount: page.byteCount)
      }
      group.runs += page.runs
      group.rowCount += page.rowCount
      group.byteCount += page.byteCount
      page = Rows()
    }
    return group.runs.isEmpty ? .end : .rows(RecordBatch.gather(group.sources, runs: group.runs))
  }

  /// Adds the rows that come next until the page is full or there are no more; `sources` gets the batches
  /// they are of.
  private func fill(
    _ page: inout Rows, _ rowsMax: Int, _ inputs: inout [Input], _ sources: inout [RecordBatch]
  ) throws(BlockError) {
    while page.rowCount < rowsMax, let first = MergedRows.least(inputs) {
      let source = inputs[first].source ?? sources.count
      if source == sources.count {
        sources.append(inputs[first].batch)
        inputs[first].source = source
      }
      let start = inputs[first].at
      let end = MergedRows.runEnd(inputs, first, countMax: rowsMax - page.rowCount)
      var bytes = 0
      for row in start..<end { bytes += inputs[first].sizes[row] }
      page.add(RowRun(source: source, start: start, count: end - start), byteCount: bytes)
      inputs[first].at = end
      if end == inputs[first].batch.rowCount { try advance(&inputs, first) }
    }
  }

  /// Keeps a full page for the next row group, and the batches its rows are of.
  private func leave(_ page: Rows, _ sources: [RecordBatch]) {
    left = page
    var places: [Int: Int] = [:]
    for index in left.runs.indices {
      let source = left.runs[index].source
      if places[source] == nil {
        places[source] = left.sources.count
        left.sources.append(sources[source])
      }
      left.runs[index].source = places[source] ?? 0
    }
  }

  /// The page that was left. Its batches are the row group's first; one that an input still has at hand comes
  /// a second time when more of its rows are taken.
  private func takeLeft() -> Rows {
    defer { left = Rows() }
    return left
  }

  private func open() throws(BlockError) -> [Input] {
    let share = bytesMax / readers.count
    var inputs: [Input] = []
    for (reader, deletions) in zip(readers, deletions) {
      let rows = try BlockRows(reader, deletions: deletions, bytesMax: share)
      if let batch = try rows.next() { inputs.append(input(rows, batch)) }
    }
    return inputs
  }

  private func input(_ rows: BlockRows, _ batch: RecordBatch) -> Input {
    Input(
      rows: rows, batch: batch, keys: SortKeys(batch, schema: partition.dataset.schema),
      sizes: batch.textBytes())
  }

  private func advance(_ inputs: inout [Input], _ index: Int) throws(BlockError) {
    if let batch = try inputs[index].rows.next() {
      inputs[index] = input(inputs[index].rows, batch)
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
