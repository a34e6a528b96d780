import Platform
import Records
import Synchronization

/// How fast one key may ask: a bucket of `burst` units that fills by `perSecond`, one unit a request.
package struct RequestRate: Sendable, Hashable {
  /// Requests a second, above 0; may be a fraction.
  package var perSecond: Double
  /// Requests at once, at least 1.
  package var burst: Double

  /// A rate that lets one request through at least.
  package init(perSecond: Double, burst: Double) {
    invariant(perSecond > 0 && burst >= 1, "a bucket fills, and holds one request at least")
    self.perSecond = perSecond
    self.burst = burst
  }
}

/// A token bucket for each tenant. Units are fractions: whoever asks ten times a second gets no less than who
/// asks once.
///
/// Holds a bucket for each tenant that asked, and drops those that are full again once there are
/// ``bucketsMax``.
package final class TokenBuckets: Sendable {
  /// What became of a request.
  package enum Decision: Sendable, Hashable {
    case granted
    /// `isFirst`: none was refused within the second before, so that a log has one line a second at most.
    case refused(retryAfterSeconds: Int, isFirst: Bool)
  }

  private struct Bucket {
    var units: Double
    var filledAt: Int64
    var refusedAt: Int64?
  }

  private struct State {
    var rate: RequestRate
    var buckets: [Tenant: Bucket] = [:]
  }

  static let bucketsMax = 65_536
  private static let second = 1_000_000_000.0
  private static let rounding = 1e-6

  private let state: Mutex<State>
  private let clock: any WallClock

  /// Full buckets for all.
  package init(_ rate: RequestRate, clock: any WallClock) {
    state = Mutex(State(rate: rate))
    self.clock = clock
  }

  /// Another rate from now on; what buckets hold stays, up to the new burst.
  package func use(_ rate: RequestRate) { state.withLock { $0.rate = rate } }

  /// Takes a unit of the tenant's bucket, or says after how many whole seconds there will be one.
  package func take(_ tenant: Tenant) -> Decision {
    let now = clock.now()
    return state.withLock { state in
      let rate = state.rate
      var bucket = state.buckets[tenant] ?? Bucket(units: rate.burst, filledAt: now)
      // A clock that was set back gives nothing, and takes nothing.
      let seconds = Double(max(0, now - bucket.filledAt)) / TokenBuckets.second
      bucket.units = min(rate.burst, bucket.units + seconds * rate.perSecond)
      bucket.filledAt = now
      defer { state.buckets[tenant] = bucket }
      if state.buckets.count >= TokenBuckets.bucketsMax, state.buckets[tenant] == nil {
        TokenBuckets.makeRoom(&state, now)
      }
      // Sums of fractions fall a little short: who waited as long as told is let in.
      guard bucket.units < 1 - TokenBuckets.rounding else {
        bucket.units = max(0, bucket.units - 1)
        return .granted
      }
      let isFirst = bucket.refusedAt.map { abs(now - $0) >= 1_000_000_000 } ?? true
      if isFirst { bucket.refusedAt = now }
      let wait = ((1 - bucket.units) / rate.perSecond).rounded(.up)
      return .refused(retryAfterSeconds: Int(min(max(wait, 1), 86_400 * 365)), isFirst: isFirst)
    }
  }

  private static func makeRoom(_ state: inout State, _ now: Int64) {
    let rate = state.rate
    state.buckets = state.buckets.filter { entry in
      let seconds = Double(max(0, now - entry.value.filledAt)) / second
      return entry.value.units + seconds * rate.perSecond < rate.burst
    }
    if state.buckets.count >= bucketsMax { state.buckets = [:] }
  }
}
