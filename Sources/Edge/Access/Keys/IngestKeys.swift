import Records
import Synchronization

/// A key of the ingest API as configured.
package struct IngestKey: Sendable, Hashable {
  /// Shown in logs and metrics; the tenant whose records it writes.
  package let name: String
  /// The secret itself.
  package let token: String
  /// Whether it lets in; an inactive one is known, and refused for what it is.
  package let isActive: Bool
  /// What it is for; empty: not said.
  package let purpose: String

  /// A key as configured.
  package init(name: String, token: String, isActive: Bool = true, purpose: String = "") {
    self.name = name
    self.token = token
    self.isActive = isActive
    self.purpose = purpose
  }
}

/// Why the ingest API refused a credential.
package enum IngestCredentialError: Error, Sendable, Hashable {
  /// None, or a scheme without a credential.
  case missing
  /// Another scheme than Bearer.
  case wrongScheme
  case unknown
  case inactive
  /// A key that is known, on a route for administrators.
  case notAdministrator
}

/// Callers of the ingest API: keys of the configuration and of the ``KeyStore``, and the administrator's
/// token.
///
/// Tokens are looked up by their SHA-256: that takes as long for one that is nearly right as for any other.
package final class IngestKeys: Sendable {
  private struct State {
    var principals: [TokenHash: Principal] = [:]
    var inactive: Set<TokenHash> = []
    var admin: TokenHash?
    var names: Set<Name> = []
  }

  private let state: Mutex<State>
  private let store: KeyStore

  /// - Parameters:
  ///   - configured: Of entries with an equal token the last counts. Several keys may have one name: they are
  ///     one tenant.
  ///   - adminToken: Opens the routes for administrators; nil: nothing does.
  ///   - store: Keys made later; a configured one wins.
  package init(configured: [IngestKey], adminToken: String?, store: KeyStore) {
    state = Mutex(IngestKeys.state(configured, adminToken))
    self.store = store
  }

  /// Takes other keys from the configuration, all at once. A key that is gone opens nothing from now on.
  package func use(configured: [IngestKey], adminToken: String?) {
    let new = IngestKeys.state(configured, adminToken)
    state.withLock { $0 = new }
  }

  private static func state(_ keys: [IngestKey], _ adminToken: String?) -> State {
    var state = State(admin: adminToken.map { TokenHash(of: $0) })
    for key in keys {
      let hash = TokenHash(of: key.token)
      state.principals[hash] = nil
      state.inactive.remove(hash)
      if key.isActive {
        state.principals[hash] = principal(of: Tenant(realm: .ingest, name: key.name))
      } else {
        state.inactive.insert(hash)
      }
      state.names.insert(Name(key.name.asciiLowercased))
    }
    return state
  }

  static func principal(of tenant: Tenant) -> Principal {
    // One scope of idempotency keys for all keys of a name: a retry may come with a new key.
    Principal(
      tenant: tenant, subject: tenant.name, role: .writer,
      credential: KeyDirectory.stableHash("ingest:\(tenant.name)"))
  }

  /// Whether an administrator's token is configured.
  package var hasAdministrator: Bool { state.withLock { $0.admin != nil } }

  /// Whether the configuration or the key store has a key of this name, in any case of its letters.
  package func hasKey(named name: String) -> Bool {
    let folded = Name(name.asciiLowercased)
    return state.withLock { $0.names.contains(folded) }
      || store.keys().contains {
        $0.tenant.realm == .ingest && $0.revokedAt == nil && Name($0.name.asciiLowercased) == folded
      }
  }

  /// Whose key it is.
  ///
  /// - Parameter authorization: The `Authorization` header's value, or nil without one.
  package func authenticate(authorization: String?) throws(IngestCredentialError) -> Principal {
    let hash = TokenHash(of: try IngestKeys.token(authorization))
    let (principal, isInactive) = state.withLock { ($0.principals[hash], $0.inactive.contains(hash)) }
    guard !isInactive else { throw .inactive }
    if let principal = principal ?? store.principal(hash, realm: .ingest) { return principal }
    throw store.isInactive(hash, realm: .ingest) ? .inactive : .unknown
  }

  /// Lets the administrator's token in and nothing else.
  package func authenticateAdministrator(authorization: String?) throws(IngestCredentialError) {
    let hash = TokenHash(of: try IngestKeys.token(authorization))
    let (admin, isInactive) = state.withLock { ($0.admin, $0.inactive.contains(hash)) }
    guard !isInactive else { throw .inactive }
    if hash == admin { return }
    _ = try authenticate(authorization: authorization)
    throw .notAdministrator
  }

  /// Whether the token, active or not, is one of this API.
  package func knows(authorization: String?) -> Bool {
    do throws(IngestCredentialError) {
      try authenticateAdministrator(authorization: authorization)
      return true
    } catch {
      return error == .notAdministrator || error == .inactive
    }
  }

  /// The token of `Bearer TOKEN`.
  private static func token(_ authorization: String?) throws(IngestCredentialError) -> String {
    let isSpace: (UInt8) -> Bool = { $0 == UInt8(ascii: " ") }
    let text = (authorization ?? "").utf8.drop(while: isSpace)
    guard text.count <= KeyDirectory.credentialBytesMax else { throw .unknown }
    let scheme = text.prefix { !isSpace($0) }
    let token = text[scheme.endIndex...].drop(while: isSpace)
    guard !token.isEmpty else { throw .missing }
    guard Substring(scheme).asciiLowercased.hasBytes(of: "bearer") else { throw .wrongScheme }
    return String(Substring(token))
  }
}
