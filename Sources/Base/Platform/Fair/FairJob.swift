import Records

/// One query, as the scheduler knows it: whose it is, and what it has used. Made by
/// ``FairPool/account(of:)``, whose threads go on as long as there are accounts.
package final class FairAccount: @unchecked Sendable {
  // Safe because: `used` is read and written under the lock of the pool's state alone.
  /// Whom its work is charged to.
  let tenant: Tenant
  /// Lower ones began earlier.
  let number: UInt64
  private let pool: FairPool
  /// Nanoseconds of a core, as far as they were settled.
  var used: Int64 = 0

  var core: FairCore { pool.core }

  init(_ tenant: Tenant, number: UInt64, pool: FairPool) {
    self.tenant = tenant
    self.number = number
    self.pool = pool
  }
}

/// A piece of work of an account: it waits, runs for a slice, waits again where it stopped, and so on to its
/// end.
final class FairJob: @unchecked Sendable {
  // Safe because: what changes is read and written under the lock of the pool's state, but `body`, which only
  // the thread that runs the job touches.
  let account: FairAccount
  let body: () -> Void
  /// Where it stopped; nil: it has not begun.
  var worker: FairWorker?
  /// Whether it waits for its (next) slice.
  var isWaiting = false

  var isStarted: Bool { worker != nil }

  init(_ account: FairAccount, _ body: @escaping () -> Void) {
    self.account = account
    self.body = body
  }

  /// Of one tenant: the older query first, what has begun before what has not.
  func precedes(_ other: FairJob) -> Bool {
    account.number != other.account.number
      ? account.number < other.account.number : isStarted && !other.isStarted
  }
}
