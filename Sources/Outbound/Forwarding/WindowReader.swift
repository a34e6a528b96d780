import Records

/// What a window may hold at most.
struct WindowBounds: Sendable, Hashable {
  /// Positions looked at from the start on.
  var span: Int64
  var rowsMax: Int
  /// Bytes of text; one larger row is still taken.
  var bytesMax: Int
}

/// Reads windows of snapshots. Blocks: call on a thread of our own.
///
/// Blocks are sorted by time, so any of them may hold the next position: all rows of the span are read, and
/// whenever twice the bounds are held the ones with the greatest positions are let go. Memory is at most that
/// and one batch of a cursor (8,192 rows).
struct WindowReader: Sendable {
  let dataset: Dataset
  let mapping: LokiMapping

  /// - Parameter snapshot: Of the tenant's records of `dataset`.
  func read(
    _ snapshot: any PartitionSnapshot, from start: Int64, bounds: WindowBounds
  ) throws(StoreError) -> EntryWindow {
    let end = max(start, min(snapshot.positionEnd, start.addingReportingOverflow(bounds.span).partialValue))
    let schema = dataset.schema
    let columns = mapping.columns.compactMap { name in
      schema.field(name).map { OutputColumn(ColumnPath(name), type: $0.type) }
    }
    var collector = WindowCollector(bounds: bounds, end: end)
    if start < end {
      let units = try snapshot.plan(ScanRequest(columns: columns, positions: start..<end, order: .unordered))
      for unit in units.sorted(by: { $0.bounds.positionMin < $1.bounds.positionMin }) {
        // The end comes nearer while rows are let go.
        if unit.bounds.positionMin >= collector.end { continue }
        let cursor = try unit.open()
        while let batch = try cursor.next() { collector.add(batch) }
      }
    }
    return collector.finish(fields: columns.map(\.field), positionEnd: snapshot.positionEnd)
  }
}

/// Keeps the rows with the lowest positions within bounds.
struct WindowCollector {
  private let bounds: WindowBounds
  /// Rows from here on are not wanted any more.
  private(set) var end: Int64
  private var batches: [RecordBatch] = []
  private var rowCount = 0
  private var byteCount = 0

  init(bounds: WindowBounds, end: Int64) {
    self.bounds = bounds
    self.end = end
  }

  mutating func add(_ batch: RecordBatch) {
    guard batch.rowCount > 0 else { return }
    batches.append(batch)
    rowCount += batch.rowCount
    byteCount += WindowCollector.textBytes(batch)
    if rowCount > bounds.rowsMax * 2 || byteCount > bounds.bytesMax * 2 { trim() }
  }

  mutating func finish(fields: [Field], positionEnd: Int64) -> EntryWindow {
    trim()
    guard let rows = batches.first else {
      let none = RecordBatch(
        fields: fields, columns: fields.map { .nulls(type: $0.type, rowCount: 0) }, rowCount: 0)
      return EntryWindow(rows: none, positions: [], coveredEnd: end, positionEnd: positionEnd)
    }
    return EntryWindow(
      rows: rows, positions: WindowCollector.positions(rows), coveredEnd: end, positionEnd: positionEnd)
  }

  private struct Place {
    var position: Int64
    var batch: Int32
    var row: Int32
  }

  /// Sorts what is held into one batch and lets the rows beyond the bounds go.
  private mutating func trim() {
    var places: [Place] = []
    places.reserveCapacity(rowCount)
    var sizes: [[Int32]] = []
    for (index, batch) in batches.enumerated() {
      let positions = WindowCollector.positions(batch)
      for row in positions.indices where positions[row] < end {
        places.append(
          Place(
            position: positions[row], batch: Int32(truncatingIfNeeded: index),
            row: Int32(truncatingIfNeeded: row)))
      }
      sizes.append(WindowCollector.rowBytes(batch))
    }
    if zip(places, places.dropFirst()).contains(where: { $0.position > $1.position }) {
      places.sort { $0.position < $1.position }
    }
    var kept = 0
    var bytes = 0
    while kept < min(places.count, bounds.rowsMax) {
      let size = Int(sizes[Int(places[kept].batch)][Int(places[kept].row)])
      if kept > 0, bytes + size > bounds.bytesMax { break }
      bytes += size
      kept += 1
    }
    if kept < places.count { end = places[kept].position }
    keep(places[..<kept])
    rowCount = kept
    byteCount = bytes
  }

  private mutating func keep(_ places: ArraySlice<Place>) {
    guard !places.isEmpty else {
      batches = []
      return
    }
    var runs: [RowRun] = []
    for place in places {
      let (source, row) = (Int(place.batch), Int(place.row))
      if let last = runs.last, last.source == source, last.start + last.count == row {
        runs[runs.count - 1].count += 1
      } else {
        runs.append(RowRun(source: source, start: row, count: 1))
      }
    }
    batches = [RecordBatch.gather(batches, runs: runs)]
  }

  private static func positions(_ batch: RecordBatch) -> [Int64] {
    batch.columns[0].withInt64 { values in values.indices.map { values[$0] } }
  }

  /// Bytes of text of each row; a dictionary's values count as often as they occur.
  private static func rowBytes(_ batch: RecordBatch) -> [Int32] {
    var sizes = [Int32](repeating: 0, count: batch.rowCount)
    for column in batch.columns where column.type.isText {
      if case .dictionary = column.storage {
        column.withDictionary { keys, offsets, _ in
          for row in sizes.indices where column.isValid(row) {
            sizes[row] &+= offsets[Int(keys[row]) + 1] &- offsets[Int(keys[row])]
          }
        }
      } else {
        column.withText { offsets, _ in
          for row in sizes.indices { sizes[row] &+= offsets[row + 1] &- offsets[row] }
        }
      }
    }
    return sizes
  }

  private static func textBytes(_ batch: RecordBatch) -> Int {
    rowBytes(batch).reduce(0) { $0 + Int($1) }
  }
}
