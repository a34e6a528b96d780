import Records

/// An API key of the native API as configured.
package struct APIKey: Sendable, Hashable {
  /// Shown in logs and metrics.
  package let name: String
  /// The secret itself.
  package let key: String
  /// Whose records it reads and writes.
  package let tenant: Tenant
  /// What it may do.
  package let role: Role
  /// Whether it has rights over the server besides.
  package let isOperator: Bool

  /// A key as configured.
  package init(name: String, key: String, tenant: Tenant, role: Role, isOperator: Bool = false) {
    self.isOperator = isOperator
    self.name = name
    self.key = key
    self.tenant = tenant
    self.role = role
  }
}

/// Finds the caller behind a bearer token: a key of the configuration or, by its SHA-256, of the
/// ``KeyStore``.
///
/// A dictionary with Swift's per-process random hash seed compares a token byte by byte only once its 64-bit
/// keyed hash has met a stored one, so response times tell nothing about stored keys.
package struct KeyDirectory: Sendable {
  private let principals: [Name: Principal]
  private let configured: [TokenHash: Principal]
  private let open: Principal?
  private let store: KeyStore?

  /// - Parameters:
  ///   - keys: Later entries win over earlier ones with an equal key.
  ///   - openTenant: Requests without a credential act as its administrator until the first key is made; nil
  ///     refuses them.
  ///   - store: Keys made later; a configured one wins.
  package init(keys: [APIKey], openTenant: Tenant?, store: KeyStore? = nil) {
    var principals: [Name: Principal] = [:]
    for key in keys {
      principals[Name(key.key)] = Principal(
        tenant: key.tenant, subject: key.name, role: key.role, credential: KeyDirectory.stableHash(key.key)
      ).operating(key.isOperator)
    }
    self.principals = principals
    configured = Dictionary(uniqueKeysWithValues: principals.map { (TokenHash(of: $0.key.text), $0.value) })
    self.store = store
    self.open = openTenant.map {
      Principal(tenant: $0, subject: "open", role: .admin, credential: 0).operating()
    }
  }

  /// - Parameter authorization: The `Authorization` header's value, or nil without one.
  package func authenticate(authorization: String?) throws(CredentialError) -> Principal {
    guard let authorization else {
      guard let open, store?.hasKeys(.native) != true else { throw .missing }
      return open
    }
    guard let token = KeyDirectory.bearerToken(authorization) else { throw .malformed }
    if let principal = principals[Name(token)] { return principal }
    guard let principal = store?.principal(TokenHash(of: token), realm: .native) else { throw .unknown }
    return principal
  }

  /// Whose the key is whose SHA-256 this is; nil: nobody's, or it holds no longer.
  func principal(_ hash: TokenHash) -> Principal? {
    configured[hash] ?? store?.principal(hash, realm: .native)
  }

  /// Bytes of a credential. Longer ones are none of ours, and no more of them is looked at.
  package static let credentialBytesMax = 8 << 10

  /// The token of `Bearer TOKEN`, or nil for anything else.
  package static func bearerToken(_ value: String) -> String? {
    let scheme = "bearer "
    guard value.utf8.count > scheme.utf8.count,
      zip(value.utf8, scheme.utf8).allSatisfy({ $0 | 0x20 == $1 | 0x20 })
    else { return nil }
    // What is too long stays too long, and is nobody's.
    let token = value.utf8.dropFirst(scheme.utf8.count).drop { $0 == UInt8(ascii: " ") }
      .prefix(KeyDirectory.credentialBytesMax + 1)
    return token.isEmpty ? nil : String(Substring(token))
  }

  /// FNV-1a: equal from run to run, since idempotency entries outlive the process. Not a secret's protection:
  /// it never leaves the journal's frames.
  static func stableHash(_ text: String) -> UInt64 {
    text.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
  }
}
