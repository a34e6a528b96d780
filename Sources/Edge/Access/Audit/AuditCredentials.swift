import Crypto
import Platform
import Records
import Synchronization

/// What tokens of one signer may be at most, whatever they say.
package struct AuditGrants: Sendable, Hashable {
  /// `viewer`, `auditor` or `admin`.
  package var role: Role
  /// Whether its tokens of the role `admin` have rights over the server: they see and make tenants.
  package var isOperator: Bool

  /// All rights over tenants' records, none over the server.
  package init(role: Role = .admin, isOperator: Bool = false) {
    self.role = role
    self.isOperator = isOperator
  }

  func role(_ claimed: Role) -> Role {
    let order: [Role] = [.viewer, .auditor, .admin]
    let most = order.firstIndex(of: role) ?? 0
    return order[min(order.firstIndex(of: claimed) ?? 0, most)]
  }
}

/// A key of the configuration that signs with HS256.
package struct AuditKey: Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  /// Tokens name it in their header's `kid`, or are tried with every key.
  package let keyID: String
  /// Tenants it may sign for; nil: all.
  package let tenants: [String]?
  /// What its tokens may be at most.
  package let grants: AuditGrants
  let secret: SymmetricKey
  /// The secret, for those who look whether it is one.
  package let secretText: String

  /// - Parameters:
  ///   - secret: Its bytes are the key.
  ///   - grants: Rights over the server only without `tenants`.
  package init(keyID: String, secret: String, tenants: [String]?, grants: AuditGrants = AuditGrants()) {
    self.keyID = keyID
    self.secret = SymmetricKey(data: Array(secret.utf8))
    secretText = secret
    self.tenants = tenants
    self.grants = grants
  }

  /// Without the secret.
  package var description: String { "audit key \(keyID)" }
  /// Without the secret.
  package var debugDescription: String { description }

  func signs(for tenant: String) -> Bool {
    tenants?.contains(tenant) ?? true
  }
}

/// Callers of the audit API: JSON Web Tokens, signed with a key of the tenant (HS256) or of an issuer (RS256,
/// ES256).
///
/// The algorithm is the key's, never the token's choice (RFC 8725 §3.1). Everything is synchronous: it is
/// asked on event loops. A token that was verified is kept by its SHA-256, so that the next request costs one
/// hash and one look-up; its times are compared with the clock again each time.
package final class AuditCredentials: Sendable {
  /// What a token must be like to hold.
  package struct Policy: Sendable {
    /// What a token must say in `aud`.
    package var audience = "logserver"
    /// What it must say in `iss`.
    package var issuer = "issuer"
    /// How far the clocks of issuer and server may be apart.
    package var leewaySeconds = 0
    /// Whether keys that follow from tenants' names sign.
    package var legacy = LegacyTenantKeys(isOn: false)
    /// Configured keys.
    package var keys: [AuditKey] = []
    /// Of the issuer whose public keys there are.
    package var issuerGrants = AuditGrants()
    /// Of a tenant's own secret and of the legacy rule: a tenant's administrators have no rights over the
    /// server but in development, where its owner is alone.
    package var tenantGrants = AuditGrants()
    /// How far ahead a token's `exp`, which it must have then, may be; nil: it may have none.
    package var tokenHoursMax: Int?

    /// What holds unless it is configured.
    package init() {}
  }

  private struct Verified {
    let principal: Principal
    let window: TokenClaims.Window
  }

  private struct State {
    var keySet = KeySet()
    /// Grows with each change of keys: what was verified before is not kept any more.
    var generation = 0
    var tenantsVersion = 0
    var verified: [TokenHash: Verified] = [:]
  }

  /// Beyond so many the memory starts anew, and each caller's next request is verified once more.
  static let verifiedCountMax = 10_000
  /// Refused before anything is looked at: what comes from outside unverified is parsed on event loops.
  package static let tokenBytesMax = KeyDirectory.credentialBytesMax

  private let policy: Policy
  private let tenants: TenantDirectory
  private let clock: any WallClock
  private let state = Mutex(State())

  /// No public keys yet: see ``use(_:)``.
  package init(policy: Policy, tenants: TenantDirectory, clock: any WallClock) {
    self.policy = policy
    self.tenants = tenants
    self.clock = clock
  }

  /// Takes `keySet` instead of the one before; tokens of keys that are gone stop to hold at once.
  package func use(_ keySet: KeySet) {
    state.withLock { state in
      state.keySet = keySet
      state.generation += 1
      state.verified = [:]
    }
  }

  /// - Parameters:
  ///   - authorization: The `Authorization` header's value, or nil without one. If there is one it alone
  ///     counts.
  ///   - queryToken: The value of `?token=`, or nil.
  package func authenticate(
    authorization: String?, queryToken: String?
  ) throws(CredentialError) -> Principal {
    let token = try AuditCredentials.token(authorization, queryToken)
    guard token.utf8.count <= AuditCredentials.tokenBytesMax else { throw .unknown }
    let hash = TokenHash(of: token)
    let (known, keySet, generation) = state.withLock { state in
      let version = tenants.version
      if version != state.tenantsVersion {
        state.tenantsVersion = version
        state.generation += 1
        state.verified = [:]
      }
      return (state.verified[hash], state.keySet, state.generation)
    }
    if let known {
      guard known.window.contains(clock.now()) else {
        state.withLock { $0.verified[hash] = nil }
        throw .unknown
      }
      return known.principal
    }
    let verified = try verify(try SignedToken(token), with: keySet)
    guard verified.window.contains(clock.now()) else { throw .unknown }
    keep(verified, as: hash, generation: generation)
    return verified.principal
  }

  /// How long a token may hold: longer than any that is issued need not be remembered.
  package var tokenHoursMax: Int { policy.tokenHoursMax ?? 87_600 }

  /// How many verified tokens are in memory.
  package var verifiedCount: Int { state.withLock { $0.verified.count } }

  private static func token(
    _ authorization: String?, _ queryToken: String?
  ) throws(CredentialError) -> String {
    guard let authorization else {
      guard let queryToken else { throw .missing }
      return queryToken
    }
    // Byte by byte, and in this spelling only, as the API always had it.
    let scheme = "Bearer "
    guard authorization.utf8.starts(with: scheme.utf8) else { throw .malformed }
    return String(decoding: authorization.utf8.dropFirst(scheme.utf8.count), as: UTF8.self)
  }

  private func keep(_ verified: Verified, as hash: TokenHash, generation: Int) {
    state.withLock { state in
      // A key may have gone while the token was being verified with it.
      guard state.generation == generation, state.tenantsVersion == tenants.version else { return }
      if state.verified.count >= AuditCredentials.verifiedCountMax { state.verified = [:] }
      state.verified[hash] = verified
    }
  }

  private func verify(_ token: SignedToken, with keySet: KeySet) throws(CredentialError) -> Verified {
    let grants: AuditGrants? =
      switch token.algorithm {
      case .hs256: grantsOfSecret(token)
      case .rs256, .es256:
        keySet.isValid(token.signature, of: token.signed, token.algorithm, keyID: token.keyID)
          ? policy.issuerGrants : nil
      }
    guard let grants,
      let claims = TokenClaims(
        token.claims, audience: policy.audience, issuer: policy.issuer, leewaySeconds: policy.leewaySeconds),
      endsSoonEnough(claims.window), tenants.mayHold(claims)
    else { throw .unknown }
    let role = grants.role(claims.role)
    // One scope of idempotency keys for all tokens of a caller: a retry may come with a new token.
    let credential = KeyDirectory.stableHash("audit:\(claims.tenant.name)\u{0}\(claims.subject)")
    return Verified(
      principal: Principal(
        tenant: claims.tenant, subject: claims.subject, role: role, credential: credential
      ).operating(grants.isOperator && role == .admin),
      window: claims.window)
  }

  /// A token that never ends cannot be waited out once it is in wrong hands.
  private func endsSoonEnough(_ window: TokenClaims.Window) -> Bool {
    guard let hours = policy.tokenHoursMax else { return true }
    let (latest, overflow) = clock.now().addingReportingOverflow(Int64(hours) * 3_600_000_000_000)
    return !overflow && window.end <= latest
  }

  /// What the key grants that signed; nil: none did.
  private func grantsOfSecret(_ token: SignedToken) -> AuditGrants? {
    guard let tenant = TokenClaims.tenant(of: token.claims)?.name else { return nil }
    func isSigned(_ key: SymmetricKey) -> Bool {
      HMAC<SHA256>.isValidAuthenticationCode(token.signature, authenticating: token.signed, using: key)
    }
    let configured = policy.keys.filter { key in
      key.signs(for: tenant) && (token.keyID.map { $0.hasBytes(of: key.keyID) } ?? true)
    }
    if let key = configured.first(where: { isSigned($0.secret) }) { return key.grants }
    // The tenant's own key and the legacy rule's have no names.
    guard token.keyID == nil else { return nil }
    if let secret = tenants.secret(of: tenant), isSigned(SymmetricKey(data: Array(secret.utf8))) {
      return policy.tenantGrants
    }
    guard policy.legacy.isOn else { return nil }
    return isSigned(SymmetricKey(data: Array(policy.legacy.key(of: tenant).utf8))) ? policy.tenantGrants : nil
  }

  /// Whether another key than the one it would be given signs for this tenant alone or among others by name.
  package func isServed(_ tenant: String) -> Bool {
    policy.keys.contains { $0.tenants != nil && $0.signs(for: tenant) }
  }
}
