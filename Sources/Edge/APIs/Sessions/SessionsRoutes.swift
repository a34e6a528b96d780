import Access
import Decoding
import Masking
import Querying
import Records
import Routing

/// The sessions API below `/api`: logins, users, containers, sessions, logs (Docs/sessions.md).
package struct SessionsRoutes: APIRoutes {
  /// One kind of resource; the raw value is its name in metrics and in the access log.
  enum Route: String {
    case login = "/api/auth/login"
    case logout = "/api/auth/logout"
    case refresh = "/api/auth/refresh"
    case users = "/api/users"
    case ownPassword = "/api/users/me/password"
    case keys = "/api/keys"
    case key = "/api/keys/{realm}/{name}"
    case containers = "/api/containers"
    case sessions = "/api/containers/{container}/sessions"
    case logs = "/api/logs/{container}/{session}"

    var methods: [RequestMethod] {
      switch self {
      case .login, .logout, .refresh, .ownPassword: [.post]
      case .users, .keys, .containers, .sessions, .logs: [.get, .post]
      case .key: [.delete]
      }
    }

    /// Whether it is for administrators alone.
    var isForAdministrators: Bool { self == .users || self == .keys || self == .key }
  }

  /// A request as far as its head tells: where to, and from whom.
  struct Target {
    var route: Route
    /// Container and session, where the path has them.
    var names: [String]
    var isWrite: Bool
  }

  /// A login, a container, a user: never longer.
  static let commandBytesMax = 1 << 20

  let accounts: Accounts
  let keys: KeyStore
  let catalog: SessionCatalog
  let seal: CursorSeal
  let log: any AccessLog
  let store: RecordStoring
  let engine: QueryEngine
  let decoder: Replaceable<SessionLogsDecoder>
  let limits: HTTPLimits
  let tokenHours: Int

  package init(
    accounts: Accounts, keys: KeyStore, catalog: SessionCatalog, seal: CursorSeal, log: any AccessLog,
    store: RecordStoring,
    engine: QueryEngine, decodingLimits: DecodingLimits, limits: HTTPLimits, tokenHours: Int,
    masking: MaskingPlan = .none
  ) {
    self.accounts = accounts
    self.keys = keys
    self.catalog = catalog
    self.seal = seal
    self.log = log
    self.store = store
    self.engine = engine
    decoder = Replaceable(SessionLogsDecoder(masking: masking, limits: decodingLimits))
    self.limits = limits
    self.tokenHours = tokenHours
  }

  /// Masks otherwise from now on.
  package func use(masking: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: masking)) }

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    guard path.hasPrefix("/api/"), !path.hasPrefix("/api/v1/") else { return nil }
    guard let (route, names) = SessionsRoutes.route(path) else {
      return .refuse(Problem(404, "Not found"), route: "unknown", errors: .sessions)
    }
    do throws(Problem) {
      let method = head.method == .head ? .get : head.method
      guard route.methods.contains(method) else {
        throw Problem(405, "Method not allowed", allow: route.methods.allowed)
      }
      let target = Target(route: route, names: names, isWrite: method == .post)
      if route == .login {
        try checkMediaType(head, target)
        return .accept(endpoint(target) { call throws(Problem) in try await login(call) })
      }
      let principal = try authenticate(head, origin, target)
      try checkMediaType(head, target)
      return .accept(endpoint(target, principal).limited(by: principal))
    } catch {
      return .refuse(error, route: route.rawValue, errors: .sessions)
    }
  }

  private static func route(_ path: String) -> (Route, [String])? {
    let parts = path.dropFirst("/api/".count).split(separator: "/", omittingEmptySubsequences: false)
      .map { QueryItems.decode($0, isQuery: false) ?? "" }
    switch parts.count {
    case 1: return [.users, .keys, .containers].first { $0.rawValue == path }.map { ($0, []) }
    case 2: return [.login, .logout, .refresh].first { $0.rawValue == path }.map { ($0, []) }
    case 3 where path == Route.ownPassword.rawValue: return (.ownPassword, [])
    case 3 where parts[0] == "containers" && parts[2] == "sessions": return (.sessions, [parts[1]])
    case 3 where parts[0] == "keys": return (.key, [parts[1], parts[2]])
    case 3 where parts[0] == "logs": return (.logs, [parts[1], parts[2]])
    default: return nil
    }
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ target: Target
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .sessions, route: target.route.rawValue)
    defer { log.record(event) }
    let principal: Principal
    do throws(CredentialError) {
      principal = try accounts.authenticate(authorization: head.headers.first(name: "Authorization"))
    } catch {
      event.outcome = .refused("\(error)")
      throw Problem(sessions: error)
    }
    event.subject = principal.subject
    event.tenant = principal.tenant
    guard !target.route.isForAdministrators || principal.role.allows(.administer) else {
      event.outcome = .refused("role")
      throw Problem(403, "Only administrators may do this")
    }
    return principal
  }

  private func checkMediaType(_ head: RequestHead, _ target: Target) throws(Problem) {
    guard target.isWrite, target.route != .logout, target.route != .refresh else { return }
    guard head.isJSON else { throw Problem(415, "The Content-Type must be application/json") }
    guard head.isPlain || target.route == .logs && head.isGzip else {
      throw Problem(415, "The only Content-Encoding is gzip, and only for logs")
    }
  }

  private func endpoint(_ target: Target, _ principal: Principal) -> Endpoint {
    let names = target.names
    switch (target.route, target.isWrite) {
    case (.logs, true):
      return endpoint(target, bodyBytesMax: limits.bodyBytesMax, isShort: true) { call throws(Problem) in
        try await write(call, principal, container: names[0], session: names[1])
      }
    case (.logs, false):
      return Endpoint(
        route: target.route.rawValue, bodyBytesMax: SessionsRoutes.commandBytesMax, isShort: false,
        errors: .sessions
      ) { (call, stream) async throws(Problem) in
        try await read(call, principal, container: names[0], session: names[1], through: stream)
      }
    case (.sessions, true):
      return endpoint(target) { call throws(Problem) in
        try await createSession(call, principal, container: names[0])
      }
    case (.sessions, false):
      return endpoint(target) { _ throws(Problem) in try await listSessions(principal, container: names[0]) }
    case (.containers, true):
      return endpoint(target) { call throws(Problem) in try await createContainer(call, principal) }
    case (.containers, false):
      return endpoint(target) { _ throws(Problem) in try await listContainers(principal) }
    case (.users, true):
      return endpoint(target) { call throws(Problem) in try await createUser(call, principal) }
    case (.users, false): return endpoint(target) { _ throws(Problem) in listUsers() }
    case (.keys, true):
      return endpoint(target) { call throws(Problem) in try await createKey(call, principal) }
    case (.keys, false):
      return endpoint(target) { _ throws(Problem) in SessionsResponses.keys(keys.keys()) }
    case (.key, _):
      return endpoint(target) { call throws(Problem) in
        try await revokeKey(call, principal, realm: names[0], name: names[1])
      }
    case (.ownPassword, _):
      return endpoint(target) { call throws(Problem) in try await changePassword(call, principal) }
    case (.refresh, _): return endpoint(target) { call throws(Problem) in try await refresh(call, principal) }
    case (.logout, _): return endpoint(target) { call throws(Problem) in try await logout(call, principal) }
    case (.login, _): preconditionFailure("a login has no principal yet")
    }
  }

  private func endpoint(
    _ target: Target, bodyBytesMax: Int = SessionsRoutes.commandBytesMax, isShort: Bool = false,
    _ respond: @escaping @Sendable (HTTPCall) async throws(Problem) -> HTTPAnswer
  ) -> Endpoint {
    Endpoint(
      route: target.route.rawValue, bodyBytesMax: bodyBytesMax, isShort: isShort, errors: .sessions
    ) { (call, _) async throws(Problem) in
      .answer(try await respond(call))
    }
  }
}
