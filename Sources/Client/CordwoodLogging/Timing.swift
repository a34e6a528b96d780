/// Time and chance as ``Sender`` has them; tests give their own.
struct Timing: Sendable {
  /// Nanoseconds since 1970.
  var now: @Sendable () -> Int64
  /// Of a clock that is never set, since some moment.
  var elapsed: @Sendable () -> Duration
  /// Throws when the task is cancelled.
  var sleep: @Sendable (Duration) async throws -> Void
  /// From 0 to 1.
  var chance: @Sendable () -> Double

  /// The machine's own.
  static var system: Timing {
    let start = ContinuousClock.now
    return Timing(
      now: WallClock.nanoseconds, elapsed: { ContinuousClock.now - start },
      sleep: { try await Task.sleep(for: $0) }, chance: { Double.random(in: 0...1) })
  }

  /// Whether it slept so long, and was not cancelled.
  func sleeps(_ duration: Duration) async -> Bool {
    do {
      try await sleep(duration)
      return true
    } catch {
      return false
    }
  }

  /// Runs `work`, and cancels it when `limit` is over. Returns when both have ended.
  func limit(_ limit: Duration, _ work: @escaping @Sendable () async -> Void) async {
    await withTaskGroup(of: Void.self) { group in
      group.addTask { await work() }
      group.addTask { _ = await sleeps(limit) }
      await group.next()
      group.cancelAll()
    }
  }
}
