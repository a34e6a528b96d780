import Access
import Decoding
import EntryDecoding
import Masking
import Querying
import Records
import Routing

/// The sessions API below `/api`: logins, users, containers, sessions, logs (Docs/sessions.md).
package struct SessionsRoutes: RecordOwner {
  package static let realm = Realm.sessions
  package static let datasets: [Dataset] = [.sessions]

  let accounts: Accounts
  let keys: KeyStore
  let catalog: SessionCatalog
  let seal: CursorSeal
  let log: any AccessLog
  let store: RecordStoring
  let engine: any QueryAnswering
  let decoder: Replaceable<SessionLogsDecoder>
  let limits: HTTPLimits
  let tokenHours: Int

  package init(
    _ services: APIServices, accounts: Accounts, keys: KeyStore, catalog: SessionCatalog, seal: CursorSeal,
    tokenHours: Int
  ) {
    self.accounts = accounts
    self.keys = keys
    self.catalog = catalog
    self.seal = seal
    self.tokenHours = tokenHours
    log = services.log
    store = services.store
    engine = services.engine
    limits = services.limits
    decoder = Replaceable(SessionLogsDecoder(masking: .none, limits: services.decodingLimits))
  }

  /// Masks otherwise from now on.
  package func use(masking: MaskingPlan) { decoder.replace(with: decoder.value.masked(by: masking)) }

  static let token = CredentialKind("session", "a token of the sessions API")

  package var api: API {
    var api = API("sessions", errors: .error, authenticate: authenticate)
    api.realm = SessionsRoutes.realm
    api.datasets = SessionsRoutes.datasets
    api.credentials = [SessionsRoutes.token]
    api.prefixes = ["/api/"]
    api.masking = { [decoder] plan in decoder.replace(with: decoder.value.masked(by: plan(.sessions))) }
    api.routes = accountRoutes + keyRoutes + catalogRoutes + logRoutes
    return api
  }

  static func body(_ schema: String, _ example: String, bytesMax: Int? = nil) -> RouteBody {
    .json(schema, example, bytesMax: bytesMax)
      .accepting(.json(refusal: "The Content-Type must be application/json"))
  }

  private func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    // A login has no principal yet.
    if case .open = route.handler { return nil }
    var event = AccessEvent(head, origin, realm: .sessions, route: route.name)
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
    if let permission = route.permission, !principal.allows(permission) {
      event.outcome = .refused("role")
      throw Problem(403, "Only administrators may do this")
    }
    return principal
  }
}
