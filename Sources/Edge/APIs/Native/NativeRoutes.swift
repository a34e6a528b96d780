import Access
import Codecs
import Encoding
import Records
import Routing

/// The native API's endpoints behind `/v1`.
package struct NativeRoutes: APIRoutes {
  /// A query, a filter or a command is never longer.
  static let commandBytesMax = 1 << 20

  let directory: KeyDirectory
  private let log: any AccessLog
  private let writing: RecordWriting
  private let queries: any NativeQueries
  private let control: any StoreControl
  private let limits: HTTPLimits

  package init(
    directory: KeyDirectory, log: any AccessLog, writing: RecordWriting, queries: any NativeQueries,
    control: any StoreControl, limits: HTTPLimits
  ) {
    self.directory = directory
    self.log = log
    self.writing = writing
    self.queries = queries
    self.control = control
    self.limits = limits
  }

  private static let recordsPrefix = "/v1/records/"
  private static let textTypes = [
    "application/json", "application/x-ndjson", "application/ndjson", "application/jsonl",
    "application/x-jsonlines", "text/plain", "application/octet-stream",
    // What `curl -d` says when it is told nothing else.
    "application/x-www-form-urlencoded",
  ]

  package func admit(_ head: RequestHead, path: String, origin: RequestOrigin) -> Admission? {
    switch path {
    case "/v1/query":
      return post(head, origin, route: path, permission: .read) { principal throws(Problem) in
        query(principal)
      }
    case "/v1/delete":
      return post(head, origin, route: path, permission: .administer) { principal throws(Problem) in
        delete(principal)
      }
    case "/v1/admin/flush":
      return post(head, origin, route: path, permission: .administer) { _ throws(Problem) in flush() }
    default:
      guard path.hasPrefix(NativeRoutes.recordsPrefix) else { return nil }
      return post(head, origin, route: "/v1/records/{dataset}", permission: .write) {
        principal throws(Problem) in
        guard let dataset = Dataset(name: String(path.dropFirst(NativeRoutes.recordsPrefix.count))) else {
          throw NativeRoutes.unknownDataset
        }
        return records(dataset, principal: principal)
      }
    }
  }

  private func post(
    _ head: RequestHead, _ origin: RequestOrigin, route: String, permission: Permission,
    _ endpoint: (Principal) throws(Problem) -> Endpoint
  ) -> Admission {
    do throws(Problem) {
      guard head.method == .post else { throw Problem(405, "This path takes POST.", allow: "POST") }
      let principal = try authenticate(head, origin, route: route, permission: permission)
      let endpoint = try endpoint(principal).limited(by: principal)
      try checkMediaType(head, takesGzip: permission == .write)
      return .accept(endpoint)
    } catch {
      return .refuse(error, route: route)
    }
  }

  static var unknownDataset: Problem {
    let names = Dataset.allCases.map(\.name).joined(separator: ", ")
    return Problem(404, "There is no such dataset; there are \(names).")
  }

  func authenticate(
    _ head: RequestHead, _ origin: RequestOrigin, route: String, permission: Permission
  ) throws(Problem) -> Principal {
    var event = AccessEvent(head, origin, realm: .native, route: route)
    defer { log.record(event) }
    let principal: Principal
    let authorization = head.headers.first(name: "Authorization")
    do throws(CredentialError) { principal = try directory.authenticate(authorization: authorization) } catch
    {
      event.outcome = .refused("\(error)")
      throw Problem(error)
    }
    if authorization == nil { try head.checkIsOwners(&event) }
    event.subject = principal.subject
    event.tenant = principal.tenant
    guard principal.role.allows(permission) else {
      event.outcome = .refused("role")
      throw Problem(403, "The API key's role \(principal.role.rawValue) does not allow this.")
    }
    return principal
  }

  private func checkMediaType(_ head: RequestHead, takesGzip: Bool) throws(Problem) {
    if let type = head.mediaType, !NativeRoutes.textTypes.contains(type) {
      throw Problem(415, "Bodies are NDJSON (application/x-ndjson) or JSON (application/json).")
    }
    guard head.isPlain || takesGzip && head.isGzip else {
      throw Problem(415, "The only Content-Encoding is gzip, and only for records.")
    }
  }

  func records(_ dataset: Dataset, principal: Principal) -> Endpoint {
    Endpoint(route: "/v1/records/{dataset}", bodyBytesMax: limits.bodyBytesMax, isShort: true) {
      (call, _) async throws(Problem) in
      try await writing.write(call, dataset: dataset, principal: principal)
    }
  }

  func query(_ principal: Principal) -> Endpoint {
    Endpoint(route: "/v1/query", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, stream) async throws(Problem) in
      let format = try OutputFormat(wantedBy: call)
      return try await answer(call, format: format, principal: principal, stream: stream)
    }
  }

  private func answer(
    _ call: HTTPCall, format: OutputFormat, principal: Principal, stream: any AnswerStream
  ) async throws(Problem) -> EndpointOutcome {
    let chunks: any AnswerChunks
    do throws(StoreError) {
      chunks = try await queries.start(call.body, principal: principal, format: format)
    } catch {
      throw Problem(error)
    }
    return try await chunks.send(contentType: format.mediaType, through: stream)
  }

  func delete(_ principal: Principal) -> Endpoint {
    Endpoint(route: "/v1/delete", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, _) async throws(Problem) in
      let request = try DeletionRequest(call.body)
      let count: Int
      do throws(StoreError) {
        count = try await control.delete(
          .both(request.predicate, principal.filter),
          from: Partition(tenant: principal.tenant, dataset: request.dataset))
      } catch {
        throw Problem(error)
      }
      var text = JSONText()
      text.beginObject()
      text.name("deleted")
      text.value(count)
      text.endObject()
      return .answer(.json(.ok, text))
    }
  }

  func flush() -> Endpoint {
    Endpoint(route: "/v1/admin/flush", bodyBytesMax: NativeRoutes.commandBytesMax, isShort: false) {
      (call, _) async throws(Problem) in
      let archives: Bool
      switch try ControlBody.object(call.body, members: ["archive"])["archive"] {
      case nil: archives = false
      case .bool(let flag)?: archives = flag
      default: throw Problem(400, "archive: true or false", field: "archive")
      }
      if archives {
        do throws(StoreError) { try await control.archive() } catch { throw Problem(error) }
      }
      // Without archiving there is nothing to do: what was acknowledged is on the disk.
      var text = JSONText()
      text.beginObject()
      text.name("flushed")
      text.value(true)
      text.name("archived")
      text.value(archives)
      text.endObject()
      return .answer(.json(.ok, text))
    }
  }
}
