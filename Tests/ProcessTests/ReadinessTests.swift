import Testing

/// `/readyz` and the log say what fails, what is true meanwhile, and what to do.
@Suite struct ReadinessTests {
  /// The folder of blocks is a file: seen before as a server that is ready and says nothing.
  @Test func failingArchivingIsSaid() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["archive.max_age_seconds=1", "health.disk_free_ratio=0"])
      client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

      def ask(method, path, body=None):
          client.request(method, path, body)
          answer = client.getresponse()
          return answer.status, answer.read().decode()

      blocks = f"{server.data}/blocks"
      for root, folders, files in os.walk(blocks, topdown=False):
          for name in files:
              os.remove(f"{root}/{name}")
          os.rmdir(root)
      with open(blocks, "w") as file:
          file.write("x")
      assert ask("POST", "/v1/records/logs", '{"level":"INFO","message":"a"}')[0] == 201
      until(lambda: "archiving of native/" in ask("GET", "/readyz")[1], server.log, seconds=60)
      status, text = ask("GET", "/readyz")
      assert status == 200 and "Nothing is lost" in text and "permissions" in text, text
      until(lambda: '"event":"failed"' in server.log() and '"work":"archiving"' in server.log(), server.log)
      os.remove(blocks)
      os.mkdir(blocks)
      until(lambda: "archiving" not in ask("GET", "/readyz")[1], server.log, seconds=60)
      server.stop()
      """#)
  }

  /// A reserve larger than the volume, as the default is on a small one: said at the start, and not ready.
  @Test func refusedWritesAreNotReady() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["storage.write_reserve_bytes=1152921504606846976", "health.disk_free_ratio=0"])
      assert "writes are refused from the start" in server.log(), server.log()
      client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
      for path in ("/readyz", "/healthz"):
          client.request("GET", path)
          answer = client.getresponse()
          text = answer.read().decode()
          assert answer.status == (503 if path == "/readyz" else 200), text
          if path == "/readyz":
              assert '"failed_checks":["wal"]' in text and "write_reserve_bytes" in text, text
      server.stop()
      """#)
  }

  /// 950 expressions of the largest size: refused after the first few, and for that one asker.
  @Test func largeFiltersAreRefused() throws {
    try LiveScript.run(
      #"""
      import urllib.parse
      server = Server()
      parts = ",".join(['{"regex":["message","a{999}"]}'] * 950)
      path = "/v1/tail/logs?where=" + urllib.parse.quote('{"or":[' + parts + "]}", safe='{}[]:,')
      client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
      client.request("GET", path, headers={"Accept": "text/event-stream"})
      answer = client.getresponse()
      text = answer.read()
      assert answer.status == 400 and b"too large together" in text, (answer.status, text)
      client.request("GET", "/healthz")
      assert client.getresponse().status == 200
      server.stop()
      """#)
  }
}
