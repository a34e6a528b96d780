import Records

/// How much of everything the scheduler allows.
struct FairLimits: Sendable {
  /// Jobs that run at once.
  let workers: Int
  /// What a tenant may use in its turn, and the longest that a job runs while others wait; ns.
  var quantum: Int64 = 5_000_000
  /// A query that has used less goes before others of its tenant; ns.
  var shortMax: Int64 = 20_000_000
  /// Begun jobs of all tenants: each holds a thread.
  var startedMax: Int
  /// Whether jobs run beside the workers too (``FairLane``).
  var hasSpares = true

  init(workers: Int) {
    self.workers = workers
    startedMax = min(512, 128 * workers)
  }

  /// Of one tenant, while others have few. What a query does first reads little and tells small queries from
  /// large ones; what follows holds memory, of which the one that is under way may need nearly all.
  func startedMax(isFirst: Bool) -> Int { isFirst ? 16 * workers : workers }
  /// From here on no tenant begins more than it has workers.
  var crowdedCount: Int { startedMax / 4 }
}

/// Where a job runs: as one of the workers, or beside them, where the system shares the cores.
enum FairLane: Sendable, CaseIterable {
  case worker
  /// Of a tenant that came with nothing running and has used little: it need not wait until another's slice
  /// is over.
  case newcomer
  /// Of a tenant that has nothing running while one other has all workers.
  case second
}

/// Which of the jobs that wait runs next: deficit round robin over tenants, by the time of a core that each
/// has used ([decision 0027](../../../../Docs/decisions/0027-fair-queries.md)). Knows no clock and no thread.
///
/// A tenant's turn lasts until its credit is used up; each turn gives it a quantum more, so what it used too
/// much it lacks the next time. Who comes with nothing running goes first, once.
struct FairQueue {
  let limits: FairLimits
  private var shares: [Tenant: FairShare] = [:]
  private var newcomers: [FairShare] = []
  private var regulars: [FairShare] = []
  /// Of queries that nobody wants any more: they end at once, and give back what they hold.
  private var ending: [FairJob] = []
  private(set) var started = 0
  /// Tenants of which something runs.
  private var runningTenants = 0
  /// Begun jobs at most, where the system gave fewer threads.
  var startedMax: Int

  init(_ limits: FairLimits) {
    self.limits = limits
    startedMax = limits.startedMax
  }

  /// Tenants that something waits or runs of, or did a moment ago.
  var shareCount: Int { shares.count }

  // MARK: Waiting

  /// A new job, or one whose slice is over, waits.
  mutating func add(_ job: FairJob) {
    job.isWaiting = true
    let share = share(of: job.account.tenant)
    share.add(job, shortMax: limits.shortMax)
    if share.place == .outside { enter(share, asNewcomer: share.started == 0) }
  }

  /// What waits of `account` runs next: nobody wants it, so it ends.
  mutating func expedite(_ account: FairAccount) {
    ending += shares[account.tenant]?.takeAll(of: account) ?? []
  }

  private mutating func share(of tenant: Tenant) -> FairShare {
    if let known = shares[tenant] { return known }
    let share = FairShare(tenant, credit: limits.quantum)
    shares[tenant] = share
    return share
  }

  private mutating func enter(_ share: FairShare, asNewcomer: Bool) {
    share.place = asNewcomer ? .newcomers : .regulars
    if asNewcomer { newcomers.append(share) } else { regulars.append(share) }
  }

  // MARK: Running

  /// Takes the job that runs next in `lane`; nil: none waits that may.
  mutating func next(in lane: FairLane = .worker) -> FairJob? {
    if let job = takeEnding() { return job }
    switch lane {
    case .worker: return nextInTurn()
    case .newcomer: return first { $0.isSparse && $0.credit > 0 }
    case .second: return runningTenants == 1 ? first { $0.running == 0 } : nil
    }
  }

  private mutating func first(_ isMeant: (FairShare) -> Bool) -> FairJob? {
    for share in newcomers + regulars where isMeant(share) {
      if let job = take(of: share) { return job }
    }
    return nil
  }

  private mutating func nextInTurn() -> FairJob? {
    while let share = newcomers.first ?? regulars.first {
      let isNew = share.place == .newcomers
      if share.credit <= 0 {
        share.credit += limits.quantum
        leave(isNew)
        enter(share, asNewcomer: false)
      } else if let job = take(of: share) {
        return job
      } else {
        leave(isNew)
        // Who was first once waits for its turn before it is first again.
        if isNew { enter(share, asNewcomer: false) } else { forget(share) }
      }
    }
    return nil
  }

  private mutating func leave(_ isNew: Bool) {
    if isNew { newcomers.removeFirst() } else { regulars.removeFirst() }
  }

  private mutating func forget(_ share: FairShare) {
    share.place = .outside
    if share.isIdle { shares[share.tenant] = nil }
  }

  private mutating func takeEnding() -> FairJob? {
    guard !ending.isEmpty else { return nil }
    let job = ending.removeFirst()
    run(job, of: share(of: job.account.tenant))
    return job
  }

  private mutating func take(of share: FairShare) -> FairJob? {
    let (crowded, isFull) = (started >= min(limits.crowdedCount, startedMax), started >= startedMax)
    let limits = limits
    let job = share.take { job in
      if job.isStarted { return true }
      if isFull { return false }
      return share.started < (crowded ? limits.workers : limits.startedMax(isFirst: job.account.used == 0))
    }
    if let job { run(job, of: share) }
    return job
  }

  private mutating func run(_ job: FairJob, of share: FairShare) {
    job.isWaiting = false
    share.running += 1
    if share.running == 1 { runningTenants += 1 }
    if !job.isStarted {
      share.started += 1
      started += 1
    }
  }

  // MARK: After a slice

  /// `job` does not run any more; it has used so many ns of a core.
  mutating func settle(_ job: FairJob, used: Int64) {
    let share = share(of: job.account.tenant)
    job.account.used += used
    share.running -= 1
    if share.running == 0 { runningTenants -= 1 }
    share.credit -= used
    if share.credit <= 0 { share.isSparse = false }
  }

  /// `job` has ended, after it was settled; others that may not begin before do now.
  mutating func end(_ job: FairJob) {
    let share = share(of: job.account.tenant)
    let wasFull = started >= min(limits.crowdedCount, startedMax)
    started -= 1
    share.started -= 1
    if share.place == .outside {
      if share.hasWaiting { enter(share, asNewcomer: false) } else { forget(share) }
    }
    guard wasFull else { return }
    for share in shares.values where share.place == .outside && share.hasWaiting {
      enter(share, asNewcomer: false)
    }
  }

  /// `job` was to begin, and could not.
  mutating func putBack(_ job: FairJob) {
    settle(job, used: 0)
    end(job)
    add(job)
  }
}
