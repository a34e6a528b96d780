import Records

/// What one tenant has waiting, and what it may use before others come.
final class FairShare {
  enum Place {
    /// In no list: nothing of it can run.
    case outside
    case newcomers, regulars
  }

  let tenant: Tenant
  var place = Place.outside
  /// Nanoseconds of a core it may still use in its turn; below 0: used too much.
  var credit: Int64
  /// Whether it came when it had nothing, and has not used up its first credit since.
  var isSparse = true
  /// Jobs that run.
  var running = 0
  /// Jobs that have begun and not ended: each holds a thread, and memory.
  var started = 0
  /// Of queries that have used little, in the order they came.
  private var short: [FairJob] = []
  /// Of those that have used more, the oldest query first: later ones hold their memory as shortly as may be.
  private var long: [FairJob] = []

  init(_ tenant: Tenant, credit: Int64) {
    self.tenant = tenant
    self.credit = credit
  }

  /// Whether nothing of it waits, runs, or has stopped on its way.
  var isIdle: Bool { !hasWaiting && started == 0 }
  var hasWaiting: Bool { !short.isEmpty || !long.isEmpty }

  func add(_ job: FairJob, shortMax: Int64) {
    if job.account.used < shortMax { return short.append(job) }
    let place = long.firstIndex { job.precedes($0) } ?? long.count
    long.insert(job, at: place)
  }

  /// The job that runs next; nil: none may.
  func take(_ mayRun: (FairJob) -> Bool) -> FairJob? {
    if let index = short.firstIndex(where: mayRun) { return short.remove(at: index) }
    return long.firstIndex(where: mayRun).map { long.remove(at: $0) }
  }

  /// Takes out what waits of an account.
  func takeAll(of account: FairAccount) -> [FairJob] {
    let taken = (short + long).filter { $0.account === account }
    guard !taken.isEmpty else { return [] }
    short.removeAll { $0.account === account }
    long.removeAll { $0.account === account }
    return taken
  }
}
