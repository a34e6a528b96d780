import Foundation
import Testing

/// One of three tenants of a kind of credential, with records that all have its word in them.
final class IsolatedCaller {
  enum Kind: String, CaseIterable { case native, session, audit, workflow }

  let kind: Kind
  let name: String
  /// In every record of the caller's, and in nobody else's.
  let canary: String
  private let index: Int
  private let server: ServerProcess
  private var token: String
  /// Values of its own for parameters, by name.
  private(set) var places: [String: String] = [:]
  private(set) var ids: [String] = []
  var succeeded: Set<String> = []

  init(_ kind: Kind, _ index: Int, server: ServerProcess, administrator: SessionsClient) throws {
    self.kind = kind
    self.index = index
    self.server = server
    name = "\(kind.rawValue)-\(index)"
    canary = "canary-\(kind.rawValue)-\(index)-end"
    switch kind {
    case .native, .workflow:
      let made = try administrator.post(
        "/api/keys",
        ["name": name, "realm": kind.rawValue, "tenant": "tenant-\(index)", "role": "admin"])
      guard made.status == 201, let key = try made.object()["key"] as? String else {
        throw WireError.malformed(made.text)
      }
      token = key
      places = ["realm": kind.rawValue, "name": name]
    case .session:
      let made = try administrator.makeUser(name, IsolatedCaller.password)
      guard made.status == 201 else { throw WireError.malformed(made.text) }
      token = try SessionsClient(port: server.port, user: name, password: IsolatedCaller.password).token
    case .audit: token = try AuditClient(port: server.port, tenant: "tenant-\(index)", user: name).token
    }
  }

  private static let password = "a password of theirs"

  var headers: [String: String] {
    kind == .workflow ? ["X-API-Key": token] : ["Authorization": "Bearer \(token)"]
  }

  /// The credential in each place where one is looked for.
  var allHeaders: [[String: String]] {
    [["Authorization": "Bearer \(token)"], ["X-API-Key": token], ["Authorization": token]]
  }

  /// A new token if the old one was ended.
  func renew() throws {
    guard kind == .session,
      try SessionsClient(port: server.port, token: token).request("GET", "/api/containers").status == 401
    else { return }
    token = try SessionsClient(port: server.port, user: name, password: IsolatedCaller.password).token
  }

  /// Some records more than the caller before of the kind, so that no count is another's.
  func seed() throws {
    let count = index * 4 + Kind.allCases.distance(from: 0, to: Kind.allCases.firstIndex(of: kind) ?? 0) + 2
    switch kind {
    case .native:
      for (dataset, record) in [
        ("logs", #"{"level":"ERROR","service":"\#(canary)","message":"\#(canary)"}"#),
        ("audit", AuditClient.entry(canary, more: #","user_id":"1""#)),
        ("workflows", WorkflowClient.log(canary).replacing("executed_at", with: "timestamp")),
      ] {
        let body = Array(repeating: record, count: count).joined(separator: "\n")
        let answer = try server.request("POST", "/v1/records/\(dataset)", headers: headers, body: body)
        guard answer.status == 201 else { throw WireError.malformed(answer.text) }
      }
    case .session:
      let client = SessionsClient(port: server.port, token: token)
      places["container"] = "box-\(canary)"
      places["session"] = "run-\(canary)"
      try client.make("box-\(canary)", "run-\(canary)")
      let rows = (0..<count).map { SessionRow(number: $0, padding: " " + canary) }
      guard try client.write(rows, to: "box-\(canary)/run-\(canary)").status == 201 else {
        throw WireError.closed
      }
      places["cursor"] = try client.read("box-\(canary)/run-\(canary)", "limit=1").cursor
    case .audit:
      let client = try AuditClient(port: server.port, tenant: "tenant-\(index)", user: name)
      for _ in 0..<count {
        let entry = AuditClient.entry(canary, severity: "ERROR", more: #","metadata":{"word":"\#(canary)"}"#)
        ids.append(try client.create(entry)["id"] as? String ?? "")
      }
      places["id"] = ids[0]
    case .workflow:
      let client = WorkflowClient(port: server.port, key: token)
      for _ in 0..<count {
        let log = WorkflowClient.log(canary, seconds: Double(count), more: #","category":"\#(canary)""#)
        ids.append(try client.create(log))
      }
      places["id"] = ids[0]
    }
  }
}
