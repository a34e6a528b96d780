import Synchronization

/// Says to whoever computes for a query whether its answer is still wanted, and whether there is time left.
///
/// Work looks at it between pages, batches and units: often enough that it ends within some tens of
/// milliseconds, seldom enough that looking costs nothing. Any number of threads.
package final class CancellationToken: Sendable {
  private static let never = Int64.max

  private let isCancelled = Atomic<Bool>(false)
  /// By ``uptime``; ``never`` while nothing is computed.
  private let deadline = Atomic<Int64>(never)
  /// Nanoseconds that may still be worked; touched by whoever begins and ends work.
  private let left: Atomic<Int64>
  private let secondsMax: Int
  private let uptime: @Sendable () -> Int64

  /// - Parameters:
  ///   - secondsMax: How long may be worked in all; 0: without end.
  ///   - uptime: Nanoseconds of a clock that never goes back.
  package init(secondsMax: Int, uptime: @escaping @Sendable () -> Int64) {
    self.secondsMax = secondsMax
    self.uptime = uptime
    let (nanoseconds, isOver) = Int64(secondsMax).multipliedReportingOverflow(by: 1_000_000_000)
    left = Atomic(secondsMax == 0 || isOver ? CancellationToken.never : nanoseconds)
  }

  /// Nobody wants the answer any more. Stays so.
  package func cancel() { isCancelled.store(true, ordering: .relaxed) }

  /// Work begins, or goes on. The time between ``pause()`` and this, in which an answer waits for its client,
  /// does not count. One caller at a time.
  package func resume() {
    let rest = left.load(ordering: .relaxed)
    guard rest != CancellationToken.never else { return }
    let (end, isOver) = uptime().addingReportingOverflow(rest)
    deadline.store(isOver ? CancellationToken.never : end, ordering: .relaxed)
  }

  /// Work rests. One caller at a time, after ``resume()``.
  package func pause() {
    let end = deadline.exchange(CancellationToken.never, ordering: .relaxed)
    if end != CancellationToken.never { left.store(max(0, end - uptime()), ordering: .relaxed) }
  }

  /// Whether ``check()`` throws, now and from now on while work lasts.
  package var isOver: Bool {
    if isCancelled.load(ordering: .relaxed) { return true }
    let end = deadline.load(ordering: .relaxed)
    return end != CancellationToken.never && uptime() > end
  }

  /// - Throws: `.cancelled`, `.deadlineExceeded`: what is under way ends, and gives back what it holds.
  package func check() throws(StoreError) {
    if isCancelled.load(ordering: .relaxed) { throw .cancelled }
    let end = deadline.load(ordering: .relaxed)
    if end != CancellationToken.never, uptime() > end { throw .deadlineExceeded(seconds: secondsMax) }
  }
}
