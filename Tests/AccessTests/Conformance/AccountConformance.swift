import Access
import Testing

/// Users and tokens, on any control plane.
@Suite struct AccountConformance {
  @Test(arguments: PlaneKind.allCases)
  func usersAreOneAName(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let mirror = try await Mirror(open.plane)
    let alice = try await open.plane.accounts.createUser(
      name: "al\u{E9}", looks: "al\u{E9}", role: .admin, password: "p", hasDefaultPassword: true,
      createdAt: 7)
    #expect(mirror.state.users == [alice.id: alice], "told before it is answered")
    #expect(alice.name == "al\u{E9}" && alice.role == .admin && alice.password == "p")
    #expect(alice.hasDefaultPassword && alice.createdAt == 7)
    let alike = await accessError {
      _ = try await open.plane.accounts.createUser(
        name: "AL\u{C9}", looks: "al\u{E9}", role: .user, password: "p", hasDefaultPassword: false,
        createdAt: 8)
    }
    #expect(alike == .userExists)
    #expect(try await open.user("ale\u{301}").id != alice.id, "bytes decide")
    let bob = try await open.user("bob")
    #expect(bob.id != alice.id)
    #expect(mirror.state.users.count == 3)
  }

  @Test(arguments: PlaneKind.allCases)
  func aTokenNeedsThePasswordItWasMadeFor(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let accounts = open.plane.accounts
    let alice = try await open.user("alice", .admin)
    let mirror = try await Mirror(open.plane)
    try await accounts.issue(token("a", of: alice), password: "pw of alice", replacing: nil, tokensMax: 9)
    #expect(
      await accessError {
        try await accounts.issue(token("b", of: alice), password: "old", replacing: nil, tokensMax: 9)
      } == .wrongPassword)
    try await accounts.issue(
      token("c", of: alice), password: "pw of alice", replacing: TokenHash(of: "a"), tokensMax: 9)
    #expect(
      await accessError {
        try await accounts.issue(
          token("d", of: alice), password: "pw of alice", replacing: TokenHash(of: "a"), tokensMax: 9)
      } == .unknownUser, "it ended")
    #expect(Set(mirror.state.tokens.keys) == [TokenHash(of: "c")])
    try await accounts.end(TokenHash(of: "c"))
    try await accounts.end(TokenHash(of: "never"))
    #expect(mirror.state.tokens.isEmpty)
    #expect(try await Mirror(open.other).state == mirror.state)
  }

  @Test(arguments: PlaneKind.allCases)
  func theOldestTokensEnd(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let alice = try await open.user("alice", .admin)
    let bob = try await open.user("bob")
    let mirror = try await Mirror(open.plane)
    func issue(_ text: String, _ user: UserRecord, _ time: Int64) async throws {
      try await open.plane.accounts.issue(
        token(text, of: user, at: time), password: user.password, replacing: nil, tokensMax: 2)
    }
    try await issue("b", bob, 1)
    for (text, time) in [("1", 10), ("2", 30), ("3", 20), ("4", 40)] as [(String, Int64)] {
      try await issue(text, alice, time)
    }
    #expect(Set(mirror.state.tokens.keys) == Set(["b", "2", "4"].map { TokenHash(of: $0) }))
    try await open.plane.accounts.endExpired([TokenHash(of: "4"), TokenHash(of: "b")], now: 105)
    #expect(Set(mirror.state.tokens.keys) == [TokenHash(of: "2")])
    #expect(try await Mirror(open.other).state == mirror.state)
  }

  @Test(arguments: PlaneKind.allCases)
  func anotherPasswordEndsTokens(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let alice = try await open.plane.accounts.createUser(
      name: "alice", looks: "alice", role: .admin, password: "one", hasDefaultPassword: true, createdAt: 1)
    let bob = try await open.user("bob")
    let mirror = try await Mirror(open.plane)
    for (text, user) in [("a1", alice), ("a2", alice), ("b", bob)] {
      try await open.plane.accounts.issue(
        token(text, of: user), password: user.password, replacing: nil, tokensMax: 9)
      try await open.plane.queryTokens.issue(
        queryToken("q" + text, of: user.name, id: user.id), password: user.password, endingOldest: 0)
    }
    try await open.plane.accounts.setPassword("two", of: alice, keeping: TokenHash(of: "a2"))
    #expect(mirror.state.users[alice.id] == alice.with(password: "two"))
    #expect(mirror.state.users[alice.id]?.hasDefaultPassword == false)
    #expect(Set(mirror.state.tokens.keys) == [TokenHash(of: "a2"), TokenHash(of: "b")])
    #expect(mirror.state.queryTokens.values.map(\.user) == ["bob"])
    let late = await accessError {
      try await open.plane.queryTokens.issue(
        queryToken("late", of: "alice", id: alice.id), password: "one", endingOldest: 0)
    }
    #expect(late == .wrongPassword, "the password was checked before it was changed")
    try await open.plane.accounts.setPassword("three", of: alice, keeping: nil)
    #expect(Set(mirror.state.tokens.keys) == [TokenHash(of: "b")])
    #expect(try await Mirror(open.other).state == mirror.state)
    try await open.plane.accounts.removeUser(bob, heir: nil)
    #expect(
      await accessError { try await open.plane.accounts.setPassword("x", of: bob, keeping: nil) }
        == .unknownUser)
  }

  @Test(arguments: PlaneKind.allCases)
  func removingAUserLeavesNothingBehind(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let (accounts, catalog) = (open.plane.accounts, open.plane.catalog)
    let root = try await open.user("root", .admin)
    let alice = try await open.user("alice")
    let mirror = try await Mirror(open.plane)
    try await accounts.issue(token("a", of: alice), password: alice.password, replacing: nil, tokensMax: 9)
    try await open.plane.queryTokens.issue(
      queryToken("q", of: "alice", id: alice.id), password: nil, endingOldest: 0)
    try await catalog.createContainer("c", identity: "c~1", owner: "alice", at: 1)
    try await catalog.createSession("s", in: "c", owner: "alice", at: 1)
    let before = mirror.state
    #expect(await accessError { try await accounts.removeUser(alice, heir: nil) } == .ownsContainers(1))
    #expect(await accessError { try await accounts.removeUser(alice, heir: alice) } == .ownsContainers(1))
    #expect(await accessError { try await accounts.removeUser(root, heir: nil) } == .lastAdministrator)
    #expect(mirror.state == before && mirror.catalogChangeCount == 0, "what failed tells nothing")
    #expect(try await Mirror(open.other).state == before, "and changes nothing")
    try await accounts.removeUser(alice, heir: root)
    #expect(mirror.state.users == [root.id: root])
    #expect(mirror.state.tokens.isEmpty && mirror.state.queryTokens.isEmpty)
    #expect(mirror.catalogChangeCount == 1)
    #expect(try await catalog.session("s", in: "c")?.owner == "root")
    #expect(try await open.user("alice").id != alice.id, "nobody gets the number of another")
  }
}
