import Codecs
import Forwarding
import GRDB
import Records

/// Cursors and dead letters of forwarders.
struct SQLiteForwarding: ForwardingState {
  let database: ControlDatabase

  func open(_ forwarder: String) async throws(ForwardingStateError) -> SavedForwarder {
    try await change("open the forwarder") { database in
      try database.execute(sql: "INSERT OR IGNORE INTO forwarders (name) VALUES (?)", arguments: [forwarder])
      let isNew = database.changesCount > 0
      let rows = try Row.fetchAll(
        database, sql: "SELECT * FROM forwardingCursors WHERE forwarder = ?", arguments: [forwarder])
      return SavedForwarder(
        isNew: isNew, cursors: rows.compactMap { SQLiteForwarding.cursor($0) },
        deadLetters: try SQLiteForwarding.counts(database, forwarder))
    }
  }

  func save(
    _ change: ForwardingChange, of forwarder: String
  ) async throws(ForwardingStateError) -> DeadLetterCounts {
    try await self.change("save the forwarder") { database in
      for cursor in change.cursors { try SQLiteForwarding.save(cursor, forwarder, database) }
      for letter in change.letters { try SQLiteForwarding.save(letter, forwarder, database) }
      var dropped = 0
      for tenant in Set(change.letters.map(\.tenant)) {
        try database.execute(
          sql: """
            DELETE FROM deadLetters WHERE number IN (
              SELECT number FROM deadLetters WHERE forwarder = ? AND realm = ? AND tenant = ?
              ORDER BY number DESC LIMIT -1 OFFSET ?)
            """,
          arguments: [forwarder, tenant.realm.name, tenant.name, change.lettersPerTenantMax])
        dropped += database.changesCount
      }
      return DeadLetterCounts(
        byTenant: try SQLiteForwarding.counts(database, forwarder), droppedCount: dropped)
    }
  }

  func deadLetters(
    of forwarder: String, tenant: Tenant?, after: Int64, limit: Int
  ) async throws(ForwardingStateError) -> [DeadLetter] {
    try await read { database in
      var sql = "SELECT * FROM deadLetters WHERE forwarder = ? AND number > ?"
      var arguments: StatementArguments = [forwarder, after]
      if let tenant {
        sql += " AND realm = ? AND tenant = ?"
        arguments += [tenant.realm.name, tenant.name]
      }
      arguments += [limit]
      return try Row.fetchAll(database, sql: sql + " ORDER BY number LIMIT ?", arguments: arguments)
        .compactMap { SQLiteForwarding.letter($0) }
    }
  }

  func deadLetters(
    of forwarder: String, numbers: [Int64]
  ) async throws(ForwardingStateError) -> [DeadLetter] {
    try await read { database in
      let statement = try database.makeStatement(
        sql: "SELECT * FROM deadLetters WHERE forwarder = ? AND number = ?")
      return try Set(numbers).sorted().compactMap { number in
        try Row.fetchOne(statement, arguments: [forwarder, number]).flatMap { SQLiteForwarding.letter($0) }
      }
    }
  }

  func drop(
    _ numbers: [Int64], of forwarder: String
  ) async throws(ForwardingStateError) -> DeadLetterCounts {
    try await change("drop dead letters") { database in
      let statement = try database.makeStatement(
        sql: "DELETE FROM deadLetters WHERE forwarder = ? AND number = ?")
      for number in numbers { try statement.execute(arguments: [forwarder, number]) }
      return DeadLetterCounts(byTenant: try SQLiteForwarding.counts(database, forwarder))
    }
  }

  // MARK: Rows

  private static func tenant(_ row: Row) -> Tenant? {
    let realmName: String = row["realm"]
    let name: String = row["tenant"]
    // A row that a later version wrote, or a damaged one, is nobody's.
    guard let realm = Registry.standard.realm(named: realmName), Tenant.isValid(name: name) else {
      return nil
    }
    return Tenant(realm: realm, name: name)
  }

  private static func counts(_ database: Database, _ forwarder: String) throws -> [Tenant: Int] {
    let rows = try Row.fetchAll(
      database,
      sql:
        "SELECT realm, tenant, COUNT(*) AS count FROM deadLetters WHERE forwarder = ? GROUP BY realm, tenant",
      arguments: [forwarder])
    var counts: [Tenant: Int] = [:]
    for row in rows { if let tenant = tenant(row) { counts[tenant] = row["count"] } }
    return counts
  }

  private static func cursor(_ row: Row) -> SavedCursor? {
    tenant(row).map { tenant in
      SavedCursor(
        tenant: tenant, position: row["position"],
        backlog: SavedBacklog(
          bytes: row["bytes"], countedEnd: row["countedEnd"], recordBytesMean: row["recordBytesMean"],
          oldestAt: row["oldestAt"]))
    }
  }

  private static func save(_ cursor: SavedCursor, _ forwarder: String, _ database: Database) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT OR REPLACE INTO forwardingCursors
          (forwarder, realm, tenant, position, bytes, countedEnd, recordBytesMean, oldestAt)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """)
    try statement.execute(arguments: [
      forwarder, cursor.tenant.realm.name, cursor.tenant.name, cursor.position, cursor.backlog.bytes,
      cursor.backlog.countedEnd, cursor.backlog.recordBytesMean, cursor.backlog.oldestAt,
    ])
  }

  private static func letter(_ row: Row) -> DeadLetter? {
    guard let tenant = tenant(row) else { return nil }
    return DeadLetter(
      number: row["number"], tenant: tenant, position: row["position"], id: Hex.bytes(row["recordID"]) ?? [],
      timestamp: row["timestamp"], ingestedAt: row["ingestedAt"], refusedAt: row["refusedAt"],
      reason: RefusalReason(rawValue: row["reason"]) ?? .other, status: row["status"],
      attempts: row["attempts"], entry: Array((row["entry"] as String).utf8))
  }

  private static func save(_ letter: DeadLetter, _ forwarder: String, _ database: Database) throws {
    let statement = try database.cachedStatement(
      sql: """
        INSERT INTO deadLetters (forwarder, realm, tenant, position, recordID, timestamp, ingestedAt, refusedAt,
          reason, status, attempts, entry)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (forwarder, realm, tenant, position) DO UPDATE SET recordID = excluded.recordID,
          timestamp = excluded.timestamp, ingestedAt = excluded.ingestedAt, refusedAt = excluded.refusedAt,
          reason = excluded.reason, status = excluded.status, attempts = excluded.attempts, entry = excluded.entry
        """)
    try statement.execute(arguments: [
      forwarder, letter.tenant.realm.name, letter.tenant.name, letter.position,
      Hex.text(letter.id), letter.timestamp, letter.ingestedAt, letter.refusedAt, letter.reason.rawValue,
      letter.status, letter.attempts,
      String(decoding: letter.entry, as: UTF8.self),
    ])
  }

  // MARK: Errors

  private func change<Value: Sendable>(
    _ doing: String, _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(ForwardingStateError) -> Value {
    do throws(AccessError) { return try await database.change(doing, body) } catch {
      throw SQLiteForwarding.failure(error)
    }
  }

  private func read<Value: Sendable>(
    _ body: @escaping @Sendable (Database) throws -> Value
  ) async throws(ForwardingStateError) -> Value {
    do throws(AccessError) { return try await database.read("read dead letters", body) } catch {
      throw SQLiteForwarding.failure(error)
    }
  }

  private static func failure(_ error: AccessError) -> ForwardingStateError {
    switch error {
    case .database(let reason): .unavailable(reason)
    case .diskFull: .unavailable("no room on the disk for the control database")
    default: .unavailable("the control database failed")
    }
  }
}
