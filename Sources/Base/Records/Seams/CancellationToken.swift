import Synchronization

/// What makes the work of a query give way to others.
package protocol WorkPace: Sendable {
  /// Asked by whoever computes, a thread that holds no lock: waits if its time is over while others wait.
  func pause()
  /// Nobody wants the answer any more: what waits of it shall run at once, and end.
  func expedite()
}

/// Says to whoever computes for a query whether its answer is still wanted, and whether there is time left;
/// is told by them what they look at.
///
/// Work looks at it between pages, batches and units, and every few hundred thousand steps of text patterns:
/// often enough that it ends within some tens of milliseconds, seldom enough that looking costs nothing.
/// Whoever looks may have to wait, so that others have their turn (``WorkPace``): no lock is held then. Any
/// number of threads.
package final class CancellationToken: Sendable {
  private static let never = Int64.max

  private let isCancelled = Atomic<Bool>(false)
  /// By ``uptime``; ``never`` while nothing is computed.
  private let deadline = Atomic<Int64>(never)
  /// Nanoseconds that may still be worked; touched by whoever begins and ends work.
  private let left: Atomic<Int64>
  private let secondsMax: Int
  /// When work began, by ``uptime``; touched by whoever begins and ends it.
  private let began = Atomic<Int64>(0)
  /// Nanoseconds that were worked before.
  private let worked = Atomic<Int64>(0)
  /// Tells the queries of a process apart, as well as random numbers do.
  package let number = UInt64.random(in: 1 ... .max)
  /// What is looked at.
  package let meter = ScanMeter()
  private let patternStepsLeft: Atomic<Int>
  private let pace: (any WorkPace)?
  private let uptime: @Sendable () -> Int64

  /// What text patterns may cost one query: about two minutes of a core. A byte that a pattern reads is a
  /// step; so is each of its instructions that is looked at to find out what a byte leads to.
  package static let patternStepsMax = 1 << 37

  /// - Parameters:
  ///   - secondsMax: How long may be worked in all; 0: without end.
  ///   - patternStepsMax: See ``spend(patternSteps:)``.
  ///   - pace: What makes the work give way to others; nil: nothing.
  ///   - uptime: Nanoseconds of a clock that never goes back.
  package init(
    secondsMax: Int, patternStepsMax: Int = patternStepsMax, pace: (any WorkPace)? = nil,
    uptime: @escaping @Sendable () -> Int64
  ) {
    self.secondsMax = secondsMax
    self.pace = pace
    self.uptime = uptime
    patternStepsLeft = Atomic(patternStepsMax)
    let (nanoseconds, isOver) = Int64(secondsMax).multipliedReportingOverflow(by: 1_000_000_000)
    left = Atomic(secondsMax == 0 || isOver ? CancellationToken.never : nanoseconds)
  }

  /// Nobody wants the answer any more. Stays so.
  package func cancel() {
    isCancelled.store(true, ordering: .relaxed)
    pace?.expedite()
  }

  /// Text patterns have taken so many steps more, some hundred thousand at a time.
  ///
  /// - Returns: Whether it is over: then what is evaluated means nothing.
  package func spend(patternSteps: Int) -> Bool {
    patternStepsLeft.subtract(patternSteps, ordering: .relaxed)
    return isOver
  }

  /// Work begins, or goes on. The time between ``pause()`` and this, in which an answer waits for its client,
  /// does not count. One caller at a time.
  package func resume() {
    began.store(uptime(), ordering: .relaxed)
    let rest = left.load(ordering: .relaxed)
    guard rest != CancellationToken.never else { return }
    let (end, isOver) = uptime().addingReportingOverflow(rest)
    deadline.store(isOver ? CancellationToken.never : end, ordering: .relaxed)
  }

  /// Work rests. One caller at a time, after ``resume()``.
  package func pause() {
    worked.add(uptime() - began.load(ordering: .relaxed), ordering: .relaxed)
    let end = deadline.exchange(CancellationToken.never, ordering: .relaxed)
    if end != CancellationToken.never { left.store(max(0, end - uptime()), ordering: .relaxed) }
  }

  /// What was looked at so far, and how long was worked; while work lasts, until it began.
  package var statistics: AnswerStatistics {
    var statistics = meter.statistics
    statistics.milliseconds = Double(worked.load(ordering: .relaxed)) / 1e6
    return statistics
  }

  /// Whether ``check()`` throws, now and from now on while work lasts.
  package var isOver: Bool {
    pace?.pause()
    if isCancelled.load(ordering: .relaxed) || patternStepsLeft.load(ordering: .relaxed) < 0 { return true }
    let end = deadline.load(ordering: .relaxed)
    return end != CancellationToken.never && uptime() > end
  }

  /// - Throws: `.cancelled`, `.deadlineExceeded`, `.invalid` for text patterns that are too dear: what is
  ///   under way ends, and gives back what it holds.
  package func check() throws(StoreError) {
    pace?.pause()
    if isCancelled.load(ordering: .relaxed) { throw .cancelled }
    if patternStepsLeft.load(ordering: .relaxed) < 0 {
      throw .invalid(
        "the filter's text patterns are too dear for so much text: use fewer or smaller ones, or narrow the "
          + "query by time or by other conditions")
    }
    let end = deadline.load(ordering: .relaxed)
    if end != CancellationToken.never, uptime() > end { throw .deadlineExceeded(seconds: secondsMax) }
  }
}
