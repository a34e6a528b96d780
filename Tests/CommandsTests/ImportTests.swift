import APIs
import Access
import Encoding
import Foundation
import HTTP
import Logging
import Platform
import Querying
import Records
import Routing
import Server
import Synchronization
import Tailing
import Testing

@testable import Commands

/// A store that keeps messages, knows idempotency keys, and fails when told to.
final class MessageStore: BatchSink, StoreControl, BatchSource, CommitFeed, Sendable {
  struct State: Sendable {
    var messages: [String] = []
    var keys: Set<String> = []
    /// The last piece of each import.
    var parts: [String: ImportPart] = [:]
    /// So many batches from now one is stored, and its sender told that it was not.
    var losesAnswerAfter: Int?
    /// Answers to come: nil stores, an error refuses; when used up everything is stored.
    var script: [StoreError?] = []
    var appends = 0
  }

  let state = Mutex(State())
  var messages: [String] { state.withLock { $0.messages } }

  func append(
    _ batch: RecordBatch, to partition: Partition, idempotency: IdempotencyKey?
  ) async throws(StoreError) -> AppendReceipt {
    guard let column = batch.column("message") else { throw .invalid("no message") }
    let messages = column.withText { offsets, bytes in
      (0..<column.rowCount).map { row in
        String(decoding: (Int(offsets[row])..<Int(offsets[row + 1])).map { bytes[$0] }, as: UTF8.self)
      }
    }
    let error: StoreError? = state.withLock { state in
      state.appends += 1
      if !state.script.isEmpty, let error = state.script.removeFirst() { return error }
      if let part = idempotency?.part {
        let last = state.parts[part.name]
        if let last, part.repeats(last) { return nil }
        guard part.follows(last) else { return .importElsewhere(last) }
        state.parts[part.name] = part
      } else if let key = idempotency?.key, !state.keys.insert(key).inserted {
        return nil
      }
      state.messages += messages
      guard let left = state.losesAnswerAfter else { return nil }
      state.losesAnswerAfter = left > 0 ? left - 1 : nil
      return left == 0 ? .disk("the answer is lost") : nil
    }
    if let error { throw error }
    return AppendReceipt(
      firstPosition: 0, rowCount: batch.rowCount, firstID: [UInt8](repeating: 0, count: 16), ingestedAt: 0)
  }

  func archive(_ isWanted: @escaping @Sendable (Tenant) -> Bool) async throws(StoreError) {}
  func delete(_ predicate: Records.Predicate, from partition: Partition) async throws(StoreError) -> Int { 0 }
  func retain() async throws(StoreError) -> Int { 0 }
  func usage() -> [PartitionUsage] { [] }
  func writeFailure() -> StoreError? { nil }
  func damagedFiles() -> [DamagedFile] { [] }
  func snapshot(of partition: Partition) -> any PartitionSnapshot { EmptySnapshot() }
  func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    CommitObservation {}
  }
  func positionEnd(of tenant: Tenant) -> Int64 { 0 }
  func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? { nil }
}

/// A partition without a row.
final class EmptySnapshot: PartitionSnapshot {
  let positionEnd: Int64 = 0
  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] { [] }
  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    GroupedCountAnswer(counts: [:], remaining: [])
  }
}

/// Nothing is followed here.
struct NoCommits: CommitFeed {
  func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    CommitObservation {}
  }
  func positionEnd(of tenant: Tenant) -> Int64 { 0 }
  func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? { nil }
}

/// Access events go nowhere.
struct NoAccessLog: AccessLog {
  func record(_ event: AccessEvent) {}
}

/// `cordwood import` against a server over a store in memory.
@Suite(.serialized) struct ImportTests {
  /// A folder, a server and an importer.
  struct Bench {
    let folder: String
    let store = MessageStore()
    let server: RunningServer
    var url: String { "http://127.0.0.1:\(server.ports[0])" }

    init() async throws {
      folder = NSTemporaryDirectory() + "cordwood-import-" + UUID().uuidString
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      var tree = ConfigurationTree()
      try tree.overlay(path: "server.port", text: "0", source: "test")
      try tree.overlay(path: "server.threads", text: "1", source: "test")
      var engine = Engine(
        store: store,
        questions: QueryEngine(
          source: store, workers: WorkerPool(threads: 1), budget: MemoryBudget(bytesMax: 1 << 20)),
        live: LiveFeed(feed: NoCommits(), source: store), close: {})
      engine.identity = "store-1"
      let access = try await AccessServices(
        AccessServices.openPlane(in: folder), AccessServices.Policies(), clock: SystemClock())
      server = try await RunningServer.start(
        ServerParts(
          Configuration(tree), engine: engine, access: access, log: NoAccessLog(), clock: SystemClock()),
        tls: nil,
        logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    }

    func write(_ text: String, to name: String) throws -> String {
      let path = folder + "/" + name
      if let handle = FileHandle(forWritingAtPath: path) {
        try handle.truncate(atOffset: 0)
        try handle.write(contentsOf: Data(text.utf8))
        try handle.close()
      } else {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
      }
      return path
    }

    func importFile(
      _ path: String, batchBytes: Int = 60, retrySeconds: Int = 0, service: String? = nil,
      isAgain: Bool = false
    ) async throws -> Int {
      let client = ServerClient(url: url, key: nil)
      var options = FileImport.Options(target: .dataset("logs", service: service))
      options.batchBytes = batchBytes
      options.isAgain = isAgain
      let sender = RecordSender(
        client: client, target: .dataset("logs", service: service), retrySeconds: retrySeconds
      ) { _ in }
      let job = FileImport(options: options, sender: sender, progress: Progress(isShown: false))
      return try await job.run(try ImportSource(path)).sent
    }

    func finish() async {
      await server.stop()
      // A leftover folder in the temporary directory harms nobody.
      try? FileManager.default.removeItem(atPath: folder)
    }
  }

  static func lines(_ range: Range<Int>) -> [String] { range.map { "line number \($0)" } }
  static func text(_ range: Range<Int>) -> String { lines(range).map { $0 + "\n" }.joined() }

  @Test func filesAreSentOnceAndContinued() async throws {
    let bench = try await Bench()
    let path = try bench.write(ImportTests.text(0..<50), to: "a.log")
    #expect(try await bench.importFile(path) == 50)
    #expect(bench.store.messages == ImportTests.lines(0..<50))
    #expect(try await bench.importFile(path) == 0, "nothing new")
    _ = try bench.write(ImportTests.text(0..<80), to: "a.log")
    #expect(try await bench.importFile(path) == 30, "what was appended")
    #expect(bench.store.messages == ImportTests.lines(0..<80))
    #expect(try await bench.importFile(path, service: "other") == 80, "another target is another import")
    _ = try bench.write(ImportTests.text(100..<110), to: "a.log")
    #expect(try await bench.importFile(path) == 10, "a file with another beginning is another file")
    #expect(try await bench.importFile(path) == 0, "and known from then on")
    #expect(try await bench.importFile(path, isAgain: true) == 10)
    #expect(try await bench.importFile(path) == 0)
    await bench.finish()
  }

  /// A rotated file goes on under its other name.
  @Test func fileNamesDoNotCount() async throws {
    let bench = try await Bench()
    let path = try bench.write(ImportTests.text(0..<50) + "{}\n", to: "e.log")
    #expect(try await bench.importFile(path, batchBytes: 400) == 51)
    try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
    _ = try bench.write(ImportTests.text(0..<50) + "{}\n\n\n" + ImportTests.text(50..<60), to: "e.log.1")
    #expect(try await bench.importFile(path + ".1", batchBytes: 400) == 12)
    await bench.finish()
  }

  /// A server that lost what it had, as one put back from a copy: sent again from there.
  @Test func aServerThatKnowsLessGetsTheRest() async throws {
    let bench = try await Bench()
    let path = try bench.write(ImportTests.text(0..<50), to: "f.log")
    #expect(try await bench.importFile(path, batchBytes: 400) == 50)
    bench.store.state.withLock { state in
      state.messages = []
      state.parts = [:]
    }
    #expect(try await bench.importFile(path, batchBytes: 400) == 50)
    #expect(bench.store.messages == ImportTests.lines(0..<50))
    await bench.finish()
  }

  /// Four at once over the same file: each line once, in order.
  @Test func importsOfOneFileAtOnceShareIt() async throws {
    let bench = try await Bench()
    let path = try bench.write(ImportTests.text(0..<400), to: "g.log")
    try await withThrowingTaskGroup(of: Int.self) { group in
      for _ in 0..<4 { group.addTask { try await bench.importFile(path, batchBytes: 200) } }
      var sent = 0
      for try await count in group { sent += count }
      // A piece that two sent at one time is told to both as stored.
      #expect(sent >= 400)
    }
    #expect(bench.store.messages == ImportTests.lines(0..<400))
    await bench.finish()
  }

  /// Broken off after every number of requests, stored or not, the file grown meanwhile: each line once, in
  /// order.
  @Test func interruptedImportsGoOnWithoutDoubles() async throws {
    let bench = try await Bench()
    for breakAt in 0..<7 {
      for isStored in [false, true] {
        bench.store.state.withLock { state in
          state.messages = []
          // The same text is the same import, whatever file it lies in.
          state.parts = [:]
          state.script = [StoreError?](repeating: nil, count: breakAt) + (isStored ? [] : [.disk("broken")])
          state.losesAnswerAfter = isStored ? breakAt : nil
        }
        let path = try bench.write(ImportTests.text(0..<20), to: "b\(breakAt)\(isStored).log")
        // Whether it fails or asks once more, as where a question alone was lost: what is stored counts.
        _ = try? await bench.importFile(path)
        _ = try bench.write(ImportTests.text(0..<30), to: "b\(breakAt)\(isStored).log")
        _ = try await bench.importFile(path)
        #expect(bench.store.messages == ImportTests.lines(0..<30), "broken at \(breakAt), stored \(isStored)")
      }
    }
    await bench.finish()
  }

  @Test func whatPassesByItselfIsTriedAgain() async throws {
    let bench = try await Bench()
    bench.store.state.withLock { $0.script = [.diskFull("x"), .diskFull("x"), nil, .diskFull("y")] }
    let path = try bench.write(ImportTests.text(0..<10), to: "c.log")
    #expect(try await bench.importFile(path, retrySeconds: 30) == 10)
    #expect(bench.store.messages == ImportTests.lines(0..<10))
    await bench.finish()
  }

  @Test func refusalsSayWhy() async throws {
    let bench = try await Bench()
    let path = try bench.write("{\"message\":\"a\"}\n\n{\"message\":}\n", to: "d.jsonl")
    let error = await #expect(throws: Failure.self) { try await bench.importFile(path) }
    #expect(error?.description.hasPrefix("d.jsonl, line 3: ") == true, "\(String(describing: error))")
    #expect(throws: Failure.self) { _ = try ImportSource(bench.folder) }
    #expect(throws: Failure.self) { _ = try ImportSource(bench.folder + "/none") }
    await bench.finish()
  }

  @Test func noServerIsSaidPlainly() async throws {
    let bench = try await Bench()
    let url = bench.url
    await bench.finish()
    let error = await #expect(throws: Unreachable.self) {
      try await ServerClient(url: url, key: nil).checkIsCordwood()
    }
    #expect(
      error?.description
        == "cannot reach \(url): connection refused. Start a server with `cordwood serve`, or name another with --url."
    )
  }
}
