import Records
import Synchronization
import TestKit
import Testing

@testable import Forwarding

@Suite struct SavingTests {
  let a = tenant("a")

  @Test func aRestartResumes() throws {
    var harness = Harness()
    harness.append(numbered(0..<5000), to: a)
    try harness.drain()
    harness.crash()
    harness.append(numbered(5000..<6000), to: a)
    try harness.drain()
    #expect(harness.loki.messages(a) == (0..<6000).map { "m\($0)" })
  }

  @Test func aStateThatFailsHoldsNothingUp() throws {
    var harness = Harness()
    harness.append(numbered(0..<2000), to: a)
    for _ in 0..<20 {
      harness.now += second
      harness.send(.tick)
      while !harness.work.isEmpty { try harness.carryOut(savesFail: true) }
    }
    #expect(harness.loki.messages(a).count == 2000)
    #expect(harness.engine.figures.isStateFailing)
    #expect(harness.state.contents.withLock { $0.cursors.isEmpty })
    try harness.drain()
    #expect(harness.state.contents.withLock { $0.cursors[a]?.position } == 2000)
    #expect(!harness.engine.figures.isStateFailing)
  }

  @Test func lettersThatCannotBeSavedHoldTheTenantUp() throws {
    var harness = Harness()
    harness.append(numbered(0..<3000) { $0.message = "poison\($1)" }, to: a)
    for _ in 0..<10_000 {
      harness.now += second / 10
      harness.send(.tick)
      while !harness.work.isEmpty { try harness.carryOut(savesFail: true) }
    }
    #expect(harness.engine.lanes[a]?.letters.count == Lane.lettersPendingMax)
    try harness.drain()
    #expect(harness.letters.map(\.position) == Array(0..<3000))
  }

  @Test func theOldestLettersGoFirst() throws {
    var options = ForwardingOptions()
    options.limits.deadLettersPerTenantMax = 10
    var harness = Harness(options)
    harness.append(numbered(0..<25) { $0.message = "poison\($1)" }, to: a)
    try harness.drain()
    #expect(harness.letters.map(\.position) == Array(15..<25))
    #expect(harness.engine.figures.deadLettersDropped == 15)
    #expect(harness.engine.figures.tenants[a]?.deadLetterCount == 10)
  }

  @Test func aFirstStartMayBeginAtTheEnd() throws {
    var options = ForwardingOptions()
    options.start = .latest
    let store = FakeStore()
    store.append(numbered(0..<100), to: a)
    var harness = Harness(options, store: store)
    try harness.drain()
    #expect(harness.loki.pushes.isEmpty)
    harness.append(numbered(100..<103), to: a)
    harness.append(numbered(0..<2), to: tenant("later"))
    try harness.drain()
    #expect(harness.loki.messages(a) == ["m100", "m101", "m102"])
    #expect(harness.loki.messages(tenant("later")) == ["m0", "m1"])
    // Not again at the next start.
    harness.store.append(numbered(0..<2), to: tenant("between"))
    harness.crash()
    try harness.drain()
    #expect(harness.loki.messages(tenant("between")) == ["m0", "m1"])
  }

  @Test func aStoreSetBackToAnOlderStateIsFollowed() throws {
    var harness = Harness()
    harness.append(numbered(0..<100), to: a)
    try harness.drain()
    harness.store.state.withLock {
      $0.ends[a] = 50
      $0.rows[a]?.removeLast(50)
    }
    harness.crash()
    harness.append(numbered(50..<60), to: a)
    try harness.drain()
    #expect(harness.loki.messages(a).suffix(10) == (50..<60).map { "m\($0)" })
  }

  @Test func aFlushTakesWhatIsThere() throws {
    var harness = Harness()
    harness.loki.script = [.fail(.connect)]
    harness.append(numbered(0..<1500), to: a)
    harness.append(numbered(0..<7), to: tenant("b"))
    try harness.settle()
    harness.send(.flush(1, deadline: harness.now + 30 * second))
    try harness.settle()
    let report = try #require(harness.flushed[1])
    #expect(report.isComplete && report.entriesByTenant == [a: 1500, tenant("b"): 7])
    #expect(report.entryCount == 1507)
    // Nothing to do: answered at once.
    harness.send(.flush(2, deadline: harness.now + 30 * second))
    #expect(harness.flushed[2] == FlushReport(entriesByTenant: [:], isComplete: true))
  }

  @Test func aFlushEndsAtItsDeadline() throws {
    var harness = Harness()
    harness.loki.script = [.accept] + Array(repeating: .fail(.timeout), count: 20)
    harness.append(numbered(0..<1500), to: a)
    harness.send(.flush(1, deadline: harness.now + 10 * second))
    try harness.settle()
    try harness.advance(seconds: 9)
    #expect(harness.flushed[1] == nil)
    try harness.advance(seconds: 1)
    #expect(harness.flushed[1] == FlushReport(entriesByTenant: [a: 1000], isComplete: false))
  }

  @Test func aStopSavesAndBeginsNothing() throws {
    var harness = Harness()
    harness.append(numbered(0..<5000), to: a)
    try harness.carryOut()
    try harness.carryOut()
    harness.send(.flush(1, deadline: harness.now + 10 * second))
    harness.send(.stop(deadline: harness.now + 10 * second))
    #expect(harness.flushed[1]?.isComplete == false)
    #expect(!harness.isFinished)
    try harness.settle()
    #expect(harness.isFinished)
    let received = harness.loki.messages(a).count
    #expect(received <= 2000)
    #expect(harness.state.contents.withLock { $0.cursors[a]?.position } == Int64(received))
    // Afterwards a flush is answered with nothing.
    harness.send(.flush(2, deadline: harness.now))
    #expect(harness.flushed[2]?.isComplete == false)
  }

  @Test func aStopDoesNotWaitForADeadLoki() throws {
    var harness = Harness()
    harness.append(numbered(0..<1000), to: a)
    try harness.carryOut()
    harness.send(.stop(deadline: harness.now + 10 * second))
    harness.now += 10 * second
    harness.send(.tick)
    #expect(harness.isFinished)
  }
}
