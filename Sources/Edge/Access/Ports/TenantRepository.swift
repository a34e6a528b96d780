/// What changed among tenants of the audit API.
package enum TenantChange: Sendable {
  /// All there is, in the order they were made: what was told before counts no more.
  case all([AuditTenant], revoked: [TokenRevocation])
  case created(AuditTenant)
  case revoked(TokenRevocation)
}

/// Tokens of an audit tenant that do not hold any more, though their time is not over.
package enum TokenRevocation: Sendable, Hashable {
  /// The token of this `jti`; forgotten at a time when it would not hold anyway (nanoseconds since 1970).
  case token(tenant: String, id: String, until: Int64)
  /// All that were issued before a time, and all that do not say when.
  case before(tenant: String, time: Int64)
}

/// Tenants of the audit API, durably.
package protocol TenantRepository: Sendable {
  /// Keeps a tenant.
  ///
  /// - Throws: `tenantExists`: there is one of the key. `database`, `diskFull`: nothing changed.
  func create(_ tenant: AuditTenant) async throws(AccessError)

  /// Keeps other secrets of tenants that are there, and leaves no trace of those of before where that is in
  /// its hands. Tells nobody: they mean the same.
  ///
  /// - Throws: `database`, `diskFull`.
  func replaceSecrets(_ tenants: [AuditTenant]) async throws(AccessError)

  /// Keeps a revocation. One of a tenant's later times wins; what need not be known any more at `now` goes.
  ///
  /// - Parameter countMax: Of a tenant's single tokens.
  /// - Throws: `overloaded`: so many are revoked. `database`, `diskFull`: nothing changed.
  func revoke(_ revocation: TokenRevocation, now: Int64, countMax: Int) async throws(AccessError)
}
