import Access
import Platform
import Records
import Routing
import TestKit
import Testing

/// Rates of tenants and keys, on a clock that is set by hand.
@Suite struct RateTests {
  static func caller(_ tenant: String, key: UInt64 = 1) -> Principal {
    Principal(
      tenant: Tenant(realm: .native, name: tenant), subject: "k", role: .user, credential: key)
  }

  static func rates(
    tenant: RateLimits = RateLimits(), key: RateLimits = RateLimits(), burstSeconds: Double = 10,
    _ clock: ManualClock
  ) throws -> RequestRates {
    var settings = RateSettings()
    settings.tenant = tenant
    settings.key = key
    settings.burstSeconds = burstSeconds
    return try #require(RequestRates(settings, clock: clock))
  }

  @Test func withoutLimitsThereIsNothing() {
    #expect(RequestRates(RateSettings(), clock: SystemClock()) == nil)
  }

  @Test func requestsOfATenantAreCountedTogether() throws {
    let clock = ManualClock(1_000_000_000)
    let rates = try Self.rates(tenant: RateLimits(requests: 2), burstSeconds: 2, clock)
    let granted = (0..<6).filter { rates.take(Self.caller("a", key: $0)).refusal == nil }
    #expect(granted.count == 4)
    let verdict = rates.take(Self.caller("a"))
    #expect(verdict.refusal?.status == 429 && verdict.refusal?.retryAfterSeconds == 1)
    #expect(
      verdict.fields.map { "\($0.name): \($0.value)" } == [
        "RateLimit-Policy: \"tenant-requests\";q=4;w=2", "RateLimit: \"tenant-requests\";r=0;t=2",
      ])
    #expect(rates.take(Self.caller("b")).refusal == nil, "another's are its own")
    clock.advance(nanoseconds: 500_000_000)
    #expect(rates.take(Self.caller("a")).refusal == nil)
    #expect(rates.take(Self.caller("a")).refusal != nil)
  }

  /// A key's rate is its own, and the same hash with another tenant is another key.
  @Test func keysAreCountedByThemselves() throws {
    let rates = try Self.rates(
      key: RateLimits(requests: 1), burstSeconds: 1, ManualClock(1_000_000_000))
    #expect(rates.take(Self.caller("a", key: 1)).refusal == nil)
    #expect(rates.take(Self.caller("a", key: 1)).refusal != nil)
    #expect(rates.take(Self.caller("a", key: 2)).refusal == nil)
    #expect(rates.take(Self.caller("b", key: 1)).refusal == nil)
  }

  /// What a body brings is known once it is there: the debt is waited for by those that follow.
  @Test func whatWasTooMuchIsPaidLater() throws {
    let clock = ManualClock(1_000_000_000)
    let rates = try Self.rates(tenant: RateLimits(rows: 100, bytes: 1000), burstSeconds: 1, clock)
    #expect(rates.take(Self.caller("a")).refusal == nil)
    rates.charge(bytes: 500, to: Self.caller("a"))
    rates.charge(rows: 600, to: Self.caller("a"))
    let refused = rates.take(Self.caller("a")).refusal
    #expect(refused?.retryAfterSeconds == 5 && refused?.detail.contains("rows") == true)
    clock.advance(nanoseconds: 5_000_000_000)
    #expect(rates.take(Self.caller("a")).refusal == nil)
    rates.charge(bytes: 3000, to: Self.caller("a"))
    #expect(rates.take(Self.caller("a")).refusal?.retryAfterSeconds == 2)
  }

  /// The log has the first refusal of a second, of each holder.
  @Test func oneRefusalASecondIsRemarked() throws {
    let clock = ManualClock(1_000_000_000)
    let rates = try Self.rates(
      tenant: RateLimits(rows: 10), key: RateLimits(requests: 1), burstSeconds: 1, clock)
    #expect(rates.take(Self.caller("a")).remark == nil)
    #expect(rates.take(Self.caller("a")).remark == "key_requests")
    #expect(rates.take(Self.caller("a")).remark == nil)
    #expect(rates.take(Self.caller("b")).refusal == nil)
    #expect(rates.take(Self.caller("b")).remark == "key_requests", "another's row is its own")
    rates.charge(rows: 1_000, to: Self.caller("a"))
    #expect(rates.take(Self.caller("a")).remark == "tenant_rows")
    clock.advance(nanoseconds: 1_000_000_000)
    #expect(rates.take(Self.caller("a")).remark == "tenant_rows")
    #expect(rates.take(Self.caller("a", key: 2)).remark == nil)
  }

  /// A clock that is set back gives nothing, and locks nobody out for longer.
  @Test func clocksMayBeSetBack() throws {
    let clock = ManualClock(100_000_000_000)
    let rates = try Self.rates(tenant: RateLimits(requests: 1), burstSeconds: 1, clock)
    #expect(rates.take(Self.caller("a")).refusal == nil)
    clock.advance(nanoseconds: -50_000_000_000)
    #expect(rates.take(Self.caller("a")).refusal != nil)
    clock.advance(nanoseconds: 1_000_000_000)
    #expect(rates.take(Self.caller("a")).refusal == nil)
  }
}
