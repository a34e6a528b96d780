import Codecs
import Matching
import Records

/// Rows of the head, sorted: what archiving hands to ``BlockWriter``.
///
/// Memory: 8 bytes a row for their order (32 more while sorting; none if they are sorted already), 8 for
/// their sizes, and the gathered columns of one row group.
package final class HeadRows: BlockRowSource {
  /// Of all the batches.
  package let partition: Partition
  package let rowCountMax: Int
  private let batches: [RecordBatch]
  /// The number of each batch's first row.
  private let starts: [Int]
  /// Rows in sort order without hidden ones; nil: all rows as they are.
  private let order: [UInt32]?
  /// The batch of each row, if `order` is not nil.
  private let batchOfRow: [UInt32]
  /// Which rows deletions hide; empty: none.
  private let isHidden: [Bool]
  /// Bytes of text of each row, batch after batch.
  private let sizes: [Int]
  private var at = 0

  /// See ``BlockRowSource``.
  package var positionSpan: UInt64 {
    var range = (low: Int64.max, high: Int64.min)
    for batch in batches {
      batch.existing("position").withInt64 { positions in
        for row in positions.indices {
          range = (min(range.low, positions[row]), max(range.high, positions[row]))
        }
      }
    }
    return range.low > range.high ? 0 : UInt64(bitPattern: range.high &- range.low)
  }

  /// See ``BlockRowSource``. Looks at every row: about 2 ms a million.
  package func timeGapMax() -> UInt64? {
    guard partition.dataset.schema.isSortedByTime else { return nil }
    var times: [Int64] = []
    times.reserveCapacity(sizes.count)
    for batch in batches {
      batch.existing("timestamp").withInt64 { span in for row in span.indices { times.append(span[row]) } }
    }
    var gap: UInt64 = 0
    if let order {
      for place in order.indices.dropFirst() {
        gap = max(gap, UInt64(bitPattern: times[Int(order[place])] &- times[Int(order[place - 1])]))
      }
    } else {
      for row in times.indices.dropFirst() {
        gap = max(gap, UInt64(bitPattern: times[row] &- times[row - 1]))
      }
    }
    return gap
  }

  /// - Parameters:
  ///   - batches: All columns of the schema each; sorting is fastest when positions rise from batch to batch.
  ///   - deletions: Rows they hide are left out.
  package init(_ batches: [RecordBatch], partition: Partition, deletions: [PendingDeletion] = []) {
    self.partition = partition
    self.batches = batches
    var starts: [Int] = []
    var total = 0
    for batch in batches {
      starts.append(total)
      total += batch.rowCount
    }
    self.starts = starts
    var order = HeadRows.order(of: batches, rowCount: total, schema: partition.dataset.schema)
    let hidden = HeadRows.hidden(batches, by: deletions)
    var isHidden: [Bool] = []
    if hidden.contains(where: { !$0.isEmpty }) {
      isHidden = [Bool](repeating: false, count: total)
      for (batch, rows) in hidden.enumerated() { rows.forEach { isHidden[starts[batch] + $0] = true } }
      order = (order ?? (0..<UInt32(total)).map { $0 }).filter { !isHidden[Int($0)] }
    }
    self.order = order
    self.isHidden = isHidden
    sizes = batches.flatMap { $0.textBytes() }
    rowCountMax = order?.count ?? total
    var batchOfRow: [UInt32] = []
    if order != nil {
      batchOfRow.reserveCapacity(total)
      for (index, batch) in batches.enumerated() {
        batchOfRow.append(contentsOf: repeatElement(UInt32(index), count: batch.rowCount))
      }
    }
    self.batchOfRow = batchOfRow
  }

  /// See ``BlockRowSource``.
  package func census(sampleRowCount: Int) throws(BlockError) -> [String: MemberCensus] {
    let step = max(1, rowCountMax / max(sampleRowCount, 1))
    let objects = partition.dataset.schema.fields.filter { $0.type == .json }
    guard rowCountMax > 0, !objects.isEmpty else { return [:] }
    let sources = batches.map { batch in
      RecordBatch(
        fields: objects, columns: objects.map { batch.existing($0.name) }, rowCount: batch.rowCount)
    }
    var result: [String: MemberCensus] = [:]
    var runs: [RowRun] = []
    var bytes = 0
    func count() {
      let sample = RecordBatch.gather(sources, runs: runs)
      for (index, field) in objects.enumerated() {
        result[field.name, default: MemberCensus()].add(sample.columns[index])
      }
      (runs, bytes) = ([], 0)
    }
    // Rows that are passed over until the next one of the sample.
    var left = 0
    for (index, batch) in batches.enumerated() {
      var row = 0
      while row < batch.rowCount {
        if !isHidden.isEmpty, isHidden[starts[index] + row] {
          row += 1
        } else if left > 0 {
          let passed = isHidden.isEmpty ? min(left, batch.rowCount - row) : 1
          left -= passed
          row += passed
        } else {
          runs.append(RowRun(source: index, start: row, count: 1))
          bytes += sizes[starts[index] + row]
          if bytes > HeadRows.sampleBytesMax { count() }
          left = step - 1
          row += 1
        }
      }
    }
    if !runs.isEmpty { count() }
    return result
  }

  /// Text of the sample that is gathered at once.
  private static let sampleBytesMax = 32 << 20

  /// See ``BlockRowSource``.
  package var bytesPerRow: Int { sizes.reduce(0, +) / max(sizes.count, 1) + 1 }

  /// See ``BlockRowSource``.
  package func restart() { at = 0 }

  /// See ``BlockRowSource``.
  package func next(_ cut: GroupCut) throws(BlockError) -> NextRows {
    var end = at
    var bytes = 0
    while end < min(at + cut.rowsMax, rowCountMax) {
      let page = end..<min(end + cut.rowsPerPage, rowCountMax)
      let pageBytes = byteCount(of: page)
      if end > at, bytes + pageBytes > cut.bytesMax { break }
      if end == at, pageBytes > cut.bytesMax, cut.rowsPerPage > 1 {
        return .pageTooLarge(byteCount: pageBytes)
      }
      bytes += pageBytes
      end = page.upperBound
    }
    guard at < end else { return .end }
    defer { at = end }
    return .rows(gather(at..<end))
  }

  /// Bytes of text of the rows at these places in sort order.
  private func byteCount(of places: Range<Int>) -> Int {
    guard let order else { return places.reduce(0) { $0 + sizes[$1] } }
    return places.reduce(0) { $0 + sizes[Int(order[$1])] }
  }

  private func gather(_ places: Range<Int>) -> RecordBatch {
    let (at, end) = (places.lowerBound, places.upperBound)
    var runs: [RowRun] = []
    if let order {
      for place in at..<end {
        let row = Int(order[place])
        let batch = Int(batchOfRow[row])
        let inBatch = row - starts[batch]
        if let last = runs.last, last.source == batch, last.start + last.count == inBatch {
          runs[runs.count - 1].count += 1
        } else {
          runs.append(RowRun(source: batch, start: inBatch, count: 1))
        }
      }
    } else {
      for (index, batch) in batches.enumerated() {
        let first = max(at, starts[index])
        let count = min(end, starts[index] + batch.rowCount) - first
        guard count > 0 else { continue }
        runs.append(RowRun(source: index, start: first - starts[index], count: count))
      }
    }
    return gather(runs)
  }

  /// Gathers from the batches that are named, so that few are looked at where many exist.
  private func gather(_ runs: [RowRun]) -> RecordBatch {
    var places = [Int32](repeating: -1, count: batches.count)
    var sources: [RecordBatch] = []
    var local = runs
    for index in local.indices {
      let batch = local[index].source
      if places[batch] < 0 {
        places[batch] = Int32(sources.count)
        sources.append(batches[batch])
      }
      local[index].source = Int(places[batch])
    }
    return RecordBatch.gather(sources, runs: local)
  }

  // MARK: Order

  /// The rows by (sort key, position); nil if they are so.
  private static func order(
    of batches: [RecordBatch], rowCount: Int, schema: DatasetSchema
  ) -> [UInt32]? {
    var byPosition: [UInt32]?
    if !positionsRise(batches) {
      var positions: [UInt64] = []
      positions.reserveCapacity(rowCount)
      for batch in batches { batch.appendKeys(of: "position", to: &positions) }
      byPosition = StableOrder.rows(by: positions)
    }
    var keys: [UInt64] = []
    keys.reserveCapacity(rowCount)
    if schema.sortKey == ["timestamp"] {
      for batch in batches { batch.appendKeys(of: "timestamp", to: &keys) }
    } else {
      keys = TextRanks.keys(of: batches, columns: schema.sortKey, rowCount: rowCount)
    }
    guard let byPosition else { return StableOrder.rows(by: keys) }
    guard let byKey = StableOrder.rows(by: byPosition.map { keys[Int($0)] }) else { return byPosition }
    return byKey.map { byPosition[Int($0)] }
  }

  private static func positionsRise(_ batches: [RecordBatch]) -> Bool {
    var previous = Int64.min
    for batch in batches {
      let rises = batch.existing("position").withInt64 { positions in
        for row in positions.indices {
          if positions[row] <= previous { return false }
          previous = positions[row]
        }
        return true
      }
      if !rises { return false }
    }
    return true
  }

  /// The rows of each batch that deletions hide.
  private static func hidden(_ batches: [RecordBatch], by deletions: [PendingDeletion]) -> [Selection] {
    guard !deletions.isEmpty else { return [] }
    return batches.map { batch in
      var hidden = Selection(rowCount: batch.rowCount, all: false)
      let columns = EvaluationBatch(batch)
      for deletion in deletions {
        var rows = deletion.predicate.evaluate(columns)
        if rows.isEmpty { continue }
        rows.dropPositions(of: batch.existing("position"), from: deletion.positionEnd)
        hidden.formUnion(rows)
      }
      return hidden
    }
  }
}

extension Selection {
  /// Drops the rows whose position is `end` or more.
  mutating func dropPositions(of column: Column, from end: Int64) {
    column.withInt64 { positions in
      for row in indices() where positions[Int(row)] >= end { remove(Int(row)) }
    }
  }
}

extension RecordBatch {
  /// The column of a name that is there by contract.
  func existing(_ name: String) -> Column {
    guard let column = column(name) else { bug("a batch with all columns of its schema") }
    return column
  }

  /// Appends an int64 or timestamp column as numbers whose order is the values' order.
  fileprivate func appendKeys(of name: String, to keys: inout [UInt64]) {
    existing(name).withInt64 { values in
      for row in values.indices { keys.append(UInt64(bitPattern: values[row]) ^ (1 << 63)) }
    }
  }
}

/// Ranks of texts among all distinct ones of a column, by bytes.
enum TextRanks {
  /// One key a row whose order is that of the texts of `columns` (one or two).
  static func keys(of batches: [RecordBatch], columns: [String], rowCount: Int) -> [UInt64] {
    invariant(columns.count <= 2, "two ranks of 32 bits make a key")
    var keys = [UInt64](repeating: 0, count: rowCount)
    for name in columns {
      var numbers: [Int32] = []
      numbers.reserveCapacity(rowCount)
      var index: [[UInt8]: Int32] = [:]
      for batch in batches { append(batch.existing(name), to: &numbers, &index) }
      var ranks = [UInt64](repeating: 0, count: index.count)
      for (rank, entry) in index.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }).enumerated() {
        ranks[Int(entry.value)] = UInt64(rank)
      }
      for row in keys.indices { keys[row] = keys[row] << 32 | ranks[Int(numbers[row])] }
    }
    return keys
  }

  /// Appends the number of each row's text; texts get numbers as they appear. Null is the empty text.
  private static func append(_ column: Column, to numbers: inout [Int32], _ index: inout [[UInt8]: Int32]) {
    let encoded = DictionaryEncoder.encode(column, valuesMax: 1 << 20)
    guard case .dictionary = encoded.storage else {
      encoded.withText { offsets, bytes in
        for row in 0..<encoded.rowCount {
          numbers.append(number(of: bytes.extracting(Int(offsets[row])..<Int(offsets[row + 1])), &index))
        }
      }
      return
    }
    encoded.withDictionary { keys, offsets, bytes in
      var ofKey: [Int32] = []
      for key in 0..<offsets.count - 1 {
        ofKey.append(number(of: bytes.extracting(Int(offsets[key])..<Int(offsets[key + 1])), &index))
      }
      for row in keys.indices { numbers.append(ofKey[Int(keys[row])]) }
    }
  }

  private static func number(of text: Span<UInt8>, _ index: inout [[UInt8]: Int32]) -> Int32 {
    let bytes = text.indices.map { text[$0] }
    if let known = index[bytes] { return known }
    let number = Int32(index.count)
    index[bytes] = number
    return number
  }
}
