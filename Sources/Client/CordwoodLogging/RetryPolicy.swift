/// What to do after an answer, or after there was none.
struct RetryPolicy: Sendable {
  var firstDelay: Duration = .milliseconds(500)
  var delayMax: Duration = .seconds(30)
  /// The server is not obeyed beyond this.
  var retryAfterSecondsMax = 300

  enum Decision: Sendable, Hashable {
    case settle(BatchOutcome)
    /// Again, at the earliest when the server said.
    case retry(afterSeconds: Int)
  }

  /// - Parameter answer: Nil if the connection failed, or there was no answer in time.
  func decide(_ answer: TransportAnswer?) -> Decision {
    guard let answer else { return .retry(afterSeconds: 0) }
    switch answer.status {
    case 200..<300: return .settle(.stored(rejectedCount: answer.rejectedCount))
    // What the server has not taken in time, or not now.
    case 408, 429: return .retry(afterSeconds: answer.retryAfterSeconds ?? 0)
    // Nobody there knows how to take it, now or later.
    case 501, 505: return .settle(.refused)
    case 500..<600: return .retry(afterSeconds: answer.retryAfterSeconds ?? 0)
    default: return .settle(.refused)
    }
  }

  /// How long to wait before the next try: twice as long each time, of which a random half is left out, so
  /// that clients that failed together do not come back together.
  ///
  /// - Parameters:
  ///   - attemptCount: Tries so far, from 1.
  ///   - chance: From 0 to 1.
  func delay(attemptCount: Int, retryAfterSeconds: Int, chance: Double) -> Duration {
    let doublings = min(max(attemptCount - 1, 0), 16)
    let longest = min(firstDelay * (1 << doublings), delayMax)
    let backoff = longest / 2 + longest / 2 * min(max(chance, 0), 1)
    let asked = Duration.seconds(min(max(retryAfterSeconds, 0), retryAfterSecondsMax))
    // The server's own time gets chance on top, for the same reason.
    return asked > .zero ? max(backoff, asked + firstDelay * min(max(chance, 0), 1)) : backoff
  }
}
