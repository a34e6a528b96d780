import Platform
import Records
import Synchronization
import TestKit
import Testing

@testable import Forwarding

/// A Loki behind the shell's protocol. `holds` keeps requests waiting until they are let go.
final class SharedLoki: LokiTransport {
  let loki = Mutex(ScriptedLoki())
  let clock: ManualClock
  private let held: Mutex<[CheckedContinuation<Void, Never>]?> = Mutex(nil)
  init(clock: ManualClock) { self.clock = clock }

  func hold() { held.withLock { $0 = [] } }
  func release() {
    let waiting = held.withLock { held in
      defer { held = nil }
      return held ?? []
    }
    for continuation in waiting { continuation.resume() }
  }

  func push(_ request: PushRequest) async -> PushOutcome {
    await withCheckedContinuation { continuation in
      let isHeld = held.withLock { held in
        held?.append(continuation)
        return held != nil
      }
      if !isHeld { continuation.resume() }
    }
    return loki.withLock { loki in
      do { return try loki.push(request, at: clock.now()) } catch {
        Issue.record("a push that is none")
        return .failed(.garbage)
      }
    }
  }
}

@Suite struct ForwarderTests {
  let a = tenant("a")

  struct Setting {
    let store = FakeStore()
    let state = FakeState()
    let clock = ManualClock(1_790_000_000_000_000_000)
    let loki: SharedLoki
    let workers = WorkerPool(threads: 2, name: "forward")
    init() { loki = SharedLoki(clock: clock) }

    func open(_ options: ForwardingOptions = ForwardingOptions()) async throws -> Forwarder {
      try await Forwarder.open(
        options,
        ForwarderPorts(
          source: store, feed: store, control: store, state: state, transport: loki, clock: clock,
          entropy: SeededEntropy(seed: 1), workers: workers,
          // Time goes on as often as somebody looks at it.
          sleep: { nanoseconds in
            clock.advance(nanoseconds: nanoseconds)
            await Task.yield()
          }))
    }

    /// Until `condition` holds; the test's time limit ends it otherwise.
    func wait(until condition: () -> Bool) async {
      // The condition may take apart all that was sent: others have their turns in between.
      while !condition() { for _ in 0..<512 { await Task.yield() } }
    }
  }

  @Test(.timeLimit(.minutes(15))) func recordsAreForwardedUntilTheStop() async throws {
    let setting = Setting()
    setting.store.append(numbered(0..<1500), to: a)
    let forwarder = try await setting.open()
    async let run: Void = forwarder.run()
    await setting.wait { setting.loki.loki.withLock { $0.messages(a).count } == 1500 }
    setting.store.append(numbered(1500..<1510), to: a)
    setting.store.append(numbered(0..<10), to: tenant("new"))
    await setting.wait {
      setting.loki.loki.withLock { $0.messages(a).count + $0.messages(tenant("new")).count } == 1520
    }
    forwarder.stop(withinSeconds: 1_000_000)
    await run
    #expect(setting.loki.loki.withLock { $0.messages(a) } == (0..<1510).map { "m\($0)" })
    #expect(setting.state.contents.withLock { $0.cursors[a]?.position } == 1510)
    #expect(forwarder.metrics().tenants[a]?.entriesForwarded == 1510)
    #expect(await forwarder.flush(withinSeconds: 1).isComplete == false)
  }

  @Test(.timeLimit(.minutes(15))) func aFlushAnswers() async throws {
    let setting = Setting()
    let forwarder = try await setting.open()
    async let run: Void = forwarder.run()
    setting.store.append(numbered(0..<50), to: a)
    let report = await forwarder.flush(withinSeconds: 100_000)
    #expect(report.isComplete)
    #expect(setting.loki.loki.withLock { $0.messages(a).count } == 50)
    forwarder.stop(withinSeconds: 1_000_000)
    await run
  }

  @Test(.timeLimit(.minutes(15))) func aStalledLokiEndsNeitherFlushNorStop() async throws {
    let setting = Setting()
    setting.loki.hold()
    setting.store.append(numbered(0..<50), to: a)
    let forwarder = try await setting.open()
    let run = Task { await forwarder.run() }
    let report = await forwarder.flush(withinSeconds: 30)
    #expect(!report.isComplete && report.entryCount == 0)
    forwarder.stop(withinSeconds: 5)
    await setting.wait { forwarder.isFinished }
    // The transport returns when its task is cancelled; this one when it is told.
    setting.loki.release()
    await run.value
    #expect(setting.state.contents.withLock { ($0.cursors[a]?.position ?? 0) == 0 })
  }

  @Test(.timeLimit(.minutes(15))) func deadLettersAreReplayed() async throws {
    let setting = Setting()
    setting.store.append(
      numbered(0..<100) { if $1 == 7 || $1 == 60 { $0.message = "poison\($1)" } }, to: a)
    let forwarder = try await setting.open()
    async let run: Void = forwarder.run()
    await setting.wait { setting.state.contents.withLock(\.letters.count) == 2 }
    let letters = try await forwarder.deadLetters(of: a)
    #expect(letters.map(\.position) == [7, 60] && letters.map(\.number) == [1, 2])
    #expect(try await forwarder.deadLetters(of: tenant("b")).isEmpty)
    #expect(try await forwarder.deadLetters(after: 1, limit: 1).map(\.number) == [2])
    // Refused again: they stay.
    let again = try await forwarder.replayDeadLetters([1, 2, 99])
    #expect(again.refused == [1, 2] && again.accepted.isEmpty && again.fault == nil)
    #expect(try await forwarder.deadLetters().map(\.attempts) == [2, 2])
    // No answer: they stay as they are.
    setting.loki.loki.withLock { $0.script = [.fail(.connect)] }
    let lost = try await forwarder.replayDeadLetters([1, 2])
    #expect(lost.left == [1, 2] && lost.fault == .noAnswer(.connect))
    // As if Loki had been told to take them.
    setting.loki.loki.withLock { $0.script = [.status(204)] }
    let taken = try await forwarder.replayDeadLetters([1])
    #expect(taken.accepted == [1])
    try await forwarder.dropDeadLetters([2])
    #expect(try await forwarder.deadLetters().isEmpty)
    await setting.wait { forwarder.metrics().tenants[a]?.deadLetterCount == 0 }
    forwarder.stop(withinSeconds: 1_000_000)
    await run
  }

  @Test func replaysAreSplitLikePushes() {
    let letters = (1...10).map { number in
      DeadLetter(
        number: Int64(number), tenant: a, position: Int64(number), id: [], timestamp: 0, ingestedAt: 0,
        refusedAt: 0, reason: .other, status: 400, attempts: 1, entry: [UInt8](repeating: 0x20, count: 10))
    }
    var plan = ReplayPlan(letters, entriesMax: 4, bytesMax: 1000)
    var sizes: [Int] = []
    while let piece = plan.next {
      sizes.append(piece.count)
      let isRefused = piece.contains { $0.number == 6 }
      _ = plan.settle(.answered(status: isRefused ? 400 : 204, retryAfter: nil, text: ""), now: 9)
    }
    #expect(sizes == [4, 4, 2, 1, 1, 2, 2])
    #expect(plan.report.accepted == [1, 2, 3, 4, 5, 7, 8, 9, 10] && plan.report.refused == [6])
    var bytes = ReplayPlan(letters, entriesMax: 100, bytesMax: 25)
    #expect(bytes.next?.count == 2)
    #expect(bytes.settle(.failed(.timeout), now: 9) == nil)
    #expect(bytes.next == nil && bytes.report.left == Array(1...10))
  }
}
