import Access
import Foundation
import Records
import Testing

/// Containers, sessions, and whose they are; cursors' seals.
@Suite struct CatalogTests {
  @Test(arguments: [
    ("a", true), ("A-b_9", true), ("0", true), (String(repeating: "x", count: 128), true),
    (String(repeating: "x", count: 129), false), ("", false), ("-", false), ("_-_", false), ("a b", false),
    ("a/b", false), ("a.b", false), ("ü", false), ("a\u{0}", false), ("é1", false), ("a\n", false),
  ])
  func namesAtTheEdgeOfTheRule(name: String, isValid: Bool) {
    #expect(SessionCatalog.isValid(name: name) == isValid)
  }

  @Test func oneOfManyCreatorsWins() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    try await bench.accounts.create(name: "bob", password: "pw", role: .user)
    let catalog = bench.catalog
    let results = await withTaskGroup(of: AccessError?.self) { group in
      for index in 0..<16 {
        group.addTask {
          await accessError {
            try await catalog.createContainer("c", owner: index % 2 == 0 ? "alice" : "bob")
          }
        }
      }
      return await group.reduce(into: [AccessError?]()) { $0.append($1) }
    }
    #expect(results.count { $0 == nil } == 1)
    #expect(results.count { $0 == .containerExists } == 15)
    let owners = try await [catalog.containers(of: "alice"), catalog.containers(of: "bob")].map(\.count)
    #expect(owners.reduce(0, +) == 1)
  }

  @Test func anothersContainerIsAsGoodAsNone() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    let catalog = bench.catalog
    for name in ["alice", "bob"] { try await bench.accounts.create(name: name, password: "pw", role: .user) }
    try await catalog.createContainer("c", owner: "alice")
    try await catalog.createSession("s", in: "c", owner: "alice")
    #expect(
      await accessError { try await catalog.createSession("s", in: "c", owner: "alice") } == .sessionExists)
    for container in ["c", "none"] {
      #expect(await accessError { try await catalog.checkContainer(container, owner: "bob") } == .noContainer)
      #expect(
        await accessError { try await catalog.createSession("t", in: container, owner: "bob") }
          == .noContainer)
      #expect(
        await accessError { _ = try await catalog.sessions(of: container, owner: "bob") } == .noContainer)
      for _ in 0..<2 {
        #expect(
          await accessError { _ = try await catalog.session("s", in: container, owner: "bob") } == .noSession)
      }
    }
    for (container, session) in [("c\u{0}", "s"), ("c", "s\u{0}"), ("c\u{0}x", "s"), ("c", "")] {
      #expect(
        await accessError { _ = try await catalog.session(session, in: container, owner: "alice") }
          == .noSession)
    }
    #expect(await accessError { try await catalog.checkContainer("c\u{0}", owner: "alice") } == .noContainer)
    #expect(try await catalog.session("s", in: "c", owner: "alice").isWritten == false)
    #expect(
      await accessError { _ = try await catalog.session("s", in: "c", owner: "bob") } == .noSession,
      "also once it is in memory")
  }

  @Test func thatRecordsWereWrittenIsRemembered() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    try await bench.catalog.createContainer("c", owner: "alice")
    try await bench.catalog.createSession("s", in: "c", owner: "alice")
    let session = try await bench.catalog.session("s", in: "c", owner: "alice")
    try await bench.catalog.markWritten(session)
    try await bench.catalog.markWritten(session)
    #expect(try await bench.catalog.session("s", in: "c", owner: "alice").isWritten)
    #expect(try await bench.other().catalog.session("s", in: "c", owner: "alice").isWritten)
  }

  /// The control database is lost, or an older one put back, and somebody else takes the name.
  @Test func aNameTakenAnewIsAnotherContainer() async throws {
    var identities: Set<String> = []
    for _ in 0..<3 {
      let bench = try await AccessBench()
      defer { bench.remove() }
      try await bench.accounts.create(name: "alice", password: "pw", role: .user)
      for name in ["c", "d"] {
        try await bench.catalog.createContainer(name, owner: "alice")
        for session in ["s", "t"] { try await bench.catalog.createSession(session, in: name, owner: "alice") }
        let found = try await bench.catalog.session("s", in: name, owner: "alice")
        #expect(found.container == name && found.identity.hasPrefix(name + "~"))
        #expect(!SessionCatalog.isValid(name: found.identity), "no name is an identity")
        let sibling = try await bench.catalog.session("t", in: name, owner: "alice")
        let again = try await bench.other().catalog.session("s", in: name, owner: "alice")
        #expect(sibling.identity == found.identity && again.identity == found.identity)
        identities.insert(found.identity)
      }
    }
    #expect(identities.count == 6)
  }

  /// Records of containers that were there before identities have the name.
  @Test func containersOfTheVersionBeforeKeepTheirRecords() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    try await bench.catalog.createContainer("old", owner: "alice")
    try await bench.catalog.createSession("s", in: "old", owner: "alice")
    try bench.database.close()
    try AccessDatabaseFault.undoIdentities(bench.folder)
    let opened = try await bench.other()
    try await opened.catalog.createContainer("new", owner: "alice")
    try await opened.catalog.createSession("s", in: "new", owner: "alice")
    #expect(try await opened.catalog.session("s", in: "old", owner: "alice").identity == "old")
    #expect(try await opened.catalog.session("s", in: "new", owner: "alice").identity != "new")
    #expect(
      await accessError { try await opened.catalog.createContainer("old", owner: "alice") }
        == .containerExists)
  }

  @Test func removingAUserHandsContainersOver() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "root", password: "pw", role: .admin)
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    try await bench.catalog.createContainer("c", owner: "alice")
    try await bench.catalog.createSession("s", in: "c", owner: "alice")
    _ = try await bench.catalog.session("s", in: "c", owner: "alice")
    let tool = try await bench.other()
    #expect(
      await accessError { try await tool.accounts.remove(name: "alice", heir: nil) } == .ownsContainers(1))
    #expect(
      await accessError { try await tool.accounts.remove(name: "alice", heir: "alice") } == .ownsContainers(1)
    )
    #expect(await accessError { try await tool.accounts.remove(name: "alice", heir: "none") } == .unknownUser)
    try await tool.accounts.remove(name: "alice", heir: "root")
    try await bench.database.catchUp()
    _ = try await bench.catalog.session("s", in: "c", owner: "root")
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    #expect(
      await accessError { _ = try await bench.catalog.session("s", in: "c", owner: "alice") } == .noSession,
      "a new user of an old name inherits nothing")
  }

  @Test func listsAreNewestFirst() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    try await bench.accounts.create(name: "alice", password: "pw", role: .user)
    for name in ["a", "b", "c"] {
      try await bench.catalog.createContainer(name, owner: "alice")
      try await bench.catalog.createSession("s-" + name, in: "a", owner: "alice")
      bench.advance(seconds: 1)
    }
    #expect(try await bench.catalog.containers(of: "alice").map(\.name) == ["c", "b", "a"])
    #expect(try await bench.catalog.sessions(of: "a", owner: "alice").map(\.name) == ["s-c", "s-b", "s-a"])
  }

  @Test func sealedCursorsComeBackOnlyUnchangedAndToTheSame() async throws {
    let bench = try await AccessBench()
    defer { bench.remove() }
    let key = try await bench.database.settings.secret("cursor")
    #expect(try await bench.other().database.settings.secret("cursor") == key, "the same after a restart")
    #expect(try await bench.database.settings.secret("other") != key)
    let seal = CursorSeal(key: key)
    let sealed = seal.seal("abcdef", scope: "alice")
    #expect(seal.open(sealed, scope: "alice") == "abcdef")
    #expect(seal.open(sealed, scope: "bob") == nil)
    #expect(CursorSeal(key: [UInt8](repeating: 1, count: 32)).open(sealed, scope: "alice") == nil)
    let bytes = Array(sealed.utf8)
    for index in bytes.indices {
      for bit: UInt8 in [1, 2, 16] {
        var changed = bytes
        changed[index] ^= bit
        #expect(seal.open(String(decoding: changed, as: UTF8.self), scope: "alice") == nil, "byte \(index)")
      }
      #expect(seal.open(String(decoding: bytes[..<index], as: UTF8.self), scope: "alice") == nil)
    }
  }
}
