import Testing

/// What an answer says it took: true, in its place, and nothing to those it is not for.
@Suite struct StatisticsTests {
  @Test func answersSayWhatWasLookedAt() throws {
    try LiveScript.run(
      #"""
      server = Server(sets=["archive.max_age_seconds=86400"])
      rows = 40_000
      for start in range(0, rows, 10_000):
          server.write([
              {"level": "ERROR" if n % 100 == 0 else "INFO", "service": f"s{n % 7}", "message": f"line {n}",
               "trace_id": f"t{n}"} for n in range(start, start + 10_000)])
      server.archive()

      def ask(path="", **members):
          return server.request("POST", "/v1/query" + path, {"dataset": "logs", **members})

      def figures(**members):
          return ask(**members)["statistics"]

      names = {"rows_looked_at", "rows_known", "blocks", "pages_left_out", "bytes_looked_at", "ms"}
      counted = figures(measures=["count"])
      assert counted.keys() == names, counted
      assert counted["rows_known"] == rows and counted["rows_looked_at"] == 0, counted
      assert counted["blocks"] == 1 and counted["pages_left_out"] > 1, counted
      assert counted["bytes_looked_at"] == 0, counted

      # A condition that no index helps with looks at all; one that an index does at little.
      all_of_them = figures(where={"regex": ["service", "^s[3]$"]}, measures=["count"])
      assert all_of_them["rows_looked_at"] == rows and all_of_them["pages_left_out"] == 0, all_of_them
      assert all_of_them["bytes_looked_at"] > 0 and all_of_them["ms"] >= 0, all_of_them
      one = ask(where={"eq": ["trace_id", "t4711"]})
      assert [row["message"] for row in one["rows"]] == ["line 4711"], one
      one = one["statistics"]
      assert 0 < one["rows_looked_at"] < rows / 2 and one["pages_left_out"] > 0, one
      # The first rows are there before all pages were looked at.
      newest = figures(limit=5)
      assert 5 <= newest["rows_looked_at"] < rows and newest["pages_left_out"] > 0, newest
      # Of other times there is no block.
      none = figures(end="2001-01-01T00:00:00Z")
      assert all(none[name] == 0 for name in names - {"ms"}), none

      # What is not archived yet is looked at too.
      server.write([{"level": "INFO", "service": "head", "message": "m"} for _ in range(50)])
      both = figures(where={"regex": ["service", "^head$"]}, measures=["count"])
      assert both["rows_looked_at"] >= 50, both
      summary = server.request(
          "POST", "/v1/summary", {"dataset": "logs", "bucket": "1h", "fields": ["service"]})
      assert summary["statistics"].keys() == names and summary["statistics"]["blocks"] == 1, summary
      # Some of it counted by blocks, the rest read.
      for fields in [{}, {"fields": ["level"]}, {"start": "2020-01-01T00:00:30.5Z"}]:
          whole = server.request("POST", "/v1/summary", {"dataset": "logs", **fields})
          assert whole["total"] == rows + 50, (fields, whole)

      # Each form in its own way.
      assert "statistics" not in ask(statistics=False, limit=1)
      assert "statistics" in ask(statistics=True, limit=1)

      def lines(**members):
          body = {"dataset": "logs", "limit": 2, "columns": ["message"], **members}
          _, text, _ = server.ask("POST", "/v1/query?format=ndjson", body)
          return [json.loads(line) for line in text.splitlines()]

      assert len(lines()) == 2 and len(lines(statistics=False)) == 2
      last = lines(statistics=True)
      assert len(last) == 3 and last[2].keys() == {"statistics"}, last
      assert last[2]["statistics"].keys() == names, last
      for form in ["csv", "arrow", "parquet"]:
          status, text, _ = server.ask(
              "POST", f"/v1/query?format={form}", {"dataset": "logs", "limit": 1, "statistics": True})
          assert status == 400 and b"statistics" in text, (form, status, text)
      for bad in ["yes", 1, [], {}]:
          status, text, _ = server.ask("POST", "/v1/query", {"dataset": "logs", "statistics": bad})
          assert status == 400 and b"statistics" in text, (bad, status, text)
      server.stop()
      """#)
  }

  /// Who sees only some of a dataset's records does not learn from figures how many the others are.
  @Test func whoSeesOnlySomeRecordsIsToldNoFigures() throws {
    try LiveScript.run(
      #"""
      server = Server()
      for name, role in [("ada", "user"), ("root", "admin")]:
          subprocess.run(
              [BINARY, "users", "add", name, "--role", role, "--password-stdin", "--data-dir", server.data],
              input=b"correct horse battery\n", check=True, stdout=subprocess.DEVNULL)

      def sign_in(name):
          body = {"name": name, "password": "correct horse battery"}
          status, text, headers = server.ask("POST", "/ui/v1/login", body, {"Cordwood-Page": "1"})
          assert status == 200, text
          return headers["Set-Cookie"].split(";")[0]

      for name, told in [("ada", False), ("root", True)]:
          headers = {
              "Cookie": sign_in(name), "Cordwood-Page": "1", "Cordwood-Tenant": "sessions/sessions"}
          for path in ["query", "summary"]:
              answer = server.request("POST", "/ui/v1/" + path, {"dataset": "sessions"}, headers)
              assert ("statistics" in answer) == told, (name, path, answer)
          body = {"dataset": "sessions", "statistics": True}
          _, text, _ = server.ask("POST", "/ui/v1/query?format=ndjson", body, headers)
          assert (b"statistics" in text) == told, (name, text)
      server.stop()
      """#)
  }
}
