/// What changed among tenants of the audit API.
package enum TenantChange: Sendable {
  /// All there is, in the order they were made: what was told before counts no more.
  case all([AuditTenant])
  case created(AuditTenant)
}

/// Tenants of the audit API, durably.
package protocol TenantRepository: Sendable {
  /// Keeps a tenant.
  ///
  /// - Throws: `tenantExists`: there is one of the key. `database`, `diskFull`: nothing changed.
  func create(_ tenant: AuditTenant) async throws(AccessError)
}
