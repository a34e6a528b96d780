import Blocks
import Codecs
import Journaling
import Platform
import Records
import Storage
import Synchronization
import Tailing
import TestKit
import Testing

let acme = Tenant(realm: .native, name: "acme")
let logs = Partition(tenant: acme, dataset: .logs)

struct Row: Sendable, Hashable {
  var position: Int64 = -1
  var level: String?
  var message: String
  var service: String?

  /// As ``RowShape`` writes it.
  var text: String { "\(position) \(level ?? "-") \(message)" }

  static func random(using generator: inout SeededGenerator) -> Row {
    let words = ["disk", "timeout", "größer", "Error", "ok", "retry"]
    let count = Int.random(in: 1...4, using: &generator)
    return Row(
      level: ["info", "warn", "error", nil].randomElement(using: &generator) ?? nil,
      message: (0..<count).map { _ in words[Int.random(in: 0..<words.count, using: &generator)] }
        .joined(separator: " "),
      service: ["api", "db", nil].randomElement(using: &generator) ?? nil)
  }

  static func batch(_ rows: [Row]) -> RecordBatch {
    let fields = Dataset.logs.schema.declaredFields
    let columns = fields.map { field -> Column in
      func text(_ value: (Row) -> String?) -> Column {
        var builder = TextBuilder()
        for row in rows {
          if let value = value(row) { builder.appendRow(value) } else { builder.appendNull() }
        }
        return builder.finish()
      }
      switch field.name {
      // Later rows are older: blocks keep them in another order than positions.
      case "timestamp":
        return Column(timestamps: rows.indices.map { 1_780_000_000_000_000_000 - Int64($0 * 7) })
      case "level": return text(\.level)
      case "message": return text(\.message)
      case "service": return text(\.service)
      default: return .nulls(type: field.type, rowCount: rows.count)
      }
    }
    return RecordBatch(fields: fields, columns: columns, rowCount: rows.count)
  }
}

/// A line a row: position, level, message.
struct RowShape: LiveShape {
  var name = "rows"
  var columns: [String] { ["level", "message"] }

  func encode(_ batch: RecordBatch, into bytes: inout [UInt8], ends: inout [Int]) {
    let position = batch.column("position")
    let texts = ["level", "message"].map { batch.column($0) }
    for row in 0..<batch.rowCount {
      bytes += Array("\(position?.withInt64 { $0[row] } ?? -1)".utf8)
      for case let column? in texts {
        bytes.append(0x20)
        column.withText { offsets, text in
          if column.isValid(row) {
            for index in Int(offsets[row])..<Int(offsets[row + 1]) { bytes.append(text[index]) }
          } else {
            bytes.append(UInt8(ascii: "-"))
          }
        }
      }
      bytes.append(0x0A)
      ends.append(bytes.count)
    }
  }
}

enum Received: Sendable, Equatable {
  case row(String)
  case dropped(Int)
  case failed(StoreError)

  static func of(_ frame: LiveFrame) -> [Received] {
    let lines = String(decoding: frame.bytes, as: UTF8.self).split(separator: "\n")
    #expect(lines.count == frame.messageCount)
    if let last = lines.last?.split(separator: " ").first, let position = Int64(last) {
      #expect(frame.positionEnd == position + 1)
    }
    return lines.map { .row(String($0)) }
  }
}

/// One who follows, and what it was given.
final class Follower: Sendable {
  let subscription: LiveSubscription
  let filter: @Sendable (Row) -> Bool
  private let woken: AsyncStream<Void>
  private let given = Mutex<[Received]>([])
  let wakes: Counter

  init(
    _ feed: LiveFeed, _ partition: Partition = logs, filter predicate: Predicate = .all,
    shape: any LiveShape = RowShape(), where filter: @escaping @Sendable (Row) -> Bool = { _ in true }
  ) async throws {
    let (stream, continuation) = AsyncStream<Void>.makeStream()
    let counter = Counter()
    woken = stream
    wakes = counter
    self.filter = filter
    subscription = try await feed.subscribe(to: partition, filter: predicate, shape: shape) {
      counter.add(1)
      continuation.yield()
    }
  }

  var all: [Received] { given.withLock { $0 } }

  /// Takes what waits.
  @discardableResult func take(bytesMax: Int = 1 << 30) -> [Received] {
    let deliveries = subscription.take(bytesMax: bytesMax)
    let received = deliveries.flatMap { delivery -> [Received] in
      switch delivery {
      case .frame(let frame): Received.of(frame)
      case .dropped(let count): [.dropped(count)]
      case .failed(let error): [.failed(error)]
      }
    }
    given.withLock { $0 += received }
    return received
  }

  /// Takes whenever it is woken until so many messages came or were dropped.
  func follow(until count: Int) async {
    take()
    if messageCount >= count { return }
    for await _ in woken {
      take()
      if messageCount >= count { return }
    }
  }

  /// Messages that came or were dropped.
  var messageCount: Int {
    all.reduce(0) { sum, received in
      switch received {
      case .row, .failed: sum + 1
      case .dropped(let count): sum + count
      }
    }
  }

  /// The rows that must come, of all there are.
  func expected(_ rows: [Row]) -> [Row] {
    rows.filter { $0.position >= subscription.positionStart && filter($0) }
      .sorted { $0.position < $1.position }
  }

  /// Whether exactly the expected rows came, in order, with the missing ones counted where they are missing.
  func matches(_ rows: [Row], from alreadySeen: [Received] = []) -> Bool {
    let expected = expected(rows)
    var next = 0
    for received in all {
      switch received {
      case .failed: return false
      case .dropped(let count): next += count
      case .row(let text):
        guard next < expected.count, expected[next].text == text else { return false }
        next += 1
      }
    }
    return next == expected.count
  }
}

final class Counter: Sendable {
  private let value = Atomic(0)
  var count: Int { value.load(ordering: .sequentiallyConsistent) }
  func add(_ number: Int) { value.add(number, ordering: .sequentiallyConsistent) }
}

/// What was acknowledged.
final class Written: Sendable {
  private let list = Mutex<[Row]>([])
  var rows: [Row] { list.withLock { $0 } }

  func append(_ rows: [Row], to store: Storage, _ partition: Partition = logs) async throws {
    let receipt = try await store.append(Row.batch(rows), to: partition, idempotency: nil)
    list.withLock { list in
      for (index, row) in rows.enumerated() {
        var row = row
        row.position = receipt.firstPosition + Int64(index)
        list.append(row)
      }
    }
  }
}

/// A store far away: its head now and then claims that rows left it, and what it says of the end is old when
/// it comes.
struct FlakyFeed: CommitFeed {
  let store: Storage
  /// nil once in so many calls; 0: never.
  var missesOneIn = 0
  /// Why the end is not to be known.
  var failure: StoreError?
  let generator = Shared(SeededGenerator(seed: 9))

  func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    store.observeCommits(wake)
  }
  func positionEnd(of tenant: Tenant) async throws(StoreError) -> Int64 {
    if let failure { throw failure }
    let end = store.positionEnd(of: tenant)
    let turns = generator.value.withLock { Int.random(in: 0...40, using: &$0) }
    for _ in 0..<turns { await Task.yield() }
    return end
  }
  func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? {
    if missesOneIn > 0, generator.value.withLock({ $0.chance(oneIn: missesOneIn) }) { return nil }
    return store.committed(to: partition, from: position, columns: columns, rowsMax: rowsMax)
  }
}

/// Snapshots that come a while after they were taken.
struct FarSource: BatchSource {
  let store: Storage

  func snapshot(of partition: Partition) async throws(StoreError) -> any PartitionSnapshot {
    let snapshot = store.snapshot(of: partition)
    for _ in 0..<20 { await Task.yield() }
    return snapshot
  }
}

final class Shared<Value: Sendable>: Sendable {
  let value: Mutex<Value>
  init(_ value: Value) { self.value = Mutex(value) }
}

func openStore(
  disk: SimulatedDisk = SimulatedDisk(seed: 1), clock: ManualClock = ManualClock(),
  _ change: (inout StorageOptions) -> Void = { _ in }
) async throws -> Storage {
  var options = StorageOptions()
  options.journal.segmentBytes = 256 << 10
  options.journal.writeReserveBytes = 0
  options.mergeInputsMin = 2
  change(&options)
  return try await Storage.open(
    directory: "data",
    environment: StoreEnvironment(
      fileSystem: disk, clock: clock, uptime: clock, entropy: SeededEntropy(seed: 1)),
    options: options, format: ParquetBlocks(), locks: false)
}

func testLimits(_ change: (inout LiveLimits) -> Void = { _ in }) -> LiveLimits {
  var limits = LiveLimits()
  limits.roundMilliseconds = 0
  change(&limits)
  return limits
}

/// Waits until the feed has looked at so many records.
func settle(_ feed: LiveFeed, records: Int) async {
  while feed.statistics().recordsOffered < records { await Task.yield() }
}
