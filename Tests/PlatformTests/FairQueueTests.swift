import Records
import Testing

@testable import Platform

/// Who runs next, without threads and clocks: each test says itself what a slice has used.
struct FairQueueTests {
  static let ms: Int64 = 1_000_000
  let pool = FairPool(
    FairLimits(workers: 1), name: "unused", clock: FairClock(now: { 0 }, used: { 0 }))
  var core: FairCore { pool.core }

  func account(_ name: String, used: Int64 = 0) -> FairAccount {
    let account = pool.account(of: Tenant(realm: .native, name: name))
    account.used = used
    return account
  }

  /// Runs slices of jobs that never end; what each tenant has used by then, ms.
  private func used(
    in slices: Int, _ queue: Line, _ cost: (String) -> Int64
  ) throws -> [String: Int64] {
    var used: [String: Int64] = [:]
    for _ in 0..<slices {
      let taken = queue.next()
      let job = try #require(taken)
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
    let queue = Line(workers: 2)
    for _ in 0..<queryCount { queue.add(FairJob(account("many")) {}) }
    queue.add(FairJob(account("one")) {})
    queue.add(FairJob(account("third")) {})
    let costs = ["many": 17 * Self.ms, "one": 5 * Self.ms, "third": 2 * Self.ms]
    let used = try self.used(in: 3_000, queue) { costs[$0] ?? 0 }
    for name in ["one", "third"] {
      let difference = abs((used["many"] ?? 0) - (used[name] ?? 0))
      #expect(difference <= 25 * Self.ms, "\(used)")
    }
  }

  /// Whoever comes with nothing running is first, but not again before others had their turn.
  @Test func newcomersAreFirstOnce() throws {
    let queue = Line(workers: 1)
    for _ in 0..<4 { queue.add(FairJob(account("flood", used: 1)) {}) }
    // Not at the end of its turn.
    for cost: Int64 in [6, 2] { _ = try used(in: 1, queue) { _ in cost * Self.ms } }
    var small: Int64 = 0
    var flood: Int64 = 0
    for round in 0..<200 {
      queue.add(FairJob(account("small")) {})
      if round == 0 {
        #expect(queue.next()?.account.tenant.name == "small")
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
    let queue = Line(workers: 2)
    for _ in 0..<4 { queue.add(FairJob(account("flood")) {}) }
    let taken = (queue.next(), queue.next(), queue.next(in: .second))
    let first = try #require(taken.0)
    #expect(taken.1 != nil && taken.2 == nil)
    queue.settle(first, used: 20 * Self.ms)
    queue.add(first)
    let again = queue.next()
    #expect(again != nil)
    for name in ["other", "third"] { queue.add(FairJob(account(name)) {}) }
    #expect(queue.next(in: .second)?.account.tenant.name == "other")
    #expect(queue.next(in: .second) == nil, "two tenants run")
  }

  @Test func whatIsNotSparseWaitsForItsTurn() throws {
    let queue = Line(workers: 1)
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
    let queue = Line(workers: 1)
    let (older, younger, fresh) = (account("t", used: 1 << 40), account("t", used: 1 << 40), account("t"))
    let jobs = [FairJob(younger) {}, FairJob(older) {}, FairJob(fresh) {}]
    for job in jobs { queue.add(job) }
    #expect(queue.next() === jobs[2])
    // One worker lets one begun job of a tenant be, besides those that begin a query.
    #expect(queue.next() == nil)
    for (ended, next) in [(2, 1), (1, 0)] {
      queue.settle(jobs[ended], used: 1)
      queue.end(jobs[ended])
      #expect(queue.next() === jobs[next])
    }
  }

  /// Begun jobs hold threads and memory: of one tenant there are few, and others still begin.
  @Test func begunJobsAreBounded() throws {
    let limits = FairLimits(workers: 2)
    let queue = Line(workers: 2)
    for _ in 0..<100 { queue.add(FairJob(account("t", used: 1)) {}) }
    for _ in 0..<100 { queue.add(FairJob(account("u")) {}) }
    var begun: [String: Int] = [:]
    while let job = queue.next() { begun[job.account.tenant.name, default: 0] += 1 }
    #expect(begun == ["t": 2, "u": 32])
    for number in 0..<1_000 { queue.add(FairJob(account("\(number)")) {}) }
    while queue.next() != nil {}
    #expect(queue.queue.started == limits.startedMax)
  }

  /// Who was refused a place has it when one is free.
  @Test func placesAreHandedOn() throws {
    let queue = Line(workers: 1)
    queue.queue.startedMax = 1
    let jobs = (0..<3).map { FairJob(account("\($0)")) {} }
    for job in jobs { queue.add(job) }
    var begun: [FairJob] = []
    while let job = queue.next() {
      begun.append(job)
      #expect(queue.next() == nil)
      queue.settle(job, used: 1)
      queue.end(job)
    }
    #expect(begun.count == 3 && jobs.allSatisfy { job in begun.contains { $0 === job } })
    #expect(queue.next() == nil && queue.queue.started == 0)
  }

  /// A job that got no thread begins later.
  @Test func whatCouldNotBeginIsNotLost() throws {
    let queue = Line(workers: 1)
    let job = FairJob(account("t")) {}
    queue.add(job)
    #expect(queue.next() === job)
    queue.putBack(job)
    #expect(queue.queue.started == 0)
    #expect(queue.next() === job)
  }

  /// What nobody wants any more ends before all others, whatever its tenant has used.
  @Test func theUnwantedEndsFirst() throws {
    let queue = Line(workers: 1)
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
    let queue = Line(workers: 1)
    for number in 0..<100 { queue.add(FairJob(account("\(number)")) {}) }
    while let job = queue.next() {
      queue.settle(job, used: 3 * Self.ms)
      queue.end(job)
    }
    #expect(queue.queue.shareCount == 0)
  }
}

/// A queue that expectations may take from.
private final class Line {
  var queue: FairQueue

  init(workers: Int) { queue = FairQueue(FairLimits(workers: workers)) }

  func add(_ job: FairJob) { queue.add(job) }
  func next(in lane: FairLane = .worker) -> FairJob? { queue.next(in: lane) }
  func settle(_ job: FairJob, used: Int64) { queue.settle(job, used: used) }
  func end(_ job: FairJob) { queue.end(job) }
  func putBack(_ job: FairJob) { queue.putBack(job) }
  func expedite(_ account: FairAccount) { queue.expedite(account) }
}
