import Foundation
import Testing

/// A name that a route does not have, one that comes twice, one without a value: refused, with the name
/// (Docs/decisions/0030-slips-are-errors.md).
@Suite(.serialized) struct SlipTests {
  /// Those that one of the APIs of their path passes over.
  private static let passedOver: Set<String> = ["start_date", "unknown"]

  /// Of every documented operation, so that a new route is asked as well.
  @Test func everyOperationRefusesParametersItDoesNotHave() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let admin = try SessionsClient(port: server.port)
    let callers = try IsolatedCaller.Kind.allCases.map {
      try IsolatedCaller($0, 0, server: server, administrator: admin)
    }
    var count = 0
    var flagCount = 0
    for operation in try DocumentedOperation.all(of: server) {
      let askers = callers.filter { operation.kinds.contains($0.kind) }.map { ($0.kind.rawValue, $0.headers) }
      let isForOthers = !operation.isOpen && operation.kinds.isEmpty
      // What stands in the page's addresses is the page's own business.
      if operation.path.hasPrefix("/ui"), !operation.path.hasPrefix("/ui/v1/") { continue }
      if isForOthers { continue }
      for (kind, headers) in operation.isOpen ? [("nobody", [:])] : askers {
        for query in ["no_such_name=1", "%C3%A9=1&%C3%A9=1", "no_such_name"] {
          let answer = try operation.answer(server, headers, query: query)
          // For administrators of the users, or for operators.
          if [401, 403].contains(answer.status), kind != "nobody" { continue }
          #expect(answer.status == 400 || answer.status == 422, "\(operation.name) \(kind) \(answer.status)")
          let name = query.hasPrefix("no") ? "no_such_name" : "é"
          // gRPC has it beside the body.
          let text = answer.text + (answer.headers["grpc-message"]?.removingPercentEncoding ?? "")
          #expect(text.contains(name), "\(operation.name) \(kind): \(text)")
          count += 1
        }
        for parameter in operation.parameters
        where !parameter.isPath && !parameter.isPassedOver && !Self.passedOver.contains(parameter.name) {
          for query in ["\(parameter.name)=", "\(parameter.name)"] where parameter.name != "search" {
            let answer = try operation.answer(server, headers, query: query)
            #expect(
              answer.status >= 400 && answer.status < 500, "\(operation.name)?\(query) \(answer.status)")
          }
          if ["safe", "explain", "stream", "ignore_case"].contains(parameter.name) {
            flagCount += 1
            for value in ["yes", "2", "True%20", "%E2%84%AA"] {
              let answer = try operation.answer(server, headers, query: "\(parameter.name)=\(value)")
              #expect([400, 422].contains(answer.status), "\(operation.name) \(parameter.name)=\(value)")
              #expect(answer.text.contains("true or false"), "\(answer.text)")
            }
          }
          if ["level", "contains"].contains(parameter.name) { continue }
          let value = parameter.values?[0] ?? "x"
          let answer = try operation.answer(
            server, headers, query: "\(parameter.name)=\(value)&\(parameter.name)=\(value)")
          #expect(
            answer.status >= 400 && answer.status < 500,
            "\(operation.name) \(parameter.name) \(answer.status)")
        }
      }
    }
    #expect(count > 80 && flagCount > 8)
    #expect(server.stop() == 0)
  }

  /// A filter that cleanup does not have deleted what it was to keep.
  @Test func aSlipDeletesNothing() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    _ = try client.create(AuditClient.entry("kept", severity: "ERROR", time: "2020-01-01T00:00:00Z"))
    for (query, name, word) in [
      ("older_than_days=0&severity=INFO", "severity", "extra_forbidden"),
      ("befor=2021-01-01", "befor", "did you mean \\\"before\\\"?"), ("before=", "before", "no value"),
      ("older_than_days=", "older_than_days", "no value"), ("before", "before", "no value"),
      ("before=2021-01-01&before=2019-01-01", "before", "twice"), ("Before=2021-01-01", "Before", "before"),
      ("older_than_days=0&user_id=1", "user_id", "extra_forbidden"),
    ] {
      let answer = try client.request("DELETE", "/api/v1/logs/cleanup?" + query)
      #expect(answer.status == 422, "\(query): \(answer.text)")
      #expect(answer.text.contains("\"\(name)\"") && answer.text.contains(word), "\(query): \(answer.text)")
    }
    // What a body says would not count either.
    let body = try client.request(
      "DELETE", "/api/v1/logs/cleanup?older_than_days=0", body: #"{"severity":"INFO"}"#)
    #expect(body.status == 400)
    for body in [
      #"{"jti":"a","tenat":"other"}"#, #"{"jti":""}"#, #"{"jti":"a","jti":"b"}"#,
      #"{"issued_befor":"2200-01-01"}"#,
    ] {
      #expect(try client.request("POST", "/api/v1/tokens/revoke", body: body).status == 422, "\(body)")
    }
    for body in [
      #"{"dataset":"audit","where":{"and":[]},"were":1}"#, #"{"dataset":"audit","were":{"and":[]}}"#,
      #"{"dataset":"audit","where":{"eq":["severity","ERROR"],"eq":["severity","INFO"]}}"#,
      #"{"dataset":"audit","where":{"eq":["severity","ERROR"],"ne":["severity","INFO"]}}"#,
      #"{"dataset":"audit","dataset":"logs","where":{"and":[]}}"#,
    ] {
      #expect(try server.request("POST", "/v1/delete", body: body).status == 400, "\(body)")
    }
    #expect(try client.list().meta["total"] == 1)
    #expect(try client.request("DELETE", "/api/v1/logs/cleanup?before=2021-01-01").status == 200)
    #expect(try client.list().meta["total"] == 0)
    #expect(server.stop() == 0)
  }

  /// Members of bodies: unknown, twice, and behind a byte order mark.
  @Test func bodiesHaveOneRule() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let user = try SessionsClient(port: server.port)
    try user.make("app", "run")
    let audit = try AuditClient(port: server.port, tenant: "abc")
    let workflow = ["X-API-Key": WorkflowTests.keys[0], "Content-Type": "application/json"]
    let json = ["Content-Type": "application/json"]
    let mine = json.merging(["Authorization": "Bearer \(user.token)"]) { $1 }
    let theirs = json.merging(["Authorization": "Bearer \(audit.token)"]) { $1 }
    let entry = AuditClient.entry("a")
    let log = WorkflowClient.log("T")
    let row = #"{"timestamp":"2026-01-01T00:00:00Z","level":null,"message":"m"}"#
    // Route, credential, a body that is taken, and the name that it has once.
    let cases: [(String, [String: String], String, String)] = [
      ("/v1/records/logs", json, #"{"message":"m"}"#, "message"),
      ("/v1/query", json, #"{"dataset":"logs"}"#, "dataset"),
      ("/v1/admin/flush", json, #"{"archive":false}"#, "archive"),
      ("/v1/delete", json, #"{"dataset":"logs","where":{"and":[]}}"#, "dataset"),
      ("/api/logs/app/run", mine, #"{"logs":[\#(row)]}"#, "logs"),
      ("/api/containers", mine, #"{"container_id":"c1"}"#, "container_id"),
      ("/api/auth/login", json, #"{"username":"admin","password":"admin"}"#, "username"),
      ("/api/v1/logs", theirs, entry, "action"), ("/api/v1/logs", workflow, log, "environment"),
      ("/api/v1/tokens/revoke", theirs, #"{"jti":"a"}"#, "jti"),
      ("/api/v1/login", json, #"{"user_id":"u"}"#, "user_id"),
      ("/cubejs-api/v1/load", theirs, #"{"query":{"measures":["logs.count"]}}"#, "query"),
    ]
    for (path, headers, body, name) in cases {
      let plain = try server.request("POST", path, headers: headers, body: body)
      #expect(plain.status < 300, "\(path): \(plain.text)")
      let twice = try server.request(
        "POST", path, headers: headers, body: body.dropLast() + ",\"\(name)\":null}")
      #expect(twice.status == 400 || twice.status == 422, "\(path): \(twice.status) \(twice.text)")
      #expect(twice.text.contains(name), "\(path): \(twice.text)")
      let second = body.replacing("c1", with: "c2")
      let marked = try server.request("POST", path, headers: headers, body: "\u{FEFF}" + second)
      #expect(marked.status == plain.status, "\(path): \(marked.status) \(marked.text)")
    }
    for (path, headers, body) in [
      ("/v1/query", json, #"{"dataset":"logs","wher":{}}"#),
      ("/v1/query", json, #"{"dataset":"logs","order_by":"count"}"#),
      ("/v1/admin/flush", json, #"{"archiv":true}"#),
      ("/v1/delete", json, #"{"dataset":"logs","where":{"and":[]},"limit":1}"#),
      ("/api/containers", mine, #"{"container_id":"c3","owner":"x"}"#),
      ("/api/users", mine, #"{"username":"a","password":"b","admin":true}"#),
      ("/api/logs/app/run", mine, #"{"logs":[\#(row)],"log":[]}"#),
      ("/api/v1/tenants", theirs, #"{"name":"n","key":"k","secret":"s"}"#),
      ("/api/v1/login", json, #"{"user_id":"u","passwort":"p"}"#),
    ] {
      let answer = try server.request("POST", path, headers: headers, body: body)
      #expect(answer.status == 400 || answer.status == 422, "\(path): \(answer.status) \(answer.text)")
    }
    // Never one of two without a word.
    let both = try server.request(
      "POST", "/v1/records/logs", body: #"{"message":"m","user":"a","metadata":{"user":"b"}}"#)
    #expect(both.status == 400 && both.text.contains("\"field\":\"user\""), "\(both.text)")
    #expect(server.stop() == 0)
  }
}
