import Columnar
import Matching
import Records
import TestKit
import Testing

@testable import Blocks

/// Row groups, pages and what merging holds are bounded by bytes of text, whatever the rows' sizes: a column
/// of text holds less than 2 GiB. The bounds are small here.
struct ByteCutTests {
  static var layout: BlockLayout {
    var layout = BlockFixture.smallLayout
    layout.bytesPerGroup = 16 << 10
    layout.bytesPerPage = 4 << 10
    layout.mergeBytesMax = 24 << 10
    return layout
  }

  /// Rows of logs, as the head gives them; `size` says how long each message is.
  static func batch(_ rows: Range<Int>, time: Int64 = 0, size: (Int) -> Int) -> RecordBatch {
    let schema = Dataset.logs.schema
    var columns: [Column] = []
    for field in schema.fields {
      switch field.name {
      case "position": columns.append(Column(int64: rows.map { Int64($0) }))
      case "id": columns.append(.nulls(type: .uuid, rowCount: rows.count))
      case "timestamp":
        columns.append(Column(timestamps: rows.map { time + Int64($0) * 1_000_000 }))
      case "ingested_at": columns.append(Column(timestamps: rows.map { Int64($0) * 1_000_000 }))
      default:
        var builder = TextBuilder()
        for row in rows {
          switch field.name {
          case "message": builder.appendRow("\(row) " + String(repeating: "x", count: size(row)))
          case "service": builder.appendRow(String(repeating: "s", count: size(row) / 2))
          default: builder.appendNull()
          }
        }
        columns.append(builder.finish(type: field.type))
      }
    }
    let plain = RecordBatch(fields: schema.fields, columns: columns, rowCount: rows.count)
    return withIDs(plain)
  }

  private static func withIDs(_ batch: RecordBatch) -> RecordBatch {
    let columns = zip(batch.fields, batch.columns).map { field, column in
      guard field.type == .uuid else { return column }
      let words = (0..<batch.rowCount * 2).map { UInt64($0) }
      return Column(
        type: .uuid, rowCount: batch.rowCount, validity: nil, storage: .fixed(Buffer(copying: words)))
    }
    return RecordBatch(fields: batch.fields, columns: columns, rowCount: batch.rowCount)
  }

  /// Text of each row group, as a gather makes it.
  static func groupBytes(_ reader: BlockReader) throws -> [Int] {
    let contents = try reader.contents()
    return try (0..<contents.groupCount).map { group in
      let rows = 0..<contents.parquet.rowGroups[group].rowCount
      return try RowReader(contents, group: group, rows: [rows]).batch(schema: contents.schema).textByteCount
    }
  }

  static func write(
    _ rows: any BlockRowSource, id: UInt64, _ disk: SimulatedDisk, _ layout: BlockLayout = layout
  ) throws -> BlockReader {
    let place = BlockFixture.place(id: id)
    let facts = try #require(try BlockWriter.write(rows, to: place, fileSystem: disk, layout: layout))
    #expect(BlockChecker.problems(of: facts, path: place.path, fileSystem: disk) == [])
    return try BlockReader(facts, path: place.path, fileSystem: disk)
  }

  static func rows(of reader: BlockReader, order: ScanOrder = .ascending) throws -> [PlainRow] {
    var found: [PlainRow] = []
    let request = ScanRequest(
      columns: Dataset.logs.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) },
      order: order)
    let all = try CompiledPredicate(.all, schema: Dataset.logs.schema)
    for unit in try reader.units(for: request, predicate: all) {
      let cursor = try unit.open()
      while let batch = try cursor.next() { found += PlainRow.rows(of: batch) }
    }
    return found
  }

  /// Small rows, large ones, a few large ones among small ones, one too large for a group, a burst.
  static let sizes: [@Sendable (Int) -> Int] = [
    { _ in 10 }, { _ in 2_000 }, { $0 % 37 == 0 ? 3_000 : 5 }, { $0 == 110 ? 40_000 : 100 },
    { (100..<140).contains($0) ? 5_000 : 20 }, { _ in 20_000 },
  ]

  @Test(arguments: sizes.indices)
  func groupsAreCutByBytes(index: Int) throws {
    let batch = Self.batch(0..<160, size: Self.sizes[index])
    let disk = try BlockFixture.disk()
    let reader = try Self.write(HeadRows([batch], partition: BlockFixture.partition(.logs)), id: 1, disk)
    let largest = batch.textBytes().max() ?? 0
    for bytes in try Self.groupBytes(reader) { #expect(bytes <= max(Self.layout.bytesPerGroup, largest)) }
    #expect(try Self.rows(of: reader) == PlainRow.rows(of: batch))
    #expect(try Self.rows(of: reader, order: .descending) == PlainRow.rows(of: batch).reversed())
    #expect(try reader.contents().rowsPerPage >= 1)
  }

  /// Blocks of the same times, merged with every bound in force, and merged again.
  @Test(arguments: sizes.indices)
  func mergedGroupsAreCutByBytes(index: Int) throws {
    let disk = try BlockFixture.disk()
    let partition = BlockFixture.partition(.logs)
    var blocks: [(reader: BlockReader, deletions: [PendingDeletion])] = []
    var batches: [RecordBatch] = []
    for id in 0..<3 {
      let rows = id * 50..<id * 50 + 50
      // Times overlap: rows of all the blocks alternate.
      let batch = Self.batch(rows, time: Int64(id * 50) * -1_000_000 + Int64(id)) { row in
        Self.sizes[index](row % 50 + 80)
      }
      batches.append(batch)
      blocks.append((try Self.write(HeadRows([batch], partition: partition), id: UInt64(id + 1), disk), []))
    }
    let merged = MergedRows(blocks, bytesMax: Self.layout.mergeBytesMax)
    let reader = try Self.write(merged, id: 9, disk)
    let largest = batches.flatMap { $0.textBytes() }.max() ?? 0
    for bytes in try Self.groupBytes(reader) { #expect(bytes <= max(Self.layout.bytesPerGroup, largest)) }
    let sorted = BlockFixture.sorted(batches, schema: Dataset.logs.schema)
    #expect(try Self.rows(of: reader) == PlainRow.rows(of: sorted))
    let again = try Self.write(MergedRows([(reader, [])], bytesMax: 1), id: 10, disk)
    #expect(try Self.rows(of: again) == PlainRow.rows(of: sorted))
  }

  /// A block that was written before bytes were bounded: one page of everything.
  @Test func blocksOfLargePagesAreMergedInParts() throws {
    let disk = try BlockFixture.disk()
    var wide = Self.layout
    (wide.bytesPerGroup, wide.bytesPerPage, wide.rowsPerGroup, wide.rowsPerPage) = (
      1 << 30, 1 << 30, 512, 512
    )
    let batch = Self.batch(0..<300) { _ in 2_000 }
    let rows = HeadRows([batch], partition: BlockFixture.partition(.logs))
    let reader = try Self.write(rows, id: 1, disk, wide)
    let parts = try BlockRows(reader, deletions: [], bytesMax: 10_000)
    var count = 0
    while let part = try parts.next() {
      #expect(part.textByteCount <= 20_000)
      count += part.rowCount
    }
    #expect(count == 300)
    let merged = try Self.write(MergedRows([(reader, [])], bytesMax: 10_000), id: 2, disk)
    #expect(try Self.rows(of: merged) == PlainRow.rows(of: batch))
  }
}
