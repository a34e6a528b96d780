import Codecs
import Platform
import Records
import Synchronization

/// Callers of the query-log API: opaque bearer tokens of its own, which are valid nowhere else.
///
/// Kept in memory, and durably in the control plane as SHA-256 only, as those of ``Accounts`` are.
package final class QuerySessions: Sendable {
  /// What the server decides about logins.
  package struct Policy: Sendable {
    /// How long a token holds.
    package var tokenSeconds = 1800
    /// Whether a login needs the password of a user of ``Accounts``. Without it anyone may be anyone.
    package var needsPassword = true
    /// Whether a stream needs a token.
    package var streamsNeedToken: Bool { needsPassword }
    /// Beyond so many the oldest token goes.
    package var tokensMax = 100_000

    /// What holds unless it is configured.
    package init() {}
  }

  /// One tenant for the API: users are kept apart by the column `user_id`.
  package static let tenant = Tenant(realm: .querylog, name: "querylog")
  /// Bytes of a user's id.
  package static let userBytesMax = 512

  /// As configured.
  package let policy: Policy
  private let accounts: Accounts
  private let repository: any QueryTokenRepository
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let state = Mutex(State())

  private struct State {
    var tokens: [TokenHash: QueryTokenRecord] = [:]
    /// Those that the control plane had no room for.
    var unkept = UnkeptTokens<QueryTokenRecord>()
  }

  /// A token that was just made.
  package struct Login: Sendable, Hashable {
    /// 32 random bytes as base64url.
    package let token: String
    /// As ``IssuedToken/isKept``.
    package let isKept: Bool
  }

  /// Loads all tokens.
  ///
  /// - Throws: What the control plane says.
  package init(
    _ plane: any ControlPlane, accounts: Accounts, policy: Policy, clock: any WallClock,
    entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) {
    repository = plane.queryTokens
    self.policy = policy
    self.accounts = accounts
    self.clock = clock
    self.entropy = entropy
    try await plane.changes.observe(.queryTokens) { [weak self] change in
      guard case .queryTokens(let change) = change else { return }
      self?.apply(change)
    }
  }

  private func apply(_ change: QueryTokenChange) {
    state.withLock { state in
      switch change {
      case .all(let records):
        state.tokens = Dictionary(records.map { ($0.hash, $0) }) { first, _ in first }
        // Somebody else changed something: perhaps the password of one of these.
        if policy.needsPassword { state.unkept = UnkeptTokens() }
      case .issued(let token, let ended):
        for hash in ended { state.tokens[hash] = nil }
        state.tokens[token.hash] = token
      case .ended(let id):
        state.tokens = state.tokens.filter { $0.value.userID != id }
        state.unkept.keepOnly { $1.userID != id }
      case .expired(let now): state.tokens = state.tokens.filter { $0.value.isValid(at: now) }
      }
    }
  }

  /// A new token.
  ///
  /// - Throws: `wrongPassword` and `throttled` where the policy asks for passwords; what the control plane
  ///   says.
  package func login(user: String, password: String?, address: String) async throws(AccessError) -> Login {
    let account =
      policy.needsPassword
      ? try await accounts.verify(name: user, password: password ?? "", address: address) : nil
    let text = Base64URL.text(entropy.bytes(32))
    let now = clock.now()
    let token = QueryTokenRecord(
      hash: TokenHash(of: text), user: user, userID: account?.id, issuedAt: now,
      expiresAt: now + Int64(policy.tokenSeconds) * 1_000_000_000)
    // Counted before: one too many for a moment harms nobody.
    let surplus = state.withLock { $0.tokens.count } + 1 - policy.tokensMax
    do throws(AccessError) {
      try await repository.issue(token, password: account?.password, endingOldest: surplus)
    } catch {
      guard error == .diskFull, state.withLock({ $0.unkept.add(token, hash: token.hash) }) else {
        throw error
      }
      return Login(token: text, isKept: false)
    }
    return Login(token: text, isKept: true)
  }

  /// What stands for who tries to log in, in the log.
  package func loggedName(_ user: String) -> String {
    policy.needsPassword ? accounts.loggedName(user) : user
  }

  /// Who has the token; nil: nobody, or no longer. May read and be shown their own records only, unless they
  /// are an administrator.
  package func principal(token text: String) -> Principal? {
    let hash = TokenHash(of: text)
    let now = clock.now()
    let found = state.withLock { state -> QueryTokenRecord? in
      guard let token = state.tokens[hash] ?? state.unkept.tokens[hash] else { return nil }
      if token.isValid(at: now) { return token }
      state.tokens[hash] = nil
      state.unkept.remove(hash)
      return nil
    }
    guard let found else { return nil }
    guard policy.needsPassword else { return QuerySessions.principal(of: found.user, role: .user) }
    // A token that took no password is nobody's. A user who is no longer there, or lost the role, loses it
    // here too.
    guard let user = found.userID.flatMap(accounts.user(id:)) else { return nil }
    return QuerySessions.principal(of: user.name, role: user.role)
  }

  private static func principal(of user: String, role: Role) -> Principal {
    Principal(
      tenant: tenant, subject: user, role: role, credential: KeyDirectory.stableHash("query:\(user)"),
      filter: role == .admin ? .all : .compare(ColumnPath("user_id"), .equal, .string(user)))
  }

  /// Who listens without a token, where that is allowed: sees everybody's records.
  package static let anonymous = Principal(
    tenant: tenant, subject: "anonymous", role: .reader, credential: 0)

  /// Deletes what has expired, and keeps what there was no room for. Call about once a minute.
  package func removeExpiredTokens() async throws(AccessError) {
    let now = clock.now()
    state.withLock { $0.unkept.keepOnly { $1.isValid(at: now) } }
    for (hash, token) in state.withLock({ $0.unkept.tokens }) {
      do throws(AccessError) {
        try await repository.issue(token, password: nil, endingOldest: 0)
      } catch {
        guard error == .wrongPassword else { throw error }
      }
      state.withLock { _ = $0.unkept.remove(hash) }
    }
    try await repository.endExpired(now: now)
  }
}
