import Foundation
import Testing

/// Whose pages may read answers, as a browser would find out.
@Suite(.serialized) struct CrossOriginTests {
  static let open = ["/api/v1/logs", "/api/v1/metrics/overview", "/cubejs-api/v1/meta", "/health"]
  static let closed = ["/", "/v1/query", "/api/containers", "/openapi.json", "/nothing"]

  private static func preflight(_ server: ServerProcess, _ path: String, _ origin: String) throws
    -> HTTPAnswer
  {
    try server.request(
      "OPTIONS", path,
      headers: [
        "Origin": origin, "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "x-api-key",
      ])
  }

  @Test func pagesOfEveryOriginUnlessSomeAreNamed() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    for path in CrossOriginTests.open {
      let asked = try CrossOriginTests.preflight(server, path, "https://a.example")
      #expect(asked.status == 200 && asked.text == "OK")
      #expect(asked.headers["access-control-allow-origin"] == "*")
      #expect(asked.headers["access-control-allow-headers"] == "x-api-key")
      #expect(asked.headers["access-control-max-age"] == "600")
      let answer = try server.request("GET", path, headers: ["Origin": "https://a.example"])
      #expect(answer.headers["access-control-allow-origin"] == "*", "a page reads errors too")
      let plain = try server.request("GET", path)
      #expect(plain.headers["access-control-allow-origin"] == nil)
      for answer in [asked, answer, plain] {
        #expect(answer.headers["vary"] == "Origin", "\(path)")
        #expect(answer.headers["access-control-allow-credentials"] == nil)
      }
    }
    for path in CrossOriginTests.closed {
      for answer in [
        try server.request("GET", path, headers: ["Origin": "https://a.example"]),
        try CrossOriginTests.preflight(server, path, "https://a.example"),
      ] {
        #expect(answer.headers.keys.allSatisfy { !$0.hasPrefix("access-control") }, "\(path)")
      }
    }
    #expect(server.stop() == 0)
  }

  @Test func pagesOfNamedOriginsAlone() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data",
      environment: ["ALLOWED_ORIGINS": #"["https://a.example","http://localhost:3000"]"#])
    for path in CrossOriginTests.open {
      for origin in ["https://a.example", "http://localhost:3000"] {
        for answer in [
          try CrossOriginTests.preflight(server, path, origin),
          try server.request("GET", path, headers: ["Origin": origin]),
        ] {
          #expect(answer.headers["access-control-allow-origin"] == origin)
          #expect(answer.headers["vary"] == "Origin")
        }
        #expect(try CrossOriginTests.preflight(server, path, origin).status == 200)
      }
      for origin in [
        "https://b.example", "http://a.example", "https://a.example:8443", "https://a.example.evil", "null",
        "https://sub.a.example", "*", "",
      ] {
        for answer in [
          try CrossOriginTests.preflight(server, path, origin),
          try server.request("GET", path, headers: ["Origin": origin]),
        ] {
          #expect(answer.headers.keys.allSatisfy { !$0.hasPrefix("access-control") }, "\(origin)")
          #expect(answer.headers["vary"] == "Origin")
        }
        #expect(try CrossOriginTests.preflight(server, path, origin).status != 200)
      }
    }
    #expect(server.stop() == 0)
  }

  /// In development no credential is needed on this machine; pages of other sites in a browser on it are not
  /// its owner.
  @Test func foreignPagesAreNotTheOwner() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    #expect(try server.request("POST", "/v1/records/logs", body: #"{"message":"m"}"#).status == 201)
    let upgrade = [
      "Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    ]
    let questions: [(method: String, path: String, headers: [String: String], body: String)] = [
      ("POST", "/v1/records/logs", ["Content-Type": "text/plain"], #"{"message":"forged"}"#),
      ("POST", "/v1/delete", ["Content-Type": "text/plain"], #"{"dataset":"logs","where":{"and":[]}}"#),
      ("POST", "/v1/query", [:], #"{"dataset":"logs"}"#),
      ("GET", "/v1/tail/logs", upgrade, ""), ("GET", "/ws/logs", upgrade, ""),
      ("GET", "/ws/stream", upgrade, ""),
      ("POST", "/api/v1/login", ["Content-Type": "application/json"], #"{"user_id":"ann"}"#),
    ]
    for question in questions {
      func status(_ fields: [String: String]) throws -> Int {
        try server.request(
          question.method, question.path, headers: question.headers.merging(fields) { $1 },
          body: question.body
        ).status
      }
      for origin in [
        "https://evil.example", "http://localhost.evil.example", "null", "http://127.0.0.1.evil",
      ] {
        #expect(try status(["Origin": origin]) == 403, "\(question.path) \(origin)")
      }
      for host in ["evil.example", "evil.example:8000", "127.0.0.1.evil", "[::2]"] {
        #expect(try status(["Host": host]) == 421, "\(question.path) \(host)")
      }
      guard question.path != "/v1/delete", question.headers["Upgrade"] == nil else { continue }
      for origin in [
        "http://localhost:3000", "http://[::1]:3000", "http://app.localhost", "http://127.0.0.2",
      ] {
        #expect(try status(["Origin": origin]) < 300, "\(question.path) \(origin)")
      }
    }
    let rows = try server.query(["dataset": "logs"])
    #expect(rows.filter { $0["message"] as? String == "m" }.count == 1, "nothing was deleted")
    #expect(rows.filter { $0["message"] as? String == "forged" }.count == 4, "those of this machine's pages")
    #expect(server.stop() == 0)
  }
}
