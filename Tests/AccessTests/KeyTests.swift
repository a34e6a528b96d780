import Access
import Codecs
import Crypto
import Foundation
import Records
import TestKit
import Testing

/// API keys: those of the control database, the workflow API's and the native API's.
@Suite struct KeyTests {
  private final class Bench {
    let folder: String
    let clock = ManualClock(1_700_000_000_000_000_000)
    let database: ControlDatabase
    let store: KeyStore
    let workflow: WorkflowKeys
    let native: KeyDirectory

    init(folder: String? = nil, isOpen: Bool = false) async throws {
      let path = folder ?? NSTemporaryDirectory() + "cordwood-keys-\(UUID().uuidString)"
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
      self.folder = path
      database = try ControlDatabase(path: path + "/control.sqlite")
      store = try await KeyStore(database, clock: clock)
      let clients = [
        "test_key_123": Tenant(realm: .workflow, name: "client_1"),
        "test_key_456": Tenant(realm: .workflow, name: "client_2"),
      ]
      workflow = WorkflowKeys(configured: clients, store: store)
      let tenant = Tenant(realm: .native, name: "main")
      let configured = APIKey(name: "conf", key: "configured-key-0001", tenant: tenant, role: .reader)
      native = KeyDirectory(
        keys: isOpen ? [] : [configured], openTenant: isOpen ? tenant : nil, store: store)
    }

    func remove() { try? FileManager.default.removeItem(atPath: folder) }

    func bytes() throws -> Data {
      try FileManager.default.contentsOfDirectory(atPath: folder).reduce(into: Data()) { data, name in
        data.append(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
      }
    }

    func nativeError(_ key: String?) -> CredentialError? {
      do throws(CredentialError) {
        _ = try native.authenticate(authorization: key.map { "Bearer " + $0 })
        return nil
      } catch { return error }
    }

    func workflowError(_ key: String?) -> CredentialError? {
      do throws(CredentialError) {
        _ = try workflow.authenticate(key: key)
        return nil
      } catch { return error }
    }
  }

  @Test func configuredWorkflowKeysAreClients() async throws {
    let bench = try await Bench()
    defer { bench.remove() }
    let principal = try bench.workflow.authenticate(key: "test_key_123")
    #expect(principal.tenant == Tenant(realm: .workflow, name: "client_1"))
    #expect(principal.subject == "client_1")
    #expect(principal.role == .user)
    #expect(try bench.workflow.authenticate(key: "test_key_456").subject == "client_2")
    #expect(bench.workflowError(nil) == .missing)
    #expect(bench.workflowError("") == .missing)
    for key in [
      "test_key_12", "test_key_1233", "TEST_KEY_123", " test_key_123", "client_1", "test_\u{212A}ey_123",
      "configured-key-0001", String(repeating: "x", count: 1_000_000),
    ] {
      #expect(bench.workflowError(key) == .unknown)
      #expect(!bench.workflow.isKnown(key))
    }
    #expect(bench.workflow.isKnown("test_key_123"))
    #expect(!bench.workflow.isKnown(""))
  }

  @Test func aStoredKeyIsShownOnceAndKeptAsItsHash() async throws {
    let bench = try await Bench()
    defer { bench.remove() }
    let key = try await bench.store.create(realm: .workflow, name: "n8n", tenant: "client_9")
    #expect(key.hasPrefix("cw_") && Base64URL.bytes(String(key.dropFirst(3)))?.count == 32)
    let principal = try bench.workflow.authenticate(key: key)
    #expect(principal.tenant == Tenant(realm: .workflow, name: "client_9"))
    #expect(principal.subject == "client_9")
    #expect(principal.role == .user)
    #expect(bench.workflow.isKnown(key))
    let listed = bench.store.keys()
    #expect(listed.map(\.name) == ["n8n"] && listed.map(\.tenant) == [principal.tenant])
    #expect(listed.map(\.createdAt) == [bench.clock.now()] && listed.map(\.revokedAt) == [nil])
    let bytes = try bench.bytes()
    let hash = SHA256.hash(data: Data(key.utf8)).map {
      String($0 >> 4, radix: 16) + String($0 & 15, radix: 16)
    }
    #expect(bytes.range(of: Data(hash.joined().utf8)) != nil, "the database was looked at")
    #expect(bytes.range(of: Data(key.utf8)) == nil)
    #expect(bytes.range(of: Data(key.dropFirst(3).utf8)) == nil)
    #expect(bytes.range(of: Data(Base64URL.bytes(String(key.dropFirst(3))) ?? [])) == nil)
    let restarted = try await Bench(folder: bench.folder)
    #expect(try restarted.workflow.authenticate(key: key) == principal)
    #expect(restarted.store.keys() == listed)
  }

  @Test func realmsDoNotMix() async throws {
    let bench = try await Bench()
    defer { bench.remove() }
    let workflow = try await bench.store.create(realm: .workflow, name: "a", tenant: "t")
    let native = try await bench.store.create(realm: .native, name: "a", tenant: "t", role: .writer)
    #expect(bench.workflowError(native) == .unknown)
    #expect(bench.nativeError(workflow) == .unknown)
    let principal = try bench.native.authenticate(authorization: "bearer " + native)
    #expect(principal.tenant == Tenant(realm: .native, name: "t"))
    #expect(principal.subject == "a")
    #expect(principal.role == .writer)
    #expect(try bench.native.authenticate(authorization: "Bearer configured-key-0001").role == .reader)
    #expect(bench.nativeError("test_key_123") == .unknown)
    try await bench.store.revoke(name: "a", realm: .native)
    #expect(bench.nativeError(native) == .unknown)
    #expect(bench.workflowError(workflow) == nil)
  }

  @Test func revokedKeysAreDeadAndTheirNamesFree() async throws {
    let bench = try await Bench()
    defer { bench.remove() }
    let first = try await bench.store.create(realm: .native, name: "ci", tenant: "t")
    #expect(
      await accessError { _ = try await bench.store.create(realm: .native, name: "ci", tenant: "u") }
        == .keyExists)
    bench.clock.advance(seconds: 60)
    try await bench.store.revoke(name: "ci", realm: .native)
    #expect(bench.nativeError(first) == .unknown)
    #expect(await accessError { try await bench.store.revoke(name: "ci", realm: .native) } == .unknownKey)
    #expect(await accessError { try await bench.store.revoke(name: "ci", realm: .workflow) } == .unknownKey)
    let second = try await bench.store.create(realm: .native, name: "ci", tenant: "t")
    #expect(second != first)
    #expect(bench.nativeError(second) == nil && bench.nativeError(first) == .unknown)
    let listed = bench.store.keys()
    #expect(listed.map(\.revokedAt) == [bench.clock.now(), nil])
    let restarted = try await Bench(folder: bench.folder)
    #expect(restarted.nativeError(first) == .unknown && restarted.nativeError(second) == nil)
    #expect(restarted.store.keys() == listed)
  }

  @Test func aClientsKeysAreOneScopeANativeKeyItsOwn() async throws {
    let bench = try await Bench()
    defer { bench.remove() }
    let key = try await bench.store.create(realm: .workflow, name: "new", tenant: "client_1")
    #expect(
      try bench.workflow.authenticate(key: key) == bench.workflow.authenticate(key: "test_key_123"))
    let one = try await bench.store.create(realm: .native, name: "1", tenant: "t")
    let two = try await bench.store.create(realm: .native, name: "2", tenant: "t")
    #expect(
      try bench.native.authenticate(authorization: "Bearer " + one).credential
        != bench.native.authenticate(authorization: "Bearer " + two).credential)
  }

  @Test func whatKeysMayBeIsChecked() async throws {
    let bench = try await Bench()
    defer { bench.remove() }
    let bad: [(Realm, String, String, Role)] = [
      (.native, "", "t", .user), (.native, " x", "t", .user), (.native, "x\n", "t", .user),
      (.native, String(repeating: "x", count: 256), "t", .user), (.native, "x", "", .user),
      (.native, "x", "t\u{0}", .user), (.native, "x", String(repeating: "t", count: 513), .user),
      (.native, "x", "t", .viewer), (.native, "x", "t", .auditor), (.workflow, "x", "t", .writer),
      (.workflow, "x", "t", .reader), (.audit, "x", "t", .user), (.sessions, "x", "t", .user),
    ]
    for (realm, name, tenant, role) in bad {
      let error = await accessError {
        _ = try await bench.store.create(realm: realm, name: name, tenant: tenant, role: role)
      }
      guard case .invalidName? = error else {
        Issue.record("\(realm) \(name.debugDescription) \(tenant.count) \(role) was taken")
        continue
      }
    }
    #expect(bench.store.keys().isEmpty)
  }

  @Test func theServerSeesWhatAnotherProcessChanged() async throws {
    let server = try await Bench()
    defer { server.remove() }
    let tool = try await Bench(folder: server.folder)
    let native = try await tool.store.create(realm: .native, name: "n", tenant: "t")
    let workflow = try await tool.store.create(realm: .workflow, name: "w", tenant: "t")
    #expect(server.nativeError(native) == .unknown && server.workflowError(workflow) == .unknown)
    try await server.database.catchUp()
    #expect(server.nativeError(native) == nil && server.workflowError(workflow) == nil)
    try await tool.store.revoke(name: "n", realm: .native)
    try await tool.store.revoke(name: "w", realm: .workflow)
    #expect(server.nativeError(native) == nil)
    try await server.database.catchUp()
    #expect(server.nativeError(native) == .unknown && server.workflowError(workflow) == .unknown)
    #expect(server.store.keys() == tool.store.keys())
  }

  @Test func aDatabaseFromBeforeKeysIsBroughtUpToDate() async throws {
    let old = try await AccessBench()
    defer { old.remove() }
    try await old.accounts.create(name: "alice", password: "pw", role: .user)
    try AccessDatabaseFault.undoLaterMigrations(old.folder)
    let bench = try await Bench(folder: old.folder)
    _ = try await bench.store.create(realm: .native, name: "n", tenant: "t")
    #expect(bench.store.keys().count == 1)
    #expect(try await old.other().accounts.users().map(\.name) == ["alice"])
  }

  @Test func theFirstKeyShutsAnOpenServer() async throws {
    let bench = try await Bench(isOpen: true)
    defer { bench.remove() }
    #expect(bench.nativeError(nil) == nil)
    _ = try await bench.store.create(realm: .workflow, name: "w", tenant: "t")
    #expect(bench.nativeError(nil) == nil)
    _ = try await bench.store.create(realm: .native, name: "n", tenant: "t")
    #expect(bench.nativeError(nil) == .missing)
    try await bench.store.revoke(name: "n", realm: .native)
    #expect(bench.nativeError(nil) == .missing, "taking a key away opens nothing")
  }
}
