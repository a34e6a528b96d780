import Codecs
import GRDB
import Platform
import Records
import Synchronization

/// A tenant of the audit API as it was made.
package struct AuditTenant: Sendable, Hashable, CustomStringConvertible, CustomDebugStringConvertible {
  /// What people call it; any text.
  package let name: String
  /// What tokens say in their claim `tenant`.
  package let key: String
  /// The text that signs the tenant's tokens (HS256).
  package let secret: String
  /// Nanoseconds since 1970.
  package let createdAt: Int64

  /// Without the secret, which must not get into a log by being interpolated.
  package var description: String { "audit tenant \(key)" }
  package var debugDescription: String { description }
}

/// The audit API's tenants and their secrets: in memory, and durably in the control database.
///
/// A tenant need not be here to write and read: a token signed with another key that holds is enough.
package final class TenantDirectory: Sendable {
  private struct State {
    /// In the order they were made.
    var tenants: [AuditTenant] = []
    /// What signs: by the tenant's key.
    var secrets: [String: String] = [:]
    /// Grows when a secret that was there is gone or another one.
    var version = 0
  }

  private let database: ControlDatabase
  private let legacy: LegacyTenantKeys
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let state = Mutex(State())

  private static let secretBytes = 16
  package static let nameBytesMax = 1_024

  package init(
    database: ControlDatabase, legacy: LegacyTenantKeys, clock: any WallClock,
    entropy: any EntropySource = SystemEntropy()
  ) throws(AccessError) {
    self.database = database
    self.legacy = legacy
    self.clock = clock
    self.entropy = entropy
    try database.watch { [self] database in
      let tenants = try Row.fetchAll(database, sql: "SELECT * FROM auditTenants ORDER BY id").map { row in
        AuditTenant(
          name: row["name"], key: row["key"], secret: row["secret"], createdAt: row["createdAt"])
      }
      state.withLock { state in
        let old = state.secrets
        state.tenants = tenants
        state.secrets = [:]
        for tenant in tenants where canSign(tenant) { state.secrets[tenant.key] = tenant.secret }
        let isKept = old.allSatisfy { state.secrets[$0.key] == $0.value }
        if !isKept { state.version += 1 }
      }
    }
  }

  /// A secret by the legacy rule is no secret once the rule is off.
  private func canSign(_ tenant: AuditTenant) -> Bool {
    legacy.isOn || !legacy.derives(tenant.secret, for: tenant.key)
  }

  /// In the order they were made.
  package func tenants() -> [AuditTenant] { state.withLock { $0.tenants } }

  /// Tenants whose secret came from the legacy rule, which is off: their tokens do not hold.
  package func keysWithoutSecret() -> [String] {
    state.withLock { state in state.tenants.map(\.key).filter { state.secrets[$0] == nil } }
  }

  /// What signs the tokens of `tenant`; nil: not in the directory, or its secret follows from a rule that is off.
  func secret(of tenant: String) -> String? { state.withLock { $0.secrets[tenant] } }

  /// Differs when a secret stopped to hold since the last look.
  var version: Int { state.withLock { $0.version } }

  /// Whether `key` may be a tenant's: `[a-z0-9_-]+`, at most 512.
  package static func isValid(key: String) -> Bool {
    Tenant.isValid(name: key)
      && key.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"),
          UInt8(ascii: "_"), UInt8(ascii: "-"):
          true
        default: false
        }
      }
  }

  /// Makes a tenant with a secret of its own: 32 random hexadecimal digits, or by the legacy rule while that is on.
  ///
  /// - Throws: `invalidName`, `tenantExists`, or what the database says.
  package func create(name: String, key: String) async throws(AccessError) -> AuditTenant {
    guard TenantDirectory.isValid(key: key) else {
      throw .invalidName("A tenant's key has 1 to \(Tenant.nameBytesMax) characters of a-z, 0-9, _ and -.")
    }
    guard name.utf8.count <= TenantDirectory.nameBytesMax, !name.utf8.contains(0) else {
      throw .invalidName("A tenant's name has at most \(TenantDirectory.nameBytesMax) bytes and no NUL.")
    }
    let secret =
      legacy.isOn ? legacy.key(of: key) : Hex.text(entropy.bytes(TenantDirectory.secretBytes))
    let tenant = AuditTenant(name: name, key: key, secret: secret, createdAt: clock.now())
    return try await database.change("make the tenant") { database in
      let isThere = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM auditTenants WHERE key = ?)", arguments: [key])
      guard isThere == false else { throw AccessError.tenantExists }
      try database.execute(
        sql: "INSERT INTO auditTenants (key, name, secret, createdAt) VALUES (?, ?, ?, ?)",
        arguments: [tenant.key, tenant.name, tenant.secret, tenant.createdAt])
      return tenant
    } applied: { [self] tenant in
      state.withLock { state in
        state.tenants.append(tenant)
        if canSign(tenant) { state.secrets[tenant.key] = tenant.secret }
      }
    }
  }
}
