import Testing

/// A number as a time is seconds, ms, µs or ns since 1970 by its size, on every route alike.
@Suite(.serialized) struct TimeNumberTests {
  /// Written and asked for; `end=1767247200` is that second, and no day.
  @Test func numbersAreTimesByTheirSize() throws {
    try LiveScript.run(
      #"""
      server = Server(environment={"API_KEYS": '{"key-one-0123456789":"client_1"}'})
      same = "2026-11-01T00:00:00.5Z"
      numbers = [
          "1793491200.5", "1793491200500", "1793491200500000", "1793491200500000000", "1.7934912005e9",
          "17934912005e2"]
      times = [json.dumps(same)] + numbers
      lines = [f'{{"timestamp":{time},"message":"m{n}"}}' for n, time in enumerate(times)]
      server.request("POST", "/v1/records/logs", "\n".join(lines), expect=201)
      # Exact to the last digit that was written, and on both sides of 1970.
      long, last = "2026-11-01T00:00:00.123456789Z", "2262-04-11T23:47:16.854775807Z"
      first = "1677-09-21T00:12:43.145224192Z"
      exact = {
          "1793491200.123456789": long, "1793491200123456789": long, "1793491200123456.789": long,
          "0": "1970-01-01T00:00:00Z", "-1": "1969-12-31T23:59:59Z",
          "-0.000000001": "1969-12-31T23:59:59.999999999Z",
          "20000000000001": "1970-08-20T11:33:20.000001Z",
          "9223372036854775807": last, "9223372036.854775807": last, "9223372036854.775807": last,
          "-9223372036854775808": first, "-9223372036.854775808": first}
      server.request("POST", "/v1/records/logs", "\n".join(
          f'{{"timestamp":{time},"message":"{time}","service":"exact"}}' for time in exact), expect=201)
      beyond = [
          "9223372037", "20000000000000", "9223372036854775808", "1e30", "-9223372036.9",
          "1e999999999999", "true", "{}"]
      for bad in beyond:
          status, answer, _ = server.ask("POST", "/v1/records/logs", f'{{"timestamp":{bad},"message":"x"}}')
          assert status == 400 and b"timestamp" in answer, (bad, status, answer)


      def ask(**query):
          return server.request("POST", "/v1/query", {"dataset": "logs", **query})["rows"]


      for place in ["head", "blocks"]:
          rows = ask(columns=["message", "timestamp"], where={"eq": ["service", "exact"]})
          rows = {row["message"]: row["timestamp"] for row in rows}
          assert rows == exact, (place, rows)
          plain = {"not": {"eq": ["service", "exact"]}}
          for number in map(json.loads, numbers):
              behind = number + (1 if number < 2e10 else 1000)
              questions = [
                  ({"start": number}, 7), ({"end": number}, 0), ({"start": number, "end": behind}, 7)]
              for name, values, count in [
                      ("eq", number, 7), ("in", [number], 7), ("gt", number, 0), ("le", number, 7)]:
                  questions.append(({"where": {"and": [plain, {name: ["timestamp", values]}]}}, count))
              for query, count in questions:
                  query = {"where": plain, **query}
                  found = ask(measures=["count"], **query)
                  assert found == [{"count": count}], (place, query, found)
          server.archive()
      for bad in [1e30, "nope", True, 9223372037]:
          for query in [{"start": bad}, {"where": {"ge": ["timestamp", bad]}}]:
              assert server.ask("POST", "/v1/query", {"dataset": "logs", **query})[0] == 400, query

      headers, key = {"Authorization": "Bearer " + jwt("numbers")}, {"X-API-Key": "key-one-0123456789"}
      token = server.request("POST", "/api/auth/login", {"username": "admin", "password": "admin"})["token"]
      user = {"Authorization": "Bearer " + token}
      server.request("POST", "/api/containers", {"container_id": "c1"}, user, 201)
      server.request("POST", "/api/containers/c1/sessions", {"session_id": "s1"}, user, 201)
      for hour in ["00", "06", "12", "18"]:
          moment, name = f"2026-01-01T{hour}:00:00Z", "at " + hour
          entry = {"action": name, "resource_type": "r", "resource_id": "1", "severity": "INFO"}
          server.request("POST", "/api/v1/logs", {**entry, "timestamp": moment}, headers)
          log = {"environment": "staging", "executed_at": moment, "ticket_id": name}
          server.request("POST", "/api/v1/logs", log, key, 201)
          line = {"timestamp": moment, "level": "I", "message": name}
          server.request("POST", "/api/logs/c1/s1", {"logs": [line]}, user, 201)
      ends = [
          "2026-01-01T06:00:00Z", "1767247200", "1767247200000", "1767247200.0", "1767247200000000",
          "1767247200000000000", "1.7672472e9"]
      for end in ends:
          found = server.request("GET", f"/api/v1/logs?end={end}", headers=headers)["data"]
          assert [x["action"] for x in found] == ["at 06", "at 00"], (end, found)
          found = server.request("GET", f"/api/v1/logs/export?start={end}&end={end}", headers=headers)
          assert [x["action"] for x in found] == ["at 06"], (end, found)
          found = server.request("GET", f"/api/v1/logs?end_date={end}", headers=key)["data"]
          assert [x["ticket_id"] for x in found] == ["at 06", "at 00"], (end, found)
          found = server.request("GET", f"/api/logs/c1/s1?end_ts={end}", headers=user)["logs"]
          assert [x["message"] for x in found] == ["at 00", "at 06"], (end, found)
      stream = Events(server.port, "/api/v1/logs/stream?end=1767247200", headers=headers)
      for hour in [7, 6]:
          entry = {"action": f"live {hour}", "resource_type": "r", "resource_id": "2", "severity": "INFO"}
          entry["timestamp"] = f"2026-01-01T0{hour}:00:00Z"
          server.request("POST", "/api/v1/logs", entry, headers)
      assert stream.record()["action"] == "live 6"
      stream.close()
      gone = server.request("DELETE", "/api/v1/logs/cleanup?before=1767243600", headers=headers)
      assert gone["data"]["deleted_count"] == 1
      server.stop()
      """#)
  }
}
