import Testing

/// Live streams of every API: who gets what, and what becomes of those who read slowly or leave.
@Suite(.serialized) struct LiveStreamTests {
  /// Received and dropped add up to written, and a note stands where the records are missing.
  @Test func aSlowSubscriberIsToldExactlyWhatItMissed() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["live.queue_messages_max=20", "server.stall_seconds=60"])
      slow = Socket(server.port, "/v1/tail/logs", receive_bytes=4096)
      events = Events(server.port, "/v1/tail/logs")
      text, written, results = "x" * 20_000, 0, {}

      def account(name, next_):
          received, dropped, missing, position = 0, 0, 0, 0
          while True:
              kind, data = next_()
              if kind == "dropped":
                  assert data["type"] == "dropped" and data["count"] > 0 and not missing, (data, missing)
                  missing = data["count"]
                  dropped += missing
                  continue
              assert data["position"] == position + missing, (data["position"], position, missing)
              position, missing = data["position"] + 1, 0
              received += 1
              if data["message"] == "end":
                  results[name] = received, dropped
                  return

      def message():
          data = slow.next()
          return data.get("type", "message"), data

      def most():
          return server.metric("cordwood_live_messages_dropped_total")

      while most() < 800:
          assert written < 20_000
          server.write([{"message": text}] * 25)
          written += 25
      before = server.memory()
      while most() < 1600:
          server.write([{"message": text}] * 25)
          written += 25
      assert server.memory() - before < 64 << 20, "what is left out takes no memory"
      threads = [
          threading.Thread(target=account, args=("frames", message)),
          threading.Thread(target=account, args=("events", events.next))]
      for thread in threads:
          thread.start()
      until(lambda: server.metric("cordwood_live_waiting_bytes") == 0, "taken")
      server.write([{"message": "end"}])
      for thread in threads:
          thread.join(20)
      assert len(results) == 2, "both came to the end"
      for received, dropped in results.values():
          assert received + dropped == written + 1 and dropped, results
      assert most() == sum(dropped for _, dropped in results.values()), results
      slow.close()
      events.close()
      server.stop()
      """#)
  }

  /// 1001 and a last event; the server is gone at once, and also when nobody answers.
  @Test func aStopTellsEveryStream() throws {
    try LiveScript.run(
      #"""
      server = Server()
      token = jwt("abc")
      paths = ["/ws/logs", "/ws/stream", "/v1/tail/logs", "/api/v1/logs/stream?token=" + token]
      streams, told = [Socket(server.port, path) for path in paths], []
      events = [Events(server.port, path) for path in paths]

      def listen(stream):
          told.append(stream.closing())
          stream.send(8, struct.pack(">H", 1001))
          stream.gone()

      def read(stream):
          kinds = []
          try:
              while True:
                  kinds.append(stream.next())
          except Closed as closed:
              assert closed.args == ("ended",), closed
              told.append(kinds[-1])
              stream.close()

      threads = [threading.Thread(target=listen, args=(stream,)) for stream in streams]
      threads += [threading.Thread(target=read, args=(stream,)) for stream in events]
      for thread in threads:
          thread.start()
      seconds = server.stop()
      for thread in threads:
          thread.join(60)
      # Nobody was waited for until server.shutdown_seconds (10) were over.
      assert seconds < 8, seconds
      closed = ("closed", {"type": "closed", "reason": "the server stops"})
      assert told.count((1001, "the server stops")) == 4 and told.count(closed) == 4, told
      server.start()
      mute = [Socket(server.port, path) for path in paths] + [Events(server.port, path) for path in paths]
      assert server.stop() < 8
      assert len(mute) == 8
      """#)
  }

  /// 2,000 of them, dropped in every way, then 1,100 that reset as soon as they have asked.
  @Test func connectionsThatComeAndGoLeaveNothing() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["server.heartbeat_seconds=1"])
      upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      upgrade += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
      events = "Accept: text/event-stream\r\n\r\n"
      paths = ["/ws/logs", "/ws/stream?user_id=u", "/v1/tail/logs?last=5", "/ws/stream"]
      before, generator, held = server.descriptors(), random.Random(7), []
      token = server.login("u")

      def ask(path, fields):
          client = socket.create_connection(("127.0.0.1", server.port))
          client.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n{fields}".encode())
          return client

      def reset(client):
          client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
          client.close()

      for number in range(2000):
          kind = generator.randrange(6)
          client = ask(generator.choice(paths), ["", events][kind] if kind < 2 else upgrade)
          if kind == 3:
              client.sendall(bytes([0x81, 0x84, 1, 2]))
          if kind == 4:
              client.shutdown(socket.SHUT_WR)
          if kind == 5:
              reset(client)
          elif generator.random() < 0.3:
              client.close()
          else:
              held.append(client)
          if number % 100 == 0:
              server.put(token, str(number))
              server.write([{"message": "x"}])
          while len(held) > 200:
              held.pop(generator.randrange(len(held))).close()
      for client in held:
          client.close()
      # The answer meets the reset in some of these, whatever the machine's pace.
      for number in range(600):
          client = ask("/ws/stream", upgrade)
          end = time.perf_counter() + number % 12 * 0.00003
          while time.perf_counter() < end:
              pass
          reset(client)
      for _ in range(10):
          clients = [ask("/ws/stream", "") for _ in range(50)]
          for client in clients:
              client.sendall(upgrade.encode())
          for client in clients:
              reset(client)
      until(lambda: server.subscribers() == 0, server.subscribers, 10)
      until(lambda: server.descriptors() <= before + 2, lambda: (before, server.descriptors()), 10)
      client = Socket(server.port, "/ws/stream")
      assert client.next(heartbeats=True)["active_connections"] == 1
      others = [Socket(server.port, "/ws/logs"), Events(server.port, "/ws/stream")]
      until(lambda: client.next(heartbeats=True)["active_connections"] == 3, "all three are counted")
      for other in others:
          other.close()
      until(lambda: client.next(heartbeats=True)["active_connections"] == 1, "and no longer")
      assert server.request("GET", "/healthz")["status"] == "alive"
      client.close()
      server.stop()
      """#)
  }

  /// First pages of long records: either few at a time or few bytes, whatever `limit` says.
  @Test func pagesThatNobodyReadsTakeBoundedMemory() throws {
    try LiveScript.run(
      #"""
      server = Server()
      token = server.login("alice")
      for _ in range(20):
          server.put(token, "x" * 1_000_000)
      before, streams = server.memory(), []
      for _ in range(20):
          client = socket.socket()
          client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
          client.connect(("127.0.0.1", server.port))
          head = "GET /ws/logs?limit=1000 HTTP/1.1\r\nHost: localhost\r\n"
          head += "Upgrade: websocket\r\nConnection: Upgrade\r\n"
          head += "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
          client.sendall(head.encode())
          assert client.recv(12) in (b"HTTP/1.1 101", b"HTTP/1.1 503")
          streams.append(client)
      grown = server.memory() - before
      assert grown < 400 << 20, f"{grown >> 20} MiB for {len(streams)} streams"
      for client in streams:
          client.close()
      until(lambda: server.subscribers() == 0, server.subscribers)
      server.stop()
      """#)
  }

  /// The one that reads gets everything, in order; those that do not are closed 1008 and say why.
  @Test func stalledClientsAreClosedAndHarmNobody() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["server.stall_seconds=1", "live.queue_messages_max=50"])
      good = Socket(server.port, "/v1/tail/logs")
      frames = Socket(server.port, "/v1/tail/logs", receive_bytes=4096)
      events = Events(server.port, "/v1/tail/logs")
      found, written, text = [], 0, "x" * 20_000

      def listen():
          try:
              while True:
                  found.append(good.next()["position"])
          except Closed:
              pass

      thread = threading.Thread(target=listen)
      thread.start()
      before = server.memory()
      while server.subscribers() > 1:
          assert written < 40_000, server.subscribers()
          server.write([{"message": text}] * 20)
          written += 20
          until(lambda: len(found) == written, lambda: (len(found), written))
      assert found == list(range(written))
      assert server.memory() - before < 128 << 20
      reason = "the client takes nothing (server.stall_seconds)"
      try:
          assert frames.closing() == (1008, reason)
      except ConnectionResetError:
          pass
      kinds = []
      try:
          while True:
              kinds.append(events.next())
      except Closed as closed:
          assert closed.args == ("ended",), closed
      assert kinds[-1] == ("closed", {"type": "closed", "reason": reason}), kinds[-1]
      frames.close()
      server.stop()
      thread.join()
      """#)
  }

  /// By tokens in header and query; one that expires and a key that is revoked end their streams.
  @Test func tenantsOfTheAuditAPIAreKeptApart() throws {
    try LiveScript.run(
      #"""
      server = Server()
      made = subprocess.run(
          [BINARY, "keys", "create", "k", "--realm", "native", "--tenant", "t", "--data-dir", server.data],
          capture_output=True, text=True, check=True).stdout.strip()
      native = {"Authorization": "Bearer " + made}
      row = '{"message":"x"}'
      until(lambda: server.ask("POST", "/v1/records/logs", row, native)[0] == 201, "the key works")
      path, now = "/api/v1/logs/stream", int(time.time())
      first = Socket(server.port, path, {"Authorization": "Bearer " + jwt("abc")})
      second = Socket(server.port, f"{path}?token={jwt('abc', role='viewer')}")
      theirs = Socket(server.port, f"{path}?token={jwt('xyz')}")
      errors = Socket(server.port, f"{path}?severity=ERROR&search=b.&token={jwt('abc')}")
      expiring = Socket(server.port, f"{path}?token={jwt('abc', exp=now + 2)}")
      events = Events(server.port, f"{path}?token={jwt('abc', exp=now + 2)}")
      keyed = Socket(server.port, "/v1/tail/logs", native)
      subprocess.run(
          [BINARY, "keys", "revoke", "k", "--data-dir", server.data], check=True, capture_output=True)
      for token in [
          "", "x", jwt("abc", exp=now - 1), jwt("abc", aud="x"), jwt("abc", nbf=now + 100),
          jwt("abc", sub=1), jwt("abc")[:-2] + "xx",
      ]:
          Socket(server.port, f"{path}?token={token}", expect=401)
      for fields in [{}, {"Authorization": "bearer " + jwt("abc")}]:
          Socket(server.port, path, fields, expect=401)
          Events(server.port, path, headers=fields, expect=401)
      for query, status in [("start=nope", 422), ("search=%5B", 400)]:
          Socket(server.port, f"{path}?{query}&token={jwt('abc')}", expect=status)

      def post(tenant, *actions, bulk=False):
          headers = {"Authorization": "Bearer " + jwt(tenant)}
          rows = [{
              "action": action, "resource_type": "user", "resource_id": "1",
              "severity": "ERROR" if action.endswith("!") else "INFO"} for action in actions]
          path = "/api/v1/logs" + ("/bulk" if bulk else "")
          server.request("POST", path, rows if bulk else rows[0], headers)

      post("abc", "one")
      post("xyz", "theirs b!")
      post("abc", "b1", "b2!", "c!", "b3!", bulk=True)
      for stream in first, second:
          assert [stream.next()["action"] for _ in range(5)] == ["one", "b1", "b2!", "c!", "b3!"]
          stream.send(1, b"ping")
          assert stream.next() == "pong"
      assert [errors.next()["action"] for _ in range(2)] == ["b2!", "b3!"]
      row = theirs.next()
      assert (row["action"], row["tenant_id"]) == ("theirs b!", "xyz")
      reason = "the token is no longer valid"
      assert expiring.closing() == (1008, reason) and time.time() >= now + 2
      assert keyed.closing() == (1008, reason)
      kinds = []
      try:
          while True:
              kinds.append(events.next())
      except Closed as closed:
          assert closed.args == ("ended",), closed
      assert kinds[-1] == ("closed", {"type": "closed", "reason": reason}), kinds
      for stream in first, second, theirs, errors, expiring, keyed:
          stream.close()
      server.stop()
      """#)
  }

  /// Beyond `live.subscribers_max` a stream is refused until another ends.
  @Test func thereAreSoManyAndNoMore() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["live.subscribers_max=3"])
      streams = [Socket(server.port, "/ws/stream"), Socket(server.port, "/ws/logs")]
      streams.append(Events(server.port, "/v1/tail/logs"))
      refused = Socket(server.port, "/ws/logs", expect=503)
      assert re.search("^Retry-After: [1-9]", refused.head, re.M), refused.head
      refused.close()
      Events(server.port, "/ws/stream", expect=503)
      streams.pop(0).close()
      until(lambda: server.subscribers() == 2, server.subscribers)
      streams.append(Socket(server.port, "/ws/stream"))
      server.put(server.login("alice"), "again")
      assert streams[-1].next()["query"] == "again"
      for stream in streams:
          stream.close()
      server.stop()
      """#)
  }

  /// 20 join while 8 write: the page and what follows are every record once, each writer's in order.
  @Test func whoeverJoinsAmongWritersHasAllOnce() throws {
    try LiveScript.run(
      #"""
      server = Server()
      tokens = [server.login(f"u{number}") for number in range(8)]
      done, failures, sizes = [], [], []

      def write(writer):
          connection = http.client.HTTPConnection("127.0.0.1", server.port)
          headers = {"Authorization": "Bearer " + tokens[writer], "Content-Type": "application/json"}
          for number in range(100):
              body = json.dumps({"query": f"{writer}-{number}", "status": "s"})
              connection.request("PUT", "/api/v1/logs", body, headers)
              answer = connection.getresponse()
              answer.read()
              assert answer.status == 200
              done.append(number)
          connection.close()

      def join(number):
          until(lambda: len(done) > number * 35, "its turn")
          users = range(8) if number % 4 else [number % 8]
          path = "/ws/logs?limit=1000" + ("" if number % 4 else f"&user_id=u{number % 8}")
          wanted = {f"{writer}-{n}" for writer in users for n in range(100)}
          if number % 2:
              stream = Socket(server.port, path)
              page, following = stream.next(), stream.next
          else:
              stream = Events(server.port, path)
              page, following = stream.next()[1], stream.record
          found = [row["query"] for row in page["logs"]][::-1]
          sizes.append(len(found))
          while len(found) < len(wanted):
              found.append(following()["query"])
          assert set(found) == wanted, "no gap, no double"
          for writer in users:
              own = [int(text.split("-")[1]) for text in found if text.startswith(f"{writer}-")]
              assert own == list(range(100)), own
          stream.close()

      def guarded(work, number):
          try:
              work(number)
          except BaseException as error:
              failures.append((number, repr(error)))

      threads = [threading.Thread(target=guarded, args=(write, n)) for n in range(8)]
      threads += [threading.Thread(target=guarded, args=(join, n)) for n in range(20)]
      for thread in threads:
          thread.start()
      for thread in threads:
          thread.join(60)
      assert not failures, failures
      assert len(sizes) == 20 and len(set(sizes)) > 5, ("they joined in between", sizes)
      until(lambda: server.subscribers() == 0, server.subscribers)
      server.stop()
      """#)
  }
}
