import Records
import Testing

@testable import Platform

/// Who runs next, without threads and clocks: each test says itself what a slice has used.
struct FairQueueTests {
  static let ms: Int64 = 1_000_000
  let core = FairCore(FairLimits(workers: 1), name: "unused", clock: FairClock(now: { 0 }, used: { 0 }))

  func account(_ name: String, used: Int64 = 0) -> FairAccount {
    let account = core.account(of: Tenant(realm: .native, name: name))
    account.used = used
    return account
  }

  /// Runs slices of jobs that never end; what each tenant has used by then, ms.
  func used(
    in slices: Int, _ queue: inout FairQueue, _ cost: (String) -> Int64
  ) throws -> [String: Int64] {
    var used: [String: Int64] = [:]
    for _ in 0..<slices {
      let job = try #require(queue.next())
      let name = job.account.tenant.name
      queue.settle(job, used: cost(name))
      used[name, default: 0] += cost(name)
      job.worker = job.worker ?? FairWorker(core)
      queue.add(job)
    }
    return used
  }

  /// However many queries a tenant has, however long its slices turn out to be.
  @Test(arguments: [1, 2, 40])
  func tenantsGetTheSameTime(queryCount: Int) throws {
    var queue = FairQueue(FairLimits(workers: 2))
    for _ in 0..<queryCount { queue.add(FairJob(account("many")) {}) }
    queue.add(FairJob(account("one")) {})
    queue.add(FairJob(account("third")) {})
    let costs = ["many": 17 * Self.ms, "one": 5 * Self.ms, "third": 2 * Self.ms]
    let used = try used(in: 3_000, &queue) { costs[$0] ?? 0 }
    for name in ["one", "third"] {
      let difference = abs((used["many"] ?? 0) - (used[name] ?? 0))
      #expect(difference <= 25 * Self.ms, "\(used)")
    }
  }

  /// Whoever comes with nothing running is first, but not again before others had their turn.
  @Test func newcomersAreFirstOnce() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    for _ in 0..<4 { queue.add(FairJob(account("flood", used: 1)) {}) }
    _ = try used(in: 10, &queue) { _ in 5 * Self.ms }
    var small: Int64 = 0
    var flood: Int64 = 0
    for round in 0..<200 {
      queue.add(FairJob(account("small")) {})
      if round == 0 {
        #expect(queue.next(in: .newcomer)?.account.tenant.name == "small")
      } else {
        while let job = queue.next() {
          let isSmall = job.account.tenant.name == "small"
          let cost = isSmall ? Self.ms : 5 * Self.ms
          queue.settle(job, used: cost)
          if isSmall {
            small += cost
            queue.end(job)
            break
          }
          flood += cost
          job.worker = job.worker ?? FairWorker(core)
          queue.add(job)
        }
      }
    }
    #expect(flood >= small / 2 && flood > 0, "\(small) \(flood)")
  }

  /// Whoever has nothing running need not wait while one other has all workers; others wait.
  @Test func nobodyHasAllWorkersForLong() throws {
    var queue = FairQueue(FairLimits(workers: 2))
    for _ in 0..<4 { queue.add(FairJob(account("flood")) {}) }
    let first = try #require(queue.next())
    #expect(queue.next() != nil)
    #expect(queue.next(in: .second) == nil, "its own")
    queue.settle(first, used: 20 * Self.ms)
    queue.add(first)
    #expect(queue.next() === first || queue.next() != nil)
    for name in ["other", "third"] { queue.add(FairJob(account(name)) {}) }
    #expect(queue.next(in: .second)?.account.tenant.name == "other")
    #expect(queue.next(in: .second) == nil, "two tenants run")
  }

  @Test func whatIsNotSparseWaitsForItsTurn() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    let (first, second) = (FairJob(account("t")) {}, FairJob(account("t")) {})
    queue.add(first)
    #expect(queue.next() === first)
    queue.settle(first, used: 6 * Self.ms)
    queue.add(second)
    #expect(queue.next(in: .newcomer) == nil)
    #expect(queue.next() === second)
  }

  /// Within a tenant small queries pass the long ones; of these the oldest goes on.
  @Test func shortOnesPassAndOldOnesGoOn() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    let (older, younger, fresh) = (account("t", used: 1 << 40), account("t", used: 1 << 40), account("t"))
    let jobs = [FairJob(younger) {}, FairJob(older) {}, FairJob(fresh) {}]
    for job in jobs { queue.add(job) }
    let order = [queue.next(), queue.next(), queue.next()].map { job in jobs.firstIndex { $0 === job } }
    // One worker lets two begun jobs of a tenant be, besides those that begin a query.
    #expect(order == [2, 1, nil])
    queue.settle(jobs[1], used: 1)
    queue.end(jobs[1])
    #expect(queue.next() === jobs[0])
  }

  /// Begun jobs hold threads and memory: of one tenant there are few, and others still begin.
  @Test func begunJobsAreBounded() throws {
    let limits = FairLimits(workers: 2)
    var queue = FairQueue(limits)
    for _ in 0..<100 { queue.add(FairJob(account("t", used: 1)) {}) }
    for _ in 0..<100 { queue.add(FairJob(account("u")) {}) }
    var begun: [String: Int] = [:]
    while let job = queue.next() { begun[job.account.tenant.name, default: 0] += 1 }
    #expect(begun == ["t": 4, "u": 32])
    for number in 0..<1_000 { queue.add(FairJob(account("\(number)")) {}) }
    while queue.next() != nil {}
    #expect(queue.started == limits.startedMax)
  }

  /// Who was refused a place has it when one is free.
  @Test func placesAreHandedOn() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    queue.startedMax = 1
    let jobs = (0..<3).map { FairJob(account("\($0)")) {} }
    for job in jobs { queue.add(job) }
    for job in jobs {
      #expect(queue.next() === job)
      #expect(queue.next() == nil)
      queue.settle(job, used: 1)
      queue.end(job)
    }
    #expect(queue.next() == nil && queue.started == 0)
  }

  /// A job that got no thread begins later.
  @Test func whatCouldNotBeginIsNotLost() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    let job = FairJob(account("t")) {}
    queue.add(job)
    #expect(queue.next() === job)
    queue.putBack(job)
    #expect(queue.started == 0)
    #expect(queue.next() === job)
  }

  /// What nobody wants any more ends before all others, whatever its tenant has used.
  @Test func theUnwantedEndsFirst() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    let gone = account("flood", used: 1)
    let waiting = FairJob(gone) {}
    queue.add(waiting)
    queue.add(FairJob(account("flood", used: 1)) {})
    queue.add(FairJob(account("other")) {})
    queue.expedite(gone)
    #expect(queue.next() === waiting)
    queue.settle(waiting, used: 1)
    queue.end(waiting)
    #expect(queue.next() != nil && queue.next() != nil && queue.next() == nil)
  }

  /// What is kept of tenants is gone when they are.
  @Test func idleTenantsAreForgotten() throws {
    var queue = FairQueue(FairLimits(workers: 1))
    for number in 0..<100 { queue.add(FairJob(account("\(number)")) {}) }
    while let job = queue.next() {
      queue.settle(job, used: 3 * Self.ms)
      queue.end(job)
    }
    #expect(queue.shareCount == 0)
  }
}
