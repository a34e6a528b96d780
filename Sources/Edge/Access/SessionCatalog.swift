import GRDB
import Platform
import Records
import Synchronization

/// A container or a session in a listing.
package struct CatalogEntry: Sendable, Hashable {
  package let name: String
  /// Nanoseconds since 1970.
  package let createdAt: Int64
}

/// Containers and sessions of the sessions API, and whose they are. Names of containers are global; a session's name
/// is its own within its container.
///
/// Sessions that were used lately are kept in memory, so that a write costs no look-up in the database.
package final class SessionCatalog: Sendable {
  /// A session's place: container and name.
  private struct Key: Hashable {
    var container: String
    var session: String
  }

  private struct Known {
    var owner: String
    var id: Int64
    var isWritten: Bool
  }

  /// A session that exists and belongs to who asks.
  package struct Session: Sendable, Hashable {
    package let container: String
    package let name: String
    /// Whether records were ever written to it.
    package let isWritten: Bool
    let id: Int64
  }

  package static let nameBytesMax = 128
  /// Beyond so many the memory starts anew.
  private static let knownMax = 65_536

  private let database: ControlDatabase
  private let clock: any WallClock
  private let known = Mutex<[Key: Known]>([:])

  package init(database: ControlDatabase, clock: any WallClock) throws(AccessError) {
    self.database = database
    self.clock = clock
    // Another process may have given containers to another user.
    try database.watch { [self] _ in known.withLock { $0 = [:] } }
  }

  /// ASCII letters, digits, `-` and `_`, at least one letter or digit, at most 128.
  package static func isValid(name: String) -> Bool {
    var hasLetter = false
    for byte in name.utf8 {
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "a")...UInt8(ascii: "z"):
        hasLetter = true
      case UInt8(ascii: "-"), UInt8(ascii: "_"): break
      default: return false
      }
    }
    return hasLetter && name.utf8.count <= nameBytesMax
  }

  /// - Parameter name: Valid.
  package func createContainer(_ name: String, owner: String) async throws(AccessError) {
    let now = clock.now()
    _ = try await database.change("create the container") { database in
      let isThere = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM containers WHERE name = ?)", arguments: [name])
      guard isThere == false else { throw AccessError.containerExists }
      try database.execute(
        sql: "INSERT INTO containers (name, ownerId, createdAt) SELECT ?, id, ? FROM users WHERE name = ?",
        arguments: [name, now, owner])
      guard database.changesCount == 1 else { throw AccessError.unknownUser }
    }
  }

  /// The user's own, newest first.
  package func containers(of owner: String) async throws(AccessError) -> [CatalogEntry] {
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

  /// - Throws: `noContainer` unless the container is there and the user's own.
  package func checkContainer(_ name: String, owner: String) async throws(AccessError) {
    _ = try await database.read("find the container") { try SessionCatalog.container($0, name, owner) }
  }

  private static func container(_ database: Database, _ name: String, _ owner: String) throws -> Int64 {
    // Also because SQLite compares text with a NUL only up to it.
    guard isValid(name: name) else { throw AccessError.noContainer }
    let id = try Int64.fetchOne(
      database,
      sql: "SELECT c.id FROM containers c JOIN users u ON u.id = c.ownerId WHERE c.name = ? AND u.name = ?",
      arguments: [name, owner])
    guard let id else { throw AccessError.noContainer }
    return id
  }

  /// - Parameter name: Valid.
  package func createSession(_ name: String, in container: String, owner: String) async throws(AccessError) {
    let now = clock.now()
    _ = try await database.change("create the session") { database in
      let id = try SessionCatalog.container(database, container, owner)
      let isThere = try Bool.fetchOne(
        database, sql: "SELECT EXISTS (SELECT 1 FROM sessions WHERE containerId = ? AND name = ?)",
        arguments: [id, name])
      guard isThere == false else { throw AccessError.sessionExists }
      try database.execute(
        sql: "INSERT INTO sessions (containerId, name, createdAt) VALUES (?, ?, ?)",
        arguments: [id, name, now])
    }
  }

  /// Newest first.
  package func sessions(of container: String, owner: String) async throws(AccessError) -> [CatalogEntry] {
    try await database.read("list the sessions") { database in
      let id = try SessionCatalog.container(database, container, owner)
      return try Row.fetchAll(
        database,
        sql: "SELECT name, createdAt FROM sessions WHERE containerId = ? ORDER BY createdAt DESC, id DESC",
        arguments: [id]
      ).map { CatalogEntry(name: $0["name"], createdAt: $0["createdAt"]) }
    }
  }

  /// - Throws: `noSession` unless the session is there and in a container of the user's own.
  package func session(_ name: String, in container: String, owner: String) async throws(AccessError)
    -> Session
  {
    guard SessionCatalog.isValid(name: container), SessionCatalog.isValid(name: name) else {
      throw .noSession
    }
    let key = Key(container: container, session: name)
    if let found = known.withLock({ $0[key] }) {
      guard found.owner == owner else { throw .noSession }
      return Session(container: container, name: name, isWritten: found.isWritten, id: found.id)
    }
    // On the writer's turn, so that no change comes between the look and the memory of it.
    let found = try await database.change("find the session") { database -> Known? in
      try Row.fetchOne(
        database,
        sql: """
          SELECT s.id, s.isWritten, u.name FROM sessions s JOIN containers c ON c.id = s.containerId
          JOIN users u ON u.id = c.ownerId WHERE c.name = ? AND s.name = ?
          """, arguments: [container, name]
      ).map { Known(owner: $0["name"], id: $0["id"], isWritten: $0["isWritten"]) }
    } applied: { [self] found in
      guard let found else { return }
      known.withLock { known in
        if known.count >= SessionCatalog.knownMax { known = [:] }
        known[key] = found
      }
    }
    guard let found, found.owner == owner else { throw .noSession }
    return Session(container: container, name: name, isWritten: found.isWritten, id: found.id)
  }

  /// Notes for good that records were written to the session. Costs nothing from the second time on.
  package func markWritten(_ session: Session) async throws(AccessError) {
    guard !session.isWritten else { return }
    let key = Key(container: session.container, session: session.name)
    if known.withLock({ $0[key]?.isWritten }) == true { return }
    _ = try await database.change("note that the session has records") { database in
      try database.execute(sql: "UPDATE sessions SET isWritten = 1 WHERE id = ?", arguments: [session.id])
    } applied: { [self] _ in
      known.withLock { $0[key]?.isWritten = true }
    }
  }
}
