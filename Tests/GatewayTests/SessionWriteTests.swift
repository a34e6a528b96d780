import APIs
import Access
import Forwarding
import Foundation
import HTTP
import Logging
import Platform
import Records
import Routing
import Synchronization
import Testing

/// What is refused is not stored: a session's first write, while the control plane fails.
@Suite struct SessionWriteTests {
  /// A catalog that cannot note anything while it is told so.
  private final class FailingCatalog: CatalogRepository {
    private let base: any CatalogRepository
    let error = Mutex<AccessError?>(nil)

    init(_ base: any CatalogRepository) { self.base = base }

    func createContainer(
      _ name: String, identity: String, owner: String, at time: Int64
    ) async throws(AccessError) {
      try await base.createContainer(name, identity: identity, owner: owner, at: time)
    }

    func containers(of owner: String) async throws(AccessError) -> [CatalogEntry] {
      try await base.containers(of: owner)
    }

    func identities(of userID: Int64) async throws(AccessError) -> [String] {
      try await base.identities(of: userID)
    }

    func checkContainer(_ name: String, owner: String) async throws(AccessError) {
      try await base.checkContainer(name, owner: owner)
    }

    func createSession(
      _ name: String, in container: String, owner: String, at time: Int64
    ) async throws(AccessError) {
      try await base.createSession(name, in: container, owner: owner, at: time)
    }

    func sessions(of container: String, owner: String) async throws(AccessError) -> [CatalogEntry] {
      try await base.sessions(of: container, owner: owner)
    }

    func session(_ name: String, in container: String) async throws(AccessError) -> SessionRecord? {
      try await base.session(name, in: container)
    }

    func markWritten(id: Int64) async throws(AccessError) {
      if let error = error.withLock({ $0 }) { throw error }
      try await base.markWritten(id: id)
    }
  }

  private struct Plane: ControlPlane {
    let base: ControlDatabase
    let failing: FailingCatalog

    var changes: any ControlChanges { base.changes }
    var accounts: any AccountRepository { base.accounts }
    var keys: any KeyRepository { base.keys }
    var tenants: any TenantRepository { base.tenants }
    var queryTokens: any QueryTokenRepository { base.queryTokens }
    var catalog: any CatalogRepository { failing }
    var grants: any GrantRepository { base.grants }
    var views: any ViewRepository { base.views }
    var settings: any SettingRepository { base.settings }
    var forwarding: any ForwardingState { base.forwarding }

    func close() async throws(AccessError) { try base.close() }
  }

  private static let path = "/api/logs/app/run"
  private static let body =
    #"{"logs":[{"timestamp":"2025-11-30T12:00:00Z","level":"INFO","message":"started"}]}"#

  @Test func aRefusedFirstWriteIsNotStored() async throws {
    let folder = NSTemporaryDirectory() + "cordwood-sessions-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(atPath: folder) }
    let database = try await ControlDatabase.open(path: folder + "/control.sqlite")
    let plane = Plane(base: database, failing: FailingCatalog(database.catalog))
    let store = FakeStore()
    let metrics = HTTPMetrics(
      uploads: UploadBudget(bytesMax: HTTPLimits.patient.uploadBytesMax), datasets: [.sessions])
    let services = APIServices(
      store: RecordStoring(
        sink: store, seal: testSeal, metrics: metrics, bodyBytesMax: HTTPLimits.patient.bodyBytesMax),
      engine: UnaskedEngine(), control: store, streams: .none, log: RecordedAccess(), clock: SystemClock())
    var policy = Accounts.Policy()
    policy.rules = PasswordRules(isStrict: false)
    let accounts = try await Accounts(
      plane, tenant: Tenant(realm: .sessions, name: "sessions"), policy: policy,
      checker: PasswordChecker(threads: 1), clock: SystemClock())
    try await accounts.create(name: "alice", password: "pw", role: .user)
    let catalog = try await SessionCatalog(plane, clock: SystemClock())
    try await catalog.createContainer("app", owner: "alice")
    try await catalog.createSession("run", in: "app", owner: "alice")
    let routes = SessionsRoutes(
      services, accounts: accounts, keys: try await KeyStore(plane, clock: SystemClock()), catalog: catalog,
      seal: CursorSeal(key: [UInt8](repeating: 1, count: 32)), tokenHours: 1)
    let http = HTTPServer(
      router: Router(RouteTable([routes.api])), limits: .patient, metrics: metrics,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: SystemClock(), threads: 1)
    let port = try await http.listen(on: Listener(host: "127.0.0.1", port: 0))
    let token = try await accounts.login(name: "alice", password: "pw", address: "127.0.0.1").token
    func write() async throws -> Int {
      try await WireClient(port: port).request(
        "POST", SessionWriteTests.path,
        headers: [("Authorization", "Bearer \(token)"), ("Content-Type", "application/json")],
        body: SessionWriteTests.body
      ).status
    }
    for (error, status) in [(AccessError.database("busy"), 500), (.diskFull, 507)] {
      plane.failing.error.withLock { $0 = error }
      #expect(try await write() == status)
      #expect(store.rowCount == 0, "\(error)")
    }
    plane.failing.error.withLock { $0 = nil }
    #expect(try await write() == 201)
    plane.failing.error.withLock { $0 = .diskFull }
    #expect(try await write() == 201, "what was noted once costs nothing more")
    #expect(store.rowCount == 2)
    let containers = store.state.withLock { $0.appended[0].batch.column("container") }
    let identity = try await catalog.session("run", in: "app", owner: "alice").identity
    let stored = containers?.withText { _, bytes in (0..<identity.utf8.count).map { bytes[$0] } }
    #expect(stored == Array(identity.utf8))
    await http.stop(withinSeconds: 1)
  }
}
