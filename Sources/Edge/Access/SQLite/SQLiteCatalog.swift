import GRDB

/// Containers and sessions in the control database.
struct SQLiteCatalog: CatalogRepository {
  let database: ControlDatabase

  func createContainer(
    _ name: String, identity: String, owner: String, at time: Int64
  ) async throws(AccessError) {
    try await database.change("create the container") { database in
      let isThere = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM containers WHERE name = ?)", arguments: [name])
      guard isThere == false else { throw AccessError.containerExists }
      try database.execute(
        sql: """
          INSERT INTO containers (name, identity, ownerId, createdAt)
          SELECT ?, ?, id, ? FROM users WHERE name = ?
          """, arguments: [name, identity, time, owner])
      guard database.changesCount == 1 else { throw AccessError.unknownUser }
    }
  }

  func containers(of owner: String) async throws(AccessError) -> [CatalogEntry] {
    try await database.read("list the containers") { database in
      try Row.fetchAll(
        database,
        sql: """
          SELECT c.name, c.createdAt FROM containers c JOIN users u ON u.id = c.ownerId WHERE u.name = ?
          ORDER BY c.createdAt DESC, c.id DESC
          """, arguments: [owner]
      ).map { CatalogEntry(name: $0["name"], createdAt: $0["createdAt"]) }
    }
  }

  func identities(of userID: Int64) async throws(AccessError) -> [String] {
    try await database.read("list the containers") { database in
      try String.fetchAll(
        database, sql: "SELECT identity FROM containers WHERE ownerId = ?", arguments: [userID])
    }
  }

  func checkContainer(_ name: String, owner: String) async throws(AccessError) {
    _ = try await database.read("find the container") { try SQLiteCatalog.container($0, name, owner) }
  }

  private static func container(_ database: Database, _ name: String, _ owner: String) throws -> Int64 {
    let id = try Int64.fetchOne(
      database,
      sql: "SELECT c.id FROM containers c JOIN users u ON u.id = c.ownerId WHERE c.name = ? AND u.name = ?",
      arguments: [name, owner])
    guard let id else { throw AccessError.noContainer }
    return id
  }

  func createSession(
    _ name: String, in container: String, owner: String, at time: Int64
  ) async throws(AccessError) {
    try await database.change("create the session") { database in
      let id = try SQLiteCatalog.container(database, container, owner)
      let isThere = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM sessions WHERE containerId = ? AND name = ?)",
        arguments: [id, name])
      guard isThere == false else { throw AccessError.sessionExists }
      try database.execute(
        sql: "INSERT INTO sessions (containerId, name, createdAt) VALUES (?, ?, ?)",
        arguments: [id, name, time])
    }
  }

  func sessions(of container: String, owner: String) async throws(AccessError) -> [CatalogEntry] {
    try await database.read("list the sessions") { database in
      let id = try SQLiteCatalog.container(database, container, owner)
      return try Row.fetchAll(
        database,
        sql: "SELECT name, createdAt FROM sessions WHERE containerId = ? ORDER BY createdAt DESC, id DESC",
        arguments: [id]
      ).map { CatalogEntry(name: $0["name"], createdAt: $0["createdAt"]) }
    }
  }

  func session(_ name: String, in container: String) async throws(AccessError) -> SessionRecord? {
    try await database.read("find the session") { database in
      try Row.fetchOne(
        database,
        sql: """
          SELECT s.id, s.isWritten, u.name AS owner, c.identity FROM sessions s
          JOIN containers c ON c.id = s.containerId JOIN users u ON u.id = c.ownerId
          WHERE c.name = ? AND s.name = ?
          """, arguments: [container, name]
      ).map {
        SessionRecord(
          id: $0["id"], container: $0["identity"], owner: $0["owner"], isWritten: $0["isWritten"])
      }
    }
  }

  func markWritten(id: Int64) async throws(AccessError) {
    try await database.change("note that the session has records") { database in
      try database.execute(sql: "UPDATE sessions SET isWritten = 1 WHERE id = ?", arguments: [id])
    }
  }
}
