import Foundation
import Testing

/// A query that cannot be read is refused: a parameter nobody could read is not a parameter left out.
@Suite(.serialized) struct QueryTextTests {
  /// Escapes that are none, text that is no UTF-8, escaped and as it is.
  static let broken: [[UInt8]] =
    ["%zz", "%", "%4", "%g0", "a%", "%ff", "%C3%28", "%ED%A0%80", "%F4%90%80%80"].map { Array($0.utf8) } + [
      [0xFF], [0xC3, 0x28],
    ]
  static let audit: [(method: String, path: String, names: [String])] = [
    (
      "GET", "/api/v1/logs",
      ["page", "size", "search", "severity", "start", "end", "timestamp", "explain", "unknown"]
    ),
    ("GET", "/api/v1/logs/stats", ["explain"]),
    ("GET", "/api/v1/logs/export", ["format", "action", "search"]),
    ("DELETE", "/api/v1/logs/cleanup", ["older_than_days", "before"]), ("GET", "/api/v1/tenants", ["x"]),
    ("GET", "/cubejs-api/v1/load", ["query", "explain"]), ("GET", "/cubejs-api/v1/meta", ["x"]),
  ]
  static let workflow: [(method: String, path: String, names: [String])] = [
    ("GET", "/api/v1/logs", ["page", "page_size", "environment", "status", "start_date", "end_date"]),
    ("GET", "/api/v1/metrics/overview", ["days", "explain"]), ("GET", "/api/v1/metrics/categories", ["days"]),
  ]

  /// The status of a request whose target is bytes, not text.
  static func status(
    _ port: Int, _ method: String, _ target: [UInt8], _ credential: String
  ) throws -> (status: Int, text: String) {
    let connection = try HTTPConnection(port: port)
    try connection.sendRaw(
      Array("\(method) ".utf8) + target
        + Array(" HTTP/1.1\r\nHost: localhost\r\n\(credential)\r\nContent-Length: 0\r\n\r\n".utf8))
    let answer = try connection.readAnswer()
    return (answer.status, answer.text)
  }

  @Test func brokenEscapesAreRefusedInEveryParameter() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let client = try AuditClient(port: server.port, tenant: "a")
    _ = try client.create(AuditClient.entry("stays", time: "2001-01-01T00:00:00Z"))
    for (credential, requests) in [
      ("Authorization: Bearer \(client.token)", QueryTextTests.audit),
      ("X-API-Key: \(WorkflowTests.keys[0])", QueryTextTests.workflow),
    ] {
      for request in requests {
        for name in request.names {
          for value in QueryTextTests.broken {
            for item in [Array("\(name)=".utf8) + value, Array("\(name)=1&".utf8) + value + Array("=1".utf8)]
            {
              let target = Array("\(request.path)?".utf8) + item
              let answer = try QueryTextTests.status(server.port, request.method, target, credential)
              #expect(
                answer.status == 400,
                "\(String(decoding: target, as: UTF8.self)) \(answer.status) \(answer.text)")
            }
          }
        }
      }
    }
    #expect(try client.stats() == ["INFO": 1], "nothing was cleaned up")
    // What is well-formed goes on working: escapes, pluses, other scripts.
    for query in ["action=%C3%A4", "action=a+b", "search=%F0%9F%90%A6", "=", "&&", ""] {
      let target = Array("/api/v1/logs?\(query)".utf8)
      let answer = try QueryTextTests.status(
        server.port, "GET", target, "Authorization: Bearer \(client.token)")
      #expect(answer.status == 200, "\(query) \(answer.text)")
    }
    #expect(server.stop() == 0)
  }
}
