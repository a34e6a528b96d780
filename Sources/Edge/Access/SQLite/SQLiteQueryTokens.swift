import GRDB
import Records

/// Tokens of the query-log API in the control database.
struct SQLiteQueryTokens: QueryTokenRepository {
  let database: ControlDatabase

  static func all(_ database: Database) throws -> [QueryTokenRecord] {
    try Row.fetchAll(database, sql: "SELECT * FROM queryTokens").compactMap { row in
      TokenHash(row["hash"]).map {
        QueryTokenRecord(
          hash: $0, user: row["user"], userID: row["userId"], issuedAt: row["issuedAt"],
          expiresAt: row["expiresAt"])
      }
    }
  }

  func issue(
    _ token: QueryTokenRecord, password: String?, endingOldest surplus: Int
  ) async throws(AccessError) {
    _ = try await database.change("log in") { database -> [TokenHash] in
      if let id = token.userID {
        let current = try String.fetchOne(
          database, sql: "SELECT password FROM users WHERE id = ?", arguments: [id])
        guard let current, password?.hasBytes(of: current) ?? true else { throw AccessError.wrongPassword }
      }
      var gone: [TokenHash] = []
      if surplus > 0 {
        let texts = try String.fetchAll(
          database, sql: "SELECT hash FROM queryTokens ORDER BY issuedAt LIMIT ?", arguments: [surplus])
        for text in texts {
          try database.execute(sql: "DELETE FROM queryTokens WHERE hash = ?", arguments: [text])
        }
        gone = texts.compactMap { TokenHash($0) }
      }
      try database.execute(
        sql: "INSERT INTO queryTokens (hash, user, userId, issuedAt, expiresAt) VALUES (?, ?, ?, ?, ?)",
        arguments: [token.hash.text, token.user, token.userID, token.issuedAt, token.expiresAt])
      return gone
    } telling: { gone in
      [.queryTokens(.issued(token, ended: gone))]
    }
  }

  func endExpired(now: Int64) async throws(AccessError) {
    try await database.change(
      "remove expired tokens", telling: [.queryTokens(.expired(now: now))]
    ) { database in
      try database.execute(sql: "DELETE FROM queryTokens WHERE expiresAt <= ?", arguments: [now])
    }
  }
}
