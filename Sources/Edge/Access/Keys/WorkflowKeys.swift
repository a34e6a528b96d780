import Records

/// Callers of the workflow API: API keys of the configuration and of the ``KeyStore``.
package final class WorkflowKeys: Sendable {
  /// By SHA-256: a look-up takes as long for a key that is nearly right as for any other.
  private let configured: [TokenHash: Principal]
  private let store: KeyStore

  /// - Parameters:
  ///   - configured: Clients by their keys. Each client is a tenant of the realm `workflow`.
  ///   - store: Keys made later; a configured one wins.
  package init(configured: [String: Tenant], store: KeyStore) {
    var principals: [TokenHash: Principal] = [:]
    for (key, client) in configured {
      invariant(client.realm == .workflow, "clients are tenants of their own realm")
      principals[TokenHash(of: key)] = Principal(
        tenant: client, subject: client.name, role: .user, credential: WorkflowKeys.scope(of: client))
    }
    self.configured = principals
    self.store = store
  }

  /// The key that a request shows: the one of the two that is known, the header's first; else what the header
  /// says, else the bearer's token.
  ///
  /// - Parameters:
  ///   - header: The value of the header field for keys, or nil without one.
  ///   - authorization: The `Authorization` header's value, or nil without one.
  package func shown(header: String?, authorization: String?) -> (key: String?, isKnown: Bool) {
    if let header, isKnown(header) { return (header, true) }
    let bearer = authorization.flatMap(KeyDirectory.bearerToken)
    if let bearer, isKnown(bearer) { return (bearer, true) }
    return (header ?? bearer, false)
  }

  /// - Parameter key: The key as the request shows it, or nil without one.
  package func authenticate(key: String?) throws(CredentialError) -> Principal {
    guard let key, !key.isEmpty else { throw .missing }
    guard key.utf8.count <= KeyDirectory.credentialBytesMax else { throw .unknown }
    guard let principal = find(key) else { throw .unknown }
    return principal
  }

  /// Whether ``authenticate(key:)`` would let it in.
  package func isKnown(_ key: String) -> Bool { find(key) != nil }

  private func find(_ key: String) -> Principal? {
    let hash = TokenHash(of: key)
    return configured[hash] ?? store.principal(hash, realm: .workflow)
  }

  /// One scope of idempotency keys for all keys of a client: a retry may come with a new key.
  static func scope(of client: Tenant) -> UInt64 { KeyDirectory.stableHash("workflow:\(client.name)") }
}
