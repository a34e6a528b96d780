import Glibc
import Records

/// Jobs that one or more threads take in order. Unbounded by itself: whoever pushes bounds what waits.
@safe final class JobQueue: @unchecked Sendable {
  // Safe because: every access to `jobs` and `isClosed` holds `lock`.
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let arrived: UnsafeMutablePointer<pthread_cond_t>
  private var jobs: [@Sendable () -> Void] = []
  private var head = 0
  private var isClosed = false

  init() {
    unsafe lock = .allocate(capacity: 1)
    unsafe arrived = .allocate(capacity: 1)
    unsafe lock.initialize(to: pthread_mutex_t())
    unsafe arrived.initialize(to: pthread_cond_t())
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(arrived, nil)
  }

  deinit {
    unsafe pthread_cond_destroy(arrived)
    unsafe pthread_mutex_destroy(lock)
    unsafe arrived.deallocate()
    unsafe lock.deallocate()
  }

  func push(_ job: @escaping @Sendable () -> Void) {
    unsafe pthread_mutex_lock(lock)
    invariant(!isClosed, "no job after the queue was closed")
    jobs.append(job)
    unsafe pthread_mutex_unlock(lock)
    unsafe pthread_cond_signal(arrived)
  }

  /// No more jobs come; the threads end after those that wait.
  func close() {
    unsafe pthread_mutex_lock(lock)
    isClosed = true
    unsafe pthread_mutex_unlock(lock)
    unsafe pthread_cond_broadcast(arrived)
  }

  /// Runs jobs until the queue is closed and empty.
  func work() {
    while let job = next() { job() }
  }

  private func next() -> (@Sendable () -> Void)? {
    unsafe pthread_mutex_lock(lock)
    defer { unsafe pthread_mutex_unlock(lock) }
    while head == jobs.count {
      if isClosed { return nil }
      unsafe pthread_cond_wait(arrived, lock)
    }
    let job = jobs[head]
    head += 1
    if head == jobs.count {
      jobs.removeAll(keepingCapacity: true)
      head = 0
    } else if head >= 1024 {
      jobs.removeFirst(head)
      head = 0
    }
    return job
  }
}

/// Threads of our own: nothing that blocks or computes for long runs on Swift's shared pool.
enum Threads {
  /// Enough for deep recursion over 64 levels of JSON and for Arrow's encoders; untouched pages cost nothing.
  static let stackBytes = 2 << 20

  private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void
    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }
  }

  /// Names the calling thread for the system's tools; a name that cannot be set harms nothing.
  private static func setName(_ name: String) {
    let file = unsafe open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
    if file < 0 { return }
    defer { close(file) }
    let bytes = Array(name.utf8.prefix(15))
    _ = unsafe bytes.withUnsafeBytes { unsafe write(file, $0.baseAddress, $0.count) }
  }

  /// Starts a detached thread that runs `body`. Linux shows the first 15 bytes of `name`.
  static func start(name: String, body: @escaping @Sendable () -> Void) {
    let isStarted = tryStart(name: name, body: body)
    invariant(isStarted, "the system gives us a thread at start")
  }

  /// As ``start(name:body:)``; false: the system gives no thread.
  static func tryStart(name: String, body: @escaping @Sendable () -> Void) -> Bool {
    var attributes = pthread_attr_t()
    unsafe pthread_attr_init(&attributes)
    defer { unsafe pthread_attr_destroy(&attributes) }
    unsafe pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
    unsafe pthread_attr_setstacksize(&attributes, stackBytes)
    var thread = pthread_t()
    // The thread takes over the one reference that passRetained adds.
    let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
    let argument = unsafe start.toOpaque()
    let code = unsafe pthread_create(
      &thread, &attributes,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        Threads.setName(start.name)
        start.body()
        return nil
      }, argument)
    if code != 0 { unsafe start.release() }
    return code == 0
  }
}
