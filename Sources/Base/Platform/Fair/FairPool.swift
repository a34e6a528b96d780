import Glibc
import Records

/// Threads for work that computes or reads for long, shared fairly: each tenant gets the same time of a core,
/// however much it asks for ([decision 0027](../../../../Docs/decisions/0027-fair-queries.md)).
///
/// Work looks now and then at ``FairAccount/pause()``; once it has had its slice while others wait, it stops
/// there, on its thread, until its turn comes again. It must hold no lock then. The threads end when the last
/// reference goes, and the last account.
package final class FairPool: Sendable {
  /// How many pieces of work run at once, but for one more of a tenant that has used little.
  package let workerCount: Int
  let core: FairCore

  /// Starts the threads, at least one; more come as pieces of work stop on their way.
  package convenience init(workers: Int, name: String = "worker") {
    self.init(FairLimits(workers: workers), name: name, clock: .system)
  }

  init(_ limits: FairLimits, name: String, clock: FairClock) {
    invariant(limits.workers > 0, "a pool has a worker")
    workerCount = limits.workers
    core = FairCore(limits, name: name, clock: clock)
    core.start()
  }

  deinit { core.close() }

  /// An account for one query of `tenant`.
  package func account(of tenant: Tenant) -> FairAccount {
    FairAccount(tenant, number: core.takeNumber(), pool: self)
  }

  /// How many pieces of work have begun and not ended, and how many threads there are.
  package var occupation: (started: Int, threads: Int) { core.occupation }
}

extension FairAccount: WorkPace {
  /// How many pieces of work of all accounts run at once.
  package var workerCount: Int { core.limits.workers }

  /// Runs `body` on one of the threads when its turn comes, and returns what it returns.
  package func run<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
      core.submit(
        FairJob(self) {
          do throws(Failure) {
            continuation.resume(returning: .success(try body()))
          } catch {
            continuation.resume(returning: .failure(error))
          }
        })
    }
    return try result.get()
  }

  /// See ``WorkPace``. One clock reading, unless the slice is over.
  package func pause() { FairWorker.current?.pause() }

  /// See ``WorkPace``.
  package func expedite() { core.expedite(self) }
}

/// What the scheduler's threads measure with.
struct FairClock: Sendable {
  /// Nanoseconds of a clock that never goes back.
  let now: @Sendable () -> Int64
  /// Nanoseconds of a core that the calling thread has used.
  let used: @Sendable () -> Int64

  static let system = FairClock(
    now: { read(CLOCK_MONOTONIC) }, used: { read(CLOCK_THREAD_CPUTIME_ID) })

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}
