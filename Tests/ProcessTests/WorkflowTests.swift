import Foundation
import Testing

/// Calls the workflow API with a key.
struct WorkflowClient {
  let port: Int
  let key: String?

  func request(_ method: String, _ path: String, body: String = "", headers: [String: String] = [:]) throws
    -> HTTPAnswer
  {
    var all = headers
    if let key { all["X-API-Key"] = key }
    if !body.isEmpty { all["Content-Type"] = "application/json" }
    return try HTTPConnection(port: port).request(method, path, headers: all, body: Array(body.utf8))
  }

  static func log(_ ticket: String, status: String = "SUCCESS", seconds: Double? = nil, more: String = "")
    -> String
  {
    let time = ISO8601DateFormatter().string(from: Date().addingTimeInterval(-60))
    let duration = seconds.map { ",\"execution_time_seconds\":\($0)" } ?? ""
    return
      "{\"environment\":\"production\",\"executed_at\":\"\(time)\",\"ticket_id\":\"\(ticket)\",\"status\":\"\(status)\"\(duration)\(more)}"
  }

  func create(_ log: String) throws -> String {
    let answer = try request("POST", "/api/v1/logs", body: log)
    guard answer.status == 201, let id = try answer.object()["log_id"] as? String else {
      throw WireError.malformed("\(answer.status) \(answer.text)")
    }
    return id
  }

  func total(_ query: String = "") throws -> Int? {
    let object = try request("GET", "/api/v1/logs" + query).object()
    return (object["pagination"] as? [String: Any])?["total"] as? Int
  }
}

/// The workflow API of the real program, and that nobody sees another's records through any of the APIs.
@Suite(.serialized) struct WorkflowTests {
  static let environment = [
    "API_KEYS":
      #"{"key-one-0123456789":"client_1","key-two-0123456789":"client_2","key-three-01234567":"client_3"}"#
  ]
  static let keys = ["key-one-0123456789", "key-two-0123456789", "key-three-01234567"]

  @Test func logsAndFigures() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let client = WorkflowClient(port: server.port, key: WorkflowTests.keys[0])
    let id = try client.create(
      WorkflowClient.log("T-1", seconds: 4, more: #","category":"billing","trace":[1],"payload":{"a":2}"#))
    _ = try client.create(
      WorkflowClient.log("T-2", status: "FAILED", seconds: 2, more: #","category":"billing""#))
    _ = try client.create(WorkflowClient.log("T-3", status: "ERROR", seconds: 0))
    let batch = "[\((0..<7).map { WorkflowClient.log("B-\($0)") }.joined(separator: ","))]"
    let many = try client.request("POST", "/api/v1/logs/batch", body: batch)
    #expect(many.status == 201)
    #expect((try many.object()["log_ids"] as? [String]).map { Set($0).count } == 7)
    for _ in 0..<2 {
      let one = try client.request("GET", "/api/v1/logs/\(id.replacingOccurrences(of: "-", with: ""))")
      let log = try one.object()["data"] as? [String: Any]
      #expect(log?["client_id"] as? String == "client_1")
      #expect(log?["payload"] as? NSDictionary == ["trace": [1], "a": 2])
      #expect(log?["metrics"] is NSNull)
      #expect(try client.total() == 10)
      #expect(try client.total("?status=SUCCESS&page_size=3&page=3") == 8)
      #expect(try client.total("?ticket_id=T-2") == 1)
      #expect(try client.total("?start_date=2200-01-01") == 0)
      let overview = try client.request("GET", "/api/v1/metrics/overview").object()["data"] as? NSDictionary
      #expect(
        overview == [
          "total_tickets": 10, "success_rate": 80.0, "avg_execution_time": 3.0, "error_count": 2,
          "total_logs": 10,
          "period_days": 7,
        ])
      let categories = try client.request("GET", "/api/v1/metrics/categories?days=1").object()["data"]
      #expect(
        categories as? NSArray == [
          ["category": "uncategorized", "count": 8, "success_count": 7, "success_rate": 87.5],
          ["category": "billing", "count": 2, "success_count": 1, "success_rate": 50.0],
        ])
      try server.archive()
    }
    for query in ["page=0", "page_size=101", "page=abc", "start_date=nope"] {
      #expect(try client.request("GET", "/api/v1/logs?\(query)").status == 422)
    }
    let tooMany = "[\(Array(repeating: WorkflowClient.log("x"), count: 101).joined(separator: ","))]"
    #expect(try client.request("POST", "/api/v1/logs/batch", body: tooMany).status == 400)
    #expect(try client.total() == 10)
    #expect(try WorkflowClient(port: server.port, key: nil).request("GET", "/health").status == 200)
    #expect(server.stop() == 0)
  }

  /// Categories whose names look the same are two.
  @Test func categoriesAreToldApartByTheirBytes() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let client = WorkflowClient(port: server.port, key: WorkflowTests.keys[0])
    for (category, count) in [("\u{3A9}", 1), ("\u{2126}", 2)] {
      for number in 0..<count {
        _ = try client.create(WorkflowClient.log("T-\(number)", more: ",\"category\":\"\(category)\""))
      }
    }
    let answer = try client.request("GET", "/api/v1/metrics/categories?days=1").object()
    let found = answer["data"] as? [[String: Any]]
    #expect(found?.map { $0["count"] as? Int } == [2, 1])
    #expect(found?.map { $0["success_count"] as? Int } == [2, 1])
    #expect(server.stop() == 0)
  }

  /// Three tenants of each kind of credential: no row, no count, no different error.
  @Test func nobodySeesAnothersRecords() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let audits = try ["a", "b", "c"].map { try AuditClient(port: server.port, tenant: $0) }
    let workflows = WorkflowTests.keys.map { WorkflowClient(port: server.port, key: $0) }
    var auditIDs: [String] = []
    var workflowIDs: [String] = []
    for (index, client) in audits.enumerated() {
      for _ in 0...index {
        auditIDs.append(
          try client.create(AuditClient.entry("canary-audit-\(index)", severity: "ERROR"))["id"] as? String
            ?? "")
      }
    }
    for (index, client) in workflows.enumerated() {
      for _ in 0...index { workflowIDs.append(try client.create(WorkflowClient.log("canary-flow-\(index)"))) }
    }
    let unknown = "01890000-0000-7000-8000-000000000000"
    for round in 0..<2 {
      for (index, client) in audits.enumerated() {
        let nothing = try client.request("GET", "/api/v1/logs/\(unknown)")
        for id in auditIDs + workflowIDs {
          let answer = try client.request("GET", "/api/v1/logs/\(id)")
          if answer.status == 200 {
            #expect(answer.text.contains("canary-audit-\(index)"), "round \(round)")
          } else {
            #expect(answer.text == nothing.text && answer.status == nothing.status)
          }
        }
        #expect(try client.list().meta["total"] == index + 1)
        #expect(
          try client.list("?search=canary").entries.allSatisfy {
            $0["action"] as? String == "canary-audit-\(index)"
          })
        #expect(try client.stats() == ["ERROR": index + 1])
        let export = try client.request("GET", "/api/v1/logs/export?format=ndjson")
        #expect(export.body.split(separator: 10).count == index + 1)
      }
      for (index, client) in workflows.enumerated() {
        let nothing = try client.request("GET", "/api/v1/logs/\(unknown)")
        #expect(nothing.status == 404)
        for id in auditIDs + workflowIDs {
          let answer = try client.request("GET", "/api/v1/logs/\(id)")
          if answer.status == 200 {
            #expect(answer.text.contains("canary-flow-\(index)"))
          } else {
            #expect(answer.text == nothing.text && answer.status == nothing.status)
          }
        }
        #expect(try client.total() == index + 1)
        let overview =
          try client.request("GET", "/api/v1/metrics/overview").object()["data"] as? [String: Any]
        #expect(overview?["total_logs"] as? Int == index + 1)
      }
      try server.archive()
    }
    // Sessions users and the native API, which have tenants of their own.
    let user = try SessionsClient(port: server.port)
    for path in ["/api/v1/logs", "/api/v1/logs/stats", "/api/v1/tenants"] {
      #expect(try user.request("GET", path).status == 401)
    }
    for dataset in ["audit", "workflows"] {
      #expect(try server.query(["dataset": dataset]).isEmpty, "the native API's tenant has none of them")
    }
    let token = audits[0].token
    #expect(
      try HTTPConnection(port: server.port).request(
        "GET", "/api/containers", headers: ["Authorization": "Bearer \(token)"]
      ).status == 401)
    #expect(
      try audits[0].request("DELETE", "/api/v1/logs/cleanup?older_than_days=0").text.contains(
        "\"deleted_count\":1"))
    #expect(try audits[1].stats() == ["ERROR": 2])
    #expect(try workflows[0].total() == 1)
    #expect(server.stop() == 0)
  }

  @Test func whoseRequestItIsOnSharedPaths() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let audit = try AuditClient(port: server.port, tenant: "a")
    let path = "/api/v1/logs"
    let none = try WorkflowClient(port: server.port, key: nil).request("GET", path)
    #expect(none.status == 401)
    #expect(none.text == #"{"code":401,"msg":"Unauthorized","data":null,"detail":"API key required"}"#)
    #expect(none.headers["www-authenticate"]?.hasPrefix("Bearer") == true)
    let unknown = try WorkflowClient(port: server.port, key: "nope").request("GET", path)
    #expect(unknown.text == #"{"detail":"Invalid API key"}"#)
    let known = try audit.request("GET", path, headers: ["X-API-Key": WorkflowTests.keys[0]])
    #expect(known.text.contains("\"pagination\""), "a known key wins")
    let both = try audit.request("GET", path, headers: ["X-API-Key": "nope"])
    #expect(both.text.contains("\"meta\""), "one that is not known does not stand in the way")
    let byQuery = try WorkflowClient(port: server.port, key: nil).request(
      "GET", "\(path)?token=\(audit.token)")
    #expect(byQuery.status == 200)
    func bearer(_ token: String, _ target: String, _ more: [String: String] = [:]) throws -> HTTPAnswer {
      try HTTPConnection(port: server.port).request(
        "GET", target, headers: ["Authorization": "Bearer \(token)"].merging(more) { $1 })
    }
    let key = WorkflowTests.keys[0]
    #expect(try bearer(key, path).text.contains("\"pagination\""), "a known key, as a bearer's")
    #expect(try bearer(key, path, ["X-API-Key": "nope"]).text.contains("\"pagination\""))
    #expect(try bearer(WorkflowTests.keys[1], "/api/v1/metrics/overview").text.contains("client_2"))
    #expect(
      try bearer(WorkflowTests.keys[1], "/api/v1/metrics/overview", ["X-API-Key": key]).text.contains(
        "client_1"),
      "the header first")
    #expect(try bearer(key, "/cubejs-api/v1/meta").text.contains("workflows.count"))
    #expect(try bearer(audit.token, "/cubejs-api/v1/meta").text.contains("logs.count"))
    #expect(
      try bearer(key + "x", path).text == none.text,
      "an unknown bearer's is a token of the audit API that is none")
    for (token, target) in [
      (key + "x", "/api/v1/metrics/overview"), (audit.token, "/api/v1/metrics/categories"),
      (key, "/api/v1/logs/stats"), (key, "/api/v1/logs/export"), (key, "/api/v1/tenants"),
      (key, "/api/containers"),
    ] {
      #expect(try bearer(token, target).status == 401, "\(target)")
    }
    #expect(!server.log.contains(audit.token), "no token in the log")
    #expect(!server.log.contains(WorkflowTests.keys[0]))
    #expect(server.stop() == 0)
  }

  @Test func administratorsMakeAndEndKeys() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: WorkflowTests.environment)
    let admin = try SessionsClient(port: server.port)
    let body = Array(#"{"name":"ci","realm":"workflow","tenant":"client_9"}"#.utf8)
    let made = try admin.request("POST", "/api/keys", body: body)
    #expect(made.status == 201)
    let key = try #require(try made.object()["key"] as? String)
    #expect(try admin.request("POST", "/api/keys", body: body).status == 409)
    let client = WorkflowClient(port: server.port, key: key)
    _ = try client.create(WorkflowClient.log("T-9"))
    let list = try admin.request("GET", "/api/keys")
    #expect(list.text.contains(#""name":"ci""#) && !list.text.contains(key), "shown once")
    #expect(try admin.makeUser("bob", "bobpw").status == 201)
    let bob = try SessionsClient(port: server.port, user: "bob", password: "bobpw")
    for (method, path) in [("GET", "/api/keys"), ("POST", "/api/keys"), ("DELETE", "/api/keys/workflow/ci")] {
      #expect(try bob.request(method, path, body: method == "POST" ? body : nil).status == 403)
    }
    for wrong in [
      "{}", #"{"name":"x","realm":"audit","tenant":"t"}"#,
      #"{"name":"x","realm":"workflow","tenant":"t","role":"reader"}"#,
    ] {
      #expect(try admin.request("POST", "/api/keys", body: Array(wrong.utf8)).status == 400, "\(wrong)")
    }
    #expect(try client.total() == 1)
    #expect(try admin.request("DELETE", "/api/keys/workflow/ci").status == 200)
    #expect(try admin.request("DELETE", "/api/keys/workflow/ci").status == 404)
    #expect(try client.request("GET", "/api/v1/logs").status == 401)
    #expect(!server.log.contains(key))
    #expect(server.stop() == 0)
  }
}
