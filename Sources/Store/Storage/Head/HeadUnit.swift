import Blocks
import Journaling
import Matching
import Records

/// A run of the head's frames as a part of a scan.
struct HeadUnit: ScanUnit {
  /// Rows of a unit, about: few when order is asked for, since a newest-first reader stops after the first
  /// unit.
  static func rowsTarget(_ order: ScanOrder) -> Int { order == .unordered ? 65_536 : 16_384 }

  /// Bytes of frames of a unit, unless it is a single frame: no batch of it has more text.
  static let bytesMax = 32 << 20

  let frames: [HeadFrame]
  let chunks: [HeadChunk]
  let filter: RowFilter
  let projection: Projection
  let order: ScanOrder
  let schema: DatasetSchema
  let bounds: KeyBounds
  let rowCountMax: Int
  let objects: Set<StoredObject>
  fileprivate let cancellation: CancellationToken?

  init(
    _ frames: [HeadFrame], filter: RowFilter, projection: Projection, order: ScanOrder,
    schema: DatasetSchema, cancellation: CancellationToken? = nil
  ) {
    self.cancellation = cancellation
    self.frames = frames
    chunks = HeadChunk.chunks(frames)
    self.filter = filter
    self.projection = projection
    self.order = order
    self.schema = schema
    bounds = KeyBounds.union(frames.map(\.bounds))
    rowCountMax = frames.reduce(0) { $0 + $1.rowCount }
    objects = Set(Set(frames.map(\.segmentNumber)).map { StoredObject(number: UInt64($0)) })
  }

  /// Units over the frames, which come in order of their positions, leaving out those no wanted row can be
  /// in.
  static func units(
    _ frames: some Sequence<HeadFrame>, request: ScanRequest, filter: RowFilter, schema: DatasetSchema
  ) -> [HeadUnit] {
    let projection = Projection(request.columns)
    let target = rowsTarget(request.order)
    var units: [HeadUnit] = []
    var open: [HeadFrame] = []
    var rows = 0
    var bytes = 0
    func close() {
      if open.isEmpty { return }
      units.append(
        HeadUnit(
          open, filter: filter, projection: projection, order: request.order, schema: schema,
          cancellation: request.cancellation))
      open = []
      rows = 0
      bytes = 0
    }
    for frame in frames {
      guard frame.bounds.meets(start: filter.start, end: filter.end, positions: filter.positions) else {
        continue
      }
      if rows > 0, rows + frame.rowCount > target || bytes + frame.byteCount > bytesMax { close() }
      open.append(frame)
      rows += frame.rowCount
      bytes += frame.byteCount
    }
    close()
    return units
  }

  /// Bytes of a batch that is given out, about, unless a single row has more.
  private static let batchBytesMax = 4 << 20

  private var byteCount: Int { frames.reduce(0) { $0 + $1.byteCount } }

  /// Rows of a batch that is given out.
  var batchRowsMax: Int {
    min(HeadCursor.batchRowsMax, max(1, HeadUnit.batchBytesMax * rowCountMax / max(byteCount, 1)))
  }

  /// Keys and references of its rows, and one batch given out, made of copies. The frames themselves are
  /// mapped.
  var memoryBytesEstimate: Int { rowCountMax * 64 + 2 * min(byteCount, HeadUnit.batchBytesMax) + (1 << 20) }

  func open() throws(StoreError) -> any BatchCursor { try HeadCursor(self) }

  func countMatches() throws(StoreError) -> Int {
    var count = 0
    for chunk in chunks { count += try select(chunk).count }
    return count
  }

  /// The rows of a chunk that are wanted.
  fileprivate func select(_ chunk: HeadChunk) throws(StoreError) -> Selection {
    try cancellation?.check()
    let rows = try filter.select(chunk)
    if let meter = cancellation?.meter {
      meter.note(rows: chunk.rowCount)
      meter.note(bytes: chunk.frames.reduce(0) { $0 + $1.byteCount })
    }
    // What was evaluated meanwhile means nothing if it is over.
    try cancellation?.check()
    return rows
  }
}

/// Reads a ``HeadUnit``.
final class HeadCursor: BatchCursor {
  static let batchRowsMax = 8192

  private let unit: HeadUnit
  private var references: [RowReference]
  private var given = 0
  private var batches: [Int: RecordBatch] = [:]

  init(_ unit: HeadUnit) throws(StoreError) {
    self.unit = unit
    var selections: [Selection] = []
    for chunk in unit.chunks { selections.append(try unit.select(chunk)) }
    switch unit.order {
    case .unordered: references = RowOrder.references(selections)
    case .ascending: references = try RowOrder.sorted(unit.chunks, selections, schema: unit.schema)
    case .descending:
      references = try RowOrder.sorted(unit.chunks, selections, schema: unit.schema).reversed()
    }
  }

  func next() throws(StoreError) -> RecordBatch? {
    try unit.cancellation?.check()
    guard given < references.count else { return nil }
    let end = min(given + unit.batchRowsMax, references.count)
    defer { given = end }
    let runs = RowOrder.runs(references[given..<end])
    var sources: [RecordBatch] = []
    var sourceOfChunk: [Int: Int] = [:]
    var gathered: [RowRun] = []
    gathered.reserveCapacity(runs.count)
    for run in runs {
      let source = sourceOfChunk[run.source] ?? sources.count
      if source == sources.count {
        sourceOfChunk[run.source] = source
        sources.append(try batch(of: run.source))
      }
      gathered.append(RowRun(source: source, start: run.start, count: run.count))
    }
    return unit.projection.apply(RecordBatch.gather(sources, runs: gathered))
  }

  private func batch(of chunk: Int) throws(StoreError) -> RecordBatch {
    if let known = batches[chunk] { return known }
    let batch = try unit.chunks[chunk].batch(columns: unit.projection.columns)
    batches[chunk] = batch
    return batch
  }
}
