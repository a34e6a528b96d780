import Foundation
import Testing

/// What masking hides is nowhere: secrets go in through every API that masks, then everything the server left
/// is searched.
@Suite(.serialized) struct CanaryTests {
  /// Values that can be told from anything else, by the member that holds them.
  private static func secret(_ place: String) -> String { "canary\(place)zq7x" }

  /// An object with secrets under names that are masked, at several depths.
  private static func secrets(_ api: String) -> String {
    """
    {"password":"\(secret(api + "a"))","nested":{"apiKey":"\(secret(api + "b"))","list":[{"auth_token":"\(secret(api + "c"))"}]},\
    "user_email":"\(secret(api + "d"))","client\\u005fsecret":"\(secret(api + "e"))","card_number":{"deep":"\(secret(api + "f"))"},\
    "note":["{\\"badge\\":\\"own-88zq7x\\"}"]}
    """
  }

  @Test func whatIsMaskedIsNowhere() throws {
    let loki = try LokiStandIn()
    let bench = try IngestBench(
      IngestClient.file(
        more: "forwarding: {loki: {format: json}}\nlogging: {level: trace}\n", loki: loki.url
      ).replacingOccurrences(
        of: "masking:\n",
        with:
          "masking:\n  patterns: [{name: badge, pattern: 'own-([a-z0-9]+)'}]\n"
          + "  apis: [native, sessions, querylog, audit, workflow, ingest]\n"
      )
    )
    let server = try bench.start(
      ["--set", "journal.segment_bytes=1048576"], environment: WorkflowTests.environment)
    let bearer = "Bearer canarybearerzq7xzq7xzq7xzq7xzq7x"
    let ingest = IngestClient(port: server.port)
    let message =
      "user canarymail-zq7x@example.com sent \(bearer) with card 4111 1111 1111 1111, badge own-77zq7x"
    let entry = IngestClient.entry(message, more: ",\"metadata\":\(CanaryTests.secrets("i"))")
    #expect(try ingest.ingest(entry, entry).status == 202)
    // Refused bodies are not quoted either.
    let broken = try ingest.ingest(IngestClient.entry("", more: ",\"metadata\":\(CanaryTests.secrets("x"))"))
    #expect(broken.status == 422 && !broken.text.contains("zq7x"))
    let cut = try ingest.request(
      "POST", "/v1/logs:ingest", body: "{\"entries\":[{\"password\":\"canarycutzq7x\"")
    #expect(cut.status == 422 && !cut.text.contains("zq7x"))
    let native = try server.request(
      "POST", "/v1/records/logs", headers: ["Content-Type": "application/json"],
      body:
        "[{\"message\":\"\(message)\",\"metadata\":\(CanaryTests.secrets("n")),\"secret\":\"canarytopzq7x\"}]"
    )
    #expect(native.status == 201, "\(native.text)")
    let workflow = WorkflowClient(port: server.port, key: WorkflowTests.keys[0])
    _ = try workflow.create(
      WorkflowClient.log("T", more: ",\"api_key\":\"canarywzq7x\",\"payload\":\(CanaryTests.secrets("w"))"))
    let audit = try AuditClient(port: server.port, tenant: "a")
    let logged = try audit.request(
      "POST", "/api/v1/logs",
      body:
        "{\"action\":\"a\",\"resource_type\":\"t\",\"resource_id\":\"1\",\"severity\":\"INFO\",\"before\":\(CanaryTests.secrets("p")),\"after\":\(CanaryTests.secrets("q")),\"metadata\":\(CanaryTests.secrets("r"))}"
    )
    #expect((200...201).contains(logged.status), "\(logged.text)")
    let sessions = try SessionsClient(port: server.port)
    _ = try sessions.request("POST", "/api/containers", body: Array(#"{"container_id":"c"}"#.utf8))
    _ = try sessions.request("POST", "/api/containers/c/sessions", body: Array(#"{"session_id":"s"}"#.utf8))
    let lines = try sessions.request(
      "POST", "/api/logs/c/s",
      body: Array(
        "{\"logs\":[{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"\(message)\"}]}"
          .utf8))
    #expect((200...201).contains(lines.status), "\(lines.text)")
    let login = try server.request(
      "POST", "/api/v1/login", headers: ["Content-Type": "application/json"], body: #"{"user_id":"u"}"#)
    let token = try #require(try login.object()["access_token"] as? String)
    let asked = try server.request(
      "PUT", "/api/v1/logs",
      headers: ["Content-Type": "application/json", "Authorization": "Bearer \(token)"],
      body: "{\"query\":\"\(message)\",\"status\":\"OK\"}")
    #expect(asked.status == 200 && !asked.text.contains("zq7x"), "\(asked.text)")
    // The hash is of what is stored.
    let id = try #require(try asked.object()["id"] as? String)
    #expect(try server.request("GET", "/api/v1/verify/\(id)").text.contains("\"valid\":true"))
    let admin = IngestClient(port: server.port, token: IngestClient.admin)
    let trial = try admin.request(
      "POST", "/v1/admin/masking:test",
      body: "{\"entry\":{\"metadata\":\(CanaryTests.secrets("t"))},\"token\":\"payments-api\"}")
    #expect(
      trial.status == 200 && !trial.text.contains("zq7x") && trial.text.contains("metadata"), "\(trial.text)")
    #expect(try CanaryTests.traces(in: bench.data).isEmpty, "while it is in the journal")
    #expect(try admin.request("POST", "/v1/admin/flush", body: #"{"archive":true}"#).status == 200)
    let metrics = try server.request("GET", "/metrics").text
    #expect(
      metrics.contains(#"masking_operations_total{token="payments-api",field="password"} 2"#), "\(metrics)")
    #expect(
      metrics.contains(#"masking_operations_total{token="payments-api",field="value:badge"} 4"#), "\(metrics)"
    )
    #expect(!metrics.contains("zq7x"))
    #expect(server.stop() == 0)
    #expect(!server.log.contains("zq7x"))
    #expect(!server.log.contains("hunter"))
    #expect(try CanaryTests.traces(in: bench.data).isEmpty, "in blocks")
    let rows = try Tool.python(
      """
      import glob, sys
      import pyarrow.parquet as parquet
      for file in glob.glob(sys.argv[1] + "/blocks/**/*.parquet", recursive=True):
          table = parquet.read_table(file)
          texts = [field.name for field in table.schema if "timestamp" not in str(field.type)]
          print(table.select(texts).to_pylist())
      """, [bench.data], in: bench.folder)
    #expect(rows.contains("Payment") || rows.contains("****"), "the blocks were read")
    #expect(!rows.contains("zq7x"))
    #expect(!loki.accepted.isEmpty)
    for (index, push) in loki.accepted.enumerated() {
      let file = bench.folder.path + "/push\(index).gz"
      try Data(push.body).write(to: URL(fileURLWithPath: file))
      let text = try Tool.run(["gzip", "-dc", file], in: bench.folder).text
      #expect(text.contains("values") && !text.contains("zq7x"), "\(text)")
    }
    #expect(try CanaryTests.traces(in: bench.folder.path + "/data").isEmpty)
  }

  /// Files below `folder` that hold a canary, in whatever they compress.
  private static func traces(in folder: String) throws -> [String] {
    let needle = Data("zq7x".utf8)
    let files = FileManager.default.enumerator(atPath: folder)?.allObjects.compactMap { $0 as? String } ?? []
    #expect(!files.isEmpty)
    return files.filter { name in
      let data = FileManager.default.contents(atPath: folder + "/" + name)
      return data?.range(of: needle) != nil
    }
  }
}
