import Access
import TestKit
import Testing

/// What is told of changes, on any control plane.
@Suite struct ChangeConformance {
  @Test(arguments: PlaneKind.allCases)
  func othersChangesAreToldWhenCaughtUp(kind: PlaneKind) async throws {
    let open = try await kind.open()
    let mirror = try await Mirror(open.plane)
    try await open.plane.changes.catchUp()
    #expect(mirror.state == Mirror.State() && mirror.catalogChangeCount == 0)
    let alice = try await open.other.accounts.createUser(
      name: "alice", looks: "alice", role: .admin, password: "p", hasDefaultPassword: false, createdAt: 1)
    try await open.other.tenants.create(AuditTenant(name: "n", key: "k", secret: "s", createdAt: 2))
    try await open.plane.changes.catchUp()
    #expect(mirror.state.users == [alice.id: alice] && mirror.state.tenants.map(\.key) == ["k"])
    #expect(mirror.catalogChangeCount > 0, "what is remembered of containers may be wrong")
    let count = mirror.catalogChangeCount
    _ = try await open.user("bob")
    try await open.plane.changes.catchUp()
    #expect(mirror.catalogChangeCount == count, "its own changes are no news")
    try await open.plane.close()
    try await open.other.close()
  }

  /// Changes of many tasks, here and elsewhere: whoever is told of them holds what is durable.
  @Test(arguments: PlaneKind.allCases, [1, 2, 3] as [UInt64])
  func whatIsToldIsWhatIsThere(kind: PlaneKind, seed: UInt64) async throws {
    let open = try await kind.open()
    let mirror = try await Mirror(open.plane)
    _ = try await open.user("root", .admin)
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<6 {
        group.addTask {
          var generator = SeededGenerator(seed: seed * 10 + UInt64(task))
          // One of the tasks may be another process, whose changes are told as a whole.
          let plane = task == 5 && seed != 1 ? open.other : open.plane
          for step in 0..<25 { await change(plane, mirror, step: task * 100 + step, using: &generator) }
        }
      }
    }
    try await open.plane.changes.catchUp()
    #expect(try await Mirror(open.other).state == mirror.state, "seed \(seed)")
    #expect(mirror.state.users.values.contains { $0.role == .admin })
  }
}

/// Does something at random, which may be refused.
private func change(
  _ plane: any ControlPlane, _ mirror: Mirror, step: Int, using generator: inout SeededGenerator
) async {
  let users = mirror.state.users.values.sorted { $0.id < $1.id }
  let user = users.randomElement(using: &generator)
  let kind = Int.random(in: 0..<8, using: &generator)
  _ = await accessError {
    switch (kind, user) {
    case (0, _), (_, nil):
      _ = try await plane.accounts.createUser(
        name: "u\(step % 9)", looks: "u\(step % 9)", role: step % 2 == 0 ? .admin : .user, password: "p",
        hasDefaultPassword: false,
        createdAt: Int64(step))
    case (1, let user?): try await plane.accounts.removeUser(user, heir: nil)
    case (2, let user?): try await plane.accounts.setPassword("p\(step)", of: user, keeping: nil)
    case (3, let user?):
      try await plane.queryTokens.issue(
        queryToken("q\(step)", of: user.name, id: user.id, at: Int64(step)), password: nil,
        endingOldest: step % 3)
    case (4, let user?):
      try await plane.accounts.endExpired(
        mirror.state.tokens.values.filter { $0.userID == user.id }.map(\.hash), now: 0)
    case (_, let user?):
      try await plane.accounts.issue(
        token("t\(step)", of: user, at: Int64(step)), password: user.password, replacing: nil, tokensMax: 3)
    }
  }
}
