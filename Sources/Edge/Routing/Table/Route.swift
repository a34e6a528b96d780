import Access

/// One method of one path: who may ask, what comes in, what goes out, and what answers.
///
/// Dispatch, `405`, CORS, metrics' names, the OpenAPI document and `/docs` come from routes, so that what is
/// served is documented and the other way round. A route is made with its handler and then told more, a call
/// a property:
///
/// ```swift
/// Route(.delete, "/api/v1/logs/cleanup", "Deletes old entries", .answer(cleanup))
///   .needing(.administer).taking(.query("before", JSONSchema.time, "Of times before this one")).failing(with: 403, 422)
/// ```
package struct Route: Sendable {
  /// A query, a filter, a command, a login is never longer.
  package static let commandBytesMax = 1 << 20
  /// What anybody may send: a name and a password.
  package static let openBytesMax = 4 << 10

  /// What answers.
  package enum Handler: Sendable {
    /// Anybody is answered.
    case open(@Sendable (HTTPCall) async throws(Problem) -> HTTPAnswer)
    case answer(@Sendable (HTTPCall, Principal) async throws(Problem) -> HTTPAnswer)
    /// The same, for work of microseconds followed by waiting: a small body is taken on the connection's
    /// event loop.
    case store(@Sendable (HTTPCall, Principal) async throws(Problem) -> HTTPAnswer)
    /// An answer that may be written piece by piece.
    case stream(@Sendable (HTTPCall, Principal, any AnswerStream) async throws(Problem) -> EndpointOutcome)
    /// Records as they come. Called on event loops, with the request's head alone: must not block.
    case live(@Sendable (HTTPCall, Principal) throws(Problem) -> LiveEndpoint)
  }

  /// As ``BodyPieces``, given whose they are.
  package struct Pieces: Sendable {
    let bytes: Int
    let take: @Sendable (HTTPCall, Principal) async throws(Problem) -> Int
  }

  package let method: RequestMethod
  package let path: PathPattern
  /// In a few words, for documents.
  package let summary: String
  package let handler: Handler
  /// Kinds of credentials that open it; nil: those of its API; none: anybody.
  package private(set) var credentials: [CredentialKind]?
  /// What the caller's role must allow; nil: any role will do.
  package private(set) var permission: Permission?
  package private(set) var parameters: [RouteParameter] = []
  /// nil: a body is not looked at.
  package private(set) var body: RouteBody?
  /// The status of success.
  package private(set) var status = 200
  /// Statuses of failures, besides those every route may have.
  package private(set) var failures: [Int] = []
  /// Whether it only asks (RFC 9110, §9.2.1): what else succeeds has changed something, and that is on disk
  /// before the answer.
  package private(set) var isSafe: Bool
  /// Whether it takes an `Idempotency-Key`.
  package private(set) var isIdempotent = false
  /// Whether its answer has a secret beside what the caller sent: such answers are not compressed (BREACH).
  package private(set) var mixesSecrets = false
  /// Whether the query of its address is no business of the server's, well-formed or not.
  package private(set) var leavesQuery = false
  /// Whether pages of other origins may ask; nil: as its API says.
  package private(set) var isOpenToPages: Bool?
  /// How refusals before the body look; nil: as the API's errors.
  package private(set) var refusals: ErrorFormat?
  /// Takes long bodies piece by piece; nil: they are refused. Compressed ones always are.
  package private(set) var pieces: Pieces?
  /// Of a path that several APIs have: whether the request is meant for this one. nil: it is. On event loops:
  /// must not block.
  package private(set) var claims: (@Sendable (RequestHead) -> Bool)?

  package init(_ method: RequestMethod, _ path: PathPattern, _ summary: String, _ handler: Handler) {
    self.method = method
    self.path = path
    self.summary = summary
    self.handler = handler
    isSafe = method == .get || method == .head
    switch handler {
    case .open: credentials = []
    case .answer, .store, .stream, .live: break
    }
  }

  /// Whether its answer is a live stream.
  package var isLive: Bool {
    if case .live = handler { true } else { false }
  }

  /// Whether anybody is answered, without a credential.
  package var isOpen: Bool {
    if case .open = handler { credentials?.isEmpty == true } else { false }
  }

  /// The most bytes of body it takes.
  var bodyBytesMax: Int {
    guard let body else { return Route.commandBytesMax }
    return isOpen ? min(body.bytesMax, Route.openBytesMax) : body.bytesMax
  }

  /// The name in metrics and logs.
  package var name: String { path.description }
}

// What is told of a route
extension Route {
  package func needing(_ permission: Permission) -> Route { with { $0.permission = permission } }

  package func opened(by credentials: CredentialKind...) -> Route { opened(by: credentials) }

  package func opened(by credentials: [CredentialKind]) -> Route { with { $0.credentials = credentials } }

  package func taking(_ parameters: RouteParameter...) -> Route { taking(parameters) }

  package func taking(_ parameters: [RouteParameter]) -> Route { with { $0.parameters += parameters } }

  package func taking(_ body: RouteBody) -> Route { with { $0.body = body } }

  package func answering(_ status: Int) -> Route { with { $0.status = status } }

  package func failing(with statuses: Int...) -> Route { with { $0.failures += statuses } }

  /// - Parameter bytes: Of a piece: as of ``BodyPieces``.
  package func takingPieces(
    of bytes: Int, _ take: @escaping @Sendable (HTTPCall, Principal) async throws(Problem) -> Int
  ) -> Route {
    with { $0.pieces = Pieces(bytes: bytes, take: take) }
  }

  package var safe: Route { with { $0.isSafe = true } }

  package var leavingQuery: Route { with { $0.leavesQuery = true } }

  package var idempotent: Route { with { $0.isIdempotent = true } }

  package var mixingSecrets: Route { with { $0.mixesSecrets = true } }

  package func openToPages(_ isOpen: Bool) -> Route { with { $0.isOpenToPages = isOpen } }

  package func refusing(as format: ErrorFormat) -> Route { with { $0.refusals = format } }

  /// The same at another path, answered by another handler of the same kind, and opened by the credentials of
  /// the API that takes it in.
  package func moved(to path: PathPattern, _ handler: Handler) -> Route {
    var route = Route(method, path, summary, handler)
    route.permission = permission
    route.parameters = parameters
    route.body = body
    route.status = status
    route.failures = failures
    route.isSafe = isSafe
    route.isIdempotent = isIdempotent
    route.mixesSecrets = mixesSecrets
    return route
  }

  package func claimed(_ claims: @escaping @Sendable (RequestHead) -> Bool) -> Route {
    with { $0.claims = claims }
  }

  private func with(_ change: (inout Route) -> Void) -> Route {
    var route = self
    change(&route)
    return route
  }
}
