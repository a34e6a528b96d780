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

  static func revocations(_ database: Database) throws -> [TokenRevocation] {
    let tokens = try Row.fetchAll(database, sql: "SELECT * FROM auditRevocations").map { row in
      TokenRevocation.token(tenant: row["tenant"], id: row["jti"], until: row["until"])
    }
    let times = try Row.fetchAll(database, sql: "SELECT * FROM auditNotBefore").map { row in
      TokenRevocation.before(tenant: row["tenant"], time: row["time"])
    }
    return tokens + times
  }

  func revoke(_ revocation: TokenRevocation, now: Int64, countMax: Int) async throws(AccessError) {
    try await database.change(
      "revoke the token", telling: [.tenants(.revoked(revocation))]
    ) { database in
      switch revocation {
      case .token(let tenant, let id, let until):
        try database.execute(sql: "DELETE FROM auditRevocations WHERE until <= ?", arguments: [now])
        try database.execute(
          sql: "INSERT OR REPLACE INTO auditRevocations (tenant, jti, until) VALUES (?, ?, ?)",
          arguments: [tenant, id, until])
        let count = try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM auditRevocations WHERE tenant = ?", arguments: [tenant])
        guard count ?? 0 <= countMax else { throw AccessError.overloaded }
      case .before(let tenant, let time):
        try database.execute(
          sql: """
            INSERT INTO auditNotBefore (tenant, time) VALUES (?, ?)
            ON CONFLICT (tenant) DO UPDATE SET time = max(time, excluded.time)
            """, arguments: [tenant, time])
      }
    }
  }

  func replaceSecrets(_ tenants: [AuditTenant]) async throws(AccessError) {
    try await database.change("seal the tenants' secrets") { database in
      for tenant in tenants {
        try database.execute(
          sql: "UPDATE auditTenants SET secret = ? WHERE key = ?", arguments: [tenant.secret, tenant.key])
      }
    }
    try await database.scrub("seal the tenants' secrets")
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
