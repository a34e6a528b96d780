import Access
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
    for api in apis {
      if let admission = api.admit(head, path: path, origin: origin) { return admission }
    }
    return .refuse(
      Problem(404, "There is nothing at this path; GET / lists what there is."), route: "unknown")
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
