import Access
import NIOCore
import NIOHTTP1

/// The routes of one API.
package protocol APIRoutes: Sendable {
  /// Decides about a request by its head; nil: the path is none of this API's. Called on event loops: must not block.
  func admit(_ head: HTTPRequestHead, path: String, origin: RequestOrigin) -> Admission?
}

/// Which API a request goes to: the first that has its path.
package struct Router: RequestRouter {
  private let apis: [any APIRoutes]

  package init(_ apis: [any APIRoutes]) { self.apis = apis }

  package func admit(_ head: HTTPRequestHead, path: String, origin: RequestOrigin) -> Admission {
    if head.method == .OPTIONS, isOpenToPages(path), let preflight = Router.preflight(head) {
      return preflight
    }
    for api in apis {
      if let admission = api.admit(head, path: path, origin: origin) { return admission }
    }
    return .refuse(
      Problem(404, "There is nothing at this path; GET / lists what there is."), route: "unknown")
  }

  package func isOpenToPages(_ path: String) -> Bool {
    path.hasPrefix("/api/v1/") || path.hasPrefix("/cubejs-api/") || path == "/health"
  }

  /// What a browser asks before it lets a page send the request itself (Fetch, §3.3.2); nil: no such question.
  private static func preflight(_ head: HTTPRequestHead) -> Admission? {
    guard head.headers.contains(name: "Origin"), head.headers.contains(name: "Access-Control-Request-Method")
    else {
      return nil
    }
    let asked = head.headers.first(name: "Access-Control-Request-Headers") ?? ""
    return .accept(
      Endpoint(route: "preflight", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: true) {
        (_, _) async throws(Problem) in
        .answer(
          HTTPAnswer(
            .ok, contentType: "text/plain; charset=utf-8",
            headers: [
              ("Access-Control-Allow-Methods", "DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT"),
              ("Access-Control-Allow-Headers", asked), ("Access-Control-Max-Age", "600"), ("Vary", "Origin"),
            ], body: ByteBuffer(string: "OK")))
      })
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
