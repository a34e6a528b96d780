import Access
import Codecs
import Decoding
import Masking
import Platform
import Querying
import Records
import Routing

/// The workflow API: logs of workflow runs by API key, and figures over them (Docs/workflow.md).
package struct WorkflowRoutes: APIRoutes {
  enum Route: String {
    case health = "/health"
    case logs = "/api/v1/logs"
    case log = "/api/v1/logs/{id}"
    case batch = "/api/v1/logs/batch"
    case overview = "/api/v1/metrics/overview"
    case categories = "/api/v1/metrics/categories"

    var methods: [RequestMethod] {
      switch self {
      case .health, .log, .overview, .categories: [.get]
      case .batch: [.post]
      case .logs: [.get, .post]
      }
    }

    /// Whether the audit API has the path too.
    var isShared: Bool { self == .logs || self == .log }
  }

  /// What the service calls itself in `/health`.
  package struct Identity: Sendable {
    package let service: String
    package let environment: String
    package init(service: String, environment: String) {
      self.service = service
      self.environment = environment
    }
  }

  let keys: WorkflowKeys
  let keyHeader: String
  let identity: Identity
  let log: any AccessLog
  let store: RecordStoring
  let engine: QueryEngine
  let listing: LogListing
  let decoder: Replaceable<EntryDecoder>
  let clock: any WallClock
  let limits: HTTPLimits

  package init(
    keys: WorkflowKeys, keyHeader: String, identity: Identity, log: any AccessLog, store: RecordStoring,
    engine: QueryEngine, decodingLimits: DecodingLimits, limits: HTTPLimits, clock: any WallClock,
    masking: MaskingPlan = .none
  ) {
    self.keys = keys
    self.keyHeader = keyHeader
    self.identity = identity
    self.log = log
    self.store = store
    self.engine = engine
    self.clock = clock
    self.limits = limits
    decoder = Replaceable(EntryDecoder(.workflow, masking: masking, limits: decodingLimits))
    var style = RecordStyle()
    style.writesNulls = true
    style.times = .microsecondsWithOffset
    listing = LogListing(
      engine: engine, dataset: .workflows,
      columns: [
        "id", "environment", "workflow_version", "ticket_id", "timestamp", "execution_time_seconds", "status",
        "category", "resolution_status", "metrics", "payload", "ingested_at",
      ], names: ["timestamp": "executed_at", "ingested_at": "created_at"], style: style)
  }

  /// Masks otherwise from now on.
  package func use(masking: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: masking)) }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    guard let (route, id) = WorkflowRoutes.route(path) else {
      guard path.hasPrefix("/api/v1/metrics/") else { return nil }
      return .refuse(Problem(404, "Not Found"), route: "unknown", errors: .workflow)
    }
    let header = head.headers.first(name: keyHeader)
    let (key, isKnown) = keys.shown(
      header: header, authorization: head.headers.first(name: "Authorization"))
    // Shared rows are the audit API's unless an API key is shown; one that is not known does not stand in a token's way.
    guard !route.isShared || isKnown || header != nil && !head.hasAuditCredential else { return nil }
    do throws(Problem) {
      let method = head.method == .head ? .get : head.method
      guard route.methods.contains(method) else {
        throw Problem(405, "Method Not Allowed", allow: route.methods.allowed)
      }
      if route == .health { return .accept(endpoint(route) { _ throws(Problem) in health() }) }
      let principal = try authenticate(key, head, origin, route)
      try head.checkQuery()
      guard head.isPlain || method == .post && head.isGzip else {
        throw Problem(415, "The only Content-Encoding is gzip")
      }
      return .accept(endpoint(route, method, principal, id).limited(by: principal))
    } catch {
      return .refuse(error, route: route.rawValue, errors: .workflow)
    }
  }

  private static func route(_ path: String) -> (Route, String)? {
    for route in [Route.health, .logs, .batch, .overview, .categories] where route.rawValue == path {
      return (route, "")
    }
    let prefix = Route.logs.rawValue + "/"
    guard path.hasPrefix(prefix) else { return nil }
    let id = path.dropFirst(prefix.count)
    guard !id.isEmpty, !id.contains("/"), !AuditRoutes.words.contains(String(id)) else { return nil }
    return (.log, QueryItems.decode(id, isQuery: false) ?? "")
  }

  private func authenticate(
    _ key: String?, _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .workflow, route: route.rawValue)
    defer { log.record(event) }
    do throws(CredentialError) {
      let principal = try keys.authenticate(key: key)
      event.subject = principal.subject
      event.tenant = principal.tenant
      return principal
    } catch {
      event.outcome = .refused("\(error)")
      throw Problem(401, error == .missing ? "API key required" : "Invalid API key")
    }
  }

  private func endpoint(
    _ route: Route, _ method: RequestMethod, _ principal: Principal, _ id: String
  ) -> Endpoint {
    switch (route, method) {
    case (.logs, .post):
      endpoint(route, isWrite: true) { call throws(Problem) in try await create(call, principal) }
    case (.logs, _): endpoint(route) { call throws(Problem) in try await list(call, principal) }
    case (.log, _): endpoint(route) { _ throws(Problem) in try await get(id, principal) }
    case (.batch, _): endpoint(route) { call throws(Problem) in try await createBatch(call, principal) }
    case (.overview, _): endpoint(route) { call throws(Problem) in try await overview(call, principal) }
    case (.categories, _): endpoint(route) { call throws(Problem) in try await categories(call, principal) }
    case (.health, _): preconditionFailure("health has no principal")
    }
  }

  /// - Parameter isWrite: Small writes stay on the connection's event loop, as those of the other APIs do.
  private func endpoint(
    _ route: Route, isWrite: Bool = false,
    _ respond: @escaping @Sendable (HTTPCall) async throws(Problem) -> HTTPAnswer
  ) -> Endpoint {
    Endpoint(route: route.rawValue, bodyBytesMax: limits.bodyBytesMax, isShort: isWrite, errors: .workflow) {
      (call, _) async throws(Problem) in
      .answer(try await respond(call))
    }
  }
}

extension RequestHead {
  /// Whether the request shows what could be a credential of the audit API.
  var hasAuditCredential: Bool {
    headers.contains(name: "Authorization") || query["token"] != nil
  }
}
