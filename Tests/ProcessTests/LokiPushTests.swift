import Foundation
import Testing

/// The push of Loki's clients, of the real program: the forwarder of one server is the client of another.
@Suite(.serialized) struct LokiPushTests {
  static let key = "shop-key-0123456789abcdef0123456789abcdef"

  private static func config(_ folder: TemporaryFolder) throws -> String {
    let path = folder.path + "/keys.yaml"
    try """
    native:
      api_keys:
        - {name: shop, key: \(key), tenant: shop, role: admin}
        - {name: reader, key: reader-\(key), tenant: shop, role: reader}
    """.write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  private static func count(_ server: ServerProcess) throws -> String {
    try HTTPConnection(port: server.port).request(
      "POST", "/v1/query", headers: ["Authorization": "Bearer \(key)", "Content-Type": "application/json"],
      body: Array(#"{"dataset":"logs","group_by":["service","level","env"],"measures":["count"]}"#.utf8)
    ).text
  }

  @Test(arguments: ["protobuf", "json"]) func anotherServerForwardsHere(_ format: String) throws {
    let folder = try TemporaryFolder()
    let there = try ServerProcess(
      data: folder.path + "/there", arguments: ["--config", LokiPushTests.config(folder)])
    let bench = try IngestBench(IngestClient.file(loki: "http://127.0.0.1:\(there.port)"))
    let here = try bench.start([
      "--set", "forwarding.loki.format=\(format)", "--set",
      "forwarding.loki.bearer_token=\(LokiPushTests.key)",
    ])
    let client = IngestClient(port: here.port)
    let more = #","trace_id":"0af7651916cd43dd","metadata":{"order":"O-1"}"#
    #expect(try client.ingest(IngestClient.entry(more: more), IngestClient.entry("zwei")).status == 202)
    let admin = IngestClient(port: here.port, token: IngestClient.admin)
    let flush = try admin.request("POST", "/v1/admin/flush", body: "{}")
    #expect(flush.status == 200 && flush.text.contains("\"entries_forwarded\":2"), "\(flush.text)")
    #expect(try client.request("GET", "/readyz").status == 200, "the other answers /ready")
    let groups = try LokiPushTests.count(there)
    #expect(
      groups.contains(#""service":"payments-api","level":"INFO","env":"prod","count":2"#), "\(groups)")
    #expect(here.stop() == 0 && there.stop() == 0)
    try Program.expectSound(folder.path + "/there", in: folder)
  }

  @Test func credentialsAndTenantsAreTold() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", arguments: ["--config", LokiPushTests.config(folder)])
    let body = #"{"streams":[{"stream":{"app":"web"},"values":[["1764504000000000000","hello"]]}]}"#
    let basic = Data("any:\(LokiPushTests.key)".utf8).base64EncodedString()
    let bearer = ["Authorization": "Bearer \(LokiPushTests.key)"]
    let cases: [([String: String], Int)] = [
      ([:], 401), (["Authorization": "Bearer nope"], 401), (["Authorization": "Basic !"], 401),
      (["Authorization": "Bearer reader-\(LokiPushTests.key)"], 403), (bearer, 204),
      (["Authorization": "Basic \(basic)"], 204),
      (bearer.merging(["X-Scope-OrgID": "shop"]) { $1 }, 204),
      (bearer.merging(["X-Scope-OrgID": "other"]) { $1 }, 403),
    ]
    for (headers, status) in cases {
      let answer = try HTTPConnection(port: server.port).request(
        "POST", "/loki/api/v1/push",
        headers: headers.merging(["Content-Type": "application/json; charset=utf-8"]) { $1 },
        body: Array(body.utf8))
      #expect(answer.status == status, "\(headers): \(answer.text)")
      #expect(status == 204 || answer.headers["content-type"] == "text/plain; charset=utf-8")
      #expect(answer.body.isEmpty == (status == 204))
    }
    #expect(try LokiPushTests.count(server).contains(#""count":3"#))
    let ready = try HTTPConnection(port: server.port).request("GET", "/ready")
    #expect(ready.status == 200 && ready.text == "ready\n", "without a key")
    #expect(server.stop() == 0)
  }

  @Test func whatWasSentOnceIsStoredOnceAndWhatIsWrongIsTold() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(
      data: folder.path + "/data", arguments: ["--config", LokiPushTests.config(folder)])
    func push(_ body: String, _ more: [String: String] = [:]) throws -> HTTPAnswer {
      try HTTPConnection(port: server.port).request(
        "POST", "/loki/api/v1/push",
        headers: [
          "Authorization": "Bearer \(LokiPushTests.key)", "Content-Type": "application/json",
        ].merging(more) { $1 },
        body: Array(body.utf8))
    }
    let long = String(repeating: "x", count: 1 << 20)
    let mixed =
      #"{"streams":[{"stream":{"app":"web"},"values":[["1764504000000000000","good"],"#
      + #"["1764504000000000001","\#(long)"]]}]}"#
    for replay in [false, true] {
      let answer = try push(mixed, ["Idempotency-Key": "k"])
      #expect(answer.status == 400)
      #expect(
        answer.text == "1 entries stored, 1 refused: the entry is larger than 1048576 bytes", "\(answer.text)"
      )
      #expect((answer.headers["idempotency-replayed"] == "true") == replay)
    }
    #expect(try push(#"{"streams":[]}"#).status == 422)
    #expect(
      try push(#"{"streams":[{"stream":{},"values":[[1764504000000000000,"x"]]}]}"#).status == 400)
    #expect(try push("{}", ["Content-Type": "application/x-protobuf"]).status == 400)
    #expect(try push("", ["Content-Type": "application/x-protobuf"]).status == 400)
    #expect(try LokiPushTests.count(server).contains(#""count":1"#))
    #expect(server.stop() == 0)
  }
}
