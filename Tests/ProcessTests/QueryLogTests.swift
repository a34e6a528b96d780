import Foundation
import Testing

/// The query-log API of the real program: seals, pages, who sees what.
@Suite(.serialized) struct QueryLogTests {
  /// Exchanges whose expectation the decisions overrule: credentials are checked before the body (21);
  /// unknown paths of no API answer RFC 9457 (31).
  @Test(.enabled(if: LiveScript.hasTranscripts)) func theTranscriptReplays() throws {
    let folder = try TemporaryFolder()
    let server = try ServerProcess(data: folder.path + "/data")
    let contracts = Tool.root + "/../shared/contracts"
    let replay = try Tool.run(
      [
        "python3", contracts + "/replay_golden.py", "001-hackodisha-log-api", server.url, "--deviations",
        contracts + "/deviations.json",
      ], in: folder)
    let failed = replay.text.split(separator: "\n").filter { $0.hasPrefix("FAIL ") }
      .compactMap { Int($0.split(separator: " ")[1]) }
    #expect(replay.status == 0 || replay.status == 1, "\(replay.errors)")
    #expect(replay.text.contains("32 passed"), "\(replay.text)")
    #expect(failed == [21], "\(replay.text)")
    #expect(server.stop() == 0)
  }

  /// The WebSockets of the transcripts, with what the decisions changed.
  @Test(.enabled(if: LiveScript.hasTranscripts)) func transcriptsOfStreamsReplay() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["server.heartbeat_seconds=1"])
      tokens, sockets, made = {}, {}, []
      time_form = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}"

      def shown(record):
          """What is the same in every run, of a record whose form is right."""
          assert list(record) == ["id", "user_id", "query", "status", "timestamp", "hash"], record
          texts = record["user_id"], record["query"], record["status"]
          assert record["hash"] == seal(*texts, record["timestamp"]), record
          assert re.fullmatch(time_form + r"\+00:00", record["timestamp"]), record
          return texts

      for line in open(sys.argv[3] + "/001-hackodisha-log-api.jsonl"):
          exchange = json.loads(line)
          number, asked, answer = exchange["n"], exchange["request"], exchange["response"]
          path, body = asked["path"], answer["body"]
          if path == "/api/v1/login" and answer["status"] == 200:
              tokens[body["access_token"]] = server.login(asked["body"]["user_id"])
          elif asked["method"] == "PUT" and answer["status"] == 200:
              token = asked["headers"]["Authorization"].split()[1]
              made.append(server.put(tokens[token], asked["body"]["query"], asked["body"]["status"]))
              assert list(made[-1]) == list(body), (number, made[-1])
          elif asked["method"] == "WS" and answer["status"] != 101:
              Socket(server.port, path, expect=answer["status"])
          elif asked["method"] == "WS":
              if path not in sockets:
                  sockets[path] = Socket(server.port, path)
              user = re.search(r"user_id=(\w+)", path)
              for expected in body:
                  kind = expected.get("type")
                  # Sent no more: once is enough, and a stream's filter is kept.
                  if kind == "initial_logs":
                      continue
                  if user and expected.get("user_id", user.group(1)) != user.group(1):
                      continue
                  found = sockets[path].next(heartbeats=kind == "heartbeat")
                  assert found.get("type") == kind and list(found) == list(expected), (number, found)
                  if kind == "logs_response":
                      # The original takes 0 for all, and counts from the end below it.
                      limit = max(0, expected["limit"])
                      rows = expected["logs"] if limit else []
                      rows = [(row["user_id"], row["query"], row["status"]) for row in rows]
                      assert [shown(row) for row in found["logs"]] == rows, (number, found)
                      head = [found[name] for name in ("user_filter", "limit", "offset", "count")]
                      wanted = [expected["user_filter"], limit, expected["offset"], len(rows)]
                      assert head == wanted, (number, head)
                  elif kind == "heartbeat":
                      assert re.fullmatch(time_form, found["timestamp"]), found
                  else:
                      texts = expected["user_id"], expected["query"], expected["status"]
                      assert shown(found) == texts, number
      assert [r["query"] for r in made][-2:] == ["by other", "live"]
      first = sockets["/ws/logs?user_id=your_user_id&limit=2&offset=1"].next()
      assert first["query"] == "live" and first["id"] == made[-1]["id"], "of other users there was nothing"

      subscribers = []
      for line in open(sys.argv[3] + "/002-rxzcode-logserver-stream.jsonl"):
          exchange = json.loads(line)
          asked, body = exchange["request"], exchange["response"]["body"]
          if asked["method"] == "POST":
              if not subscribers:
                  headers = {"Authorization": asked["headers"]["Authorization"]}
                  token = headers["Authorization"].split()[1]
                  subscribers = [Socket(server.port, "/api/v1/logs/stream?token=" + token)]
                  subscribers += [Socket(server.port, "/api/v1/logs/stream", headers)]
                  turns = [0]
              posted = server.request("POST", asked["path"], asked["body"], asked["headers"])["data"]
              turns = [0, 1]
          elif body:
              assert turns, "two listen"
              stream = subscribers[turns.pop(0)]
              for expected in body:
                  found = stream.next()
                  assert list(found) == list(expected), (found, expected)
                  for name in expected:
                      if name not in ("id", "timestamp"):
                          assert found[name] == expected[name], (name, found)
                  # The client's own, in bulk too.
                  assert found["timestamp"] == "2025-06-26T01:23:45.678000+00:00"
      assert exchange["n"] == 7 and not body
      for stream in subscribers:
          stream.send(1, b"ping")
          while True:
              found = stream.next()
              if found == "pong":
                  break
              assert found["tenant_id"] == "abc", "nothing of the other tenant"
      for stream in subscribers + list(sockets.values()):
          stream.close()
      server.stop()
      """#)
  }

  /// Byte after byte, in a running server and across starts: never a wrong word, never the server's end.
  @Test func aByteChangedInABlockIsFound() throws {
    try LiveScript.run(
      #"""
      server = Server()
      token = server.login("alice")
      quiet = [server.put(token, f"quiet {n}") for n in range(5)]
      server.archive()
      records = [server.put(token, f"a sentence {random.random()} of {n}") for n in range(40)]
      server.archive()
      path = files(server, ".parquet")[-1]
      with open(path, "rb") as file:
          right = file.read()

      def change(at, bits):
          with open(path, "r+b") as file:
              file.seek(at)
              file.write(bytes([right[at] ^ bits]))

      counts = {True: 0, False: 0}
      for at in range(0, len(right), 29):
          change(at, 1 << random.randrange(8))
          record = records[at % len(records)]
          status, text, _ = server.ask("GET", "/api/v1/verify/" + record["id"])
          isFine = status == 200 and json.loads(text)["verification"]["valid"]
          if not isFine:
              damaged(server, record)
          counts[isFine] += 1
          change(at, 0)
      assert counts[False] > 50, counts
      for record in quiet + records:
          assert server.verify(record["id"])["verification"]["valid"] is True
      assert str(path) in server.log(), "the log says which file"
      for at in random.sample(range(len(right)), 6):
          server.kill()
          change(at, 4)
          server.start()
          for record in records[:3]:
              status, text, _ = server.ask("GET", "/api/v1/verify/" + record["id"])
              if status != 200 or not json.loads(text)["verification"]["valid"]:
                  damaged(server, record)
          assert server.request("GET", "/healthz")["status"] == "alive"
          change(at, 0)
      server.stop()
      """#)
  }

  /// In the segment of a running server, also once the changed record was archived.
  @Test func aByteChangedInTheJournalIsFound() throws {
    try LiveScript.run(
      #"""
      server = Server()
      token = server.login("alice")
      def pause():
          began = time.time_ns() // 1_000_000
          until(lambda: time.time_ns() // 1_000_000 > began, "a millisecond")

      before = [server.put(token, f"quiet {n}") for n in range(5)]
      # An id names a millisecond: what came in the victim's may lie in its frame, for all that is known.
      pause()
      victim = server.put(token, "what was really asked")
      pause()
      after = server.put(token, "its neighbour")
      assert sum(flip(file, "what was really asked") for file in files(server, ".seg")) == 1
      for _ in range(2):
          damaged(server, victim)
          for record in before + [after]:
              assert server.verify(record["id"])["verification"]["valid"] is True
          assert server.request("GET", "/healthz")["status"] == "alive"
          server.ask("POST", "/v1/admin/flush", '{"archive":true}', {"Content-Type": "application/json"})
      server.stop()
      """#)
  }

  /// Somebody is removed, and another takes the name before anybody used the old token again.
  @Test func aNewUserOfTheSameNameHasNoOldToken() throws {
    try LiveScript.run(
      #"""
      server = Server(
          sets=["environment=production", "querylog.secret=0123456789abcdef0123456789abcdef"],
          environment={"CORDWOOD_ADMIN_PASSWORD": "correct horse battery"})

      def users(*arguments, password=None):
          command = [BINARY, "users", *arguments, "--data-dir", server.data]
          subprocess.run(command, input=password, check=True, capture_output=True, text=True)

      def knows(password):
          body = {"user_id": "alice", "password": password}
          return server.ask("POST", "/api/v1/login", body)[0] == 200

      users("add", "alice", "--password-stdin", password="the first alice's\n")
      until(lambda: knows("the first alice's"), "the first is there")
      token = server.login("alice", "the first alice's")
      users("remove", "alice")
      users("add", "alice", "--password-stdin", password="the second alice's\n")
      until(lambda: knows("the second alice's"), "the second is there")
      headers, body = {"Authorization": "Bearer " + token}, {"query": "x", "status": "y"}
      assert server.ask("PUT", "/api/v1/logs", body, headers)[0] == 401, "the first one's token is dead"
      Socket(server.port, "/ws/stream?token=" + token, expect=401)
      server.stop()
      """#)
  }

  /// As all other tokens of the user.
  @Test func aPasswordThatIsChangedEndsItsTokens() throws {
    try LiveScript.run(
      #"""
      old, new = "correct horse battery", "another horse battery"
      server = Server(
          sets=["environment=production", "querylog.secret=0123456789abcdef0123456789abcdef"],
          environment={"CORDWOOD_ADMIN_PASSWORD": old})
      token = server.login("admin", old)
      login = {"username": "admin", "password": old}
      session = {"Authorization": "Bearer " + server.request("POST", "/api/auth/login", login)["token"]}
      stream = Socket(server.port, "/ws/stream?token=" + token, timeout=60)
      change = {"current_password": old, "new_password": new}
      server.request("POST", "/api/users/me/password", change, session)
      body = {"query": "x", "status": "y"}
      headers = {"Authorization": "Bearer " + token}
      assert server.ask("PUT", "/api/v1/logs", body, headers)[0] == 401, "the old password's token is dead"
      assert stream.closing() == (1008, "the token is no longer valid")
      stream.close()
      server.put(server.login("admin", new), "x")
      server.stop()
      """#)
  }

  /// Hash and token are what the contract says: from the head, from blocks, after stops and crashes.
  @Test func entriesAreSealedAndVerifiedForGood() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["archive.max_age_seconds=1"])
      records = []

      def check():
          for record in records:
              assert record["hash"] == seal("alice", record["query"], record["status"], record["timestamp"])
              text = f"{record['id']}|{record['hash']}".encode()
              token = hmac.new(SECRET.encode(), text, hashlib.sha256).hexdigest()
              assert server.verify(record["id"]) == {"log_id": record["id"], "verification": {
                  "valid": True, "verification_token": token, "error": None}}

      def write():
          token = server.login("alice")
          for text in ["select 1", "", "a|b", "ünï \u0001 \"q\"\n", "x" * 20_000]:
              records.append(server.put(token, text, random.choice(["", "SUCCESS", "|"])))

      write(); check()
      server.archive(); check()
      write(); server.restart(hard=True); check()
      for _ in range(6):
          write(); server.archive()
      check()
      write(); server.restart(); check()
      for other in ["nope", "00000000-0000-7000-8000-000000000000", "%2e%2e%2f", records[0]["id"] + "0"]:
          assert server.verify(other, expect=404) == {"detail": "Log entry not found"}
      upper = records[0]["id"].upper()
      assert server.verify(upper)["verification"]["valid"] is True
      server.stop()
      """#)
  }

  /// Passwords and tokens are needed, by header, query or sub-protocol; only administrators see all.
  @Test func inProductionEverybodySeesTheirOwn() throws {
    try LiveScript.run(
      #"""
      secret, password = "0123456789abcdef0123456789abcdef", "correct horse battery"
      server = Server(
          sets=["environment=production", "querylog.secret=" + secret],
          environment={"CORDWOOD_ADMIN_PASSWORD": password})
      for user, given in [("admin", None), ("admin", "x"), ("nobody", "x")]:
          body = {"user_id": user, **({"password": given} if given else {})}
          refusal = server.request("POST", "/api/v1/login", body, expect=401)
          assert refusal == {"detail": "Invalid credentials"}
      admin = server.login("admin", password)
      login = {"username": "admin", "password": password}
      session = server.request("POST", "/api/auth/login", login)["token"]
      user = {"username": "alice", "password": "alice's password"}
      server.request("POST", "/api/users", user, {"Authorization": "Bearer " + session}, expect=201)
      alice = server.login("alice", "alice's password")
      for path in ["/ws/logs", "/ws/stream"]:
          for more in ["", "?token=", "?token=x", "?token=" + session]:
              Socket(server.port, path + more, expect=401)
          for value in ["Bearer x", "Basic x", "Bearer", "", alice, "Bearer " + session]:
              Socket(server.port, path, {"Authorization": value}, expect=401)
          Socket(server.port, path, {"Sec-WebSocket-Protocol": "x"}, expect=401)
          # The header wins.
          Socket(server.port, f"{path}?token={alice}", {"Authorization": "Bearer x"}, expect=401)
          Events(server.port, path, expect=401)
      mine = server.put(alice, "by alice")
      server.put(admin, "by admin")
      assert mine["hash"] == seal("alice", "by alice", "SUCCESS", mine["timestamp"], secret)
      ways = [
          lambda token, path: Socket(server.port, path, {"Authorization": "bearer " + token}),
          lambda token, path: Socket(server.port, f"{path}&token={token}"),
          lambda token, path: Socket(server.port, path, {"Sec-WebSocket-Protocol": token + ", other"})]
      streams = []
      for number, way in enumerate(ways):
          own, all_ = way(alice, "/ws/logs?limit=100"), way(admin, "/ws/logs?limit=100")
          others, hers = way(alice, "/ws/logs?user_id=admin"), way(admin, "/ws/logs?user_id=alice")
          agreed = re.search(r"Sec-WebSocket-Protocol: (.*)", own.head, re.I)
          assert (agreed.group(1).strip() if agreed else None) == (alice if number == 2 else None)
          texts = [[x["query"] for x in s.next()["logs"]] for s in (own, all_, others, hers)]
          assert texts == [["by alice"], ["by admin", "by alice"], [], ["by alice"]], texts
          streams.append((own, all_, others, hers))
      server.put(admin, "live by admin")
      server.put(alice, "live by alice")
      for own, all_, others, hers in streams:
          assert own.next()["query"] == hers.next()["query"] == "live by alice"
          assert [all_.next()["query"] for _ in range(2)] == ["live by admin", "live by alice"]
      seen = Events(server.port, "/ws/logs", headers={"Authorization": "Bearer " + admin})
      assert seen.next()[1]["count"] == 4
      server.put(admin, "not for alice")
      assert seen.record()["query"] == "not for alice"
      mark = seen.id
      server.put(admin, "nor this")
      server.put(alice, "for her")
      resumed = Events(server.port, "/ws/logs", mark, {"Authorization": "Bearer " + alice})
      assert resumed.record()["query"] == "for her"
      command = [BINARY, "users", "remove", "alice", "--data-dir", server.data]
      subprocess.run(command, check=True, capture_output=True)
      assert streams[0][0].closing() == (1008, "the token is no longer valid")
      Socket(server.port, "/ws/stream?token=" + alice, expect=401)
      for own, all_, others, hers in streams:
          for stream in own, all_, others, hers:
              stream.close()
      server.stop()
      """#)
  }

  /// What is no number is refused before the handshake.
  @Test func limitsAndOffsetsAreClamped() throws {
    try LiveScript.run(
      #"""
      server = Server()
      token = server.login("alice")
      for number in range(6):
          server.put(token, str(number))
      for query, limit, offset, count in [
          ("", 100, 0, 6), ("limit=0", 0, 0, 0), ("limit=-1", 0, 0, 0), ("offset=-5", 100, 0, 6),
          ("offset=4&limit=1", 1, 4, 1), ("offset=1000", 100, 1000, 0), ("limit=5000", 1000, 0, 6),
          ("limit=1&user_id=nobody", 1, 0, 0), ("limit=%31", 1, 0, 1), ("user_id=", 100, 0, 6),
          ("limit=1000&offset=9223372036854775807", 1000, (1 << 63) - 1, 0),
      ]:
          page = Socket(server.port, "/ws/logs?" + query).next()
          found = page["limit"], page["offset"], page["count"], len(page["logs"])
          assert found == (limit, offset, count, count), (query, page)
      for query in ["limit=abc", "offset=1.5", "limit=", "limit=" + "9" * 20, "limit=%zz", "limit=%00",
                    "limits=1"]:
          for path in ["/ws/logs?", "/ws/stream?"]:
              # A slip in a name is one on every route; what a value cannot be is refused as it always was.
              isSlip = query in ("limit=", "limits=1") or path == "/ws/stream?" and query != "limit=%zz"
              expect = 422 if isSlip else 403
              Socket(server.port, path + query, expect=expect)
              Events(server.port, path + query, expect=expect)
      server.stop()
      """#)
  }
}
