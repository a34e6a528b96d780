import Records
import Synchronization

/// The queue of a pool, the threads, and who runs: what the threads share.
final class FairCore: Sendable {
  private struct State {
    var queue: FairQueue
    var running: [FairLane: Int] = [:]
    /// Threads that wait for a job, the last one that worked at the end.
    var idle: [FairWorker] = []
    var threadCount = 0
    var isClosed = false
    var nextAccount: UInt64 = 0
  }

  /// What is to be done once the lock is given back.
  private struct Wakes {
    var threads: [FairWorker] = []
    /// Jobs for which a thread is to be started.
    var starts: [FairWorker] = []
  }

  let limits: FairLimits
  let clock: FairClock
  private let name: String
  private let state: Mutex<State>

  var quantum: Int64 { limits.quantum }

  init(_ limits: FairLimits, name: String, clock: FairClock) {
    self.limits = limits
    self.clock = clock
    self.name = name
    state = Mutex(State(queue: FairQueue(limits)))
  }

  /// Threads that are there always.
  private var threadsKept: Int { FairLane.allCases.reduce(0) { $0 + places(in: $1) } }

  private func places(in lane: FairLane) -> Int {
    lane == .worker ? limits.workers : limits.hasSpares ? 1 : 0
  }

  func start() {
    for _ in 0..<threadsKept {
      let worker = FairWorker(self)
      state.withLock { state in
        state.threadCount += 1
        state.idle.append(worker)
      }
      let isStarted = begin(worker) { worker.wait() }
      invariant(isStarted, "the system gives us threads at start")
    }
  }

  /// No more jobs come; the threads end.
  func close() {
    let idle = state.withLock { state in
      state.isClosed = true
      defer { state.idle = [] }
      return state.idle
    }
    for worker in idle { worker.wake() }
  }

  /// The next account's.
  func takeNumber() -> UInt64 {
    state.withLock { state in
      state.nextAccount += 1
      return state.nextAccount
    }
  }

  var occupation: (started: Int, threads: Int) {
    state.withLock { ($0.queue.started, $0.threadCount) }
  }

  // MARK: Jobs

  func submit(_ job: FairJob) {
    carryOut(
      state.withLock { state in
        invariant(!state.isClosed, "no job after the pool was closed")
        state.queue.add(job)
        return dispatch(&state, by: nil)
      })
  }

  func expedite(_ account: FairAccount) {
    carryOut(
      state.withLock { state in
        state.queue.expedite(account)
        return dispatch(&state, by: nil)
      })
  }

  /// The slice of what `worker` runs is over: others run, if they are before it. Returns when it may go on.
  func yield(_ worker: FairWorker, used: Int64) {
    guard let job = worker.job else { return }
    let (wakes, mustWait) = state.withLock { state in
      state.queue.settle(job, used: used)
      release(worker, &state)
      state.queue.add(job)
      let wakes = dispatch(&state, by: worker)
      return (wakes, job.isWaiting)
    }
    carryOut(wakes)
    if mustWait { worker.wait() }
  }

  /// What `worker` ran has ended: it goes on with what is next, waits for that, or ends.
  ///
  /// Lets go of the job, which may be the last to hold the pool, when the lock is given back and before the
  /// thread rests.
  ///
  /// - Returns: Whether the thread is to wait.
  func finish(_ worker: FairWorker, used: Int64) -> Bool {
    guard let job = worker.job else { return false }
    let (wakes, mustWait) = state.withLock { state in
      state.queue.settle(job, used: used)
      release(worker, &state)
      state.queue.end(job)
      worker.job = nil
      state.idle.append(worker)
      let wakes = dispatch(&state, by: worker)
      if worker.job != nil { return (wakes, false) }
      if state.isClosed || state.idle.count > threadsKept {
        state.idle.removeAll { $0 === worker }
        state.threadCount -= 1
        return (wakes, false)
      }
      return (wakes, true)
    }
    carryOut(wakes)
    withExtendedLifetime(job) {}
    return mustWait
  }

  private func release(_ worker: FairWorker, _ state: inout State) {
    state.running[worker.lane, default: 0] -= 1
  }

  /// Has jobs run as long as any may.
  ///
  /// - Parameter caller: Whose thread this is: it needs no waking.
  private func dispatch(_ state: inout State, by caller: FairWorker?) -> Wakes {
    var wakes = Wakes()
    for lane in FairLane.allCases {
      while state.running[lane, default: 0] < places(in: lane), let job = state.queue.next(in: lane) {
        state.running[lane, default: 0] += 1
        launch(job, in: lane, &state, &wakes, by: caller)
      }
      // Only where all workers are busy there is a need to run beside them.
      if state.running[.worker, default: 0] < limits.workers { break }
    }
    return wakes
  }

  private func launch(
    _ job: FairJob, in lane: FairLane, _ state: inout State, _ wakes: inout Wakes, by caller: FairWorker?
  ) {
    let isStart = job.worker == nil && state.idle.isEmpty
    let worker = job.worker ?? state.idle.popLast() ?? FairWorker(self)
    worker.lane = lane
    worker.job = job
    job.worker = worker
    if isStart {
      state.threadCount += 1
      wakes.starts.append(worker)
    } else if worker !== caller {
      wakes.threads.append(worker)
    }
  }

  private func carryOut(_ wakes: Wakes) {
    for worker in wakes.threads { worker.wake() }
    for worker in wakes.starts where !begin(worker, {}) { withdraw(worker) }
  }

  /// Starts a thread that runs what `worker` has after `before`; false: the system gives none.
  private func begin(_ worker: FairWorker, _ before: @escaping @Sendable () -> Void) -> Bool {
    Threads.tryStart(name: name) {
      before()
      worker.work()
    }
  }

  /// There is no thread for what `worker` was to run: it waits for one of those there are.
  private func withdraw(_ worker: FairWorker) {
    guard let job = worker.job else { return }
    defer { withExtendedLifetime(job) {} }
    carryOut(
      state.withLock { state in
        worker.job = nil
        job.worker = nil
        state.threadCount -= 1
        release(worker, &state)
        state.queue.startedMax = max(threadsKept, state.threadCount)
        state.queue.putBack(job)
        return dispatch(&state, by: nil)
      })
  }
}
