import Access
import Platform
import Records
import Synchronization

/// How fast tenants and keys may ask, over all APIs: a bucket for each of them and each of requests, records
/// and bytes (`limits.rates`).
///
/// A request is let in while none of its buckets is empty. What it brings, which is known later, is taken
/// then, and may leave a debt that later requests wait for: a body is never refused after it was sent. Any
/// number of threads; a call costs a look-up or two under a lock. Without limits there is none of these.
package final class RequestRates: Sendable {
  /// What became of a request.
  package struct Verdict: Sendable {
    /// nil: it may go on.
    package let refusal: Problem?
    /// Whose rate of what is used up, for the log, where nothing of the holder was refused within the second
    /// before: a log has one line a second of each at most.
    package let remark: String?
    /// `RateLimit-Policy` and `RateLimit` (draft-ietf-httpapi-ratelimit-headers) for its answer.
    package let fields: [(name: String, value: String)]
  }

  private struct Bucket {
    /// What is left of each unit; below zero: a debt.
    var units: [Double]
    var filledAt: Int64
    var refusedAt: Int64?

    /// Whether a refusal is the first within a second; it is noted.
    mutating func mustTell(at now: Int64) -> Bool {
      if let refusedAt, abs(now - refusedAt) < 1_000_000_000 { return false }
      refusedAt = now
      return true
    }
  }

  /// One of the two kinds of holders.
  private struct Policy {
    let name: String
    /// By ``RateUnit``; 0: no limit.
    let perSecond: [Double]
    let burst: [Double]

    init(_ name: String, _ limits: RateLimits, burstSeconds: Double) {
      self.name = name
      perSecond = limits.perSecond
      burst = limits.perSecond.map { max(1, $0 * burstSeconds) }
    }

    var isOff: Bool { perSecond.allSatisfy { $0 == 0 } }
    var limited: [RateUnit] { RateUnit.allCases.filter { perSecond[$0.rawValue] > 0 } }
  }

  static let bucketsMax = 65_536

  private let policies: [Policy]
  private let policyField: String
  private let clock: any WallClock
  private let buckets = Mutex<[ShareHolder: Bucket]>([:])

  /// - Returns: nil where nothing is limited.
  package init?(_ settings: RateSettings, clock: any WallClock) {
    policies = [
      Policy("tenant", settings.tenant, burstSeconds: settings.burstSeconds),
      Policy("key", settings.key, burstSeconds: settings.burstSeconds),
    ]
    guard policies.contains(where: { !$0.isOff }) else { return nil }
    self.clock = clock
    policyField = policies.flatMap { policy in
      policy.limited.map { unit in
        let quota = Int(policy.burst[unit.rawValue])
        let window = Int((policy.burst[unit.rawValue] / policy.perSecond[unit.rawValue]).rounded(.up))
        let words = unit.quotaUnit.map { ";qu=\"\($0)\"" } ?? ""
        return "\"\(policy.name)-\(unit)\";q=\(quota);w=\(window)\(words)"
      }
    }.joined(separator: ", ")
  }

  /// Takes a request of the caller's buckets, or says after how many seconds there will be room.
  package func take(_ principal: Principal) -> Verdict {
    let now = clock.now()
    var wait = 0.0
    var refusing: (policy: String, unit: RateUnit)?
    var remark: String?
    var standing: [String] = []
    buckets.withLock { buckets in
      let held = holders(of: principal).map { ($0.policy, $0.holder, filled($0, &buckets, now)) }
      for (policy, _, bucket) in held {
        for unit in policy.limited {
          let short = (unit == .requests ? 1 : 0) - bucket.units[unit.rawValue]
          // Sums of fractions fall a little short: who waited as long as told is let in.
          guard short > (unit == .requests ? 1e-6 : 0) else { continue }
          let seconds = max(short / policy.perSecond[unit.rawValue], 1e-3)
          if seconds > wait { (wait, refusing) = (seconds, (policy.name, unit)) }
        }
      }
      for (policy, holder, bucket) in held {
        var bucket = bucket
        if wait == 0 { bucket.units[RateUnit.requests.rawValue] -= 1 }
        if let refusing, refusing.policy.hasBytes(of: policy.name), bucket.mustTell(at: now) {
          remark = "\(policy.name)_\(refusing.unit)"
        }
        buckets[holder] = bucket
        standing += policy.limited.map { RequestRates.standing($0, of: policy, bucket) }
      }
    }
    let fields = [
      (name: "RateLimit-Policy", value: policyField),
      (name: "RateLimit", value: standing.joined(separator: ", ")),
    ]
    guard let refusing else { return Verdict(refusal: nil, remark: nil, fields: fields) }
    var problem = Problem(
      429, "The rate of this \(refusing.policy)'s \(refusing.unit) is used up (limits.rates)",
      retryAfterSeconds: Int(min(max(wait.rounded(.up), 1), 86_400 * 365)))
    problem.code = "rate_limit_exceeded"
    return Verdict(refusal: problem, remark: remark, fields: fields)
  }

  /// Takes what a request brought, whatever is left.
  package func charge(rows: Int = 0, bytes: Int = 0, to principal: Principal) {
    let now = clock.now()
    buckets.withLock { buckets in
      for each in holders(of: principal) {
        var bucket = filled(each, &buckets, now)
        bucket.units[RateUnit.rows.rawValue] -= Double(rows)
        bucket.units[RateUnit.bytes.rawValue] -= Double(bytes)
        buckets[each.holder] = bucket
      }
    }
  }

  private func holders(of principal: Principal) -> [(policy: Policy, holder: ShareHolder)] {
    let all = [
      (policies[0], ShareHolder.tenant(principal.tenant)),
      (policies[1], ShareHolder.credential(principal.credential, of: principal.tenant)),
    ]
    return all.filter { !$0.0.isOff }
  }

  /// The holder's bucket as it is now; a full one for who is new.
  private func filled(
    _ place: (policy: Policy, holder: ShareHolder), _ buckets: inout [ShareHolder: Bucket], _ now: Int64
  ) -> Bucket {
    let policy = place.policy
    guard var bucket = buckets[place.holder] else {
      if buckets.count >= RequestRates.bucketsMax { makeRoom(&buckets, now) }
      return Bucket(units: policy.burst, filledAt: now)
    }
    // A clock that was set back gives nothing, and takes nothing.
    let seconds = Double(max(0, now - bucket.filledAt)) / 1e9
    for unit in RateUnit.allCases {
      let index = unit.rawValue
      // What has no limit never runs out.
      bucket.units[index] =
        policy.perSecond[index] == 0
        ? policy.burst[index]
        : min(policy.burst[index], bucket.units[index] + seconds * policy.perSecond[index])
    }
    bucket.filledAt = now
    return bucket
  }

  /// Drops the buckets of who has not asked for an hour, or all: they are full again, or begin anew.
  private func makeRoom(_ buckets: inout [ShareHolder: Bucket], _ now: Int64) {
    buckets = buckets.filter { now - $0.value.filledAt < 3_600_000_000_000 }
    if buckets.count >= RequestRates.bucketsMax { buckets = [:] }
  }

  /// How many are left, and after how many seconds all are there again.
  private static func standing(_ unit: RateUnit, of policy: Policy, _ bucket: Bucket) -> String {
    let index = unit.rawValue
    let left = max(0, Int(min(bucket.units[index], 1e15)))
    let seconds = Int(((policy.burst[index] - bucket.units[index]) / policy.perSecond[index]).rounded(.up))
    return "\"\(policy.name)-\(unit)\";r=\(left);t=\(max(0, seconds))"
  }
}
