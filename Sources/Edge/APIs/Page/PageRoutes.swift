import Access
import Codecs
import Platform
import Querying
import Records
import Routing

/// What the page asks of the server, below `/ui/v1/` (Docs/page.md): the routes of the native API under a
/// sign-in, and what only the page needs.
package struct PageRoutes: Sendable {
  /// Who gets in, and what is kept of them.
  package struct Access: Sendable {
    package let sessions: PageSessions
    package let rights: PageRights
    package let grants: GrantDirectory
    package let views: any ViewRepository
    package let keys: KeyDirectory

    package init(
      sessions: PageSessions, rights: PageRights, grants: GrantDirectory, views: any ViewRepository,
      keys: KeyDirectory
    ) {
      self.sessions = sessions
      self.rights = rights
      self.grants = grants
      self.views = views
      self.keys = keys
    }
  }

  /// What the page needs besides what all APIs have.
  package struct Parts: Sendable {
    package let access: Access
    package let tenants: KnownTenants
    package let readiness: any ReadinessChecks
    package let forwarding: any EntryForwarding
    /// As `me` shows it.
    package var version = ""
    /// Whether the cookie goes over TLS alone.
    package var isSecure = false
    /// How long a sign-in holds at most.
    package var tokenSeconds = 24 * 3600
    /// By which downloads expire.
    package var clock: any WallClock
    /// By whom people may sign in besides; nil: by nobody.
    package var provider: OpenIDProvider?
    /// How long the records of each dataset are kept, in seconds; 0: for ever.
    package var retentionSeconds: [Dataset: Int] = [:]

    package init(
      _ access: Access, tenants: KnownTenants, readiness: any ReadinessChecks,
      forwarding: any EntryForwarding, clock: any WallClock
    ) {
      self.access = access
      self.tenants = tenants
      self.readiness = readiness
      self.forwarding = forwarding
      self.clock = clock
    }
  }

  /// Other APIs, some of whose routes are served under the sign-in.
  package struct Neighbours: Sendable {
    /// All routes but those that write records.
    package let native: NativeRoutes
    /// Users and keys, for administrators.
    package let sessions: SessionsRoutes
    /// Verifies records of the query log.
    package let queryLog: QueryLogRoutes
    /// Dead letters and what masking makes of an entry, for administrators.
    package let ingest: IngestRoutes

    package init(
      native: NativeRoutes, sessions: SessionsRoutes, queryLog: QueryLogRoutes, ingest: IngestRoutes
    ) {
      self.native = native
      self.sessions = sessions
      self.queryLog = queryLog
      self.ingest = ingest
    }
  }

  let parts: Parts
  let access: Access
  let callers: PageCallers
  let services: APIServices
  let downloads: PageDownloads
  let queries: any NativeQueries
  let queryLog: QueryLogRoutes
  let startedAt: Int64
  private let borrowed: [Route]

  /// - Parameter queries: As ``NativeRoutes`` has them; nil: those of the engine.
  package init(
    _ services: APIServices, _ parts: Parts, beside others: Neighbours,
    queries: (any NativeQueries)? = nil
  ) {
    self.services = services
    self.parts = parts
    access = parts.access
    queryLog = others.queryLog
    self.queries =
      queries
      ?? EngineQueries(
        engine: services.engine, registry: services.registry, seal: services.streams.seal)
    callers = PageCallers(
      sessions: access.sessions, rights: access.rights, keys: access.keys, tenants: parts.tenants,
      log: services.log)
    downloads = PageDownloads(clock: parts.clock)
    startedAt = services.clock.now()
    let callers = callers
    borrowed =
      others.native.api.routes.filter { !$0.name.hasBytes(from: "/v1/records/") }
      .compactMap { PageRoutes.moved($0, callers) }
      + (others.sessions.api.routes + others.ingest.api.routes)
      .compactMap { PageRoutes.administrators($0) }
  }

  package var api: API {
    var api = API("page data", authenticate: callers.authenticate)
    api.credentials = [PageCallers.kind]
    api.prefixes = ["/ui/v1/"]
    api.routes =
      signInRoutes + providerRoutes + borrowed + viewRoutes + downloadRoutes + grantRoutes + statusRoutes
    return api
  }

  func event(
    _ call: HTTPCall, _ kind: AccessEvent.Kind, subject: String?, tenant: Tenant?
  ) -> AccessEvent {
    AccessEvent(
      kind, .granted, realm: tenant?.realm ?? access.rights.usersTenant.realm, subject: subject,
      tenant: tenant, route: call.route, method: call.head.method.rawValue, address: call.address,
      requestID: call.id)
  }

  /// Runs `body` and notes in the access log how it ended.
  func recorded(
    _ call: HTTPCall, _ kind: AccessEvent.Kind, subject: String?, tenant: Tenant? = nil,
    _ body: () async throws(AccessError) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    var event = event(call, kind, subject: subject, tenant: tenant)
    defer { services.log.record(event) }
    do throws(AccessError) { return try await body() } catch {
      event.outcome = .refused(error.word)
      throw Problem(page: error)
    }
  }
}

extension Problem {
  /// Of users that are named, not of who asks.
  init(page error: AccessError) {
    if error == .unknownUser { self.init(404, "There is no such user") } else { self.init(access: error) }
  }
}

extension HTTPAnswer {
  /// What answers to the page have besides: they are nobody else's, and are kept nowhere.
  var ofPage: HTTPAnswer {
    var answer = self
    answer.headers = answer.headers.filter { !$0.name.asciiLowercased.hasBytes(of: "cache-control") }
    answer.headers += PageStream.fields
    return answer
  }
}

/// Adds to the head of a streamed answer what answers to the page have.
struct PageStream: AnswerStream {
  static let fields: [(name: String, value: String)] = [
    ("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
  ]

  private let stream: any AnswerStream

  init(_ stream: any AnswerStream) { self.stream = stream }

  func begin(
    _ status: HTTPStatus, contentType: String, headers: [(name: String, value: String)]
  ) async throws(Problem) {
    try await stream.begin(status, contentType: contentType, headers: headers + PageStream.fields)
  }

  func write(_ bytes: [UInt8]) async throws(Problem) { try await stream.write(bytes) }
}
