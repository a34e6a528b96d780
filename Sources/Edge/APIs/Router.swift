import Access
import Querying
import Records
import Routing

/// The routes of one API.
package protocol APIRoutes: Sendable {
  /// Decides about a request by its head; nil: the path is none of this API's. Called on event loops: must not block.
  func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission?
}

/// Which API a request goes to: the first that has its path.
package struct Router: RequestRouter {
  private let apis: [any APIRoutes]
  private let origins: AllowedOrigins
  /// Whether the server is for the owner of this machine alone.
  private let isPrivate: Bool

  /// - Parameter origins: Whose pages may read answers, on the paths that pages may ask at all.
  package init(_ apis: [any APIRoutes], origins: AllowedOrigins = .all, isPrivate: Bool = false) {
    self.isPrivate = isPrivate
    self.apis = apis
    self.origins = origins
  }

  package func admit(_ head: RequestHead, origin: RequestOrigin) -> Admission {
    let path = head.path
    if isPrivate, !head.isForLoopback {
      return .refuse(
        Problem(
          421, "In development the server answers to localhost, 127.0.0.1 and [::1] alone, by any port."),
        route: "unknown", errors: .problemDetails)
    }
    if head.headers[list: "Transfer-Encoding"].contains(where: { $0.lowercased() != "chunked" }) {
      return .refuse(
        Problem(501, "The only Transfer-Encoding is chunked."), route: "unknown", errors: .problemDetails)
    }
    if head.method == .options, Router.isOpenToPages(path), let preflight = preflight(head) {
      return preflight
    }
    for api in apis {
      if let admission = api.admit(head, path: path, origin: origin) { return admission }
    }
    return .refuse(
      Problem(404, "Not Found"), route: "unknown",
      // The native API's errors are whole problem details.
      errors: path.hasPrefix("/v1/") ? .problemDetails : .unknownPath)
  }

  package func originFields(_ path: String, origin: String?) -> [(name: String, value: String)] {
    guard Router.isOpenToPages(path) else { return [] }
    // Said whether a page asks or not: a cache must not give one page what another was told.
    let vary = (name: "Vary", value: "Origin")
    guard let allowed = origin.flatMap(origins.answer) else { return [vary] }
    return [(name: "Access-Control-Allow-Origin", value: allowed), vary]
  }

  private static func isOpenToPages(_ path: String) -> Bool {
    path.hasPrefix("/api/v1/") || path.hasPrefix("/cubejs-api/") || path == "/health"
      || IngestRoutes.isIngest(path)
  }

  /// What a browser asks before it lets a page send the request itself (Fetch, §3.3.2); nil: no such question, or from a page
  /// that may not.
  private func preflight(_ head: RequestHead) -> Admission? {
    guard let origin = head.headers.first(name: "Origin"), origins.answer(to: origin) != nil,
      head.headers.contains(name: "Access-Control-Request-Method")
    else { return nil }
    let asked = head.headers.first(name: "Access-Control-Request-Headers") ?? ""
    return .accept(
      Endpoint(route: "preflight", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: true) {
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

extension RequestHead {
  /// Refuses a query that cannot be read: what looks for an item would take it for missing, and its default for what was meant.
  ///
  /// - Throws: 400.
  func checkQuery() throws(Problem) {
    guard query.isWellFormed else {
      throw Problem(400, "The query has a broken escape, or text that is not UTF-8")
    }
  }
}

extension HTTPCall {
  /// Whether the caller asks how the request would run (`?explain=1`) instead of its answer.
  ///
  /// - Throws: 403 for those who are no administrators.
  func asksForPlan(_ principal: Principal) throws(Problem) -> Bool {
    guard query["explain"] == "1" else { return false }
    guard principal.role.allows(.administer) else { throw Problem(403, "Plans need the role admin") }
    return true
  }
}

extension QueryEngine {
  /// The plans of queries that make up one answer, with a blank line between them.
  func plans(
    of requests: [QueryRequest], for tenant: Tenant
  ) async throws(StoreError) -> HTTPAnswer {
    var trees: [String] = []
    for request in requests { trees.append(try await explain(request, for: tenant)) }
    return .plan(trees.joined(separator: "\n\n"))
  }
}

extension ErrorFormat {
  /// RFC 9457 with `detail` alone, as clients of three of the APIs expect it where no API has the path.
  static let unknownPath = ErrorFormat { problem, _ in
    problem.answer(contentType: "application/problem+json") { $0.member("detail", problem.detail) }
  }
}

extension Endpoint {
  /// The endpoint within what the caller may ask for.
  func limited(by principal: Principal) -> Endpoint {
    guard let most = principal.limits.bodyBytesMax, most < bodyBytesMax else { return self }
    return Endpoint(
      route: route, bodyBytesMax: most, isShort: isShort, errors: errors, respond: respond)
  }
}
