import Foundation
import Testing

#if canImport(Glibc)
  import Glibc
#endif

extension ProcessSuite {
  /// Hostile and broken input against the real program: a clear error each, nothing stored, no crash.
  @Suite struct BadInputTests {
    static let cases: [(String, String, [String: String], String, Int)] = [
      ("broken JSON", "/v1/records/logs", [:], "{\"message\":\"a\"", 400),
      ("no JSON", "/v1/records/logs", [:], "hello", 400),
      ("empty body", "/v1/records/logs", [:], "", 400),
      ("an array of numbers", "/v1/records/logs", [:], "[1,2]", 400),
      ("wrong type", "/v1/records/logs", [:], "{\"message\":7}", 400),
      ("missing field", "/v1/records/logs", [:], "{\"level\":\"INFO\"}", 400),
      (
        "impossible date", "/v1/records/logs", [:],
        "{\"message\":\"a\",\"timestamp\":\"2026-02-30T00:00:00Z\"}", 400
      ),
      (
        "year 9999", "/v1/records/logs", [:], "{\"message\":\"a\",\"timestamp\":\"9999-01-01T00:00:00Z\"}",
        400
      ),
      ("NUL", "/v1/records/logs", [:], "{\"message\":\"a\\u0000b\"}", 400),
      ("lone surrogate", "/v1/records/logs", [:], "{\"message\":\"\\ud800\"}", 400),
      ("reserved column", "/v1/records/logs", [:], "{\"message\":\"a\",\"position\":1}", 400),
      (
        "nesting", "/v1/records/logs", [:],
        "{\"message\":\"a\",\"metadata\":" + String(repeating: "{\"a\":", count: 70) + "1"
          + String(repeating: "}", count: 70) + "}", 400
      ),
      ("unknown dataset", "/v1/records/nothing", [:], "{\"message\":\"a\"}", 404),
      ("unknown route", "/v1/nothing", [:], "{}", 404),
      ("media type", "/v1/records/logs", ["Content-Type": "image/png"], "{\"message\":\"a\"}", 415),
      ("not gzip", "/v1/records/logs", ["Content-Encoding": "gzip"], "{\"message\":\"a\"}", 400),
      ("coding", "/v1/records/logs", ["Content-Encoding": "br"], "{\"message\":\"a\"}", 415),
      ("query: no JSON", "/v1/query", [:], "x", 400),
      ("query: no dataset", "/v1/query", [:], "{}", 400),
      (
        "query: unknown column", "/v1/query", [:], "{\"dataset\":\"logs\",\"where\":{\"eq\":[\"nope\",1]}}",
        400
      ),
      ("query: absurd limit", "/v1/query", [:], "{\"dataset\":\"logs\",\"limit\":-1}", 400),
      ("query: huge limit", "/v1/query", [:], "{\"dataset\":\"logs\",\"limit\":99999999999999999999}", 400),
      (
        "query: broken pattern", "/v1/query", [:],
        "{\"dataset\":\"logs\",\"where\":{\"regex\":[\"message\",\"(\"]}}", 400
      ),
      ("query: cursor", "/v1/query", [:], "{\"dataset\":\"logs\",\"cursor\":\"AAAA\"}", 400),
    ]

    @Test func eachBadRequestIsRefusedAndChangesNothing() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      for (name, path, headers, body, status) in BadInputTests.cases {
        let type = path == "/v1/query" ? "application/json" : "application/x-ndjson"
        let all = ["Content-Type": type].merging(headers) { $1 }
        let answer = try server.request("POST", path, headers: all, body: body)
        #expect(answer.status == status, "\(name): \(answer.status) \(answer.text)")
        #expect(answer.headers["content-type"]?.hasPrefix("application/problem+json") == true, "\(name)")
      }
      let invalid = try HTTPConnection(port: server.port).request(
        "POST", "/v1/records/logs", headers: ["Content-Type": "application/x-ndjson"],
        body: Array("{\"message\":\"ok\"}\n{\"message\":\"".utf8) + [0xC3, 0x28] + Array("\"}".utf8))
      #expect(invalid.status == 400)
      #expect(invalid.text.contains("29") || invalid.text.contains("\"byte\""), "\(invalid.text)")
      #expect(try server.request("PUT", "/v1/query").status == 405)
      #expect(try server.query(["dataset": "logs", "measures": ["count"]])[0]["count"] as? Int == 0)
      #expect(server.stop() == 0)
    }

    @Test func bodiesOverTheLimitAndBombsAreRefused() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let connection = try HTTPConnection(port: server.port)
      try connection.sendRaw(
        Array(
          "POST /v1/records/logs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-ndjson\r\nContent-Length: 99999999999\r\n\r\n"
            .utf8))
      #expect(try connection.readAnswer().status == 413)
      // 1 GiB of spaces in 1 MiB of gzip.
      let bomb = folder.path + "/bomb.gz"
      let make = Process()
      make.executableURL = URL(fileURLWithPath: "/usr/bin/env")
      make.arguments = ["sh", "-c", "head -c 1073741824 /dev/zero | tr '\\0' ' ' | gzip -1 > \(bomb)"]
      try make.run()
      make.waitUntilExit()
      let answer = try HTTPConnection(port: server.port).request(
        "POST", "/v1/records/logs",
        headers: ["Content-Type": "application/x-ndjson", "Content-Encoding": "gzip"],
        body: [UInt8](try Data(contentsOf: URL(fileURLWithPath: bomb))))
      #expect(answer.status == 413, "\(answer.text)")
      let memory = try String(contentsOfFile: "/proc/\(server.processID)/status", encoding: .utf8)
      let anonymous = memory.split(separator: "\n").first { $0.hasPrefix("RssAnon") } ?? ""
      #expect((Int(anonymous.filter(\.isNumber)) ?? .max) < 400 * 1024, "\(anonymous)")
      #expect(server.stop() == 0)
    }

    @Test func brokenOffUploadsAndGarbageLeaveNothing() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      for half in [
        "POST /v1/records/logs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{\"message\":\"half",
        "POST /v1/records/logs HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n10\r\n{\"message\":\"ha",
        "GET / HTTP/1.1\r\nHo", "\u{16}\u{3}\u{1}garbage", "POST / HTTP/9.9\r\n\r\n",
      ] {
        let connection = try HTTPConnection(port: server.port)
        try connection.sendRaw(Array(half.utf8))
      }
      #expect(try server.request("GET", "/healthz").status == 200)
      #expect(try server.query(["dataset": "logs", "measures": ["count"]])[0]["count"] as? Int == 0)
      #expect(server.stop() == 0)
    }

    @Test func aClientThatStopsReadingHoldsNobodyUp() throws {
      let folder = try TemporaryFolder()
      let server = try ServerProcess(data: folder.path + "/data")
      let line = "{\"message\":\"" + String(repeating: "filler ", count: 100) + "\"}\n"
      for _ in 0..<20 {
        #expect(
          try server.request("POST", "/v1/records/logs", body: String(repeating: line, count: 2000)).status
            == 201)
      }
      var stalled: [HTTPConnection] = []
      for _ in 0..<8 {
        let connection = try HTTPConnection(port: server.port)
        let body = "{\"dataset\":\"logs\",\"limit\":1000000}"
        try connection.sendRaw(
          Array(
            "POST /v1/query HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)"
              .utf8))
        stalled.append(connection)
      }
      #expect(try server.query(["dataset": "logs", "measures": ["count"]])[0]["count"] as? Int == 40_000)
      #expect(try server.request("POST", "/v1/records/logs", body: line).status == 201)
      stalled.removeAll()
      #expect(server.stop() == 0)
    }

    /// A full file system: writes are refused with 507, reads go on, writes resume when space is back.
    @Test(.enabled(if: getuid() == 0, "mounting a small file system needs root"))
    func aFullDiskRefusesWritesAndRecovers() throws {
      let folder = try TemporaryFolder()
      let mount = folder.path + "/small"
      try FileManager.default.createDirectory(atPath: mount, withIntermediateDirectories: true)
      // No right to mount here (a container): nothing to test.
      guard shell("mount -t tmpfs -o size=160m tmpfs \(mount)") == 0 else { return }
      defer { _ = shell("umount -l \(mount)") }
      let server = try ServerProcess(
        data: mount + "/data",
        arguments: ["--set", "storage.write_reserve_bytes=1048576", "--set", "journal.segment_bytes=8388608"])
      let line = "{\"message\":\"" + String(repeating: "x", count: 1000) + "\"}\n"
      let body = String(repeating: line, count: 1000)
      var accepted = 0
      var status = 0
      for _ in 0..<400 {
        status = try server.request("POST", "/v1/records/logs", body: body).status
        if status != 201 { break }
        accepted += 1000
      }
      #expect(status == 507)
      let counted = try server.query(["dataset": "logs", "measures": ["count"]])
      #expect(counted[0]["count"] as? Int == accepted)
      #expect(shell("mount -o remount,size=400m \(mount)") == 0)
      #expect(try server.request("POST", "/v1/records/logs", body: line).status == 201)
      #expect(
        try server.query(["dataset": "logs", "measures": ["count"]])[0]["count"] as? Int == accepted + 1)
      #expect(server.stop() == 0)
    }

    private func shell(_ command: String) -> Int32 {
      let process = Process()
      process.executableURL = URL(fileURLWithPath: "/bin/sh")
      process.arguments = ["-c", command]
      guard (try? process.run()) != nil else { return -1 }  // no shell here
      process.waitUntilExit()
      return process.terminationStatus
    }
  }
}
