import Foundation
import Testing

extension ProcessSuite {
  /// `cordwood import` of files as they lie there.
  @Suite struct ImportFormatsTests {
    private func write(_ text: String, _ path: String) throws {
      try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private func messages(_ service: String, on server: ServerProcess) throws -> [String] {
      try server.query([
        "dataset": "logs", "columns": ["message"], "where": ["eq": ["service", service]], "order": "asc",
        "limit": 1_000,
      ]).compactMap { $0["message"] as? String }
    }

    @Test func tracesAreOneRecordWithTheirTimeAndLevel() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let trace = "failed\njava.lang.X: no\n\tat a.B(B.java:1)\nCaused by: y"
      let path = folder.path + "/t.log"
      try write(
        "2025-11-30 10:00:00,100 ERROR [m] a.B: \(trace)\n2025-11-30 10:00:01,100 INFO [m] a.B: ok\n", path)
      let result = try Program.run(
        ["import", path, "--url", server.url, "--service", "t", "--zone", "Europe/Berlin"], in: folder)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try messages("t", on: server) == [trace, "ok"])
      let rows = try server.query([
        "dataset": "logs", "columns": ["timestamp", "level"], "order": "asc", "limit": 9,
      ])
      #expect(
        rows.map { $0["timestamp"] as? String } == ["2025-11-30T09:00:00.100Z", "2025-11-30T09:00:01.100Z"])
      #expect(rows.map { $0["level"] as? String } == ["ERROR", "INFO"])
      #expect(server.stop() == 0)
    }

    @Test func badLinesStopOrAreLeftOut() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let (path, rejects) = (folder.path + "/j.log", folder.path + "/rejects")
      try write(
        "{\"msg\":\"a\",\"lvl\":\"warn\"}\n{\"msg\":\n{\"msg\":\"b\",\"ts\":1764504000}\nplain\n", path)
      let stopped = try Program.run(["import", path, "--url", server.url, "--service", "j"], in: folder)
      #expect(stopped.status == 1)
      #expect(stopped.errors.contains("j.log, line 2: "), "\(stopped.errors)")
      #expect(try messages("j", on: server) == [])
      let skipped = try Program.run(
        ["import", path, "--url", server.url, "--service", "j", "--on-error", "skip", "--rejects", rejects],
        in: folder)
      #expect(skipped.status == 0)
      #expect(skipped.errors.contains("j.log: lines that could not be records: 1"), "\(skipped.errors)")
      // By their times: the first has none and is of now, the last has that of the line before.
      #expect(try messages("j", on: server) == ["b", "plain", "a"])
      #expect(try String(contentsOfFile: rejects, encoding: .utf8) == "{\"msg\":\n")
      let shown = try Program.run(["import", "--detect", path], in: folder)
      #expect(shown.text.contains("j.log: json\n"), "\(shown.text)")
      #expect(server.stop() == 0)
    }

    /// What the user says of his own lines, and files whose records are no lines.
    @Test func ownFormsAreRead() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      func run(_ arguments: [String]) throws -> Program.Result {
        try Program.run(["import"] + arguments + ["--url", server.url], in: folder)
      }
      let (lines, objects) = (folder.path + "/own.log", folder.path + "/o.json")
      try write("12#2025-11-30T12:00:00Z#warn#one\n  two\n13#2025-11-30T12:00:01Z#info#three\n", lines)
      let pattern = #"^(?<n>\d+)#(?<time>[^#]+)#(?<level>\w+)#(?<message>.*)"#
      let shown = try Program.run(["import", "--detect", lines, "--pattern", pattern], in: folder)
      #expect(shown.text.contains("own.log: pattern\n") && shown.text.contains(#""n":12"#), "\(shown.text)")
      for _ in 0..<2 {
        let result = try run([lines, "--pattern", pattern, "--service", "own"])
        #expect(result.status == 0, "\(result.errors)")
      }
      #expect(try messages("own", on: server) == ["one\n  two", "three"])
      try write(
        #"{"Records":[{"what":{"text":"a"},"at":1764504000},{"what":{"text":"b"},"at":"?"}]}"#,
        objects)
      let mapped = ["--map", "message=what.text", "--map", "timestamp=at", "--service", "map"]
      let refused = try run([objects] + mapped + ["--on-unreadable", "refuse"])
      #expect(refused.status == 1)
      #expect(refused.errors.contains("o.json, line 2: "), "\(refused.errors)")
      let result = try run([objects] + mapped)
      #expect(result.status == 0, "\(result.errors)")
      #expect(try messages("map", on: server) == ["a", "b"])
      try write(
        "__CURSOR=1\n__REALTIME_TIMESTAMP=1764504000000000\nSYSLOG_IDENTIFIER=j\nMESSAGE=x\n\n",
        folder.path + "/e")
      #expect(try run([folder.path + "/e"]).status == 0)
      #expect(try messages("j", on: server) == ["x"])
      // Records that are no lines: while they are written, cut off, through a pipe in pieces.
      let listed = folder.path + "/listed"
      try write("[{\"msg\":\"1\"},{\"msg\":\"2", listed)
      let waiting = try run([listed, "--service", "list"])
      #expect(waiting.status == 0 && waiting.errors.contains("has no end yet"), "\(waiting.errors)")
      try write("[{\"msg\":\"1\"},{\"msg\":\"2\"},{\"msg\":\"3\"}]\n", listed)
      #expect(try run([listed, "--service", "list"]).status == 0)
      #expect(try messages("list", on: server).sorted() == ["1", "2", "3"])
      let cut = folder.path + "/cut.export"
      try write("__CURSOR=1\nSYSLOG_IDENTIFIER=cut\nMESSAGE=a\n\n__CURSOR=2\nMESSAGE\n", cut)
      let hour = Date(timeIntervalSinceNow: -3_600)
      try FileManager.default.setAttributes([.modificationDate: hour], ofItemAtPath: cut)
      let broken = try run([cut])
      #expect(
        broken.status == 1 && broken.errors.contains("what lies before is imported"), "\(broken.errors)")
      #expect(try run([cut, "--on-error", "skip"]).status == 0)
      #expect(try messages("cut", on: server) == ["a"])
      let piped = try Program.run(
        ["import", "-", "--service", "pipe", "--url", server.url],
        input: "{\"Records\":[{\"msg\":\"x\"},{\"msg\":\"y\"}]}", in: folder)
      #expect(piped.status == 0, "\(piped.errors)")
      #expect(try messages("pipe", on: server).sorted() == ["x", "y"])
      let again = try run([lines, "--format", "timed", "--service", "own"])
      #expect(again.errors.contains("was imported as pattern, and stays so"), "\(again.errors)")
      for wrong in [
        ["--pattern", "(x)"], ["--map", "message=a,level=b"], ["--pattern", "(?<a>x)", "--map", "level=a"],
      ] { #expect(try run([lines] + wrong).status == 64, "\(wrong)") }
      for wrong in [
        ["--pattern", "(x)"], ["--pattern", "(?<a>x)", "--format", "json"], ["--map", "mesage=x"],
        ["--map", "level="],
        ["--map", "level=x", "--dataset", "audit"],
      ] { #expect(try run([lines] + wrong).status == 64, "\(wrong)") }
      #expect(server.stop() == 0)
    }

    /// Names of members are told in the request.
    @Test func requestsSayWhichMembersGiveColumns() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let object = #"{"what":{"text":"MARK"},"at":"1764504000","sev":"bad","who":"svc"}"#
      let query = "?message_field=what.text,note&timestamp_field=at&level_field=sev&service_field=who"
      for (path, body, type) in [
        ("/insert", object, "application/json"), ("/api/v2/logs", "[\(object)]", "application/json"),
        ("/_bulk", "{\"create\":{\"_index\":\"i\"}}\n\(object)\n", "application/x-ndjson"),
        ("/services/collector/event", #"{"event":\#(object)}"#, "application/json"),
      ] {
        let marked = body.replacingOccurrences(of: "MARK", with: path)
        let answer = try server.request(
          "POST", path + query, headers: ["Content-Type": type], body: marked)
        #expect(answer.status < 300, "\(path): \(answer.text)")
        let unread = marked.replacingOccurrences(of: "1764504000", with: "soon")
        let refused = try server.request(
          "POST", path + query + "&on_unreadable=refuse", headers: ["Content-Type": type], body: unread)
        #expect(refused.text.contains("the time cannot be read"), "\(path): \(refused.text)")
        let wrong = try server.request(
          "POST", path + "?message_field=a,,b", headers: ["Content-Type": type], body: marked)
        #expect(wrong.status == 400, "\(path): \(wrong.text)")
      }
      let rows = try server.query([
        "dataset": "logs", "columns": ["timestamp", "level", "message", "service"], "limit": 9,
      ])
      #expect(
        Set(rows.compactMap { $0["message"] as? String })
          == ["/insert", "/api/v2/logs", "/_bulk", "/services/collector/event"])
      for row in rows {
        #expect(row["timestamp"] as? String == "2025-11-30T12:00:00Z" && row["level"] as? String == "bad")
        #expect(row["service"] as? String == "svc", "\(row)")
      }
      #expect(server.stop() == 0)
    }

    /// Through renaming, truncation and kill -9 of the importer: each line once, in order.
    @Test func filesAreFollowed() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let path = folder.path + "/f.log"
      var expected: [String] = []
      func append(_ path: String, _ count: Int = 1) throws {
        for _ in 0..<count {
          expected.append("line \(expected.count)")
          let line = "2025-11-30 10:00:00 INFO \(expected[expected.count - 1])\n"
          if let handle = FileHandle(forWritingAtPath: path) {
            try handle.seekToEnd()
            try handle.write(contentsOf: Data(line.utf8))
            try handle.close()
          } else {
            try write(line, path)
          }
        }
      }
      func waitForAll() throws {
        let end = Date(timeIntervalSinceNow: 30)
        while try messages("f", on: server).count < expected.count, Date() < end { usleep(50_000) }
        #expect(try messages("f", on: server) == expected)
      }
      func start() throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: Program.path)
        process.arguments = ["import", "--follow", path, "--url", server.url, "--service", "f"]
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        return process
      }
      try append(path, 3)
      var follower = try start()
      try waitForAll()
      try append(path, 2)
      try waitForAll()
      try FileManager.default.moveItem(atPath: path, toPath: path + ".1")
      try append(path + ".1")
      try waitForAll()
      try append(path, 2)
      try waitForAll()
      kill(follower.processIdentifier, SIGKILL)
      follower.waitUntilExit()
      try append(path, 3)
      follower = try start()
      try waitForAll()
      truncate(path, 0)
      try append(path, 2)
      try waitForAll()
      kill(follower.processIdentifier, SIGKILL)
      follower.waitUntilExit()
      #expect(server.stop() == 0)
    }
  }
}
