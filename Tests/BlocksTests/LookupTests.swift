import Codecs
import Columnar
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// Records looked up by their ids, in blocks whose pages are cut into smaller data pages.
@Suite struct LookupTests {
  private static var layout: BlockLayout {
    var layout = BlockFixture.smallLayout
    layout.rowsPerLookup = 4
    return layout
  }

  private static func ids(_ rows: RecordBatch) -> [[UInt8]] {
    rows.existing("id").withUUIDs { bytes in
      (0..<rows.rowCount).map { row in (row * 16..<row * 16 + 16).map { bytes[$0] } }
    }
  }

  private static func request(_ predicate: Predicate) -> ScanRequest {
    ScanRequest(
      columns: Dataset.queries.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) },
      predicate: predicate, order: .ascending)
  }

  @Test(arguments: 0..<4) func everyIdFindsItsRow(seed: Int) throws {
    var maker = RowMaker(seed: UInt64(seed), dataset: .queries)
    let fixture = try BlockFixture(maker.batches([70, 1, 130, 60]), dataset: .queries, layout: Self.layout)
    let bounds = try #require(try fixture.reader.contents().ids())
    #expect(bounds.rowsPerDataPage == 4 && bounds.pages.count == (fixture.rows.rowCount + 3) / 4)
    #expect(
      BlockChecker.problems(of: fixture.reader.facts, path: BlockFixture.path, fileSystem: fixture.disk)
        .isEmpty)
    let id = ColumnPath("id")
    let ids = Self.ids(fixture.rows)
    let whole = PlainRow.rows(of: fixture.rows)
    for row in ids.indices {
      let request = Self.request(.compare(id, .equal, .uuid(ids[row])))
      #expect(try fixture.scan(request) == [whole[row]], "row \(row)")
      #expect(try fixture.count(request) == 1)
    }
    // With other conditions, several ids, and deletions.
    var generator = SeededGenerator(seed: UInt64(seed) + 100)
    for _ in 0..<20 {
      let some = (0..<Int.random(in: 1...3, using: &generator)).map { _ in
        ids[Int.random(in: 0..<ids.count, using: &generator)]
      }
      let one = Predicate.compare(id, .equal, .uuid(some[0]))
      let predicates: [Predicate] = [
        .isIn(id, some.map { .uuid($0) }),
        .and([one, .compare(ColumnPath("user_id"), .equal, .string("alpha"))]),
        .and([one, .contains(ColumnPath("query"), needle: "flux", ignoreCase: false)]),
        .or([one, .compare(ColumnPath("status"), .equal, .string("ERROR"))]),
        .not(one), .compare(id, .less, .uuid(some[0])),
      ]
      let deletion = PendingDeletion(
        id: 1, predicate: try fixture.compiled(.compare(ColumnPath("status"), .equal, .string("INFO"))),
        positionEnd: Int64.random(in: 0...300, using: &generator))
      for predicate in predicates {
        let request = Self.request(predicate)
        for deletions in [[], [deletion]] {
          let expected = try fixture.expected(request, deletions: deletions).map { whole[$0] }
          #expect(try fixture.scan(request, deletions: deletions) == expected, "\(predicate)")
          #expect(try fixture.count(request, deletions: deletions) == expected.count, "\(predicate)")
        }
      }
    }
    for unknown in [
      UUIDv7.incremented(ids[ids.count - 1], by: 1_000_000), [UInt8](repeating: 255, count: 16),
    ] {
      #expect(try fixture.scan(Self.request(.compare(id, .equal, .uuid(unknown)))).isEmpty)
    }
  }

  /// An id is looked for in one data page, and only that one is read: damage in another is not seen, in its
  /// own it is.
  @Test func oneDataPageIsRead() throws {
    var maker = RowMaker(seed: 3, dataset: .queries)
    let fixture = try BlockFixture(maker.batches([200]), dataset: .queries, layout: Self.layout)
    let ids = Self.ids(fixture.rows)
    let contents = try fixture.reader.contents()
    let chunk = contents.parquet.rowGroups[0].columns[contents.columns.index(of: "hash")]
    var bytes = fixture.disk.contents(BlockFixture.path)
    bytes[chunk.fileRange.upperBound - 1] ^= 1
    let disk = try BlockFixture.disk()
    try disk.create(BlockFixture.path).write(bytes.span, at: 0)
    let reader = try BlockReader(fixture.reader.facts, path: BlockFixture.path, fileSystem: disk)
    var failed: [Int] = []
    for row in 0..<96 {
      let request = Self.request(.compare(ColumnPath("id"), .equal, .uuid(ids[row])))
      let units = try reader.units(for: request, predicate: try fixture.compiled(request.predicate))
      do throws(StoreError) {
        for unit in units {
          let cursor = try unit.open()
          while try cursor.next() != nil {}
        }
      } catch { failed.append(row) }
    }
    #expect(failed == [92, 93, 94, 95])
  }

  @Test(arguments: 0..<10) func noDataPageWithAnIdIsLeftOut(seed: Int) throws {
    var generator = SeededGenerator(seed: UInt64(seed))
    let ids = (0..<Int.random(in: 1...80, using: &generator)).map { _ in
      UUIDv7.make(
        milliseconds: Int64.random(in: 0...3, using: &generator) << 40,
        random: (generator.next(), generator.next()))
    }
    let rowsPerDataPage = Int.random(in: 1...9, using: &generator)
    var bounds = IDBounds(rowsPerDataPage: rowsPerDataPage)
    bounds.add(
      Column(
        type: .uuid, rowCount: ids.count, validity: nil, storage: .fixed(Buffer(copying: ids.flatMap { $0 })))
    )
    let bytes = bounds.encoded()
    let rowsPerPage = rowsPerDataPage * 3
    #expect(try IDBounds(Buffer(copying: bytes), rowCount: ids.count, rowsPerPage: rowsPerPage) == bounds)
    let sorted = ids.sorted { $0.lexicographicallyPrecedes($1) }
    for (row, id) in ids.enumerated() {
      let key = try #require(IDBounds.Key(id))
      let found = bounds.rows(0..<ids.count, thatMayHold: [key])
      #expect(found.contains { $0.contains(row) })
      for range in found {
        let own = ids[range].sorted { $0.lexicographicallyPrecedes($1) }
        #expect(!id.lexicographicallyPrecedes(own[0]) && !own[own.count - 1].lexicographicallyPrecedes(id))
      }
      #expect(bounds.rows(row..<row + 1, thatMayHold: [key]) == [row..<row + 1])
    }
    let keys = sorted.compactMap { IDBounds.Key($0) }
    #expect(keys == keys.sorted())
    for count in [0, 1, bytes.count - 1] {
      let part = Buffer(copying: Array(bytes.prefix(count)))
      #expect(throws: IndexError.self) { try IDBounds(part, rowCount: ids.count, rowsPerPage: rowsPerPage) }
    }
    #expect(throws: IndexError.self) {
      try IDBounds(Buffer(copying: bytes), rowCount: ids.count, rowsPerPage: rowsPerDataPage - 1)
    }
    #expect(throws: IndexError.self) {
      try IDBounds(
        Buffer(copying: bytes), rowCount: ids.count + rowsPerDataPage, rowsPerPage: rowsPerPage)
    }
  }
}
