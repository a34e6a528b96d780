import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

@Suite struct DamageTests {
  private static let operations: [SimulatedDisk.Operation] = SimulatedDisk.Operation.allCases

  @Test(arguments: operations)
  func aDiskThatFailsLeavesNoHalfBlock(operation: SimulatedDisk.Operation) throws {
    var maker = RowMaker(seed: 5)
    let rows = maker.batches([100, 200])
    let partition = BlockFixture.partition(.logs)
    for fault in [SimulatedDisk.Fault.error, .full] {
      for count in 1...3 {
        let disk = try BlockFixture.disk(seed: UInt64(count))
        disk.fail(operation, after: count, with: fault)
        let before = disk.operationCount()
        do {
          let facts = try BlockWriter.write(
            HeadRows(rows, partition: partition), to: BlockFixture.place(), fileSystem: disk,
            layout: BlockFixture.smallLayout)
          let written = try #require(facts)
          disk.failNothing()
          #expect(BlockChecker.problems(of: written, path: BlockFixture.path, fileSystem: disk) == [])
        } catch let error as BlockError {
          guard case .disk = error else {
            Issue.record("\(operation) \(fault): \(error)")
            continue
          }
          disk.failNothing()
          // What is left under either name is replaced by the next attempt.
          let facts = try BlockWriter.write(
            HeadRows(rows, partition: partition), to: BlockFixture.place(), fileSystem: disk,
            layout: BlockFixture.smallLayout)
          #expect(facts?.rowCount == 300)
        }
        #expect(disk.operationCount() > before)
      }
    }
  }

  @Test func aBlockSurvivesAPowerCutOnceWritten() throws {
    var maker = RowMaker(seed: 6)
    let fixture = try BlockFixture(maker.batches([300]))
    let after = fixture.disk.crash()
    #expect(BlockChecker.problems(of: fixture.reader.facts, path: BlockFixture.path, fileSystem: after) == [])
  }

  @Test(arguments: 1...12)
  func flippedBitsAreErrorsAndNeverCrash(seed: UInt64) throws {
    var maker = RowMaker(seed: 3)
    let fixture = try BlockFixture(maker.batches([150, 100]))
    let facts = fixture.reader.facts
    let request = ScanRequest(
      columns: Dataset.logs.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) },
      order: .ascending)
    let expected = PlainRow.rows(of: fixture.rows)
    let pages = try fixture.reader.contents().indexOffset
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<8 {
      let offset = Int.random(in: 0..<facts.byteCount, using: &generator)
      let bit = Int.random(in: 0..<8, using: &generator)
      fixture.disk.rot(BlockFixture.path, offset: offset, bit: bit)
      defer { fixture.disk.rot(BlockFixture.path, offset: offset, bit: bit) }
      let problems = BlockChecker.problems(of: facts, path: BlockFixture.path, fileSystem: fixture.disk)
      let note = "seed \(seed) offset \(offset) bit \(bit)"
      if (8..<pages).contains(offset) { #expect(!problems.isEmpty, "\(note)") }
      do {
        let reader = try BlockReader(facts, path: BlockFixture.path, fileSystem: fixture.disk)
        var found: [PlainRow] = []
        for unit in try reader.units(for: request, predicate: try fixture.compiled(.all)) {
          let cursor = try unit.open()
          while let batch = try cursor.next() { found += PlainRow.rows(of: batch) }
        }
        #expect(found == expected || !problems.isEmpty, "\(note)")
        if offset < pages { #expect(found == expected, "\(note)") }
      } catch {}
    }
  }

  @Test func aShortOrMissingFileIsSaid() throws {
    var maker = RowMaker(seed: 4)
    let fixture = try BlockFixture(maker.batches([20]))
    var facts = fixture.reader.facts
    facts.byteCount += 1
    #expect(throws: BlockError.self) {
      try BlockReader(facts, path: BlockFixture.path, fileSystem: fixture.disk)
    }
    #expect(throws: BlockError.self) {
      try BlockReader(facts, path: "blocks/none.parquet", fileSystem: fixture.disk)
    }
    facts = fixture.reader.facts
    facts.rowCount += 1
    #expect(!BlockChecker.problems(of: facts, path: BlockFixture.path, fileSystem: fixture.disk).isEmpty)
  }

  @Test func noRowsMakeNoBlock() throws {
    let disk = try BlockFixture.disk()
    var maker = RowMaker(seed: 1)
    let batch = maker.batch(rowCount: 10)
    let all = PendingDeletion(
      id: 1, predicate: try CompiledPredicate(.all, schema: Dataset.logs.schema), positionEnd: .max)
    let rows = HeadRows([batch], partition: BlockFixture.partition(.logs), deletions: [all])
    #expect(try BlockWriter.write(rows, to: BlockFixture.place(), fileSystem: disk) == nil)
    #expect(disk.files().isEmpty)
  }

  @Test func writingStopsWhenAsked() throws {
    let disk = try BlockFixture.disk()
    var maker = RowMaker(seed: 1)
    let rows = HeadRows([maker.batch(rowCount: 300)], partition: BlockFixture.partition(.logs))
    var asked = 0
    let facts = try BlockWriter.write(
      rows, to: BlockFixture.place(), fileSystem: disk, layout: BlockFixture.smallLayout,
      shouldStop: {
        asked += 1
        return asked == 3
      })
    #expect(facts == nil && disk.files().isEmpty)
  }
}
