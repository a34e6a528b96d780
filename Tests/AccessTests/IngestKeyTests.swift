import Access
import Foundation
import Forwarding
import Records
import TestKit
import Testing

/// Ingest keys, their buckets, and what forwarders keep in the control database.
@Suite struct IngestKeyTests {
  private final class Bench {
    let folder = NSTemporaryDirectory() + "cordwood-ingest-\(UUID().uuidString)"
    let clock = ManualClock(1_700_000_000_000_000_000)
    let database: ControlDatabase
    let store: KeyStore
    let keys: IngestKeys

    init() throws {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
      database = try ControlDatabase(path: folder + "/control.sqlite")
      store = try KeyStore(database: database, clock: clock)
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

  @Test func credentialsAreToldApart() throws {
    let bench = try Bench()
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
    let bench = try Bench()
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
    let again = try KeyStore(database: bench.database, clock: bench.clock)
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

  @Test func forwardersKeepTheirPlace() async throws {
    let bench = try Bench()
    let state = ForwardingDatabase(bench.database)
    let tenant = Tenant(realm: .ingest, name: "a")
    let other = Tenant(realm: .native, name: "a")
    #expect(try await state.open("loki").isNew)
    func letter(_ position: Int64, _ tenant: Tenant) -> DeadLetter {
      DeadLetter(
        tenant: tenant, position: position, id: [UInt8](repeating: 7, count: 16), timestamp: -5,
        ingestedAt: 2,
        refusedAt: 3, reason: .tooOld, status: 400, attempts: 1, entry: Array(#"{"ä":1}"#.utf8))
    }
    let cursor = SavedCursor(
      tenant: tenant, position: 7,
      backlog: SavedBacklog(bytes: 9, countedEnd: 8, recordBytesMean: 3, oldestAt: 1))
    let counts = try await state.save(
      ForwardingChange(
        cursors: [cursor, SavedCursor(tenant: other, position: 1)],
        letters: (0..<5).map { letter($0, tenant) } + [letter(0, other)], lettersPerTenantMax: 3),
      of: "loki")
    #expect(counts == DeadLetterCounts(byTenant: [tenant: 3, other: 1], droppedCount: 2))
    let saved = try await state.open("loki")
    #expect(!saved.isNew && saved.cursors.contains(cursor) && saved.cursors.count == 2)
    #expect(saved.deadLetters == [tenant: 3, other: 1])
    #expect(try await state.open("another").cursors.isEmpty)
    let letters = try await state.deadLetters(of: "loki", tenant: tenant, after: 0, limit: 10)
    #expect(letters.map(\.position) == [2, 3, 4] && letters[0].entry == Array(#"{"ä":1}"#.utf8))
    #expect(letters[0].id == [UInt8](repeating: 7, count: 16) && letters[0].reason == .tooOld)
    var again = letters[0]
    again.attempts = 2
    _ = try await state.save(ForwardingChange(letters: [again], lettersPerTenantMax: 3), of: "loki")
    let numbers = letters.map(\.number)
    #expect(try await state.deadLetters(of: "loki", numbers: [numbers[0], 9_999]).map(\.attempts) == [2])
    #expect(try await state.drop([numbers[0], 9_999], of: "loki").byTenant == [tenant: 2, other: 1])
    #expect(try await state.deadLetters(of: "loki", tenant: nil, after: numbers[1], limit: 1).count == 1)
  }
}
