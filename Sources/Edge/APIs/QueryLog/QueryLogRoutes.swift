import Access
import Codecs
import Decoding
import Masking
import Platform
import Querying
import Records
import Routing
import Tailing

/// The query-log API: who asked what of a database, sealed record by record, and shown live
/// (Docs/querylog.md).
package struct QueryLogRoutes: RecordOwner {
  package static let realm = Realm.querylog
  package static let datasets: [Dataset] = [.queries]

  static let columns = ["id", "user_id", "query", "status", "timestamp", "hash"]
  /// A page of `/ws/logs` waits in memory until its client takes it: it ends with the record that reaches
  /// this.
  private static let pageBytesMax = 4 << 20
  private static let commandBytesMax = 64 * 1024

  let sessions: QuerySessions
  let seal: QuerySeal
  let log: any AccessLog
  let store: RecordStoring
  let engine: any QueryAnswering
  let streams: LiveStreams
  /// Records as answers show them.
  let listing: LogListing
  let masking = Replaceable(MaskingPlan.none)
  let clock: any WallClock
  let limits: HTTPLimits
  let entryBytesMax: Int
  let connections = LiveStreams.Counter()

  package init(_ services: APIServices, sessions: QuerySessions, seal: QuerySeal) {
    self.sessions = sessions
    self.seal = seal
    log = services.log
    store = services.store
    engine = services.engine
    streams = services.streams
    limits = services.limits
    entryBytesMax = services.decodingLimits.entryBytesMax
    clock = services.clock
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

  static let token = CredentialKind("queryToken", "a token of the query-log API")

  package var api: API {
    var api = API("querylog", errors: .detail, authenticate: authenticate)
    api.realm = QueryLogRoutes.realm
    api.datasets = QueryLogRoutes.datasets
    api.credentials = [QueryLogRoutes.token]
    api.isOpenToPages = true
    api.masking = { [masking] plan in masking.replace(with: plan(.queries)) }
    api.routes = recordRoutes + pageRoutes + streamRoutes
    return api
  }

  private var recordRoutes: [Route] {
    [
      Route(.post, "/api/v1/login", "A token of the query-log API", .open(login))
        .taking(
          .json(
            JSONSchema.object(
              [("user_id", JSONSchema.text), ("password", JSONSchema.text)], required: ["user_id"]),
            #"{"user_id":"alice"}"#, bytesMax: QueryLogRoutes.commandBytesMax)
        ).failing(with: 401, 403, 422, 429).mixingSecrets,
      Route(.put, "/api/v1/logs", "Stores a query, sealed with a hash", .store(write))
        .idempotent
        .taking(
          .json(
            JSONSchema.object(
              [("query", JSONSchema.text), ("status", JSONSchema.text)], required: ["query", "status"],
              isOpen: true),
            #"{"query":"SELECT 1","status":"SUCCESS"}"#, bytesMax: min(limits.bodyBytesMax, entryBytesMax)
          ).compressible.passingOver("members that records do not have", "golden exchange 25 of 001")
        ).failing(with: 403, 413, 422, 507)
        // The path is other APIs' too: theirs is every method but this one.
        .claimed { $0.method == .put && !$0.hasSignedToken },
      Route(.get, "/api/v1/verify/{id}", "Whether a record is what was stored", .open(verify))
        .taking(.path("id", JSONSchema.text, "The record's id")),
    ]
  }

  private var pageRoutes: [Route] {
    [
      Route(.get, "/api/v1/websocket-info", "What the streams are", .open(describeStreams)),
      Route(.get, "/api/v1/websocket-docs", "A page that opens the streams", .open(page)),
    ]
  }

  private var streamRoutes: [Route] {
    let parameters: [RouteParameter] = [
      .query("user_id", JSONSchema.text, "Records of this user only").emptiable("those of all"),
      .query("token", JSONSchema.text, "A token, where one is needed"),
    ]
    return [
      Route(
        .get, "/ws/logs", "A page of the newest records, then records as they are written",
        .live { call, principal throws(Problem) in try stream(call, principal, lists: true) }
      )
      .opened().taking(parameters)
      .taking(
        .query("limit", JSONSchema.integer(0, 1_000), "How many records the page has"),
        .query("offset", JSONSchema.integer(0), "How many of the newest the page leaves out")
      ).failing(with: 401, 403, 422, 426).openToPages(false),
      Route(
        .get, "/ws/stream", "Records as they are written",
        .live { call, principal throws(Problem) in try stream(call, principal, lists: false) }
      )
      .opened().taking(parameters).failing(with: 401, 403, 422, 426).openToPages(false),
    ]
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    switch route.handler {
    case .open: return nil
    case .live: return try listener(head, origin, route)
    case .answer, .store, .stream: break
    }
    var event = AccessEvent(head, origin, realm: .querylog, route: route.name)
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
}

// Streams
extension QueryLogRoutes {
  private func stream(
    _ call: HTTPCall, _ principal: Principal, lists: Bool
  ) throws(Problem) -> LiveEndpoint {
    let request = try QueryStreamRequest(call.query)
    let shown = QueryLogRoutes.shown(call.head)
    // Whoever listens without a token may go on whatever becomes of tokens.
    let token = principal == QuerySessions.anonymous ? nil : shown.token ?? shown.offered
    let sessions = sessions
    return LiveEndpoint(
      route: lists ? "/ws/logs" : "/ws/stream", errors: .detail,
      subprotocol: shown.token == nil ? shown.offered : nil,
      mayListen: { token.map { sessions.principal(token: $0) != nil } ?? true },
      open: { opening async throws(Problem) in try await open(opening, request, principal, lists: lists) })
  }

  /// The token in a header or in the query, and the first sub-protocol, which may be one, since browsers can
  /// set no header.
  private static func shown(_ head: RequestHead) -> (token: String?, offered: String?) {
    let offered = head.headers[list: "Sec-WebSocket-Protocol"].first.map(String.init)
    let bearer = head.headers.first(name: "Authorization").map { KeyDirectory.bearerToken($0) ?? "" }
    return (bearer ?? head.query["token"], offered)
  }

  /// Who listens.
  private func listener(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .querylog, route: route.name)
    defer { log.record(event) }
    let shown = QueryLogRoutes.shown(head)
    guard let token = shown.token ?? shown.offered else {
      guard !sessions.policy.streamsNeedToken else {
        event.outcome = .refused("missing")
        throw Problem(401, "Not authenticated")
      }
      try head.checkIsOwners(&event)
      return QuerySessions.anonymous
    }
    guard let principal = sessions.principal(token: token) else {
      // A sub-protocol may be one indeed, where no token is needed.
      if shown.token == nil, !sessions.policy.streamsNeedToken {
        try head.checkIsOwners(&event)
        return QuerySessions.anonymous
      }
      event.outcome = .refused("unknown")
      throw Problem(401, "Invalid or expired token")
    }
    event.subject = principal.subject
    event.tenant = principal.tenant
    return principal
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
        let memory = streams.reservation(for: partition.tenant)
        let page = try await page(
          request, filter, below: session.subscription.positionStart, style, memory)
        session.opening += opening.form.message("logs_response", page)
        memory.give(back: max(0, memory.byteCount - session.opening.count))
        session.memory = memory
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
    _ request: QueryStreamRequest, _ filter: Predicate, below position: Int64, _ style: RecordStyle,
    _ memory: MemoryReservation
  ) async throws(Problem) -> [UInt8] {
    guard request.limit > 0 else { return QueryLogResponses.listing([], count: 0, request) }
    let before = Predicate.compare(ColumnPath("position"), .less, .int64(position))
    let listing = LogListing(
      engine: engine, dataset: .queries, columns: QueryLogRoutes.columns, names: [:], style: style)
    do throws(StoreError) {
      let (objects, count) = try await listing.newest(
        request.limit, from: request.offset, .both(before, filter),
        within: PageBounds(bytesMax: QueryLogRoutes.pageBytesMax, memory: memory), for: QuerySessions.tenant)
      return QueryLogResponses.listing(objects, count: count, request)
    } catch {
      throw Problem(error)
    }
  }
}

extension RequestHead {
  /// Whether the bearer is a JSON Web Token by its looks: tokens of this API have no dots.
  fileprivate var hasSignedToken: Bool {
    headers.first(name: "Authorization").flatMap { KeyDirectory.bearerToken($0) }?.utf8.contains(
      UInt8(ascii: ".")) ?? false
  }
}
