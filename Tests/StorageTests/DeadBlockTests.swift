import Blocks
import Foundation
import Journaling
import Platform
import Records
import TestKit
import Testing

@testable import Storage

/// Readers with older snapshots, while blocks are replaced under them, on the machine's own file system: what
/// they hold goes back when they are done.
@Suite(.serialized) struct DeadBlockTests {
  let directory: String
  let clock = ManualClock()
  let engine: StorageEngine
  let journal: JournalFile

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString).path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    let environment = StoreEnvironment(clock: clock)
    var options = StorageOptions()
    options.journal.segmentBytes = 1 << 20
    options.journal.writeReserveBytes = 0
    options.mergeInputsMin = 2
    options.pageCacheBytesMax = 8 << 20
    (engine, journal) = try StorageEngine.open(
      directory: directory, environment: environment, options: options, format: ParquetBlocks()
    ) { directory, start throws(JournalError) in
      try JournalFile.open(
        directory: directory, environment: environment, options: options.journal, start: start
      ).journal
    }
  }

  /// Mappings of block files in this process, and files that are open.
  private func held() throws -> (maps: Int, deleted: Int, descriptors: Int) {
    // Foundation reads files by their sizes, and these have none.
    let bytes = try #require(FileHandle(forReadingAtPath: "/proc/self/maps")).readDataToEndOfFile()
    let maps = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
      .filter { $0.contains(directory + "/blocks") }
    let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").filter {
      let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/" + $0)
      return target?.contains(directory + "/blocks") ?? false
    }
    return (maps.count, maps.filter { $0.hasSuffix("(deleted)") }.count, descriptors.count)
  }

  private func files() throws -> Int {
    let names =
      FileManager.default.enumerator(atPath: directory + "/blocks")?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".parquet") }.count
  }

  private func addBlock(_ seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let batch = RandomBatches.batch(of: .logs, rowCount: 50, using: &random)
    _ = try journal.commit([AppendRequest(batch: batch, partition: EventTests.logs)])[0].get()
    let step = try #require(try engine.archive(EventTests.logs))
    journal.release([EventTests.logs: step.archivedThrough])
  }

  private func countRows(_ snapshot: any PartitionSnapshot) throws -> Int {
    var rows = 0
    for unit in try snapshot.plan(ScanRequest(columns: [OutputColumn(ColumnPath("position"), type: .int64)]))
    {
      let cursor = try unit.open()
      while let batch = try cursor.next() { rows += batch.rowCount }
    }
    return rows
  }

  /// Decoded pages go with their block, and older snapshots that read on leave none behind.
  @Test func pagesOfReplacedBlocksGo() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    try addBlock(1)
    try addBlock(2)
    let snapshot = engine.snapshot(of: EventTests.logs)
    let rowCount = try countRows(snapshot)
    #expect(engine.statistics().pages.count > 0)
    #expect(try engine.compact())
    #expect(engine.statistics().pages.count == 0 && engine.statistics().pages.bytes == 0)
    #expect(try countRows(snapshot) == rowCount)
    #expect(engine.statistics().pages.count == 0)
    #expect(try countRows(engine.snapshot(of: EventTests.logs)) == rowCount)
    #expect(engine.statistics().pages.count > 0)
    _ = try engine.delete(.all, from: EventTests.logs)
    while try engine.compact() {}
    #expect(engine.statistics().pages.count == 0)
  }

  @Test func mapsAndFilesOfReplacedBlocksGoBack() throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    var snapshots: [(snapshot: any PartitionSnapshot, rowCount: Int)] = []
    for round in 0..<40 {
      try addBlock(UInt64(round))
      snapshots.append((engine.snapshot(of: EventTests.logs), 0))
      snapshots[round].rowCount = try countRows(snapshots[round].snapshot)
      if round % 3 == 2 {
        let position = Int64(round)
        _ = try engine.delete(
          .compare(ColumnPath("position"), .equal, .int64(position)), from: EventTests.logs)
      }
      while try engine.compact() {}
      // The older snapshots are read again after their blocks were replaced.
      for held in snapshots.suffix(5) { #expect(try countRows(held.snapshot) == held.rowCount) }
      if round >= 5 { snapshots[round - 5].snapshot = engine.snapshot(of: EventTests.logs) }
      if round >= 5 { snapshots[round - 5].rowCount = try countRows(snapshots[round - 5].snapshot) }
    }
    #expect(try held().maps > 0)
    snapshots = []
    engine.emptyTrash()
    let live = engine.usage().reduce(0) { $0 + $1.blockCount }
    let left = try held()
    #expect(left.deleted == 0, "replaced blocks are not mapped")
    #expect(left.maps <= live && left.descriptors == 0)
    #expect(try files() == live)
  }
}
