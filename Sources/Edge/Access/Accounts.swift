import Codecs
import Crypto
import GRDB
import Platform
import Records
import Synchronization

/// A user as listings show it.
package struct User: Sendable, Hashable {
  package let name: String
  package let role: Role
  /// Nanoseconds since 1970.
  package let createdAt: Int64
}

/// A token that was just made: shown once, kept nowhere but with the client.
package struct IssuedToken: Sendable, Hashable {
  package let token: String
  package let user: String
}

/// Users and their tokens: logins with passwords, then with opaque bearer tokens.
///
/// Users and tokens are kept in memory, so that a token costs one SHA-256 and one look-up; the control database holds them
/// durably, tokens as SHA-256 only.
package final class Accounts: Sendable {
  /// What the server decides about users and tokens.
  package struct Policy: Sendable {
    package var tokenSeconds = 24 * 3600
    package var rules = PasswordRules(isStrict: true)
    /// Beyond so many the user's oldest token goes.
    package var tokensPerUserMax = 1_000

    package init() {}
  }

  struct Account: Sendable {
    let id: Int64
    let name: String
    let role: Role
    let password: PasswordHash?
    let hasDefaultPassword: Bool
    let createdAt: Int64
  }

  struct Token: Sendable {
    let user: String
    let userID: Int64
    let issuedAt: Int64
    let expiresAt: Int64
  }

  struct State: Sendable {
    /// By name; Swift compares names that look the same as equal, however their accents are encoded.
    var users: [String: Account] = [:]
    var tokens: [TokenHash: Token] = [:]
  }

  let database: ControlDatabase
  let state = Mutex(State())
  let policy: Policy
  let clock: any WallClock
  private let checker: PasswordChecker
  private let throttle: LoginThrottle
  private let entropy: any EntropySource
  private let tenant: Tenant
  private let observers = Mutex<[@Sendable (_ user: String) -> Void]>([])

  /// - Parameter tenant: Whose records the users read and write.
  package init(
    database: ControlDatabase, tenant: Tenant, policy: Policy, checker: PasswordChecker,
    clock: any WallClock, entropy: any EntropySource = SystemEntropy()
  ) throws(AccessError) {
    self.database = database
    self.tenant = tenant
    self.policy = policy
    self.checker = checker
    self.clock = clock
    self.entropy = entropy
    throttle = LoginThrottle(clock: clock)
    try database.watch { [self] database in
      let loaded = try Accounts.load(database)
      state.withLock { $0 = loaded }
    }
  }

  private static func load(_ database: Database) throws -> State {
    var state = State()
    var names: [Int64: String] = [:]
    for row in try Row.fetchAll(database, sql: "SELECT * FROM users") {
      let password: String = row["password"]
      let account = Account(
        id: row["id"], name: row["name"], role: Role(rawValue: row["role"]) ?? .reader,
        password: PasswordHash(password), hasDefaultPassword: row["hasDefaultPassword"],
        createdAt: row["createdAt"])
      state.users[account.name] = account
      names[account.id] = account.name
    }
    for row in try Row.fetchAll(database, sql: "SELECT * FROM tokens") {
      guard let hash = TokenHash(row["hash"]), let user = names[row["userId"]] else { continue }
      state.tokens[hash] = Token(
        user: user, userID: row["userId"], issuedAt: row["issuedAt"], expiresAt: row["expiresAt"])
    }
    return state
  }

  // MARK: Tokens

  /// - Parameter authorization: The `Authorization` header's value, or nil without one.
  package func authenticate(authorization: String?) throws(CredentialError) -> Principal {
    guard let authorization else { throw .missing }
    let words = authorization.split(separator: " ", omittingEmptySubsequences: true)
    guard words.count == 2, words[0].lowercased() == "bearer" else { throw .malformed }
    guard let (token, account) = lookUp(TokenHash(of: String(words[1]))) else { throw .unknown }
    return Principal(
      tenant: tenant, subject: account.name, role: account.role,
      credential: KeyDirectory.stableHash("user:\(token.userID)"))
  }

  private func lookUp(_ hash: TokenHash) -> (Token, Account)? {
    let now = clock.now()
    return state.withLock { state in
      guard let token = state.tokens[hash] else { return nil }
      guard token.isValid(at: now) else {
        // Gone for good: a clock that is set back must not bring it to life again.
        state.tokens[hash] = nil
        return nil
      }
      return state.users[token.user].map { (token, $0) }
    }
  }

  /// Checks a password and makes a token.
  ///
  /// - Parameter address: Of the client, for the bound on failures.
  package func login(name: String, password: String, address: String) async throws(AccessError) -> IssuedToken
  {
    try await issue(for: try await check(name: name, password: password, address: address), instead: nil)
  }

  /// Checks a password, and makes nothing of it.
  package func verify(name: String, password: String, address: String) async throws(AccessError) -> User {
    let account = try await check(name: name, password: password, address: address)
    return User(name: account.name, role: account.role, createdAt: account.createdAt)
  }

  /// Has `changed` called when a user's password is another, or the user is gone: what was given for the old one ends.
  func observeCredentials(_ changed: @escaping @Sendable (_ user: String) -> Void) {
    observers.withLock { $0.append(changed) }
  }

  private func tellObservers(_ user: String) { for observer in observers.withLock({ $0 }) { observer(user) } }

  /// The role of a user; nil: there is none of this name.
  func role(of name: String) -> Role? { state.withLock { $0.users[name]?.role } }

  private func check(name: String, password: String, address: String) async throws(AccessError) -> Account {
    try throttle.check(user: name, address: address)
    // `cordwood users` may have made the user a moment ago.
    try await database.refresh()
    let account = state.withLock { $0.users[name] }
    let isRight = try await checker.matches(password, account?.password)
    // Once more: of many tries at one time, those behind the tenth failure must not count either.
    try throttle.check(user: name, address: address)
    guard isRight, let account else {
      throttle.failed(user: name, address: address)
      throw .wrongPassword
    }
    throttle.succeeded(user: name, address: address)
    return account
  }

  /// A new token for the old one, which dies.
  package func refresh(authorization: String?) async throws(AccessError) -> IssuedToken {
    guard let hash = Accounts.tokenHash(authorization), let (_, account) = lookUp(hash) else {
      throw .unknownUser
    }
    return try await issue(for: account, instead: hash)
  }

  /// Kills the token. Other tokens of the user live on.
  package func logout(authorization: String?) async throws(AccessError) {
    guard let hash = Accounts.tokenHash(authorization) else { return }
    _ = try await database.change("log out") { database in
      try database.execute(sql: "DELETE FROM tokens WHERE hash = ?", arguments: [hash.text])
    } applied: { [self] _ in
      state.withLock { $0.tokens[hash] = nil }
    }
  }

  static func tokenHash(_ authorization: String?) -> TokenHash? {
    authorization?.split(separator: " ").last.map { TokenHash(of: String($0)) }
  }

  private func issue(for account: Account, instead old: TokenHash?) async throws(AccessError) -> IssuedToken {
    let text = Base64URL.text(entropy.bytes(32))
    let hash = TokenHash(of: text)
    let now = clock.now()
    let token = Token(
      user: account.name, userID: account.id, issuedAt: now,
      expiresAt: now + Int64(policy.tokenSeconds) * 1_000_000_000)
    let password = account.password?.text
    let most = policy.tokensPerUserMax
    let gone = try await database.change("log in") { database -> [TokenHash] in
      // The password may have been changed while it was being checked.
      let current = try String.fetchOne(
        database, sql: "SELECT password FROM users WHERE id = ?", arguments: [account.id])
      guard current == password else { throw AccessError.wrongPassword }
      if let old {
        try database.execute(sql: "DELETE FROM tokens WHERE hash = ?", arguments: [old.text])
        guard database.changesCount == 1 else { throw AccessError.unknownUser }
      }
      try database.execute(
        sql: "INSERT INTO tokens (hash, userId, issuedAt, expiresAt) VALUES (?, ?, ?, ?)",
        arguments: [hash.text, token.userID, token.issuedAt, token.expiresAt])
      let surplus = try String.fetchAll(
        database,
        sql: "SELECT hash FROM tokens WHERE userId = ? ORDER BY issuedAt DESC, hash LIMIT -1 OFFSET ?",
        arguments: [account.id, most])
      for text in surplus {
        try database.execute(sql: "DELETE FROM tokens WHERE hash = ?", arguments: [text])
      }
      return surplus.compactMap { TokenHash($0) } + (old.map { [$0] } ?? [])
    } applied: { [self] gone in
      state.withLock { state in
        for hash in gone { state.tokens[hash] = nil }
        state.tokens[hash] = token
      }
    }
    precondition(!gone.contains(hash), "the newest token is never the surplus")
    return IssuedToken(token: text, user: account.name)
  }

  /// Deletes what has expired, in memory and on the disk. Call about once a minute.
  package func removeExpiredTokens() async throws(AccessError) {
    let now = clock.now()
    let expired = state.withLock { state in
      state.tokens.filter { !$0.value.isValid(at: now) }.map(\.key)
    }
    _ = try await database.change("remove expired tokens") { database in
      for hash in expired {
        try database.execute(sql: "DELETE FROM tokens WHERE hash = ?", arguments: [hash.text])
      }
      try database.execute(sql: "DELETE FROM tokens WHERE expiresAt <= ?", arguments: [now])
    } applied: { [self] _ in
      state.withLock { state in for hash in expired { state.tokens[hash] = nil } }
    }
  }

  // MARK: Users

  /// In the order of their names.
  package func users() -> [User] {
    state.withLock { Array($0.users.values) }
      .map { User(name: $0.name, role: $0.role, createdAt: $0.createdAt) }
      .sorted { $0.name < $1.name }
  }

  package func create(
    name: String, password: String, role: Role, isDefaultPassword: Bool = false
  ) async throws(AccessError) {
    try ShownName.check(name, of: "A user name")
    if !isDefaultPassword { try policy.rules.check(password, user: name) }
    try await database.refresh()
    guard state.withLock({ $0.users[name] }) == nil else { throw .userExists }
    let hash = try await checker.hash(password)
    let now = clock.now()
    _ = try await database.change("create the user") { database -> Account in
      let names = try String.fetchAll(database, sql: "SELECT name FROM users")
      guard !names.contains(name) else { throw AccessError.userExists }
      try database.execute(
        sql: "INSERT INTO users (name, password, role, hasDefaultPassword, createdAt) VALUES (?, ?, ?, ?, ?)",
        arguments: [name, hash.text, role.rawValue, isDefaultPassword, now])
      return Account(
        id: database.lastInsertedRowID, name: name, role: role, password: hash,
        hasDefaultPassword: isDefaultPassword, createdAt: now)
    } applied: { [self] account in
      state.withLock { $0.users[account.name] = account }
    }
  }

  /// Changes a user's own password, which must be given; other tokens than the one used die.
  package func changePassword(
    _ principal: Principal, authorization: String?, current: String, new: String, address: String
  ) async throws(AccessError) {
    try throttle.check(user: principal.subject, address: address)
    guard let account = state.withLock({ $0.users[principal.subject] }) else { throw .unknownUser }
    guard try await checker.matches(current, account.password) else {
      throttle.failed(user: principal.subject, address: address)
      throw .wrongPassword
    }
    try await setPassword(account, new, keeping: Accounts.tokenHash(authorization))
  }

  /// Sets a password without knowing the old one: for operators. All of the user's tokens die.
  package func setPassword(name: String, _ password: String) async throws(AccessError) {
    try await database.refresh()
    guard let account = state.withLock({ $0.users[name] }) else { throw .unknownUser }
    try await setPassword(account, password, keeping: nil)
  }

  private func setPassword(
    _ account: Account, _ password: String, keeping kept: TokenHash?
  ) async throws(AccessError) {
    try policy.rules.check(password, user: account.name)
    let hash = try await checker.hash(password)
    let changed = Account(
      id: account.id, name: account.name, role: account.role, password: hash, hasDefaultPassword: false,
      createdAt: account.createdAt)
    _ = try await database.change("change the password") { database in
      try database.execute(
        sql: "UPDATE users SET password = ?, hasDefaultPassword = 0 WHERE id = ?",
        arguments: [hash.text, account.id])
      guard database.changesCount == 1 else { throw AccessError.unknownUser }
      try database.execute(
        sql: "DELETE FROM tokens WHERE userId = ? AND hash <> ?", arguments: [account.id, kept?.text ?? ""])
      try database.execute(sql: "DELETE FROM queryTokens WHERE user = ?", arguments: [account.name])
    } applied: { [self] _ in
      tellObservers(account.name)
      state.withLock { state in
        state.users[account.name] = changed
        state.tokens = state.tokens.filter { $0.value.userID != account.id || $0.key == kept }
      }
    }
  }

  /// Removes a user and their tokens. Containers go to `heir`; without one the user must own none.
  package func remove(name: String, heir: String?) async throws(AccessError) {
    try await database.refresh()
    let (account, other) = state.withLock { state in
      (state.users[name], heir.flatMap { state.users[$0] })
    }
    guard let account, heir == nil || other != nil else { throw .unknownUser }
    _ = try await database.change("remove the user") { database in
      let owned =
        try Int.fetchOne(
          database, sql: "SELECT COUNT(*) FROM containers WHERE ownerId = ?", arguments: [account.id]) ?? 0
      if owned > 0 {
        guard let other, other.id != account.id else { throw AccessError.ownsContainers(owned) }
        try database.execute(
          sql: "UPDATE containers SET ownerId = ? WHERE ownerId = ?", arguments: [other.id, account.id])
      }
      try database.execute(sql: "DELETE FROM users WHERE id = ?", arguments: [account.id])
      try database.execute(sql: "DELETE FROM queryTokens WHERE user = ?", arguments: [account.name])
      let administrators =
        try Int.fetchOne(database, sql: "SELECT COUNT(*) FROM users WHERE role = 'admin'") ?? 0
      guard administrators > 0 else { throw AccessError.lastAdministrator }
    } applied: { [self] _ in
      tellObservers(account.name)
      state.withLock { state in
        state.users[account.name] = nil
        state.tokens = state.tokens.filter { $0.value.userID != account.id }
      }
    }
  }

  /// Users whose password is a documented default.
  package func usersWithDefaultPassword() -> [String] {
    state.withLock { $0.users.values.filter(\.hasDefaultPassword).map(\.name).sorted() }
  }
}

/// What holds for some time; nanoseconds since 1970.
protocol Expiring {
  var issuedAt: Int64 { get }
  var expiresAt: Int64 { get }
}

extension Expiring {
  /// Whether it holds now: not expired, and not made by a clock that has since been set back by more than its lifetime.
  func isValid(at now: Int64) -> Bool {
    now < expiresAt && now >= issuedAt - (expiresAt - issuedAt)
  }
}

extension Accounts.Token: Expiring {}

/// SHA-256 of a token: all that is kept of it.
struct TokenHash: Sendable, Hashable {
  private let words: SIMD4<UInt64>

  init(of token: String) {
    var digest = SHA256()
    digest.update(data: Array(token.utf8))
    self.init(bytes: Array(digest.finalize()))
  }

  /// The hash whose hexadecimal ``text`` it is.
  init?(_ text: String) {
    guard let bytes = Hex.bytes(text), bytes.count == 32 else { return nil }
    self.init(bytes: bytes)
  }

  private init(bytes: [UInt8]) {
    var words = SIMD4<UInt64>()
    for (index, byte) in bytes.enumerated() { words[index / 8] = words[index / 8] << 8 | UInt64(byte) }
    self.words = words
  }

  var text: String {
    Hex.text(
      (0..<4).flatMap { index in
        (0..<8).map { UInt8(truncatingIfNeeded: words[index] >> UInt64(56 - $0 * 8)) }
      })
  }
}
