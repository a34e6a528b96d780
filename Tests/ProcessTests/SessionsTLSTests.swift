import Foundation
import Testing

extension ProcessSuite {
  /// The server with a certificate, which is changed while it runs.
  @Suite struct SessionsTLSTests {
    /// Makes `name.pem` and `name.key` in the folder.
    private func makeCertificate(_ name: String, in folder: TemporaryFolder) throws {
      let made = try Tool.run(
        [
          "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
          "-days", "2",
          "-subj", "/CN=\(name)", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
          "\(folder.path)/\(name).key",
          "-out", "\(folder.path)/\(name).pem",
        ], in: folder)
      #expect(made.status == 0, "\(made.errors)")
    }

    /// Puts copies of a certificate and its key where the server looks.
    private func use(_ name: String, in folder: TemporaryFolder) throws {
      for kind in ["key", "pem"] {
        let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name).\(kind)"))
        try bytes.write(to: URL(fileURLWithPath: "\(folder.path)/server.\(kind)"), options: .atomic)
      }
    }

    /// What curl gets that trusts the certificate `name` only; nil if it refuses the server's.
    private func curl(
      _ url: String, trusting name: String, _ arguments: [String] = [], in folder: TemporaryFolder
    ) throws -> String? {
      let result = try Tool.run(
        ["curl", "-sS", "--noproxy", "*", "--max-time", "30", "--cacert", "\(folder.path)/\(name).pem"]
          + arguments
          + [url], in: folder)
      // 60: the certificate does not verify.
      #expect(result.status == 0 || result.status == 60, "\(result.errors)")
      return result.status == 0 ? result.text : nil
    }

    @Test func certificatesAreServedAndReplaced() throws {
      let folder = try TemporaryFolder()
      for name in ["first", "second"] { try makeCertificate(name, in: folder) }
      try use("first", in: folder)
      let server = try ServerProcess(
        data: folder.path + "/data",
        arguments: [
          "--set", "server.tls_certificate=\(folder.path)/server.pem", "--set",
          "server.tls_key=\(folder.path)/server.key", "--extra-port", "0",
        ])
      for port in server.ports { #expect(server.log.contains("https://127.0.0.1:\(port)")) }
      #expect(!server.log.contains("listening on http://"))
      for port in server.ports { try workflow("https://127.0.0.1:\(port)", "app-\(port)", in: folder) }
      let url = "https://127.0.0.1:\(server.port)/healthz"
      #expect(try curl(url, trusting: "second", in: folder) == nil)
      // Without TLS there is no answer, and no harm.
      let plain = try? server.request("GET", "/healthz")  // a closed connection is what is expected
      #expect(plain == nil)

      try use("second", in: folder)
      #expect(try becomes { try curl(url, trusting: "second", in: folder) != nil }, "\(server.log)")
      #expect(try curl(url, trusting: "first", in: folder) == nil)

      try "-----BEGIN CERTIFICATE-----\ngarbage\n".write(
        toFile: folder.path + "/server.pem", atomically: true, encoding: .utf8)
      #expect(server.logs("the new TLS certificate is not used"), "\(server.log)")
      let reason =
        server.log.split(separator: "\n").last { $0.contains("the new TLS certificate is not used") } ?? ""
      #expect(reason.contains("\"level\":\"error\"") && reason.contains("server.pem"), "\(reason)")
      #expect(try curl(url, trusting: "second", in: folder) != nil, "the old one stays")
      #expect(server.stop() == 0)
      let key = try String(contentsOfFile: folder.path + "/first.key", encoding: .utf8).split(
        separator: "\n")[1]
      #expect(!server.log.contains(key))
    }

    private func workflow(_ url: String, _ container: String, in folder: TemporaryFolder) throws {
      func post(_ path: String, _ body: String, token: String? = nil) throws -> HTTPAnswer {
        var arguments = ["-H", "Content-Type: application/json", "--data-binary", body]
        if let token { arguments += ["-H", "Authorization: Bearer \(token)"] }
        let text = try #require(try curl(url + path, trusting: "first", arguments, in: folder))
        return HTTPAnswer(status: 200, headers: [:], body: Array(text.utf8), isComplete: true)
      }
      let login = try post("/api/auth/login", "{\"username\":\"admin\",\"password\":\"admin\"}")
      let token = try #require(try login.object()["token"] as? String)
      _ = try post("/api/containers", "{\"container_id\":\"\(container)\"}", token: token)
      _ = try post("/api/containers/\(container)/sessions", "{\"session_id\":\"s\"}", token: token)
      let row = "{\"timestamp\":\"2026-01-01T00:00:00Z\",\"level\":\"INFO\",\"message\":\"over TLS\"}"
      let written = try post("/api/logs/\(container)/s", "{\"logs\":[\(row)]}", token: token)
      #expect(try written.object()["count"] as? Int == 1, "\(written.text)")
      let read = try curl(
        "\(url)/api/logs/\(container)/s", trusting: "first", ["-H", "Authorization: Bearer \(token)"],
        in: folder)
      #expect(read?.contains("\"message\":\"over TLS\"") == true, "\(read ?? "")")
    }

    /// Asks until it is so; the server looks for new files every few seconds.
    private func becomes(_ condition: () throws -> Bool) throws -> Bool {
      let deadline = Date().addingTimeInterval(60)
      while Date() < deadline {
        if try condition() { return true }
        Thread.sleep(forTimeInterval: 0.1)
      }
      return false
    }

    /// A certificate without its key, and a key of another, stop the start with a sentence that names the
    /// file.
    @Test func aBrokenPairRefusesToStart() throws {
      let folder = try TemporaryFolder()
      for name in ["first", "second"] { try makeCertificate(name, in: folder) }
      let base = ["serve", "--data-dir", folder.path + "/data", "--port", "0"]
      for (certificate, key) in [
        ("first.pem", "second.key"), ("first.key", "first.key"), ("first.pem", "none.key"),
      ] {
        let result = try Program.run(
          base + [
            "--set", "server.tls_certificate=\(folder.path)/\(certificate)", "--set",
            "server.tls_key=\(folder.path)/\(key)",
          ], in: folder)
        #expect(result.status != 0 && result.errors.contains(key), "\(result.errors)")
      }
      let half = try Program.run(
        base + ["--set", "server.tls_certificate=\(folder.path)/first.pem"], in: folder)
      #expect(half.status != 0 && half.errors.contains("server.tls_key"), "\(half.errors)")
    }
  }
}
