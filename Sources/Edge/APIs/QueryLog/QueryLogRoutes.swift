import Access
import Codecs
import Masking
import Platform
import Querying
import Records
import Routing
import Tailing

/// The query-log API: who asked what of a database, sealed record by record, and shown live (Docs/querylog.md).
package struct QueryLogRoutes: APIRoutes {
  enum Route: String {
    case login = "/api/v1/login"
    case logs = "/api/v1/logs"
    case verify = "/api/v1/verify/{id}"
    case info = "/api/v1/websocket-info"
    case page = "/api/v1/websocket-docs"
    case listing = "/ws/logs"
    case stream = "/ws/stream"

    var method: RequestMethod {
      switch self {
      case .login: .post
      case .logs: .put
      case .verify, .info, .page, .listing, .stream: .get
      }
    }

    /// Whether it is a stream, which has no head to ask for.
    var isStream: Bool { self == .listing || self == .stream }
  }

  static let columns = ["id", "user_id", "query", "status", "timestamp", "hash"]
  /// A page of `/ws/logs` waits in memory until its client takes it: it ends with the record that reaches this.
  private static let pageBytesMax = 4 << 20
  private static let commandBytesMax = 64 * 1024

  let sessions: QuerySessions
  let seal: QuerySeal
  let log: any AccessLog
  let store: RecordStoring
  let engine: QueryEngine
  let streams: LiveStreams
  /// Records as answers show them.
  let listing: LogListing
  let masking: Replaceable<MaskingPlan>
  let clock: any WallClock
  let limits: HTTPLimits
  let entryBytesMax: Int
  let connections = LiveStreams.Counter()

  package init(
    sessions: QuerySessions, seal: QuerySeal, log: any AccessLog, store: RecordStoring, engine: QueryEngine,
    streams: LiveStreams, masking: MaskingPlan, limits: HTTPLimits, entryBytesMax: Int, clock: any WallClock
  ) {
    self.masking = Replaceable(masking)
    self.sessions = sessions
    self.seal = seal
    self.log = log
    self.store = store
    self.engine = engine
    self.streams = streams
    self.limits = limits
    self.entryBytesMax = entryBytesMax
    self.clock = clock
    listing = LogListing(
      engine: engine, dataset: .queries, columns: QueryLogRoutes.columns, names: [:],
      style: QueryLogRoutes.style(.microsecondsZulu))
  }

  static func style(_ times: RecordStyle.TimeStyle) -> RecordStyle {
    var style = RecordStyle()
    style.writesNulls = true
    style.times = times
    return style
  }

  /// Masks otherwise from now on.
  package func use(masking: MaskingPlan) { self.masking.replace(with: masking) }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    guard let (route, id) = QueryLogRoutes.route(path) else { return nil }
    let method = head.method == .head && !route.isStream ? .get : head.method
    // The path is other APIs' too: theirs is every method but this one.
    if route == .logs, method != .put || head.hasSignedToken { return nil }
    do throws(Problem) {
      guard method == route.method else {
        throw Problem(
          405, "Method Not Allowed", allow: route.isStream ? "GET" : [route.method].allowed)
      }
      switch route {
      case .login: return .accept(endpoint(route) { call throws(Problem) in try await login(call) })
      case .verify: return .accept(endpoint(route) { _ throws(Problem) in try await verify(id) })
      case .info:
        let host = head.headers.first(name: "Host") ?? "localhost"
        return .accept(endpoint(route) { _ throws(Problem) in QueryLogResponses.streams(host: host) })
      case .page: return .accept(endpoint(route) { _ throws(Problem) in QueryLogResponses.page })
      case .logs:
        let principal = try authenticate(head, origin, route)
        guard head.isPlain || head.isGzip else { throw Problem(415, "The only Content-Encoding is gzip") }
        return .accept(
          endpoint(route, bodyBytesMax: min(limits.bodyBytesMax, entryBytesMax), isShort: true) {
            call throws(Problem) in try await write(call, principal)
          })
      case .listing, .stream: return .live(try stream(head, origin, route))
      }
    } catch {
      return .refuse(error, route: route.rawValue, errors: .workflow)
    }
  }

  private static func route(_ path: String) -> (Route, String)? {
    for route in [Route.login, .logs, .info, .page, .listing, .stream] where route.rawValue == path {
      return (route, "")
    }
    let prefix = "/api/v1/verify/"
    guard path.hasPrefix(prefix) else { return nil }
    let id = path.dropFirst(prefix.count)
    guard !id.isEmpty, !id.contains("/") else { return nil }
    return (.verify, QueryItems.decode(id, isQuery: false) ?? "")
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .querylog, route: route.rawValue)
    defer { log.record(event) }
    guard let authorization = head.headers.first(name: "Authorization") else {
      event.outcome = .refused("missing")
      throw Problem(403, "Not authenticated")
    }
    guard let token = KeyDirectory.bearerToken(authorization) else {
      event.outcome = .refused("malformed")
      throw Problem(403, "Invalid authentication credentials")
    }
    guard let principal = sessions.principal(token: token) else {
      event.outcome = .refused("unknown")
      throw Problem(401, "Invalid or expired token")
    }
    event.subject = principal.subject
    event.tenant = principal.tenant
    return principal
  }

  private func endpoint(
    _ route: Route, bodyBytesMax: Int = QueryLogRoutes.commandBytesMax, isShort: Bool = false,
    _ respond: @escaping @Sendable (HTTPCall) async throws(Problem) -> HTTPAnswer
  ) -> Endpoint {
    Endpoint(route: route.rawValue, bodyBytesMax: bodyBytesMax, isShort: isShort, errors: .workflow) {
      (call, _) async throws(Problem) in
      .answer(try await respond(call))
    }
  }
}

// Streams
extension QueryLogRoutes {
  private func stream(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> LiveEndpoint {
    let items = head.query
    let request = try QueryStreamRequest(items)
    let (principal, token, offered) = try listener(head, items, origin, route)
    let sessions = sessions
    return LiveEndpoint(
      route: route.rawValue, errors: .workflow, subprotocol: offered,
      mayListen: { token.map { sessions.principal(token: $0) != nil } ?? true },
      open: { opening async throws(Problem) in
        try await open(opening, request, principal, lists: route == .listing)
      })
  }

  /// Who listens: the token comes in a header, in the query, or as the first sub-protocol, since browsers can set no header.
  private func listener(
    _ head: RequestHead, _ items: QueryItems, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> (Principal, token: String?, subprotocol: String?) {
    var event = AccessEvent(head, origin, realm: .querylog, route: route.rawValue)
    defer { log.record(event) }
    let offered = head.headers[list: "Sec-WebSocket-Protocol"].first.map(String.init)
    let shown = head.headers.first(name: "Authorization").map { KeyDirectory.bearerToken($0) ?? "" }
    guard let token = shown ?? items["token"] ?? offered else {
      guard !sessions.policy.streamsNeedToken else {
        event.outcome = .refused("missing")
        throw Problem(401, "Not authenticated")
      }
      try head.checkIsOwners(&event)
      return (QuerySessions.anonymous, nil, nil)
    }
    guard let principal = sessions.principal(token: token) else {
      // A sub-protocol may be one indeed, where no token is needed.
      if shown == nil, items["token"] == nil, !sessions.policy.streamsNeedToken {
        try head.checkIsOwners(&event)
        return (QuerySessions.anonymous, nil, offered)
      }
      event.outcome = .refused("unknown")
      throw Problem(401, "Invalid or expired token")
    }
    event.subject = principal.subject
    event.tenant = principal.tenant
    return (principal, token, offered)
  }

  private func open(
    _ opening: LiveEndpoint.Opening, _ request: QueryStreamRequest, _ principal: Principal, lists: Bool
  ) async throws(Problem) -> LiveSession {
    let partition = Partition(tenant: QuerySessions.tenant, dataset: .queries)
    let style = QueryLogRoutes.style(.microsecondsWithOffset)
    let shape = RecordShape(
      "querylog", form: opening.form, dataset: .queries, columns: QueryLogRoutes.columns, style: style,
      marks: streams.marks(of: partition))
    let filter = request.filter(principal)
    var session = try await streams.session(
      opening, of: partition, filter: filter, shape: shape, counter: connections)
    do throws(Problem) {
      // Who comes back goes on where it was: the page was for the first time.
      if lists, !session.isResumed {
        let page = try await page(request, filter, below: session.subscription.positionStart, style)
        session.opening += opening.form.message("logs_response", page)
      }
    } catch {
      session.abandon()
      throw error
    }
    let (form, clock, connections) = (opening.form, clock, connections)
    session.heartbeat = {
      form.message(
        "heartbeat", QueryLogResponses.heartbeat(now: clock.now(), connections: connections.value))
    }
    return session
  }

  /// The newest records below a position.
  private func page(
    _ request: QueryStreamRequest, _ filter: Predicate, below position: Int64, _ style: RecordStyle
  ) async throws(Problem) -> [UInt8] {
    guard request.limit > 0 else { return QueryLogResponses.listing([], count: 0, request) }
    let before = Predicate.compare(ColumnPath("position"), .less, .int64(position))
    let listing = LogListing(
      engine: engine, dataset: .queries, columns: QueryLogRoutes.columns, names: [:], style: style)
    do throws(StoreError) {
      let (objects, count) = try await listing.newest(
        request.limit, from: request.offset, .both(before, filter), bytesMax: QueryLogRoutes.pageBytesMax,
        for: QuerySessions.tenant)
      return QueryLogResponses.listing(objects, count: count, request)
    } catch {
      throw Problem(error)
    }
  }
}

extension RequestHead {
  /// Whether the bearer is a JSON Web Token by its looks: tokens of this API have no dots.
  fileprivate var hasSignedToken: Bool {
    headers.first(name: "Authorization").flatMap { KeyDirectory.bearerToken($0) }?.contains(".") ?? false
  }
}
