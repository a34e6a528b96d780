import Access
import Forwarding
import Records
import Testing

/// Keys, tenants, tokens of the query-log API, containers, settings and forwarders, on any control plane.
@Suite struct TableConformance {
  private func key(_ name: String, _ realm: Realm, made: Int64 = 1) -> KeyRecord {
    var key = StoredKey(name: name, tenant: Tenant(realm: realm, name: "t"), role: .user, createdAt: made)
    if realm == .ingest {
      key = StoredKey(
        name: name, tenant: Tenant(realm: realm, name: name), role: .writer, createdAt: made)
    }
    key.isActive = made != 3
    key.purpose = "for \(name)"
    return KeyRecord(hash: TokenHash(of: "\(name) \(realm.name) \(made)"), key: key)
  }

  @Test(arguments: PlaneKind.allCases)
  func oneKeyOfANameHolds(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let keys = open.plane.keys
    let mirror = try await Mirror(open.plane)
    try await keys.create(key("n\u{E9}", .native))
    try await keys.create(key("N\u{E9}", .native, made: 3))
    try await keys.create(key("n\u{E9}", .workflow))
    try await keys.create(key("In", .ingest))
    let all = mirror.state.keys
    #expect(all.map(\.key.name) == ["n\u{E9}", "N\u{E9}", "n\u{E9}", "In"])
    #expect(all[1] == key("N\u{E9}", .native, made: 3))
    for (name, realm) in [("n\u{E9}", Realm.native), ("iN", .ingest)] {
      #expect(await accessError { try await keys.create(key(name, realm, made: 2)) } == .keyExists)
    }
    #expect(
      await accessError { try await keys.revoke(name: "x", realm: .native, at: 9) } == .unknownKey)
    #expect(
      await accessError { try await keys.revoke(name: "iN", realm: .ingest, at: 9) } == .unknownKey)
    #expect(mirror.state.keys == all)
    try await keys.revoke(name: "n\u{E9}", realm: .native, at: 9)
    #expect(mirror.state.keys.map(\.key.revokedAt) == [9, nil, nil, nil])
    #expect(
      await accessError { try await keys.revoke(name: "n\u{E9}", realm: .native, at: 9) } == .unknownKey)
    try await keys.create(key("n\u{E9}", .native, made: 4))
    #expect(mirror.state.keys.count == 5)
    #expect(try await Mirror(open.other).state == mirror.state)
  }

  @Test(arguments: PlaneKind.allCases)
  func tenantsAreOneAKey(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let mirror = try await Mirror(open.plane)
    let tenants = ["z", "a"].map { AuditTenant(name: "x", key: $0, secret: "s" + $0, createdAt: 3) }
    for tenant in tenants { try await open.plane.tenants.create(tenant) }
    let again = AuditTenant(name: "y", key: "a", secret: "t", createdAt: 4)
    #expect(await accessError { try await open.other.tenants.create(again) } == .tenantExists)
    #expect(mirror.state.tenants == tenants)
    #expect(try await Mirror(open.other).state.tenants == tenants)
    let revocations: [TokenRevocation] = [
      .token(tenant: "a", id: "1", until: 50), .before(tenant: "z", time: 20),
    ]
    for revocation in revocations {
      try await open.plane.tenants.revoke(revocation, now: 10, countMax: 9)
    }
    #expect(mirror.state.revoked == Set(revocations))
    #expect(try await Mirror(open.other).state.revoked == Set(revocations))
  }

  @Test(arguments: PlaneKind.allCases)
  func queryTokensEnd(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let tokens = open.plane.queryTokens
    let mirror = try await Mirror(open.plane)
    for (index, name) in ["a", "b", "c"].enumerated() {
      try await tokens.issue(
        queryToken(name, of: name, at: 10 - Int64(index)), password: nil, endingOldest: -1)
    }
    try await tokens.issue(queryToken("d", of: "a", at: 50), password: nil, endingOldest: 2)
    #expect(Set(mirror.state.queryTokens.keys) == [TokenHash(of: "a"), TokenHash(of: "d")])
    try await tokens.endExpired(now: 109)
    #expect(mirror.state.queryTokens.count == 2)
    try await tokens.endExpired(now: 110)
    #expect(Set(mirror.state.queryTokens.keys) == [TokenHash(of: "d")])
    #expect(try await Mirror(open.other).state == mirror.state)
  }

  @Test(arguments: PlaneKind.allCases)
  func containersAreTheirOwners(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let catalog = open.plane.catalog
    for name in ["alice", "bob"] { _ = try await open.user(name) }
    for (index, name) in ["a", "b", "c"].enumerated() {
      try await catalog.createContainer(name, identity: name + "~1", owner: "alice", at: index == 0 ? 1 : 2)
      try await catalog.createSession("s-" + name, in: "a", owner: "alice", at: index == 0 ? 1 : 2)
    }
    #expect(
      await accessError { try await catalog.createContainer("a", identity: "a~2", owner: "bob", at: 3) }
        == .containerExists)
    #expect(
      await accessError { try await catalog.createContainer("d", identity: "d~1", owner: "none", at: 3) }
        == .unknownUser)
    #expect(try await catalog.containers(of: "alice").map(\.name) == ["c", "b", "a"])
    #expect(try await catalog.containers(of: "bob").isEmpty)
    try await catalog.checkContainer("a", owner: "alice")
    for (name, owner) in [("a", "bob"), ("x", "alice"), ("a", "none")] {
      #expect(await accessError { try await catalog.checkContainer(name, owner: owner) } == .noContainer)
      #expect(
        await accessError { try await catalog.createSession("n", in: name, owner: owner, at: 1) }
          == .noContainer)
      #expect(await accessError { _ = try await catalog.sessions(of: name, owner: owner) } == .noContainer)
    }
    #expect(
      await accessError { try await catalog.createSession("s-a", in: "a", owner: "alice", at: 1) }
        == .sessionExists)
    try await catalog.createSession("s-a", in: "b", owner: "alice", at: 1)
    let sessions = try await catalog.sessions(of: "a", owner: "alice")
    #expect(sessions.map(\.name) == ["s-c", "s-b", "s-a"] && sessions.map(\.createdAt) == [2, 2, 1])
    let session = try #require(try await catalog.session("s-a", in: "a"))
    #expect(session.owner == "alice" && !session.isWritten && session.container == "a~1")
    try await catalog.markWritten(id: session.id)
    #expect(try await open.other.catalog.session("s-a", in: "a")?.isWritten == true)
    #expect(try await catalog.session("s-a", in: "b")?.isWritten == false)
    #expect(try await catalog.session("s-a", in: "c") == nil)
  }

  @Test(arguments: PlaneKind.allCases)
  func settingsAreMadeOnce(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let settings = open.plane.settings
    #expect(try await settings.value(of: "x", orElse: "first") == "first")
    #expect(try await open.other.settings.value(of: "x", orElse: "second") == "first")
    try await settings.set("x", to: "third")
    #expect(try await open.other.settings.value(of: "x", orElse: "second") == "third")
    let secret = try await settings.secret("s")
    #expect(secret.count == 32)
    #expect(try await open.other.settings.secret("s") == secret)
    #expect(try await settings.secret("t") != secret)
    try await settings.set("secret:s", to: "damaged")
    guard case .database? = await accessError({ _ = try await settings.secret("s") }) else {
      Issue.record("a damaged secret was taken")
      return
    }
  }

  @Test(arguments: PlaneKind.allCases)
  func forwardersKeepTheirPlace(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let state = open.plane.forwarding
    let tenant = Tenant(realm: .ingest, name: "a")
    let other = Tenant(realm: .native, name: "a")
    #expect(try await state.open("loki").isNew)
    func letter(_ position: Int64, _ tenant: Tenant) -> DeadLetter {
      DeadLetter(
        tenant: tenant, position: position, id: [UInt8](repeating: 7, count: 16), timestamp: -5,
        ingestedAt: 2, refusedAt: 3, reason: .tooOld, status: 400, attempts: 1,
        entry: Array(#"{"ä":1}"#.utf8))
    }
    let cursor = SavedCursor(
      tenant: tenant, position: 7,
      backlog: SavedBacklog(bytes: 9, countedEnd: 8, recordBytesMean: 3, oldestAt: 1))
    let counts = try await state.save(
      ForwardingChange(
        cursors: [cursor, SavedCursor(tenant: other, position: 1)],
        letters: (0..<5).map { letter($0, tenant) } + [letter(0, other)], lettersPerTenantMax: 3),
      of: "loki")
    #expect(counts == DeadLetterCounts(byTenant: [tenant: 3, other: 1], droppedCount: 2))
    let saved = try await open.other.forwarding.open("loki")
    #expect(!saved.isNew && saved.cursors.contains(cursor) && saved.cursors.count == 2)
    #expect(saved.deadLetters == [tenant: 3, other: 1])
    #expect(try await state.open("another").cursors.isEmpty)
    let letters = try await state.deadLetters(of: "loki", tenant: tenant, after: 0, limit: 10)
    #expect(letters.map(\.position) == [2, 3, 4] && letters[0].entry == Array(#"{"ä":1}"#.utf8))
    #expect(letters[0].id == [UInt8](repeating: 7, count: 16) && letters[0].reason == .tooOld)
    var again = letters[0]
    again.attempts = 2
    _ = try await state.save(ForwardingChange(letters: [again], lettersPerTenantMax: 3), of: "loki")
    let numbers = letters.map(\.number)
    #expect(try await state.deadLetters(of: "loki", numbers: [numbers[0], 9_999]).map(\.attempts) == [2])
    #expect(try await state.drop([numbers[0], 9_999], of: "loki").byTenant == [tenant: 2, other: 1])
    #expect(try await state.deadLetters(of: "loki", tenant: nil, after: numbers[1], limit: 1).count == 1)
  }
}
