import GRDB

/// Tenants of the audit API in the control database.
struct SQLiteTenants: TenantRepository {
  let database: ControlDatabase

  /// In the order they were made.
  static func all(_ database: Database) throws -> [AuditTenant] {
    try Row.fetchAll(database, sql: "SELECT * FROM auditTenants ORDER BY id").map { row in
      AuditTenant(name: row["name"], key: row["key"], secret: row["secret"], createdAt: row["createdAt"])
    }
  }

  func create(_ tenant: AuditTenant) async throws(AccessError) {
    try await database.change(
      "make the tenant", telling: [.tenants(.created(tenant))]
    ) { database in
      let isThere = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM auditTenants WHERE key = ?)", arguments: [tenant.key])
      guard isThere == false else { throw AccessError.tenantExists }
      try database.execute(
        sql: "INSERT INTO auditTenants (key, name, secret, createdAt) VALUES (?, ?, ?, ?)",
        arguments: [tenant.key, tenant.name, tenant.secret, tenant.createdAt])
    }
  }
}
