import Access
import Foundation
import Records
import TestKit
import Testing

/// Ingest keys and their buckets.
@Suite struct IngestKeyTests {
  private final class Bench {
    let folder = NSTemporaryDirectory() + "cordwood-ingest-\(UUID().uuidString)"
    let clock = ManualClock(1_700_000_000_000_000_000)
    let database: ControlDatabase
    let store: KeyStore
    let keys: IngestKeys

    init() async throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      database = try ControlDatabase(path: folder + "/control.sqlite")
      store = try await KeyStore(database, clock: clock)
      keys = IngestKeys(
        configured: [
          IngestKey(name: "a", token: "token-aaaa"),
          IngestKey(name: "off", token: "token-off1", isActive: false),
        ], adminToken: "token-admin", store: store)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    func outcome(_ authorization: String?) -> String {
      do throws(IngestCredentialError) {
        return try keys.authenticate(authorization: authorization).tenant.description
      } catch { return "\(error)" }
    }

    func adminOutcome(_ authorization: String?) -> String {
      do throws(IngestCredentialError) {
        try keys.authenticateAdministrator(authorization: authorization)
        return "in"
      } catch { return "\(error)" }
    }
  }

  @Test func credentialsAreToldApart() async throws {
    let bench = try await Bench()
    let cases: [(String?, String, String)] = [
      (nil, "missing", "missing"), ("", "missing", "missing"), ("Bearer", "missing", "missing"),
      ("Bearer ", "missing", "missing"), ("Basic dG9rZW4=", "wrongScheme", "wrongScheme"),
      ("bearer token-aaaa", "ingest/a", "notAdministrator"), ("Bearer token-aaab", "unknown", "unknown"),
      ("Bearer token-off1", "inactive", "inactive"), ("Bearer token-admin", "unknown", "in"),
      ("Bearer token-aaaa ", "unknown", "unknown"),
    ]
    for (header, ingest, admin) in cases {
      #expect(bench.outcome(header) == ingest, "\(header ?? "-")")
      #expect(bench.adminOutcome(header) == admin, "\(header ?? "-")")
    }
    bench.keys.use(configured: [IngestKey(name: "b", token: "token-bbbb")], adminToken: nil)
    #expect(bench.outcome("Bearer token-aaaa") == "unknown")
    #expect(bench.outcome("Bearer token-bbbb") == "ingest/b")
    #expect(bench.adminOutcome("Bearer token-admin") == "unknown")
  }

  @Test func keysOfTheStoreHold() async throws {
    let bench = try await Bench()
    let token = try await bench.store.create(realm: .ingest, name: "made", tenant: "made", role: .writer)
    let off = try await bench.store.create(
      realm: .ingest, name: "made-off", tenant: "made-off", role: .writer, isActive: false, purpose: "later")
    #expect(bench.outcome("Bearer \(token)") == "ingest/made")
    #expect(bench.outcome("Bearer \(off)") == "inactive")
    #expect(
      bench.keys.hasKey(named: "MADE") && bench.keys.hasKey(named: "A") && !bench.keys.hasKey(named: "b"))
    await #expect(throws: AccessError.keyExists) {
      _ = try await bench.store.create(realm: .ingest, name: "Made", tenant: "Made", role: .writer)
    }
    await #expect(throws: AccessError.self) {
      _ = try await bench.store.create(realm: .ingest, name: "x", tenant: "y", role: .writer)
    }
    await #expect(throws: AccessError.self) {
      _ = try await bench.store.create(realm: .ingest, name: "x", tenant: "x", role: .admin)
    }
    let again = try await KeyStore(bench.database, clock: bench.clock)
    #expect(again.keys().map(\.isActive) == [true, false])
    #expect(again.keys().map(\.purpose) == ["", "later"])
    try await bench.store.revoke(name: "made", realm: .ingest)
    #expect(bench.outcome("Bearer \(token)") == "unknown")
    try await bench.store.revoke(name: "made-off", realm: .ingest)
    #expect(bench.outcome("Bearer \(off)") == "unknown")
  }

  @Test func bucketsFillByFractions() {
    let clock = ManualClock(1_000_000_000_000)
    let buckets = TokenBuckets(RequestRate(perSecond: 1, burst: 5), clock: clock)
    let tenant = Tenant(realm: .ingest, name: "a")
    for _ in 0..<5 { #expect(buckets.take(tenant) == .granted) }
    #expect(buckets.take(tenant) == .refused(retryAfterSeconds: 1, isFirst: true))
    #expect(buckets.take(Tenant(realm: .ingest, name: "b")) == .granted, "a bucket each")
    var granted = 0
    for _ in 0..<100 {
      clock.advance(nanoseconds: 100_000_000)
      if buckets.take(tenant) == .granted { granted += 1 }
    }
    #expect(granted == 10, "who asks often gets no less")
    clock.advance(nanoseconds: 3_600_000_000_000)
    for _ in 0..<5 { #expect(buckets.take(tenant) == .granted) }
    #expect(buckets.take(tenant) != .granted, "and no more than the burst")
  }

  /// Whoever waits as long as told is let in; a clock that goes back gives nothing away.
  @Test(arguments: [(0.01, 1.0), (0.3, 2.0), (1.0, 5.0), (7.0, 3.0), (2000.0, 10_000.0)])
  func theWaitIsRight(perSecond: Double, burst: Double) {
    let clock = ManualClock(1_000_000_000_000_000)
    let buckets = TokenBuckets(RequestRate(perSecond: perSecond, burst: burst), clock: clock)
    let tenant = Tenant(realm: .ingest, name: "a")
    for _ in 0..<20 {
      var wait = 0
      while wait == 0 {
        if case .refused(let seconds, _) = buckets.take(tenant) { wait = seconds }
      }
      clock.advance(nanoseconds: -5_000_000_000)
      #expect(buckets.take(tenant) != .granted)
      // From the earlier time on, which the bucket has seen by then.
      clock.advance(nanoseconds: Int64(wait) * 1_000_000_000)
      #expect(buckets.take(tenant) == .granted)
    }
  }
}
