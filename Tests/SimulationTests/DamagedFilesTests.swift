import Blocks
import Foundation
import Journaling
import Platform
import Querying
import Records
import Storage
import TestKit
import Testing

/// A damaged or missing file costs the rows in it, with a mark in the answer, and nothing else.
@Suite struct DamagedFilesTests {
  static let tenants = ["one", "two"].map { Tenant(realm: .native, name: $0) }

  static func partition(_ tenant: Int) -> Partition { Partition(tenant: tenants[tenant], dataset: .logs) }

  /// A store in real files, which can be cut under it: 600 rows of each tenant in two blocks, 300 in the
  /// head.
  final class Bench {
    let directory = NSTemporaryDirectory() + "cordwood-damage-\(UUID().uuidString)"
    private(set) var store: Storage
    private(set) var engine: QueryEngine
    let events = EventList()

    init(blockCount: Int = 2, headRows: Int = 300) async throws {
      (store, engine) = try await Bench.open(directory, events)
      for block in 0..<blockCount {
        try await append(300, from: block * 300)
        try await store.archive()
      }
      if headRows > 0 { try await append(headRows, from: blockCount * 300) }
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    private static func open(
      _ directory: String, _ events: EventList
    ) async throws -> (Storage, QueryEngine) {
      var options = StorageOptions()
      options.journal.segmentBytes = 1 << 20
      options.journal.writeReserveBytes = 0
      options.mergeInputsMin = 2
      let store = try await Storage.open(
        directory: directory, environment: StoreEnvironment(observer: events), options: options,
        format: ParquetBlocks(), locks: false)
      let engine = QueryEngine(
        source: store, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 30))
      return (store, engine)
    }

    func reopen() async throws {
      await store.stop()
      (store, engine) = try await Bench.open(directory, events)
    }

    private func append(_ count: Int, from start: Int) async throws {
      for tenant in tenants.indices {
        _ = try await store.append(
          AggregatesOverBlocksTests.batch(start..<start + count), to: partition(tenant), idempotency: nil)
      }
    }

    /// The block files of a tenant, oldest first.
    func blocks(of tenant: Int) throws -> [String] {
      let root = directory + "/blocks"
      return try FileManager.default.subpathsOfDirectory(atPath: root).filter { $0.hasSuffix(".parquet") }
        .map { root + "/" + $0 }.sorted()
        .filter { path in
          let folder = URL(fileURLWithPath: path).deletingLastPathComponent().deletingLastPathComponent()
          let name = try? String(contentsOf: folder.appendingPathComponent("TENANT"), encoding: .utf8)
          return name == "\(tenants[tenant])\n"
        }
    }

    func request(_ text: String = "\"limit\":100000", isStrict: Bool = false) throws -> QueryRequest {
      var request = try QueryRequest(json: Array("{\"dataset\":\"logs\",\(text)}".utf8))
      request.isStrict = isStrict
      return request
    }

    /// The rows of an answer, and the names of what it lacks.
    func ask(_ request: QueryRequest, of tenant: Int = 0) async throws -> (rows: Int, lacking: [String]) {
      let answer = try await engine.run(request, for: tenants[tenant])
      var rows = 0
      while let batch = try await answer.next() {
        guard let counts = batch.column("count") else {
          rows += batch.rowCount
          continue
        }
        counts.withInt64 { values in for row in values.indices { rows += Int(values[row]) } }
      }
      return (rows, answer.damagedFiles.map(\.name))
    }

    /// Where the tenant's first frame lies in the journal.
    func frame(of tenant: Int) throws -> (start: Int, byteCount: Int) {
      var found: [(start: Int, byteCount: Int)] = []
      _ = try JournalReader(directory: directory + "/journal", fileSystem: LocalFileSystem()) { frame in
        if frame.partition == partition(tenant) {
          found.append((frame.header.place.byte, frame.header.frameBytes))
        }
      }
      return try #require(found.first)
    }

    func name(_ path: String) -> String { String(path.dropFirst(directory.count + 1)) }
  }

  static let counts = ["\"measures\":[\"count\"]", "\"measures\":[\"count\"],\"group_by\":[\"message\"]"]

  @Test func aBlockThatIsCutUnderAnOpenStoreIsAnErrorOfThatFile() async throws {
    let bench = try await Bench()
    let path = try bench.blocks(of: 0)[0]
    #expect(try await bench.ask(try bench.request()) == (900, []))
    #expect(truncate(path, 0) == 0)
    // A query that was promised all is told which file; after that, everyone knows.
    await #expect(throws: StoreError.self) { try await bench.ask(try bench.request(isStrict: true)) }
    #expect(try await bench.ask(try bench.request()) == (600, [bench.name(path)]))
    for text in Self.counts {
      #expect(try await bench.ask(try bench.request(text)) == (600, [bench.name(path)]))
    }
    #expect(try await bench.ask(try bench.request(), of: 1) == (900, []))
    #expect(bench.store.damagedFiles().map(\.path) == [path])
    #expect(bench.events.takeTroubles().count == 1)
  }

  @Test(arguments: counts)
  func aCountBeginsAnewWithoutWhatTurnsOutDamaged(text: String) async throws {
    let bench = try await Bench()
    let path = try bench.blocks(of: 0)[1]
    #expect(truncate(path, 0) == 0)
    #expect(try await bench.ask(try bench.request(text)) == (600, [bench.name(path)]))
  }

  @Test func aMissingBlockDoesNotStopTheStart() async throws {
    let bench = try await Bench()
    let path = try bench.blocks(of: 0)[0]
    let copy = try Data(contentsOf: URL(fileURLWithPath: path))
    try FileManager.default.removeItem(atPath: path)
    try await bench.reopen()
    #expect(bench.store.damagedFiles().map(\.rowCount) == [300])
    #expect(try await bench.ask(try bench.request()) == (600, [bench.name(path)]))
    #expect(try await bench.ask(try bench.request(), of: 1) == (900, []))
    let strict = try bench.request(isStrict: true)
    let error = await #expect(throws: StoreError.self) { try await bench.ask(strict) }
    guard case .corrupt(file: path, _, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // Times that the file has no rows of are answered in full.
    let late = try bench.request("\"start\":\"1970-01-20T00:00:00Z\",\"limit\":100000", isStrict: true)
    #expect(try await bench.ask(late).lacking == [])
    // Put back, it is whole again: for those who want all at once, for everyone from the next start on.
    try copy.write(to: URL(fileURLWithPath: path))
    #expect(try await bench.ask(strict) == (900, []))
    try await bench.reopen()
    #expect(try await bench.ask(try bench.request()) == (900, []))
  }

  /// Rows of a file that cannot be read are deleted with the others, should it come back.
  @Test func deletionReachesWhatIsRestored() async throws {
    let bench = try await Bench()
    let path = try bench.blocks(of: 0)[0]
    let copy = try Data(contentsOf: URL(fileURLWithPath: path))
    try FileManager.default.removeItem(atPath: path)
    try await bench.reopen()
    #expect(try await bench.store.delete(.all, from: Self.partition(0)) == 600)
    try copy.write(to: URL(fileURLWithPath: path))
    try await bench.reopen()
    #expect(try await bench.ask(try bench.request()) == (0, []))
  }

  /// A flipped bit of a header in the head: that frame's rows are lacking, and stay out of blocks.
  @Test func aDamagedFrameOfTheHeadIsLeftOutAndKept() async throws {
    let bench = try await Bench(blockCount: 0)
    #expect(try await bench.ask(try bench.request()) == (300, []))
    let path = bench.directory + "/journal/00000001.seg"
    let frame = try bench.frame(of: 0)
    try Self.flip(path, at: frame.start + 40)
    #expect(try await bench.ask(try bench.request()) == (0, ["journal/00000001.seg"]))
    #expect(try await bench.ask(try bench.request(), of: 1) == (300, []))
    await #expect(throws: StoreError.self) { try await bench.store.archive() }
    #expect(bench.store.usage().first { $0.partition == Self.partition(0) }?.headRows == 300)
    #expect(bench.store.usage().first { $0.partition == Self.partition(0) }?.blockRows == 0)
    // The bit comes right again, as when the segment is restored: nothing was lost.
    try Self.flip(path, at: frame.start + 40)
    try await bench.reopen()
    #expect(try await bench.ask(try bench.request()) == (300, []))
  }

  /// A value that changed in the head is not laundered by a block's fresh checksums.
  @Test func aChangedValueDoesNotBecomeABlock() async throws {
    let bench = try await Bench(blockCount: 0)
    let path = bench.directory + "/journal/00000001.seg"
    let frame = try bench.frame(of: 0)
    try Self.flip(path, at: frame.start + frame.byteCount - 9)
    await #expect(throws: StoreError.self) { try await bench.store.archive() }
    #expect(try bench.blocks(of: 0).isEmpty)
    #expect(try await bench.ask(try bench.request()).lacking == ["journal/00000001.seg"])
  }

  /// The segment is cut under the running server: its rows are lacking, those of blocks are not.
  @Test func aSegmentThatIsCutCostsItsRows() async throws {
    let bench = try await Bench()
    let path = bench.directory + "/journal/00000001.seg"
    #expect(try await bench.ask(try bench.request()) == (900, []))
    #expect(truncate(path, 4096) == 0)
    var answer = (rows: 0, lacking: [String]())
    // The first to meet the cut may have been given zeros, and is told.
    do { answer = try await bench.ask(try bench.request()) } catch is StoreError {
      answer = try await bench.ask(try bench.request())
    }
    #expect(answer == (600, ["journal/00000001.seg"]))
  }

  private static func flip(_ path: String, at offset: Int) throws {
    let file = try LocalFileSystem().open(path, writable: true)
    try file.write([try file.read(at: offset, count: 1)[0] ^ 1].span, at: offset)
  }
}
