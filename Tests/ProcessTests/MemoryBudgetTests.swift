import Testing

/// Whatever is asked at one time, the server holds no more than it may, and says so to those it refuses.
@Suite struct MemoryBudgetTests {
  /// A server that may take twice the budget and what it takes besides: in a cgroup of that size where one
  /// can be made (the kernel ends the process beyond it), and measured by its anonymous resident memory, 50
  /// times a second, everywhere. `ulimit -v` and `ulimit -d` count what is reserved and never touched, of
  /// which Arrow's allocator has a GiB.
  private static let world =
    #"""
    import atexit

    BUDGET, BASE = 64 << 20, 400 << 20
    LIMIT = 2 * BUDGET + BASE


    def limited():
        global BINARY
        version1 = "/sys/fs/cgroup/memory", "memory.limit_in_bytes"
        for root, file in [version1, ("/sys/fs/cgroup", "memory.max")]:
            group = f"{root}/cordwood-{os.getpid()}"
            try:
                os.mkdir(group)
            except OSError:
                continue
            atexit.register(lambda: os.rmdir(group))
            try:
                with open(f"{group}/{file}", "w") as limit:
                    limit.write(str(LIMIT))
            except OSError:
                continue
            path = f"{FOLDER}/limited"
            with open(path, "w") as text:
                text.write(f'#!/bin/sh\necho $$ > {group}/cgroup.procs\nexec "{BINARY}" "$@"\n')
            os.chmod(path, 0o755)
            BINARY = path
            return


    def held(server, kind):
        text = server.request("GET", "/metrics")
        found = re.search(r'^cordwood_memory_bytes{kind="' + kind + r'"} (\S+)$', text, re.M)
        assert found, kind
        return float(found.group(1))


    def anonymous(server):
        with open(f"/proc/{server.process.pid}/status") as status:
            return int(re.search(r"RssAnon:\s+(\d+)", status.read()).group(1)) * 1024


    """#

  @Test func twentyKindsOfRequestAtOnce() throws {
    try LiveScript.run(
      Self.world
        + #"""
        limited()
        server = Server(sets=[f"memory.bytes_max={BUDGET}", "server.stall_seconds=5"])
        text = lambda size: base64.b64encode(os.urandom(size * 3 // 4)).decode()
        for _ in range(20):
            server.write([{"level": "INFO", "service": f"s{n}", "message": text(100_000)} for n in range(30)])
        server.archive()
        for _ in range(20):
            server.write([{"level": "INFO", "service": f"s{n}", "message": text(100_000)} for n in range(30)])
        audit = {"Authorization": "Bearer " + jwt("t"), "Content-Type": "application/json"}
        entries = json.dumps([{
            "user_id": "u", "action": f"a{n}", "resource_type": "r", "resource_id": "i", "severity": "INFO",
            "message": text(50_000)} for n in range(100)])
        for _ in range(4):
            status, answer, _ = server.ask("POST", "/api/v1/logs/bulk", entries, audit)
            assert status in (200, 201), answer[:300]
        token = server.login("alice")
        for _ in range(60):
            server.put(token, text(100_000))

        native = {"Content-Type": "application/json"}
        rows = "\n".join(json.dumps({"level": "INFO", "message": text(200_000)}) for _ in range(40))
        small = json.dumps([{"message": text(2_000)} for _ in range(3_000)])
        bomb = __import__("gzip").compress(b"[" + b"1," * 20_000_000 + b"1]", 1)
        rich = __import__("gzip").compress(rows.encode(), 1)

        def query(**members):
            return "POST", "/v1/query", json.dumps({"dataset": "logs", **members}), native

        def export(form):
            method, path, body, fields = query(columns=["message", "service"], limit=1_000_000)
            return method, path + "?format=" + form, body, fields

        def keyed():
            return "POST", "/v1/records/logs", small, {**native, "Idempotency-Key": text(180)}

        cube = json.dumps(
            {"query": {"measures": ["logs.count"], "dimensions": ["logs.action"], "limit": 5_000}})
        KINDS = [
            lambda: ("POST", "/v1/records/logs", rows, {}),
            lambda: ("POST", "/v1/records/logs", small, native),
            lambda: ("POST", "/v1/records/logs", rich, {"Content-Encoding": "gzip"}),
            lambda: ("POST", "/v1/records/logs", bomb, {**native, "Content-Encoding": "gzip"}),
            lambda: ("POST", "/api/v1/logs/bulk", bomb, {**audit, "Content-Encoding": "gzip"}),
            lambda: ("POST", "/api/v1/logs/bulk", entries, audit),
            keyed,
            lambda: export("csv"), lambda: export("json"), lambda: export("ndjson"), lambda: export("arrow"),
            lambda: export("parquet"),
            lambda: query(limit=100), lambda: query(limit=1_000, order="asc"),
            lambda: query(group_by=["message"]),
            lambda: query(group_by=["service", "message"], measures=["count", {"max": "message"}]),
            lambda: query(measures=[{"count_distinct": "message"}], group_by=["service"]),
            lambda: query(measures=["count"], where={"regex": ["message", "[a-f]{5}[0-9]{3}zz"]}),
            lambda: ("GET", "/api/v1/logs?page_size=100", None, audit),
            lambda: ("GET", "/api/v1/logs?page_size=100&page=2", None, audit),
            lambda: ("POST", "/cubejs-api/v1/load", cube, audit),
            lambda: ("GET", "/metrics", None, {}),
        ]

        seen, faults, health = {}, [], []
        stop = threading.Event()

        def ask(kind, slow):
            while not stop.is_set():
                method, path, body, fields = KINDS[kind]()
                try:
                    client = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
                    client.request(method, path, body, fields)
                    answer = client.getresponse()
                    if slow:
                        stop.wait(0.5)
                    answer.read()
                    status = answer.status
                    if status == 503 and not answer.headers.get("Retry-After"):
                        faults.append((kind, "no Retry-After"))
                    client.close()
                except (ConnectionError, http.client.HTTPException, TimeoutError) as error:
                    # Of a refused upload the rest is not read; an answer that was begun may be cut.
                    status = type(error).__name__
                seen.setdefault(kind, {}).setdefault(status, 0)
                seen[kind][status] += 1

        def unread(path):
            """Streams and their opening pages, which nobody reads."""
            held = []
            while not stop.is_set() and len(held) < 100:
                client = socket.create_connection(("127.0.0.1", server.port), timeout=60)
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n".encode())
                held.append(client)
                stop.wait(0.02)
            stop.wait()
            for client in held:
                client.close()

        def watch():
            while not stop.is_set():
                began = time.monotonic()
                status = server.ask("GET", "/healthz")[0]
                health.append((status, time.monotonic() - began))
                stop.wait(0.1)

        threads = [
            threading.Thread(target=ask, args=(kind, copy == 1), daemon=True)
            for kind in range(len(KINDS)) for copy in range(3)]
        threads += [
            threading.Thread(target=unread, args=(path,), daemon=True)
            for path in ["/ws/logs?limit=100", "/v1/tail/logs?last=100", "/v1/tail/logs"]]
        threads.append(threading.Thread(target=watch, daemon=True))
        for thread in threads:
            thread.start()
        peak = 0
        end = time.monotonic() + 20
        while time.monotonic() < end and server.process.poll() is None:
            peak = max(peak, anonymous(server))
            time.sleep(0.02)
        stop.set()
        # Of a server that is gone they would ask for ever.
        assert server.process.poll() is None, server.log()[-2_000:]
        for thread in threads:
            thread.join()
        if os.environ.get("SHOW"):
            print("peak", peak >> 20, "MiB;", seen, "health", len(health), max(health))
            print(server.ask("GET", "/metrics")[1].decode().split("cordwood_memory_bytes")[1:])
        assert server.process.poll() is None, server.log()[-2_000:]
        assert peak <= LIMIT, peak >> 20
        assert not faults, faults
        statuses = {status for found in seen.values() for status in found}
        assert statuses <= {200, 201, 207, 400, 422, 413, 429, 503, "ConnectionResetError", "BrokenPipeError",
                            "IncompleteRead", "RemoteDisconnected"}, seen
        assert 503 in statuses and 200 in statuses and 201 in statuses, seen
        assert all(status == 200 for status, _ in health), health
        assert max(seconds for _, seconds in health) < 20, max(health)
        # All is given back.
        for kind in ["uploads", "queries", "answers"]:
            until(lambda: held(server, kind) == 0, lambda: (kind, held(server, kind)), 30)
        assert server.ask("GET", "/healthz")[0] == 200
        server.stop()
        """#)
  }

  /// Two hundred streams that begin with much, which nobody reads: within the budget, and who is refused is
  /// told so.
  @Test(arguments: ["/ws/logs?limit=100", "/v1/tail/logs?last=100"])
  func beginningsThatNobodyReads(path: String) throws {
    try LiveScript.run(
      Self.world + "PATH = b\"\(path)\"\n"
        + #"""
        limited()
        server = Server(sets=[f"memory.bytes_max={BUDGET}"])
        token = server.login("alice")
        text = "".join(random.choices("abcdefgh", k=100_000))
        for n in range(60):
            server.put(token, text)
            server.write([{"level": "INFO", "message": text}])
        before = anonymous(server)
        clients = []
        for _ in range(200):
            client = socket.socket()
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.settimeout(30)
            client.connect(("127.0.0.1", server.port))
            client.sendall(
                b"GET " + PATH + b" HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            clients.append(client)
        statuses = [client.recv(600) for client in clients]
        good = sum(status.startswith(b"HTTP/1.1 200") for status in statuses)
        refused = [status for status in statuses if status.startswith(b"HTTP/1.1 503")]
        assert good > 0 and refused and good + len(refused) == 200, (good, len(refused), statuses[:2])
        assert all(b"Retry-After: " in status for status in refused), refused[0]
        grown = anonymous(server) - before
        if os.environ.get("SHOW"):
            print(good, len(refused), grown >> 20, held(server, "answers"))
        assert held(server, "beginnings") <= BUDGET / 4
        assert server.metric('cordwood_memory_refusals_total{kind="beginnings"}') > 0
        assert grown < 4 * BUDGET, grown >> 20
        for client in clients:
            client.close()
        until(lambda: held(server, "answers") == 0, lambda: held(server, "answers"))
        # Who reads holds nothing once it has caught up, for as long as it stays.
        readers = []
        for _ in range(20):
            client = socket.create_connection(("127.0.0.1", server.port), timeout=30)
            client.sendall(
                b"GET " + PATH + b" HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n")
            # 4 MiB of one, 6 MB of the other.
            count = 0
            while count < 4_000_000:
                data = client.recv(1 << 20)
                assert data and b"HTTP/1.1 503" not in data, data[-500:]
                count += len(data)
            client.setblocking(False)
            readers.append(client)

            def is_free(client=client):
                """Takes what is there."""
                try:
                    while client.recv(1 << 20):
                        pass
                    return False
                except BlockingIOError:
                    return held(server, "beginnings") == 0

            until(is_free, lambda: held(server, "beginnings"))
        server.stop()
        """#)
  }
}
