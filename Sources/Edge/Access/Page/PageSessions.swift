import Codecs
import Platform
import Records
import Synchronization

/// Sign-ins to the page: behind a cookie of 32 random bytes, of which the SHA-256 is kept.
///
/// A user's is kept as their tokens are (``Accounts``), and ends with them: when the password changes, after
/// `auth.token_hours`, when the user goes. One with a key is in memory alone, and ends with the key or the
/// server. Both end when they were not used for ``idleSeconds``.
package final class PageSessions: Sendable {
  private struct KeySession: Expiring {
    let key: TokenHash
    let issuedAt: Int64
    let expiresAt: Int64
  }

  private struct State {
    var keys: [TokenHash: KeySession] = [:]
    /// By network, how many wait for the provider of sign-ins.
    var asking: [Name: Int] = [:]
    /// Nanoseconds since 1970, of those used since the start.
    var lastUse: [TokenHash: Int64] = [:]
    /// What was idle for too long and is not durably gone yet.
    var ended: Set<TokenHash> = []
  }

  /// A sign-in that is not used for so long ends.
  package static let idleSeconds: Int64 = 12 * 3600
  /// Sign-ins with keys; beyond it the oldest ends.
  private static let keySessionsMax = 10_000
  /// 32 bytes in base64url.
  private static let tokenBytes = 43
  /// For the bound on failures: no user has a name that begins so.
  private static let keyOrigin = " key"
  /// From one network, who wait for the provider of sign-ins.
  private static let askingMax = 4

  private let accounts: Accounts
  private let clock: any WallClock
  private let entropy: any EntropySource
  private let startedAt: Int64
  private let state = Mutex(State())

  /// - Parameter accounts: Whose users sign in.
  package init(accounts: Accounts, clock: any WallClock, entropy: any EntropySource = SystemEntropy()) {
    self.accounts = accounts
    self.clock = clock
    self.entropy = entropy
    startedAt = clock.now()
  }

  /// Who signed in; nil: nobody, or no longer. One SHA-256 and some look-ups; any thread.
  ///
  /// - Parameter cookie: The cookie's value.
  package func caller(_ cookie: String, among keys: KeyDirectory) -> PageCaller? {
    guard cookie.utf8.count == PageSessions.tokenBytes else { return nil }
    let hash = TokenUse.page.hash(of: cookie)
    let now = clock.now()
    if let (account, token) = accounts.lookUp(hash) {
      guard use(hash, issuedAt: token.issuedAt, now) else { return nil }
      return .user(PageUser(id: account.id, name: account.name, role: account.role))
    }
    guard let session = state.withLock({ $0.keys[hash] }) else { return nil }
    guard session.isValid(at: now), use(hash, issuedAt: session.issuedAt, now),
      let principal = keys.principal(session.key)
    else {
      state.withLock { $0.keys[hash] = nil }
      return nil
    }
    return .key(principal)
  }

  /// Whether it was used lately; then it is used once more.
  private func use(_ hash: TokenHash, issuedAt: Int64, _ now: Int64) -> Bool {
    state.withLock { state in
      guard !state.ended.contains(hash) else { return false }
      // What was used before the start is not known: it counts as used then.
      let last = state.lastUse[hash] ?? max(issuedAt, startedAt)
      guard !PageSessions.isIdle(since: last, now) else {
        state.ended.insert(hash)
        state.lastUse[hash] = nil
        return false
      }
      state.lastUse[hash] = max(last, now)
      return true
    }
  }

  private static func isIdle(since last: Int64, _ now: Int64) -> Bool {
    let (idle, isOver) = now.subtractingReportingOverflow(last)
    return isOver || idle >= idleSeconds * 1_000_000_000
  }

  /// Checks a password and makes a sign-in.
  ///
  /// - Parameter address: Of the client, for the bound on failures.
  /// - Throws: `wrongPassword`, `throttled`, `overloaded`, or what the control plane says.
  package func signIn(
    name: String, password: String, address: String
  ) async throws(AccessError) -> IssuedToken {
    let account = try await accounts.check(name: name, password: password, address: address)
    return try await accounts.issue(for: account, instead: nil, use: .page)
  }

  /// Makes a sign-in for whom the provider vouches. Failures are bounded by network, and so is how many of it
  /// wait for the provider.
  ///
  /// - Parameter ask: Asks the provider; called if there were not too many failures.
  /// - Throws: What `ask` throws; `access`: `throttled`, `invalidName`, `userExists`, or what the control
  ///   plane says.
  package func signIn(
    address: String, administrators: Set<Name>, ask: () async throws(OpenIDFailure) -> String
  ) async throws(OpenIDFailure) -> IssuedToken {
    let network = Name(ClientNetwork.of(address))
    do throws(AccessError) { try accounts.throttle.check(network: network) } catch { throw .access(error) }
    let mayAsk = state.withLock { state in
      guard state.asking[network, default: 0] < PageSessions.askingMax else { return false }
      state.asking[network, default: 0] += 1
      return true
    }
    guard mayAsk else { throw .busy }
    defer {
      state.withLock { state in
        let rest = state.asking[network, default: 1] - 1
        state.asking[network] = rest > 0 ? rest : nil
      }
    }
    let name: String
    do throws(OpenIDFailure) { name = try await ask() } catch {
      switch error {
      case .refused, .identity: accounts.throttle.failed(network: network)
      // Not theirs: nobody waits for others because the provider is down.
      case .expired, .provider, .busy, .access: break
      }
      throw error
    }
    do throws(AccessError) {
      // Those that were under way beside the last failure must not count either.
      try accounts.throttle.check(network: network)
      let account = try await accounts.vouched(
        name, role: administrators.contains(Name(name)) ? .admin : .user)
      return try await accounts.issue(for: account, instead: nil, use: .page)
    } catch {
      throw .access(error)
    }
  }

  /// Checks a key of the native API and makes a sign-in. Failures are bounded as those of passwords are.
  ///
  /// - Throws: `wrongPassword`: there is no such key that holds. `throttled`, or what the control plane says.
  package func signIn(
    key: String, address: String, among keys: KeyDirectory
  ) async throws(AccessError) -> IssuedToken {
    let origin = LoginOrigin(user: PageSessions.keyOrigin, address: address)
    try accounts.throttle.check(origin)
    // `cordwood keys` may have made the key a moment ago.
    try await accounts.changes.catchUp()
    let hash = TokenHash(of: key)
    guard key.utf8.count <= KeyDirectory.credentialBytesMax, let principal = keys.principal(hash) else {
      accounts.throttle.failed(origin)
      throw .wrongPassword
    }
    accounts.throttle.succeeded(origin)
    let text = Base64URL.text(entropy.bytes(32))
    let now = clock.now()
    let session = KeySession(
      key: hash, issuedAt: now, expiresAt: now + Int64(accounts.policy.tokenSeconds) * 1_000_000_000)
    state.withLock { state in
      if state.keys.count >= PageSessions.keySessionsMax,
        let oldest = state.keys.min(by: { $0.value.issuedAt < $1.value.issuedAt })?.key
      {
        state.keys[oldest] = nil
        state.lastUse[oldest] = nil
      }
      state.keys[TokenUse.page.hash(of: text)] = session
    }
    return IssuedToken(token: text, user: principal.subject, isKept: true)
  }

  /// Ends a sign-in, if it is one.
  ///
  /// - Throws: What the control plane says: then a user's goes on.
  package func signOut(_ cookie: String) async throws(AccessError) {
    let hash = TokenUse.page.hash(of: cookie)
    let wasKey = state.withLock { state in
      state.lastUse[hash] = nil
      return state.keys.removeValue(forKey: hash) != nil
    }
    if !wasKey { try await accounts.end(hash) }
  }

  /// Ends durably what was idle for too long, and forgets what is over. Call about once a minute.
  package func removeIdle() async throws(AccessError) {
    let now = clock.now()
    let ended = state.withLock { state in
      for (hash, last) in state.lastUse where PageSessions.isIdle(since: last, now) {
        state.lastUse[hash] = nil
        if state.keys.removeValue(forKey: hash) == nil { state.ended.insert(hash) }
      }
      state.keys = state.keys.filter { $0.value.isValid(at: now) }
      return state.ended
    }
    for hash in ended {
      try await accounts.end(hash)
      state.withLock { _ = $0.ended.remove(hash) }
    }
    let used = state.withLock { Array($0.lastUse.keys) }
    let over = used.filter { hash in accounts.lookUp(hash) == nil }
    state.withLock { state in
      for hash in over where state.keys[hash] == nil { state.lastUse[hash] = nil }
    }
  }
}
