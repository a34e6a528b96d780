import Testing

/// What shippers send to the collectors of others: requests as their sources write them, against the real
/// program.
@Suite struct CollectorTests {
  static let asking =
    ShipperTests.asking
      + #"""
      import gzip

      KEY, READER = "shop-key-0123456789abcdef0123456789abcdef", "read-key-0123456789abcdef0123456789abcdef"
      KEYS = json.dumps([
          {"name": "shop", "key": KEY, "tenant": "shop", "role": "admin"},
          {"name": "reader", "key": READER, "tenant": "shop", "role": "reader"}])

      def serve(*sets, **options):
          server = Server(sets=["native.api_keys=" + KEYS, *sets], **options)
          plain = server.request
          server.request = lambda method, path, body=None, headers={}, expect=200: plain(
              method, path, body, {**headers, "Authorization": "Bearer " + KEY}, expect)
          return server

      """#

  /// Docker's driver, Vector's sink and Fluent Bit's output.
  @Test func splunksClientsWrite() throws {
    try LiveScript.run(
      CollectorTests.asking
        + #"""
        server = serve()
        TOKEN = {"Authorization": "Splunk " + KEY}

        def send(body, path="/services/collector/event", headers=TOKEN):
            status, text, fields = server.ask("POST", path, body, headers)
            return status, json.loads(text), fields

        DONE = {"text": "Success", "code": 0}
        # Docker: asks without a credential first, then events back to back, times as text.
        assert server.ask("OPTIONS", "/services/collector/event/1.0")[0] == 200
        events = "".join(json.dumps({
            "event": {"line": f"line {number} \0", "source": "stdout", "tag": "0123", "attrs": {"a": "b"}},
            "time": "%f" % (1764504000.25 + number), "host": "vm", "source": "shop", "index": "main",
        }) for number in range(1000))
        packed = gzip.compress(events.encode(), mtime=0)
        status, answer, _ = send(
            packed, "/services/collector/event/1.0", {**TOKEN, "Content-Encoding": "gzip"})
        assert (status, answer) == (200, DONE), (status, answer)
        # Vector: its check, and a channel with every request.
        for path in ["/services/collector/health", "/services/collector/health/1.0"]:
            status, text, _ = server.ask("GET", path, headers=TOKEN)
            assert (status, json.loads(text)) == (200, {"text": "HEC is healthy", "code": 17})
        channel = {"Content-Type": "application/json", "X-Splunk-Request-Channel": "0aeb3d2e"}
        body = '{"event":{"message":"vec","level":"warn"},"fields":{},"time":1764504000.5,"host":"v"}\n' * 2
        assert send(body, headers={**TOKEN, **channel})[:2] == (200, DONE)
        raw = "/services/collector/raw?sourcetype=x&source=vec&host=v&index=i"
        assert send("a\r\nb\n", raw)[:2] == (200, DONE)
        # Fluent Bit: the key as a password.
        basic = {"Authorization": "Basic " + base64.b64encode(b"splunk:" + KEY.encode()).decode()}
        body = '{"time":1764504000.75,"host":"f","event":{"log":"fluent","stream":"stderr"}}'
        assert send(body, headers=basic)[:2] == (200, DONE)
        # Who asks what is stored.
        status, answer, _ = send('{"acks":[1,7]}', "/services/collector/ack")
        assert (status, answer) == (200, {"acks": {"1": True, "7": True}}), (status, answer)

        found = rows(server)
        assert len(found) == 1005, len(found)
        docker = next(row for row in found if row["message"].startswith("line 7 "))
        assert (docker["message"], docker["service"], docker["timestamp"]) == (
            "line 7 \ufffd", "shop", "2025-11-30T12:00:07.250Z"), docker
        assert docker["labels"] == {"host": "vm", "source": "shop", "index": "main"}, docker
        assert docker["metadata"] == {"source": "stdout", "tag": "0123", "attrs": {"a": "b"}}, docker
        assert sum(row["message"] == "vec" and row["level"] == "WARN" for row in found) == 2
        assert {"a", "b", "fluent"} <= {row["message"] for row in found}

        # What is refused.
        for headers, status, code in [
            ({}, 401, 2), ({"Authorization": KEY}, 401, 3), ({"Authorization": "Splunk nope"}, 403, 4),
            ({"Authorization": "Splunk " + READER}, 403, 1)]:
            answered = send('{"event":"x"}', headers=headers)
            assert (answered[0], answered[1]["code"]) == (status, code), answered
        for body, code in [("", 5), (" \n", 5), ("{", 6), ('{"x":1}', 12), ('{"event":""}', 13),
                           ('{"event":"x","fields":1}', 15)]:
            answered = send(body)
            assert (answered[0], answered[1]["code"]) == (400, code), answered
        # Good ones among bad ones are stored, once.
        mixed = '{"event":"kept"}{"event":" "}{"event":"kept too"}'
        for _ in range(3):
            status, answer, _ = send(mixed)
            assert status == 400 and answer["invalid-event-number"] == 1 and answer["code"] == 13, answer
        kept = [row["message"] for row in rows(server) if row["message"].startswith("kept")]
        assert kept == ["kept", "kept too"], kept
        assert send('{"event":"x"}', "/services/collector/event?no_such=1")[0] == 400
        status, text, _ = server.ask("GET", "/services/collector/nothing", headers=TOKEN)
        assert status == 404 and json.loads(text)["code"] == 404, text
        server.stop()

        server = serve(name="small", environment={"CORDWOOD_LIMITS_BODY_BYTES_MAX": "1000"})
        status, answer, _ = send('{"event":"%s"}' % ("x" * 2000))
        assert status == 413 and answer["code"] == 6, answer
        server.stop()
        """#)
  }

  /// Datadog's agent, Vector's sink and Fluent Bit's output.
  @Test func datadogsClientsWrite() throws {
    try LiveScript.run(
      CollectorTests.asking
        + #"""
        server = serve()
        OWN = {"DD-API-KEY": KEY}

        def send(body, path="/api/v2/logs", headers=OWN):
            body = body if isinstance(body, (str, bytes)) else json.dumps(body)
            headers = {"Content-Type": "application/json", **headers}
            status, text, fields = server.ask("POST", path, body, headers)
            return status, json.loads(text), fields

        # The agent: an empty object to see whether anybody is there, then lists.
        assert send("{}")[:2] == (202, {})
        logs = [{
            "message": f"line {number} \0 é", "status": "error", "timestamp": 1764504000250 + number,
            "hostname": "web-1", "service": "shop", "ddsource": "nginx", "ddtags": "env:prod,team:a,team:b"}
            for number in range(100)]
        agent = {**OWN, "User-Agent": "datadog-agent/7.60.0", "DD-PROTOCOL": "agent-json",
                 "DD-EVP-ORIGIN": "agent", "DD-EVP-ORIGIN-VERSION": "7.60.0", "Content-Encoding": "gzip"}
        assert send(gzip.compress(json.dumps(logs).encode()), headers=agent)[:2] == (202, {})
        # Vector: asks whether its key is one.
        assert server.ask("GET", "/api/v1/validate", headers=OWN)[:2] == (200, b'{"valid":true}')
        assert server.ask("GET", "/api/v1/validate", headers={"DD-API-KEY": "no"})[0] == 403
        vector = {**OWN, "DD-EVP-ORIGIN": "vector", "DD-EVP-ORIGIN-VERSION": "0.44.0"}
        logs = [{"message": "vec", "timestamp": 1764504000500, "status": "warn"}]
        assert send(logs, headers=vector)[0] == 202
        # Fluent Bit; and the first version of the way in, the key in the query.
        assert send([{"timestamp": 1764504000750, "dd_source": "f", "log": "fluent"}])[0] == 202
        path = f"/v1/input?dd-api-key={KEY}&ddsource=s&ddtags=env:test&service=cart&hostname=h"
        assert send({"message": "old"}, path, {})[:2] == (200, {})

        found = rows(server)
        assert len(found) == 103, len(found)
        row = next(row for row in found if row["message"].startswith("line 7 "))
        assert (row["message"], row["service"], row["env"], row["level"], row["timestamp"]) == (
            "line 7 \ufffd é", "shop", "prod", "ERROR", "2025-11-30T12:00:00.257Z"), row
        assert row["labels"] == {
            "hostname": "web-1", "ddsource": "nginx", "env": "prod", "team": ["a", "b"]}, row
        old = next(row for row in found if row["message"] == "old")
        assert (old["service"], old["env"], old["labels"]["ddsource"]) == ("cart", "test", "s"), old
        assert KEY not in server.log(), "keys in queries are not logged"

        # What is refused.
        for headers, status in [({}, 401), ({"DD-API-KEY": "nope"}, 403), ({"DD-API-KEY": READER}, 403)]:
            answered = send([{"message": "x"}], headers=headers)
            assert answered[0] == status and answered[1]["errors"][0]["status"] == str(status), answered
        for body in ["", "{", "[{}", "x", "[1"]:
            answered = send(body)
            assert answered[0] == 400 and answered[1]["errors"][0]["title"] == "Bad Request", answered
        # Good ones among bad ones are stored, once.
        for _ in range(3):
            status, answer, _ = send([{"message": "kept"}, 1, {"message": "kept too"}])
            assert status == 400, answer
            detail = answer["errors"][0]["detail"]
            assert detail.startswith("2 logs stored, 1 refused; the first is log 1"), answer
        kept = [row["message"] for row in rows(server) if row["message"].startswith("kept")]
        assert kept == ["kept", "kept too"], kept
        server.stop()
        """#)
  }
}
