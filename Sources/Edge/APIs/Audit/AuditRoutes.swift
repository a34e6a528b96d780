import Access
import Codecs
import Decoding
import Masking
import Platform
import Querying
import Records
import Routing

/// The audit API: who did what to which resource, by tenant, behind JSON Web Tokens (Docs/audit.md).
package struct AuditRoutes: APIRoutes {
  enum Route: String {
    case logs = "/api/v1/logs"
    case bulk = "/api/v1/logs/bulk"
    case stats = "/api/v1/logs/stats"
    case export = "/api/v1/logs/export"
    case cleanup = "/api/v1/logs/cleanup"
    case stream = "/api/v1/logs/stream"
    case log = "/api/v1/logs/{id}"
    case tenants = "/api/v1/tenants"

    var methods: [RequestMethod] {
      switch self {
      case .logs, .tenants: [.get, .post]
      case .bulk: [.post]
      case .stats, .export, .log, .stream: [.get]
      case .cleanup: [.delete]
      }
    }
  }

  /// Words below `/api/v1/logs/` that are no ids.
  static let words: Set<String> = ["bulk", "batch", "stats", "export", "cleanup", "stream"]

  let credentials: AuditCredentials
  let tenants: TenantDirectory
  let log: any AccessLog
  let store: RecordStoring
  let engine: QueryEngine
  let control: any StoreControl
  let streams: LiveStreams
  let listing: LogListing
  let decoder: Replaceable<EntryDecoder>
  let connections = LiveStreams.Counter()
  let clock: any WallClock
  let limits: HTTPLimits
  /// How old records are that a bare cleanup removes.
  let cleanupDays: Int

  package init(
    credentials: AuditCredentials, tenants: TenantDirectory, log: any AccessLog, store: RecordStoring,
    engine: QueryEngine, control: any StoreControl, streams: LiveStreams, decodingLimits: DecodingLimits,
    limits: HTTPLimits, clock: any WallClock, cleanupDays: Int, masking: MaskingPlan = .none
  ) {
    self.streams = streams
    self.credentials = credentials
    self.tenants = tenants
    self.log = log
    self.store = store
    self.engine = engine
    self.control = control
    self.clock = clock
    self.limits = limits
    self.cleanupDays = cleanupDays
    decoder = Replaceable(EntryDecoder(.audit, masking: masking, limits: decodingLimits))
    listing = LogListing(
      engine: engine, dataset: .audit, columns: AuditRoutes.columns, names: [:], style: AuditRoutes.style(""))
  }

  /// An entry's members in order; `tenant_id` follows.
  static let columns = [
    "action", "resource_type", "resource_id", "timestamp", "ip_address", "user_agent", "before", "after",
    "metadata", "severity", "id", "user_id",
  ]

  /// How entries look; `tail` is written behind the last member.
  static func style(_ tail: String) -> RecordStyle {
    var style = RecordStyle()
    style.writesNulls = true
    style.times = .microsecondsZulu
    style.tail = Array(tail.utf8)
    return style
  }

  /// Masks otherwise from now on.
  package func use(masking: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: masking)) }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    guard path.hasPrefix("/api/v1/") else { return nil }
    guard let (route, id) = AuditRoutes.route(path) else {
      return .refuse(Problem(404, "Not Found"), route: "unknown", errors: .audit)
    }
    do throws(Problem) {
      let principal = try authenticate(head, origin, route)
      let method = head.method == .head ? .get : head.method
      guard route.methods.contains(method) else {
        throw Problem(405, "Method Not Allowed", allow: route.methods.allowed)
      }
      try head.checkQuery()
      guard head.isPlain || method == .post && head.isGzip else {
        throw Problem(415, "The only Content-Encoding is gzip")
      }
      if route == .stream {
        guard head.method == .get else { throw Problem(405, "Method Not Allowed", allow: "GET") }
        return .live(try stream(head, principal))
      }
      return .accept(endpoint(route, method, principal, id).limited(by: principal))
    } catch {
      // The two rows that the workflow API has too answer clients of both.
      let errors: ErrorFormat = route == .logs || route == .log ? .sharedLogs : .audit
      return .refuse(error, route: route.rawValue, errors: errors)
    }
  }

  private static func route(_ path: String) -> (Route, String)? {
    for route in [Route.logs, .bulk, .stats, .export, .cleanup, .stream, .tenants]
    where route.rawValue == path {
      return (route, "")
    }
    let prefix = Route.logs.rawValue + "/"
    guard path.hasPrefix(prefix) else { return nil }
    let id = path.dropFirst(prefix.count)
    guard !id.isEmpty, !id.contains("/"), !words.contains(String(id)) else { return nil }
    return (.log, QueryItems.decode(id, isQuery: false) ?? "")
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .audit, route: route.rawValue)
    defer { log.record(event) }
    let principal: Principal
    do throws(CredentialError) {
      principal = try credentials.authenticate(
        authorization: head.headers.first(name: "Authorization"),
        queryToken: head.query["token"])
    } catch {
      event.outcome = .refused("\(error)")
      throw Problem(401, "Unauthorized")
    }
    event.subject = principal.subject
    event.tenant = principal.tenant
    if let refusal = AuditRoutes.refusal(route, principal.role) {
      event.outcome = .refused("role")
      throw refusal
    }
    return principal
  }

  /// Why the role may not; nil: it may.
  private static func refusal(_ route: Route, _ role: Role) -> Problem? {
    switch route {
    case .tenants: role == .admin ? nil : Problem(401, "Unauthorized")
    case .cleanup: role == .admin ? nil : Problem(403, "Cleanup needs the role admin")
    case .export: role.allows(.export) ? nil : Problem(403, "Export needs the role auditor or admin")
    case .logs, .bulk, .stats, .stream, .log: nil
    }
  }

  private func endpoint(
    _ route: Route, _ method: RequestMethod, _ principal: Principal, _ id: String
  ) -> Endpoint {
    switch (route, method) {
    case (.logs, .post):
      endpoint(route, isWrite: true) { call throws(Problem) in try await create(call, principal) }
    case (.logs, _): endpoint(route) { call throws(Problem) in try await list(call, principal) }
    case (.bulk, _): endpoint(route) { call throws(Problem) in try await createBulk(call, principal) }
    case (.stats, _): endpoint(route) { call throws(Problem) in try await stats(call, principal) }
    case (.log, _): endpoint(route) { _ throws(Problem) in try await get(id, principal) }
    case (.cleanup, _): endpoint(route) { call throws(Problem) in try await cleanup(call, principal) }
    case (.stream, _): preconditionFailure("a stream is no endpoint")
    case (.tenants, .post): endpoint(route) { call throws(Problem) in try await createTenant(call) }
    case (.tenants, _): endpoint(route) { _ throws(Problem) in AuditResponses.tenants(tenants.tenants()) }
    case (.export, _):
      Endpoint(route: route.rawValue, bodyBytesMax: limits.bodyBytesMax, isShort: false, errors: .audit) {
        (call, stream) async throws(Problem) in
        try await export(call, principal, through: stream)
      }
    }
  }

  /// - Parameter isWrite: Small writes stay on the connection's event loop, as those of the other APIs do.
  private func endpoint(
    _ route: Route, isWrite: Bool = false,
    _ respond: @escaping @Sendable (HTTPCall) async throws(Problem) -> HTTPAnswer
  ) -> Endpoint {
    Endpoint(route: route.rawValue, bodyBytesMax: limits.bodyBytesMax, isShort: isWrite, errors: .audit) {
      (call, _) async throws(Problem) in
      .answer(try await respond(call))
    }
  }
}
