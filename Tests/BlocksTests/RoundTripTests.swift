import Codecs
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

@Suite struct RoundTripTests {
  private func allColumns(_ dataset: Dataset) -> [OutputColumn] {
    dataset.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) }
  }

  @Test(arguments: Registry.standard.datasets, [1, 15, 16, 17, 96, 97, 331])
  func rowsComeBackAsTheyWere(dataset: Dataset, rowCount: Int) throws {
    let seed = UInt64(rowCount * 10) + UInt64(dataset.code)
    var maker = RowMaker(seed: seed, dataset: dataset)
    let parts = [rowCount / 3, rowCount - rowCount / 3 - rowCount / 5, rowCount / 5].filter { $0 > 0 }
    let fixture = try BlockFixture(maker.batches(parts), dataset: dataset)
    let request = ScanRequest(columns: allColumns(dataset), order: .ascending)
    let found = try fixture.scan(request)
    let expected = PlainRow.rows(of: fixture.rows)
    #expect(found == expected, "seed \(seed)")
    var descending = request
    descending.order = .descending
    #expect(try fixture.scan(descending) == expected.reversed(), "seed \(seed)")
    let problems = BlockChecker.problems(
      of: fixture.reader.facts, path: BlockFixture.path, fileSystem: fixture.disk)
    #expect(problems.isEmpty, "\(problems)")
  }

  /// Nothing to sort: batches of the head go through as runs, over the edges of row groups.
  @Test(arguments: [[400], [10, 90, 300], [96, 96, 1], [1, 1, 1, 500, 40]])
  func rowsInOrderComeBackAsTheyWere(parts: [Int]) throws {
    var maker = RowMaker(seed: 5)
    maker.isSorted = true
    let fixture = try BlockFixture(maker.batches(parts))
    let found = try fixture.scan(ScanRequest(columns: allColumns(.logs), order: .ascending))
    #expect(found == PlainRow.rows(of: fixture.rows))
    #expect(found.count == parts.reduce(0, +))
  }

  @Test(arguments: 1...6)
  func mergedBlocksHoldTheSameRows(seed: Int) throws {
    let dataset: Dataset = seed % 2 == 0 ? .logs : .sessions
    var maker = RowMaker(seed: UInt64(seed), dataset: dataset)
    let disk = try BlockFixture.disk(seed: UInt64(seed))
    let partition = BlockFixture.partition(dataset)
    var batches: [RecordBatch] = []
    var blocks: [(reader: BlockReader, deletions: [PendingDeletion])] = []
    for id in 1...3 {
      let own = maker.batches([50, 100, 7])
      batches += own
      maker.time -= maker.step * 40
      let target = BlockFixture.place(id: UInt64(id), of: dataset)
      let facts = try #require(
        try BlockWriter.write(
          HeadRows(own, partition: partition), to: target, fileSystem: disk,
          layout: BlockFixture.smallLayout))
      blocks.append((try BlockReader(facts, path: target.path, fileSystem: disk), []))
    }
    let target = BlockFixture.place(id: 9, of: dataset)
    let facts = try #require(
      try BlockWriter.write(
        MergedRows(blocks), to: target, fileSystem: disk, layout: BlockFixture.smallLayout))
    #expect(BlockChecker.problems(of: facts, path: target.path, fileSystem: disk) == [])
    let reader = try BlockReader(facts, path: target.path, fileSystem: disk)
    var found: [PlainRow] = []
    let all = try CompiledPredicate(.all, schema: dataset.schema)
    for unit in try reader.units(
      for: ScanRequest(columns: allColumns(dataset), order: .ascending), predicate: all)
    {
      let cursor = try unit.open()
      while let batch = try cursor.next() { found += PlainRow.rows(of: batch) }
    }
    #expect(found == PlainRow.rows(of: BlockFixture.sorted(batches, schema: dataset.schema)), "seed \(seed)")
  }
}
