import Records

/// Threads for work that computes or reads for long: queries, decoding. They end when the last reference
/// goes.
package final class WorkerPool: Sendable {
  /// How many threads there are.
  package let threadCount: Int
  private let queue = JobQueue()

  /// Starts the threads, at least one.
  package init(threads: Int, name: String = "worker") {
    invariant(threads > 0, "a pool has a thread")
    threadCount = threads
    for index in 0..<threads {
      let queue = queue
      Threads.start(name: "\(name)-\(index)") { queue.work() }
    }
  }

  deinit { queue.close() }

  /// Runs `body` on one of the threads, after what was given before, and returns what it returns. The queue
  /// has no bound of its own: callers bound how many of them run.
  package func run<Value: Sendable, Failure: Error>(
    _ body: @escaping @Sendable () throws(Failure) -> Value
  ) async throws(Failure) -> Value {
    try await queue.result(of: body)
  }

  /// Runs `job` on one of the threads some time later; returns at once.
  package func submit(_ job: @escaping @Sendable () -> Void) {
    queue.push(job)
  }
}
