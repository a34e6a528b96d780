import Foundation
import Platform
import Records
import TestKit
import Testing

@testable import Access

/// Sign-ins to the page.
@Suite struct PageSessionTests {
  private static let keys = KeyDirectory(
    keys: [
      APIKey(
        name: "r", key: "reader-key-0123456789", tenant: Tenant(realm: .native, name: "shop"), role: .reader)
    ], openTenant: nil)

  private func name(_ caller: PageCaller?) -> String? { caller.flatMap(\.name) }

  @Test func aUsersOutlivesTheServerAndAKeysDoesNot() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let sessions = PageSessions(accounts: bench.accounts, clock: bench.clock)
    let user = try await sessions.signIn(name: "alice", password: "pw", address: "10.0.0.1").token
    let key = try await sessions.signIn(
      key: "reader-key-0123456789", address: "10.0.0.1", among: PageSessionTests.keys
    ).token
    #expect(name(sessions.caller(user, among: PageSessionTests.keys)) == "alice")
    #expect(name(sessions.caller(key, among: PageSessionTests.keys)) == "r")
    #expect(try bench.bytes().range(of: Data(user.utf8)) == nil, "its hash is kept")
    let other = try await bench.other()
    let later = PageSessions(accounts: other.accounts, clock: bench.clock)
    #expect(name(later.caller(user, among: PageSessionTests.keys)) == "alice")
    #expect(later.caller(key, among: PageSessionTests.keys) == nil)
    #expect(
      sessions.caller(key, among: KeyDirectory(keys: [], openTenant: nil)) == nil, "the key is gone")
    #expect(sessions.caller(key, among: PageSessionTests.keys) == nil, "for good")
  }

  /// The two uses of a token have no hash in common, whatever is sent.
  @Test func neitherUseOpensTheOther() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let sessions = PageSessions(accounts: bench.accounts, clock: bench.clock)
    let page = try await sessions.signIn(name: "alice", password: "pw", address: "10.0.0.1").token
    let bearer = try await bench.bearer("alice", "pw")
    for text in [page, "page \(page)", "page\u{A0}\(page)", "page%20\(page)"] {
      #expect(throws: CredentialError.self) {
        try bench.accounts.authenticate(authorization: "Bearer " + text)
      }
    }
    #expect(sessions.caller(String(bearer.dropFirst(7)), among: PageSessionTests.keys) == nil)
    try await bench.accounts.logout(authorization: "Bearer " + page)
    #expect(name(sessions.caller(page, among: PageSessionTests.keys)) == "alice")
  }

  @Test func whatIsIdleIsForgottenOnTheDiskToo() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    // Longer than a sign-in may be idle.
    var policy = Accounts.Policy()
    policy.tokenSeconds = 100 * 3600
    policy.rules = PasswordRules(isStrict: false)
    let accounts = try await Accounts(
      bench.database, tenant: AccessBench.tenant, policy: policy,
      checker: PasswordChecker(threads: 1, cost: AccessBench.cost), clock: bench.clock)
    try await accounts.create(name: "alice", password: "pw", role: .user)
    let sessions = PageSessions(accounts: accounts, clock: bench.clock)
    let token = try await sessions.signIn(name: "alice", password: "pw", address: "10.0.0.1").token
    let bearer = "Bearer " + (try await accounts.login(name: "alice", password: "pw", address: "x").token)
    #expect(name(sessions.caller(token, among: PageSessionTests.keys)) == "alice")
    bench.advance(seconds: PageSessions.idleSeconds)
    try await sessions.removeIdle()
    #expect(sessions.caller(token, among: PageSessionTests.keys) == nil)
    _ = try accounts.authenticate(authorization: bearer)
    let other = try await bench.other()
    let later = PageSessions(accounts: other.accounts, clock: bench.clock)
    #expect(later.caller(token, among: PageSessionTests.keys) == nil)
    // Not used since the server started: as if it had been then.
    let second = try await sessions.signIn(name: "alice", password: "pw", address: "10.0.0.1").token
    bench.advance(seconds: PageSessions.idleSeconds - 1)
    let restarted = PageSessions(accounts: accounts, clock: bench.clock)
    bench.advance(seconds: PageSessions.idleSeconds - 1)
    #expect(name(restarted.caller(second, among: PageSessionTests.keys)) == "alice")
    #expect(sessions.caller(second, among: PageSessionTests.keys) == nil)
  }

  @Test func whatEndsAUserEndsTheSignIn() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    for (name, role) in [("root", Role.admin), ("alice", .user)] {
      try await bench.accounts.create(name: name, password: "pw", role: role)
    }
    let sessions = PageSessions(accounts: bench.accounts, clock: bench.clock)
    func signIn() async throws -> String {
      try await sessions.signIn(name: "alice", password: "pw", address: "10.0.0.1").token
    }
    let one = try await signIn()
    let bearer = try await bench.bearer("alice", "pw")
    let principal = try bench.accounts.authenticate(authorization: bearer)
    try await bench.accounts.changePassword(
      principal, authorization: bearer, current: "pw", new: "pw", address: "10.0.0.1")
    #expect(sessions.caller(one, among: PageSessionTests.keys) == nil)
    let two = try await signIn()
    try await bench.accounts.remove(name: "alice", heir: nil)
    #expect(sessions.caller(two, among: PageSessionTests.keys) == nil)
    for text in ["", "x", String(repeating: "x", count: 43), String(repeating: "\u{301}", count: 99_999)] {
      #expect(sessions.caller(text, among: PageSessionTests.keys) == nil)
      try await sessions.signOut(text)
    }
  }
}
