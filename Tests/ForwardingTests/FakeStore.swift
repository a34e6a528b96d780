import Codecs
import Records
import Synchronization
import TestKit

@testable import Forwarding

/// A record of the tests.
struct TestEntry: Sendable, Hashable {
  var position: Int64 = 0
  var timestamp: Int64 = 1_780_000_000_000_000_000
  var ingestedAt: Int64 = 1_780_000_000_000_000_000
  var service: String? = "shop"
  var env: String? = "prod"
  var level: String? = "INFO"
  var message = ""
  var labels: String?
  var metadata: String?
  var traceID: String?
  var spanID: String?

  var id: [UInt8] {
    UUIDv7.incremented(
      UUIDv7.make(milliseconds: ingestedAt / 1_000_000, random: (1, 2)), by: Int(position))
  }

  func text(_ column: String) -> String? {
    switch column {
    case "service": service
    case "env": env
    case "level": level
    case "message": message
    case "labels": labels
    case "metadata": metadata
    case "trace_id": traceID
    case "span_id": spanID
    default: nil
    }
  }

  static func batch(_ entries: [TestEntry], columns: [String], isDictionary: Bool = false) -> RecordBatch {
    let fields = columns.map { Dataset.logs.schema.field($0) ?? Field($0, .utf8, isNullable: true) }
    let made = fields.map { field -> Column in
      switch field.name {
      case "position": return Column(int64: entries.map(\.position))
      case "timestamp": return Column(timestamps: entries.map(\.timestamp))
      case "ingested_at": return Column(timestamps: entries.map(\.ingestedAt))
      case "id":
        return Column(
          type: .uuid, rowCount: entries.count, validity: nil,
          storage: .fixed(Buffer(copying: entries.flatMap(\.id))))
      default:
        var builder = TextBuilder()
        for entry in entries {
          if let text = entry.text(field.name) { builder.appendRow(text) } else { builder.appendNull() }
        }
        let column = builder.finish(type: field.type)
        return isDictionary ? DictionaryEncoder.encode(column, valuesMax: 1000) : column
      }
    }
    return RecordBatch(fields: fields, columns: made, rowCount: entries.count)
  }

  static func window(_ entries: [TestEntry], isDictionary: Bool = false) -> EntryWindow {
    let end = (entries.last?.position ?? -1) + 1
    return EntryWindow(
      rows: batch(entries, columns: LokiMapping.logs.columns, isDictionary: isDictionary),
      positions: entries.map(\.position), coveredEnd: end, positionEnd: end)
  }
}

/// A store in memory. Rows lie in blocks sorted by time, a hundred or so in each; the newest lie in the head.
final class FakeStore: BatchSource, CommitFeed, StoreControl {
  struct State: Sendable {
    var rows: [Tenant: [TestEntry]] = [:]
    var ends: [Tenant: Int64] = [:]
    var observers: [Int: @Sendable ([Partition: Int64]) -> Void] = [:]
    var failure: StoreError?
    var rowsGiven = 0
  }
  let state = Mutex(State())
  let blockRows: Int
  init(blockRows: Int = 100) { self.blockRows = blockRows }

  /// Appends; positions are given here.
  @discardableResult
  func append(_ entries: [TestEntry], to tenant: Tenant) -> Range<Int64> {
    let (range, observers) = state.withLock { state in
      let start = state.ends[tenant] ?? 0
      for (index, entry) in entries.enumerated() {
        var entry = entry
        entry.position = start + Int64(index)
        state.rows[tenant, default: []].append(entry)
      }
      state.ends[tenant] = start + Int64(entries.count)
      return (start..<start + Int64(entries.count), Array(state.observers.values))
    }
    for observer in observers { observer([Partition(tenant: tenant, dataset: .logs): range.upperBound]) }
    return range
  }

  func delete(_ tenant: Tenant, where match: (TestEntry) -> Bool) {
    state.withLock { $0.rows[tenant]?.removeAll(where: match) }
  }

  func rows(_ tenant: Tenant) -> [TestEntry] { state.withLock { $0.rows[tenant] ?? [] } }

  func observeCommits(
    _ wake: @escaping @Sendable ([Partition: Int64]) -> Void
  ) -> CommitObservation {
    let key = state.withLock { state in
      state.observers[state.observers.count] = wake
      return state.observers.count - 1
    }
    return CommitObservation { [self] in state.withLock { $0.observers[key] = nil } }
  }
  func positionEnd(of tenant: Tenant) -> Int64 { state.withLock { $0.ends[tenant] ?? 0 } }
  func committed(
    to partition: Partition, from position: Int64, columns: [String], rowsMax: Int
  ) -> CommittedRows? { nil }

  func archive(_ isWanted: @escaping @Sendable (Tenant) -> Bool) async throws(StoreError) {}
  func delete(_ predicate: Predicate, from partition: Partition) async throws(StoreError) -> Int { 0 }
  func retain() async throws(StoreError) -> Int { 0 }
  func usage() -> [PartitionUsage] {
    state.withLock { state in
      state.ends.keys.map {
        PartitionUsage(
          partition: Partition(tenant: $0, dataset: .logs), headRows: 0, headBytes: 0, blockRows: 0,
          blockBytes: 0, blockCount: 0)
      }
    }
  }
  func writeFailure() -> StoreError? { nil }
  func damagedFiles() -> [DamagedFile] { [] }

  func snapshot(of partition: Partition) -> any PartitionSnapshot {
    state.withLock { state in
      FakeSnapshot(
        rows: state.rows[partition.tenant] ?? [], positionEnd: state.ends[partition.tenant] ?? 0,
        blockRows: blockRows, failure: state.failure, store: self)
    }
  }
}

final class FakeSnapshot: PartitionSnapshot {
  let rows: [TestEntry]
  let positionEnd: Int64
  let blockRows: Int
  let failure: StoreError?
  let store: FakeStore
  init(rows: [TestEntry], positionEnd: Int64, blockRows: Int, failure: StoreError?, store: FakeStore) {
    self.rows = rows
    self.positionEnd = positionEnd
    self.blockRows = blockRows
    self.failure = failure
    self.store = store
  }

  func plan(_ request: ScanRequest) throws(StoreError) -> [any ScanUnit] {
    if let failure { throw failure }
    return stride(from: 0, to: rows.count, by: blockRows).compactMap { start -> (any ScanUnit)? in
      let end = min(start + blockRows, rows.count)
      let (first, last) = (rows[start].position, rows[end - 1].position)
      guard first < request.positions.upperBound, last >= request.positions.lowerBound else { return nil }
      let block = rows[start..<end].sorted { ($0.timestamp, $0.position) < ($1.timestamp, $1.position) }
      let bounds = KeyBounds(
        timestampMin: block[0].timestamp, timestampMax: block[block.count - 1].timestamp, positionMin: first,
        positionMax: last)
      return FakeUnit(rows: block, bounds: bounds, request: request, store: store)
    }.reversed()
  }
  func groupedCounts(_ request: GroupedCountRequest) throws(StoreError) -> GroupedCountAnswer {
    GroupedCountAnswer(counts: [:], remaining: [])
  }
}

struct FakeUnit: ScanUnit {
  let rows: [TestEntry]
  let bounds: KeyBounds
  let request: ScanRequest
  let store: FakeStore
  var objects: Set<StoredObject> { [] }
  var rowCountMax: Int { rows.count }
  var memoryBytesEstimate: Int { 1000 }
  func countMatches() throws(StoreError) -> Int { 0 }
  func open() throws(StoreError) -> any BatchCursor {
    let rows = rows.filter { request.positions.contains($0.position) }
    store.state.withLock { $0.rowsGiven += rows.count }
    let columns = request.columns.map(\.path.column)
    return FakeCursor(
      stride(from: 0, to: rows.count, by: 37).map { start in
        TestEntry.batch(
          Array(rows[start..<min(start + 37, rows.count)]), columns: columns, isDictionary: start % 2 == 1)
      })
  }
}

final class FakeCursor: BatchCursor {
  private var batches: [RecordBatch]
  init(_ batches: [RecordBatch]) { self.batches = batches.reversed() }
  func next() throws(StoreError) -> RecordBatch? { batches.popLast() }
}

/// A durable state in memory that may refuse.
final class FakeState: ForwardingState {
  struct Contents: Sendable {
    var isKnown = false
    var cursors: [Tenant: SavedCursor] = [:]
    var letters: [DeadLetter] = []
    var number: Int64 = 0
    var isFailing = false
    var saveCount = 0
  }
  let contents = Mutex(Contents())

  private static func counts(_ contents: Contents, dropped: Int = 0) -> DeadLetterCounts {
    DeadLetterCounts(
      byTenant: Dictionary(grouping: contents.letters, by: \.tenant).mapValues(\.count), droppedCount: dropped
    )
  }

  func open(_ forwarder: String) async throws(ForwardingStateError) -> SavedForwarder { openNow() }
  func openNow() -> SavedForwarder {
    contents.withLock { contents in
      defer { contents.isKnown = true }
      return SavedForwarder(
        isNew: !contents.isKnown, cursors: Array(contents.cursors.values),
        deadLetters: FakeState.counts(contents).byTenant)
    }
  }

  func save(_ change: ForwardingChange, of forwarder: String) async throws(ForwardingStateError)
    -> DeadLetterCounts
  {
    try saveNow(change)
  }
  func saveNow(_ change: ForwardingChange) throws(ForwardingStateError) -> DeadLetterCounts {
    try contents.withLock { (contents) throws(ForwardingStateError) in
      if contents.isFailing { throw .unavailable("saving") }
      contents.saveCount += 1
      for cursor in change.cursors { contents.cursors[cursor.tenant] = cursor }
      for letter in change.letters {
        var letter = letter
        if let index = contents.letters.firstIndex(where: {
          $0.tenant == letter.tenant && $0.position == letter.position
        }) {
          letter.number = contents.letters[index].number
          contents.letters[index] = letter
        } else {
          contents.number += 1
          letter.number = contents.number
          contents.letters.append(letter)
        }
      }
      var dropped = 0
      for tenant in Set(change.letters.map(\.tenant)) {
        while contents.letters.count(where: { $0.tenant == tenant }) > change.lettersPerTenantMax,
          let index = contents.letters.firstIndex(where: { $0.tenant == tenant })
        {
          contents.letters.remove(at: index)
          dropped += 1
        }
      }
      return FakeState.counts(contents, dropped: dropped)
    }
  }

  func deadLetters(of forwarder: String, tenant: Tenant?, after: Int64, limit: Int)
    async throws(ForwardingStateError) -> [DeadLetter]
  {
    contents.withLock { contents in
      Array(
        contents.letters.filter { $0.number > after && (tenant == nil || tenant == $0.tenant) }.prefix(limit))
    }
  }
  func deadLetters(of forwarder: String, numbers: [Int64]) async throws(ForwardingStateError) -> [DeadLetter]
  {
    contents.withLock { contents in contents.letters.filter { numbers.contains($0.number) } }
  }
  func drop(_ numbers: [Int64], of forwarder: String) async throws(ForwardingStateError) -> DeadLetterCounts {
    contents.withLock { contents in
      contents.letters.removeAll { numbers.contains($0.number) }
      return FakeState.counts(contents)
    }
  }
}
