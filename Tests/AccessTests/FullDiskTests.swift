import Access
import Platform
import Records
import Synchronization
import TestKit
import Testing

/// Logins while the disk has no room for their tokens.
@Suite struct FullDiskTests {
  private struct Bench {
    let tables = MemoryTables()
    let clock = ManualClock(1_700_000_000_000_000_000)
    let accounts: Accounts
    let queries: QuerySessions

    init(_ tables: MemoryTables? = nil) async throws {
      let plane = MemoryControlPlane(tables ?? self.tables)
      var policy = Accounts.Policy()
      policy.rules = PasswordRules(isStrict: false)
      accounts = try await Accounts(
        plane, tenant: AccessBench.tenant, policy: policy,
        checker: PasswordChecker(threads: 2, cost: AccessBench.cost), clock: clock)
      queries = try await QuerySessions(
        plane, accounts: accounts, policy: QuerySessions.Policy(), clock: clock)
    }

    func setFull(_ isFull: Bool) { tables.contents.withLock { $0.isFull = isFull } }

    func login(_ password: String = "pw") async throws -> IssuedToken {
      try await accounts.login(name: "alice", password: password, address: "10.0.0.1")
    }

    func holds(_ token: IssuedToken) -> Bool {
      (try? accounts.authenticate(authorization: "Bearer " + token.token)) != nil
    }
  }

  private func bench() async throws -> Bench {
    let bench = try await Bench()
    try await bench.accounts.create(name: "alice", password: "pw", role: .admin)
    bench.setFull(true)
    return bench
  }

  @Test func aTokenHoldsInMemoryUntilThereIsRoom() async throws {
    let bench = try await bench()
    let token = try await bench.login()
    #expect(!token.isKept && bench.holds(token))
    #expect(await accessError { _ = try await bench.login("wrong") } == .wrongPassword)
    #expect(try await Bench(bench.tables).holds(token) == false, "a restart ends it")
    #expect(await accessError { try await bench.accounts.removeExpiredTokens() } == .diskFull)
    #expect(bench.holds(token))
    bench.setFull(false)
    try await bench.accounts.removeExpiredTokens()
    #expect(bench.holds(token))
    #expect(try await Bench(bench.tables).holds(token), "it is durable")
    #expect(try await bench.login().isKept)
  }

  @Test func logoutAndRefreshEndIt() async throws {
    let bench = try await bench()
    let first = try await bench.login()
    let second = try await bench.accounts.refresh(authorization: "Bearer " + first.token)
    #expect(!second.isKept && bench.holds(second) && !bench.holds(first))
    try await bench.accounts.logout(authorization: "Bearer " + second.token)
    #expect(!bench.holds(second))
    bench.setFull(false)
    let third = try await bench.login()
    bench.setFull(true)
    #expect(
      await accessError { _ = try await bench.accounts.refresh(authorization: "Bearer " + third.token) }
        == .diskFull, "what is durable cannot be ended without room")
    #expect(bench.holds(third))
  }

  @Test func anotherPasswordAndTimeEndIt() async throws {
    let bench = try await bench()
    let kept = try await bench.login()
    let other = try await bench.login()
    bench.setFull(false)
    let header = "Bearer " + kept.token
    let alice = try bench.accounts.authenticate(authorization: header)
    try await bench.accounts.changePassword(
      alice, authorization: header, current: "pw", new: "pw2", address: "10.0.0.1")
    #expect(bench.holds(kept) && !bench.holds(other))
    try await bench.accounts.removeExpiredTokens()
    #expect(try await Bench(bench.tables).holds(kept))
    bench.setFull(true)
    let last = try await bench.login("pw2")
    bench.clock.advance(seconds: 24 * 3600)
    #expect(!bench.holds(last))
    bench.clock.advance(seconds: -3600)
    #expect(!bench.holds(last), "a clock set back revives nothing")
  }

  @Test func memoryHasABound() async throws {
    let bench = try await bench()
    var policy = QuerySessions.Policy()
    policy.needsPassword = false
    let open = try await QuerySessions(
      MemoryControlPlane(bench.tables), accounts: bench.accounts, policy: policy, clock: bench.clock)
    for _ in 0..<1_000 { _ = try await open.login(user: "u", password: nil, address: "10.0.0.1") }
    #expect(
      await accessError { _ = try await open.login(user: "u", password: nil, address: "10.0.0.1") }
        == .diskFull)
  }

  @Test func theQueryLogLetsInToo() async throws {
    let bench = try await bench()
    let login = try await bench.queries.login(user: "alice", password: "pw", address: "10.0.0.1")
    #expect(!login.isKept && bench.queries.principal(token: login.token)?.subject == "alice")
    bench.setFull(false)
    try await bench.queries.removeExpiredTokens()
    #expect(bench.queries.principal(token: login.token) != nil)
    #expect(try await Bench(bench.tables).queries.principal(token: login.token) != nil)
    bench.setFull(true)
    let other = try await bench.queries.login(user: "alice", password: "pw", address: "10.0.0.1")
    bench.setFull(false)
    try await bench.accounts.setPassword(name: "alice", "pw2")
    #expect(bench.queries.principal(token: other.token) == nil)
  }
}
