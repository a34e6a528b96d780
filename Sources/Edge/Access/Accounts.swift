import Codecs
import Crypto
import Platform
import Records
import Synchronization

/// A user as listings show it.
package struct User: Sendable, Hashable {
  /// Not longer than 255 bytes, without control characters.
  package let name: String
  /// What the user may do.
  package let role: Role
  /// Nanoseconds since 1970.
  package let createdAt: Int64
}

/// A token that was just made: shown once, kept nowhere but with the client.
package struct IssuedToken: Sendable, Hashable {
  /// 32 random bytes as base64url.
  package let token: String
  /// Whose it is.
  package let user: String
  /// Whether it is durable; if not, the disk had no room, and it holds until the server stops, unless there
  /// is room before.
  package let isKept: Bool
}

/// Users and their tokens: logins with passwords, then with opaque bearer tokens.
///
/// Users and tokens are kept in memory, so that a token costs one SHA-256 and one look-up; the control plane
/// holds them durably, tokens as SHA-256 only, and tells their changes.
package final class Accounts: Sendable {
  /// What the server decides about users and tokens.
  package struct Policy: Sendable {
    /// How long a token holds.
    package var tokenSeconds = 24 * 3600
    /// Which passwords may be chosen.
    package var rules = PasswordRules(isStrict: true)
    /// Beyond so many the user's oldest token goes.
    package var tokensPerUserMax = 1_000

    /// What holds unless it is configured.
    package init() {}
  }

  let repository: any AccountRepository
  let changes: any ControlChanges
  let state = Mutex(AccountState())
  let policy: Policy
  let clock: any WallClock
  let checker: PasswordChecker
  let throttle: LoginThrottle
  private let entropy: any EntropySource
  let tenant: Tenant
  private let nameKey = SymmetricKey(size: .bits256)

  /// Loads all users and tokens.
  ///
  /// - Parameter tenant: Whose records the users read and write.
  /// - Throws: What the control plane says.
  package init(
    _ plane: any ControlPlane, tenant: Tenant, policy: Policy, checker: PasswordChecker,
    clock: any WallClock, entropy: any EntropySource = SystemEntropy()
  ) async throws(AccessError) {
    repository = plane.accounts
    changes = plane.changes
    self.tenant = tenant
    self.policy = policy
    self.checker = checker
    self.clock = clock
    self.entropy = entropy
    throttle = LoginThrottle(clock: clock)
    try await changes.observe(.accounts) { [weak self] change in
      guard case .accounts(let change) = change else { return }
      self?.state.withLock { $0.apply(change) }
    }
  }

  /// Whose token it is. One SHA-256 and one look-up; any thread.
  ///
  /// - Parameter authorization: The `Authorization` header's value, or nil without one.
  package func authenticate(authorization: String?) throws(CredentialError) -> Principal {
    guard let authorization else { throw .missing }
    guard let hash = Accounts.tokenHash(authorization) else { throw .malformed }
    guard let account = lookUp(hash)?.account else { throw .unknown }
    return Principal(
      tenant: tenant, subject: account.name, role: account.role,
      credential: KeyDirectory.stableHash("user:\(account.id)"))
  }

  func lookUp(_ hash: TokenHash) -> (account: AccountState.Account, token: TokenRecord)? {
    let now = clock.now()
    return state.withLock { state in
      guard let token = state.tokens[hash] ?? state.unkept.tokens[hash]?.record else { return nil }
      guard token.isValid(at: now) else {
        // Gone for good: a clock that is set back must not bring it to life again.
        state.tokens[hash] = nil
        state.unkept.remove(hash)
        return nil
      }
      return state.users[token.userID].map { ($0, token) }
    }
  }

  /// Checks a password and makes a token.
  ///
  /// - Parameter address: Of the client, for the bound on failures.
  /// - Throws: `wrongPassword`, `throttled`, `overloaded`, or what the control plane says.
  package func login(name: String, password: String, address: String) async throws(AccessError) -> IssuedToken
  {
    try await issue(for: try await check(name: name, password: password, address: address), instead: nil)
  }

  /// Checks a password, and makes nothing of it. Throws as ``login(name:password:address:)``.
  func verify(name: String, password: String, address: String) async throws(AccessError) -> UserRecord {
    try await check(name: name, password: password, address: address).record
  }

  /// A user by id; nil: there is none any more.
  func user(id: Int64) -> UserRecord? { state.withLock { $0.users[id]?.record } }

  /// - Parameter isLetIn: Whether a token of the user's came along: then nobody without one goes first.
  func check(
    name: String, password: String, address: String, isLetIn: Bool = false
  ) async throws(AccessError) -> AccountState.Account {
    guard name.utf8.count <= ShownName.bytesMax else { throw .wrongPassword }
    let origin = LoginOrigin(user: name, address: address)
    try throttle.check(origin)
    // `cordwood users` may have made the user a moment ago.
    try await changes.catchUp()
    let account = state.withLock { $0.user(named: name) }
    let isRight: Bool
    do throws(AccessError) {
      // Once more when its turn has come: of many tries at one time those behind the tenth failure cost
      // nothing.
      isRight = try await checker.matches(
        password, account?.password, of: origin.network, isLetIn ? .known : throttle.standing(origin)
      ) { [throttle] () throws(AccessError) in try throttle.check(origin) }
    } catch {
      // Who floods the queue has tried.
      if error == .overloaded { throttle.failed(origin) }
      throw error
    }
    // And once more: those that were under way beside the tenth must not count either.
    try throttle.check(origin)
    guard isRight, let account else {
      throttle.failed(origin)
      throw .wrongPassword
    }
    throttle.succeeded(origin)
    return account
  }

  /// What stands for a name that somebody tried to log in with in the log: the name of a user; of others
  /// nothing that could be read, as people type passwords there. Equal names are told as equal until a
  /// restart.
  package func loggedName(_ name: String) -> String {
    guard name.utf8.count <= ShownName.bytesMax else { return "unknown" }
    if state.withLock({ $0.user(named: name) }) != nil { return name }
    var mac = HMAC<SHA256>(key: nameKey)
    mac.update(data: Array(name.utf8))
    return "unknown-" + Hex.text(Array(mac.finalize().prefix(6)))
  }

  /// A new token for the old one, which dies.
  ///
  /// - Throws: `unknownUser`: it does not hold. What the control plane says.
  package func refresh(authorization: String?) async throws(AccessError) -> IssuedToken {
    guard let hash = Accounts.tokenHash(authorization), let account = lookUp(hash)?.account else {
      throw .unknownUser
    }
    return try await issue(for: account, instead: hash)
  }

  /// Kills the token. Other tokens of the user live on.
  package func logout(authorization: String?) async throws(AccessError) {
    if let hash = Accounts.tokenHash(authorization) { try await end(hash) }
  }

  /// Kills a token.
  func end(_ hash: TokenHash) async throws(AccessError) {
    if state.withLock({ $0.unkept.remove(hash) }) != nil { return }
    try await repository.end(hash)
  }

  static func tokenHash(_ authorization: String?) -> TokenHash? {
    // One word.
    let token = authorization.flatMap { KeyDirectory.bearerToken(String($0.trimmed)) }
    guard let token, !token.utf8.contains(UInt8(ascii: " ")) else { return nil }
    return TokenHash(of: token)
  }

  /// Makes a token.
  ///
  /// - Parameter use: What it opens.
  func issue(
    for account: AccountState.Account, instead old: TokenHash?, use: TokenUse = .bearer
  ) async throws(AccessError) -> IssuedToken {
    let text = Base64URL.text(entropy.bytes(32))
    let now = clock.now()
    let token = TokenRecord(
      hash: use.hash(of: text), userID: account.id, issuedAt: now,
      expiresAt: now + Int64(policy.tokenSeconds) * 1_000_000_000)
    let password = account.password?.text ?? ""
    // Whoever takes it out replaces it: of two refreshes one wins.
    let unkept = old.flatMap { old in state.withLock { $0.unkept.remove(old) } }
    let durable = unkept == nil ? old : nil
    do throws(AccessError) {
      // The password may be changed while it is being checked: then the token is not kept.
      try await repository.issue(
        token, password: password, replacing: durable, tokensMax: policy.tokensPerUserMax)
      return IssuedToken(token: text, user: account.name, isKept: true)
    } catch {
      // What is durable cannot be ended without room; else the new one holds all the same.
      if error == .diskFull, durable == nil, hold(token, password: password) {
        return IssuedToken(token: text, user: account.name, isKept: false)
      }
      if let unkept { state.withLock { _ = $0.unkept.add(unkept, hash: unkept.record.hash) } }
      throw error
    }
  }

  private func hold(_ token: TokenRecord, password: String) -> Bool {
    state.withLock { state in
      guard state.users[token.userID]?.record.password == password else { return false }
      return state.unkept.add(UnkeptToken(record: token, password: password), hash: token.hash)
    }
  }

  /// Makes durable what there was no room for.
  private func keepUnkept(now: Int64) async throws(AccessError) {
    for (hash, token) in state.withLock({ $0.unkept.tokens }) where token.isValid(at: now) {
      do throws(AccessError) {
        try await repository.issue(
          token.record, password: token.password, replacing: nil, tokensMax: policy.tokensPerUserMax)
      } catch {
        guard error == .wrongPassword else { throw error }
      }
      // Logged out meanwhile: what was made durable must end too.
      if state.withLock({ $0.unkept.remove(hash) }) == nil { try await repository.end(hash) }
    }
  }

  /// Deletes what has expired, in memory and durably, and keeps what there was no room for. Call about once a
  /// minute.
  package func removeExpiredTokens() async throws(AccessError) {
    let now = clock.now()
    state.withLock { $0.unkept.keepOnly { $1.isValid(at: now) } }
    try await keepUnkept(now: now)
    let expired = state.withLock { state in
      state.tokens.filter { !$0.value.isValid(at: now) }.map(\.key)
    }
    try await repository.endExpired(expired, now: now)
  }
}
