import Foundation
import Testing

/// One of three tenants of a kind of credential, with records that all have its word in them.
final class IsolatedCaller {
  enum Kind: String, CaseIterable { case native, session, audit, workflow, page }

  let kind: Kind
  let name: String
  /// In every record of the caller's, and in nobody else's.
  let canary: String
  let index: Int
  private let server: ServerProcess
  private var token: String
  private var writer = ""
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
    case .page:
      let made = try administrator.makeUser(name, IsolatedCaller.password)
      guard made.status == 201 else { throw WireError.malformed(made.text) }
      let granted = try server.request(
        "PUT", "/ui/v1/grants/\(name)",
        headers: try IsolatedCaller.page(server, "admin", "admin").merging([
          "Content-Type": "application/json"
        ]) {
          $1
        }, body: #"{"grants":[{"tenant":"native/page-\#(index)","role":"admin"}]}"#)
      guard granted.status == 200 else { throw WireError.malformed(granted.text) }
      token = try IsolatedCaller.page(server, name, IsolatedCaller.password)["Cookie"] ?? ""
      // What writes for it.
      let key = try administrator.post(
        "/api/keys",
        ["name": "\(name)-writer", "realm": "native", "tenant": "page-\(index)", "role": "writer"])
      writer = try key.object()["key"] as? String ?? ""
      places = ["user": name, "name": "view-of-\(name)"]
    }
  }

  /// The header fields of who signed in to the page.
  static func page(_ server: ServerProcess, _ name: String, _ password: String) throws -> [String: String] {
    let answer = try server.request(
      "POST", "/ui/v1/login", headers: ["Cordwood-Page": "1", "Content-Type": "application/json"],
      body: #"{"name":"\#(name)","password":"\#(password)"}"#)
    guard answer.status == 200, let cookie = answer.headers["set-cookie"]?.split(separator: ";").first else {
      throw WireError.malformed("\(answer.status) \(answer.text)")
    }
    return ["Cookie": String(cookie), "Cordwood-Page": "1"]
  }

  private static let password = "a password of theirs"

  var headers: [String: String] {
    switch kind {
    case .workflow: ["X-API-Key": token]
    case .page: ["Cookie": token, "Cordwood-Tenant": "native/page-\(index)"]
    case .native, .session, .audit: ["Authorization": "Bearer \(token)"]
    }
  }

  /// The credential in each place where one is looked for.
  var allHeaders: [[String: String]] {
    kind == .page
      ? [headers, headers.merging(["Authorization": "Bearer \(token)"]) { $1 }]
      : [
        ["Authorization": "Bearer \(token)"], ["X-API-Key": token], ["Authorization": token],
        ["Cookie": "cordwood_page=\(token)"],
      ]
  }

  /// A new token if the old one was ended.
  func renew() throws {
    if kind == .page {
      let fields = headers.merging(["Cordwood-Page": "1"]) { $1 }
      guard try server.request("GET", "/ui/v1/me", headers: fields).status == 401 else { return }
      token = try IsolatedCaller.page(server, name, IsolatedCaller.password)["Cookie"] ?? ""
      return
    }
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
    case .page:
      let body = Array(repeating: #"{"service":"\#(canary)","message":"\#(canary)"}"#, count: count)
      let answer = try server.request(
        "POST", "/v1/records/logs", headers: ["Authorization": "Bearer \(writer)"],
        body: body.joined(separator: "\n"))
      guard answer.status == 201 else { throw WireError.malformed(answer.text) }
      let fields = ["Cordwood-Page": "1", "Content-Type": "application/json"]
      let saved = try server.request(
        "PUT", "/ui/v1/views/view-of-\(name)", headers: headers.merging(fields) { $1 },
        body: #"{"kind":"view","value":"\#(canary)"}"#)
      guard saved.status == 204 else { throw WireError.malformed(saved.text) }
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
