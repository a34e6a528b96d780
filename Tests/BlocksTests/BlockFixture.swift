import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// A block on a simulated disk, and the rows it was written from in the order they must have.
struct BlockFixture {
  let disk: SimulatedDisk
  let reader: BlockReader
  /// The same, with a page cache that holds a part of it.
  let caching: BlockReader
  /// All rows, sorted, as one batch.
  let rows: RecordBatch
  let layout: BlockLayout

  static let path = "blocks/1.parquet"

  static var smallLayout: BlockLayout {
    var layout = BlockLayout()
    layout.rowsPerGroup = 96
    layout.rowsPerPage = 16
    layout.sampleRowCount = 64
    return layout
  }

  static func partition(_ dataset: Dataset) -> Partition {
    Partition(tenant: Tenant(realm: .native, name: "tenant"), dataset: dataset)
  }

  static func place(id: UInt64 = 1, of dataset: Dataset = .logs) -> BlockPlace {
    BlockPlace(
      id: id, partition: partition(dataset), directory: "blocks", path: "blocks/\(id).parquet",
      deletionsApplied: 0)
  }

  static func disk(seed: UInt64 = 1) throws -> SimulatedDisk {
    let disk = SimulatedDisk(seed: seed)
    try disk.createDirectory("blocks")
    try disk.syncDirectory("")
    return disk
  }

  init(_ batches: [RecordBatch], dataset: Dataset = .logs, layout: BlockLayout = smallLayout) throws {
    disk = try BlockFixture.disk()
    self.layout = layout
    let partition = BlockFixture.partition(dataset)
    let facts = try BlockWriter.write(
      HeadRows(batches, partition: partition), to: BlockFixture.place(of: dataset), fileSystem: disk,
      layout: layout)
    reader = try BlockReader(try #require(facts), path: BlockFixture.path, fileSystem: disk)
    caching = try BlockReader(try #require(facts), path: BlockFixture.path, fileSystem: disk)
    caching.keepPages(in: PageCache(bytesMax: 300_000), while: BlockLife())
    rows = BlockFixture.sorted(batches, schema: dataset.schema)
  }

  /// The rows in the order of the dataset's sort key, by plain sorting.
  static func sorted(_ batches: [RecordBatch], schema: DatasetSchema) -> RecordBatch {
    var places: [(batch: Int, row: Int)] = []
    for (index, batch) in batches.enumerated() { places += (0..<batch.rowCount).map { (index, $0) } }
    let keys = batches.map { SortKeys($0, schema: schema) }
    places.sort { keys[$0.batch].precedes($0.row, keys[$1.batch], $1.row) }
    return RecordBatch.gather(
      batches, runs: places.map { RowRun(source: $0.batch, start: $0.row, count: 1) })
  }

  func compiled(_ predicate: Predicate) throws -> CompiledPredicate {
    try CompiledPredicate(predicate, schema: reader.facts.partition.dataset.schema)
  }

  /// All rows of a scan, unit by unit; with a page cache they are the same.
  func scan(_ request: ScanRequest, deletions: [PendingDeletion] = []) throws -> [PlainRow] {
    let found = try scan(request, deletions: deletions, of: reader)
    let cached = try scan(request, deletions: deletions, of: caching)
    if cached != found { Issue.record("other rows from the page cache: \(request.predicate)") }
    return found
  }

  func scan(
    _ request: ScanRequest, deletions: [PendingDeletion] = [], of reader: BlockReader
  ) throws -> [PlainRow] {
    var found: [PlainRow] = []
    let units = try reader.units(
      for: request, predicate: try compiled(request.predicate), deletions: deletions)
    for unit in units {
      let cursor = try unit.open()
      while let batch = try cursor.next() {
        #expect(batch.rowCount > 0 && batch.rowCount <= 8192)
        found += PlainRow.rows(of: batch)
      }
    }
    return found
  }

  /// How many rows a scan has, by counting.
  func count(_ request: ScanRequest, deletions: [PendingDeletion] = []) throws -> Int {
    try reader.units(for: request, predicate: try compiled(request.predicate), deletions: deletions)
      .reduce(0) { $0 + (try $1.countMatches()) }
  }

  /// The rows that match by looking at each; as places in ``rows``.
  func expected(_ request: ScanRequest, deletions: [PendingDeletion] = []) throws -> [Int] {
    let batch = EvaluationBatch(rows)
    var selection = try compiled(request.predicate).evaluate(batch)
    let times = rows.existing("timestamp").int64Values
    let positions = rows.existing("position").int64Values
    for row in 0..<rows.rowCount {
      if times[row] < request.start ?? .min || request.end.map({ times[row] >= $0 }) ?? false
        || !request.positions.contains(positions[row])
      {
        selection.remove(row)
      }
    }
    for deletion in deletions {
      deletion.predicate.evaluate(batch).forEach { row in
        if positions[row] < deletion.positionEnd { selection.remove(row) }
      }
    }
    return selection.indices().map { Int($0) }
  }
}
