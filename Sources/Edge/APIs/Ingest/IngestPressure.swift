import Access
import Platform
import Records
import Routing
import Synchronization

/// What holds a key back before its entries are stored: its bucket, then its quota.
package final class IngestPressure: Sendable {
  /// Why a request must wait.
  struct Refusal: Sendable, Hashable {
    let event: AccessEvent.Kind
    let problem: Problem
    /// Whether the log should tell: at most once a second of a key.
    let isFirst: Bool
  }

  private static let toldMax = 10_000

  private let buckets: TokenBuckets
  private let forwarding: any EntryForwarding
  private let clock: any WallClock
  /// When each tenant's quota was told of last. As many entries as there are tenants over their quota.
  private let told = Mutex<[Tenant: Int64]>([:])

  package init(buckets: TokenBuckets, forwarding: any EntryForwarding, clock: any WallClock) {
    self.buckets = buckets
    self.forwarding = forwarding
    self.clock = clock
  }

  /// Takes a unit of the tenant's bucket; nil: the request of `bytes` may go on.
  func refusal(for tenant: Tenant, adding bytes: Int) -> Refusal? {
    if case .refused(let seconds, let isFirst) = buckets.take(tenant) {
      var problem = Problem(429, "Rate limit exceeded for token", retryAfterSeconds: seconds)
      problem.code = "rate_limit_exceeded"
      return Refusal(event: .rateLimited, problem: problem, isFirst: isFirst)
    }
    guard let quota = forwarding.refusal(of: tenant, adding: bytes) else { return nil }
    var problem = Problem(
      429, "Too much of this token's logs waits to be forwarded", field: quota.kind,
      retryAfterSeconds: quota.retryAfterSeconds)
    problem.code = "quota_exceeded"
    return Refusal(event: .quotaExceeded, problem: problem, isFirst: isFirst(tenant))
  }

  private func isFirst(_ tenant: Tenant) -> Bool {
    let now = clock.now()
    return told.withLock { told in
      if told.count >= IngestPressure.toldMax { told = told.filter { now - $0.value < 1_000_000_000 } }
      guard told[tenant].map({ abs(now - $0) >= 1_000_000_000 }) ?? true else { return false }
      if told.count < IngestPressure.toldMax { told[tenant] = now }
      return true
    }
  }
}
