import Columnar
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// Nothing of a deleted row is in a block written after the deletion: no word, no name of a member, no bound.
@Suite struct DeletedWordsTests {
  /// In every text, member name and member value of the rows that are deleted, and nowhere else.
  private static let mark = "zqmark"
  /// An int64 that spells the mark where a file holds it.
  private static let number: Int64 = 0x2121_6B72_616D_717A
  private static let keys: [Dataset: String] = [.logs: "service", .audit: "action", .sessions: "session"]

  /// Rows with some deleted ones among them.
  private struct Rows {
    var all: [RecordBatch] = []
    var kept: [RecordBatch] = []

    func kept(_ schema: DatasetSchema) -> [PlainRow] {
      PlainRow.rows(of: BlockFixture.sorted(kept, schema: schema))
    }
  }

  /// Every row as a deleted one.
  private func marked(_ batch: RecordBatch, key: String) -> RecordBatch {
    let mark = Self.mark
    let columns = zip(batch.fields, batch.columns).map { field, column -> Column in
      guard field.type == .utf8 || field.type == .json else { return column }
      var builder = TextBuilder()
      for row in 0..<batch.rowCount {
        if field.type == .json {
          builder.appendRow(
            "{\"\(mark)-name\":\"a \(mark)\(row)\",\"\(mark)-count\":\(Self.number),\"\(mark)-flag\":true,"
              + "\"\(mark)-share\":1.5,\"host\":\"\(mark)-host\",\"status\":\(Self.number),"
              + "\"\(mark)-\(row)\":[\"in \(mark)\"],\"nested\":{\"\(mark)\":\"\(mark)\"}}")
        } else if field.name == key {
          builder.appendRow(mark + (row % 2 == 0 ? "a" : "b"))
        } else {
          builder.appendRow("\(field.name) \(mark)\(row % 5)")
        }
      }
      return builder.finish(type: field.type)
    }
    return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
  }

  private func rows(_ maker: inout RowMaker, _ counts: [Int]) throws -> Rows {
    let key = try #require(Self.keys[maker.dataset])
    let oneIn = Int.random(in: 1...6, using: &maker.generator)
    var rows = Rows()
    for count in counts {
      let plain = maker.batch(rowCount: count)
      // The first row of each batch stays.
      let isKept = (0..<count).map { $0 == 0 || !maker.generator.chance(oneIn: oneIn) }
      let sources = [plain, marked(plain, key: key)]
      rows.all.append(
        RecordBatch.gather(
          sources, runs: (0..<count).map { RowRun(source: isKept[$0] ? 0 : 1, start: $0, count: 1) }))
      rows.kept.append(
        RecordBatch.gather(
          sources, runs: (0..<count).filter { isKept[$0] }.map { RowRun(source: 0, start: $0, count: 1) }))
    }
    return rows
  }

  private func deletions(_ dataset: Dataset) throws -> [PendingDeletion] {
    let key = try #require(Self.keys[dataset])
    return try ["a", "b"].enumerated().map { index, end in
      let rows = Predicate.compare(ColumnPath(key), .equal, .string(Self.mark + end))
      return PendingDeletion(
        id: UInt64(index + 1), predicate: try CompiledPredicate(rows, schema: dataset.schema),
        positionEnd: .max)
    }
  }

  private func isMarked(_ bytes: some RandomAccessCollection<UInt8>) -> Bool {
    let mark = Array(Self.mark.utf8)
    var matched = 0
    for byte in bytes {
      // No byte of the mark comes twice in it.
      matched = byte == mark[matched] ? matched + 1 : byte == mark[0] ? 1 : 0
      if matched == mark.count { return true }
    }
    return false
  }

  private func isMarked(_ column: Column) -> Bool {
    switch column.type {
    case .utf8, .json:
      if case .dictionary = column.storage {
        return column.withDictionary { _, _, bytes in isMarked(bytes.indices.map { bytes[$0] }) }
      }
      return column.withText { _, bytes in isMarked(bytes.indices.map { bytes[$0] }) }
    case .int64: return column.int64Values.contains(Self.number)
    case .float64, .bool, .uuid, .timestamp: return false
    }
  }

  /// Where the mark is in a block: in its bytes, or in what they decompress to.
  private func places(_ reader: BlockReader, _ bytes: [UInt8]) throws -> [String] {
    var found = isMarked(bytes) ? ["bytes of the file"] : []
    let contents = try reader.contents()
    for (index, field) in contents.parquet.fields.enumerated() {
      if isMarked(Array(field.name.utf8)) { found.append("column \(field.name)") }
      for group in 0..<contents.groupCount {
        let rows = 0..<contents.parquet.rowGroups[group].rowCount
        let column = try contents.read(index, group: group, rows: [rows], asDictionary: true)
        if isMarked(column) { found.append("values of \(field.name)") }
      }
    }
    for part in try contents.summary()?.columns ?? [] {
      if part.values.contains(where: { isMarked(Array(($0 ?? "").utf8)) }) {
        found.append("counts of \(part.name)")
      }
    }
    return found
  }

  private func write(
    _ rows: any BlockRowSource, id: UInt64, _ disk: SimulatedDisk, _ layout: BlockLayout
  ) throws -> BlockReader {
    let target = BlockFixture.place(id: id, of: rows.partition.dataset)
    let facts = try #require(try BlockWriter.write(rows, to: target, fileSystem: disk, layout: layout))
    #expect(BlockChecker.problems(of: facts, path: target.path, fileSystem: disk) == [])
    return try BlockReader(facts, path: target.path, fileSystem: disk)
  }

  private func scan(_ reader: BlockReader, _ dataset: Dataset) throws -> [PlainRow] {
    let columns = dataset.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) }
    var found: [PlainRow] = []
    for unit in try reader.units(
      for: ScanRequest(columns: columns, order: .ascending),
      predicate: try CompiledPredicate(.all, schema: dataset.schema))
    {
      let cursor = try unit.open()
      while let batch = try cursor.next() { found += PlainRow.rows(of: batch) }
    }
    return found
  }

  @Test(arguments: [Dataset.logs, .audit, .sessions], 1...4)
  func deletedWordsAreGoneFromArchivedRows(dataset: Dataset, seed: Int) throws {
    let place = "\(dataset.name), seed \(seed)"
    var maker = RowMaker(seed: UInt64(seed), dataset: dataset)
    maker.isSorted = seed % 2 == 0
    let rows = try rows(&maker, seed % 3 == 0 ? [9] : [40, 1, 130])
    let disk = try BlockFixture.disk()
    let partition = BlockFixture.partition(dataset)
    let reader = try write(
      HeadRows(rows.all, partition: partition, deletions: try deletions(dataset)), id: 1, disk,
      BlockFixture.smallLayout)
    let bytes = disk.contents(BlockFixture.place(id: 1).path)
    #expect(try places(reader, bytes) == [], "\(place)")
    #expect(try scan(reader, dataset) == rows.kept(dataset.schema), "\(place)")
    // The same file as if the deleted rows had never come.
    _ = try write(HeadRows(rows.kept, partition: partition), id: 1, disk, BlockFixture.smallLayout)
    let isSame = bytes == disk.contents(BlockFixture.place(id: 1).path)
    #expect(isSame, "\(place)")
  }

  @Test(arguments: [Dataset.logs, .audit, .sessions], 1...6)
  func deletedWordsAreGoneFromMergedBlocks(dataset: Dataset, seed: Int) throws {
    let place = "\(dataset.name), seed \(seed)"
    var maker = RowMaker(seed: UInt64(seed), dataset: dataset)
    let disk = try BlockFixture.disk()
    let partition = BlockFixture.partition(dataset)
    // Dictionaries of the input pass through only where 16 rows or more of one block make up a row group.
    let sizes = [[70, 140], [12], [30], [32]]
    var kept = Rows()
    var blocks: [(reader: BlockReader, deletions: [PendingDeletion])] = []
    for id in 1...(seed % 3 + 1) {
      let own = try rows(&maker, sizes[seed % 4])
      kept.kept += own.kept
      maker.time -= maker.step * 4
      let reader = try write(
        HeadRows(own.all, partition: partition), id: UInt64(id), disk, BlockFixture.smallLayout)
      blocks.append((reader, try deletions(dataset)))
    }
    let reader = try write(MergedRows(blocks), id: 8, disk, BlockFixture.smallLayout)
    #expect(try places(reader, disk.contents(BlockFixture.place(id: 8).path)) == [], "\(place)")
    #expect(try scan(reader, dataset) == kept.kept(dataset.schema), "\(place)")
    // Bounds are those of the rows that are left.
    let plain = try write(HeadRows(kept.kept, partition: partition), id: 9, disk, BlockFixture.smallLayout)
    let (merged, expected) = (try reader.contents(), try plain.contents())
    #expect(merged.pages == expected.pages, "\(place)")
    #expect(merged.keys == expected.keys, "\(place)")
    #expect(try merged.ids() == expected.ids(), "\(place)")
  }
}
