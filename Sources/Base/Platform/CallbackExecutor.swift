/// Runs a task's pieces wherever a callback takes them, for example on an event loop: what the loop starts
/// then needs no hop to Swift's pool and back.
///
/// Work that computes for long does not belong on it: it holds up whatever else runs there.
@safe package final class CallbackExecutor: TaskExecutor {
  private let schedule: @Sendable (@escaping @Sendable () -> Void) -> Void

  /// - Parameter schedule: Must run each closure once, in the order given, on whatever thread it likes.
  package init(schedule: @escaping @Sendable (@escaping @Sendable () -> Void) -> Void) {
    self.schedule = schedule
  }

  /// Hands the job to `schedule`.
  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    schedule {
      // The job is run once: `schedule` promises it.
      unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
    }
  }

  package func asUnownedTaskExecutor() -> UnownedTaskExecutor {
    unsafe UnownedTaskExecutor(ordinary: self)
  }
}
