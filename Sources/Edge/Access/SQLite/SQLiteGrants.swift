import GRDB
import Records

/// Grants in the control database.
struct SQLiteGrants: GrantRepository {
  let database: ControlDatabase

  /// Rows of a later version's realms and roles open nothing.
  private static func grant(_ row: Row) -> Grant? {
    let (realmName, name): (String, String) = (row["realm"], row["tenant"])
    guard let realm = GrantDirectory.realms.first(where: { $0.name.hasBytes(of: realmName) }),
      Tenant.isValid(name: name), let role = Role(rawValue: row["role"]), Role.ofKeys.contains(role)
    else { return nil }
    return Grant(tenant: Tenant(realm: realm, name: name), role: role)
  }

  static func all(_ database: Database) throws -> [Int64: [Grant]] {
    var grants: [Int64: [Grant]] = [:]
    for row in try Row.fetchAll(database, sql: "SELECT * FROM grants") {
      if let grant = grant(row) { grants[row["userId"], default: []].append(grant) }
    }
    return grants.mapValues { $0.sorted(by: Grant.precedes) }
  }

  private static func grants(of userID: Int64, _ database: Database) throws -> [Grant] {
    try Row.fetchAll(database, sql: "SELECT * FROM grants WHERE userId = ?", arguments: [userID])
      .compactMap(grant).sorted(by: Grant.precedes)
  }

  private static func checkUser(_ id: Int64, _ database: Database) throws {
    let isThere = try Bool.fetchOne(
      database, sql: "SELECT EXISTS (SELECT 1 FROM users WHERE id = ?)", arguments: [id])
    guard isThere == true else { throw AccessError.unknownUser }
  }

  private static func insert(_ grant: Grant, _ userID: Int64, _ database: Database) throws {
    try database.execute(
      sql: """
        INSERT INTO grants (userId, realm, tenant, role) VALUES (?, ?, ?, ?)
        ON CONFLICT (userId, realm, tenant) DO UPDATE SET role = excluded.role
        """,
      arguments: [userID, grant.tenant.realm.name, grant.tenant.name, grant.role.rawValue])
  }

  func set(_ grants: [Grant], of userID: Int64) async throws(AccessError) {
    _ = try await database.change("change the grants") { database -> [Grant] in
      try SQLiteGrants.checkUser(userID, database)
      try database.execute(sql: "DELETE FROM grants WHERE userId = ?", arguments: [userID])
      for grant in grants { try SQLiteGrants.insert(grant, userID, database) }
      return try SQLiteGrants.grants(of: userID, database)
    } telling: { grants in
      [.grants(.changed(userID: userID, grants))]
    }
  }

  func give(_ grant: Grant, to userID: Int64, countMax: Int) async throws(AccessError) {
    _ = try await database.change("give the grant") { database -> [Grant] in
      try SQLiteGrants.checkUser(userID, database)
      try SQLiteGrants.insert(grant, userID, database)
      let grants = try SQLiteGrants.grants(of: userID, database)
      guard grants.count <= countMax else {
        throw AccessError.limitReached("A user has at most \(countMax) grants.")
      }
      return grants
    } telling: { grants in
      [.grants(.changed(userID: userID, grants))]
    }
  }

  func take(_ tenant: Tenant, from userID: Int64) async throws(AccessError) {
    _ = try await database.change("take the grant") { database -> [Grant] in
      try database.execute(
        sql: "DELETE FROM grants WHERE userId = ? AND realm = ? AND tenant = ?",
        arguments: [userID, tenant.realm.name, tenant.name])
      guard database.changesCount == 1 else { throw AccessError.noGrant }
      return try SQLiteGrants.grants(of: userID, database)
    } telling: { grants in
      [.grants(.changed(userID: userID, grants))]
    }
  }
}
