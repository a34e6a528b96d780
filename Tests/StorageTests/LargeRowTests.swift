import Blocks
import Journaling
import Platform
import Records
import TestKit
import Testing

@testable import Storage

/// Rows so large that what once went by rows alone would be gathered into more than fits: the bounds are
/// small here, the shape is that of 2,400 records of a megabyte in eight blocks.
struct LargeRowTests {
  static let rowBytes = 4 << 10

  static var layout: BlockLayout {
    var layout = BlockLayout()
    (layout.bytesPerGroup, layout.bytesPerPage, layout.mergeBytesMax) = (256 << 10, 32 << 10, 512 << 10)
    return layout
  }

  static func batch(_ rows: Range<Int>, bytes: Int = rowBytes) -> RecordBatch {
    let fields = Dataset.logs.schema.declaredFields
    let columns = fields.map { field -> Column in
      if field.type == .timestamp { return Column(timestamps: rows.map { Int64($0 % 300) * 1_000_000_000 }) }
      var builder = TextBuilder()
      for row in rows {
        if field.name == "message" {
          builder.appendRow("\(row) " + String(repeating: "x", count: bytes))
        } else {
          builder.appendNull()
        }
      }
      return builder.finish(type: field.type)
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }

  static func open(_ disk: SimulatedDisk, _ options: StorageOptions) throws -> (StorageEngine, JournalFile) {
    let environment = StoreEnvironment(
      fileSystem: disk, clock: ManualClock(), entropy: SeededEntropy(seed: 1), observer: EventList())
    let opened = try StorageEngine.open(
      directory: "data", environment: environment, options: options, format: ParquetBlocks(layout: layout)
    ) { directory, start throws(JournalError) in
      try JournalFile.open(
        directory: directory, environment: environment, options: options.journal, start: start
      ).journal
    }
    return (opened.engine, opened.journal)
  }

  static func positions(_ engine: StorageEngine) throws -> [Int64] {
    var found: [Int64] = []
    let request = ScanRequest(columns: [
      OutputColumn(ColumnPath("position"), type: .int64), OutputColumn(ColumnPath("message"), type: .utf8),
    ])
    for unit in try engine.snapshot(of: EventTests.logs).plan(request) {
      let cursor = try unit.open()
      while let batch = try cursor.next() {
        found += batch.columns[0].withInt64 { positions in positions.indices.map { positions[$0] } }
      }
    }
    return found
  }

  @Test func blocksOfLargeRowsAreMerged() throws {
    var options = EventTests.Bench.options
    options.journal.segmentBytes = 1 << 20
    options.mergeInputsMin = 8
    let (engine, journal) = try Self.open(SimulatedDisk(seed: 1), options)
    for block in 0..<8 {
      for part in 0..<6 {
        let first = block * 300 + part * 50
        let request = AppendRequest(batch: Self.batch(first..<first + 50), partition: EventTests.logs)
        _ = try journal.commit([request])[0].get()
      }
      while let step = try engine.archive(EventTests.logs) {
        journal.release([EventTests.logs: step.archivedThrough])
      }
    }
    #expect(engine.usage()[0].blockCount == 8)
    #expect(try engine.compact())
    #expect(engine.usage().map(\.blockCount) == [1] && engine.usage()[0].blockRows == 2_400)
    #expect(try Self.positions(engine).sorted() == (0..<2_400).map { Int64($0) })
  }

  /// A run of the head is cut by bytes too.
  @Test func archivingIsCutByBytes() throws {
    var options = EventTests.Bench.options
    options.journal.segmentBytes = 1 << 20
    options.archiveBlockBytesMax = 1 << 20
    let (engine, journal) = try Self.open(SimulatedDisk(seed: 1), options)
    for part in 0..<20 {
      let request = AppendRequest(
        batch: Self.batch(part * 50..<part * 50 + 50), partition: EventTests.logs)
      _ = try journal.commit([request])[0].get()
    }
    var steps: [Int] = []
    while let step = try engine.archive(EventTests.logs) {
      steps.append(step.rowCount)
      journal.release([EventTests.logs: step.archivedThrough])
    }
    #expect(steps.reduce(0, +) == 1_000 && steps.allSatisfy { $0 <= 350 })
  }

  /// What is copied out of the head at once is bounded.
  @Test func runsOfTheHeadAreCutByBytes() throws {
    var options = EventTests.Bench.options
    options.journal.segmentBytes = 4 << 20
    options.journal.headBytesMax = 1 << 30
    let (engine, journal) = try Self.open(SimulatedDisk(seed: 1), options)
    for part in 0..<60 {
      let request = AppendRequest(
        batch: Self.batch(part * 20..<part * 20 + 20, bytes: 40_000), partition: EventTests.logs)
      _ = try journal.commit([request])[0].get()
    }
    let frames = Array(journal.head(of: EventTests.logs).frames)
    let chunks = HeadChunk.chunks(frames)
    #expect(chunks.count > 1 && chunks.reduce(0) { $0 + $1.rowCount } == 1_200)
    for chunk in chunks {
      #expect(chunk.frames.count == 1 || chunk.frames.reduce(0) { $0 + $1.byteCount } <= HeadChunk.bytesMax)
    }
    let units = try engine.snapshot(of: EventTests.logs).plan(ScanRequest(columns: []))
    #expect(units.count > 1)
    #expect(try units.reduce(0) { $0 + (try $1.countMatches()) } == 1_200)
  }

  @Test func filesThatAreLargeEnoughAreNotMerged() {
    var options = StorageOptions()
    options.mergeBytesMin = 1_000
    options.mergeBytesMax = 3_000
    let blocks = (0..<16).map { index in
      var facts = CompactionPlannerTests.block(
        UInt64(index + 1), at: Int64(index) * 10, rows: 10, ingested: 0...1)
      facts.byteCount = index == 3 ? 1_000 : 300
      return facts
    }
    let plan = CompactionPlanner(options: options, now: 0).plan(blocks, deletions: [])
    #expect(plan?.inputs.map(\.id) == Array(5...14).map { UInt64($0) })
  }
}
