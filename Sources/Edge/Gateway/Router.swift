import Access
import NIOHTTP1
import Records

/// Which endpoint a request goes to: by path, method, credential and media type, all from its head.
package struct Router: RequestRouter {
  private let directory: KeyDirectory
  private let operations: OperationsRoutes
  private let native: NativeRoutes

  package init(directory: KeyDirectory, operations: OperationsRoutes, native: NativeRoutes) {
    self.directory = directory
    self.operations = operations
    self.native = native
  }

  private static let recordsPrefix = "/v1/records/"
  private static let textTypes = [
    "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl",
    "application/x-jsonlines", "text/plain", "application/octet-stream",
    // What `curl -d` says when it is told nothing else.
    "application/x-www-form-urlencoded",
  ]

  package func admit(_ head: HTTPRequestHead, path: String) -> Admission {
    switch path {
    case "/": return open(head, route: "/") { operations.root() }
    case "/healthz": return open(head, route: "/healthz") { operations.health() }
    case "/metrics": return open(head, route: "/metrics") { operations.metrics() }
    case "/v1/query":
      return post(head, route: "/v1/query", permission: .read) { principal throws(Problem) in
        native.query(principal)
      }
    case "/v1/delete":
      return post(head, route: "/v1/delete", permission: .administer) { principal throws(Problem) in
        native.delete(principal)
      }
    case "/v1/admin/flush":
      return post(head, route: "/v1/admin/flush", permission: .administer) { _ throws(Problem) in
        native.flush()
      }
    default:
      if path.hasPrefix(Router.recordsPrefix) {
        return post(head, route: "/v1/records/{dataset}", permission: .write) { principal throws(Problem) in
          let name = String(path.dropFirst(Router.recordsPrefix.count))
          guard let dataset = Dataset(name: name) else {
            let names = Dataset.allCases.map(\.name).joined(separator: ", ")
            throw Problem(404, "There is no such dataset; there are \(names).")
          }
          return native.records(dataset, principal: principal)
        }
      }
      return .refuse(
        Problem(404, "There is nothing at this path; GET / lists what there is."), route: "unknown")
    }
  }

  private func open(
    _ head: HTTPRequestHead, route: String, _ answer: @escaping @Sendable () -> HTTPAnswer
  ) -> Admission {
    guard head.method == .GET || head.method == .HEAD else {
      return .refuse(wrongMethod(head, allow: "GET, HEAD"), route: route)
    }
    return .accept(
      Endpoint(route: route, bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
        (_, _) async throws(Problem) in
        .answer(answer())
      })
  }

  private func post(
    _ head: HTTPRequestHead, route: String, permission: Permission,
    _ endpoint: (Principal) throws(Problem) -> Endpoint
  ) -> Admission {
    do throws(Problem) {
      guard head.method == .POST else { throw wrongMethod(head, allow: "POST") }
      let principal: Principal
      do throws(AccessError) {
        principal = try directory.authenticate(authorization: head.headers.first(name: "Authorization"))
      } catch {
        throw Problem(error)
      }
      guard principal.role.allows(permission) else {
        throw Problem(403, "The API key's role \(principal.role.rawValue) does not allow this.")
      }
      let endpoint = try endpoint(principal)
      try checkMediaType(head, takesGzip: permission == .write)
      return .accept(endpoint)
    } catch {
      return .refuse(error, route: route)
    }
  }

  private func checkMediaType(_ head: HTTPRequestHead, takesGzip: Bool) throws(Problem) {
    if let type = head.headers.first(name: "Content-Type") {
      let name = type.prefix { $0 != ";" }.lowercased().filter { $0 != " " }
      guard name.isEmpty || Router.textTypes.contains(name) else {
        throw Problem(415, "Bodies are NDJSON (application/x-ndjson) or JSON (application/json).")
      }
    }
    let codings = head.headers[canonicalForm: "Content-Encoding"].map { $0.lowercased() }
    guard codings.isEmpty || takesGzip && (codings == ["gzip"] || codings == ["x-gzip"]) else {
      throw Problem(415, "The only Content-Encoding is gzip, and only for records.")
    }
  }

  private func wrongMethod(_ head: HTTPRequestHead, allow: String) -> Problem {
    Problem(405, "This path takes \(allow).", allow: allow)
  }
}
