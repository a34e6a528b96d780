import Records

/// Reads rows of a snapshot in the order of their positions, whatever order blocks keep them in.
///
/// Window by window: a window of n positions holds n rows at most, so sorting it takes bounded memory.
/// Windows shrink where they hold much and grow where the filter leaves little.
struct PositionScan {
  /// Rows and bytes of columns a window may hold before it is tried again smaller; then it is as small as can
  /// be.
  static let windowRowsMax = 4_096
  static let windowBytesMax = 2 << 20
  private static let windowMin: Int64 = 1
  private static let windowMax: Int64 = 1 << 20

  private let snapshot: any PartitionSnapshot
  private let columns: [OutputColumn]
  private let filter: Records.Predicate
  private let end: Int64
  private let cancellation: CancellationToken?
  /// Rows below were read. While the newest are looked for: rows from here on were.
  private(set) var position: Int64
  /// So many rows below ``position`` are still looked for, before any is read.
  private var missing = 0
  /// The first of the rows that were found.
  private var found: Int64
  private var window: Int64 = 4_096

  /// - Parameters:
  ///   - columns: Names of the dataset's schema; `position` is read besides.
  ///   - cancellation: See ``ScanRequest/cancellation``.
  init(
    _ snapshot: any PartitionSnapshot, dataset: Dataset, columns: [String], filter: Records.Predicate,
    positions: Range<Int64>, cancellation: CancellationToken? = nil
  ) {
    self.snapshot = snapshot
    self.filter = filter
    self.cancellation = cancellation
    self.columns = (columns.contains("position") ? columns : columns + ["position"]).map { name in
      guard let field = dataset.schema.field(name) else { bug("a column of the schema") }
      return OutputColumn(ColumnPath(name), type: field.type)
    }
    position = positions.lowerBound
    end = positions.upperBound
    found = end
  }

  /// Begins at the newest `count` of the matching rows below the first position instead: first it is looked
  /// for where they begin, backwards, by their positions alone.
  mutating func beginBefore(count: Int) { missing = count }

  var isAtEnd: Bool { missing == 0 && position >= end }

  /// The rows of the next window, nil if there are none. Blocking.
  mutating func next() throws(StoreError) -> RecordBatch? {
    if missing > 0 {
      try lookBack()
      return nil
    }
    while !isAtEnd {
      let upTo = end - position > window ? position + window : end
      guard let batches = try read(position..<upTo, columns) else {
        window = max(PositionScan.windowMin, window / 4)
        continue
      }
      position = upTo
      let rows = batches.reduce(0) { $0 + $1.rowCount }
      widen(after: rows, batches.byteCount)
      return rows == 0 ? nil : PositionScan.sorted(batches)
    }
    return nil
  }

  private mutating func widen(after rows: Int, _ bytes: Int) {
    if rows < PositionScan.windowRowsMax / 8, bytes < PositionScan.windowBytesMax / 8 {
      window = min(PositionScan.windowMax, window * 4)
    }
  }

  /// Looks through one window more for where the newest rows begin.
  private mutating func lookBack() throws(StoreError) {
    let from = max(0, position - window)
    let wanted = columns.filter { $0.path == ColumnPath("position") }
    guard let batches = try read(from..<position, wanted) else {
      window = max(PositionScan.windowMin, window / 4)
      return
    }
    let positions = batches.flatMap(\.positions).sorted()
    found = positions.isEmpty ? found : positions[max(0, positions.count - missing)]
    missing = from == 0 ? 0 : max(0, missing - positions.count)
    position = missing == 0 ? found : from
    // Reading begins with a small window, however few there were before.
    if missing == 0 { window = 4_096 } else { widen(after: positions.count, batches.byteCount) }
  }

  /// nil if it is too much for one window and a smaller one is possible.
  private func read(
    _ positions: Range<Int64>, _ columns: [OutputColumn]
  ) throws(StoreError) -> [RecordBatch]? {
    var batches: [RecordBatch] = []
    var rows = 0
    var bytes = 0
    var request = ScanRequest(columns: columns, predicate: filter, positions: positions)
    request.cancellation = cancellation
    for unit in try snapshot.plan(request) {
      let cursor = try unit.open()
      while let batch = try cursor.next() {
        rows += batch.rowCount
        bytes += batch.byteCount(0..<batch.rowCount)
        if rows > PositionScan.windowRowsMax || bytes > PositionScan.windowBytesMax,
          positions.upperBound - positions.lowerBound > PositionScan.windowMin
        {
          return nil
        }
        batches.append(batch)
      }
    }
    return batches
  }

  private static func sorted(_ batches: [RecordBatch]) -> RecordBatch {
    var rows: [(position: Int64, source: Int, row: Int)] = []
    for (source, batch) in batches.enumerated() {
      for (row, position) in batch.positions.enumerated() { rows.append((position, source, row)) }
    }
    rows.sort { $0.position < $1.position }
    var runs: [RowRun] = []
    for row in rows {
      if let last = runs.last, last.source == row.source, last.start + last.count == row.row {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(RowRun(source: row.source, start: row.row, count: 1))
      }
    }
    return RecordBatch.gather(batches, runs: runs)
  }

  /// The smallest position of a row of the snapshot; nil without rows. Reads the positions of the units that
  /// may hold it, of which there is usually one. Blocking.
  static func firstPosition(in snapshot: any PartitionSnapshot) throws(StoreError) -> Int64? {
    let request = ScanRequest(columns: [OutputColumn(ColumnPath("position"), type: .int64)])
    var first: Int64?
    for unit in try snapshot.plan(request).sorted(by: { $0.bounds.positionMin < $1.bounds.positionMin }) {
      let least = unit.bounds.positionMin
      if let first, first <= least { break }
      let cursor = try unit.open()
      while first ?? .max > least, let batch = try cursor.next() {
        first = min(first ?? .max, batch.positions.min() ?? .max)
      }
    }
    return first
  }
}

extension [RecordBatch] {
  /// About the bytes of their values.
  var byteCount: Int { reduce(0) { $0 + $1.byteCount(0..<$1.rowCount) } }
}
