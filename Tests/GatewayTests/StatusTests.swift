import APIs
import Foundation
import HTTP
import Records
import Routing
import Synchronization
import Testing

/// Which status each request gets, decided by head, credential and store.
@Suite struct StatusTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var method = "POST"
    var path = "/v1/records/logs"
    var headers: [(String, String)] = []
    var body = "{\"message\":\"a\"}"
    var status: Int
    var testDescription: String { name }
  }

  static let cases: [Case] = [
    Case(name: "root", method: "GET", path: "/", status: 200),
    Case(name: "health", method: "GET", path: "/healthz", status: 200),
    Case(name: "health, HEAD", method: "HEAD", path: "/healthz", status: 200),
    Case(name: "metrics", method: "GET", path: "/metrics", status: 200),
    Case(name: "a record", status: 201),
    Case(name: "a record, no media type matters", headers: [("Content-Type", "text/plain")], status: 201),
    Case(
      name: "media type with parameters", headers: [("Content-Type", "Application/JSON; charset=utf-8")],
      status: 201),
    Case(name: "unknown path", path: "/v1/record/logs", status: 404),
    Case(name: "unknown dataset", path: "/v1/records/nothing", status: 404),
    Case(name: "longer path", path: "/v1/records/logs/1", status: 404),
    Case(name: "wrong method", method: "PUT", status: 405),
    Case(name: "wrong method on health", path: "/healthz", status: 405),
    Case(name: "odd method", method: "PROPFIND", status: 405),
    Case(name: "media type", headers: [("Content-Type", "image/png")], status: 415),
    Case(name: "coding", headers: [("Content-Encoding", "br")], status: 415),
    Case(name: "coding of a query", path: "/v1/query", headers: [("Content-Encoding", "gzip")], status: 415),
    Case(name: "not gzip", headers: [("Content-Encoding", "gzip")], status: 400),
    Case(name: "on_error", path: "/v1/records/logs?on_error=maybe", status: 400),
    Case(name: "broken JSON", body: "{\"message\":", status: 400),
    Case(name: "no record", body: "", status: 400),
    Case(name: "empty key", headers: [("Idempotency-Key", "")], status: 400),
    Case(name: "key with a space", headers: [("Idempotency-Key", "a b")], status: 400),
    Case(
      name: "long key", headers: [("Idempotency-Key", String(repeating: "k", count: 256))], status: 400),
    Case(name: "import", headers: [("Cordwood-Import", #"id="a", from=0, to=9, note="n""#)], status: 201),
    Case(name: "import anew", headers: [("Cordwood-Import", #"id="a",from=0,to=9 ,restart"#)], status: 201),
    Case(name: "import without id", headers: [("Cordwood-Import", "from=0, to=9")], status: 400),
    Case(name: "import backwards", headers: [("Cordwood-Import", #"id="a", from=9, to=0"#)], status: 400),
    Case(name: "import before 0", headers: [("Cordwood-Import", #"id="a", from=-9, to=0"#)], status: 400),
    Case(
      name: "import beyond all", headers: [("Cordwood-Import", #"id="a", from=0, to=9999999999999999"#)],
      status: 400),
    Case(
      name: "import with a comma", headers: [("Cordwood-Import", #"id="a,b", from=0, to=9"#)], status: 400),
    Case(name: "import twice", headers: [("Cordwood-Import", #"id="a", from=0, to=9, to=9"#)], status: 400),
    Case(
      name: "import and more", headers: [("Cordwood-Import", #"id="a", from=0, to=9, at=9"#)], status: 400),
    Case(name: "empty import", headers: [("Cordwood-Import", "")], status: 400),
    Case(name: "import of quotes", headers: [("Cordwood-Import", #"id=", from=0, to=9"#)], status: 400),
    Case(
      name: "import with a long note",
      headers: [
        ("Cordwood-Import", #"id="a", from=0, to=9, note=""# + String(repeating: "n", count: 65) + "\"")
      ],
      status: 400),
    Case(
      name: "import and key",
      headers: [("Cordwood-Import", #"id="a", from=0, to=9"#), ("Idempotency-Key", "k")],
      status: 400),
    Case(name: "query", path: "/v1/query", status: 200),
    Case(name: "query as CSV", path: "/v1/query?format=csv", status: 200),
    Case(name: "unknown format", path: "/v1/query?format=xml", status: 400),
    Case(name: "not acceptable", path: "/v1/query", headers: [("Accept", "image/png")], status: 406),
    Case(name: "accept with q=0", path: "/v1/query", headers: [("Accept", "text/csv;q=0")], status: 406),
    Case(
      name: "delete", path: "/v1/delete",
      body: "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"level\",\"INFO\"]}}", status: 200),
    Case(name: "delete without a filter", path: "/v1/delete", body: "{\"dataset\":\"logs\"}", status: 400),
    Case(
      name: "delete by an unknown column", path: "/v1/delete",
      body: "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"nope\",1]}}", status: 400),
    Case(name: "delete without dataset", path: "/v1/delete", body: "", status: 400),
    Case(name: "flush", path: "/v1/admin/flush", body: "", status: 200),
    Case(name: "flush and archive", path: "/v1/admin/flush", body: "{\"archive\": true}", status: 200),
    Case(name: "flush with nonsense", path: "/v1/admin/flush", body: "{\"archive\": 1}", status: 400),
    Case(name: "unknown key", headers: [("Authorization", "Bearer nobody-0123456789")], status: 401),
    Case(name: "basic credentials", headers: [("Authorization", "Basic YTpi")], status: 401),
  ]

  @Test func eachRequestGetsItsStatus() async throws {
    try await withServer { server in
      let client = try server.client()
      for item in StatusTests.cases {
        guard
          let answer = try? await client.request(
            item.method, item.path, headers: item.headers, body: item.body)
        else {
          Issue.record("\(item.name): the connection was closed")
          return
        }
        #expect(answer.status == item.status, "\(item.name): \(answer.text)")
        #expect(answer.headers["x-request-id"] != nil, "\(item.name)")
        #expect(answer.headers["date"]?.hasSuffix("GMT") == true, "\(item.name)")
        if item.status >= 400 {
          #expect(answer.headers["content-type"] == "application/problem+json", "\(item.name)")
          let problem = try #require(
            try JSONSerialization.jsonObject(with: Data(answer.body)) as? [String: Any], "\(item.name)")
          #expect(problem["status"] as? Int == item.status, "\(item.name)")
          #expect((problem["detail"] as? String)?.isEmpty == false, "\(item.name)")
        }
        if item.status == 405 { #expect(answer.headers["allow"] != nil, "\(item.name)") }
        if item.status == 401 { #expect(answer.headers["www-authenticate"] != nil, "\(item.name)") }
      }
    }
  }

  static let storeErrors: [(StoreError, Int, String?)] = [
    (.diskFull("no space"), 507, nil), (.headFull(retryAfterSeconds: 7), 503, "7"),
    (.poisoned("/data/journal/1.seg"), 503, "30"), (.stopping, 503, "5"), (.idempotencyMismatch, 422, nil),
    (.keysExhausted(retryAfterSeconds: 9), 429, "9"),
    (.memoryExhausted("all of it"), 503, "1"), (.exhausted("create a/b"), 503, "1"),
    (.clockStepped(seconds: 7_200), 503, "60"), (.deadlineExceeded(seconds: 300), 504, nil),
    (.disk("/data/journal/1.seg"), 500, nil),
    (.corrupt(file: "/data/blocks/x", offsetBytes: 3, reason: "checksum"), 500, nil),
    (.invalid("no column nope"), 400, nil),
  ]

  @Test func storeErrorsBecomeStatuses() async throws {
    try await withServer { server in
      let client = try server.client()
      for (error, status, retryAfter) in StatusTests.storeErrors {
        server.store.fail(with: error)
        let answer = try await client.request("POST", "/v1/records/logs", body: "{\"message\":\"a\"}")
        #expect(answer.status == status, "\(error)")
        #expect(answer.headers["retry-after"] == retryAfter, "\(error)")
        #expect(!answer.text.contains("/data/"), "\(error): paths are for the log")
      }
      server.store.fail(with: .poisoned("x"))
      let ready = try await client.request("GET", "/readyz")
      #expect(ready.status == 503 && ready.text.contains("\"failed_checks\":[\"wal\"]"))
      #expect(try await client.request("GET", "/healthz").status == 200, "alive all the same")
      #expect(server.store.rowCount == 0)
    }
  }

  @Test func rolesAreKept() async throws {
    try await withServer(isOpen: false) { server in
      let client = try server.client()
      let write = "/v1/records/logs"
      let expected: [(String?, [(String, Int)])] = [
        (nil, [(write, 401), ("/v1/query", 401), ("/v1/delete", 401), ("/v1/admin/flush", 401)]),
        (
          TestServer.writerKey,
          [(write, 201), ("/v1/query", 403), ("/v1/delete", 403), ("/v1/admin/flush", 403)]
        ),
        (
          TestServer.readerKey,
          [(write, 403), ("/v1/query", 200), ("/v1/delete", 403), ("/v1/admin/flush", 403)]
        ),
        (
          TestServer.adminKey,
          [(write, 201), ("/v1/query", 200), ("/v1/delete", 400), ("/v1/admin/flush", 400)]
        ),
      ]
      for (key, paths) in expected {
        for (path, status) in paths {
          let answer = try await client.request(
            "POST", path, headers: key.map { [("authorization", "bearer \($0)")] } ?? [],
            body: "{\"message\":\"a\"}")
          #expect(answer.status == status, "\(key ?? "none") \(path): \(answer.text)")
        }
      }
      let tenants = server.store.state.withLock { Set($0.appended.map(\.partition.tenant.name)) }
      #expect(tenants == ["acme"])
    }
  }

  @Test func queryItemsAreDecoded() {
    let (path, items) = QueryItems.split("/v1/query?a=1&b=x%20y+z&c&broken=%zz")
    #expect(path == "/v1/query")
    #expect(items["a"] == "1")
    #expect(items["b"] == "x y z")
    #expect(items["c"] == "")
    #expect(items["broken"] == nil)
    #expect(items["d"] == nil)
  }
}
