import Foundation
import Testing

extension ProcessSuite {
  /// The sessions API as its users meet it: the workflow, restarts, formats, users.
  @Suite struct SessionsTests {
    @Test func theWorkflowOfTheReadme() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data", arguments: ["--extra-port", "0"])
      #expect(server.ports.count == 2 && Set(server.ports).count == 2, "\(server.log)")
      for (index, port) in server.ports.enumerated() { try workflow(port: port, container: "app-\(index)") }
      #expect(server.stop() == 0)
      try Program.expectSound(folder.path + "/data", in: folder)
    }

    private func workflow(port: Int, container: String) throws {
      let login = try SessionsClient.login(port: port, user: "admin", password: "admin")
      #expect(login.status == 200)
      let issued = try login.object()
      #expect(Set(issued.keys) == ["token", "user_id", "expires_in_hours"])
      #expect(issued["user_id"] as? String == "admin" && issued["expires_in_hours"] as? Int == 24)
      let token = try #require(issued["token"] as? String)
      #expect(token.utf8.count == 43)
      let client = SessionsClient(port: port, token: token)

      let made = try client.post("/api/containers", ["container_id": container])
      #expect(made.status == 201)
      #expect(
        try made.object() as? [String: String] == [
          "container_id": container, "user_id": "admin", "message": "Container created successfully",
        ])
      let sessions = "/api/containers/\(container)/sessions"
      let opened = try client.post(sessions, ["session_id": "deploy"])
      #expect(opened.status == 201)
      #expect(
        try opened.object() as? [String: String] == [
          "session_id": "deploy", "container_id": container, "user_id": "admin",
          "message": "Session created successfully",
        ])
      let listed = try client.request("GET", sessions).object()
      #expect(Set(listed.keys) == ["container_id", "user_id", "sessions", "count"])
      #expect(listed["count"] as? Int == 1)

      let place = container + "/deploy"
      let rows = ["12:00:00+00:00", "12:00:01.500000+00:00", "12:00:02+00:00", "11:59:00+00:00"].enumerated()
        .map { SessionRow(timestamp: "2025-11-30T" + $1, level: "INFO", message: "step \($0)") }
      let written = try client.write(rows, to: place)
      #expect(written.status == 201)
      let receipt = try written.object()
      #expect(Set(receipt.keys) == ["container", "session", "message", "count"])
      #expect(receipt["count"] as? Int == 4 && receipt["message"] as? String == "Logs received")

      let all = try client.read(place)
      #expect(all.keys == ["container", "session", "filter", "logs", "total_rows", "files_scanned"])
      #expect(all.rows == rows, "in write order")
      #expect(all.json["total_rows"] as? Int == 4)
      #expect(all.json["files_scanned"] as? Int ?? 0 >= 1)
      let range = try client.read(
        place, "start_ts=2025-11-30T12:00:00Z&end_ts=2025-11-30T13:00:01.5%2B01:00")
      #expect(range.rows == Array(rows[0...1]), "both bounds are included")
      let filter = range.json["filter"] as? [String: String]
      #expect(filter == ["start_ts": "2025-11-30T12:00:00Z", "end_ts": "2025-11-30T13:00:01.5+01:00"])
      #expect(try client.read(place, "start_ts=2025-11-30T12:00:02").rows == [rows[2]], "without a zone: UTC")
      let none = try client.read(place, "start_ts=2026-01-01T00:00:00Z&end_ts=2025-01-01T00:00:00Z")
      #expect(none.rows.isEmpty && none.keys == all.keys && none.json["total_rows"] as? Int == 0)
      let streamed = try client.read(place, "stream=TRUE")
      #expect(streamed.keys == ["container", "session", "logs", "files_scanned"])
      #expect(streamed.isChunked && streamed.rows == rows)

      #expect(
        try client.request("POST", "/api/auth/logout").object()["message"] as? String
          == "Logged out successfully")
      let late = try client.request("GET", "/api/containers")
      #expect(late.status == 401 && late.error == "Invalid or expired token")
    }

    /// A session that nobody wrote to has the short answer, however much is stored in others.
    @Test(arguments: [false, true]) func aSessionNeverWrittenToAnswersShort(isArchived: Bool) throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let client = try SessionsClient(port: server.port)
      try client.make("app", "written")
      try client.make("app", "untouched")
      let short: Set = ["container", "session", "logs", "total_rows", "files_scanned"]
      for round in 0..<2 {
        for query in ["", "stream=true"] {
          let page = try client.read("app/untouched", query)
          #expect(page.keys == short, "round \(round), \(query)")
          #expect(page.json["files_scanned"] as? Int == 0, "round \(round), \(query)")
        }
        #expect(try client.write((0..<100).map { SessionRow(number: $0) }, to: "app/written").status == 201)
        if isArchived { try server.archive() }
      }
      #expect(server.stop() == 0)
    }

    @Test func restartsNeitherDoubleNorLoseRows() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let total = 130_001
      let place = "big/rows"
      var server = try ServerProcess(data: data)
      var client = try SessionsClient(port: server.port)
      try client.make("big", "rows")
      for start in stride(from: 0, to: total, by: 10_000) {
        let rows = (start..<min(start + 10_000, total)).map { SessionRow(number: $0) }
        #expect(try client.write(rows, to: place).status == 201)
        if [40_000, 80_000, 120_000].contains(start) { try server.archive() }
      }
      let first = try client.read(place)
      #expect(first.json["total_rows"] as? Int == total)
      #expect(first.rows == (0..<total).map { SessionRow(number: $0) })
      #expect(first.rowBytes.count > total * 80)
      for (round, isKilled) in [false, true, true, false].enumerated() {
        if isKilled { server.kill() } else { #expect(server.stop() == 0) }
        server = try ServerProcess(data: data)
        // The token lives on, too.
        client = SessionsClient(port: server.port, token: client.token)
        let answer = try client.request("GET", "/api/logs/\(place)")
        let page = SessionPage(
          body: answer.body, isChunked: true, json: [:], rows: [])
        #expect(answer.isComplete && page.rowBytes == first.rowBytes, "round \(round)")
        if round == 1 { try server.archive() }
      }
      #expect(try client.read(place, "stream=true").rows.count == total)
      #expect(server.stop() == 0)
      try Program.expectSound(data, in: folder)
    }

    @Test func aStopSignalCutsWhatIsOpenInTime() throws {
      let folder = try TemporaryFolder()
      let data = folder.path + "/data"
      let seconds = 3
      let server = try ServerProcess(data: data, arguments: ["--set", "server.shutdown_seconds=\(seconds)"])
      let client = try SessionsClient(port: server.port)
      try client.make("app", "large")
      try client.make("app", "busy")
      let padding = String(repeating: " filler", count: 100)
      for part in 0..<8 {
        let rows = (part * 5000..<(part + 1) * 5000).map { SessionRow(number: $0, padding: padding) }
        #expect(try client.write(rows, to: "app/large").status == 201)
      }
      // Left open: a connection without a request, half a head, half a body, and an answer nobody takes.
      let head = "HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer \(client.token)\r\n"
      let starts = [
        "", "GET /api/logs/app/large \(head)",
        "POST /api/logs/app/busy \(head)Content-Length: 1000\r\n\r\n{\"logs\":[{\"timestamp\":",
        "GET /api/logs/app/large \(head)\r\n", "GET /api/logs/app/large?stream=true \(head)\r\n",
      ]
      let open = try starts.map { start in
        let connection = try HTTPConnection(port: server.port)
        try connection.sendRaw(Array(start.utf8))
        return connection
      }
      let writer = Writer(SessionsClient(port: server.port, token: client.token), place: "app/busy")
      let group = DispatchGroup()
      group.enter()
      Thread {
        writer.run()
        group.leave()
      }.start()
      while try client.read("app/busy").rows.count < 200 {}
      let clock = ContinuousClock()
      let began = clock.now
      #expect(server.stop(withinSeconds: 60) == 0, "\(server.log)")
      let took = clock.now - began
      // One more second for a busy machine.
      #expect(took < .seconds(seconds + 1), "took \(took)")
      group.wait()
      #expect(open.count == starts.count)
      let next = try ServerProcess(data: data)
      let rows = try SessionsClient(port: next.port, token: client.token).read("app/busy").rows
      #expect(rows == (0..<rows.count).map { SessionRow(number: $0) })
      #expect(
        rows.count == writer.acknowledged || rows.count == writer.acknowledged + Writer.batch,
        "\(rows.count) rows, \(writer.acknowledged) acknowledged")
      #expect(next.stop() == 0)
      try Program.expectSound(data, in: folder)
    }

    /// Writes batches until the server goes away.
    private final class Writer: @unchecked Sendable {
      // Safe because: used by one thread, read after that thread was joined.
      static let batch = 10
      let client: SessionsClient
      let place: String
      var acknowledged = 0

      init(_ client: SessionsClient, place: String) {
        self.client = client
        self.place = place
      }

      func run() {
        while true {
          let rows = (acknowledged..<acknowledged + Writer.batch).map { SessionRow(number: $0) }
          // That the exchange fails is the end that is waited for.
          guard let answer = try? client.write(rows, to: place), answer.status == 201, answer.isComplete
          else {
            return
          }
          acknowledged += Writer.batch
        }
      }
    }

    /// A stop without load is no reason to complain in the log.
    @Test func aQuietStopLogsNoError() throws {
      let folder = try TemporaryFolder()
      for _ in 0..<3 {
        let server = try ServerProcess(data: folder.path + "/data")
        _ = try SessionsClient(port: server.port)
        #expect(server.stop() == 0)
        #expect(server.logs("\"stopped\""))
        let errors = server.log.split(separator: "\n").filter { $0.contains("\"level\":\"error\"") }
        #expect(errors.isEmpty, "\(errors)")
      }
    }

    static let formatScript = """
      import csv, io, json, sys, pyarrow as pa, pyarrow.csv as pc, pyarrow.parquet as pq
      kind, file = sys.argv[1:3]
      if kind == "ndjson":
        rows = [json.loads(line) for line in open(file, encoding="utf-8", newline="\\n")]
      elif kind == "csv":
        text = pa.string()
        names = ["timestamp", "level", "message", "container", "session"]
        rows = pc.read_csv(file, parse_options=pc.ParseOptions(newlines_in_values=True),
          convert_options=pc.ConvertOptions(column_types={n: text for n in names}, strings_can_be_null=True,
          null_values=[""], quoted_strings_can_be_null=False)).to_pylist()
      else:
        table = pa.ipc.open_stream(open(file, "rb")).read_all() if kind == "arrow" else pq.read_table(file)
        assert str(table.schema.field("timestamp").type).endswith("tz=UTC]"), table.schema
        table = table.set_column(0, "timestamp", table["timestamp"].cast(pa.timestamp("us", "UTC")))
        rows = [dict(r, timestamp=r["timestamp"].isoformat()) for r in table.to_pylist()]
      assert all(list(r) == ["timestamp", "level", "message", "container", "session"] for r in rows)
      print(json.dumps(rows))
      """

    @Test func everyFormatHasTheSameRows() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let client = try SessionsClient(port: server.port)
      try client.make("app", "mixed")
      try client.make("app", "other")
      let texts: [String?] = [
        "plain", "", nil, "né €\u{1F600} \u{2028}", "a,\"b\"\r\nc", "\t\\ \u{1} '", "null", " ",
      ]
      let times = ["2026-01-01T00:00:00", "1969-12-31T23:59:59.999999", "2026-06-30T12:00:00.000001"]
      let rows = (0..<600).map { n in
        SessionRow(
          timestamp: times[n % 3] + "+00:00", level: texts[n % 8], message: texts[n / 8 % 8])
      }
      // Half of them in a block, half in the head.
      #expect(try client.write(rows[..<300], to: "app/mixed").status == 201)
      #expect(try client.write(rows[..<10], to: "app/other").status == 201)
      try server.archive()
      #expect(try client.write(rows[300...], to: "app/mixed").status == 201)
      #expect(try client.read("app/mixed").rows == rows)
      let media = [
        "ndjson": "application/x-ndjson", "csv": "text/csv", "arrow": "application/vnd.apache.arrow.stream",
        "parquet": "application/vnd.apache.parquet",
      ]
      for (name, type) in media {
        let byName = try client.request("GET", "/api/logs/app/mixed?format=\(name)")
        let byHeader = try client.request("GET", "/api/logs/app/mixed", headers: ["Accept": type])
        for answer in [byName, byHeader] {
          #expect(answer.status == 200 && answer.isComplete, "\(name): \(answer.status)")
          #expect(answer.headers["content-type"]?.hasPrefix(type) == true, "\(name)")
          let file = folder.path + "/rows." + name
          try Data(answer.body).write(to: URL(fileURLWithPath: file))
          let text = try Tool.python(SessionsTests.formatScript, [name, file], in: folder)
          let found = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]] ?? []
          let read = found.map { row in
            SessionRow(
              timestamp: row["timestamp"] as? String ?? "", level: row["level"] as? String,
              message: row["message"] as? String)
          }
          #expect(read == rows, "\(name)")
          #expect(
            found.allSatisfy { $0["container"] as? String == "app" && $0["session"] as? String == "mixed" })
        }
      }
      let unacceptable = try client.request("GET", "/api/logs/app/mixed", headers: ["Accept": "image/png"])
      #expect(unacceptable.status == 406 && unacceptable.error != nil)
      #expect(server.stop() == 0)
    }

    @Test func usersDoNotSeeEachOther() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let admin = try SessionsClient(port: server.port)
      for name in ["bob", "carol"] { #expect(try admin.makeUser(name, name + "-pw").status == 201) }
      let bob = try SessionsClient(port: server.port, user: "bob", password: "bob-pw")
      let carol = try SessionsClient(port: server.port, user: "carol", password: "carol-pw")
      // Names that would collide if container and session were glued together.
      try bob.make("a_b", "c")
      try carol.make("a", "b_c")
      try carol.make("carols", "c")
      let bobs = (0..<50).map { SessionRow(number: $0, padding: " of bob") }
      let carols = (0..<70).map { SessionRow(number: $0, padding: " of carol") }
      for half in 0..<2 {
        #expect(try bob.write(bobs[(half * 25)..<(half * 25 + 25)], to: "a_b/c").status == 201)
        #expect(try carol.write(carols[(half * 35)..<(half * 35 + 35)], to: "a/b_c").status == 201)
        if half == 0 { try server.archive() }
      }
      #expect(try bob.read("a_b/c").rows == bobs)
      #expect(try carol.read("a/b_c").rows == carols)
      #expect(try carol.read("carols/c").rows.isEmpty)
      #expect(try names(bob) == ["a_b"] && names(carol) == ["a", "carols"] && names(admin) == [])
      for (stranger, others) in [
        (bob, ["a/b_c", "carols/c"]), (carol, ["a_b/c"]), (admin, ["a_b/c", "a/b_c"]),
      ] {
        for place in others { try expectNothing(of: place, for: stranger) }
      }
      #expect(try admin.request("GET", "/api/users").status == 200)
      for method in ["GET", "POST"] { #expect(try bob.request(method, "/api/users", body: []).status == 403) }
      // The open key of the native API has no part in it.
      #expect(
        try server.query(["dataset": "sessions", "measures": ["count"]]).first?["count"] as? Int ?? 0 == 0)
      #expect(server.stop() == 0)
    }

    private func names(_ client: SessionsClient) throws -> Set<String> {
      let answer = try client.request("GET", "/api/containers").object()
      let all = answer["containers"] as? [[String: String]] ?? []
      #expect(answer["count"] as? Int == all.count)
      return Set(all.compactMap { $0["container_id"] })
    }

    /// Whatever `stranger` tries there, the answer is that to a name which does not exist.
    private func expectNothing(of place: String, for stranger: SessionsClient) throws {
      let parts = place.split(separator: "/")
      let row = [SessionRow(number: 0).object]
      let body = [UInt8](try JSONSerialization.data(withJSONObject: ["logs": row, "session_id": "new"]))
      for method in ["GET", "POST"] {
        for (path, missing) in [
          ("/api/logs/\(place)", "/api/logs/no-such/none"),
          ("/api/logs/\(place)?stream=true", "/api/logs/no-such/none"),
          ("/api/logs/\(place)?format=csv", "/api/logs/\(parts[0])/none"),
          ("/api/containers/\(parts[0])/sessions", "/api/containers/no-such/sessions"),
        ] where method == "GET" || !path.contains("?") {
          for sent in method == "GET" ? [nil] : [body, Array("{".utf8), []] {
            let real = try stranger.request(method, path, body: sent)
            let unreal = try stranger.request(method, missing, body: sent)
            #expect(real.status == 403 && real.error != nil, "\(method) \(path): \(real.text)")
            #expect(real.text == unreal.text && Set(real.headers.keys) == Set(unreal.headers.keys), "\(path)")
          }
        }
      }
    }

    /// The recorded exchanges of this API's clients, if they lie beside the package.
    static let transcripts = Tool.root + "/../shared"

    @Test(
      .enabled(
        if: FileManager.default.fileExists(atPath: transcripts + "/contracts/replay_golden.py")
          && FileManager.default.fileExists(atPath: transcripts + "/golden")))
    func theTranscriptsReplay() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let admin = try SessionsClient(port: server.port)
      #expect(try admin.makeUser("bob", "bobpw").status == 201)
      let contracts = SessionsTests.transcripts + "/contracts"
      let replay = try Tool.run(
        [
          "python3", contracts + "/replay_golden.py", "000-arrow-parquet-logs", server.url, "--deviations",
          contracts + "/deviations.json",
        ], in: folder)
      #expect(replay.status == 0, "\(replay.text) \(replay.errors)")
      #expect(replay.text.contains(" passed, 0 failed"), "\(replay.text)")
      #expect(server.stop() == 0)
    }
  }
}
