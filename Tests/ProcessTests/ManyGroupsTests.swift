import Foundation
import Testing

extension ProcessSuite {
  /// More groups than the real server has memory for, on every API that groups.
  @Suite struct ManyGroupsTests {
    private static let small = ["--set", "query.memory_bytes_max=25165824", "--set", "query.threads=1"]
    /// Of each value, and how many values there are: 24 MB of text.
    private static let length = 600
    private static let count = 40_000

    private static func value(_ number: Int) -> String {
      "\(number)-" + String(repeating: "x", count: length)
    }

    /// Each value once, then the first three ten times more.
    private static func values() -> [Int] { Array(0..<count) + (0..<30).map { $0 % 3 } }

    private static func ask(
      _ server: ServerProcess, _ more: String, format: String = "json", headers: [String: String] = [:]
    ) throws -> HTTPAnswer {
      try server.request(
        "POST", "/v1/query?format=\(format)",
        headers: headers.merging(["Content-Type": "application/json"]) { $1 },
        body: "{\"dataset\":\"logs\",\"group_by\":[\"service\"],\(more)}")
    }

    private static func expectRefusal(_ answer: HTTPAnswer, _ member: String, _ what: String) throws {
      #expect(answer.status == 503 && answer.headers["retry-after"] != nil, "\(what): \(answer.text)")
      #expect(try answer.object()[member] is String, "\(what): \(answer.text.prefix(300))")
      #expect(answer.headers["cordwood-approximate"] == nil)
    }

    @Test func nativeAnswersSayHowSureTheyAre() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data", arguments: Self.small)
      for part in stride(from: 0, to: Self.values().count, by: 10_000) {
        let lines = Self.values()[part..<min(part + 10_000, Self.values().count)].map {
          "{\"message\":\"m\",\"service\":\"\(Self.value($0))\"}\n"
        }
        #expect(try server.request("POST", "/v1/records/logs", body: lines.joined()).status == 201)
      }
      let proved = try Self.ask(server, "\"order_by\":\"count\",\"limit\":3")
      #expect(proved.status == 200 && !proved.text.contains("exact"), "\(proved.text.suffix(200))")
      #expect(proved.headers["cordwood-approximate"] == nil)
      let rows = try proved.object()["rows"] as? [[String: Any]] ?? []
      #expect(rows.map { $0["service"] as? String } == (0..<3).map { Self.value($0) })
      #expect(rows.map { $0["count"] as? Int } == [11, 11, 11])
      let guessed = try Self.ask(server, "\"order_by\":\"count\",\"limit\":5")
      #expect(try guessed.object()["exact"] as? Bool == false, "\(guessed.text.suffix(200))")
      let bound = try #require(try guessed.object()["error_bound"] as? Int)
      #expect(bound >= 1 && bound < 11, "of the others each comes once: \(bound)")
      for format in ["json", "ndjson", "csv", "arrow", "parquet"] {
        let answer = try Self.ask(server, "\"order_by\":\"count\",\"limit\":5", format: format)
        #expect(answer.headers["cordwood-approximate"] == "error-bound=\(bound)", "\(format)")
      }
      // By value, the first are exact however many there are.
      let first = try Self.ask(server, "\"limit\":2")
      #expect(first.status == 200 && first.headers["cordwood-approximate"] == nil)
      for more in [
        "\"order_by\":\"count\",\"limit\":5,\"exact\":true", "\"order_by\":\"count\"",
        "\"order_by\":\"count\",\"order\":\"asc\",\"limit\":5", "\"measures\":[\"count\"]",
      ] { try Self.expectRefusal(Self.ask(server, more), "detail", more) }
      let strict = try Self.ask(
        server, "\"order_by\":\"count\",\"limit\":5", headers: ["Prefer": "handling=strict"])
      try Self.expectRefusal(strict, "detail", "strict")
      #expect(try Self.ask(server, "\"limit\":2,\"exact\":3").status == 400)
      let list = ["query", "--url", server.url, "--count-by", "service", "--largest-first", "--limit", "5"]
      let told = try Program.run(list, in: folder)
      #expect(told.status == 0 && told.errors.contains("not exact (error-bound=\(bound))"), "\(told.errors)")
      let refused = try Program.run(list + ["--exact"], in: folder)
      #expect(refused.status == 1 && refused.errors.contains("status 503"), "\(refused.errors)")
      #expect(server.stop() == 0)
    }

    @Test func otherAPIsKeepToTheirForms() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data", arguments: Self.small)
      let audit = try AuditClient(port: server.port, tenant: "abc")
      let entries = Self.values().map { AuditClient.entry(Self.value($0), severity: "INFO") }
      for part in stride(from: 0, to: entries.count, by: 1_000) {
        let body = "[\(entries[part..<min(part + 1_000, entries.count)].joined(separator: ","))]"
        #expect(try audit.request("POST", "/api/v1/logs/bulk", body: body).status == 200)
      }
      func load(_ order: String, headers: [String: String] = [:]) throws -> HTTPAnswer {
        try audit.request(
          "POST", "/cubejs-api/v1/load",
          body: "{\"query\":{\"measures\":[\"logs.count\"],\"dimensions\":[\"logs.action\"]\(order)}}",
          headers: headers)
      }
      let guessed = try load(",\"limit\":5")
      #expect(guessed.status == 200, "\(guessed.text.prefix(300))")
      #expect(guessed.headers["cordwood-approximate"]?.hasPrefix("error-bound=") == true)
      let rows = try guessed.object()["data"] as? [[String: Any]] ?? []
      #expect(rows.count == 5 && rows.prefix(3).allSatisfy { $0["logs.count"] as? String == "11" })
      #expect(try load(",\"limit\":3").headers["cordwood-approximate"] == nil, "proved")
      try Self.expectRefusal(load(",\"limit\":5", headers: ["Prefer": "handling=strict"]), "error", "strict")
      try Self.expectRefusal(load(",\"limit\":5,\"total\":true"), "error", "all are counted")
      try Self.expectRefusal(load(",\"limit\":5,\"order\":{\"logs.count\":\"asc\"}"), "error", "rarest")
      #expect(server.stop() == 0)
    }

    @Test func categoriesAreAllOrRefused() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(
        data: folder.path + "/data",
        arguments: ["--set", "query.memory_bytes_max=8388608", "--set", "query.threads=1"],
        environment: WorkflowTests.environment)
      let client = WorkflowClient(port: server.port, key: WorkflowTests.keys[0])
      let category = String(repeating: "x", count: 90)
      for part in stride(from: 0, to: Self.count, by: 100) {
        let logs = (part..<part + 100).map {
          WorkflowClient.log("T", more: ",\"category\":\"\($0)-\(category)\"")
        }
        let body = "[\(logs.joined(separator: ","))]"
        let answer = try client.request("POST", "/api/v1/logs/batch", body: body)
        try #require(answer.status == 201, "\(answer.text.prefix(300))")
      }
      // A run of the head takes more than all there is here while it is read; pages of blocks do not.
      try server.archive()
      let categories = try client.request("GET", "/api/v1/metrics/categories?days=1")
      #expect(categories.status == 503 && categories.headers["retry-after"] != nil)
      #expect(try categories.object()["error"] is String || categories.object()["detail"] is String)
      #expect(try client.request("GET", "/api/v1/metrics/overview").status == 200)
      #expect(server.stop() == 0)
    }
  }
}
