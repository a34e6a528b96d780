import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

/// The ingest API of the real program.
@Suite(.serialized) struct IngestTests {
  @Test func entriesAreTakenAndForwarded() throws {
    let loki = try LokiStandIn()
    let bench = try IngestBench(IngestClient.file(loki: loki.url))
    let server = try bench.start(["--set", "forwarding.loki.format=json"])
    let client = IngestClient(port: server.port)
    #expect(server.log.contains("loki.max_retries has no effect here"), "ignored keys are told")
    let answer = try client.ingest(IngestClient.entry(), IngestClient.entry("n"))
    #expect(answer.status == 202)
    let object = try answer.object()
    #expect(object["message"] as? String == "Logs accepted for processing")
    #expect(object["entries_accepted"] as? Int == 2)
    #expect((object["request_id"] as? String)?.count == 36)
    #expect((object["timestamp"] as? String)?.hasSuffix("Z") == true)
    #expect(try client.request("POST", "/v1/logs%3Aingest", body: "{}").status == 422)
    let admin = IngestClient(port: server.port, token: IngestClient.admin)
    let flush = try admin.request("POST", "/v1/admin/flush", body: #"{"archive":true}"#)
    #expect(flush.status == 200, "\(flush.text)")
    #expect(!loki.accepted.isEmpty, "flush returns when Loki has it")
    #expect(loki.accepted.allSatisfy { $0.headers["content-encoding"] == "gzip" })
    let ready = try client.request("GET", "/readyz")
    #expect(ready.status == 200 && ready.text.contains("\"Loki is reachable\""), "\(ready.text)")
    #expect(
      try admin.request("GET", "/v1/admin/status").text
        == #"{"forwarder_service":{"available":true,"healthy":true},"metrics":{"available":true}}"#)
    let metrics = try client.request("GET", "/metrics").text
    for line in [
      #"logs_ingested_total{token="payments-api"} 2"#, #"loki_requests_total{status_code="204"}"#,
      #"loki_entries_forwarded_total{token="payments-api"} 2"#, "current_connections", "uptime_seconds",
      #"http_requests_total{method="POST",endpoint="/v1/logs:ingest",status="202",status_code="202"} 1"#,
      #"http_request_duration_seconds_bucket{method="POST",endpoint="/v1/logs:ingest",le="0.05"}"#,
      "ingestion_batch_size_entries_sum 2", #"wal_segments_active{token="payments-api"} 0"#,
      #"wal_disk_usage_bytes{token="payments-api"} 0"#, "process_max_fds", "process_start_time_seconds",
      #"rate_limit_exceeded_total{token="payments-api"} 0"#, "logstack_service_info{service=",
      #"masking_errors_total{token="payments-api"} 0"#,
      #"logs_rejected_total{token="payments-api",reason="validation"} 1"#,
    ] {
      #expect(metrics.contains(line), "\(line)")
    }
    #expect(server.stop() == 0)
    try Program.expectSound(bench.data, in: bench.folder)
  }

  @Test func credentialsAreTold() throws {
    let bench = try IngestBench(IngestClient.file())
    let server = try bench.start()
    let body = "{\"entries\":[\(IngestClient.entry())]}"
    let none = IngestClient(port: server.port, token: nil)
    let cases: [([String: String], Int, String)] = [
      ([:], 403, #"{"detail":"Not authenticated"}"#),
      (["Authorization": "Bearer"], 403, #"{"detail":"Not authenticated"}"#),
      (["Authorization": "Basic x"], 403, #"{"detail":"Invalid authentication credentials"}"#),
      (
        ["Authorization": "Bearer nope-nope"], 401,
        #"{"error":"authentication_error","message":"Invalid authentication token","details":{}}"#
      ),
    ]
    for (headers, status, text) in cases {
      let answer = try none.request("POST", "/v1/logs:ingest", body: body, headers: headers)
      #expect(answer.status == status && answer.text == text, "\(headers)")
      let admin = try none.request("GET", "/v1/admin/status", headers: headers)
      #expect(admin.status == status && admin.text == text, "\(headers)")
    }
    let plain = try IngestClient(port: server.port).request("GET", "/v1/admin/status")
    #expect(plain.status == 401 && plain.text.contains("Admin token required"))
    #expect(try none.request("PUT", "/v1/logs:ingest").status == 405)
    #expect(try none.request("GET", "/v1/admin/nothing").text == #"{"detail":"Not Found"}"#)
    #expect(server.logs(#""event":"ingest_key_refused""#))
    #expect(!server.log.contains("nope-nope"), "no token in the log")
    #expect(!server.log.contains(IngestClient.admin))
    #expect(server.stop() == 0)
  }

  @Test func repeatedRequestsAreStoredOnce() throws {
    let bench = try IngestBench(IngestClient.file())
    let server = try bench.start()
    let client = IngestClient(port: server.port)
    let first = try client.ingest(IngestClient.entry(), key: "k1")
    let again = try client.ingest(IngestClient.entry(), key: "k1")
    #expect(first.status == 202 && again.status == 202)
    #expect(again.headers["idempotency-replayed"] == "true")
    #expect(try first.object()["request_id"] as? String == again.object()["request_id"] as? String)
    #expect(try client.ingest(IngestClient.entry("other"), key: "k1").status == 422)
    for name in ["X-Idempotency-Key", "Idempotency-Key"] {
      #expect(try client.ingest(IngestClient.entry(), headers: [name: name]).status == 202)
      #expect(
        try client.ingest(IngestClient.entry(), headers: [name: name]).headers["idempotency-replayed"]
          == "true")
    }
    let bad = try client.ingest(IngestClient.entry(), headers: ["X-Idempotency-Key": "a b"])
    #expect(bad.status == 400 && bad.text.contains("validation_error"))
    let long = String(repeating: "ä", count: 128)
    #expect(try client.ingest(IngestClient.entry(), key: long).status == 202)
    #expect(try client.ingest(IngestClient.entry(), key: long).headers["idempotency-replayed"] == "true")
    let other = IngestClient(port: server.port, token: IngestClient.users)
    #expect(try other.ingest(IngestClient.entry("x"), key: "k1").headers["idempotency-replayed"] == nil)
    #expect(
      try client.request("GET", "/metrics").text.contains(#"logs_ingested_total{token="payments-api"} 4"#))
    #expect(server.stop() == 0)
  }

  @Test func whoAsksTooOftenWaits() throws {
    let bench = try IngestBench(IngestClient.file(rps: 1, burst: 5))
    let server = try bench.start(["--set", "ingest.rate_limit_rps=0.01"])
    let client = IngestClient(port: server.port)
    for _ in 0..<5 { #expect(try client.ingest(IngestClient.entry()).status == 202) }
    for _ in 0..<3 {
      let refused = try client.ingest(IngestClient.entry())
      #expect(refused.status == 429)
      let seconds = Int(refused.headers["retry-after"] ?? "") ?? 0
      #expect((90...100).contains(seconds))
      #expect(
        refused.text
          == #"{"error":"rate_limit_exceeded","message":"Rate limit exceeded for token","details":{"retry_after":\#(seconds)}}"#
      )
    }
    #expect(try client.request("POST", "/v1/logs:ingest", body: #"{"entries":[]}"#).status == 422)
    #expect(
      try IngestClient(port: server.port, token: IngestClient.users).ingest(IngestClient.entry()).status
        == 202)
    #expect(
      try client.request("GET", "/metrics").text.contains(
        #"rate_limit_exceeded_total{token="payments-api"} 3"#))
    #expect(server.logs(#""event":"rate_limited""#))
    #expect(server.stop() == 0)
  }

  @Test func whatWaitsTooLongHoldsItsKeyBackOnly() throws {
    let loki = try LokiStandIn()
    loki.set(ready: 503)
    loki.answerPushes { _ in (503, "no") }
    let bench = try IngestBench(IngestClient.file(loki: loki.url))
    let server = try bench.start(["--set", "ingest.quota_bytes=1000"])
    let client = IngestClient(port: server.port)
    var refused: HTTPAnswer?
    for _ in 0..<20 where refused == nil {
      let answer = try client.ingest(IngestClient.entry())
      if answer.status != 202 { refused = answer }
    }
    #expect(refused?.status == 429)
    #expect(refused?.text.contains(#""error":"quota_exceeded""#) == true)
    #expect(refused?.text.contains(#""details":{"quota_type":"bytes"}"#) == true)
    #expect((Int(refused?.headers["retry-after"] ?? "") ?? 0) >= 1)
    #expect(
      try IngestClient(port: server.port, token: IngestClient.users).ingest(IngestClient.entry()).status
        == 202)
    let ready = try client.request("GET", "/readyz")
    #expect(ready.status == 503 && ready.text.contains(#""failed_checks":["loki"]"#), "\(ready.text)")
    #expect(try client.request("GET", "/healthz").status == 200)
    let admin = IngestClient(port: server.port, token: IngestClient.admin)
    let flush = try admin.request("POST", "/v1/admin/flush", body: #"{"timeout_seconds":1}"#)
    #expect(flush.status == 500 && flush.text.contains("forwarder_error"), "\(flush.text)")
    #expect(server.stop() == 0)
    // Nothing was lost: the next run forwards it.
    loki.answerPushes { _ in (204, "") }
    let next = try bench.start()
    let done = try IngestClient(port: next.port, token: IngestClient.admin).request("POST", "/v1/admin/flush")
    #expect(done.status == 200, "\(done.text)")
    #expect(!loki.accepted.isEmpty)
    #expect(next.stop() == 0)
  }

  @Test func aFullDiskIsToldToAll() throws {
    let bench = try IngestBench(IngestClient.file())
    let server = try bench.start(["--set", "storage.write_reserve_bytes=\(Int.max / 4)"])
    let answer = try IngestClient(port: server.port).ingest(IngestClient.entry())
    #expect(answer.status == 507 && answer.headers["retry-after"] == "30", "\(answer.text)")
    #expect(answer.text.contains(#""error":"wal_error""#))
    _ = server.stop()
  }

  @Test func generatedTokensSurviveARestart() throws {
    let bench = try IngestBench(IngestClient.file())
    var server = try bench.start()
    var admin = IngestClient(port: server.port, token: IngestClient.admin)
    let body = #"{"service_name":"analytics-service","description":"Analytics data"}"#
    let made = try admin.request("POST", "/v1/admin/tokens/generate", body: body)
    let token = try #require(try made.object()["token"] as? String)
    #expect(token.hasPrefix("logstack_analyticss_") && token.count == 40)
    let off = try admin.request(
      "POST", "/v1/admin/tokens/generate",
      body: #"{"service_name":"off-service","description":"starts inactive","active":false}"#)
    let inactive = try #require(try off.object()["token"] as? String)
    for name in ["ANALYTICS-service", "Payments-API"] {
      let again = try admin.request(
        "POST", "/v1/admin/tokens/generate", body: #"{"service_name":"\#(name)","description":"once more"}"#)
      #expect(again.status == 400 && again.text == #"{"detail":"Service name '\#(name)' already exists"}"#)
    }
    for _ in 0..<2 {
      #expect(try IngestClient(port: server.port, token: token).ingest(IngestClient.entry()).status == 202)
      let refused = try IngestClient(port: server.port, token: inactive).ingest(IngestClient.entry())
      #expect(refused.status == 401 && refused.text.contains("Authentication token is inactive"))
      #expect(!server.log.contains(token))
      #expect(server.stop() == 0)
      server = try bench.start()
      admin = IngestClient(port: server.port, token: IngestClient.admin)
    }
    let key = try Program.run(
      ["keys", "create", "worker", "--realm", "ingest", "--data-dir", bench.data], in: bench.folder
    ).text.trimmingCharacters(in: .whitespacesAndNewlines)
    let deadline = Date().addingTimeInterval(30)
    var status = 0
    while status != 202, Date() < deadline {
      status = try IngestClient(port: server.port, token: key).ingest(IngestClient.entry()).status
    }
    #expect(status == 202, "a key of the command holds")
    #expect(server.stop() == 0)
  }

  @Test func settingsAreReadAnew() throws {
    let bench = try IngestBench(IngestClient.file())
    let server = try bench.start()
    let fresh = "logstack_fresh_0123456789"
    let changed = IngestClient.file(more: "ingest:\n  batch_entries_max: 1").replacingOccurrences(
      of: IngestClient.users + ":", with: fresh + ":"
    ).replacingOccurrences(of: "masking:\n", with: "masking:\n  apis: [ingest, native, audit]\n")
    try writeSecrets("before", to: server)
    try changed.write(toFile: bench.config, atomically: true, encoding: .utf8)
    #expect(server.logs("the configuration was read anew"))
    try writeSecrets("after", to: server)
    let records = "\(try server.query(["dataset": "logs"]))"
    let audit = try AuditClient(port: server.port, tenant: "a").request("GET", "/api/v1/logs").text
    for text in [records, audit] {
      #expect(
        text.contains("open-before") && !text.contains("open-after") && text.contains("****"), "\(text)")
    }
    #expect(try IngestClient(port: server.port, token: fresh).ingest(IngestClient.entry()).status == 202)
    #expect(
      try IngestClient(port: server.port, token: IngestClient.users).ingest(IngestClient.entry()).status
        == 401)
    let two = try IngestClient(port: server.port).ingest(IngestClient.entry(), IngestClient.entry())
    #expect(two.status == 422 && two.text.contains("at most 1 item"), "\(two.text)")
    try "security: [".write(toFile: bench.config, atomically: true, encoding: .utf8)
    #expect(server.logs("the settings stay as they are"))
    #expect(try IngestClient(port: server.port, token: fresh).ingest(IngestClient.entry()).status == 202)
    try IngestClient.file().write(toFile: bench.config, atomically: true, encoding: .utf8)
    Glibc.kill(server.processID, SIGHUP)
    let deadline = Date().addingTimeInterval(30)
    var status = 0
    while status != 202, Date() < deadline {
      status = try IngestClient(port: server.port, token: IngestClient.users).ingest(IngestClient.entry())
        .status
    }
    #expect(status == 202)
    #expect(server.stop() == 0)
  }

  /// A record with a password by the native API, and one by the audit API.
  private func writeSecrets(_ word: String, to server: ServerProcess) throws {
    let native = try server.request(
      "POST", "/v1/records/logs", headers: ["Content-Type": "application/json"],
      body: #"{"message":"m","password":"open-\#(word)"}"#)
    #expect(native.status == 201)
    let entry = AuditClient.entry("x", more: #","metadata":{"password":"open-\#(word)"}"#)
    _ = try AuditClient(port: server.port, tenant: "a").create(entry)
  }

  @Test func keysOfTheEnvironmentWin() throws {
    let bench = try IngestBench(IngestClient.file())
    let server = try bench.start(environment: [
      "LOGSTACK_SECURITY_API_KEYS": #"{"json_token_0001":{"name":"json","active":true}}"#,
      "LOGSTACK_API_KEY_MY_APP_TOKEN": "single_token_0001", "LOGSTACK_API_KEY_MY_APP_ACTIVE": "yes",
      "LOGSTACK_API_KEY_OFF_TOKEN": "single_token_0002", "LOGSTACK_API_KEY_OFF_ACTIVE": "off",
    ])
    for (token, status) in [
      ("json_token_0001", 202), ("single_token_0001", 202), ("single_token_0002", 401),
      (IngestClient.payments, 401),
    ] {
      #expect(try IngestClient(port: server.port, token: token).ingest(IngestClient.entry()).status == status)
    }
    #expect(try server.request("GET", "/metrics").text.contains(#"logs_ingested_total{token="my_app"} 1"#))
    #expect(server.stop() == 0)
  }

  @Test func aDirectoryThatCannotBeUsedIsRefused() throws {
    let bench = try IngestBench(IngestClient.file())
    let server = try bench.start()
    let second = try Program.run(
      ["serve", "--data-dir", bench.data, "--port", "0"], in: bench.folder)
    #expect(second.status != 0)
    #expect(
      second.errors.contains("\(bench.data) is in use by process \(server.processID)"), "\(second.errors)")
    #expect(server.stop() == 0)
    let file = bench.folder.path + "/file"
    try "x".write(toFile: file, atomically: true, encoding: .utf8)
    let third = try Program.run(["serve", "--data-dir", file + "/data", "--port", "0"], in: bench.folder)
    #expect(third.status != 0 && third.errors.contains(file), "\(third.errors)")
    // Tokens that everybody knows open no server that others can reach.
    let open = try Program.run(
      ["serve", "--config", bench.config, "--host", "0.0.0.0", "--port", "0", "--data-dir", bench.data],
      in: bench.folder)
    #expect(open.status != 0 && open.errors.contains("payments-api"), "\(open.errors)")
    #expect(!open.errors.contains(IngestClient.payments))
  }

  @Test func refusedEntriesCanBeSentAgain() throws {
    let loki = try LokiStandIn()
    loki.answerPushes { _ in (400, "entry has timestamp too old") }
    let bench = try IngestBench(IngestClient.file(loki: loki.url))
    let server = try bench.start()
    #expect(try IngestClient(port: server.port).ingest(IngestClient.entry()).status == 202)
    let admin = IngestClient(port: server.port, token: IngestClient.admin)
    #expect(try admin.request("POST", "/v1/admin/flush").status == 200, "refused for good is done")
    let key = ["CORDWOOD_KEY": IngestClient.admin, "CORDWOOD_URL": server.url]
    let list = try Program.run(["deadletters", "list"], environment: key, in: bench.folder)
    #expect(list.text.contains("payments-api\t"), "\(list.text) \(list.errors)")
    let early = try Program.run(["deadletters", "replay", "--all"], environment: key, in: bench.folder)
    #expect(early.errors.contains("0 forwarded"), "\(early.errors)")
    loki.answerPushes { _ in (204, "") }
    let replay = try Program.run(["deadletters", "replay", "--all"], environment: key, in: bench.folder)
    #expect(replay.errors.contains("1 forwarded"), "\(replay.errors)")
    let rest = try Program.run(["deadletters", "list", "--json"], environment: key, in: bench.folder)
    #expect(rest.status == 0 && rest.text.isEmpty)
    let wrong = try Program.run(
      ["deadletters", "list"], environment: key.merging(["CORDWOOD_KEY": IngestClient.users]) { $1 },
      in: bench.folder)
    #expect(wrong.status == 1 && wrong.errors.contains("Admin token required"), "\(wrong.errors)")
    #expect(server.stop() == 0)
  }

  static let replays: [(name: String, rps: Int, burst: Int, sleeps: String)] = [
    ("004-logstack", 1_000_000, 1_000_000, ""),
    ("004-logstack-ratelimit", 1, 5, "10:0.6,11:0.6,12:0.6,13:0.6,14:1.1"),
  ]

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: Tool.root + "/../shared/golden")), arguments: replays)
  func theTranscriptsReplay(name: String, rps: Int, burst: Int, sleeps: String) throws {
    let loki = try LokiStandIn()
    let bench = try IngestBench(IngestClient.file(rps: rps, burst: burst, loki: loki.url))
    let server = try bench.start(["--set", "health.disk_free_ratio=0"])
    let contracts = Tool.root + "/../shared/contracts"
    let replay = try Tool.run(
      [
        "python3", contracts + "/replay_golden.py", name, server.url, "--deviations",
        contracts + "/deviations.json", "--sleep-before", sleeps,
      ], in: bench.folder)
    #expect(replay.status == 0, "\(replay.text)")
    #expect(server.stop() == 0)
  }
}
