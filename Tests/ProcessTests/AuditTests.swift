import Crypto
import Foundation
import Testing

/// Calls the audit API as somebody of a tenant.
struct AuditClient {
  let port: Int
  let token: String

  /// - Parameter secret: Of the legacy rule: the tenant's key is MD5 of its name and this.
  init(port: Int, tenant: String, user: String = "01", role: String? = "admin", secret: String = "secret")
    throws
  {
    self.port = port
    token = try AuditClient.token(
      ["sub": user, "tenant": tenant, "aud": "logserver", "iss": "issuer", "role": role].compactMapValues {
        $0
      },
      key: Insecure.MD5.hash(data: Data((tenant + secret).utf8)).map { String(format: "%02x", $0) }.joined())
  }

  static func token(_ claims: [String: Any], key: String) throws -> String {
    func encoded(_ bytes: some Sequence<UInt8>) -> String {
      Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-")
        .replacingOccurrences(of: "/", with: "_").replacingOccurrences(of: "=", with: "")
    }
    let signed =
      encoded(#"{"alg":"HS256","typ":"JWT"}"#.utf8) + "."
      + encoded(try JSONSerialization.data(withJSONObject: claims))
    let code = HMAC<SHA256>.authenticationCode(
      for: Data(signed.utf8), using: SymmetricKey(data: Data(key.utf8)))
    return signed + "." + encoded(code)
  }

  func request(_ method: String, _ path: String, body: String = "", headers: [String: String] = [:]) throws
    -> HTTPAnswer
  {
    var all = ["Authorization": "Bearer \(token)"].merging(headers) { $1 }
    if !body.isEmpty { all["Content-Type"] = "application/json" }
    return try HTTPConnection(port: port).request(method, path, headers: all, body: Array(body.utf8))
  }

  static func entry(_ action: String, severity: String = "INFO", time: String? = nil, more: String = "")
    -> String
  {
    let timestamp = time.map { ",\"timestamp\":\"\($0)\"" } ?? ""
    return
      "{\"action\":\"\(action)\",\"resource_type\":\"user\",\"resource_id\":\"7\",\"severity\":\"\(severity)\"\(timestamp)\(more)}"
  }

  func create(_ entry: String) throws -> [String: Any] {
    let answer = try request("POST", "/api/v1/logs", body: entry)
    guard answer.status == 200 else { throw WireError.malformed("\(answer.status) \(answer.text)") }
    return try answer.object()["data"] as? [String: Any] ?? [:]
  }

  func list(_ query: String = "") throws -> (entries: [[String: Any]], meta: [String: Int]) {
    let answer = try request("GET", "/api/v1/logs" + query)
    guard answer.status == 200 else { throw WireError.malformed("\(answer.status) \(answer.text)") }
    let object = try answer.object()
    return (object["data"] as? [[String: Any]] ?? [], object["meta"] as? [String: Int] ?? [:])
  }

  func stats() throws -> [String: Int] {
    try request("GET", "/api/v1/logs/stats").object()["data"] as? [String: Int] ?? [:]
  }
}

/// The audit API of the real program.
@Suite(.serialized) struct AuditTests {
  @Test func entriesAreStoredFoundListedAndCounted() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    #expect(try client.stats().isEmpty)
    #expect(try client.list().meta == ["total": 0, "page": 1, "size": 50, "pages": 0])
    let made = try client.create(
      AuditClient.entry(
        "update", severity: "WARNING", time: "2025-06-26T01:23:45.678Z",
        more:
          #","before":{"name":"Old","n":1.0},"metadata":{"deep":[{"source":"dash board"}]},"ip_address":"10.0.0.1""#
      ))
    #expect(made["user_id"] as? String == "01")
    #expect(made["tenant_id"] as? String == "abc")
    #expect(made["timestamp"] as? String == "2025-06-26T01:23:45.678000Z")
    #expect(made["user_agent"] is NSNull && made["after"] is NSNull)
    let id = try #require(made["id"] as? String)
    let list = (0..<30).map {
      AuditClient.entry(
        "a\($0)", severity: $0 % 3 == 0 ? "ERROR" : "INFO", time: "2026-01-01T00:00:\($0 + 10)Z")
    }
    let bulk = try client.request("POST", "/api/v1/logs/bulk", body: "[\(list.joined(separator: ","))]")
    #expect(bulk.status == 200)
    #expect(
      (try bulk.object()["data"] as? [[String: Any]])?.map { $0["action"] as? String }
        == (0..<30).map { "a\($0)" })

    for round in 0..<2 {
      let one = try client.request("GET", "/api/v1/logs/\(id.uppercased())")
      #expect(try one.object()["data"] as? NSDictionary == made as NSDictionary, "round \(round)")
      #expect(try client.stats() == ["ERROR": 10, "INFO": 20, "WARNING": 1])
      let first = try client.list("?size=4")
      #expect(first.entries.map { $0["action"] as? String } == ["a29", "a28", "a27", "a26"])
      #expect(first.meta == ["total": 31, "page": 1, "size": 4, "pages": 8])
      let third = try client.list("?size=4&page=3")
      #expect(third.entries.map { $0["action"] as? String } == ["a21", "a20", "a19", "a18"])
      let last = try client.list("?size=4&page=8")
      #expect(last.entries.map { $0["action"] as? String } == ["a1", "a0", "update"])
      for page in ["9", "999999999999", "9223372036854775807"] {
        #expect(try client.list("?page=\(page)&size=100").entries.isEmpty)
      }
      for (query, total) in [
        ("severity=ERROR", 10), ("action=a7", 1), ("action=nope", 0), ("search=A2.%24", 10),
        ("search=dash", 1),
        ("search=10%5C.0", 1), ("user_agent=x", 0), ("timestamp=2025-06-26", 1), ("start=2026-01-01", 30),
        ("end=2025-12-31", 1), ("start=2026-01-01T00:00:20Z&end=2026-01-01T00:00:21Z", 2),
        ("search=%28a%2B%29%2Bx", 0),
      ] {
        #expect(try client.list("?\(query)").meta["total"] == total, "\(query)")
      }
      try server.archive()
    }
    for path in ["/api/v1/logs/nope", "/api/v1/logs/00000000-0000-7000-8000-000000000000"] {
      let none = try client.request("GET", path)
      #expect(none.status == 404)
      #expect(none.text == #"{"code":404,"msg":"Log not found","data":null}"#)
    }
    let broken = try client.request("GET", "/api/v1/logs?search=%5B")
    #expect(broken.status == 400)
    #expect(server.stop() == 0)
    try Program.expectSound(folder.path + "/data", in: folder)
  }

  @Test func aBadEntryStoresNothing() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    let good = AuditClient.entry("x")
    for (path, body) in [
      ("/api/v1/logs", "{bad"), ("/api/v1/logs", ""), ("/api/v1/logs", "[\(good)]"), ("/api/v1/logs", "{}"),
      ("/api/v1/logs/bulk", "[\(good),{}]"), ("/api/v1/logs/bulk", good),
      ("/api/v1/logs/bulk", "[\(good),\(AuditClient.entry("x", severity: "DEBUG"))]"),
    ] {
      let answer = try client.request("POST", path, body: body)
      #expect(answer.status == 422, "\(path) \(body)")
      #expect(try answer.object()["msg"] as? String == "Validation error")
    }
    for query in ["page=0", "size=101", "page=x", "size=0", "start=nope"] {
      #expect(try client.request("GET", "/api/v1/logs?\(query)").status == 422, "\(query)")
    }
    #expect(try client.stats().isEmpty)
    #expect(server.stop() == 0)
  }

  @Test func exportsHaveEveryEntryInEveryFormat() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    let list = (0..<2_000).map {
      AuditClient.entry("a\($0)", more: #","metadata":{"n":\#($0),"t":"x,\"y\""}"#)
    }
    #expect(
      try client.request("POST", "/api/v1/logs/bulk", body: "[\(list.joined(separator: ","))]").status == 200)
    let viewer = try AuditClient(port: server.port, tenant: "abc", role: "viewer")
    #expect(try viewer.request("GET", "/api/v1/logs/export").status == 403)
    #expect(try viewer.request("DELETE", "/api/v1/logs/cleanup").status == 403)
    #expect(try viewer.request("GET", "/api/v1/tenants").status == 401)
    #expect(try viewer.create(AuditClient.entry("a2000"))["action"] as? String == "a2000")
    let auditor = try AuditClient(port: server.port, tenant: "abc", role: "auditor")
    let json = try auditor.request("GET", "/api/v1/logs/export")
    #expect(json.headers["content-disposition"]?.contains("attachment") == true)
    let entries = try JSONSerialization.jsonObject(with: Data(json.body)) as? [[String: Any]]
    #expect(Set((entries ?? []).compactMap { $0["action"] as? String }) == Set((0...2_000).map { "a\($0)" }))
    #expect(entries?.count == 2_001)
    let lines = try auditor.request("GET", "/api/v1/logs/export?format=ndjson&search=a19..")
    #expect(lines.body.split(separator: 10).count == 100)
    let csv = try auditor.request("GET", "/api/v1/logs/export?format=csv&action=a3")
    #expect(csv.text.split(separator: "\r\n").count == 2)
    #expect(try auditor.request("GET", "/api/v1/logs/export?format=xml").status == 400)
    #expect(server.stop() == 0)
  }

  /// The same entries in five forms: the same columns, times and values.
  @Test func exportsSayTheSameInEveryForm() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "t-é")
    let more = #","user_agent":"a,\"b\"","before":{"a":[1,2.50]},"metadata":{"x":"ü"}"#
    _ = try client.create(AuditClient.entry("a", time: "2026-01-02T03:04:05.123456789Z", more: more))
    _ = try client.create(AuditClient.entry("b", time: "1969-12-31T23:59:59.999999999Z"))
    for format in ["json", "ndjson", "csv", "arrow", "parquet"] {
      let answer = try client.request("GET", "/api/v1/logs/export?format=\(format)")
      #expect(answer.status == 200)
      try Data(answer.body).write(to: URL(fileURLWithPath: "\(folder.path)/export.\(format)"))
    }
    let found = try Tool.python(
      #"""
      import csv, json, sys
      import pyarrow as pa, pyarrow.parquet
      place = sys.argv[1] + "/export."

      def texts(table):
          rows = []
          for index in range(table.num_rows):
              row = []
              for name in table.schema.names:
                  value = table.column(name)[index]
                  if pa.types.is_timestamp(value.type):
                      assert value.value % 1000 == 0, value.value
                      value = value.cast(pa.timestamp("us", "UTC")).as_py().isoformat().replace("+00:00", "Z")
                  else:
                      value = value.as_py()
                  if isinstance(value, bytes):
                      value = value.hex()
                  row.append(value)
              rows.append(row)
          return [table.schema.names] + rows

      def objects(rows):
          return [list(rows[0])] + [list(row.values()) for row in rows]

      def plain(table):
          # Objects as JSON, nothing as an empty text, ids without dashes.
          return [[
              "" if cell is None else json.dumps(json.loads(cell)) if str(cell).startswith("{") else str(cell)
              for cell in (json.dumps(cell) if isinstance(cell, dict) else cell for cell in row)]
              for row in table]

      forms = {
          "json": objects(json.load(open(place + "json"))),
          "ndjson": objects([json.loads(line) for line in open(place + "ndjson")]),
          "csv": list(csv.reader(open(place + "csv", newline=""))),
          "arrow": texts(pa.ipc.open_stream(place + "arrow").read_all()),
          "parquet": texts(pa.parquet.read_table(place + "parquet"))}
      forms = {name: plain(table) for name, table in forms.items()}
      column = forms["json"][0].index("id")
      for table in forms.values():
          for row in table[1:]:
              row[column] = row[column].replace("-", "")
      for name, table in forms.items():
          assert table == forms["json"], (name, table, forms["json"])
      print(forms["json"][0][-1], forms["json"][1][-1], forms["json"][1][3], forms["json"][2][3])
      """#, [folder.path], in: folder)
    #expect(
      found == "tenant_id t-é 2026-01-02T03:04:05.123456Z 1969-12-31T23:59:59.999999Z\n", "\(found)")
    #expect(server.stop() == 0)
  }

  /// Ten digits are seconds; a date alone, as an end, is its whole day.
  @Test(arguments: [
    ("1767247200", 2), ("1767247200000", 2), ("1767247200.0", 2), ("2026-01-01T06:00:00Z", 2),
    ("2026-01-01", 4), ("2025-12-31", 0),
  ])
  func endsInSecondsAreMoments(_ end: String, _ count: Int) throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let client = try AuditClient(port: server.port, tenant: "abc")
    for hour in ["00", "06", "12", "18"] {
      _ = try client.create(AuditClient.entry(hour, time: "2026-01-01T\(hour):00:00Z"))
    }
    #expect(try client.list("?end=\(end)").entries.count == count)
    #expect(server.stop() == 0)
  }

  @Test func cleanupIsExactAndForGood() throws {
    let folder = try TemporaryFolder()
    var server = try ServerProcess(data: folder.path + "/data")
    var client = try AuditClient(port: server.port, tenant: "abc")
    let other = try AuditClient(port: server.port, tenant: "xyz")
    for index in 0..<20 {
      let entry = AuditClient.entry("a\(index)", time: "2025-01-\(index + 10)T00:00:00Z")
      _ = try client.create(entry)
      _ = try other.create(entry)
      if index == 9 { try server.archive() }
    }
    func deleted(_ query: String) throws -> Int? {
      let data =
        try client.request("DELETE", "/api/v1/logs/cleanup" + query).object()["data"] as? [String: Any]
      return data?["deleted_count"] as? Int
    }
    #expect(try deleted("") == 0, "nothing arrived 90 days ago")
    #expect(try deleted("?before=2025-01-25") == 15)
    #expect(try deleted("?before=2025-01-25") == 0)
    #expect(try client.request("DELETE", "/api/v1/logs/cleanup?older_than_days=x").status == 422)
    server.kill()
    server = try ServerProcess(data: folder.path + "/data")
    client = try AuditClient(port: server.port, tenant: "abc")
    #expect(
      try client.list().entries.map { $0["action"] as? String } == (15..<20).reversed().map { "a\($0)" })
    #expect(try deleted("?older_than_days=0") == 5)
    #expect(try client.stats().isEmpty)
    #expect(try AuditClient(port: server.port, tenant: "xyz").stats() == ["INFO": 20])
    #expect(server.stop() == 0)
    try Program.expectSound(folder.path + "/data", in: folder)
  }

  @Test func tenantsAndTheirSecrets() throws {
    let folder = try TemporaryFolder()
    let data = folder.path + "/data"
    var server = try ServerProcess(data: data, arguments: ["--set", "audit.legacy_tenant_keys=on"])
    let admin = try AuditClient(port: server.port, tenant: "root")
    let made = try admin.request("POST", "/api/v1/tenants", body: #"{"name":"Shop","key":"shop-1"}"#)
    #expect(made.status == 200)
    #expect((try made.object()["data"] as? [String: Any])?["secret"] is String)
    let twice = try admin.request("POST", "/api/v1/tenants", body: #"{"name":"Shop","key":"shop-1"}"#)
    #expect(twice.status == 400)
    let listed = try admin.request("GET", "/api/v1/tenants")
    let tenants = try listed.object()["data"] as? [[String: Any]]
    #expect(tenants?.map { $0["key"] as? String } == ["shop-1"])
    #expect(tenants?.allSatisfy { $0["secret"] is NSNull } == true, "shown once only")
    #expect(server.stop() == 0)
    server = try ServerProcess(data: data, arguments: ["--set", "audit.legacy_tenant_keys=off"])
    #expect(
      try AuditClient(port: server.port, tenant: "root").request("GET", "/api/v1/logs/stats").status == 401,
      "the rule is off")
    #expect(server.stop() == 0)
  }

  /// Exchanges whose expectation the decisions overrule: without a credential the shared rows answer clients
  /// of both APIs; an entry without addresses is taken (42), and so is the newest login (77, 78).
  static let replays: [(name: String, deviating: Set<Int>, environment: [String: String])] = [
    ("002-rxzcode-logserver", [2, 77, 78], [:]),
    (
      "003-central-logger", [8, 11, 56, 64],
      [
        "API_KEYS": #"{"test_key_123":"client_1","test_key_456":"client_2"}"#, "ENVIRONMENT": "production",
        "SERVICE_NAME": "central-logger",
      ]
    ),
  ]

  @Test(
    .enabled(if: FileManager.default.fileExists(atPath: Tool.root + "/../shared/golden")), arguments: replays)
  func theTranscriptsReplay(name: String, deviating: Set<Int>, environment: [String: String]) throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data", environment: environment)
    let contracts = Tool.root + "/../shared/contracts"
    let replay = try Tool.run(
      [
        "python3", contracts + "/replay_golden.py", name, server.url, "--deviations",
        contracts + "/deviations.json",
      ], in: folder)
    let failed = replay.text.split(separator: "\n").filter { $0.hasPrefix("FAIL ") }
      .compactMap { Int($0.split(separator: " ")[1]) }
    #expect(Set(failed) == deviating, "\(replay.text)")
    #expect(server.stop() == 0)
  }
}
