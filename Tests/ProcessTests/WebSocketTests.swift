import Testing

/// WebSockets by clients of others, and by one that breaks every rule of RFC 6455.
@Suite(.serialized) struct WebSocketTests {
  /// In one frame and in many fragments: 1009, and the rest is dropped.
  @Test func aHundredMegabytesTakeNoMemory() throws {
    try LiveScript.run(
      #"""
      server = Server()
      for head, piece in [
          (bytes([0x81, 0xFF]) + struct.pack(">Q", 100 << 20) + b"mask", b"x" * 65536),
          (b"\x01\x80mask", b"\x00\xff" + struct.pack(">Q", 65536) + b"mask" + b"x" * 65536),
      ]:
          client = Socket(server.port, "/ws/stream")
          client.socket.sendall(head)
          before, most = server.memory(), 0
          try:
              for number in range(1600):
                  client.socket.sendall(piece)
                  if number % 100 == 0:
                      most = max(most, server.memory())
          except (BrokenPipeError, ConnectionResetError):
              pass
          assert most - before < 16 << 20, (before, most)
          try:
              assert client.closing()[0] == 1009
          except ConnectionResetError:
              pass
          client.close()
      assert server.request("GET", "/healthz")["status"] == "alive"
      server.stop()
      """#)
  }

  /// RFC 6455, section by section; whoever breaks a rule is told which, and the connection ends.
  @Test func brokenFramesAreAnsweredWithTheirCode() throws {
    try LiveScript.run(
      #"""
      server = Server()
      audit = "/api/v1/logs/stream?token=" + jwt("abc")

      failures, threads = [], []

      def fails(*arguments):
          threads.append(threading.Thread(target=guarded, args=arguments))
          threads[-1].start()

      def guarded(*arguments):
          try:
              failing(*arguments)
          except BaseException as error:
              failures.append((arguments, repr(error)))

      def failing(expected, *frames):
          client = Socket(server.port, audit)
          for frame in frames:
              if isinstance(frame, bytes):
                  client.socket.sendall(frame)
              else:
                  client.send(frame[0], frame[1], **frame[2])
          code, reason = client.closing()
          assert code == expected and reason, (frames, code, reason)
          client.send(8, struct.pack(">H", code))
          client.gone()

      def frame(opcode, payload=b"", **more):
          return opcode, payload, more

      # 5.1: not masked. 5.2: reserved bits, opcodes, lengths.
      fails(1002, frame(1, b"ping", mask=False))
      fails(1002, frame(8, mask=False))
      for first in [0xC0, 0xA0, 0x90]:
          fails(1002, frame(1, b"ping", first=first))
      for opcode in [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]:
          fails(1002, frame(opcode, b"x"))
      fails(1009, frame(1, b"x" * 65537))
      fails(1009, bytes([0x81, 0xFF]) + struct.pack(">Q", 1 << 62))
      fails(1009, frame(1, b"x" * 65536, first=0), frame(0, b"x"))
      # 5.4: fragments. 5.5: control frames.
      fails(1002, frame(0, b"x"))
      fails(1002, frame(1, b"x", first=0), frame(1, b"y"))
      fails(1002, frame(9, b"x", first=0))
      fails(1002, frame(9, b"x" * 126))
      # 5.6: text only, and UTF-8.
      fails(1003, frame(2, b"x"))
      fails(1003, frame(2, b"x", first=0))
      fails(1007, frame(1, b"\xff\xfe"))
      fails(1007, frame(1, b"\xed\xa0\x80"))
      fails(1007, frame(1, b"\xc3", first=0), frame(0, b"x"))
      # 7.4: codes that are never sent.
      fails(1002, frame(8, b"x"))
      fails(1007, frame(8, b"\x03\xe8\xff"))
      for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535]:
          fails(1002, frame(8, struct.pack(">H", code)))
      for thread in threads:
          thread.join()
      assert not failures, failures
      for code in [1000, 1001, 1003, 1007, 1011, 3000, 4999]:
          client = Socket(server.port, audit)
          client.send(8, struct.pack(">H", code) + "tschüß".encode())
          assert client.closing()[0] == code
          client.gone()
      client = Socket(server.port, audit)
      client.send(8)
      assert client.closing()[0] in (1000, 1005)
      client.gone()
      client = Socket(server.port, audit)
      client.socket.shutdown(socket.SHUT_WR)
      client.gone()
      until(lambda: server.subscribers() == 0, server.subscribers)
      server.stop()
      """#)
  }

  /// And offers of other protocols are answered as if there were none.
  @Test func brokenHandshakesAreRefused() throws {
    try LiveScript.run(
      #"""
      server = Server()
      for path in ["/ws/stream", "/v1/tail/logs", "/api/v1/logs/stream?token=" + jwt("abc")]:
          for status, fields in [
              (400, {"Connection": "close"}), (400, {"Sec-WebSocket-Key": None}),
              (400, {"Sec-WebSocket-Key": "x"}), (400, {"Sec-WebSocket-Key": "a" * 24}),
              (400, {"Content-Length": "4"}), (400, {"Transfer-Encoding": "chunked"}),
              (426, {"Sec-WebSocket-Version": "8"}), (426, {"Sec-WebSocket-Version": None}),
              (426, {"Upgrade": None}), (426, {"Upgrade": "h2c"}),
          ]:
              client = Socket(server.port, path, fields, expect=status)
              if status == 426:
                  assert re.search("^Upgrade: websocket\r?$", client.head, re.I | re.M), client.head
              if "Sec-WebSocket-Version" in fields:
                  assert re.search("^Sec-WebSocket-Version: 13\r?$", client.head, re.I | re.M), client.head
              client.close()
      token = server.login("alice")
      settings = {"Upgrade": "h2c", "Connection": "Upgrade, HTTP2-Settings", "HTTP2-Settings": "AAMAAABkAAQ"}
      for fields in [settings, {"Upgrade": "foo/1, bar", "Connection": "upgrade"}]:
          assert server.request("GET", "/healthz", headers=fields)["status"] == "alive"
          body = {"query": "offered", "status": "x"}
          headers = {**fields, "Authorization": "Bearer " + token}
          made = server.request("PUT", "/api/v1/logs", body, headers)
          assert server.verify(made["id"])["verification"]["valid"] is True
      # A stream as events may be offered more, too.
      stream = Events(server.port, "/ws/stream", headers=settings)
      server.put(token, "as an event")
      assert stream.record()["query"] == "as an event"
      stream.close()
      for method in ["POST", "HEAD", "OPTIONS"]:
          status, _, fields = server.ask(method, "/ws/stream")
          assert status == 405 and fields["Allow"] == "GET", (method, status, fields["Allow"])
      server.stop()
      """#)
  }

  /// The two that are used most, beside ordinary requests on the same port.
  @Test func clientsOfPythonInTheClearAndOverTLS() throws {
    try LiveScript.run(
      #"""
      import urllib.request
      import websocket
      import websockets
      from websockets.sync.client import connect
      pem, key = FOLDER + "/server.pem", FOLDER + "/server.key"
      make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
      make += " -days 2 -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout"
      subprocess.run(make.split() + [key, "-out", pem], check=True, capture_output=True)
      trust = ssl.create_default_context(cafile=pem)
      servers = {"ws": Server("plain")}
      servers["wss"] = Server("secure", sets=["server.tls_certificate=" + pem, "server.tls_key=" + key])

      def call(scheme, method, path, body, token=None):
          headers = {"Content-Type": "application/json"}
          if token:
              headers["Authorization"] = "Bearer " + token
          url = f"{scheme.replace('ws', 'http')}://127.0.0.1:{servers[scheme].port}{path}"
          request = urllib.request.Request(url, json.dumps(body).encode(), headers, method=method)
          handlers = urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trust)
          return json.loads(urllib.request.build_opener(*handlers).open(request, timeout=20).read())

      for scheme, server in servers.items():
          url, options = f"{scheme}://127.0.0.1:{server.port}", {"proxy": None}
          if scheme == "wss":
              options["ssl"] = trust
          token = call(scheme, "POST", "/api/v1/login", {"user_id": "alice"})["access_token"]

          def put(text):
              call(scheme, "PUT", "/api/v1/logs", {"query": text, "status": "s"}, token)

          def older(path):
              return websocket.create_connection(
                  url + path, timeout=20, sslopt={"ca_certs": pem}, http_no_proxy=["*"])

          put("before ü")
          bearer = {"Authorization": "Bearer " + token}
          one = connect(url + "/ws/logs", additional_headers=bearer, legacy=True, **options)
          two = connect(url + "/ws/stream", subprotocols=[token], legacy=True, **options)
          three = older("/ws/logs?token=" + token)
          assert two.subprotocol == token
          for client in one, three:
              assert [row["query"] for row in json.loads(client.recv())["logs"]] == ["before ü"]
          for text in ["live ü", "x" * 200_000]:
              put(text)
              for client in one, two, three:
                  assert json.loads(client.recv())["query"] == text
          assert one.ping("x").wait(20)
          audit = older("/api/v1/logs/stream?token=" + jwt("abc"))
          audit.send("other")
          audit.ping("x")
          audit.send("ping")
          assert audit.recv() == "pong"
          for path, status in [("/ws/logs?limit=abc", 403), ("/api/v1/logs/stream", 401)]:
              try:
                  connect(url + path, legacy=True, **options)
                  raise AssertionError(path)
              except websockets.exceptions.InvalidStatus as error:
                  assert error.response.status_code == status
          two.close(3000, "bye")
          assert two.protocol.close_code == 3000
          three.close()
          audit.close()
          seconds = []
          thread = threading.Thread(target=lambda: seconds.append(server.stop()))
          thread.start()
          try:
              one.recv()
              raise AssertionError("it stops")
          except websockets.exceptions.ConnectionClosed as closed:
              assert (closed.rcvd.code, closed.rcvd.reason) == (1001, "the server stops")
          thread.join()
          assert seconds and seconds[0] < 8, (scheme, seconds)
      """#)
  }

  /// Fragments with a ping between, single bytes, what came with the handshake.
  @Test func messagesComeInAnyPieces() throws {
    try LiveScript.run(
      #"""
      server = Server()
      audit = "/api/v1/logs/stream?token=" + jwt("abc")
      ping = b"\x81\x84" + b"\1\2\3\4" + bytes(a ^ b for a, b in zip(b"ping", b"\1\2\3\4"))

      client = Socket(server.port, audit)
      client.send(1, b"pi", first=0)
      client.send(9, b"in between")
      client.send(0, b"", first=0)
      client.send(0, b"ng")
      assert client.frame() == (10, b"in between") and client.next() == "pong"
      client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
      for byte in ping:
          client.socket.sendall(bytes([byte]))
      assert client.next() == "pong"
      for text in [b"", b"PING", b"ping ", "nö".encode(), b"x" * 65536]:
          client.send(1, text)
      client.send(10, b"nobody asked")
      client.send(9, b"y" * 125)
      client.send(1, b"ping")
      assert client.frame() == (10, b"y" * 125) and client.next() == "pong"
      client.close()
      # Frames right behind the handshake, and the handshake behind another request.
      client = Socket(server.port, audit, behind=ping * 20)
      for _ in range(20):
          assert client.next() == "pong"
      client.close()
      key = "dGhlIHNhbXBsZSBub25jZQ=="
      head = f"GET {audit} HTTP/1.1\r\nHost: localhost\r\nUpgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\n"
      head = f"{head}Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
      data = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n" + head + ping * 3
      for cut in [len(data)] + list(range(len(data) - 3 * len(ping) - 6, len(data), 3)):
          raw = socket.create_connection(("127.0.0.1", server.port), timeout=20)
          raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
          raw.sendall(data[:cut])
          found = raw.recv(10)
          raw.sendall(data[cut:])
          while found.count(b"\x81\x04pong") < 3:
              piece = raw.recv(1 << 16)
              assert piece, found
              found += piece
          assert found.startswith(b"HTTP/1.1 200 ") and found.count(b"HTTP/1.1") == 2, found
          assert b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in found, "the example of RFC 6455"
          raw.close()
      until(lambda: server.subscribers() == 0, server.subscribers)
      server.stop()
      """#)
  }
}
