import Access
import Records
import Routing

/// Routes of other APIs, under the page's sign-in: a list, so that what those get the page has.
extension PageRoutes {
  /// A native route below `/ui/v1`; nil: it asks for no credential, and is not for here.
  static func moved(_ route: Route, _ callers: PageCallers) -> Route? {
    let path = PathPattern("/ui" + route.name)
    switch route.handler {
    case .open: return nil
    case .answer(let respond), .store(let respond):
      return route.moved(
        to: path,
        .answer { call, principal throws(Problem) in
          try await respond(call, try await callers.narrowed(principal, call.head)).ofPage
        }
      ).taking(PageCallers.fields)
    case .stream(let respond):
      return route.moved(
        to: path,
        .stream { call, principal, stream throws(Problem) in
          let principal = try await callers.narrowed(principal, call.head)
          switch try await respond(call, principal, PageStream(stream)) {
          case .answer(let answer): return .answer(answer.ofPage)
          case .streamed: return .streamed
          }
        }
      ).taking(PageCallers.fields)
    case .live(let open):
      return route.moved(
        to: path,
        .live { call, principal throws(Problem) in
          // Its form and its errors; what is followed is said once it is known what the caller may see.
          let first = try open(call, principal)
          return LiveEndpoint(
            route: path.description, errors: first.errors, subprotocol: first.subprotocol,
            mayListen: { callers.mayStillRead(call.head, as: principal) },
            open: { opening throws(Problem) in
              let narrowed = try await callers.narrowed(principal, call.head)
              return try await open(call, narrowed).open(opening)
            })
        }
      ).taking(PageCallers.fields)
    }
  }

  /// What administrators have here too: routes of other APIs, and where they are then.
  private static let administrative: [(route: String, path: String)] = [
    ("/api/users", "/ui/v1/users"), ("/api/keys", "/ui/v1/keys"),
    ("/api/keys/{realm}/{name}", "/ui/v1/keys/{realm}/{name}"),
    ("/v1/admin/masking:test", "/ui/v1/admin/masking:test"),
    ("/v1/admin/deadletters", "/ui/v1/admin/deadletters"),
    ("/v1/admin/deadletters/replay", "/ui/v1/admin/deadletters/replay"),
    ("/v1/admin/deadletters/drop", "/ui/v1/admin/deadletters/drop"),
  ]

  /// A route of another API for administrators, as the page's have it; nil: they have it not.
  static func administrators(_ route: Route) -> Route? {
    guard let path = administrative.first(where: { $0.route.hasBytes(of: route.name) })?.path else {
      return nil
    }
    let handler: Route.Handler
    switch route.handler {
    case .answer(let respond):
      handler = .answer { call, principal throws(Problem) in try await respond(call, principal).ofPage }
    case .open(let respond):
      handler = .answer { call, _ throws(Problem) in try await respond(call).ofPage }
    case .store, .stream, .live: return nil
    }
    return route.moved(to: PathPattern(path), handler).needing(.operate).taking(PageCallers.fields[0])
  }
}
