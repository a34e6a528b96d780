import GRDB
import Records

/// Users and their tokens in the control database.
struct SQLiteAccounts: AccountRepository {
  let database: ControlDatabase

  static func all(_ database: Database) throws -> AccountChange {
    let users = try Row.fetchAll(database, sql: "SELECT * FROM users").map { row in
      // A role of a later version reads.
      UserRecord(
        id: row["id"], name: row["name"], role: Role(rawValue: row["role"]) ?? .reader,
        password: row["password"], hasDefaultPassword: row["hasDefaultPassword"], createdAt: row["createdAt"])
    }
    let tokens = try Row.fetchAll(database, sql: "SELECT * FROM tokens").compactMap { row in
      TokenHash(row["hash"]).map {
        TokenRecord(
          hash: $0, userID: row["userId"], issuedAt: row["issuedAt"], expiresAt: row["expiresAt"])
      }
    }
    return .all(users: users, tokens: tokens)
  }

  func createUser(
    name: String, looks: String, role: Role, password: String, hasDefaultPassword: Bool, createdAt: Int64
  ) async throws(AccessError) -> UserRecord {
    try await database.change("create the user") { database -> UserRecord in
      let isThere = try database.cachedStatement(
        sql: "SELECT EXISTS (SELECT 1 FROM users WHERE name = ? OR looks = ?)")
      guard try Bool.fetchOne(isThere, arguments: [name, looks]) == false else {
        throw AccessError.userExists
      }
      try database.cachedStatement(
        sql: """
          INSERT INTO users (name, looks, password, role, hasDefaultPassword, createdAt)
          VALUES (?, ?, ?, ?, ?, ?)
          """
      ).execute(arguments: [name, looks, password, role.rawValue, hasDefaultPassword, createdAt])
      return UserRecord(
        id: database.lastInsertedRowID, name: name, role: role, password: password,
        hasDefaultPassword: hasDefaultPassword, createdAt: createdAt)
    } telling: { user in
      [.accounts(.userCreated(user))]
    }
  }

  func setPassword(
    _ password: String, of user: UserRecord, keeping kept: TokenHash?
  ) async throws(AccessError) {
    try await database.change(
      "change the password",
      telling: [
        .queryTokens(.ended(userID: user.id)),
        .accounts(.passwordChanged(user.with(password: password), kept: kept)),
      ]
    ) { database in
      try database.execute(
        sql: "UPDATE users SET password = ?, hasDefaultPassword = 0 WHERE id = ?",
        arguments: [password, user.id])
      guard database.changesCount == 1 else { throw AccessError.unknownUser }
      try database.execute(
        sql: "DELETE FROM tokens WHERE userId = ? AND hash <> ?", arguments: [user.id, kept?.text ?? ""])
      try database.execute(sql: "DELETE FROM queryTokens WHERE userId = ?", arguments: [user.id])
    }
  }

  func removeUser(_ user: UserRecord, heir: UserRecord?) async throws(AccessError) {
    try await database.change(
      "remove the user",
      telling: [
        .queryTokens(.ended(userID: user.id)), .grants(.changed(userID: user.id, [])),
        .accounts(.userRemoved(id: user.id)), .catalog,
      ]
    ) { database in
      let owned =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM containers WHERE ownerId = ?", arguments: [user.id]) ?? 0
      if owned > 0 {
        guard let heir, heir.id != user.id else { throw AccessError.ownsContainers(owned) }
        try database.execute(
          sql: "UPDATE containers SET ownerId = ? WHERE ownerId = ?", arguments: [heir.id, user.id])
      }
      try database.execute(sql: "DELETE FROM users WHERE id = ?", arguments: [user.id])
      try database.execute(sql: "DELETE FROM queryTokens WHERE userId = ?", arguments: [user.id])
      try database.execute(sql: "DELETE FROM views WHERE userId = ?", arguments: [user.id])
      let administrators =
        try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM users WHERE role = 'admin'") ?? 0
      guard administrators > 0 else { throw AccessError.lastAdministrator }
    }
  }

  func issue(
    _ token: TokenRecord, password: String, replacing old: TokenHash?, tokensMax: Int
  ) async throws(AccessError) {
    _ = try await database.change("log in") { database -> [TokenHash] in
      let find = try database.cachedStatement(sql: "SELECT password FROM users WHERE id = ?")
      let current = try String.fetchOne(find, arguments: [token.userID])
      guard current?.hasBytes(of: password) == true else { throw AccessError.wrongPassword }
      let delete = try database.cachedStatement(sql: "DELETE FROM tokens WHERE hash = ?")
      if let old {
        try delete.execute(arguments: [old.text])
        guard database.changesCount == 1 else { throw AccessError.unknownUser }
      }
      try database.cachedStatement(
        sql: "INSERT INTO tokens (hash, userId, issuedAt, expiresAt) VALUES (?, ?, ?, ?)"
      ).execute(arguments: [token.hash.text, token.userID, token.issuedAt, token.expiresAt])
      let surplus = try SQLiteAccounts.surplus(beside: token, tokensMax: tokensMax, database)
      for text in surplus { try delete.execute(arguments: [text]) }
      return surplus.compactMap { TokenHash($0) } + (old.map { [$0] } ?? [])
    } telling: { gone in
      [.accounts(.tokenIssued(token, ended: gone))]
    }
  }

  /// The oldest of the user's tokens beyond so many. The new one is none of them, however far ahead the clock
  /// was when the others were made. Both questions are answered by the index alone.
  private static func surplus(
    beside token: TokenRecord, tokensMax: Int, _ database: Database
  ) throws -> [String] {
    let count = try database.cachedStatement(sql: "SELECT COUNT(*) FROM tokens WHERE userId = ?")
    let beyond = (try Int.fetchOne(count, arguments: [token.userID]) ?? 0) - tokensMax
    guard beyond > 0 else { return [] }
    let oldest = try database.cachedStatement(
      sql: "SELECT hash FROM tokens WHERE userId = ? AND hash <> ? ORDER BY issuedAt, hash LIMIT ?")
    return try String.fetchAll(oldest, arguments: [token.userID, token.hash.text, beyond])
  }

  func end(_ token: TokenHash) async throws(AccessError) {
    try await database.change(
      "log out", telling: [.accounts(.tokensEnded([token]))]
    ) { database in
      try database.execute(sql: "DELETE FROM tokens WHERE hash = ?", arguments: [token.text])
    }
  }

  func endExpired(_ tokens: [TokenHash], now: Int64) async throws(AccessError) {
    try await database.change(
      "remove expired tokens", telling: [.accounts(.tokensEnded(tokens))]
    ) { database in
      for hash in tokens {
        try database.execute(sql: "DELETE FROM tokens WHERE hash = ?", arguments: [hash.text])
      }
      try database.execute(sql: "DELETE FROM tokens WHERE expiresAt <= ?", arguments: [now])
    }
  }
}
