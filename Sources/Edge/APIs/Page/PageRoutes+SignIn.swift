import Access
import Codecs
import Records
import Routing

/// Signing in and out, and who one is.
extension PageRoutes {
  private static let signIn = JSONSchema.object([
    ("name", JSONSchema.text), ("password", JSONSchema.text), ("key", JSONSchema.text),
  ])

  var signInRoutes: [Route] {
    [
      Route(.get, "/ui/v1/me", "Who is signed in, and whose records they may see", .answer(me))
        .taking(PageCallers.fields[0]),
      Route(
        .post, "/ui/v1/login", "A sign-in by a user's name and password, or by a key of the native API",
        .open(login)
      )
      .taking(PageCallers.fields[0])
      .taking(
        .json(PageRoutes.signIn, #"{"name":"admin","password":"admin"}"#)
          .accepting(.json(refusal: "The Content-Type must be application/json"))
      )
      .failing(with: 401, 403, 429).mixingSecrets,
      Route(.post, "/ui/v1/logout", "The sign-in ends", .open(logout))
        .taking(PageCallers.fields[0]).answering(204).failing(with: 403),
    ]
  }

  private func me(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await me(try callers.caller(call.head))
  }

  private func me(_ caller: PageCaller) async throws(Problem) -> HTTPAnswer {
    do throws(StoreError) { try await parts.tenants.refresh() } catch { throw Problem(error) }
    let tenants = access.rights.tenants(of: caller, among: parts.tenants.list)
    let own = ownSlice(of: caller)
    return HTTPAnswer.object { text in
      text.member("kind", caller.word)
      text.member("name", caller.name)
      text.member("administrator", caller.isAdministrator)
      text.member("version", parts.version)
      text.name("tenants")
      text.list(tenants) { text, tenant in
        text.member("name", tenant.tenant.description)
        text.member("role", tenant.role.rawValue)
        text.name("datasets")
        text.beginArray()
        let datasets =
          tenant.tenant == own ? [Dataset.sessions] : parts.tenants.datasets(of: tenant.tenant)
        for dataset in datasets { text.value(dataset.name) }
        text.endArray()
      }
    }.ofPage
  }

  /// The tenant of which the caller sees only what is their own; nil: there is none.
  private func ownSlice(of caller: PageCaller) -> Tenant? {
    let tenant = access.rights.usersTenant
    let principal = access.rights.principal(of: caller, for: tenant)
    return principal.flatMap { access.rights.owner($0, of: caller) } == nil ? nil : tenant
  }

  private func login(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let tree = try ControlBody.object(call.body, taking: "name", "password", "key")
    let old = PageCallers.shown(call.head)
    let (key, name, password) = (tree["key"]?.string, tree["name"]?.string, tree["password"]?.string)
    let isByKey = key != nil && tree["name"] == nil && tree["password"] == nil
    guard isByKey || name != nil && password != nil && tree["key"] == nil else {
      throw Problem(400, "name and password, or key: texts")
    }
    // What people type as a name may be a password; of a key nothing is told.
    let subject = isByKey ? nil : access.rights.loggedName(name ?? "")
    let tenant = isByKey ? key.flatMap { access.rights.tenant(ofKey: $0, among: access.keys) } : nil
    return try await recordedLogin(call, subject: subject, tenant: tenant) { () throws(AccessError) in
      let issued =
        if let key, isByKey {
          try await access.sessions.signIn(key: key, address: call.address, among: access.keys)
        } else {
          try await access.sessions.signIn(name: name ?? "", password: password ?? "", address: call.address)
        }
      // Whoever signs in anew leaves what they were; that it stays for its time harms nobody.
      if let old { try? await access.sessions.signOut(old) }
      return issued
    }
  }

  private func recordedLogin(
    _ call: HTTPCall, subject: String?, tenant: Tenant?, _ body: () async throws(AccessError) -> IssuedToken
  ) async throws(Problem) -> HTTPAnswer {
    var event = event(call, .login, subject: subject, tenant: tenant)
    defer { services.log.record(event) }
    let token: IssuedToken
    do throws(AccessError) { token = try await body() } catch {
      event.outcome = .refused(error.word)
      throw Problem(access: error)
    }
    if !token.isKept { event.outcome = .grantedInMemory }
    guard let caller = access.sessions.caller(token.token, among: access.keys) else {
      throw Problem(401, "The sign-in is over: sign in again.")
    }
    var answer = try await me(caller)
    answer.headers.append(("Set-Cookie", cookie(token.token, seconds: parts.tokenSeconds)))
    return answer
  }

  private func logout(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let shown = PageCallers.shown(call.head)
    let caller = shown.flatMap { access.sessions.caller($0, among: access.keys) }
    let gone = HTTPAnswer(
      204, contentType: "application/json", headers: [("Set-Cookie", cookie("", seconds: 0))], body: []
    ).ofPage
    guard let shown, let caller else { return gone }
    return try await recorded(call, .logout, subject: caller.name) { () throws(AccessError) in
      try await access.sessions.signOut(shown)
      return gone
    }
  }

  /// For addresses of the page alone, sent by its own pages alone, and seen by no script.
  func cookie(_ value: String, seconds: Int) -> String {
    setCookie(PageCallers.cookie, value, "Path=/ui/; Max-Age=\(seconds)", sameSite: "Strict")
  }

  /// The value of `Set-Cookie`, for a cookie that no script sees.
  func setCookie(_ name: String, _ value: String, _ attributes: String, sameSite: String) -> String {
    "\(name)=\(value); \(attributes); HttpOnly; SameSite=\(sameSite)" + (parts.isSecure ? "; Secure" : "")
  }
}

extension PageCaller {
  fileprivate var word: String {
    switch self {
    case .open: "open"
    case .user: "user"
    case .key: "key"
    }
  }
}
