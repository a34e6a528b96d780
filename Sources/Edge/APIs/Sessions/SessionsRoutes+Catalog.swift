import Access
import Records
import Routing

/// Containers and sessions.
extension SessionsRoutes {
  private static let container = RouteParameter.path("container", JSONSchema.text, "The container")

  var catalogRoutes: [Route] {
    [
      Route(.get, "/api/containers", "The own containers", .answer(listContainers)),
      Route(.post, "/api/containers", "Makes a container", .answer(createContainer))
        .taking(
          SessionsRoutes.body(
            JSONSchema.object([("container_id", JSONSchema.text)], required: ["container_id"]),
            #"{"container_id":"my-app"}"#)
        ).answering(201).failing(with: 409),
      Route(
        .get, "/api/containers/{container?}/sessions", "A container's sessions", .answer(listSessions)
      )
      .taking(SessionsRoutes.container).failing(with: 403),
      Route(.post, "/api/containers/{container?}/sessions", "Makes a session", .answer(createSession))
        .taking(SessionsRoutes.container)
        .taking(
          SessionsRoutes.body(
            JSONSchema.object([("session_id", JSONSchema.text)], required: ["session_id"]),
            #"{"session_id":"deploy-7"}"#)
        ).answering(201).failing(with: 403, 409),
    ]
  }

  func createContainer(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let name = try CatalogRequest.name("container_id", in: call.body)
    return try await recorded(call, .containerCreated, subject: principal.subject) {
      () throws(AccessError) in
      try await catalog.createContainer(name, owner: principal.subject)
      return SessionsResponses.containerCreated(name, user: principal.subject)
    }
  }

  func listContainers(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    do throws(AccessError) {
      let all = try await catalog.containers(of: principal.subject)
      return SessionsResponses.containers(all, user: principal.subject)
    } catch {
      throw Problem(access: error)
    }
  }

  func createSession(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let container = call.parameters["container"]
    // Before the body: what it says is nobody's business whose container it is not.
    do throws(AccessError) {
      try await catalog.checkContainer(container, owner: principal.subject)
    } catch {
      throw Problem(access: error)
    }
    let name = try CatalogRequest.name("session_id", in: call.body)
    return try await recorded(call, .sessionCreated, subject: principal.subject) {
      () throws(AccessError) in
      try await catalog.createSession(name, in: container, owner: principal.subject)
      return SessionsResponses.sessionCreated(name, container: container, user: principal.subject)
    }
  }

  func listSessions(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let container = call.parameters["container"]
    do throws(AccessError) {
      let all = try await catalog.sessions(of: container, owner: principal.subject)
      return SessionsResponses.sessions(all, container: container, user: principal.subject)
    } catch {
      throw Problem(access: error)
    }
  }
}
