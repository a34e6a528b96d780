import Blocks
import Codecs
import Matching
import Platform
import Records
import Storage
import Synchronization

/// A block format of a page of code: what stands above block files is simulated with it quickly. The server's
/// own format is simulated too (`Simulation.Formats`), with fewer histories.
struct PlainBlocks: BlockFormat {
  func write(
    _ rows: BlockInput, to place: BlockPlace, on fileSystem: any FileSystem, shouldStop: () -> Bool
  ) throws(StoreError) -> BlockFacts? {
    if shouldStop() { return nil }
    var batches: [RecordBatch] = []
    switch rows {
    case .head(let parts, let deletions):
      let columns = place.partition.dataset.schema.fields.map(\.name)
      for part in parts {
        do throws(BlockError) {
          batches.append(PlainBlocks.drop(deletions, from: try part.batch(columns: columns)))
        } catch { throw error.storeError }
      }
    case .merged(let blocks):
      batches = blocks.map { block in
        guard let plain = block.block as? PlainBlock else { preconditionFailure("blocks of one format") }
        return PlainBlocks.drop(block.deletions, from: plain.batch)
      }
    }
    let batch = PlainBlocks.sorted(batches, schema: place.partition.dataset.schema)
    if batch.rowCount == 0 { return nil }
    var bytes = PlainCoding.encode(batch)
    PlainCoding.append(claim: batch, place, to: &bytes)
    PlainCoding.append(UInt64(CRC32C.checksum(bytes)), to: &bytes)
    do throws(DiskError) {
      if try fileSystem.exists(place.temporaryPath) { try fileSystem.remove(place.temporaryPath) }
      let file = try fileSystem.create(place.temporaryPath)
      try file.write(bytes.span, at: 0)
      try file.sync()
      try fileSystem.rename(place.temporaryPath, to: place.path)
      try fileSystem.syncDirectory(place.directory)
    } catch { throw PlainBlocks.error(error) }
    return PlainBlocks.facts(of: batch, place, byteCount: bytes.count)
  }

  func open(
    _ path: String, facts: BlockFacts, on fileSystem: any FileSystem
  ) throws(StoreError) -> any BlockReading {
    let bytes: [UInt8]
    do throws(DiskError) {
      let file = try fileSystem.open(path, writable: false)
      bytes = try file.read(at: 0, count: try file.size())
    } catch { throw PlainBlocks.error(error) }
    let body = Array(bytes.dropLast(8))
    guard bytes.count == facts.byteCount,
      PlainCoding.word(bytes, at: bytes.count - 8) == UInt64(CRC32C.checksum(body)),
      let batch = PlainCoding.decode(body, fields: facts.partition.dataset.schema.fields),
      batch.rowCount == facts.rowCount
    else { throw .corrupt(file: path, offsetBytes: 0, reason: "not the block that was written") }
    return PlainBlock(batch, dataset: facts.partition.dataset)
  }

  static func error(_ error: DiskError) -> StoreError {
    switch error {
    case .full(let operation, let path): .diskFull("\(operation) \(path)")
    case .notFound(let path): .corrupt(file: path, offsetBytes: 0, reason: "missing")
    case .failed(let operation, let path, _, _): .disk("\(operation) \(path)")
    }
  }

  static func drop(_ deletions: [PendingDeletion], from batch: RecordBatch) -> RecordBatch {
    let rows = PlainRows(batch).kept(deletions)
    return pick(rows.indices().map { Int($0) }, of: batch)
  }

  static func pick(_ rows: [Int], of batch: RecordBatch) -> RecordBatch {
    RecordBatch.gather([batch], runs: rows.map { RowRun(source: 0, start: $0, count: 1) })
  }

  private static func sorted(_ batches: [RecordBatch], schema: DatasetSchema) -> RecordBatch {
    let runs = batches.indices.map { RowRun(source: $0, start: 0, count: batches[$0].rowCount) }
    let all = RecordBatch.gather(batches, runs: runs)
    let keys = PlainRows(all).keys(schema)
    return pick((0..<all.rowCount).sorted { keys[$0] < keys[$1] }, of: all)
  }

  private static func facts(of batch: RecordBatch, _ place: BlockPlace, byteCount: Int) -> BlockFacts {
    let rows = PlainRows(batch)
    let positions = rows.integers("position")
    let times = rows.integers("timestamp")
    let ingested = rows.integers("ingested_at")
    let bounds = KeyBounds(
      timestampMin: times.min() ?? 0, timestampMax: times.max() ?? 0, positionMin: positions.min() ?? 0,
      positionMax: positions.max() ?? 0)
    var facts = BlockFacts(
      id: place.id, partition: place.partition, rowCount: batch.rowCount, bounds: bounds,
      ingested: (ingested.min() ?? 0)...(ingested.max() ?? 0), deletionsApplied: place.deletionsApplied)
    facts.byteCount = byteCount
    return facts
  }
}

/// A sort key as something to compare.
struct PlainKey: Comparable {
  var texts: [[UInt8]]
  var time: Int64
  var position: Int64

  static func < (one: PlainKey, other: PlainKey) -> Bool {
    for (left, right) in zip(one.texts, other.texts) where left != right {
      return left.lexicographicallyPrecedes(right)
    }
    return (one.time, one.position) < (other.time, other.position)
  }
}

/// Row-wise looks at a batch: slow and simple.
struct PlainRows {
  let batch: RecordBatch

  init(_ batch: RecordBatch) { self.batch = batch }

  func integers(_ name: String) -> [Int64] {
    batch.column(name)?.withInt64 { span in span.indices.map { span[$0] } } ?? []
  }

  func texts(_ name: String) -> [[UInt8]?] {
    guard let column = batch.column(name)?.plainText() else { return [] }
    return column.withText { offsets, bytes in
      (0..<column.rowCount).map { row in
        column.isValid(row) ? (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] } : nil
      }
    }
  }

  func keys(_ schema: DatasetSchema) -> [PlainKey] {
    let positions = integers("position")
    if schema.sortKey == ["timestamp"] {
      let times = integers("timestamp")
      return positions.indices.map { PlainKey(texts: [], time: times[$0], position: positions[$0]) }
    }
    let columns = schema.sortKey.map { texts($0) }
    return positions.indices.map { row in
      PlainKey(texts: columns.map { $0[row] ?? [] }, time: 0, position: positions[row])
    }
  }

  var evaluation: EvaluationBatch { EvaluationBatch(batch) }

  func kept(_ deletions: [PendingDeletion]) -> Selection {
    let positions = integers("position")
    var rows = Selection(rowCount: batch.rowCount, all: true)
    for deletion in deletions {
      let matching = deletion.predicate.evaluate(evaluation)
      for row in positions.indices where matching[row] && positions[row] < deletion.positionEnd {
        rows.remove(row)
      }
    }
    return rows
  }
}

final class PlainBlock: BlockReading {
  let batch: RecordBatch
  private let dataset: Dataset

  init(_ batch: RecordBatch, dataset: Dataset) {
    self.batch = batch
    self.dataset = dataset
  }

  var memoryBytes: Int { 65_536 }

  /// Of some blocks after each start.
  func isOfOlderFormat() throws(StoreError) -> Bool {
    batch.rowCount % 3 == 0
  }

  func units(
    _ request: ScanRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> [any ScanUnit] {
    let rows = PlainRows(batch)
    var wanted = rows.kept(deletions)
    wanted.formIntersection(predicate.evaluate(rows.evaluation))
    let positions = rows.integers("position")
    let times = rows.integers("timestamp")
    let kept = positions.indices.filter { row in
      wanted[row] && request.positions.contains(positions[row]) && times[row] >= request.start ?? .min
        && (request.end.map { times[row] < $0 } ?? true)
    }
    let ordered = request.order == .descending ? kept.reversed() : kept
    return stride(from: 0, to: ordered.count, by: 50).map { start in
      PlainUnit(PlainBlocks.pick(Array(ordered[start..<min(start + 50, ordered.count)]), of: batch), request)
    }
  }

  func groupedCounts(
    _ request: GroupedCountRequest, predicate: CompiledPredicate, deletions: [PendingDeletion]
  ) throws(StoreError) -> GroupedCountAnswer {
    GroupedCountAnswer(
      counts: [:], remaining: try units(request.scan, predicate: predicate, deletions: deletions))
  }
}

struct PlainUnit: ScanUnit {
  private let batch: RecordBatch
  private let request: ScanRequest

  init(_ batch: RecordBatch, _ request: ScanRequest) {
    self.batch = batch
    self.request = request
  }

  var bounds: KeyBounds {
    let positions = PlainRows(batch).integers("position")
    let times = PlainRows(batch).integers("timestamp")
    return KeyBounds(
      timestampMin: times.min() ?? 0, timestampMax: times.max() ?? 0, positionMin: positions.min() ?? 0,
      positionMax: positions.max() ?? 0)
  }
  var objects: Set<StoredObject> { [] }
  var rowCountMax: Int { batch.rowCount }
  var memoryBytesEstimate: Int { 0 }
  func countMatches() throws(StoreError) -> Int { batch.rowCount }
  func open() throws(StoreError) -> any BatchCursor {
    let projection = Projection(request.columns)
    let columns = projection.columns.compactMap { name in batch.column(name) }
    let fields = projection.columns.compactMap { name in batch.fields.first { $0.name == name } }
    return PlainCursor(
      projection.apply(RecordBatch(fields: fields, columns: columns, rowCount: batch.rowCount)))
  }
}

final class PlainCursor: BatchCursor {
  private var batch: RecordBatch?
  init(_ batch: RecordBatch) { self.batch = batch }
  func next() throws(StoreError) -> RecordBatch? {
    defer { batch = nil }
    return batch
  }
}

/// A batch as bytes: per column its validity and its values, each with a length.
enum PlainCoding {
  static func append(_ word: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: word >> shift))
    }
  }

  static func word(_ bytes: [UInt8], at offset: Int) -> UInt64 {
    guard offset >= 0, offset + 8 <= bytes.count else { return 0 }
    return bytes[offset..<offset + 8].reversed().reduce(0) { $0 << 8 | UInt64($1) }
  }

  static func encode(_ batch: RecordBatch) -> [UInt8] {
    var bytes: [UInt8] = []
    append(UInt64(batch.rowCount), to: &bytes)
    for column in batch.columns.map({ $0.plainText() }) {
      var parts = [column.validity]
      switch column.storage {
      case .fixed(let values): parts.append(values)
      case .text(let offsets, let text): parts += [offsets, text]
      case .dictionary: preconditionFailure("plain columns")
      }
      for part in parts {
        append(part.map { UInt64($0.byteCount) } ?? .max, to: &bytes)
        part?.withSpan(of: UInt8.self) { span in for index in span.indices { bytes.append(span[index]) } }
      }
    }
    return bytes
  }

  static func decode(_ bytes: [UInt8], fields: [Field]) -> RecordBatch? {
    let rowCount = Int(word(bytes, at: 0))
    var offset = 8
    func part() -> Buffer? {
      let count = word(bytes, at: offset)
      offset += 8
      guard count != .max, offset + Int(count) <= bytes.count else { return nil }
      defer { offset += Int(count) }
      return Buffer(copying: Array(bytes[offset..<offset + Int(count)]))
    }
    var columns: [Column] = []
    for field in fields {
      let validity = part()
      guard let values = part() else { return nil }
      var storage = Column.Storage.fixed(values)
      if field.type.isText {
        guard let text = part() else { return nil }
        storage = .text(offsets: values, bytes: text)
      }
      columns.append(Column(type: field.type, rowCount: rowCount, validity: validity, storage: storage))
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rowCount)
  }
}
