import Glibc
import Records

/// A thread of a pool, and what it works on.
final class FairWorker: @unchecked Sendable {
  // Safe because: `job` and `lane` change under the lock of the pool's state, or while the thread that they
  // belong to runs; the rest only that thread touches.
  let core: FairCore
  /// What it has begun; nil: it is idle, or to end.
  var job: FairJob?
  /// Where it runs.
  var lane = FairLane.worker
  private let baton = Baton()
  private var sliceEnd: Int64 = 0
  private var usedBefore: Int64 = 0

  init(_ core: FairCore) { self.core = core }

  /// The calling thread's; nil: it is no thread of a pool.
  static var current: FairWorker? {
    guard let pointer = unsafe pthread_getspecific(key) else { return nil }
    // The thread's own frame holds it as long as the thread runs.
    return unsafe Unmanaged<FairWorker>.fromOpaque(pointer).takeUnretainedValue()
  }

  private static let key: pthread_key_t = {
    var key = pthread_key_t()
    let code = unsafe pthread_key_create(&key, nil)
    invariant(code == 0, "the system gives us a place for each thread at start")
    return key
  }()

  /// Wakes the thread, now or when it comes to wait.
  func wake() { baton.pass() }

  /// Waits until somebody wakes it.
  func wait() { baton.take() }

  /// Runs jobs until it is told to end.
  func work() {
    unsafe pthread_setspecific(FairWorker.key, Unmanaged.passUnretained(self).toOpaque())
    while job != nil {
      if runJob() { wait() }
    }
  }

  /// Runs the job to its end, and lets go of it and of all that it held: a thread that waits holds nothing.
  ///
  /// - Returns: Whether the thread is to wait.
  @inline(never) private func runJob() -> Bool {
    beginSlice()
    job?.body()
    return core.finish(self, used: usedInSlice())
  }

  /// Lets others run if its time is over.
  func pause() {
    guard core.clock.now() >= sliceEnd else { return }
    core.yield(self, used: usedInSlice())
    beginSlice()
  }

  private func beginSlice() {
    sliceEnd = core.clock.now() + core.quantum
    usedBefore = core.clock.used()
  }

  private func usedInSlice() -> Int64 { max(0, core.clock.used() - usedBefore) }
}

/// Wakes a thread once for each time that it is passed.
@safe private final class Baton: @unchecked Sendable {
  // Safe because: any thread may post a semaphore and wait for it.
  private let semaphore: UnsafeMutablePointer<sem_t>

  init() {
    unsafe semaphore = .allocate(capacity: 1)
    unsafe semaphore.initialize(to: sem_t())
    unsafe sem_init(semaphore, 0, 0)
  }

  deinit {
    unsafe sem_destroy(semaphore)
    unsafe semaphore.deallocate()
  }

  func pass() { unsafe sem_post(semaphore) }

  func take() { while unsafe sem_wait(semaphore) != 0 {} }
}
