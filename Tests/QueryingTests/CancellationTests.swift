import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Querying

/// Queries over rows without end: they end when nobody wants them any more, and when their time is over.
struct CancellationTests {
  static let tenant = Tenant(realm: .native, name: "t")

  static let queries = [
    #"{"dataset":"logs","limit":1000000000,"order":"asc","columns":["position","message"]}"#,
    #"{"dataset":"logs","count":true}"#,
    #"{"dataset":"logs","group_by":["level"]}"#,
    #"{"dataset":"logs","measures":["count"],"group_by":["level"]}"#,
    #"{"dataset":"logs","measures":[{"quantile":["metadata.n",0.5]},{"count_distinct":"message"}]}"#,
  ]

  /// Asks, and reads to the end.
  private static func read(_ json: String, with engine: QueryEngine) async throws {
    let answer = try await engine.run(QueryRequest(json: Array(json.utf8)), for: tenant)
    while try await answer.next() != nil {}
  }

  @Test(arguments: queries)
  func whoIsGoneIsNotWorkedFor(json: String) async throws {
    let (begun, signal) = AsyncStream<Void>.makeStream()
    let budget = MemoryBudget(bytesMax: 1 << 24)
    let engine = QueryEngine(
      source: EndlessSource { signal.yield() }, workers: WorkerPool(threads: 2), budget: budget)
    let task = Task { try await Self.read(json, with: engine) }
    for await _ in begun { break }
    task.cancel()
    await #expect(throws: StoreError.cancelled) { try await task.value }
    #expect(engine.endings.cancelled == 1 && engine.endings.overdue == 0)
    #expect(budget.bytesUsed == 0)
  }

  @Test(arguments: queries)
  func whatTakesTooLongEnds(json: String) async throws {
    let engine = QueryEngine(
      source: EndlessSource {}, workers: WorkerPool(threads: 2), budget: MemoryBudget(bytesMax: 1 << 24),
      secondsMax: 5, uptime: SteppingClock(stepNanoseconds: 1_000_000))
    await #expect(throws: StoreError.deadlineExceeded(seconds: 5)) { try await Self.read(json, with: engine) }
    #expect(engine.endings.overdue == 1 && engine.endings.cancelled == 0)
  }

  /// Time in which the client reads is the client's.
  @Test func restsDoNotCount() throws {
    let clock = ManualUptime()
    let counted = CancellationToken(secondsMax: 2) { clock.uptime() }
    counted.resume()
    clock.advance(seconds: 1)
    counted.pause()
    clock.advance(seconds: 100)
    counted.resume()
    try counted.check()
    clock.advance(seconds: 1)
    try counted.check()
    clock.advance(seconds: 1)
    #expect(throws: StoreError.deadlineExceeded(seconds: 2)) { try counted.check() }
  }
}

/// Goes on by itself whenever it is looked at.
private struct SteppingClock: UptimeClock {
  let stepNanoseconds: Int64
  private let time = Shared()

  private final class Shared: Sendable { let value = Atomic<Int64>(0) }

  init(stepNanoseconds: Int64) { self.stepNanoseconds = stepNanoseconds }

  func uptime() -> Int64 { time.value.add(stepNanoseconds, ordering: .relaxed).newValue }
}

private final class ManualUptime: UptimeClock {
  private let time = Atomic<Int64>(0)
  func advance(seconds: Int64) { time.add(seconds * 1_000_000_000, ordering: .relaxed) }
  func uptime() -> Int64 { time.load(ordering: .relaxed) }
}

/// One unit whose rows never end. It looks at the token as the units of a store do.
private struct EndlessSource: BatchSource {
  let begun: @Sendable () -> Void
  func snapshot(of partition: Partition) -> any PartitionSnapshot { EndlessSnapshot(begun) }
}

private final class EndlessSnapshot: PartitionSnapshot {
  let begun: @Sendable () -> Void
  init(_ begun: @escaping @Sendable () -> Void) { self.begun = begun }

  var positionEnd: Int64 { .max }

  func plan(_ request: ScanRequest) -> [any ScanUnit] { [EndlessUnit(request: request, begun: begun)] }

  func groupedCounts(_ request: GroupedCountRequest) -> GroupedCountAnswer {
    var scan = ScanRequest(columns: request.groupBy.map { OutputColumn($0, type: .utf8) })
    scan.cancellation = request.cancellation
    return GroupedCountAnswer(counts: [:], remaining: plan(scan))
  }
}

private struct EndlessUnit: ScanUnit {
  let request: ScanRequest
  let begun: @Sendable () -> Void

  var objects: Set<StoredObject> { [] }
  var bounds: KeyBounds {
    KeyBounds(timestampMin: 0, timestampMax: .max, positionMin: 0, positionMax: .max)
  }
  var rowCountMax: Int { .max }
  var memoryBytesEstimate: Int { 1_000 }

  func open() throws(StoreError) -> any BatchCursor { EndlessCursor(request, begun) }

  func countMatches() throws(StoreError) -> Int {
    begun()
    while true { try request.cancellation?.check() }
  }
}

private final class EndlessCursor: BatchCursor {
  private let request: ScanRequest
  private let begun: @Sendable () -> Void
  private var position: Int64 = 0

  init(_ request: ScanRequest, _ begun: @escaping @Sendable () -> Void) {
    self.request = request
    self.begun = begun
  }

  func next() throws(StoreError) -> RecordBatch? {
    try request.cancellation?.check()
    begun()
    position += 1
    let row = MemorySource.Row(
      position: position, timestamp: position, level: "INFO", message: "m", service: nil, metadata: nil)
    return RecordBatch(
      fields: request.columns.map(\.field),
      columns: request.columns.map { MemoryUnit.column($0, [row, row]) }, rowCount: 2)
  }
}
