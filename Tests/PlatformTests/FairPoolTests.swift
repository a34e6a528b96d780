import Records
import Synchronization
import TestKit
import Testing

@testable import Platform

struct FairPoolTests {
  static func tenant(_ name: String) -> Tenant { Tenant(realm: .native, name: name) }

  /// A pool of one worker, whose clock goes on by a millisecond whenever somebody looks at it.
  static func pool(hasSpares: Bool) -> FairPool {
    var limits = FairLimits(workers: 1)
    limits.hasSpares = hasSpares
    let time = SteppedTime()
    return FairPool(
      limits, name: "test", clock: FairClock(now: { time.next() }, used: { time.next() }))
  }

  /// Many looks in a row, until `isDone`; whether it was.
  static func work(_ account: FairAccount, until isDone: () -> Bool) -> Bool {
    for _ in 0..<100_000_000 {
      if isDone() { return true }
      account.pause()
    }
    return isDone()
  }

  /// Whether nothing is under way; what gave its answer may still be on its way to its end.
  static func rests(_ pool: FairPool) async -> Bool {
    for _ in 0..<10_000_000 where pool.occupation.started != 0 { await Task.yield() }
    return pool.occupation.started == 0
  }

  /// A long piece of work stops where it is, others of other tenants and of its own run to their end, and it
  /// goes on.
  @Test func longWorkGivesWay() async {
    let pool = Self.pool(hasSpares: false)
    let ended = Count()
    let flood = pool.account(of: Self.tenant("flood"))
    let others = ["other", "flood"].map { pool.account(of: Self.tenant($0)) }
    let gaveWay = await flood.run { () -> Bool in
      // From here, so that they come while this runs however busy the machine is.
      for other in others { other.core.submit(FairJob(other) { ended.add() }) }
      return Self.work(flood) { ended.value == 2 }
    }
    #expect(gaveWay)
    #expect(await Self.rests(pool))
  }

  /// A small piece of a tenant that has used nothing does not wait for one that never looks.
  @Test func newcomersRunBesides() async {
    let pool = Self.pool(hasSpares: true)
    let flood = pool.account(of: Self.tenant("flood"))
    let other = pool.account(of: Self.tenant("other"))
    let isDone = await flood.run { () -> Bool in
      let ended = Count()
      // From here, so that it comes while this runs however busy the machine is.
      other.core.submit(FairJob(other) { ended.add() })
      for _ in 0..<1_000_000_000 where ended.value == 0 {}
      return ended.value == 1
    }
    #expect(isDone)
  }

  /// Nobody wants them any more: both that have stopped on their way and those that have not begun end, while
  /// another query of the tenant goes on.
  @Test func theUnwantedEnds() async {
    let pool = Self.pool(hasSpares: false)
    let isGone = Count()
    let ended = Count()
    let begun = Count()
    let stays = pool.account(of: Self.tenant("flood"))
    let gone = (0..<40).map { _ in pool.account(of: Self.tenant("flood")) }
    let all = await stays.run {
      // From here, so that all wait however busy the machine is.
      for account in gone {
        account.core.submit(
          FairJob(account) {
            begun.add()
            _ = Self.work(account) { isGone.value > 0 }
            ended.add()
          })
      }
      let someBegan = Self.work(stays) { begun.value > 1 }
      isGone.add()
      for account in gone { account.expedite() }
      return Self.work(stays) { ended.value == gone.count } && someBegan
    }
    #expect(all)
    #expect(await Self.rests(pool))
  }

  /// Threads that stopped work held are given back.
  @Test func threadsAreFew() async {
    let pool = FairPool(workers: 2)
    await withTaskGroup(of: Void.self) { group in
      for number in 0..<500 {
        group.addTask {
          let account = pool.account(of: Self.tenant("\(number % 50)"))
          await account.run { for _ in 0..<1_000 { account.pause() } }
        }
      }
    }
    #expect(await Self.rests(pool))
    // The last of them may still be on its way to rest.
    #expect(pool.occupation.threads <= 256)
  }

  @Test func errorsComeBackTyped() async {
    struct Failure: Error, Equatable {}
    let account = FairPool(workers: 1).account(of: Self.tenant("t"))
    await #expect(throws: Failure()) {
      try await account.run { () throws(Failure) -> Int in throw Failure() }
    }
  }

  /// On other threads there is nothing to give way from.
  @Test func otherThreadsAreNotHeld() {
    Self.pool(hasSpares: false).account(of: Self.tenant("t")).pause()
  }
}

private final class SteppedTime: Sendable {
  private let time = Atomic<Int64>(0)

  func next() -> Int64 { time.add(1_000_000, ordering: .relaxed).newValue }
}

private final class Count: Sendable {
  private let count = Atomic<Int>(0)

  var value: Int { count.load(ordering: .relaxed) }

  func add() { count.add(1, ordering: .relaxed) }
}
