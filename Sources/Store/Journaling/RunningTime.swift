import Platform

/// How long the journal was open, in all its lives, in whole seconds: by it idempotency keys age.
///
/// While it runs this is the machine's monotonic clock, which nobody can set. Each key entry has the second
/// it was made in, so a journal that is opened goes on where its latest key stands: neither a step of the
/// wall clock nor the time it was closed makes a key older. The time between the last key and the end of a
/// life is not known to the next: a key may be kept for that much longer, never shorter.
struct RunningTime: Sendable {
  private let clock: any UptimeClock
  private var openedAt: Int64
  /// Seconds of the lives before.
  private(set) var before: Int64 = 0

  init(_ clock: any UptimeClock) {
    self.clock = clock
    openedAt = clock.uptime()
  }

  /// Whole seconds that are over.
  func now() -> Int64 { before + passed / 1_000_000_000 }

  /// The second that is under way is counted whole, so that what is made in it never ends early.
  func stamp() -> Int64 { before + (passed + 999_999_999) / 1_000_000_000 }

  private var passed: Int64 { max(0, clock.uptime() - openedAt) }

  /// Notes a second that a life before has seen.
  mutating func recovered(_ second: Int64) { before = max(before, second) }

  /// A life begins: from here the clock counts.
  mutating func begin() { openedAt = clock.uptime() }
}
