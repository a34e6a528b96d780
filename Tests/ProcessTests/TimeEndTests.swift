import Testing

/// Both ends of time, 1677-09-21 and 2262-04-11, in every kind of question.
@Suite(.serialized) struct TimeEndTests {
  /// Beside a model of whole numbers: of the head, of blocks, of both, after a restart and deletions.
  @Test func everyQuestionHasBothEnds() throws {
    try LiveScript.run(
      #"""
      import urllib.parse
      MIN, MAX = -2**63, 2**63 - 1
      server = Server(environment={"API_KEYS": '{"key-one-0123456789":"client_1"}'})


      def civil(days):
          era, day = divmod(days + 719468, 146097)
          year = (day - day // 1460 + day // 36524 - day // 146096) // 365
          rest = day - (365 * year + year // 4 - year // 100)
          month = (5 * rest + 2) // 153
          date = rest - (153 * month + 2) // 5 + 1
          month = month + 3 if month < 10 else month - 9
          return year + era * 400 + (month <= 2), month, date


      def text(time, digits=9):
          second, nano = divmod(time, 10**9)
          day, second = divmod(second, 86400)
          year, month, date = civil(day)
          clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{nano:09}"
          return f"{year:04}-{month:02}-{date:02}T{clock[:9 + digits]}Z"


      def parsed(shown):
          found = re.fullmatch(r"(\d+)-(\d+)-(\d+)T(\d+):(\d+):(\d+)(?:\.(\d+))?(?:Z|\+00:00)", shown)
          year, month, date, hour, minute, second = map(int, found.groups()[:6])
          shifted, month = (year, month - 3) if month > 2 else (year - 1, month + 9)
          days = 365 * shifted + shifted // 4 - shifted // 100 + shifted // 400
          days += (153 * month + 2) // 5 + date - 1 - 719468
          seconds = ((days * 24 + hour) * 60 + minute) * 60 + second
          return seconds * 10**9 + int((found[7] or "0").ljust(9, "0"))


      DAY = 86400 * 10**9
      old, now = parsed("1700-01-01T00:00:00Z"), parsed("2026-11-01T00:00:01Z")
      edges = [MIN, MIN + 1, MIN + 999, MIN + 60 * 10**9, old, old + 2**63, -1, 0, now]
      edges = sorted(edges + [MAX - 1000, MAX - 1, MAX])
      times = edges + [MAX, MAX, MIN, MIN, now, now + 1]
      random.Random(7).shuffle(times)
      level = {time: ["INFO", "ERROR", "WARN"][index % 3] for index, time in enumerate(sorted(set(times)))}
      rows = [{"timestamp": text(time), "message": "m", "level": level[time]} for time in times]


      def ask(**query):
          return server.request("POST", "/v1/query", {"dataset": "logs", **query})


      def pages(order, limit, **query):
          seen, cursor = [], None
          while True:
              more = {"cursor": cursor} if cursor else {}
              page = ask(columns=["timestamp"], order=order, limit=limit, **query, **more)
              seen += [parsed(row["timestamp"]) for row in page["rows"]]
              cursor = page.get("cursor")
              if not cursor:
                  return seen


      def floored(time, width):
          return max(MIN, time // width * width)


      def check(place, known):
          for low in [None] + edges:
              for high in [None] + edges:
                  named = [("start", low), ("end", high)]
                  bounds = {name: text(time) for name, time in named if time is not None}
                  inside = [t for t in known if low is None or t >= low]
                  inside = [t for t in inside if high is None or t < high]
                  found = ask(measures=["count"], **bounds)["rows"]
                  assert found == [{"count": len(inside)}], (place, bounds, found, len(inside))
                  groups = ask(group_by=["level"], **bounds)["rows"]
                  groups = {row["level"]: row["count"] for row in groups}
                  names = [level[t] for t in inside]
                  wanted = {name: names.count(name) for name in names}
                  assert groups == wanted, (place, bounds, groups, wanted)
          for width, name in [(60 * 10**9, "1m"), (3600 * 10**9, "1h"), (DAY, "1d"), (10**9, "1s")]:
              found = {parsed(row["bucket"]): row["count"] for row in ask(bucket=name)["rows"]}
              wanted = {}
              for time in known:
                  wanted[floored(time, width)] = wanted.get(floored(time, width), 0) + 1
              assert found == wanted, (place, name, found, wanted)
          years = {}
          for time in known:
              start = max(MIN, parsed(f"{civil(time // DAY)[0]}-01-01T00:00:00Z"))
              years[start] = years.get(start, 0) + 1
          found = {parsed(row["bucket"]): row["count"] for row in ask(bucket="year")["rows"]}
          assert found == years, (place, found, years)
          for order in ["asc", "desc"]:
              wanted = sorted(known, reverse=order == "desc")
              for limit in [1, 2, 5]:
                  assert pages(order, limit) == wanted, (place, order, limit)
                  for edge in [MIN, MAX, now]:
                      inside = [time for time in wanted if time >= edge]
                      assert pages(order, limit, start=text(edge)) == inside, (place, order, limit, edge)
                      inside = [time for time in wanted if time < edge]
                      assert pages(order, limit, end=text(edge)) == inside, (place, order, limit, edge)
          tests = {"ge": int.__ge__, "gt": int.__gt__, "le": int.__le__, "lt": int.__lt__, "eq": int.__eq__}
          for name, test in tests.items():
              for edge in edges:
                  wanted = sum(test(time, edge) for time in known)
                  found = ask(where={name: ["timestamp", text(edge)]}, measures=["count"])["rows"]
                  assert found == [{"count": wanted}], (place, name, edge, found, wanted)


      live = Events(server.port, "/v1/tail/logs?where=" + urllib.parse.quote(
          json.dumps({"ge": ["timestamp", text(MAX)]})))
      server.write(rows[:9])
      check("head", times[:9])
      server.archive()
      check("blocks", times[:9])
      server.write(rows[9:])
      check("both", times)
      server.archive()
      check("two blocks", times)
      server.restart()
      check("restarted", times)
      assert parsed(live.record()["timestamp"]) == MAX
      live.close()
      for edge, name in [(MAX, "ge"), (MIN, "le")]:
          deletion = {"dataset": "logs", "where": {name: ["timestamp", text(edge)]}}
          server.request("POST", "/v1/delete", deletion)
          times = [time for time in times if time != edge]
          check("deleted", times)
      server.archive()
      check("deleted and archived", times)

      # The other APIs: kept to the nanosecond, shown to the microsecond.
      headers = {"Authorization": "Bearer " + jwt("ends")}
      key = {"X-API-Key": "key-one-0123456789"}
      token = server.request("POST", "/api/auth/login", {"username": "admin", "password": "admin"})["token"]
      user = {"Authorization": "Bearer " + token}
      server.request("POST", "/api/containers", {"container_id": "c1"}, user, 201)
      server.request("POST", "/api/containers/c1/sessions", {"session_id": "s1"}, user, 201)
      stream = Events(server.port, f"/api/v1/logs/stream?start={text(MAX)}", headers=headers)
      for number, moment in enumerate(edges):
          entry = {"action": f"a{number}", "resource_type": "r", "resource_id": "1", "severity": "INFO"}
          server.request("POST", "/api/v1/logs", {**entry, "timestamp": text(moment)}, headers)
          log = {"environment": "staging", "executed_at": text(moment), "ticket_id": f"a{number}"}
          server.request("POST", "/api/v1/logs", log, key, 201)
          line = {"timestamp": text(moment), "level": "INFO", "message": f"a{number}"}
          server.request("POST", "/api/logs/c1/s1", {"logs": [line]}, user, 201)
      for _ in edges:
          data = stream.next()[1]
          if data["action"] == f"a{len(edges) - 1}":
              break
      stream.close()


      def get(path, headers):
          return server.request("GET", path, headers=headers)


      def check_bounds(place, low, high, digits):
          inside = range(low // 1000, high // 1000 + 1)
          inside = {f"a{n}" for n, time in enumerate(edges) if time // 1000 in inside}
          first, last = text(low, digits), text(high, digits)
          note = place, first, last
          found = get(f"/api/v1/logs?start={first}&end={last}&size=100", headers)
          assert {x["action"] for x in found["data"]} == inside, (note, found["meta"])
          assert found["meta"]["total"] == len(inside), note
          if digits == 6 and low == high:
              shown = {x["timestamp"] for x in found["data"]}
              assert shown == {first.replace(".000000Z", "Z")}, (note, shown)
          found = get(f"/api/v1/logs/export?start={first}&end={last}", headers)
          assert {x["action"] for x in found} == inside, ("export", note)
          found = get(f"/api/v1/logs?start_date={first}&end_date={last}&page_size=100", key)
          assert found["pagination"]["total"] == len(inside), ("workflow", note)
          found = get(f"/api/logs/c1/s1?start_ts={first}&end_ts={last}", user)
          assert {x["message"] for x in found["logs"]} == inside, ("sessions", note, inside)


      for place in ["head", "blocks"]:
          for low in edges:
              for high in edges:
                  for digits in [9, 6]:
                      check_bounds(place, low, high, digits)
          for size in [1, 3]:
              seen = []
              for page in range(1, 20):
                  found = get(f"/api/v1/logs?size={size}&page={page}", headers)
                  seen += [x["action"] for x in found["data"]]
              assert seen == [f"a{n}" for n in reversed(range(len(edges)))], (place, size, seen)
              seen = []
              for page in range(1, 20):
                  found = get(f"/api/v1/logs?page_size={size}&page={page}", key)
                  seen += [x["ticket_id"] for x in found["data"]]
              assert seen == [f"a{n}" for n in reversed(range(len(edges)))], (place, size, seen)


          def cube(**query):
              query = {"query": {"measures": ["logs.count"], **query}}
              found = server.request("POST", "/cubejs-api/v1/load", query, headers)
              return int(found["data"][0]["logs.count"])


          for low in edges:
              for high in edges:
                  if low > high:
                      continue
                  shown = [text(time, 3)[:-1] for time in (low, high)]
                  inside = sum(low // 10**6 <= time // 10**6 <= high // 10**6 for time in edges)
                  found = cube(timeDimensions=[{"dimension": "logs.timestamp", "dateRange": shown}])
                  assert found == inside, (place, shown, found, inside)
          tests = {
              "equals": int.__eq__, "notEquals": int.__ne__, "gt": int.__gt__, "gte": int.__ge__,
              "lt": int.__lt__, "lte": int.__le__, "afterDate": int.__gt__, "beforeDate": int.__lt__,
              "afterOrOnDate": int.__ge__, "beforeOrOnDate": int.__le__, "onTheDate": int.__eq__}
          for operator, test in tests.items():
              for edge in edges:
                  wanted = sum(test(time // 10**6, edge // 10**6) for time in edges)
                  values = [text(edge, 3)[:-1]]
                  condition = {"member": "logs.timestamp", "operator": operator, "values": values}
                  found = cube(filters=[condition])
                  assert found == wanted, (place, operator, edge, found, wanted)
          if place == "head":
              server.request("POST", "/v1/admin/flush", {"archive": True})
      server.stop()
      """#)
  }
}
