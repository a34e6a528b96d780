import Matching
import Records

/// What one look at every row of the head's parts tells: their order, their sizes, and which are hidden.
///
/// Memory: 8 bytes a row for their order (40 more while sorting; none if they are sorted already), 4 for
/// their sizes.
struct HeadSurvey {
  /// The number of each part's first row.
  let starts: [Int]
  /// Rows in sort order without hidden ones; nil: all rows as they are.
  let order: [UInt32]?
  /// The part of each row, if `order` is not nil.
  let partOfRow: [UInt32]
  /// Which rows deletions hide; empty: none.
  let isHidden: [Bool]
  /// Bytes of text of each row, part after part.
  let sizes: [UInt32]
  /// See ``BlockRowSource``.
  let positionSpan: UInt64
  /// See ``BlockRowSource``.
  let timeGapMax: UInt64?

  /// - Throws: What a part said.
  init(
    _ parts: [HeadPart], columns: [String], schema: DatasetSchema, deletions: [PendingDeletion]
  ) throws(BlockError) {
    var starts: [Int] = []
    var total = 0
    for part in parts {
      starts.append(total)
      total += part.rowCount
    }
    self.starts = starts
    var rows = Rows(rowCount: total)
    var held = HeldParts()
    for part in parts {
      rows.add(try part.batch(columns: columns), deletions)
      held.add(part)
    }
    held.letGo()
    sizes = rows.sizes
    positionSpan = rows.positions.isEmpty ? 0 : HeadSurvey.span(rows.positions)
    var order = try HeadSurvey.order(of: rows, parts, schema)
    isHidden = rows.isHidden.contains(true) ? rows.isHidden : []
    if !isHidden.isEmpty {
      order = (order ?? (0..<UInt32(total)).map { $0 }).filter { !rows.isHidden[Int($0)] }
    }
    self.order = order
    timeGapMax = schema.isSortedByTime ? HeadSurvey.gap(rows.timestamps, order) : nil
    var partOfRow: [UInt32] = []
    if order != nil {
      partOfRow.reserveCapacity(total)
      for (index, part) in parts.enumerated() {
        partOfRow.append(contentsOf: repeatElement(UInt32(index), count: part.rowCount))
      }
    }
    self.partOfRow = partOfRow
  }

  /// What is gathered of each row.
  private struct Rows {
    var timestamps: [Int64] = []
    var positions: [Int64] = []
    var sizes: [UInt32] = []
    /// Empty without deletions.
    var isHidden: [Bool] = []

    init(rowCount: Int) {
      timestamps.reserveCapacity(rowCount)
      positions.reserveCapacity(rowCount)
      sizes.reserveCapacity(rowCount)
    }

    mutating func add(_ batch: RecordBatch, _ deletions: [PendingDeletion]) {
      batch.existing("timestamp").withInt64 { span in for row in span.indices { timestamps.append(span[row]) }
      }
      batch.existing("position").withInt64 { span in for row in span.indices { positions.append(span[row]) } }
      for size in batch.textBytes() { sizes.append(UInt32(clamping: size)) }
      guard !deletions.isEmpty else { return }
      let start = isHidden.count
      isHidden.append(contentsOf: repeatElement(false, count: batch.rowCount))
      HeadSurvey.hidden(batch, by: deletions).forEach { isHidden[start + $0] = true }
    }
  }

  /// The rows of a batch that deletions hide.
  private static func hidden(_ batch: RecordBatch, by deletions: [PendingDeletion]) -> Selection {
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

  private static func span(_ positions: [Int64]) -> UInt64 {
    var range = (low: Int64.max, high: Int64.min)
    for position in positions { range = (min(range.low, position), max(range.high, position)) }
    return UInt64(bitPattern: range.high &- range.low)
  }

  /// At most how far apart neighbouring rows are.
  private static func gap(_ times: [Int64], _ order: [UInt32]?) -> UInt64 {
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

  /// The rows by (sort key, position); nil if they are so.
  private static func order(
    of rows: Rows, _ parts: [HeadPart], _ schema: DatasetSchema
  ) throws(BlockError) -> [UInt32]? {
    var byPosition: [UInt32]?
    let rises = rows.positions.indices.dropFirst().allSatisfy { rows.positions[$0 - 1] < rows.positions[$0] }
    if !rises { byPosition = StableOrder.rows(by: rows.positions.map(HeadSurvey.ordered)) }
    let keys = try HeadSurvey.keys(of: rows, parts, schema)
    guard let byPosition else { return StableOrder.rows(by: keys) }
    guard let byKey = StableOrder.rows(by: byPosition.map { keys[Int($0)] }) else { return byPosition }
    return byKey.map { byPosition[Int($0)] }
  }

  private static func keys(
    of rows: Rows, _ parts: [HeadPart], _ schema: DatasetSchema
  ) throws(BlockError) -> [UInt64] {
    if schema.sortKey == ["timestamp"] { return rows.timestamps.map(HeadSurvey.ordered) }
    var batches: [RecordBatch] = []
    for part in parts { batches.append(try part.batch(columns: schema.sortKey)) }
    defer { parts.forEach { $0.letGo() } }
    return TextRanks.keys(of: batches, columns: schema.sortKey, rowCount: rows.positions.count)
  }

  /// The number whose order among unsigned ones is the value's.
  private static func ordered(_ value: Int64) -> UInt64 { UInt64(bitPattern: value) ^ (1 << 63) }
}

extension Selection {
  /// Drops the rows whose position is `end` or more.
  mutating func dropPositions(of column: Column, from end: Int64) {
    column.withInt64 { positions in
      for row in indices() where positions[Int(row)] >= end { remove(Int(row)) }
    }
  }
}
