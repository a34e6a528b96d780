import Access
import Records
import Routing

/// Which of the server's own routes anybody may ask, and who may ask the others
/// (`server.open_routes`; Docs/security.md).
package struct OperatorGate: Sendable {
  /// What `server.open_routes` may name: they tell of all tenants, or of what can be asked.
  package static let names = ["/", "/metrics", "/openapi.json"]

  /// nil: everything is open.
  private let open: Set<String>?
  private let isOperator: @Sendable (String?) -> Bool
  private let kinds: [CredentialKind]
  private let log: (any AccessLog)?

  /// Everything is open to everybody, for the owner of a machine alone.
  package static let open = OperatorGate(open: nil, isOperator: { _ in true }, kinds: [], log: nil)

  /// - Parameters:
  ///   - open: The paths that anybody may ask.
  ///   - isOperator: Whether an `Authorization` field is an administrator's. On event loops: must not block.
  package init(
    open: [String], kinds: [CredentialKind], log: any AccessLog,
    isOperator: @escaping @Sendable (String?) -> Bool
  ) {
    self.init(open: Set(open), isOperator: isOperator, kinds: kinds, log: log)
  }

  private init(
    open: Set<String>?, isOperator: @escaping @Sendable (String?) -> Bool, kinds: [CredentialKind],
    log: (any AccessLog)?
  ) {
    self.open = open
    self.isOperator = isOperator
    self.kinds = kinds
    self.log = log
  }

  /// The route as it is served: open, or for administrators.
  func guarded(_ route: Route) -> Route {
    isOpen(route.path.description) ? route : route.opened(by: kinds)
  }

  private func isOpen(_ path: String) -> Bool { open?.contains(path) ?? true }

  /// Whether the caller is told everything.
  func tellsAll(_ authorization: String?) -> Bool { open == nil || isOperator(authorization) }

  /// - Throws: 401: the route is for administrators, and the caller shows that he is none.
  func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    guard route.credentials?.isEmpty == false else { return nil }
    if isOperator(head.headers.first(name: "Authorization")) { return nil }
    var event = AccessEvent(head, origin, realm: .native, route: route.name)
    event.outcome = .refused("not_administrator")
    log?.record(event)
    throw Problem(401, "This path needs an administrator's credential (server.open_routes).")
  }
}
