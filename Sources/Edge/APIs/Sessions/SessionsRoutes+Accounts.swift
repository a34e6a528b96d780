import Access
import Codecs
import Records
import Routing

/// Logins and users.
extension SessionsRoutes {
  private static let nameAndPassword = [("username", JSONSchema.text), ("password", JSONSchema.text)]
  private static let credentials = JSONSchema.object(nameAndPassword, required: ["username", "password"])

  var accountRoutes: [Route] {
    [
      Route(.post, "/api/auth/login", "A token for a name and a password", .open(login))
        .taking(SessionsRoutes.body(SessionsRoutes.credentials, #"{"username":"admin","password":"admin"}"#))
        .failing(with: 401, 429).mixingSecrets,
      Route(.post, "/api/auth/refresh", "A new token; the old one dies", .answer(refresh)).mixingSecrets,
      Route(.post, "/api/auth/logout", "The token dies", .answer(logout)),
      Route(.get, "/api/users", "Users, for administrators", .answer(listUsers))
        .needing(.administer).failing(with: 403),
      Route(.post, "/api/users", "Makes a user, for administrators", .answer(createUser))
        .needing(.administer)
        .taking(
          SessionsRoutes.body(
            JSONSchema.object(
              SessionsRoutes.nameAndPassword + [("role", JSONSchema.choice("user", "admin"))],
              required: ["username", "password"]),
            #"{"username":"alice","password":"correct-horse-b","role":"user"}"#)
        ).answering(201).failing(with: 403, 409),
      Route(.post, "/api/users/me/password", "Changes the own password", .answer(changePassword))
        .taking(
          SessionsRoutes.body(
            JSONSchema.object(
              [("current_password", JSONSchema.text), ("new_password", JSONSchema.text)],
              required: ["current_password", "new_password"]),
            #"{"current_password":"admin","new_password":"correct-horse-b"}"#)
        ).failing(with: 403, 429),
    ]
  }

  func login(_ call: HTTPCall) async throws(Problem) -> HTTPAnswer {
    let (name, password) = try CredentialsRequest.read(call.body)
    let subject = name.map(accounts.loggedName)
    return try await recordedToken(call, .login, subject: subject) { () throws(AccessError) in
      guard let name, let password else { throw .wrongPassword }
      return try await accounts.login(name: name, password: password, address: call.address)
    }
  }

  func refresh(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await recordedToken(call, .refresh, subject: principal.subject) { () throws(AccessError) in
      try await accounts.refresh(authorization: call.authorization)
    }
  }

  func logout(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    try await recorded(call, .logout, subject: principal.subject) { () throws(AccessError) in
      try await accounts.logout(authorization: call.authorization)
      return SessionsResponses.message("Logged out successfully")
    }
  }

  func createUser(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try NewUserRequest(call.body)
    return try await recorded(call, .userCreated, subject: principal.subject) {
      () throws(AccessError) in
      try await accounts.create(name: request.name, password: request.password, role: request.role)
      return SessionsResponses.userCreated(request.name, role: request.role)
    }
  }

  func listUsers(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    SessionsResponses.users(accounts.users())
  }

  func changePassword(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let request = try PasswordRequest(call.body)
    do throws(Problem) {
      return try await recorded(call, .passwordChanged, subject: principal.subject) {
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

  /// Answers with the token that `body` makes, and notes in the access log how that ended.
  private func recordedToken(
    _ call: HTTPCall, _ kind: AccessEvent.Kind, subject: String?,
    _ body: () async throws(AccessError) -> IssuedToken
  ) async throws(Problem) -> HTTPAnswer {
    var event = event(call, kind, subject: subject)
    defer { log.record(event) }
    do throws(AccessError) {
      let issued = try await body()
      if !issued.isKept { event.outcome = .grantedInMemory }
      return SessionsResponses.token(issued, hours: tokenHours)
    } catch {
      event.outcome = .refused(error.word)
      throw Problem(access: error)
    }
  }

  /// Runs `body` and notes in the access log how it ended.
  func recorded(
    _ call: HTTPCall, _ kind: AccessEvent.Kind, subject: String?,
    _ body: () async throws(AccessError) -> HTTPAnswer
  ) async throws(Problem) -> HTTPAnswer {
    var event = event(call, kind, subject: subject)
    defer { log.record(event) }
    do throws(AccessError) { return try await body() } catch {
      event.outcome = .refused(error.word)
      throw Problem(access: error)
    }
  }

  private func event(_ call: HTTPCall, _ kind: AccessEvent.Kind, subject: String?) -> AccessEvent {
    AccessEvent(
      kind, .granted, realm: .sessions, subject: subject,
      route: call.route, method: call.head.method.rawValue, address: call.address, requestID: call.id)
  }
}
