import APIs
import Access
import Codecs
import Foundation
import HTTP
import Logging
import Platform
import Records
import Routing
import Synchronization
import TestKit
import WebUI

/// Answers every query with two pieces, and keeps who asked what.
final class RecordingQueries: NativeQueries {
  struct Asked: Sendable {
    let principal: Principal
    let body: String
  }

  private let kept = Mutex<[Asked]>([])
  var asked: [Asked] { kept.withLock { $0 } }
  var last: Asked? { asked.last }

  func start(
    _ body: [UInt8], principal: Principal, form: AnswerForm
  ) async throws(StoreError) -> sending any AnswerChunks {
    kept.withLock { $0.append(Asked(principal: principal, body: String(decoding: body, as: UTF8.self))) }
    return FakeQueries.Chunks([Array("[1".utf8), Array(",2]".utf8)])
  }
}

/// The page and what it asks for, on a free port, over fakes, with users in a folder that goes.
final class PageBench: Sendable {
  static let adminKey = "admin-key-01234567890"
  static let readerKey = "reader-key-0123456789"

  let folder: String
  let clock = ManualClock()
  let store = FakeStore()
  let queries = RecordingQueries()
  let log = RecordedAccess()
  let database: ControlDatabase
  let accounts: Accounts
  let catalog: SessionCatalog
  let grants: GrantDirectory
  let sessions: PageSessions
  let webUI = WebUIRoutes()
  let port: Int
  private let http: HTTPServer

  /// With a masking that knows no entry, and a forwarding that refuses to replay and has dropped three.
  private static func ingest(_ keyStore: KeyStore, _ clock: ManualClock) -> IngestRoutes.Parts {
    let forwarding = FakeForwarding()
    return IngestRoutes.Parts(
      keys: IngestKeys(configured: [], adminToken: "token-admin", store: keyStore), keyStore: keyStore,
      decoder: FakeDecoding(),
      pressure: IngestPressure(
        buckets: TokenBuckets(RequestRate(perSecond: 1, burst: 1), clock: clock), forwarding: forwarding,
        clock: clock), forwarding: forwarding, metrics: IngestMetrics(usage: { [] }))
  }

  init(isOpen: Bool = false, isSecure: Bool = false, hasDefaultAdministrator: Bool = false) async throws {
    folder = NSTemporaryDirectory() + "cordwood-page-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    database = try await ControlDatabase.open(path: folder + "/control.sqlite")
    var policy = Accounts.Policy()
    policy.rules = PasswordRules(isStrict: false)
    // Longer than what ends a sign-in that is not used.
    policy.tokenSeconds = 40 * 3600
    accounts = try await Accounts(
      database, tenant: Tenant(realm: .sessions, name: "sessions"), policy: policy,
      checker: PasswordChecker(threads: 2, cost: PasswordCost(rounds: 4, blockSize: 8, parallelism: 1)),
      clock: clock)
    try await accounts.create(
      name: "root", password: "pw", role: .admin, isDefaultPassword: hasDefaultAdministrator)
    for name in ["ada", "bob"] { try await accounts.create(name: name, password: "pw", role: .user) }
    catalog = try await SessionCatalog(database, clock: clock)
    grants = try await GrantDirectory(database, accounts: accounts)
    sessions = PageSessions(accounts: accounts, clock: clock)
    let metrics = HTTPMetrics(
      uploads: UploadBudget(bytesMax: HTTPLimits.patient.uploadBytesMax),
      datasets: Registry.standard.datasets)
    var services = APIServices(
      store: RecordStoring(
        sink: store, seal: testSeal, metrics: metrics, bodyBytesMax: HTTPLimits.patient.bodyBytesMax),
      engine: UnaskedEngine(), control: store, streams: .none, log: log, clock: clock)
    services.registry = .standard
    services.limits = .patient
    let keyStore = try await KeyStore(database, clock: clock)
    let shop = Tenant(realm: .native, name: "shop")
    let directory = KeyDirectory(
      keys: isOpen
        ? []
        : [
          APIKey(name: "a", key: PageBench.adminKey, tenant: shop, role: .admin, isOperator: true),
          APIKey(name: "r", key: PageBench.readerKey, tenant: shop, role: .reader),
        ], openTenant: isOpen ? Tenant(realm: .native, name: "default") : nil, store: keyStore)
    let owned: [Realm: [Dataset]] = [.native: [.logs], .sessions: [.sessions], .querylog: [.queries]]
    let grants = grants
    let known = KnownTenants(store, owned: owned) {
      [shop, Tenant(realm: .sessions, name: "sessions"), QuerySessions.tenant] + grants.tenants
    }
    let access = PageRoutes.Access(
      sessions: sessions, rights: PageRights(accounts: accounts, grants: grants, catalog: catalog),
      grants: grants, views: database.views, keys: directory)
    var parts = PageRoutes.Parts(
      access, tenants: known,
      readiness: FakeReadiness(control: store), forwarding: NoForwarding(), clock: clock)
    parts.retentionSeconds = [.logs: 86_400, .audit: 0]
    parts.version = "test"
    parts.isSecure = isSecure
    parts.tokenSeconds = policy.tokenSeconds
    let native = NativeRoutes(services, directory: directory, queries: FakeQueries())
    let own = SessionsRoutes(
      services, accounts: accounts, keys: keyStore, catalog: catalog,
      seal: CursorSeal(key: [UInt8](repeating: 1, count: 32)), tokenHours: 1)
    let queryLog = QueryLogRoutes(
      services,
      sessions: try await QuerySessions(database, accounts: accounts, policy: .init(), clock: clock),
      seal: QuerySeal(secret: "s"))
    let ingest = IngestRoutes(
      services, PageBench.ingest(keyStore, clock), native: KeyDirectory(keys: [], openTenant: nil))
    let page = PageRoutes(
      services, parts,
      beside: .init(
        native: NativeRoutes(services, directory: directory, queries: queries), sessions: own,
        queryLog: queryLog, ingest: ingest), queries: queries)
    let others = [native.api, own.api, page.api]
    let reference = ReferenceRoutes(version: "test", store: "s", hasPage: true, others: others + [webUI.api])
    http = HTTPServer(
      router: Router(RouteTable([webUI.api, reference.api] + others)), limits: .patient, metrics: metrics,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, clock: SystemClock(), threads: 1)
    port = try await http.listen(on: Listener(host: "127.0.0.1", port: 0))
  }

  func stop() async {
    await http.stop(withinSeconds: 1)
    // A leftover folder in the temporary directory harms nobody.
    try? FileManager.default.removeItem(atPath: folder)
  }

  /// Asks as the page does.
  ///
  /// - Parameters:
  ///   - cookie: Of a sign-in.
  ///   - fields: Instead of the page's own.
  func ask(
    _ method: String, _ path: String, _ cookie: String? = nil, tenant: String? = nil, body: String = "",
    fields: [(String, String)] = [("Cordwood-Page", "1")]
  ) async throws -> WireAnswer {
    var fields = fields
    if let cookie { fields.append(("Cookie", "other=1; cordwood_page=\(cookie)")) }
    if let tenant { fields.append(("Cordwood-Tenant", tenant)) }
    if !body.isEmpty { fields.append(("Content-Type", "application/json")) }
    return try await WireClient(port: port).request(method, path, headers: fields, body: body)
  }

  /// The cookie that a sign-in gives.
  func signIn(_ name: String) async throws -> String {
    try cookie(
      of: try await ask("POST", "/ui/v1/login", body: #"{"name":"\#(name)","password":"pw"}"#))
  }

  func signIn(key: String) async throws -> String {
    try cookie(of: try await ask("POST", "/ui/v1/login", body: #"{"key":"\#(key)"}"#))
  }

  private func cookie(of answer: WireAnswer) throws -> String {
    guard answer.status == 200, let field = answer.headers["set-cookie"] else {
      throw WireError.malformed("\(answer.status) \(answer.text)")
    }
    let value = field.split(separator: ";")[0].split(separator: "=", maxSplits: 1)
    return value.count == 2 ? String(value[1]) : ""
  }
}

/// Runs `body` with the page, and stops it.
func withPage(
  isOpen: Bool = false, isSecure: Bool = false, hasDefaultAdministrator: Bool = false,
  _ body: (PageBench) async throws -> Void
) async throws {
  let bench = try await PageBench(
    isOpen: isOpen, isSecure: isSecure, hasDefaultAdministrator: hasDefaultAdministrator)
  do { try await body(bench) } catch {
    await bench.stop()
    throw error
  }
  await bench.stop()
}
