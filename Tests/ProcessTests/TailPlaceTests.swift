import Testing

/// Where a stream begins, for who is new and for who comes back.
@Suite(.serialized) struct TailPlaceTests {
  /// `last=N`: N of them, whatever times they have, and then what is live.
  @Test func theLastAreThoseWrittenLast() throws {
    try LiveScript.run(
      #"""
      server = Server()
      path = "/v1/tail/logs"
      server.write([{
          "timestamp": f"2026-11-01T00:00:{59 - n}Z", "message": f"m{n}",
          "level": "ERROR" if n % 5 == 0 else "INFO"} for n in range(20)])


      def delete(message):
          deletion = {"dataset": "logs", "where": {"eq": ["message", message]}}
          server.request("POST", "/v1/delete", deletion)


      def first(query, count, mark=None):
          """The first records of a stream, and one written meanwhile."""
          stream = Events(server.port, path + query, mark)
          found = [stream.record()["message"] for _ in range(count)]
          until(lambda: server.subscribers() == 1, server.subscribers)
          live = {"message": "live", "level": "ERROR", "timestamp": "1999-01-01T00:00:00Z"}
          server.write([live])
          assert stream.record()["message"] == "live", query
          delete("live")
          mark = stream.id
          stream.close()
          until(lambda: server.subscribers() == 0, server.subscribers)
          return found


      errors = "&where=%7B%22eq%22%3A%5B%22level%22%2C%22ERROR%22%5D%7D"
      for place in ["head", "blocks", "both"]:
          for last in [1, 2, 19]:
              assert first(f"?last={last}", last) == [f"m{n}" for n in range(20 - last, 20)], (place, last)
          assert first("?last=1000", 20) == [f"m{n}" for n in range(20)], place
          assert first("?last=2" + errors, 2) == ["m10", "m15"], place
          assert first("?last=9" + errors, 4) == ["m0", "m5", "m10", "m15"], place
          assert first("?last=0", 0) == []
          tail = Tail(server, "--last", "3", "--format", "json")
          assert tail.messages(3) == ["m17", "m18", "m19"], place
          tail.end()
          until(lambda: server.subscribers() == 0, server.subscribers)
          if place == "head":
              server.archive()
          if place == "blocks":
              server.write([{"message": "m20"}])
              delete("m20")
      # Many: the newest are looked for from the end on.
      server.write([{
          "timestamp": f"2026-11-02T00:00:{59 - n % 60:02}Z", "message": f"n{n}",
          "level": "DEBUG"} for n in range(20_000)])
      server.archive()
      assert first("?last=3", 3) == ["n19997", "n19998", "n19999"]
      assert first("?last=10000", 10_000) == [f"n{n}" for n in range(10_000, 20_000)]
      assert first("?last=2" + errors, 2) == ["m10", "m15"]
      # Cut off before the first record came, or where there is none: comes back to the right place.
      nobody = "?last=5&where=%7B%22eq%22%3A%5B%22service%22%2C%22new%22%5D%7D"
      stream = Events(server.port, path + nobody)
      while not re.search(rb"id: (\S+)\n", stream.text):
          stream.more()
      mark = re.search(rb"id: (\S+)\n", stream.text).group(1).decode()
      stream.close()
      server.write([{"message": "in between", "service": "new"}])
      stream = Events(server.port, path + nobody, mark)
      assert stream.record()["message"] == "in between"
      stream.close()
      server.stop()
      """#)
  }

  /// Others were deleted: that is told, and what is left comes.
  @Test func whoComesBackGetsWhatIsStillThere() throws {
    try LiveScript.run(
      #"""
      server = Server()
      path = "/v1/tail/logs"
      where = "?where=%7B%22eq%22%3A%5B%22level%22%2C%22ERROR%22%5D%7D"


      def delete(where):
          return server.request("POST", "/v1/delete", {"dataset": "logs", "where": where})


      for place in ["head", "blocks", "restarted"]:
          levels = ["INFO"] * 3 + ["ERROR"] * 2
          server.write([{"level": level, "message": f"e{n}"} for n, level in enumerate(levels)])
          reader, marks, positions = Events(server.port, path + "?last=5"), [], []
          for number in range(5):
              record = reader.record()
              assert record["message"] == f"e{number}", (place, record)
              marks.append(reader.id)
              positions.append(record["position"])
          reader.close()
          if place != "head":
              server.archive()
          delete({"eq": ["level", "INFO"]})
          if place == "restarted":
              server.restart(hard=True)
          for seen in [0, 1]:
              for query in ["", where]:
                  stream = Events(server.port, path + query, marks[seen])
                  kind, told = stream.next()
                  assert kind == "deleted", (place, seen, kind, told)
                  gone = {"type": "deleted", "from": positions[seen + 1], "to": positions[3]}
                  assert told == gone, (place, told, gone)
                  assert [stream.record()["message"] for _ in range(2)] == ["e3", "e4"], place
                  until(lambda: server.subscribers() == 1, server.subscribers)
                  server.write([{"level": "ERROR", "message": "live"}])
                  assert stream.record()["message"] == "live", place
                  stream.close()
                  delete({"eq": ["message", "live"]})
                  until(lambda: server.subscribers() == 0, server.subscribers)
          # All of it is gone: told, and then what comes.
          delete({"and": []})
          stream = Events(server.port, path, marks[2])
          kind, told = stream.next()
          assert kind == "deleted" and told["from"] == positions[3], (place, told)
          assert told["to"] > positions[4], (place, told)
          stream.close()
          until(lambda: server.subscribers() == 0, server.subscribers)
      server.stop()
      """#)
  }
}
