import Access
import Records
import Testing

/// Grants and saved views, on any control plane.
@Suite struct PageConformance {
  private func grant(_ realm: Realm, _ name: String, _ role: Role = .reader) -> Grant {
    Grant(tenant: Tenant(realm: realm, name: name), role: role)
  }

  @Test(arguments: PlaneKind.allCases)
  func aUserHasOneGrantATenant(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let grants = open.plane.grants
    let (alice, bob) = (try await open.user("alice", .admin), try await open.user("bob"))
    let mirror = try await Mirror(open.plane)
    // Names that look alike are two, as bytes decide.
    let all = [
      grant(.native, "Z"), grant(.native, "ne\u{301}"), grant(.native, "n\u{E9}"), grant(.audit, "a"),
    ]
    try await grants.set([all[3], all[2], all[0], all[1]], of: bob.id)
    #expect(mirror.state.grants == [bob.id: all])
    try await grants.give(grant(.audit, "a", .admin), to: bob.id, countMax: 4)
    #expect(mirror.state.grants[bob.id]?.last == grant(.audit, "a", .admin), "another role")
    let fifth = await accessError { try await grants.give(grant(.audit, "b"), to: bob.id, countMax: 4) }
    guard case .limitReached? = fifth else {
      Issue.record("\(String(describing: fifth))")
      return
    }
    #expect(mirror.state.grants[bob.id]?.count == 4, "what failed tells nothing")
    try await grants.give(grant(.native, "Z"), to: alice.id, countMax: 1)
    try await grants.take(all[1].tenant, from: bob.id)
    #expect(mirror.state.grants[bob.id]?.map(\.tenant.name) == ["Z", "n\u{E9}", "a"])
    #expect(await accessError { try await grants.take(all[1].tenant, from: bob.id) } == .noGrant)
    #expect(await accessError { try await grants.take(all[3].tenant, from: alice.id) } == .noGrant)
    #expect(await accessError { try await grants.set([], of: 9_999) } == .unknownUser)
    #expect(
      await accessError { try await grants.give(all[0], to: 9_999, countMax: 9) } == .unknownUser)
    #expect(try await Mirror(open.other).state == mirror.state)
    try await open.plane.accounts.removeUser(bob, heir: nil)
    #expect(Array(mirror.state.grants.keys) == [alice.id])
    try await grants.set([], of: alice.id)
    #expect(mirror.state.grants.isEmpty)
    #expect(try await Mirror(open.other).state == mirror.state)
  }

  @Test(arguments: PlaneKind.allCases)
  func viewsAreOneANameInTheirScope(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let views = open.plane.views
    let (alice, bob) = (try await open.user("alice", .admin), try await open.user("bob"))
    let shop = Tenant(realm: .native, name: "shop")
    let scopes = [
      ViewScope(tenant: shop), ViewScope(tenant: Tenant(realm: .audit, name: "shop")),
      ViewScope(tenant: shop, userID: alice.id), ViewScope(tenant: shop, userID: bob.id),
    ]
    for (index, scope) in scopes.enumerated() {
      try await views.save(
        SavedView(name: "n\u{E9}", kind: .view, value: "\(index)"), in: scope, limits: ViewLimits())
    }
    try await views.save(
      SavedView(name: "ne\u{301}", kind: .board, value: "[]"), in: scopes[0], limits: ViewLimits())
    try await views.save(
      SavedView(name: "n\u{E9}", kind: .board, value: "9"), in: scopes[0], limits: ViewLimits())
    let all = try await open.other.views.views(in: scopes[0])
    #expect(all.map(\.name.utf8.count) == [4, 3] && all.map(\.value) == ["[]", "9"])
    #expect(all.map(\.kind) == [.board, .board])
    var limits = ViewLimits()
    limits.countMax = 2
    let third = SavedView(name: "3", kind: .view, value: "3")
    guard
      case .limitReached? = await accessError({ try await views.save(third, in: scopes[0], limits: limits) })
    else {
      Issue.record("too many were kept")
      return
    }
    limits = ViewLimits()
    limits.bytesMax = 12
    try await views.save(SavedView(name: "3", kind: .view, value: "1"), in: scopes[0], limits: limits)
    guard
      case .limitReached? = await accessError({
        try await views.save(
          SavedView(name: "3", kind: .view, value: "\u{E9}"), in: scopes[0], limits: limits)
      })
    else {
      Issue.record("too long ones were kept")
      return
    }
    #expect(try await views.views(in: scopes[0]).first?.value == "1")
    #expect(await accessError { try await views.removeView("none", in: scopes[0]) } == .noView)
    try await views.removeView("n\u{E9}", in: scopes[0])
    #expect(try await views.views(in: scopes[0]).map(\.name.utf8.count) == [1, 4])
    try await open.plane.accounts.removeUser(bob, heir: nil)
    #expect(try await views.views(in: scopes[3]).isEmpty)
    #expect(try await views.views(in: scopes[2]).map(\.value) == ["2"])
    #expect(
      await accessError { try await views.save(third, in: scopes[3], limits: ViewLimits()) } == .unknownUser)
  }

  @Test(arguments: PlaneKind.allCases)
  func containersHaveIdentities(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let alice = try await open.user("alice")
    for name in ["a", "b"] {
      try await open.plane.catalog.createContainer(name, identity: name + "~1", owner: "alice", at: 1)
    }
    #expect(Set(try await open.plane.catalog.identities(of: alice.id)) == ["a~1", "b~1"])
    #expect(try await open.plane.catalog.identities(of: 9_999).isEmpty)
  }
}
