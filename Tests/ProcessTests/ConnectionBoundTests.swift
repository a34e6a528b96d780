import Testing

/// Connections beyond what the process can hold cost nobody but those who open them.
@Suite struct ConnectionBoundTests {
  /// Under `ulimit -n 200` 400 clients come: the process lives, files can still be opened, and those who were
  /// there first are served.
  @Test func connectionsLeaveDescriptorsForFiles() throws {
    try LiveScript.run(
      #"""
      limited = f"{FOLDER}/limited"
      with open(limited, "w") as text:
          text.write(f'#!/bin/sh\nulimit -n 200\nexec "{BINARY}" "$@"\n')
      os.chmod(limited, 0o755)
      BINARY = limited
      server = Server(sets=["journal.segment_bytes=1048576"])
      assert "server.connections_max is lowered to 150" in server.log(), server.log()
      first = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)

      def ask(method, path, body=None):
          first.request(method, path, body)
          answer = first.getresponse()
          return answer.status, answer.read()

      assert ask("GET", "/healthz")[0] == 200
      crowd = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(400)]
      refused = 0
      for client in crowd[-200:]:
          refused += client.recv(100).startswith(b"HTTP/1.1 503 ")
      assert refused == 200, refused
      # New segments are made meanwhile.
      for number in range(8):
          record = json.dumps({"level": "INFO", "message": f"{number} " + "x" * 500_000})
          status, text = ask("POST", "/v1/records/logs", record)
          assert status == 201, text
      assert len(os.listdir(f"/proc/{server.process.pid}/fd")) < 200
      for client in crowd:
          client.close()
      until(lambda: len(os.listdir(f"/proc/{server.process.pid}/fd")) < 100, "closed")
      assert ask("GET", "/readyz")[0] in (200, 503)
      server.stop()
      """#)
  }

  /// Connections over TLS count before their handshake, which they must not put off for ever.
  @Test func silentClientsOfTLSAreClosed() throws {
    try LiveScript.run(
      #"""
      subprocess.run(
          ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=first",
           "-keyout", f"{FOLDER}/k.pem", "-out", f"{FOLDER}/c.pem"], check=True, stderr=subprocess.DEVNULL)
      server = Server(sets=[
          "server.connections_max=2", f"server.tls_certificate={FOLDER}/c.pem",
          f"server.tls_key={FOLDER}/k.pem", "server.idle_seconds=4", "server.request_seconds=4"])
      held = lambda: len(os.listdir(f"/proc/{server.process.pid}/fd"))
      before = held()
      silent = [socket.create_connection(("127.0.0.1", server.port), timeout=60) for _ in range(2)]
      began = time.monotonic()
      until(lambda: held() >= before + 2, held)
      for _ in range(50):
          late = socket.create_connection(("127.0.0.1", server.port), timeout=60)
          try:
              assert late.recv(1) == b""
          except ConnectionResetError:
              pass
      assert time.monotonic() - began < 4, "closed for another reason"
      for client in silent:
          try:
              client.recv(100)
          except ConnectionResetError:
              pass
      context = ssl._create_unverified_context()
      client = http.client.HTTPSConnection("127.0.0.1", server.port, timeout=60, context=context)
      client.request("GET", "/healthz")
      assert client.getresponse().status == 200
      server.stop()
      """#)
  }
}
