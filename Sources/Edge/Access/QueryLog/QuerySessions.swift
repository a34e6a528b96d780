import Codecs
import GRDB
import Platform
import Records
import Synchronization

/// Callers of the query-log API: opaque bearer tokens of its own, which are valid nowhere else.
///
/// Kept in memory, and durably in the control database as SHA-256 only, as those of ``Accounts`` are.
package final class QuerySessions: Sendable {
  package struct Policy: Sendable {
    package var tokenSeconds = 1800
    /// Whether a login needs the password of a user of ``Accounts``. Without it anyone may be anyone.
    package var needsPassword = true
    /// Whether a stream needs a token.
    package var streamsNeedToken: Bool { needsPassword }
    /// Beyond so many the oldest token goes.
    package var tokensMax = 100_000

    package init() {}
  }

  private struct Token: Sendable, Expiring {
    let user: String
    let issuedAt: Int64
    let expiresAt: Int64
  }

  /// One tenant for the API: users are kept apart by the column `user_id`.
  package static let tenant = Tenant(realm: .querylog, name: "querylog")
  /// Bytes of a user's id.
  package static let userBytesMax = 512

  package let policy: Policy
  private let accounts: Accounts
  private let database: ControlDatabase
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let tokens = Mutex<[TokenHash: Token]>([:])

  package init(
    database: ControlDatabase, accounts: Accounts, policy: Policy, clock: any WallClock,
    entropy: any EntropySource = SystemEntropy()
  ) throws(AccessError) {
    self.database = database
    self.accounts = accounts
    self.policy = policy
    self.clock = clock
    self.entropy = entropy
    try database.watch { [self] database in
      var loaded: [TokenHash: Token] = [:]
      for row in try Row.fetchAll(database, sql: "SELECT * FROM queryTokens") {
        guard let hash = TokenHash(row["hash"]) else { continue }
        loaded[hash] = Token(user: row["user"], issuedAt: row["issuedAt"], expiresAt: row["expiresAt"])
      }
      tokens.withLock { $0 = loaded }
    }
    if policy.needsPassword {
      accounts.observeCredentials { [weak self] user in
        self?.tokens.withLock { tokens in tokens = tokens.filter { $0.value.user != user } }
      }
    }
  }

  /// A new token.
  ///
  /// - Throws: `wrongPassword` and `throttled` where the policy asks for passwords; what the database says.
  package func login(user: String, password: String?, address: String) async throws(AccessError) -> String {
    if policy.needsPassword {
      _ = try await accounts.verify(name: user, password: password ?? "", address: address)
    }
    let text = Base64URL.text(entropy.bytes(32))
    let hash = TokenHash(of: text)
    let now = clock.now()
    let token = Token(
      user: user, issuedAt: now, expiresAt: now + Int64(policy.tokenSeconds) * 1_000_000_000)
    let most = policy.tokensMax
    // Counted before: one too many for a moment harms nobody.
    let surplus = tokens.withLock { $0.count } + 1 - most
    _ = try await database.change("log in") { database -> [TokenHash] in
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
        sql: "INSERT INTO queryTokens (hash, user, issuedAt, expiresAt) VALUES (?, ?, ?, ?)",
        arguments: [hash.text, user, token.issuedAt, token.expiresAt])
      return gone
    } applied: { [self] gone in
      tokens.withLock { tokens in
        for hash in gone { tokens[hash] = nil }
        tokens[hash] = token
      }
    }
    return text
  }

  /// Who has the token; nil: nobody, or no longer. May read and be shown their own records only, unless they are an administrator.
  package func principal(token text: String) -> Principal? {
    let hash = TokenHash(of: text)
    let now = clock.now()
    let found = tokens.withLock { tokens -> Token? in
      guard let token = tokens[hash] else { return nil }
      if token.isValid(at: now) { return token }
      tokens[hash] = nil
      return nil
    }
    guard let found else { return nil }
    // A user who is no longer there, or lost the role, loses it here too.
    let role = policy.needsPassword ? accounts.role(of: found.user) : .user
    guard let role else { return nil }
    return QuerySessions.principal(of: found.user, role: role)
  }

  private static func principal(of user: String, role: Role) -> Principal {
    Principal(
      tenant: tenant, subject: user, role: role, credential: KeyDirectory.stableHash("query:\(user)"),
      filter: role == .admin ? .all : .compare(ColumnPath("user_id"), .equal, .string(user)))
  }

  /// Who listens without a token, where that is allowed: sees everybody's records.
  package static let anonymous = Principal(
    tenant: tenant, subject: "anonymous", role: .reader, credential: 0)

  /// Deletes what has expired. Call about once a minute.
  package func removeExpiredTokens() async throws(AccessError) {
    let now = clock.now()
    _ = try await database.change("remove expired tokens") { database in
      try database.execute(sql: "DELETE FROM queryTokens WHERE expiresAt <= ?", arguments: [now])
    } applied: { [self] _ in
      tokens.withLock { tokens in tokens = tokens.filter { $0.value.isValid(at: now) } }
    }
  }
}
