import Testing

/// The same streams as Server-Sent Events, and coming back to them.
@Suite(.serialized) struct EventStreamTests {
  /// Wherever it was cut off: while four write, over a stop and a crash, from the head and from blocks.
  @Test func aClientThatComesBackMissesNothing() throws {
    try LiveScript.run(
      #"""
      server = Server()
      path, stamp = "/v1/tail/logs", None
      first = Events(server.port, path)
      assert first.fields["Content-Type"] == "text/event-stream" and first.chunked
      assert first.fields["Cache-Control"] == "no-store"
      server.write([{"message": "zero"}, {"message": "one"}])
      marks = []
      for text in ["zero", "one"]:
          assert first.record()["message"] == text
          marks.append(first.id)
      first.close()
      assert marks[0] != marks[1]
      server.write([{"message": "two"}])
      for mark, wanted in [(marks[0], ["one", "two"]), (marks[1], ["two"])]:
          stream = Events(server.port, path, mark)
          assert [stream.record()["message"] for _ in wanted] == wanted
          mark = stream.id
          stream.close()

      def write(writer):
          for number in range(120):
              server.write([{"message": f"{writer}-{number}"}] * (number % 3 + 1))

      writers = [threading.Thread(target=write, args=(number,)) for number in range(4)]

      def write_end():
          for writer in writers:
              writer.join()
          server.write([{"message": "end"}])

      end = threading.Thread(target=write_end)
      for thread in writers + [end]:
          thread.start()
      generator, positions, ended, connections = random.Random(4), [], False, 0
      while not ended:
          stream = Events(server.port, path, mark)
          connections += 1
          for _ in range(generator.randrange(1, 60)):
              record = stream.record()
              positions.append(record["position"])
              mark, ended = stream.id, record["message"] == "end"
              if ended:
                  break
          if connections == 10:
              server.archive()
          stream.close()
      end.join()
      assert positions == list(range(3, 3 + len(positions))) and connections > 10, positions
      assert len(positions) == 4 * 40 * 6 + 1
      for hard in [False, True]:
          texts = [f"{hard} {number}" for number in range(8)]
          server.write([{"message": text} for text in texts[:4]])
          server.archive()
          server.write([{"message": text} for text in texts[4:]])
          server.restart(hard)
          server.write([{"message": "behind"}])
          stream = Events(server.port, path, mark)
          assert [stream.record()["message"] for _ in range(9)] == texts + ["behind"]
          mark = stream.id
          stream.close()
      # Cut off before the first record came: the id that comes alone is enough.
      stream = Events(server.port, path)
      while not stream.text.endswith(b"\n\n"):
          stream.more()
      mark = re.match(rb"id: (\S+)\n\n", stream.text).group(1).decode()
      stream.close()
      server.write([{"message": "in between"}])
      stream = Events(server.port, path, mark)
      assert stream.record()["message"] == "in between"
      stream.close()
      server.stop()
      """#)
  }

  /// Chunks, HTTP/1.0, comments while nothing comes, the list's first event only once, text of every kind.
  @Test func formsAndHeartbeats() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["server.heartbeat_seconds=1"])
      text = "line\nbreak\r\n: colon ünï \u2028 \u0001 " + "x" * 100_000
      streams = [Events(server.port, "/v1/tail/logs"), Events(server.port, "/v1/tail/logs", version="1.0")]
      assert [stream.chunked for stream in streams] == [True, False]
      assert streams[1].fields["Connection"] == "close"
      server.write([{"message": text}, {"message": ""}])
      for stream in streams:
          assert [stream.record()["message"] for _ in range(2)] == [text, ""]
      token = server.login("alice")
      server.put(token, "one")
      listing = Events(server.port, "/ws/logs?limit=5")
      kind, page = listing.next()
      assert kind == "logs_response" and page["type"] == kind and page["count"] == 1
      server.put(token, "two")
      assert listing.record()["query"] == "two"
      again = Events(server.port, "/ws/logs?limit=5", listing.id)
      server.put(token, "three")
      assert again.next()[1]["query"] == "three", "the page was for the first time"
      kind, beat = listing.next()
      while kind == "message":
          kind, beat = listing.next()
      assert kind == "heartbeat" and beat["type"] == kind and beat["active_connections"] == 2, beat
      for stream in streams:
          while b": heartbeat\n\n" not in stream.text:
              stream.more()
      server.write([{"message": "behind"}])
      for stream in streams:
          assert stream.record()["message"] == "behind" and stream.comments > 0
      for accept in ["application/json", "*/*", "text/html"]:
          status, _, _ = server.ask("GET", "/ws/stream", headers={"Accept": accept})
          assert status == 426, (accept, status)
      several = Events(server.port, "/ws/stream", headers={"Accept": "text/html, Text/Event-Stream;q=0.9"})
      for stream in streams + [listing, again, several]:
          stream.close()
      server.stop()
      """#)
  }

  /// Forged ones, those of others: one `reset`, then what comes now. What was deleted is told, and nothing
  /// that is still there is left out.
  @Test func placesOfOthersAreResetAndDeletionsTold() throws {
    try LiveScript.run(
      #"""
      server = Server()
      path = "/v1/tail/logs"
      server.write([{"message": f"m{n}", "level": "INFO" if n < 5 else "ERROR"} for n in range(10)])
      reader, marks = Events(server.port, path + "?last=10"), []
      for number in range(10):
          assert reader.record()["message"] == f"m{number}"
          marks.append(reader.id)
      reset = "reset", {"type": "reset"}

      def tells(mark, path=path, headers={}):
          stream = Events(server.port, path, mark, headers)
          kind, told = stream.next()
          assert kind == "deleted" == told["type"] and told["from"] < told["to"], (kind, told)
          return stream

      def starts(mark, path=path, headers={}):
          stream = Events(server.port, path, mark, headers)
          found = stream.next()
          stream.close()
          return found

      def check():
          for mark in marks[:4]:
              stream = tells(mark)
              assert [stream.record()["message"] for _ in range(5)] == [f"m{n}" for n in range(5, 10)]
              stream.close()
          for number in range(4, 9):
              assert starts(marks[number])[1]["message"] == f"m{number + 1}"

      deletion = {"dataset": "logs", "where": {"eq": ["level", "INFO"]}}
      assert server.request("POST", "/v1/delete", deletion) == {"deleted": 5}
      check()
      server.archive()
      check()
      server.restart()
      check()
      last, other = marks[-1], "B" if marks[-1][-1] == "A" else "A"
      for forged in ["x", "0", "-1", "%", last[:-1] + other, last + "x", last[1:], "x" * 5000]:
          stream = Events(server.port, path, forged)
          assert stream.next() == reset, forged
          server.write([{"message": "live"}])
          assert stream.next()[1]["message"] == "live"
          stream.close()
      for foreign in ["/v1/tail/audit", "/ws/stream", "/ws/logs"]:
          assert starts(last, foreign) == reset, foreign
      server.request("POST", "/v1/delete", {"dataset": "logs", "where": {"and": []}})
      for mark in marks[:9]:
          tells(mark).close()
      # A cleanup of the audit API, and the marks of another tenant.
      path, bearer = "/api/v1/logs/stream", {"Authorization": "Bearer " + jwt("abc")}
      reader, marks = Events(server.port, path, headers=bearer), []
      entry = {"resource_type": "user", "resource_id": "1", "severity": "INFO"}
      for number in range(4):
          server.request("POST", "/api/v1/logs", {"action": str(number), **entry}, bearer)
          assert reader.record()["action"] == str(number)
          marks.append(reader.id)
      assert starts(marks[1], path, bearer)[1]["action"] == "2"
      assert starts(marks[1], path, {"Authorization": "Bearer " + jwt("xyz")}) == reset
      cleanup = server.request("DELETE", "/api/v1/logs/cleanup?older_than_days=0", headers=bearer)
      assert cleanup["data"] == {"deleted_count": 4}
      for mark in marks[:3]:
          stream = tells(mark, path, bearer)
          server.request("POST", "/api/v1/logs", {"action": "behind", **entry}, bearer)
          assert stream.record()["action"] == "behind"
          stream.close()
      reader.close()
      server.stop()
      """#)
  }

  /// A client that was there before the dataset's first record, while others of its tenant grew.
  @Test func whatFollowsAnEmptyDatasetIsNotLost() throws {
    try LiveScript.run(
      #"""
      server = Server()
      stream = Events(server.port, "/v1/tail/audit")
      while not stream.text.endswith(b"\n\n"):
          stream.more()
      mark = re.match(rb"id: (\S+)\n\n", stream.text).group(1).decode()
      stream.close()
      server.write([{"message": "of another dataset"}] * 3)
      row = {"action": "kept", "resource_type": "u", "resource_id": "1", "severity": "INFO", "user_id": "x"}
      server.write([row], "audit")
      stream = Events(server.port, "/v1/tail/audit", mark)
      kind, found = stream.next()
      assert kind == "message" and found["action"] == "kept", ("nothing was deleted", kind, found)
      stream.close()
      server.stop()
      """#)
  }
}
