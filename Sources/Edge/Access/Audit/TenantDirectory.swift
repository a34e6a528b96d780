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

  func with(secret: String) -> AuditTenant {
    AuditTenant(name: name, key: key, secret: secret, createdAt: createdAt)
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
  fileprivate struct State {
    /// In the order they were made.
    var tenants: [AuditTenant] = []
    /// Keys of those whose secret does not open.
    var closed: [String] = []
    /// Whose secrets are to be sealed anew.
    var old: [AuditTenant] = []
    var sealingFailure: AccessError?
    /// What signs: by the tenant's key.
    var secrets: [Name: String] = [:]
    /// What does not hold any more, by tenant: single tokens, and all issued before a time.
    var revoked: [Name: Set<Name>] = [:]
    var notBefore: [Name: Int64] = [:]
    /// Grows when a secret that was there is gone or another one, or a token is revoked.
    var version = 0
  }

  private let repository: any TenantRepository
  private let legacy: LegacyTenantKeys
  private let seal: SecretSeal?
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let state = Mutex(State())

  private static let secretBytes = 16
  /// Bytes of a tenant's name; its key has the bound of all tenants' names.
  package static let nameBytesMax = 1_024

  /// Loads all tenants, and seals those secrets that are not, or were with a key of before.
  ///
  /// - Parameter seal: nil: secrets are kept as they are, and those that are sealed sign nothing.
  /// - Throws: `sealedSecret`: one does not open. What the control plane says.
  package init(
    _ plane: any ControlPlane, legacy: LegacyTenantKeys, seal: SecretSeal? = nil, clock: any WallClock,
    entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) {
    repository = plane.tenants
    self.legacy = legacy
    self.seal = seal
    self.clock = clock
    self.entropy = entropy
    try await plane.changes.observe(.tenants) { [weak self] change in
      guard case .tenants(let change) = change else { return }
      self?.apply(change)
    }
    guard seal != nil else { return }
    let (closed, old) = state.withLock { ($0.closed, $0.old) }
    if let key = closed.first { throw .sealedSecret(tenant: key) }
    guard !old.isEmpty else { return }
    do throws(AccessError) { try await repository.replaceSecrets(old.map { sealed($0) }) } catch {
      state.withLock { $0.sealingFailure = error }
    }
  }

  /// Why secrets that were not sealed are not yet; they hold all the same. The next start tries again.
  package var sealingFailure: AccessError? { state.withLock { $0.sealingFailure } }

  private func sealed(_ tenant: AuditTenant) -> AuditTenant {
    tenant.with(secret: seal?.seal(tenant.secret, of: tenant.key) ?? tenant.secret)
  }

  private func apply(_ change: TenantChange) {
    state.withLock { state in
      switch change {
      case .all(let tenants, let revocations):
        let old = state.secrets
        (state.tenants, state.secrets, state.closed, state.old) = ([], [:], [], [])
        for tenant in tenants { take(tenant, &state) }
        let isKept = old.allSatisfy { state.secrets[$0.key]?.hasBytes(of: $0.value) == true }
        let (revoked, notBefore) = (state.revoked, state.notBefore)
        (state.revoked, state.notBefore) = ([:], [:])
        for revocation in revocations { state.apply(revocation) }
        if !isKept || revoked != state.revoked || notBefore != state.notBefore { state.version += 1 }
      case .created(let tenant): take(tenant, &state)
      case .revoked(let revocation):
        state.apply(revocation)
        state.version += 1
      }
    }
  }

  private func opened(_ kept: AuditTenant) -> (secret: String, isOld: Bool)? {
    if let seal { return seal.open(kept.secret, of: kept.key) }
    return SecretSeal.isSealed(kept.secret) ? nil : (kept.secret, false)
  }

  /// A tenant as the control plane has it.
  private func take(_ kept: AuditTenant, _ state: inout State) {
    guard let (secret, isOld) = opened(kept) else {
      state.closed.append(kept.key)
      state.tenants.append(kept.with(secret: ""))
      return
    }
    let tenant = kept.with(secret: secret)
    state.tenants.append(tenant)
    if isOld { state.old.append(tenant) }
    if canSign(tenant) { state.secrets[Name(tenant.key)] = secret }
  }

  /// Whether nobody has revoked the token.
  func mayHold(_ claims: TokenClaims) -> Bool {
    let tenant = Name(claims.tenant.name)
    return state.withLock { state in
      if let id = claims.id, state.revoked[tenant]?.contains(id) == true { return false }
      guard let time = state.notBefore[tenant] else { return true }
      return claims.issuedAt.map { $0 >= time } ?? false
    }
  }

  /// Single tokens of a tenant that are revoked at one time.
  package static let revokedMax = 10_000
  /// Bytes of a token's `jti`.
  package static let tokenIDBytesMax = 256

  /// Ends one token of a tenant, wherever it was issued, until it would not hold anyway.
  ///
  /// - Throws: `invalidName`; `overloaded`: too many are revoked; what the control plane says.
  package func revoke(token id: String, of tenant: String, hours: Int) async throws(AccessError) {
    guard !id.isEmpty, id.utf8.count <= TenantDirectory.tokenIDBytesMax, !id.utf8.contains(0) else {
      throw .invalidName("A token's jti has 1 to \(TenantDirectory.tokenIDBytesMax) bytes and no NUL.")
    }
    let now = clock.now()
    let (until, overflow) = now.addingReportingOverflow(Int64(hours) * 3_600_000_000_000)
    try await repository.revoke(
      .token(tenant: tenant, id: id, until: overflow ? .max : until), now: now,
      countMax: TenantDirectory.revokedMax)
  }

  /// Ends all tokens of a tenant that were issued before `time` (nanoseconds since 1970) or do not say when.
  ///
  /// - Throws: What the control plane says.
  package func revoke(before time: Int64, of tenant: String) async throws(AccessError) {
    try await repository.revoke(
      .before(tenant: tenant, time: time), now: clock.now(), countMax: TenantDirectory.revokedMax)
  }

  /// A secret by the legacy rule is no secret once the rule is off.
  private func canSign(_ tenant: AuditTenant) -> Bool {
    legacy.isOn || !legacy.derives(tenant.secret, for: tenant.key)
  }

  /// In the order they were made.
  package func tenants() -> [AuditTenant] { state.withLock { $0.tenants } }

  /// Tenants whose secret came from the legacy rule, which is off: their tokens do not hold.
  package func keysWithoutSecret() -> [String] {
    state.withLock { state in state.tenants.map(\.key).filter { state.secrets[Name($0)] == nil } }
  }

  /// What signs the tokens of `tenant`; nil: not in the directory, or its secret follows from a rule that is
  /// off.
  func secret(of tenant: String) -> String? { state.withLock { $0.secrets[Name(tenant)] } }

  /// Whether tenants get their secrets by the legacy rule.
  package var isLegacy: Bool { legacy.isOn }

  /// Whether a tenant of this key was made.
  package func has(_ key: String) -> Bool {
    state.withLock { $0.tenants.contains { $0.key.hasBytes(of: key) } }
  }

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
    try await repository.create(sealed(tenant))
    return tenant
  }
}

extension TenantDirectory.State {
  fileprivate mutating func apply(_ revocation: TokenRevocation) {
    switch revocation {
    case .token(let tenant, let id, _): revoked[Name(tenant), default: []].insert(Name(id))
    case .before(let tenant, let time):
      notBefore[Name(tenant)] = max(time, notBefore[Name(tenant)] ?? .min)
    }
  }
}
