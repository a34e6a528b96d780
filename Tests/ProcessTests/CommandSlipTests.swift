import Foundation
import Testing

/// Commands that were given something else than was meant, and what they say.
@Suite struct CommandSlipTests {
  @Test func listsMakeNoDatabase() throws {
    let folder = try TemporaryFolder()
    let place = folder.path + "/empty"
    try FileManager.default.createDirectory(atPath: place, withIntermediateDirectories: true)
    func files() throws -> [String] { try FileManager.default.contentsOfDirectory(atPath: place) }
    for command in [
      ["users", "list"], ["keys", "list"], ["keys", "revoke", "k"], ["users", "remove", "alice"],
      ["keys", "create", "k", "--realm", "native", "--tenant", "t"],
    ] {
      let run = try Program.run(command + ["--data-dir", place], in: folder)
      #expect(run.status == 1 && run.text.isEmpty, "\(command)")
      #expect(run.errors.contains("is no data directory"), "\(command): \(run.errors)")
      #expect(try files().isEmpty, "\(command)")
    }
    // Before the first start there is a word for it.
    let made = try Program.run(
      ["keys", "create", "k", "--create", "--realm", "native", "--tenant", "t", "--data-dir", place],
      in: folder)
    #expect(made.status == 0 && made.text.hasPrefix("cw_"), "\(made.errors)")
    let listed = try Program.run(["keys", "list", "--data-dir", place], in: folder)
    #expect(listed.status == 0 && listed.text.contains("native\tk\tt"), "\(listed.text)")
  }

  /// Who asks for a text gets the records that have it, wherever they do; `--level` is what a dataset has.
  @Test func filtersLookWherePeopleDo() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let audit = """
      {"user_id":"u","action":"login failed","resource_type":"timeouts","severity":"ERROR",
      "metadata":{"note":"nothing"}}
      """.replacing("\n", with: "")
    let workflow =
      #"{"environment":"production","ticket_id":"T-login","status":"FAILED","payload":{"a":"deep"}}"#
    #expect(try server.request("POST", "/v1/records/audit", body: audit).status == 201)
    #expect(try server.request("POST", "/v1/records/workflows", body: workflow).status == 201)
    for (dataset, flag, value, count) in [
      ("audit", "--contains", "login", "1"), ("audit", "--word", "login", "1"),
      ("audit", "--regex", "time", "1"),
      ("audit", "--contains", "nothing", "1"), ("audit", "--contains", "something", "0"),
      ("audit", "--level", "ERROR", "1"), ("audit", "--level", "INFO", "0"),
      ("workflows", "--contains", "login", "1"), ("workflows", "--contains", "deep", "1"),
      ("workflows", "--level", "FAILED", "1"), ("workflows", "--level", "ERROR", "0"),
      ("queries", "--level", "SUCCESS", "0"), ("logs", "--contains", "login", "0"),
    ] {
      let run = try Program.run(
        ["query", "--url", server.url, "--dataset", dataset, "--count", flag, value], in: folder)
      #expect(
        run.status == 0 && run.text == count + "\n", "\(dataset) \(flag) \(value): \(run.text)\(run.errors)")
    }
    let service = try Program.run(
      ["query", "--url", server.url, "--dataset", "audit", "--count", "--service", "x"], in: folder)
    #expect(service.status == 1 && service.errors.contains("--service: the dataset audit has no service"))
    #expect(server.stop() == 0)
  }

  @Test func networkErrorsAreWords() throws {
    try LiveScript.run(
      #"""
      def fails(url, words):
          run = subprocess.run(
              [BINARY, "query", "--count", "--url", url], capture_output=True, text=True, timeout=60)
          assert run.returncode == 1 and not run.stdout, run
          assert words in run.stderr, run.stderr
          for sign in ["NIO", "errno", "SSL", "error:", "Error", "("]:
              assert sign not in run.stderr, run.stderr

      fails("http://no-such-host.invalid:8000", "no address is known of the host no-such-host.invalid")
      with socket.socket() as free:
          free.bind(("127.0.0.1", 0))
          fails(f"http://127.0.0.1:{free.getsockname()[1]}", "connection refused")
      subprocess.run(
          ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=first",
           "-keyout", f"{FOLDER}/k.pem", "-out", f"{FOLDER}/c.pem"], check=True, stderr=subprocess.DEVNULL)
      server = Server(
          sets=[f"server.tls_certificate={FOLDER}/c.pem", f"server.tls_key={FOLDER}/k.pem"])
      fails(f"https://127.0.0.1:{server.port}", "is not trusted on this machine")
      server.stop()
      plain = Server("plain")
      fails(f"https://127.0.0.1:{plain.port}", "no TLS is spoken there; is it http://?")
      plain.stop()
      """#)
  }

  @Test func interruptsEndWith130() throws {
    try LiveScript.run(
      #"""
      server = Server()
      tail = subprocess.Popen(
          [BINARY, "tail", "--url", f"http://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True)
      until(lambda: server.subscribers() == 1, "it follows")
      tail.send_signal(2)
      assert tail.wait(20) == 130, tail.returncode
      server.process.send_signal(2)
      assert server.process.wait(20) == 130, server.log()
      assert "stopped" in server.log()
      server.start()
      server.stop()
      """#)
  }
}
