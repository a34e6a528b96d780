import Access
import Codecs
import Records
import Routing

/// Logins and users.
extension SessionsRoutes {
  func login(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let (name, password) = try CredentialsRequest.read(call.body)
    return try await recorded(call, .login, .login, subject: name) { () throws(AccessError) in
      guard let name, let password else { throw .wrongPassword }
      let issued = try await accounts.login(name: name, password: password, address: call.address)
      return SessionsResponses.token(issued, hours: tokenHours)
    }
  }

  func refresh(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await recorded(call, .refresh, .refresh, subject: principal.subject) { () throws(AccessError) in
      let issued = try await accounts.refresh(authorization: call.authorization)
      return SessionsResponses.token(issued, hours: tokenHours)
    }
  }

  func logout(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await recorded(call, .logout, .logout, subject: principal.subject) { () throws(AccessError) in
      try await accounts.logout(authorization: call.authorization)
      return SessionsResponses.message("Logged out successfully")
    }
  }

  func createUser(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try NewUserRequest(call.body)
    return try await recorded(call, .users, .userCreated, subject: principal.subject) {
      () throws(AccessError) in
      try await accounts.create(name: request.name, password: request.password, role: request.role)
      return SessionsResponses.userCreated(request.name, role: request.role)
    }
  }

  func listUsers() -> HTTPAnswer { SessionsResponses.users(accounts.users()) }

  func changePassword(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try PasswordRequest(call.body)
    do throws(Problem) {
      return try await recorded(call, .ownPassword, .passwordChanged, subject: principal.subject) {
        () throws(AccessError) in
        try await accounts.changePassword(
          principal, authorization: call.authorization, current: request.current, new: request.new,
          address: call.address)
        return SessionsResponses.message("Password changed successfully")
      }
    } catch  where error.status == 401 {
      // 401 would tell a client to log in again, which it is.
      throw Problem(403, "The current password is wrong")
    }
  }

  func createKey(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try NewKeyRequest(call.body)
    return try await recorded(call, .keys, .keyCreated, subject: principal.subject) {
      () throws(AccessError) in
      let key = try await keys.create(
        realm: request.realm, name: request.name, tenant: request.tenant, role: request.role)
      return SessionsResponses.keyCreated(key, request)
    }
  }

  func revokeKey(
    _ call: HTTPCall, _ principal: Principal, realm: String, name: String
  ) async throws(Problem) -> HTTPAnswer {
    guard let realm = Realm.allCases.first(where: { $0.name == realm }) else {
      throw Problem(404, "API key not found")
    }
    return try await recorded(call, .key, .keyRevoked, subject: principal.subject) { () throws(AccessError) in
      try await keys.revoke(name: name, realm: realm)
      return SessionsResponses.message("API key revoked successfully")
    }
  }

  /// Runs `body` and notes in the access log how it ended.
  func recorded(
    _ call: HTTPCall, _ route: Route, _ kind: AccessEvent.Kind, subject: String?,
    _ body: () async throws(AccessError) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    var event = AccessEvent(
      kind, .granted, realm: .sessions, subject: subject.map { String($0.prefix(128)) },
      route: route.rawValue,
      method: call.head.method.rawValue, address: call.address, requestID: call.id)
    defer { log.record(event) }
    do throws(AccessError) { return try await body() } catch {
      event.outcome = .refused(error.word)
      throw Problem(sessions: error)
    }
  }
}

extension HTTPCall {
  var authorization: String? { head.headers.first(name: "Authorization") }
}
