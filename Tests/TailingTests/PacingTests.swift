import Records
import Testing

@testable import Tailing

@Suite struct PacingTests {
  private let other = Partition(tenant: acme, dataset: .audit)

  @Test func theFirstCommitIsLookedAtOnceAndTheNextTogether() {
    var pending = LivePending(interval: 5)
    check(!pending.note([logs]), "nobody follows")
    pending.follow(logs)
    check(!pending.note([other]))
    check(pending.note([logs, other]), "a round is due")
    check(pending.rest(now: 100) == 0)
    check(pending.take(now: 100) == [logs])
    check(!pending.note([logs]), "one is under way")
    check(pending.finish([]), "what came meanwhile needs another")
    check(pending.rest(now: 102) == 3)
    check(pending.take(now: 105) == [logs])
    check(!pending.finish([]))
    check(pending.note([logs]))
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
    check(pending.note([logs, other]))
    check(pending.take(now: 0) == [logs, other])
    check(pending.finish([other]))
    check(pending.rest(now: 1) == 0)
    check(pending.take(now: 1) == [other])
    pending.unfollow(other)
    check(!pending.finish([other]), "nobody follows it any more")
    check(pending.note([logs]))
    pending.stop()
    check(pending.take(now: 2).isEmpty && !pending.finish([logs]) && !pending.note([logs]))
  }
}

/// As `#expect`, for calls that change what they are called on.
private func check(
  _ isTrue: Bool, _ why: Comment? = nil, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(isTrue, why, sourceLocation: sourceLocation)
}
