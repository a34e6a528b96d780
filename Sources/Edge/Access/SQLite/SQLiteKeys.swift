import GRDB
import Records

/// API keys in the control database.
struct SQLiteKeys: KeyRepository {
  let database: ControlDatabase

  /// In the order they were made, revoked ones included.
  static func all(_ database: Database) throws -> [KeyRecord] {
    try Row.fetchAll(database, sql: "SELECT * FROM apiKeys ORDER BY id").compactMap(record)
  }

  /// nil: a row that a later version wrote, or a damaged one; it opens nothing.
  private static func record(_ row: Row) -> KeyRecord? {
    let realmName: String = row["realm"]
    let tenantName: String = row["tenant"]
    guard let realm = KeyStore.realms.first(where: { $0.name == realmName }),
      Tenant.isValid(name: tenantName),
      let role = Role(rawValue: row["role"]), Role.ofKeys(realm).contains(role),
      let hash = TokenHash(row["hash"])
    else { return nil }
    var key = StoredKey(
      name: row["name"], tenant: Tenant(realm: realm, name: tenantName), role: role,
      createdAt: row["createdAt"], revokedAt: row["revokedAt"])
    key.isActive = row["isActive"]
    key.purpose = row["description"]
    return KeyRecord(hash: hash, key: key)
  }

  func create(_ record: KeyRecord) async throws(AccessError) {
    let key = record.key
    let realm = key.tenant.realm
    try await database.change(
      "make the key", telling: [.keys(.created(record))]
    ) { database in
      let names = try String.fetchAll(
        database, sql: "SELECT name FROM apiKeys WHERE realm = ? AND revokedAt IS NULL",
        arguments: [realm.name])
      let fold: (String) -> String = { realm == .ingest ? $0.asciiLowercased : $0 }
      guard !names.contains(where: { fold($0).hasBytes(of: fold(key.name)) }) else {
        throw AccessError.keyExists
      }
      try database.execute(
        sql: """
          INSERT INTO apiKeys (hash, realm, name, tenant, role, createdAt, isActive, description)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          record.hash.text, realm.name, key.name, key.tenant.name, key.role.rawValue, key.createdAt,
          key.isActive, key.purpose,
        ])
    }
  }

  func revoke(name: String, realm: Realm, at time: Int64) async throws(AccessError) {
    _ = try await database.change("revoke the key") { database -> [KeyRecord] in
      try database.execute(
        sql: "UPDATE apiKeys SET revokedAt = ? WHERE realm = ? AND name = ? AND revokedAt IS NULL",
        arguments: [time, realm.name, name])
      guard database.changesCount == 1 else { throw AccessError.unknownKey }
      return try SQLiteKeys.all(database)
    } telling: { keys in
      [.keys(.all(keys))]
    }
  }
}
