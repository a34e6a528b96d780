import Access
import Foundation
import Records
import TestKit
import Testing

/// What an audit token may be, by who signed it.
@Suite struct AuditRightsTests {
  private static let secret = "6f1d0c6c2b9e4f3aa0d76f1d0c6c2b9e"

  private func bench(_ change: (inout AuditCredentials.Policy) -> Void) async throws -> TokenBench {
    try await TokenBench(legacy: LegacyTenantKeys(isOn: false), change: change)
  }

  @Test func aTenantsKeyGivesNoRightsOverTheServer() async throws {
    let bench = try await bench { policy in
      policy.keys = [
        AuditKey(keyID: "few", secret: Self.secret + "1", tenants: ["acme"]),
        AuditKey(keyID: "all", secret: Self.secret + "2", tenants: nil),
        AuditKey(
          keyID: "ops", secret: Self.secret + "3", tenants: nil, grants: AuditGrants(isOperator: true)),
        AuditKey(keyID: "low", secret: Self.secret + "4", tenants: nil, grants: AuditGrants(role: .auditor)),
      ]
    }
    defer { bench.remove() }
    let own = try await bench.tenants.create(name: "Acme", key: "acme").secret
    for (secret, role, mayOperate) in [
      (own, Role.admin, false), (Self.secret + "1", .admin, false), (Self.secret + "2", .admin, false),
      (Self.secret + "3", .admin, true), (Self.secret + "4", .auditor, false),
    ] {
      let principal = try bench.outcome(TokenBench.token(.secret(secret), ["role": "admin"])).get()
      #expect(principal.role == role && principal.allows(.operate) == mayOperate, "\(secret)")
      #expect(principal.allows(.administer) == (role == .admin))
    }
    let viewer = try bench.outcome(TokenBench.token(.secret(Self.secret + "3"), ["role": "viewer"])).get()
    #expect(!viewer.allows(.operate), "an operator's token says that it is an administrator's")
  }

  @Test func aTokenEndsSoonEnough() async throws {
    let bench = try await bench { policy in
      policy.tokenHoursMax = 24
      policy.keys = [AuditKey(keyID: "all", secret: Self.secret, tenants: nil)]
    }
    defer { bench.remove() }
    func holds(_ seconds: Int64?) throws -> Bool {
      let claims = seconds.map { ["exp": TokenBench.now + $0] } ?? [:]
      return bench.holds(try TokenBench.token(.secret(Self.secret), claims))
    }
    #expect(try holds(3_600) && holds(24 * 3_600))
    #expect(try !holds(nil) && !holds(24 * 3_600 + 1) && !holds(200 * 365 * 86_400))
  }

  @Test func revokedTokensEndAtOnce() async throws {
    let bench = try await bench { $0.keys = [AuditKey(keyID: "all", secret: Self.secret, tenants: nil)] }
    defer { bench.remove() }
    func token(_ claims: [String: Any]) throws -> String {
      try TokenBench.token(.secret(Self.secret), claims)
    }
    let now = TokenBench.now
    let (one, two) = (try token(["jti": "1", "iat": now - 9]), try token(["jti": "2", "iat": now - 9]))
    let other = try token(["tenant": "zeta", "jti": "1", "iat": now - 9])
    #expect(bench.holds(one) && bench.holds(two) && bench.holds(other))
    try await bench.tenants.revoke(token: "1", of: "acme", hours: 24)
    #expect(!bench.holds(one) && bench.holds(two) && bench.holds(other))
    try await bench.tenants.revoke(before: (now - 5) * 1_000_000_000, of: "acme")
    #expect(try !bench.holds(two) && !bench.holds(token([:])), "old, or not said when it was issued")
    #expect(try bench.holds(other) && bench.holds(token(["iat": now - 5])))
    let again = try await TokenBench(
      legacy: LegacyTenantKeys(isOn: false),
      keys: [AuditKey(keyID: "all", secret: Self.secret, tenants: nil)],
      folder: bench.folder)
    #expect(!again.holds(one) && !again.holds(two) && again.holds(other), "over a restart too")
    for bad in ["", "a\u{0}", String(repeating: "x", count: 257)] {
      await #expect(throws: AccessError.self) {
        try await bench.tenants.revoke(token: bad, of: "acme", hours: 24)
      }
    }
  }

  @Test func aTenantsNameHasOneForm() async throws {
    let bench = try await bench { $0.keys = [AuditKey(keyID: "all", secret: Self.secret, tenants: nil)] }
    defer { bench.remove() }
    for name in ["BAN\u{212A}", "cafe\u{301}"] {
      #expect(try !bench.holds(TokenBench.token(.secret(Self.secret), ["tenant": name])))
    }
    #expect(try bench.holds(TokenBench.token(.secret(Self.secret), ["tenant": "caf\u{E9}"])))
  }
}
