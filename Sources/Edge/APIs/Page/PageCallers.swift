import Access
import Codecs
import Platform
import Records
import Routing

/// Who asks by way of the page: whom the cookie names, and as whom of which tenant they ask.
struct PageCallers: Sendable {
  /// The cookie's name.
  static let cookie = "cordwood_page"
  /// What the page says of itself with every call. No page of another origin can send it without being asked
  /// about first, and is refused then.
  static let field = "Cordwood-Page"
  /// The tenant that is asked about: `realm/name`, percent-encoded.
  static let tenantField = "Cordwood-Tenant"

  static let kind = CredentialKind("pageCookie", "a sign-in to the page", .cookie(PageCallers.cookie))

  /// What all of the page's routes take.
  static let fields: [RouteParameter] = [
    .header(field, "Says that the page asks", needed: "1"),
    .header(tenantField, "Whose records: realm/name, percent-encoded; else the first that `me` lists"),
  ]

  let sessions: PageSessions
  let rights: PageRights
  let keys: KeyDirectory
  let tenants: KnownTenants
  let log: any AccessLog

  /// Who asks.
  ///
  /// - Throws: 401: nobody that is known, where that is needed.
  func caller(_ head: RequestHead) throws(Problem) -> PageCaller {
    let cookie = PageCallers.shown(head)
    if let cookie, let caller = sessions.caller(cookie, among: keys) { return caller }
    do throws(CredentialError) { return rights.open(try keys.authenticate(authorization: nil)) } catch {
      throw Problem(401, cookie == nil ? "Sign in first." : "The sign-in is over: sign in again.")
    }
  }

  /// The value of the page's cookie; nil without one.
  static func shown(_ head: RequestHead) -> String? { value(of: cookie, head) }

  /// A cookie's value; nil without one.
  static func value(of name: String, _ head: RequestHead) -> String? {
    for pair in head.headers["Cookie"].flatMap({ $0.parts(at: ";") }).prefix(64) {
      let parts = pair.trimmed.parts(at: "=", most: 2)
      if parts.count == 2, parts[0].hasBytes(of: name) { return String(parts[1]) }
    }
    return nil
  }

  /// Decides whom a request comes from. Called on event loops: does not block.
  ///
  /// - Throws: 400, 401, 403.
  func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, _ route: Route
  ) throws(Problem) -> Principal? {
    // An address for the browser itself, which has the cookie's and its own secret and no field of ours.
    let isNavigation = PageRoutes.navigations.contains { route.name.hasBytes(of: $0) }
    var event = AccessEvent(head, origin, realm: rights.usersTenant.realm, route: route.name)
    var isOpen = false
    defer { if !isOpen || event.outcome != .granted { log.record(event) } }
    guard isNavigation || head.headers.first(name: PageCallers.field)?.hasBytes(of: "1") == true else {
      event.outcome = .refused("page_field")
      throw Problem(403, "This is for the page, which says so: \(PageCallers.field): 1.")
    }
    // Who signs in has no principal yet; how that ends has an event of its own.
    if case .open = route.handler {
      isOpen = true
      return nil
    }
    let caller: PageCaller
    do throws(Problem) { caller = try self.caller(head) } catch {
      event.outcome = .refused(PageCallers.shown(head) == nil ? "missing" : "unknown")
      throw error
    }
    if case .open = caller { try head.checkIsOwners(&event) }
    event.subject = caller.name
    guard route.permission != .operate || caller.isAdministrator else {
      event.outcome = .refused("role")
      throw Problem(403, "This is for administrators.")
    }
    do throws(Problem) {
      let principal = try principal(head, of: caller, route)
      event.realm = principal.tenant.realm
      event.tenant = principal.tenant
      return principal
    } catch {
      event.outcome = .refused(error.status == 403 ? "tenant_or_role" : "tenant")
      throw error
    }
  }

  /// As whom the caller asks.
  private func principal(
    _ head: RequestHead, of caller: PageCaller, _ route: Route
  ) throws(Problem) -> Principal {
    let asked = route.isOfTenant ? try PageCallers.tenant(head) : nil
    let own = rights.tenants(of: caller, among: tenants.list)
    // What cannot be taken back wants a name: which tenant comes first may change.
    if asked == nil, route.permission == .administer, own.count > 1 {
      throw Problem(400, "Say of which tenant: \(PageCallers.tenantField): realm/name.")
    }
    guard let tenant = asked ?? own.first?.tenant, let principal = rights.principal(of: caller, for: tenant)
    else { throw PageCallers.notTheirs }
    if let permission = route.permission, permission != .operate, !principal.allows(permission) {
      throw Problem(403, "The role \(principal.role.rawValue) does not allow this.")
    }
    return principal
  }

  /// Also said of tenants that there are not.
  private static let notTheirs = Problem(403, "There is no such tenant, or its records are not yours to see.")

  /// The tenant that a request names; nil: none.
  private static func tenant(_ head: RequestHead) throws(Problem) -> Tenant? {
    let values = head.headers[tenantField]
    guard let value = values.first else { return nil }
    guard values.count == 1, let text = QueryItems.decode(value[...], isQuery: false) else {
      throw Problem(400, "\(tenantField): realm/name, percent-encoded, once.")
    }
    let parts = text.parts(at: "/", most: 2)
    guard parts.count == 2,
      let realm = GrantDirectory.realms.first(where: { $0.name.hasBytes(of: parts[0]) }),
      Tenant.isValid(name: String(parts[1]))
    else { throw notTheirs }
    return Tenant(realm: realm, name: String(parts[1]))
  }

  /// The principal with the filter that says which of a tenant's records are the user's own.
  ///
  /// - Throws: 500, 503.
  func narrowed(_ principal: Principal, _ head: RequestHead) async throws(Problem) -> Principal {
    guard principal.filter == .none else { return principal }
    return try await narrowed(principal, of: try caller(head))
  }

  func narrowed(_ principal: Principal, of caller: PageCaller) async throws(Problem) -> Principal {
    do throws(AccessError) { return try await rights.narrowed(principal, of: caller) } catch {
      throw Problem(access: error)
    }
  }

  /// Whether whoever was let in as `principal` would be let in as the same now. Any thread, microseconds.
  func mayStillRead(_ head: RequestHead, as principal: Principal) -> Bool {
    // Whatever it is that does not hold any more.
    guard let caller = try? caller(head), let now = rights.principal(of: caller, for: principal.tenant) else {
      return false
    }
    return now.subject.hasBytes(of: principal.subject) && now.filter == principal.filter && now.allows(.read)
  }
}

extension Route {
  /// Whether it is about the records of one tenant, which the request may name.
  var isOfTenant: Bool { parameters.contains { $0.name.hasBytes(of: PageCallers.tenantField) } }
}
