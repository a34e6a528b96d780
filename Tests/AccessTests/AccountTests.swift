import Access
import Foundation
import Records
import TestKit
import Testing

/// Logins, tokens, users.
@Suite struct AccountTests {
  @Test func aTokenSaysWhoIsCalling() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .admin)
    let header = try await bench.bearer("alice", "pw")
    #expect(header.count == "Bearer ".count + 43)
    let principal = try bench.accounts.authenticate(authorization: header)
    #expect(principal.subject == "alice")
    #expect(principal.role == .admin)
    #expect(principal.tenant == AccessBench.tenant)
    #expect(
      try bench.accounts.authenticate(authorization: header.replacing("Bearer", with: "bEARER")) == principal)
    #expect(throws: CredentialError.missing) { try bench.accounts.authenticate(authorization: nil) }
    let token = String(header.dropFirst(7))
    for malformed in ["", "Bearer", "Basic \(token)", token, "Bearer \(token) x"] {
      #expect(throws: CredentialError.malformed) { try bench.accounts.authenticate(authorization: malformed) }
    }
    for unknown in [String(token.dropLast()), token + "A", token.lowercased(), "nope"] {
      #expect(throws: CredentialError.unknown) {
        try bench.accounts.authenticate(authorization: "Bearer " + unknown)
      }
    }
  }

  @Test func neitherPasswordNorTokenIsOnTheDisk() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "correct-horse-canary", role: .user)
    let header = try await bench.bearer("alice", "correct-horse-canary")
    let bytes = try bench.bytes()
    #expect(bytes.range(of: Data("alice".utf8)) != nil, "the database was looked at")
    #expect(bytes.range(of: Data("correct-horse-canary".utf8)) == nil)
    #expect(bytes.range(of: Data(header.dropFirst(7).utf8)) == nil)
    let attributes = try FileManager.default.attributesOfItem(atPath: bench.folder + "/control.sqlite")
    #expect((attributes[.posixPermissions] as? NSNumber)?.intValue == 0o600)
  }

  @Test func wrongNamesAndPasswordsAnswerAlike() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    for (name, password) in [
      ("alice", "PW"), ("Alice", "pw"), ("nobody", "pw"), ("alice", ""), ("", ""),
      ("alice", String(repeating: "p", count: 1_000_000)), ("alice", "pw\u{0}"),
    ] {
      let error = await accessError { _ = try await bench.bearer(name, password) }
      #expect(error == .wrongPassword, "\(name)")
    }
  }

  @Test func tokensExpireAndStayDead() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let header = try await bench.bearer("alice", "pw")
    bench.advance(seconds: 3599)
    _ = try bench.accounts.authenticate(authorization: header)
    bench.advance(seconds: 1)
    #expect(throws: CredentialError.unknown) { try bench.accounts.authenticate(authorization: header) }
    bench.advance(seconds: -1800)
    #expect(throws: CredentialError.unknown, "a clock set back revives nothing") {
      try bench.accounts.authenticate(authorization: header)
    }
  }

  @Test func theDiskForgetsExpiredTokensToo() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let old = try await bench.bearer("alice", "pw")
    bench.advance(seconds: 3000)
    let young = try await bench.bearer("alice", "pw")
    bench.advance(seconds: 1000)
    try await bench.accounts.removeExpiredTokens()
    bench.advance(seconds: -1000)
    let restarted = try await bench.other()
    restarted.clock.advance(nanoseconds: bench.clock.now() - restarted.clock.now())
    #expect(throws: CredentialError.unknown) { try restarted.accounts.authenticate(authorization: old) }
    _ = try restarted.accounts.authenticate(authorization: young)
  }

  @Test func aClockSetFarBackEndsTokens() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let header = try await bench.bearer("alice", "pw")
    bench.advance(seconds: -600)
    _ = try bench.accounts.authenticate(authorization: header)
    bench.advance(seconds: -365 * 86_400)
    #expect(throws: CredentialError.unknown, "else it would live for a year") {
      try bench.accounts.authenticate(authorization: header)
    }
  }

  @Test func logoutAndRefreshKillOneToken() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let first = try await bench.bearer("alice", "pw")
    let second = try await bench.bearer("alice", "pw")
    try await bench.accounts.logout(authorization: first)
    #expect(throws: CredentialError.unknown) { try bench.accounts.authenticate(authorization: first) }
    let third = "Bearer " + (try await bench.accounts.refresh(authorization: second)).token
    #expect(throws: CredentialError.unknown) { try bench.accounts.authenticate(authorization: second) }
    _ = try bench.accounts.authenticate(authorization: third)
    #expect(await accessError { _ = try await bench.accounts.refresh(authorization: second) } == .unknownUser)
    let restarted = try await bench.other()
    for dead in [first, second] {
      #expect(throws: CredentialError.unknown) { try restarted.accounts.authenticate(authorization: dead) }
    }
    _ = try restarted.accounts.authenticate(authorization: third)
  }

  @Test func oneOfTwoRefreshesWins() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let header = try await bench.bearer("alice", "pw")
    let accounts = bench.accounts
    let won = await withTaskGroup(of: Bool.self) { group in
      for _ in 0..<8 {
        group.addTask { await accessError { _ = try await accounts.refresh(authorization: header) } == nil }
      }
      return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(won == 1)
  }

  @Test func theOldestTokenGoesWhenThereAreTooMany() async throws {
    let bench = try await AccessBench(tokensPerUserMax: 3)
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    var headers: [String] = []
    for _ in 0..<5 {
      headers.append(try await bench.bearer("alice", "pw"))
      bench.advance(seconds: 1)
    }
    let alive = headers.filter { (try? bench.accounts.authenticate(authorization: $0)) != nil }
    #expect(alive == Array(headers.suffix(3)))
  }

  /// Tokens of a clock that was ahead are the newest by their times. The login behind them was told it had a
  /// token, which the next start did not know.
  @Test func aLoginBehindTokensOfTheFutureHolds() async throws {
    let bench = try await AccessBench(tokensPerUserMax: 3)
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    for _ in 0..<3 { _ = try await bench.bearer("alice", "pw") }
    bench.advance(seconds: -600)
    let header = try await bench.bearer("alice", "pw")
    _ = try bench.accounts.authenticate(authorization: header)
    let restarted = try await bench.other()
    restarted.clock.advance(nanoseconds: bench.clock.now() - restarted.clock.now())
    _ = try restarted.accounts.authenticate(authorization: header)
  }

  @Test func impossibleTimesOfATokenHoldAtNoTime() {
    struct Token: Expiring {
      let issuedAt: Int64
      let expiresAt: Int64
    }
    let impossible: [(Int64, Int64)] = [(.min, .max), (.min, 0), (.min + 1, -5), (.max, .min)]
    for (issuedAt, expiresAt) in impossible {
      let token = Token(issuedAt: issuedAt, expiresAt: expiresAt)
      for now: Int64 in [.min, 0, Int64.max - 1] {
        let isValid = token.isValid(at: now)
        #expect(!isValid, "\(issuedAt) \(expiresAt) \(now)")
      }
    }
    #expect(Token(issuedAt: 10, expiresAt: 20).isValid(at: 0))
    #expect(!Token(issuedAt: 10, expiresAt: 20).isValid(at: -1))
  }

  @Test func failuresAreThrottledWithoutLockingOthersOut() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    try await bench.accounts.create(name: "bob", password: "pw", role: .user)
    for _ in 0..<10 {
      #expect(
        await accessError { _ = try await bench.bearer("alice", "x", address: "6.6.6.6") } == .wrongPassword)
      bench.advance(seconds: 1)
    }
    #expect(
      await accessError { _ = try await bench.bearer("alice", "pw", address: "6.6.6.6") }
        == .throttled(retryAfterSeconds: 50))
    _ = try await bench.bearer("alice", "pw", address: "10.0.0.1")
    _ = try await bench.bearer("bob", "pw", address: "6.6.6.6")
    bench.advance(seconds: 50)
    _ = try await bench.bearer("alice", "pw", address: "6.6.6.6")
    for _ in 0..<9 { _ = await accessError { _ = try await bench.bearer("alice", "x", address: "6.6.6.6") } }
    _ = try await bench.bearer("alice", "pw", address: "6.6.6.6")
  }

  @Test func manyTriesAtOnceAreNoWayAround() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let accounts = bench.accounts
    let errors = await withTaskGroup(of: AccessError?.self) { group in
      for index in 0..<40 {
        group.addTask {
          await accessError {
            _ = try await accounts.login(name: "alice", password: "guess \(index)", address: "6.6.6.6")
          }
        }
      }
      return await group.reduce(into: [AccessError?]()) { $0.append($1) }
    }
    #expect(
      (10...12).contains(errors.count { $0 == .wrongPassword }),
      "what is checked at one time may pass the bound")
    #expect(errors.allSatisfy { $0 == .wrongPassword || $0 == .throttled(retryAfterSeconds: 60) })
  }

  @Test func anAddressIsThrottledAsAWhole() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    for index in 0..<100 { _ = await accessError { _ = try await bench.bearer("user\(index)", "x") } }
    #expect(
      await accessError { _ = try await bench.bearer("alice", "pw") } == .throttled(retryAfterSeconds: 60))
    _ = try await bench.bearer("alice", "pw", address: "10.0.0.2")
  }

  @Test func aClockSetBackLocksNobodyOut() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    for _ in 0..<10 { _ = await accessError { _ = try await bench.bearer("alice", "x") } }
    bench.advance(seconds: -86_400)
    #expect(
      await accessError { _ = try await bench.bearer("alice", "pw") } == .throttled(retryAfterSeconds: 60))
    bench.advance(seconds: 60)
    _ = try await bench.bearer("alice", "pw")
  }

  @Test func tooManyLoginsAtOnceAreRefusedAtOnce() async throws {
    let bench = try await AccessBench(waitingMax: 0)
    defer { bench.remove() }
    #expect(await accessError { _ = try await bench.bearer("alice", "pw") } == .overloaded)
  }

  @Test func passwordRulesOfProduction() async throws {
    let bench = try await AccessBench(rules: PasswordRules(isStrict: true))
    defer { bench.remove() }
    for weak in [
      "", "short", "elevenchars", "Administrator1", "Password1234", "passwordpassword", "qwertyuiop12",
      "aaaaaaaaaaaa",
      "123456789012", "nul\u{0}character.s", "alice-the-great", "abababababab",
      String(repeating: "x1y2", count: 300),
    ] {
      let error = await accessError {
        try await bench.accounts.create(name: "Alice-The-Great", password: weak, role: .user)
      }
      guard case .weakPassword? = error else {
        Issue.record("\(weak) was taken: \(String(describing: error))")
        continue
      }
    }
    for (index, good) in ["correct-horse-b", "ünïcödé-païs!", "tr0ub4dor&3xyz", "eleven chars 1"].enumerated()
    {
      try await bench.accounts.create(name: "user\(index)", password: good, role: .user)
    }
  }

  @Test func userNamesHaveOneFormAndOneLook() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    let bad = [
      "", " alice", "alice ", "a\nb", "a\u{0}", "a\u{202E}b", String(repeating: "é", count: 128),
      // Another form; compatibility forms; symbols; scripts that look alike, mixed.
      "Jose\u{301}", "BAN\u{212A}", "\u{FF41}dmin", "\u{1D41A}dmin", "a\u{AD}b", "a\u{FE0F}b", "ad\u{2713}",
      "\u{430}dmin", "p\u{3B1}ul",
    ]
    for bad in bad {
      let error = await accessError {
        try await bench.accounts.create(name: bad, password: "pw", role: .user)
      }
      guard case .invalidName? = error else {
        Issue.record("\(bad.debugDescription) was taken")
        continue
      }
    }
    for (name, alike) in [
      ("Jos\u{E9} 李", "JOS\u{C9} 李"), ("admin", "adm\u{131}n"), ("cop", "\u{441}\u{43E}\u{440}"),
      ("voix", "VOIX"), ("\u{3BF}\u{3C1}", "op"),
    ] {
      try await bench.accounts.create(name: name, password: "pw", role: .user)
      _ = try await bench.bearer(name, "pw")
      #expect(await accessError { _ = try await bench.bearer(alike, "pw") } == .wrongPassword)
      let error = await accessError {
        try await bench.accounts.create(name: alike, password: "pw", role: .user)
      }
      #expect(error == .userExists, "\(alike.debugDescription)")
    }
    #expect(await accessError { _ = try await bench.bearer("Jose\u{301} 李", "pw") } == .wrongPassword)
  }

  /// A hash takes a core for 100 ms: none is made for a name that is refused. A checker with no room makes
  /// none.
  @Test func namesOfOthersCostNoHash() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "admin", password: "pw", role: .user)
    let full = try await AccessBench(waitingMax: 0, folder: bench.folder)
    for (name, expected) in [
      ("admin", AccessError.userExists), ("ADMIN", .userExists), ("adm\u{131}n", .userExists),
      ("somebody", .overloaded),
    ] {
      let error = await accessError {
        try await full.accounts.create(name: name, password: "pw", role: .user)
      }
      #expect(error == expected, "\(name)")
    }
    // Gone is gone: the look is free again.
    try await bench.accounts.create(name: "root", password: "pw", role: .admin)
    try await bench.accounts.remove(name: "admin", heir: nil)
    try await bench.accounts.create(name: "ADMIN", password: "pw", role: .user)
  }

  /// As a socket for both kinds of addresses has those of IPv4.
  @Test func addressesOfIPv4WithinIPv6AreNoNetwork() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    for _ in 0..<LoginThrottle.userFailuresMax {
      _ = await accessError { _ = try await bench.bearer("alice", "no", address: "::ffff:192.0.2.1") }
    }
    #expect(
      await accessError { _ = try await bench.bearer("alice", "pw", address: "::ffff:192.0.2.1") }
        == .throttled(retryAfterSeconds: 60))
    _ = try await bench.bearer("alice", "pw", address: "::ffff:192.0.2.2")
  }

  @Test func namesOfMarksCostNothing() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let name = "a" + String(repeating: "\u{301}\u{316}", count: 500_000)
    #expect(await accessError { _ = try await bench.bearer(name, "pw") } == .wrongPassword)
    #expect(bench.accounts.loggedName(name) == "unknown")
    #expect(bench.accounts.loggedName("alice") == "alice")
    let unknown = bench.accounts.loggedName("hunter2")
    #expect(unknown.hasPrefix("unknown-") && !unknown.contains("hunter2"))
    #expect(unknown == bench.accounts.loggedName("hunter2"))
  }

  @Test func aChangedPasswordEndsOtherTokens() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    let own = try await bench.bearer("alice", "pw")
    let other = try await bench.bearer("alice", "pw")
    let principal = try bench.accounts.authenticate(authorization: own)
    let wrong = await accessError {
      try await bench.accounts.changePassword(
        principal, authorization: own, current: "x", new: "pw2", address: "10.0.0.1")
    }
    #expect(wrong == .wrongPassword)
    _ = try bench.accounts.authenticate(authorization: other)
    try await bench.accounts.changePassword(
      principal, authorization: own, current: "pw", new: "pw2", address: "10.0.0.1")
    _ = try bench.accounts.authenticate(authorization: own)
    #expect(throws: CredentialError.unknown) { try bench.accounts.authenticate(authorization: other) }
    #expect(await accessError { _ = try await bench.bearer("alice", "pw") } == .wrongPassword)
    _ = try await bench.bearer("alice", "pw2")
  }

  @Test func theServerSeesWhatAnotherProcessChanged() async throws {
    let server = try await AccessBench()
    defer { server.remove() }
    try await server.accounts.create(name: "root", password: "pw", role: .admin)
    try await server.accounts.create(name: "alice", password: "pw", role: .user)
    let header = try await server.bearer("alice", "pw")
    let tool = try await server.other()
    try await tool.accounts.create(name: "bob", password: "pw", role: .user)
    _ = try await server.bearer("bob", "pw")
    try await tool.accounts.setPassword(name: "alice", "pw2")
    try await server.database.catchUp()
    #expect(throws: CredentialError.unknown) { try server.accounts.authenticate(authorization: header) }
    let again = try await server.bearer("alice", "pw2")
    try await tool.accounts.remove(name: "alice", heir: nil)
    try await server.database.catchUp()
    #expect(throws: CredentialError.unknown) { try server.accounts.authenticate(authorization: again) }
    #expect(server.accounts.users().map(\.name) == ["bob", "root"])
    #expect(
      await accessError { try await tool.accounts.remove(name: "root", heir: nil) } == .lastAdministrator)
  }

  @Test func aNewerDatabaseIsNotTouched() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.database.settings.set("x", to: "y")
    try AccessDatabaseFault.addUnknownMigration(bench.folder)
    let error = await accessError { _ = try ControlDatabase(path: bench.folder + "/control.sqlite") }
    guard case .database(let text)? = error else {
      Issue.record("it was opened")
      return
    }
    #expect(text.contains("newer version"))
  }

  @Test func aFileThatIsNoDatabaseIsNamed() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    let path = bench.folder + "/broken.sqlite"
    try Data(repeating: 7, count: 8192).write(to: URL(fileURLWithPath: path))
    let error = await accessError { _ = try ControlDatabase(path: path) }
    guard case .database(let text)? = error else {
      Issue.record("it was opened")
      return
    }
    #expect(text.contains(path))
  }
}
