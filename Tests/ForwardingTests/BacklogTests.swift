import Records
import Synchronization
import TestKit
import Testing

@testable import Forwarding

@Suite struct BacklogTests {
  let a = tenant("a")
  let start: Int64 = 1_790_000_000_000_000_000

  private func backlog(bytesMax: Int = 1000, ageSecondsMax: Int = 100) -> Backlog {
    var quota = BacklogQuota()
    quota.bytesMax = bytesMax
    quota.ageSecondsMax = ageSecondsMax
    return Backlog(quota: quota, realms: [.ingest])
  }

  private func partition(_ tenant: Tenant) -> Partition { Partition(tenant: tenant, dataset: .logs) }

  @Test func refusedFromEightyPercentOn() {
    let backlog = backlog()
    backlog.accepted(partition(a), positions: 0..<10, bytes: 700, now: start)
    #expect(backlog.mayAccept(a, bytes: 99, now: start) == .ok)
    #expect(
      backlog.mayAccept(a, bytes: 100, now: start) == .quotaExceeded(kind: .bytes, retryAfterSeconds: 60))
    // That tenant only.
    #expect(backlog.mayAccept(tenant("b"), bytes: 100, now: start) == .ok)
    #expect(backlog.mayAccept(a, bytes: 1, now: start + 79 * second) == .ok)
    #expect(
      backlog.mayAccept(a, bytes: 1, now: start + 80 * second)
        == .quotaExceeded(kind: .age, retryAfterSeconds: 60))
    backlog.forwarded(a, to: 5, oldestAt: start + 50 * second, now: start + 80 * second)
    #expect(backlog.figures(of: a).bytes == 350)
    #expect(backlog.mayAccept(a, bytes: 1, now: start + 80 * second) == .ok)
    backlog.forwarded(a, to: 10, oldestAt: nil, now: start + 81 * second)
    #expect(backlog.figures(of: a) == (0, nil))
    #expect(backlog.mayAccept(a, bytes: 700, now: start + 9000 * second) == .ok)
  }

  @Test func anotherQuotaHoldsAtOnce() {
    let backlog = backlog()
    backlog.accepted(partition(a), positions: 0..<1, bytes: 700, now: start)
    #expect(backlog.mayAccept(a, bytes: 1, now: start) == .ok)
    var quota = BacklogQuota()
    quota.bytesMax = 500
    backlog.use(quota)
    #expect(backlog.mayAccept(a, bytes: 1, now: start) != .ok)
    quota.bytesMax = 5000
    backlog.use(quota)
    #expect(backlog.mayAccept(a, bytes: 1, now: start) == .ok)
  }

  @Test func whatIsNotForwardedHasNoQuota() {
    let none = Backlog(quota: nil)
    none.accepted(partition(a), positions: 0..<1, bytes: 1 << 40, now: start)
    #expect(none.mayAccept(a, bytes: 1 << 40, now: start) == .ok)
    let backlog = backlog()
    let native = Tenant(realm: .native, name: "n")
    backlog.accepted(partition(native), positions: 0..<1, bytes: 5000, now: start)
    #expect(backlog.mayAccept(native, bytes: 5000, now: start) == .ok)
  }

  @Test func theForwarderMayBeFasterThanTheRequest() {
    let backlog = backlog()
    backlog.forwarded(a, to: 10, oldestAt: nil, now: start)
    backlog.accepted(partition(a), positions: 0..<10, bytes: 700, now: start)
    #expect(backlog.figures(of: a) == (0, nil))
  }

  @Test func theWaitFollowsThePace() {
    let backlog = backlog(bytesMax: 100_000, ageSecondsMax: 1_000_000)
    for step in 0..<100 {
      backlog.accepted(
        partition(a), positions: Int64(step * 10)..<Int64(step * 10 + 10), bytes: 1000,
        now: start + Int64(step) * second)
    }
    // 1,000 bytes a second for 10 s: 90,000 left, 10,000 above what may wait.
    for step in 0...10 {
      backlog.forwarded(a, to: Int64(step * 10), oldestAt: nil, now: start + Int64(100 + step) * second)
    }
    guard case .quotaExceeded(.bytes, let seconds) = backlog.mayAccept(a, bytes: 0, now: start + 110 * second)
    else {
      Issue.record("90,000 of 80,000 bytes wait")
      return
    }
    #expect((8...12).contains(seconds))
    // Nothing has moved for long: nobody knows.
    #expect(
      backlog.mayAccept(a, bytes: 0, now: start + 200 * second)
        == .quotaExceeded(kind: .bytes, retryAfterSeconds: 60))
  }

  @Test func aRestartRemembers() {
    let before = backlog(bytesMax: 100_000)
    before.accepted(partition(a), positions: 0..<100, bytes: 10_000, now: start)
    before.forwarded(a, to: 50, oldestAt: start, now: start)
    let saved = SavedCursor(tenant: a, position: 50, backlog: before.saved(a))
    #expect(
      saved.backlog == SavedBacklog(bytes: 5000, countedEnd: 100, recordBytesMean: 100, oldestAt: start))
    let after = backlog(bytesMax: 100_000)
    // 20 more records were accepted after the save.
    after.restore(saved, positionEnd: 120, now: start + 50 * second)
    #expect(after.figures(of: a) == (7000, start))
    #expect(
      after.mayAccept(a, bytes: 1, now: start + 80 * second)
        == .quotaExceeded(kind: .age, retryAfterSeconds: 60))
    after.forwarded(a, to: 120, oldestAt: nil, now: start + 81 * second)
    #expect(after.figures(of: a) == (0, nil))
  }

  @Test func longOutagesKeepExactBytesInBoundedMemory() {
    var ledger = BacklogLedger()
    for step in 0..<100_000 {
      let first = Int64(step) * 3
      ledger.add(first..<first + 3, bytes: 7, now: start + Int64(step) * second)
    }
    #expect(ledger.bytes == 700_000 && ledger.oldestAt == start)
    var last = 700_000
    for position in stride(from: Int64(0), through: 300_000, by: 1777) {
      ledger.advance(to: position, oldestAt: nil, now: start)
      #expect(ledger.bytes <= last && abs(ledger.bytes - (700_000 - Int(position) * 7 / 3)) < 3000)
      last = ledger.bytes
    }
    ledger.advance(to: 300_000, oldestAt: nil, now: start)
    #expect(ledger.bytes == 0 && ledger.oldestAt == nil)
  }

  @Test func anOutageIsSavedWhileCursorsStand() throws {
    var harness = Harness()
    harness.loki.script = Array(repeating: .fail(.connect), count: 1000)
    harness.append(numbered(0..<1000), to: a)
    for _ in 0..<100 { try harness.advance(seconds: 1) }
    let saved = try #require(harness.state.contents.withLock { $0.cursors[a] })
    #expect(saved.position == 0 && saved.backlog.bytes == harness.backlog.figures(of: a).bytes)
    harness.crash()
    #expect(harness.backlog.figures(of: a).bytes == saved.backlog.bytes && saved.backlog.bytes > 0)
  }
}
