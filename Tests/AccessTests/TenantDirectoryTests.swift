import Access
import Foundation
import TestKit
import Testing

/// Tenants of the audit API.
@Suite struct TenantDirectoryTests {
  private static let off = LegacyTenantKeys(isOn: false)

  @Test func tenantsAreListedInTheOrderTheyWereMade() async throws {
    let bench = try await TokenBench(legacy: Self.off)
    defer { bench.remove() }
    for key in ["zeta", "acme", "a-b_9"] {
      _ = try await bench.tenants.create(name: "The \(key)", key: key)
      bench.clock.advance(seconds: -5)
    }
    let tenants = bench.tenants.tenants()
    #expect(tenants.map(\.key) == ["zeta", "acme", "a-b_9"])
    #expect(tenants[0].name == "The zeta")
    #expect(tenants[0].createdAt == TokenBench.now * 1_000_000_000)
    #expect(tenants.allSatisfy { $0.secret.count == 32 && $0.secret.allSatisfy(\.isHexDigit) })
    #expect(Set(tenants.map(\.secret)).count == 3)
    #expect(try await TokenBench(legacy: Self.off, folder: bench.folder).tenants.tenants() == tenants)
  }

  @Test func keysAreCheckedAndUnique() async throws {
    let bench = try await TokenBench(legacy: Self.off)
    defer { bench.remove() }
    for key in [
      "", "A", "a b", "a/b", "é", "a.b", "a\u{0}", "a\n", "\u{212A}", String(repeating: "a", count: 513),
    ] {
      let error = await accessError { _ = try await bench.tenants.create(name: "x", key: key) }
      guard case .invalidName? = error else {
        Issue.record("\(key.debugDescription) was taken")
        continue
      }
    }
    for name in ["a\u{0}b", String(repeating: "n", count: 1_025)] {
      let error = await accessError { _ = try await bench.tenants.create(name: name, key: "k") }
      guard case .invalidName? = error else {
        Issue.record("the name was taken")
        continue
      }
    }
    _ = try await bench.tenants.create(name: "", key: String(repeating: "a", count: 512))
    let first = try await bench.tenants.create(name: "one", key: "acme")
    #expect(
      await accessError { _ = try await bench.tenants.create(name: "two", key: "acme") } == .tenantExists)
    #expect(bench.tenants.tenants().last == first)
  }

  @Test func oneOfManyAtOnceWins() async throws {
    let bench = try await TokenBench(legacy: Self.off)
    defer { bench.remove() }
    let tenants = bench.tenants
    let won = await withTaskGroup(of: Bool.self) { group in
      for index in 0..<8 {
        group.addTask {
          await accessError { _ = try await tenants.create(name: "\(index)", key: "acme") } == nil
        }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(won == 1 && tenants.tenants().count == 1)
  }

  @Test func theLegacyRuleMakesSecretsOnlyWhileItIsOn() async throws {
    let legacy = try await TokenBench(legacy: LegacyTenantKeys(isOn: true, secret: "s2"))
    defer { legacy.remove() }
    let tenant = try await legacy.tenants.create(name: "Acme", key: "acme")
    #expect(tenant.secret == TokenBench.legacyKey("acme", secret: "s2"))
    let token = try TokenBench.token(.secret(tenant.secret))
    #expect(legacy.holds(token))
    let strict = try await TokenBench(
      legacy: LegacyTenantKeys(isOn: false, secret: "s2"), folder: legacy.folder)
    #expect(!strict.holds(token), "a secret that follows from a name is none")
    #expect(strict.tenants.keysWithoutSecret() == ["acme"])
    #expect(legacy.tenants.keysWithoutSecret() == [])
  }

  @Test func theDefaultSecretsTenantsEndWithTheRuleToo() async throws {
    let legacy = try await TokenBench()
    defer { legacy.remove() }
    let tenant = try await legacy.tenants.create(name: "Acme", key: "acme")
    let strict = try await TokenBench(
      legacy: LegacyTenantKeys(isOn: false, secret: "another one"), folder: legacy.folder)
    #expect(!strict.holds(try TokenBench.token(.secret(tenant.secret))))
  }

  @Test func anotherProcessMakesTenants() async throws {
    let server = try await TokenBench(legacy: Self.off)
    defer { server.remove() }
    let tool = try await TokenBench(legacy: Self.off, folder: server.folder)
    let tenant = try await tool.tenants.create(name: "Acme", key: "acme")
    let token = try TokenBench.token(.secret(tenant.secret))
    #expect(!server.holds(token))
    try await server.database.catchUp()
    #expect(server.holds(token))
    #expect(
      await accessError { _ = try await server.tenants.create(name: "x", key: "acme") } == .tenantExists)
    #expect(server.credentials.verifiedCount == 1)
    _ = try await tool.tenants.create(name: "B", key: "b")
    try await server.database.catchUp()
    #expect(server.credentials.verifiedCount == 1 && server.holds(token), "nothing was taken away")
  }

  @Test func aSecretThatIsGoneEndsTokensInMemory() async throws {
    let server = try await TokenBench(legacy: Self.off)
    defer { server.remove() }
    let tenant = try await server.tenants.create(name: "Acme", key: "acme")
    let token = try TokenBench.token(.secret(tenant.secret))
    #expect(server.holds(token))
    try AccessDatabaseFault.changeSecrets(server.folder)
    #expect(server.holds(token))
    try await server.database.catchUp()
    #expect(!server.holds(token))
    #expect(server.credentials.verifiedCount == 0)
  }

  @Test func secretsAreNotInTexts() async throws {
    let bench = try await TokenBench(legacy: Self.off)
    defer { bench.remove() }
    let tenant = try await bench.tenants.create(name: "Acme", key: "acme")
    #expect(!"\(tenant)".contains(tenant.secret) && !String(reflecting: tenant).contains(tenant.secret))
    let key = AuditKey(keyID: "k", secret: "canary", tenants: nil)
    #expect(!"\(key)".contains("canary") && !String(reflecting: key).contains("canary"))
    #expect(!"\(LegacyTenantKeys(isOn: true, secret: "canary"))".contains("canary"))
  }
}
