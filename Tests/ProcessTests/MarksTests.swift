import Testing

/// Combining marks wherever a client may put text. To `String` all of them behind a letter are one character,
/// in any order, which takes it time by the square of their number.
@Suite struct MarksTests {
  /// Of the head and of blocks: equal looks are two values to whoever asks for one of them.
  @Test func valuesThatLookTheSameAreCountedApart() throws {
    try LiveScript.run(
      #"""
      server = Server()
      one, two = "café", "café"
      rows = [{"service": one if n % 3 else two, "level": "INFO", "message": "m"} for n in range(30)]
      server.write(rows)
      for place in ["head", "blocks"]:
          for value, count in [(one, 20), (two, 10)]:
              for where in [{"eq": ["service", value]}, {"in": ["service", [value]]}]:
                  asked = {"dataset": "logs", "where": where, "measures": ["count"]}
                  found = server.request("POST", "/v1/query", asked)
                  assert found["rows"] == [{"count": count}], (place, where, found)
          server.archive()
      server.stop()
      """#)
  }

  /// Each path parameter, query parameter, header field and text of a body of each documented route, with the
  /// credentials of every API: none takes a quarter of a second of CPU.
  @Test func marksCostNoMoreThanLetters() throws {
    try LiveScript.run(
      #"""
      import copy, http.client, urllib.parse

      ticks = os.sysconf("SC_CLK_TCK")
      server = Server(sets=["limits.header_bytes_max=65536"])
      token = server.request(
          "POST", "/api/auth/login", {"username": "admin", "password": "admin"})["token"]
      own = {
          "/api/v1": "Bearer " + jwt("bank", role="admin"), "/api/": "Bearer " + token,
          "/cubejs": "Bearer " + jwt("bank", role="admin"), "/ws": "Bearer " + server.login("alice")}


      def marks(count):
          return "a" + "\u0301\u0316" * (count // 4)


      def cpu():
          with open(f"/proc/{server.process.pid}/stat") as file:
              fields = file.read().rsplit(")", 1)[1].split()
          return (int(fields[11]) + int(fields[12])) / ticks


      dear, asked = [], 0


      def ask(what, method, path, body=None, headers={}):
          """Sends it as it is, and looks at the first bytes of the answer."""
          global asked
          asked += 1
          before = cpu()
          lines = [f"{method} {path} HTTP/1.1", "Host: localhost", "Connection: close"]
          for name, value in {"Content-Type": "application/json", **headers}.items():
              lines.append(f"{name}: {value}")
          if body is not None:
              lines.append(f"Content-Length: {len(body)}")
          with socket.create_connection(("127.0.0.1", server.port), 60) as connection:
              try:
                  connection.sendall("\r\n".join(lines).encode() + b"\r\n\r\n" + (body or b""))
                  connection.recv(65536)
              except OSError:
                  pass  # refused before it was read
          took = cpu() - before
          if took > 0.25:
              dear.append((round(took, 2), what))


      def texts(value, path=()):
          """Where texts and names are in it."""
          if isinstance(value, dict):
              for key, inner in value.items():
                  yield path + (("name", key),)
                  yield from texts(inner, path + (key,))
          elif isinstance(value, list):
              for index, inner in enumerate(value):
                  yield from texts(inner, path + (index,))
          elif isinstance(value, str):
              yield path


      def with_marks(value, path):
          value = copy.deepcopy(value)
          place = value
          for step in path[:-1]:
              place = place[step]
          if isinstance(path[-1], tuple):
              place[marks(100_000)] = place.pop(path[-1][1])
          else:
              place[path[-1]] = marks(100_000)
          return json.dumps(value, ensure_ascii=False).encode()


      def plain_path(path):
          return path.replace("{dataset}", "logs").replace("{index}", "x")


      FIELDS = [
          "Authorization", "X-API-Key", "Idempotency-Key", "Content-Type", "Accept", "Accept-Encoding",
          "Content-Encoding", "Transfer-Encoding", "Origin", "Prefer", "Cordwood-Import",
          "Sec-WebSocket-Protocol", "Upgrade", "Last-Event-ID", "Cookie", "Cordwood-Tenant", "If-None-Match"]
      quoted = urllib.parse.quote(marks(18_000))
      document = server.request("GET", "/openapi.json")
      # Of the page: who signed in, and what says that it asks.
      connection = http.client.HTTPConnection("127.0.0.1", server.port)
      connection.request(
          "POST", "/ui/v1/login", json.dumps({"name": "admin", "password": "admin"}),
          {"Content-Type": "application/json", "Cordwood-Page": "1"})
      cookie = connection.getresponse().getheader("Set-Cookie").split(";")[0]
      for path, operations in document["paths"].items():
          credential = next((value for prefix, value in own.items() if path.startswith(prefix)), None)
          headers = {"Authorization": credential} if credential else {}
          if path.startswith("/ui/v1/"):
              headers = {"Cookie": cookie, "Cordwood-Page": "1"}
          for method, operation in operations.items():
              if method not in ("get", "post", "put", "delete"):
                  continue
              name, verb = f"{method} {path}", method.upper()
              content = operation.get("requestBody", {}).get("content", {})
              media = next(iter(content.values()), {})
              example = media.get("example")
              isText = isinstance(example, str)
              written = example if isText else json.dumps(example or {})
              body = None if verb == "GET" else written.encode()
              if isText:
                  ask(f"{name} text", verb, plain_path(path), (example + marks(100_000)).encode(), headers)
              places = re.findall(r"\{[^}]*\}", path)
              plain = plain_path(path)
              for place in places:
                  plain = plain.replace(place, "x")
                  ask(f"{name} {place}", verb, path.replace(place, quoted), body, headers)
              for parameter in operation.get("parameters", []):
                  if parameter["in"] == "query":
                      field = parameter["name"]
                      ask(f"{name} ?{field}", verb, f"{plain}?{field}={quoted}", body, headers)
              ask(f"{name} ?marks", verb, f"{plain}?{quoted}=1", body, headers)
              if example is not None and not isText:
                  for place in texts(example):
                      ask(f"{name} body {place}", verb, plain, with_marks(example, place), headers)
              for field in FIELDS:
                  value = ("Bearer " if field == "Authorization" else "") + marks(50_000)
                  ask(f"{name} {field}", verb, plain, body, {**headers, field: value})
      assert asked > 500, asked
      assert not dear, dear
      server.stop()
      """#)
  }
}
