import Columnar
import Matching
import Platform
import Records
import TestKit
import Testing

@testable import Blocks

/// Blocks read through the page cache. That answers are the same all fixtures check (``BlockFixture/scan``).
@Suite struct CachedReadingTests {
  private static func fixture(_ dataset: Dataset = .logs, rows: [Int] = [300]) throws -> BlockFixture {
    var maker = RowMaker(seed: 11, dataset: dataset)
    return try BlockFixture(maker.batches(rows), dataset: dataset)
  }

  private static func reader(
    _ fixture: BlockFixture, _ cache: PageCache, life: BlockLife = BlockLife()
  ) throws -> BlockReader {
    let reader = try BlockReader(fixture.reader.facts, path: BlockFixture.path, fileSystem: fixture.disk)
    reader.keepPages(in: cache, while: life)
    return reader
  }

  private static func plain(_ column: Column) -> [PlainRow] {
    let field = Field("c", column.type, isNullable: true)
    return PlainRow.rows(of: RecordBatch(fields: [field], columns: [column], rowCount: column.rowCount))
  }

  private static func all(_ dataset: Dataset = .logs) -> ScanRequest {
    ScanRequest(
      columns: dataset.schema.fields.map { OutputColumn(ColumnPath($0.name), type: $0.type) },
      order: .ascending)
  }

  @Test(arguments: Registry.standard.datasets) func rowsAtRandomAreTheSame(dataset: Dataset) throws {
    let fixture = try Self.fixture(dataset, rows: [200, 131])
    let cache = PageCache(bytesMax: 4 << 20)
    let contents = try Self.reader(fixture, cache).contents()
    var generator = SeededGenerator(seed: UInt64(dataset.code))
    for _ in 0..<400 {
      let group = Int.random(in: 0..<contents.groupCount, using: &generator)
      let rowCount = contents.parquet.rowGroups[group].rowCount
      var rows: [Range<Int>] = []
      var at = 0
      while at < rowCount, rows.count < 5 {
        let start = Int.random(in: at..<rowCount, using: &generator)
        let end = Int.random(in: start + 1...min(rowCount, start + 40), using: &generator)
        rows.append(start..<end)
        at = end + Int.random(in: 0..<20, using: &generator)
      }
      let column = Int.random(in: 0..<contents.parquet.fields.count, using: &generator)
      let isRounded = generator.chance(oneIn: 2)
      let asDictionary = generator.chance(oneIn: 2)
      let expected = try contents.read(
        column, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded)
      let found = try contents.cached(
        column, group: group, rows: rows, asDictionary: asDictionary, isRounded: isRounded)
      #expect(Self.plain(found) == Self.plain(expected), "\(contents.parquet.fields[column].name) \(rows)")
      if case .dictionary = found.storage {
      } else if case .dictionary = expected.storage {
        Issue.record("dictionary layout where the file has it")
      }
    }
    #expect((cache.statistics.hits > 0) == (dataset != .queries))
  }

  @Test func whatWasReadOnceIsNotDecodedAgain() throws {
    let fixture = try Self.fixture()
    let cache = PageCache(bytesMax: 64 << 20)
    let reader = try Self.reader(fixture, cache)
    var request = Self.all()
    request.columns.removeAll { $0.path == ColumnPath("message") || $0.path == ColumnPath("trace_id") }
    let first = try fixture.scan(request, of: reader)
    let misses = cache.statistics.misses
    #expect(misses > 0 && cache.statistics.bytes > 0)
    // Damage behind the cache's back is not met any more, and the checker, which reads the disk, finds it.
    let chunk = try reader.contents().parquet.rowGroups[0].columns[0].fileRange
    fixture.disk.rot(BlockFixture.path, offset: chunk.upperBound - 2, bit: 3)
    #expect(try fixture.scan(request, of: reader) == first)
    #expect(
      !BlockChecker.problems(of: reader.facts, path: BlockFixture.path, fileSystem: fixture.disk).isEmpty)
    var fresh = request
    fresh.readsDisk = true
    #expect(throws: StoreError.self) { try fixture.scan(fresh, of: reader) }
  }

  /// A row that is looked up costs what its bytes cost: its page is decoded and kept when it is asked again.
  @Test func singleRowsAreKeptTheSecondTime() throws {
    let fixture = try Self.fixture()
    let cache = PageCache(bytesMax: 64 << 20)
    let contents = try Self.reader(fixture, cache).contents()
    let message = try #require(contents.columns.schema["message"])
    func ask(_ row: Int) throws -> [PlainRow] {
      Self.plain(try contents.cached(message, group: 0, rows: [row..<row + 1], asDictionary: true))
    }
    let first = try ask(17)
    #expect(cache.statistics.count == 0 && cache.statistics.misses == 1)
    _ = try ask(18)
    #expect(cache.statistics.count == 1 && cache.statistics.hits == 0)
    #expect(try ask(17) == first)
    #expect(cache.statistics.hits == 1)
    _ = try ask(40)
    #expect(cache.statistics.count == 1, "another page")
  }

  /// A page is checked before it is kept: damage is an error each time, not once.
  @Test func damagedPagesAreNotKept() throws {
    let fixture = try Self.fixture()
    // Nanoseconds that are all 0 are not read.
    let columns = try fixture.reader.contents().parquet.rowGroups[0].columns
    for (index, chunk) in columns.enumerated() where chunk.int64Bounds != 0...0 {
      let offset = chunk.fileRange.upperBound - 2
      fixture.disk.rot(BlockFixture.path, offset: offset, bit: 1)
      let reader = try Self.reader(fixture, PageCache(bytesMax: 64 << 20))
      for _ in 0..<2 {
        #expect(throws: StoreError.self, "column \(index)") { try fixture.scan(Self.all(), of: reader) }
      }
      fixture.disk.rot(BlockFixture.path, offset: offset, bit: 1)
    }
  }

  /// Damage anywhere in a column, in headers of pages and dictionaries too, is an error or nothing: never
  /// other rows, never a trap, whichever part of it was kept before.
  @Test(arguments: 1...3) func flippedBitsNeverShow(seed: UInt64) throws {
    let fixture = try Self.fixture()
    let end = try fixture.reader.contents().indexOffset
    let expected = PlainRow.rows(of: fixture.rows)
    var generator = SeededGenerator(seed: seed)
    for _ in 0..<5 {
      let cache = PageCache(bytesMax: 1 << 20)
      let reader = try Self.reader(fixture, cache)
      let offset = Int.random(in: 4..<end, using: &generator)
      // A part of the columns is kept from before.
      var some = Self.all()
      some.start = fixture.rows.existing("timestamp").int64Values[Int.random(in: 0..<300, using: &generator)]
      _ = try fixture.scan(some, of: reader)
      fixture.disk.rot(BlockFixture.path, offset: offset, bit: 5)
      defer { fixture.disk.rot(BlockFixture.path, offset: offset, bit: 5) }
      for _ in 0..<2 {
        do {
          let found = try fixture.scan(Self.all(), of: reader)
          #expect(found == expected, "seed \(seed) offset \(offset)")
        } catch {}
      }
    }
  }

  /// The query log promises that a changed byte is found when it is asked.
  @Test func queryLogsAreReadFromTheDisk() throws {
    let fixture = try Self.fixture(.queries)
    let cache = PageCache(bytesMax: 64 << 20)
    let reader = try Self.reader(fixture, cache)
    _ = try fixture.scan(Self.all(.queries), of: reader)
    #expect(cache.statistics == PageCache.Statistics())
    let chunk = try reader.contents().parquet.rowGroups[0].columns[0].fileRange
    fixture.disk.rot(BlockFixture.path, offset: chunk.upperBound - 2, bit: 3)
    #expect(throws: StoreError.self) { try fixture.scan(Self.all(.queries), of: reader) }
  }

  @Test func whatRewritesOrChecksLeavesTheCacheAlone() throws {
    let fixture = try Self.fixture()
    let cache = PageCache(bytesMax: 64 << 20)
    let reader = try Self.reader(fixture, cache)
    let rows = try BlockRows(reader, deletions: [])
    while try rows.next() != nil {}
    _ = try reader.contents().census(sampleRowCount: 50, deletions: [])
    _ = BlockChecker.problems(of: reader.facts, path: BlockFixture.path, fileSystem: fixture.disk)
    #expect(cache.statistics == PageCache.Statistics())
  }

  /// A snapshot from before its block was replaced reads on, through a cache that forgets what it reads.
  @Test func aDeadBlockIsReadAndNotKept() throws {
    let fixture = try Self.fixture()
    let cache = PageCache(bytesMax: 64 << 20)
    let life = BlockLife()
    let reader = try Self.reader(fixture, cache, life: life)
    let expected = try fixture.scan(Self.all(), of: reader)
    #expect(cache.statistics.count > 0)
    life.end()
    cache.drop(block: reader.facts.id)
    #expect(try fixture.scan(Self.all(), of: reader) == expected)
    #expect(cache.statistics.count == 0)
  }

  @Test func manyReadAtOnce() async throws {
    let fixture = try Self.fixture(rows: [500])
    let reader = try Self.reader(fixture, PageCache(bytesMax: 200_000))
    let expected = PlainRow.rows(of: fixture.rows)
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 { group.addTask { try fixture.scan(Self.all(), of: reader) == expected } }
      for try await isSame in group { #expect(isSame) }
    }
  }
}
