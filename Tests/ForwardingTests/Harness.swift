import Records
import Synchronization
import TestKit
import Testing

@testable import Forwarding

let second: Int64 = 1_000_000_000

func tenant(_ name: String) -> Tenant { Tenant(realm: .ingest, name: name) }

func numbered(_ range: Range<Int>, _ change: (inout TestEntry, Int) -> Void = { _, _ in }) -> [TestEntry] {
  range.map { number in
    var entry = TestEntry(message: "m\(number)")
    entry.timestamp += Int64(number) * 1000
    change(&entry, number)
    return entry
  }
}

/// A Loki that answers as told. Entries whose message begins with `poison` are refused with 400, those that
/// begin with
/// `huge` with 413.
struct ScriptedLoki {
  enum Answer: Sendable {
    /// Take it and say so.
    case accept
    /// Take it, then lose the answer.
    case acceptAnd(PushFailure)
    /// Take it twice.
    case acceptTwice
    case fail(PushFailure)
    case status(Int, retryAfter: String? = nil)
  }

  struct Push {
    var tenant: Tenant
    var count: Int
    var at: Int64
    var outcome: PushOutcome
  }

  /// What comes next; empty: `accept`.
  var script: [Answer] = []
  /// Whether entries beside a refused one are taken.
  var takesTheRest = false
  var entriesMax = Int.max
  private(set) var received: [Tenant: [ReceivedEntry]] = [:]
  private(set) var pushes: [Push] = []

  mutating func push(_ request: PushRequest, at now: Int64) throws -> PushOutcome {
    let answer = script.isEmpty ? .accept : script.removeFirst()
    let outcome = try answered(request, answer)
    pushes.append(Push(tenant: request.tenant, count: request.entryCount, at: now, outcome: outcome))
    return outcome
  }

  private mutating func answered(_ request: PushRequest, _ answer: Answer) throws -> PushOutcome {
    let entries = try PushReader.entries(request)
    try #require(entries.count == request.entryCount)
    func done(_ status: Int) -> PushOutcome { .answered(status: status, retryAfter: nil, text: "") }
    var times = 1
    switch answer {
    case .fail(let failure): return .failed(failure)
    case .status(let status, let retryAfter):
      return .answered(status: status, retryAfter: retryAfter, text: "no")
    case .acceptTwice: times = 2
    case .accept, .acceptAnd: break
    }
    if entries.count > entriesMax || entries.contains(where: { $0.message.hasPrefix("huge") }) {
      return done(413)
    }
    let sound = entries.filter { !$0.message.hasPrefix("poison") }
    let isSound = sound.count == entries.count
    if isSound || takesTheRest {
      for _ in 0..<times { received[request.tenant, default: []] += sound }
    }
    if case .acceptAnd(let failure) = answer { return .failed(failure) }
    return isSound
      ? done(204)
      : .answered(status: 400, retryAfter: nil, text: "entry for stream '{a=\"b\"}' has timestamp too old")
  }

  func messages(_ tenant: Tenant) -> [String] { (received[tenant] ?? []).map(\.message) }
}

/// An engine, carried out by hand, at a time that stands until it is told otherwise.
struct Harness {
  let store: FakeStore
  let state = FakeState()
  var options: ForwardingOptions
  var loki = ScriptedLoki()
  var now: Int64 = 1_790_000_000_000_000_000
  var engine: ForwardingEngine
  var backlog: Backlog
  /// Asked for and not yet carried out.
  var work: [ForwardingAction] = []
  var flushed: [Int: FlushReport] = [:]
  var isFinished = false
  var chance: UInt64 = 0

  init(_ options: ForwardingOptions = ForwardingOptions(), store: FakeStore = FakeStore()) {
    self.options = options
    self.store = store
    (engine, backlog) = Harness.open(options, store, state, now)
  }

  private static func open(
    _ options: ForwardingOptions, _ store: FakeStore, _ state: FakeState, _ now: Int64
  ) -> (ForwardingEngine, Backlog) {
    let saved = state.openNow()
    let ends = store.state.withLock(\.ends)
    let engine = ForwardingEngine(options: options, saved: saved, positionEnds: ends, now: now)
    let backlog = Backlog(quota: options.quota, dataset: options.dataset, realms: options.realms)
    for (tenant, lane) in engine.lanes {
      let own = saved.cursors.first { $0.tenant == tenant }
      backlog.restore(
        SavedCursor(tenant: tenant, position: lane.cursor, backlog: own?.backlog ?? SavedBacklog()),
        positionEnd: lane.positionEnd, now: now)
    }
    return (engine, backlog)
  }

  /// Forgets everything that is not durable.
  mutating func crash() {
    work = []
    (engine, backlog) = Harness.open(options, store, state, now)
  }

  mutating func send(_ event: ForwardingEvent) {
    for action in engine.handle(event, now: now, chance: chance) {
      switch action {
      case .advanced(let tenant, let position, let oldestAt):
        backlog.forwarded(tenant, to: position, oldestAt: oldestAt, now: now)
      case .flushed(let number, let report): flushed[number] = report
      case .finish: isFinished = true
      case .read, .push, .save: work.append(action)
      }
    }
  }

  mutating func append(_ entries: [TestEntry], to tenant: Tenant) {
    let range = store.append(entries, to: tenant)
    let bytes = entries.reduce(0) { $0 + $1.message.utf8.count }
    backlog.accepted(Partition(tenant: tenant, dataset: .logs), positions: range, bytes: bytes, now: now)
    send(.grown(tenant, positionEnd: range.upperBound))
  }

  /// Carries out the piece of work at `index`.
  mutating func carryOut(_ index: Int = 0, savesFail: Bool = false) throws {
    switch work.remove(at: index) {
    case .read(let tenant, let start, let bounds):
      let reader = WindowReader(dataset: options.dataset, mapping: options.mapping)
      do throws(StoreError) {
        let window = try reader.read(
          store.snapshot(of: Partition(tenant: tenant, dataset: options.dataset)), from: start, bounds: bounds
        )
        #expect(window.rowCount <= bounds.rowsMax && window.coveredEnd - start <= bounds.span)
        send(.windowRead(tenant, window))
      } catch {
        send(.readFailed(tenant))
      }
    case .push(let tenant, let window, let rows, let bytesMax):
      let encoder = LokiEncoder(mapping: options.mapping, format: options.format)
      let push = try encoder.encode(window, rows: rows, bytesMax: bytesMax)
      #expect(rows.count <= options.limits.pushEntriesMax)
      #expect(push.plainByteCount <= bytesMax || push.rowCount == 1)
      let request = PushRequest(
        tenant: tenant, body: push.body, contentType: encoder.contentType,
        contentEncoding: encoder.contentEncoding, entryCount: push.rowCount)
      let outcome = try loki.push(request, at: now)
      send(
        .pushed(
          tenant,
          PushReport(
            rowCount: push.rowCount, plainByteCount: push.plainByteCount, byteCount: push.body.count,
            seconds: 0.2, outcome: outcome)))
    case .save(let cursors, let letters, let standing):
      var positions = cursors
      for tenant in standing.isEmpty ? [] : backlog.takeChanged() where positions[tenant] == nil {
        positions[tenant] = standing[tenant]
      }
      if positions.isEmpty, letters.isEmpty { return send(.saved(nil)) }
      let change = ForwardingChange(
        cursors: positions.map {
          SavedCursor(tenant: $0.key, position: $0.value, backlog: backlog.saved($0.key))
        },
        letters: letters, lettersPerTenantMax: options.limits.deadLettersPerTenantMax)
      if savesFail { return send(.saveFailed) }
      send(.saved(try state.saveNow(change)))
    case .advanced, .flushed, .finish: Issue.record("no work")
    }
  }

  /// Carries out everything that needs no time.
  mutating func settle() throws {
    while !work.isEmpty { try carryOut() }
  }

  mutating func advance(seconds: Double) throws {
    now += Int64(seconds * 1e9)
    send(.tick)
    try settle()
  }

  /// Time goes on until nothing waits.
  mutating func drain(secondsMax: Int = 10_000) throws {
    for _ in 0..<secondsMax {
      try advance(seconds: 1)
      let isIdle = engine.lanes.allSatisfy {
        $0.value.cursor >= $0.value.positionEnd && $0.value.letters.isEmpty
      }
      if isIdle, engine.dirty.isEmpty { return }
    }
    Issue.record("still busy after \(secondsMax) seconds")
  }

  var letters: [DeadLetter] { state.contents.withLock(\.letters) }
}
