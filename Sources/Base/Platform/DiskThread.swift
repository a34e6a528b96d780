import Glibc
import Records

/// A thread that may block on the disk: runs jobs one after the other, in the order given. Also the executor
/// of an actor whose work blocks. The thread ends, after the jobs that wait, when the last reference goes.
package final class DiskThread: SerialExecutor {
  private let queue = JobQueue()

  /// - Parameter name: Shown by the system's tools, at most 15 bytes of it.
  package init(name: String) {
    let queue = queue
    Threads.start(name: name) { queue.work() }
  }

  deinit { queue.close() }

  /// Runs `job` on the thread some time later; returns at once. The queue has no bound of its own.
  package func submit(_ job: @escaping @Sendable () -> Void) {
    queue.push(job)
  }

  /// Runs `body` on the thread and returns what it returns.
  package func run<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await queue.result(of: body)
  }

  /// Puts the calling thread, one of our own, to sleep.
  package static func pause(nanoseconds: Int64) {
    guard nanoseconds > 0 else { return }
    var time = timespec(
      tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
    // A signal ends the pause early, which harms nothing.
    unsafe nanosleep(&time, nil)
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    queue.push {
      // Each enqueued job is run once; the executor is alive while its actor is.
      unsafe job.runSynchronously(on: self.asUnownedSerialExecutor())
    }
  }

  package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
    unsafe UnownedSerialExecutor(ordinary: self)
  }
}

extension JobQueue {
  /// Pushes `body` and suspends until a thread has run it.
  func result<Value: Sendable, Failure: Error>(
    of body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    let result: Result<Value, Failure> = await withCheckedContinuation { continuation in
      push {
        let result: Result<Value, Failure>
        do throws(Failure) { result = .success(try body()) } catch { result = .failure(error) }
        continuation.resume(returning: result)
      }
    }
    return try result.get()
  }
}
