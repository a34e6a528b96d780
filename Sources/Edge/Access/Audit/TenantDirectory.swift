import Codecs
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

  /// A tenant as it is kept.
  package init(name: String, key: String, secret: String, createdAt: Int64) {
    self.name = name
    self.key = key
    self.secret = secret
    self.createdAt = createdAt
  }

  /// Without the secret, which must not get into a log by being interpolated.
  package var description: String { "audit tenant \(key)" }
  /// Without the secret.
  package var debugDescription: String { description }
}

/// The audit API's tenants and their secrets: in memory, and durably in the control plane.
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

  private let repository: any TenantRepository
  private let legacy: LegacyTenantKeys
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let state = Mutex(State())

  private static let secretBytes = 16
  /// Bytes of a tenant's name; its key has the bound of all tenants' names.
  package static let nameBytesMax = 1_024

  /// Loads all tenants.
  ///
  /// - Throws: What the control plane says.
  package init(
    _ plane: any ControlPlane, legacy: LegacyTenantKeys, clock: any WallClock,
    entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) {
    repository = plane.tenants
    self.legacy = legacy
    self.clock = clock
    self.entropy = entropy
    try await plane.changes.observe(.tenants) { [weak self] change in
      guard case .tenants(let change) = change else { return }
      self?.apply(change)
    }
  }

  private func apply(_ change: TenantChange) {
    state.withLock { state in
      switch change {
      case .all(let tenants):
        let old = state.secrets
        state.tenants = tenants
        state.secrets = [:]
        for tenant in tenants where canSign(tenant) { state.secrets[tenant.key] = tenant.secret }
        let isKept = old.allSatisfy { state.secrets[$0.key] == $0.value }
        if !isKept { state.version += 1 }
      case .created(let tenant):
        state.tenants.append(tenant)
        if canSign(tenant) { state.secrets[tenant.key] = tenant.secret }
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

  /// What signs the tokens of `tenant`; nil: not in the directory, or its secret follows from a rule that is
  /// off.
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

  /// Makes a tenant with a secret of its own: 32 random hexadecimal digits, or by the legacy rule while that
  /// is on.
  ///
  /// - Throws: `invalidName`, `tenantExists`, or what the control plane says.
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
    try await repository.create(tenant)
    return tenant
  }
}
