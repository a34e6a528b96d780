import Access
import Records
import Routing

/// Containers and sessions.
extension SessionsRoutes {
  func createContainer(_ call: HTTPCall, _ principal: Principal) async throws(Problem) -> HTTPAnswer {
    let name = try CatalogRequest.name("container_id", in: call.body)
    return try await recorded(call, .containers, .containerCreated, subject: principal.subject) {
      () throws(AccessError) in
      try await catalog.createContainer(name, owner: principal.subject)
      return SessionsResponses.containerCreated(name, user: principal.subject)
    }
  }

  func listContainers(_ principal: Principal) async throws(Problem) -> HTTPAnswer {
    do throws(AccessError) {
      let all = try await catalog.containers(of: principal.subject)
      return SessionsResponses.containers(all, user: principal.subject)
    } catch {
      throw Problem(sessions: error)
    }
  }

  func createSession(
    _ call: HTTPCall, _ principal: Principal, container: String
  ) async throws(Problem) -> HTTPAnswer {
    // Before the body: what it says is nobody's business whose container it is not.
    do throws(AccessError) {
      try await catalog.checkContainer(container, owner: principal.subject)
    } catch {
      throw Problem(sessions: error)
    }
    let name = try CatalogRequest.name("session_id", in: call.body)
    return try await recorded(call, .sessions, .sessionCreated, subject: principal.subject) {
      () throws(AccessError) in
      try await catalog.createSession(name, in: container, owner: principal.subject)
      return SessionsResponses.sessionCreated(name, container: container, user: principal.subject)
    }
  }

  func listSessions(_ principal: Principal, container: String) async throws(Problem) -> HTTPAnswer {
    do throws(AccessError) {
      let all = try await catalog.sessions(of: container, owner: principal.subject)
      return SessionsResponses.sessions(all, container: container, user: principal.subject)
    } catch {
      throw Problem(sessions: error)
    }
  }
}
