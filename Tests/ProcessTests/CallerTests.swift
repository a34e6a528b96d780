import Testing

/// What callers with a credential are held to, on every API.
@Suite struct CallerTests {
  /// One key of each kind, and a request of each that is granted.
  private static let world =
    #"""
    CORDWOOD = {"Authorization": "Bearer native-key-0123456789abcdef"}
    SETS = [
        "native.api_keys=[{name: n, key: native-key-0123456789abcdef, tenant: n, role: admin}]",
        "ingest.api_keys={ingest-key-0123456789abcdef: {name: i, active: true, description: d}}",
        'workflow.api_keys={"workflow-key-0123456789": "w"}']
    JSON = {"Content-Type": "application/json"}
    ENTRY = {
        "timestamp": "2026-11-21T10:00:00Z", "level": "ERROR", "message": "m", "service": "s", "env": "e"}
    AUDIT = {
        "user_id": "u", "action": "a", "resource_type": "r", "resource_id": "i", "severity": "INFO",
        "message": "m"}


    def granted(server):
        workflow = {"environment": "production", "executed_at": "2026-01-01T00:00:00Z", "ticket_id": "t"}
        return {
            "native": ("POST", "/v1/records/logs", '{"message":"m"}', CORDWOOD),
            "ingest": (
                "POST", "/v1/logs:ingest", json.dumps({"entries": [ENTRY]}),
                {"Authorization": "Bearer ingest-key-0123456789abcdef", **JSON}),
            "workflow": (
                "POST", "/api/v1/logs", json.dumps(workflow),
                {"X-API-Key": "workflow-key-0123456789", **JSON}),
            "audit": (
                "POST", "/api/v1/logs", json.dumps(AUDIT), {"Authorization": "Bearer " + jwt("t"), **JSON})}


    """#

  /// A rate is refused in the words of the API that was asked, and tells how it stands.
  @Test func ratesHoldForEveryAPI() throws {
    try LiveScript.run(
      Self.world
        + #"""
        server = Server(sets=[
            *SETS, "limits.rates.tenant.requests=0.01", "limits.rates.burst_seconds=300",
            "limits.rates.key.bytes=1000000"])
        for name, (method, path, body, headers) in granted(server).items():
            for number in range(3):
                status, text, fields = server.ask(method, path, body, headers)
                assert 200 <= status < 300, (name, status, text)
                policy = '"tenant-requests";q=3;w=300, "key-bytes";'
                assert fields["RateLimit-Policy"].startswith(policy), fields
                assert fields["RateLimit"].startswith(f'"tenant-requests";r={2 - number};t='), fields
            status, text, fields = server.ask(method, path, body, headers)
            assert status == 429 and 0 < int(fields["Retry-After"]) <= 100, (name, status, text, fields)
            assert "rate" in json.dumps(json.loads(text)), (name, text)
            assert '"tenant-requests";r=0;' in fields["RateLimit"], fields
        # Nobody else waits for them.
        assert server.ask("GET", "/healthz")[0] == 200
        token = server.login("alice")
        server.put(token, "SELECT 1")
        server.stop()
        lines = [json.loads(line) for line in server.log().splitlines() if '"rate_limited"' in line]
        assert [line["reason"] for line in lines] == ["tenant_requests"] * len(granted(None)), lines
        assert all(line["outcome"] == "refused" and line["tenant"] and line["request_id"] for line in lines)
        """#)
  }

  @Test func recordsAndBytesAreCounted() throws {
    try LiveScript.run(
      Self.world
        + #"""
        for sets in [["limits.rates.tenant.rows=10"], ["limits.rates.key.bytes=100"]]:
            server = Server(name=sets[0][13:20], sets=[*SETS, *sets, "limits.rates.burst_seconds=1"])
            rows = "\n".join('{"message":"m"}' for _ in range(1000))
            status, text, _ = server.ask("POST", "/v1/records/logs", rows, CORDWOOD)
            assert status == 201, text
            status, text, fields = server.ask("POST", "/v1/records/logs", '{"message":"m"}', CORDWOOD)
            assert status == 429 and 50 < int(fields["Retry-After"]) < 200, (status, text, fields.items())
            server.stop()
        """#)
  }

  /// Of the three routes that give CSV.
  @Test func spreadsheetsRunNothing() throws {
    try LiveScript.run(
      Self.world
        + #"""
        server = Server(sets=SETS)
        cell = '=HYPERLINK("http://a")'
        server.request("POST", "/v1/records/logs", json.dumps({"message": cell}), CORDWOOD, expect=201)
        method, path, _, audit = granted(server)["audit"]
        status, text, _ = server.ask(method, path, json.dumps({**AUDIT, "action": cell}), audit)
        assert status in (200, 201), text
        login = server.request("POST", "/api/auth/login", {"username": "admin", "password": "admin"})
        user = {"Authorization": "Bearer " + login["token"], **JSON}
        server.request("POST", "/api/containers", '{"container_id":"c"}', user, expect=201)
        server.request("POST", "/api/containers/c/sessions", '{"session_id":"s"}', user, expect=201)
        lines = json.dumps({"logs": [{"timestamp": ENTRY["timestamp"], "level": "INFO", "message": cell}]})
        status, text, _ = server.ask("POST", "/api/logs/c/s", lines, user)
        assert status in (200, 201), text
        query = '{"dataset":"logs","columns":["message"]}'
        for method, path, body, headers in [
                ("POST", "/v1/query?format=csv", query, CORDWOOD),
                ("GET", "/api/v1/logs/export?format=csv", None, audit),
                ("GET", "/api/logs/c/s?format=csv", None, user)]:
            for safe in ["", "&safe=0", "&safe=1"]:
                status, text, _ = server.ask(method, path + safe, body, headers)
                assert status == 200, text
                quoted = cell.replace('"', '""')
                assert (f'"\'{quoted}"' in text.decode()) == (safe == "&safe=1"), (path, safe, text)
                assert quoted in text.decode(), (path, safe, text)
        server.stop()
        """#)
  }

  /// What asks has each name once; of what is stored, each API does one thing or the other (Docs/api.md).
  @Test func namesThatComeTwice() throws {
    try LiveScript.run(
      Self.world
        + #"""
        server = Server(sets=SETS)
        requests = granted(server)
        audit, ingest = requests["audit"][3], requests["ingest"][3]
        alice = {"Authorization": "Bearer " + server.login("alice"), **JSON}
        for method, path, body, headers in [
                ("POST", "/v1/query", '{"dataset":"logs","dataset":"audit"}', CORDWOOD),
                ("POST", "/v1/query", '{"dataset":"logs","where":{"eq":["a","a"],"eq":["a","b"]}}', CORDWOOD),
                ("POST", "/v1/query", '{"dataset":"logs","limit":1,"l\\u0069mit":2}', CORDWOOD),
                ("POST", "/v1/delete", '{"dataset":"logs","dataset":"audit","where":{"and":[]}}', CORDWOOD),
                ("POST", "/v1/admin/flush", '{"archive":false,"archive":true}', CORDWOOD),
                ("POST", "/api/auth/login", '{"username":"a","username":"admin","password":"admin"}', JSON),
                ("POST", "/api/v1/login", '{"user_id":"a","user_id":"b"}', JSON),
                ("POST", "/api/v1/tenants", '{"name":"a","name":"b","key":"c"}', audit),
                ("POST", "/cubejs-api/v1/load", '{"query":{"limit":1,"limit":2}}', audit),
                ("POST", "/api/v1/logs", json.dumps(AUDIT)[:-1] + ',"message":"b"}', audit),
                ("PUT", "/api/v1/logs", '{"query":"a","query":"b","status":"SUCCESS"}', alice)]:
            status, text, _ = server.ask(method, path, body, headers)
            assert status in (400, 422), (path, body, status, text)
        for twice, name in [
                ('{"message":"a","message":"b"}', "message"),
                ('{"message":"a","metadata":{"k":1,"k":2}}', "k"),
                ('{"message":"a","metadata":{"k":1},"k":2}', "k")]:
            status, text, _ = server.ask("POST", "/v1/records/logs", twice, CORDWOOD)
            assert status == 400 and json.loads(text)["field"] == name, (twice, text)
            status, text, _ = server.ask(
                "POST", "/v1/records/logs?on_error=skip", twice + '\n{"message":"kept"}', CORDWOOD)
            assert status == 201 and json.loads(text)["rejected"] == 1, (twice, text)
        counted = server.request("POST", "/v1/query", '{"dataset":"logs","count":true}', CORDWOOD)
        assert counted["rows"] == [{"count": 3}], counted
        entry = json.dumps(ENTRY)[:-1] + ',"message":"last"}'
        status, text, _ = server.ask("POST", "/v1/logs:ingest", '{"entries":[%s]}' % entry, ingest)
        assert status == 422 and b'"message"' in text, text
        server.stop()
        """#)
  }

  /// Frames that other programs on the way may take for others.
  @Test func framesHaveOneMeaning() throws {
    try LiveScript.run(
      #"""
      server = Server()
      for frame in [
              b"\x81\xfe\x00\x01" + b"\0\0\0\0a", b"\x81\xff" + b"\0" * 7 + b"\x01" + b"\0\0\0\0a",
              b"\x89\xfe\x00\x7e" + b"\0\0\0\0" + b"a" * 126]:
          client = Socket(server.port, "/ws/stream")
          client.socket.sendall(frame)
          assert client.closing()[0] == 1002, frame
      client = Socket(server.port, "/ws/stream")
      client.send(1, b"", first=0)
      for _ in range(300):
          try:
              client.send(0, b"", first=0)
          except (BrokenPipeError, ConnectionResetError):
              break
      assert client.closing()[0] == 1008
      server.stop()
      """#)
  }
}
