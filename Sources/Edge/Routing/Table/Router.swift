import Access
import Columnar
import Records

/// Takes each request to its route.
package struct Router: RequestRouter {
  private let table: RouteTable
  private let origins: AllowedOrigins
  /// Whether the server is for the owner of this machine alone.
  private let isPrivate: Bool
  /// nil: nobody's rate is limited.
  private let rates: RequestRates?
  private let log: (any AccessLog)?

  /// - Parameters:
  ///   - origins: Whose pages may read answers, of the routes that pages may ask at all.
  ///   - isPrivate: Only requests that name loopback are served.
  ///   - rates: How fast callers may ask; nil: as they like.
  ///   - log: Is told of those who asked too fast.
  package init(
    _ table: RouteTable, origins: AllowedOrigins = .all, isPrivate: Bool = false,
    rates: RequestRates? = nil, log: (any AccessLog)? = nil
  ) {
    self.rates = rates
    self.log = log
    self.table = table
    self.origins = origins
    self.isPrivate = isPrivate
  }

  package func route(_ head: RequestHead, origin: RequestOrigin) -> RoutingVerdict {
    let found = table.find(head.path)
    let isOpenToPages = found?.entry.isOpenToPages ?? table.owner(of: head.path)?.isOpenToPages ?? false
    var rateFields: [(name: String, value: String)] = []
    let admission = admit(head, origin, found, isOpenToPages: isOpenToPages, &rateFields)
    let fields = isOpenToPages ? originFields(head) : []
    return RoutingVerdict(admission, originFields: rateFields.isEmpty ? fields : fields + rateFields)
  }

  private func admit(
    _ head: RequestHead, _ origin: RequestOrigin, _ found: (entry: RouteTable.Entry, values: [String])?,
    isOpenToPages: Bool, _ rateFields: inout [(name: String, value: String)]
  ) -> Admission {
    if let problem = head.framingProblem { return .refuse(problem, route: "unknown") }
    if isPrivate, !head.isForLoopback {
      return .refuse(
        Problem(
          421, "In development the server answers to localhost, 127.0.0.1 and [::1] alone, by any port."),
        route: "unknown")
    }
    if isOpenToPages, head.method == .options, let preflight = preflight(head) { return preflight }
    guard let found, let first = found.entry.places.first(where: { $0.route.claims?(head) ?? true }) else {
      return unknown(head.path)
    }
    return admit(head, origin, first, in: found, &rateFields)
  }

  /// How a path that nobody has is answered: as the API does to whose paths it would belong.
  private func unknown(_ path: String) -> Admission {
    guard let api = table.owner(of: path) else {
      return .refuse(Problem(404, "Not Found"), route: "unknown", errors: .unknownPath)
    }
    return .refuse(Problem(404, api.errors.notFound), route: "unknown", errors: api.errors)
  }

  /// Decides for the API whose path it is.
  private func admit(
    _ head: RequestHead, _ origin: RequestOrigin, _ first: RouteTable.Place,
    in found: (entry: RouteTable.Entry, values: [String]), _ rateFields: inout [(name: String, value: String)]
  ) -> Admission {
    let (api, entry) = (first.api, found.entry)
    do throws(Problem) {
      guard let place = Router.place(for: head.method, of: first, among: entry) else {
        if api.hidesMethods { _ = try api.authenticate(head, origin, first.route) }
        let allow = Router.allowed(entry.places.filter { $0.api.name == api.name }.map(\.route))
        throw Problem(405, api.errors.methodNotAllowed(allow), allow: allow)
      }
      let principal = try api.authenticate(head, origin, place.route)
      if let rates, let principal {
        let verdict = rates.take(principal)
        rateFields = verdict.fields
        if let remark = verdict.remark { note(remark, of: principal, head, origin, place.route) }
        if let refusal = verdict.refusal { throw refusal }
      }
      return try accept(head, origin, place, principal, found.values)
    } catch {
      return .refuse(error, route: first.route.name, errors: first.route.refusals ?? api.errors)
    }
  }

  private func note(
    _ remark: String, of principal: Principal, _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) {
    log?.record(
      AccessEvent(
        .rateLimited, .refused(remark), realm: principal.tenant.realm, subject: principal.subject,
        tenant: principal.tenant, route: route.name, method: head.method.rawValue, address: origin.address,
        requestID: origin.id))
  }

  /// The route of the method, of the API that `first` is of.
  private static func place(
    for method: RequestMethod, of first: RouteTable.Place, among entry: RouteTable.Entry
  ) -> RouteTable.Place? {
    entry.places.first { place in
      let route = place.route
      return (route.method == method || method == .head && route.method == .get && !route.isLive)
        && place.api.name == first.api.name
    }
  }

  /// The value of `Allow`: what can be got can be asked for its head, but for live streams.
  private static func allowed(_ routes: [Route]) -> String {
    routes.flatMap { route in
      route.method == .get && !route.isLive ? ["GET", "HEAD"] : [route.method.rawValue]
    }.joined(separator: ", ")
  }

  private func accept(
    _ head: RequestHead, _ origin: RequestOrigin, _ place: RouteTable.Place, _ principal: Principal?,
    _ values: [String]
  ) throws(Problem) -> Admission {
    let route = place.route
    if !route.leavesQuery {
      if !route.isLive { try head.checkQuery() }
      try Slip.check(head.query, route.parameters, errors: route.refusals ?? place.api.errors)
    }
    try route.body?.check(head)
    guard head.isPlain || route.body?.isCompressible == true && head.contentCoding != nil else {
      throw Problem(
        415,
        route.body?.isCompressible == true
          ? "A body has one Content-Encoding of \(ContentCoding.names)" : "There is no Content-Encoding here")
    }
    if case .live(let open) = route.handler {
      let call = HTTPCall(id: origin.id, head: head, body: [], address: origin.address)
        .at(route, parameters(route, values))
      var endpoint = try open(call, Router.known(principal))
      endpoint.tenant = principal?.tenant
      return .live(endpoint)
    }
    return .accept(endpoint(place, principal, parameters(route, values)))
  }

  private func parameters(_ route: Route, _ values: [String]) -> PathParameters {
    PathParameters(names: route.path.parameters, values: values)
  }

  private static func known(_ principal: Principal?) -> Principal {
    guard let principal else { bug("a route that asks for a caller has one") }
    return principal
  }

  private func endpoint(
    _ place: RouteTable.Place, _ principal: Principal?, _ parameters: PathParameters
  ) -> Endpoint {
    let route = place.route
    let most = route.bodyBytesMax
    var isShort = false
    if case .store = route.handler { isShort = true }
    var traits = Endpoint.Traits(
      mixesSecrets: route.mixesSecrets, isOpen: route.isOpen, tenant: principal?.tenant)
    traits.pieces = principal.flatMap { pieces(of: place, $0, parameters) }
    return Endpoint(
      route: route.name, bodyBytesMax: min(most, principal?.limits.bodyBytesMax ?? most), isShort: isShort,
      errors: place.api.errors, traits: traits
    ) { [rates] (call, stream) async throws(Problem) in
      if let rates, let principal { rates.charge(bytes: call.body.count, to: principal) }
      if route.method == .delete, route.body == nil, !call.body.isEmpty {
        throw Problem(400, "This takes no body: path and query say what is deleted")
      }
      let call = call.at(place.route, parameters)
      switch place.route.handler {
      case .open(let respond): return .answer(try await respond(call))
      case .store(let respond): return .answer(try await respond(call, Router.known(principal)))
      case .answer(let respond):
        return try await Router.marking(call, stream) { (_) async throws(Problem) in
          .answer(try await respond(call, Router.known(principal)))
        }
      case .stream(let respond):
        return try await Router.marking(call, stream) { (stream) async throws(Problem) in
          try await respond(call, Router.known(principal), stream)
        }
      case .live: bug("a live stream is no endpoint")
      }
    }
  }
}

// Bodies that are taken piece by piece
extension Router {
  /// Each piece counts as a request of the caller's, who waits where there are too many: refused, a body
  /// would be sent again from its beginning, and never come to its end.
  private func pieces(
    of place: RouteTable.Place, _ principal: Principal, _ parameters: PathParameters
  ) -> BodyPieces? {
    guard let pieces = place.route.pieces else { return nil }
    return BodyPieces(bytes: pieces.bytes) { [rates] (call) async throws(Problem) in
      while let refusal = rates?.take(principal).refusal {
        do { try await Task.sleep(for: .seconds(refusal.retryAfterSeconds ?? 1)) } catch { throw refusal }
      }
      let count = try await pieces.take(call.at(place.route, parameters), principal)
      rates?.charge(bytes: count, to: principal)
      return count
    }
  }
}

// What pages of other origins may do (CORS; Fetch, §3.2)
extension Router {
  private static let vary = [(name: "Vary", value: "Origin")]

  /// Whether a page may read the answer. Said whether one asks or not: a cache must not give one page what
  /// another was told.
  private func originFields(_ head: RequestHead) -> [(name: String, value: String)] {
    guard let allowed = head.headers.first(name: "Origin").flatMap(origins.answer) else {
      return Router.vary
    }
    return [(name: "Access-Control-Allow-Origin", value: allowed)] + Router.vary
  }

  /// What a browser asks before it lets a page send the request itself (Fetch, §3.3.2); nil: no such
  /// question, or from a page that may not.
  private func preflight(_ head: RequestHead) -> Admission? {
    guard let origin = head.headers.first(name: "Origin"), origins.answer(to: origin) != nil,
      head.headers.contains(name: "Access-Control-Request-Method")
    else { return nil }
    let asked = head.headers.first(name: "Access-Control-Request-Headers") ?? ""
    return .accept(
      Endpoint(route: "preflight", bodyBytesMax: Route.commandBytesMax, isShort: true) {
        (_, _) async throws(Problem) in
        .answer(
          HTTPAnswer(
            .ok, contentType: "text/plain; charset=utf-8",
            headers: [
              ("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
              ("Access-Control-Allow-Headers", asked), ("Access-Control-Max-Age", "600"),
            ], body: Array("OK".utf8)))
      })
  }
}
