import Records
import Testing

@testable import Tailing

@Suite struct PacingTests {
  private let other = Partition(tenant: acme, dataset: .audit)

  @Test func theFirstCommitIsLookedAtOnceAndTheNextTogether() {
    var pending = LivePending(interval: 5)
    check(!pending.note([logs: 3]), "nobody follows")
    pending.follow(logs)
    check(!pending.note([other: 2]))
    check(pending.note([logs: 3, other: 2]), "a round is due")
    check(pending.rest(now: 100) == 0)
    check(pending.take(now: 100) == [logs: 3])
    check(!pending.note([logs: 7]), "one is under way")
    check(!pending.note([logs: 5]), "an end that is told late")
    check(pending.finish([:]), "what came meanwhile needs another")
    check(pending.rest(now: 102) == 3)
    check(pending.take(now: 105) == [logs: 7])
    check(!pending.finish([:]))
    check(pending.end(of: logs) == 7 && pending.end(of: other) == nil)
    check(pending.note([logs: 9]))
    check(pending.rest(now: 109) == 1)
    check(pending.rest(now: 110) == 0)
    check(pending.rest(now: 5) == 5, "the clock jumped back")
    check(pending.rest(now: .min) <= 5)
    check(pending.rest(now: .max) == 0)
  }

  @Test func whatIsUnfinishedGoesOnWithoutARest() {
    var pending = LivePending(interval: 5)
    pending.follow(logs)
    pending.follow(other)
    check(pending.note([logs: 3, other: 2]))
    check(pending.take(now: 0) == [logs: 3, other: 2])
    check(pending.finish([other: 2]))
    check(pending.rest(now: 1) == 0)
    check(pending.take(now: 1) == [other: 2])
    pending.unfollow(other)
    check(!pending.finish([other: 2]), "nobody follows it any more")
    check(pending.end(of: other) == nil)
    check(pending.note([logs: 3]))
    pending.stop()
    check(pending.take(now: 2).isEmpty && !pending.finish([logs: 3]) && !pending.note([logs: 3]))
  }
}

/// As `#expect`, for calls that change what they are called on.
private func check(
  _ isTrue: Bool, _ why: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(isTrue, why, sourceLocation: sourceLocation)
}
