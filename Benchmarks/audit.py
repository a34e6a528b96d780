"""The parts audit and workflow of bench.py: entries of one audit tenant over 30 days, logs of one workflow client."""
import base64, datetime, hashlib, hmac, http.client, json, random, re, statistics, threading, time

TENANT, KEY = "bench", "bench-workflow-key-0123456789"


def token(role="admin"):
    """A token by the legacy rule, which development has."""
    def part(value): return base64.urlsafe_b64encode(value).rstrip(b"=")
    key = hashlib.md5((TENANT + "secret").encode()).hexdigest().encode()
    claims = {"sub": "bench", "tenant": TENANT, "aud": "logserver", "iss": "issuer", "role": role}
    signed = part(b'{"alg":"HS256"}') + b"." + part(json.dumps(claims).encode())
    return (signed + b"." + part(hmac.new(key, signed, hashlib.sha256).digest())).decode()


def bodies(rows, each, make):
    """Bodies of `each` entries; times rise over 30 days up to now."""
    rng, now = random.Random(7), datetime.datetime.now(datetime.timezone.utc)
    for start in range(0, rows, each):
        entries = []
        for i in range(start, min(start + each, rows)):
            at = now - datetime.timedelta(seconds=30 * 86400 * (1 - i / rows))
            entries.append(make(rng, i, at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")))
        yield ("[" + ",".join(entries) + "]").encode()


def audit_entry(rng, i, at):
    severity = rng.choices(("INFO", "WARNING", "ERROR", "CRITICAL"), (80, 14, 5, 1))[0]
    needle = "zebrafinch" if i % 500_000 == 250_000 else rng.choice(("dashboard", "api", "import", "mobile app"))
    return ('{"action":"%s","resource_type":"%s","resource_id":"%d","timestamp":"%s","ip_address":"10.%d.%d.%d","user_agent":"Mozilla/5.0 (X11; Linux x86_64) Gecko/%d",'
            '"before":{"email":"user%d@example.com","n":%d},"after":{"email":"new%d@example.com"},"metadata":{"source":"%s","duration_ms":%.1f,"request":"req-%08x"},"severity":"%s"}'
            % (rng.choice(("create", "update", "delete", "login", "logout", "export")), rng.choice(("user", "order", "invoice", "document", "role")), rng.randrange(1_000_000), at,
               rng.randrange(256), rng.randrange(256), rng.randrange(256), 20100101 + rng.randrange(9), i % 50_000, rng.randrange(100), i % 50_000, needle, rng.lognormvariate(3, 1), rng.getrandbits(32), severity))


def workflow_log(rng, i, at):
    return ('{"environment":"production","executed_at":"%s","ticket_id":"T-%d","category":"%s","status":"%s","execution_time_seconds":%.2f,"metrics":{"confidence":%.2f},"payload":{"customer":"c-%d"}}'
            % (at, i, rng.choice(("billing", "shipping", "returns", "technical")), rng.choices(("SUCCESS", "ERROR", "PARTIAL", "FAILED"), (85, 6, 5, 4))[0], rng.lognormvariate(1, 0.7), rng.random(), rng.randrange(10_000)))


def send(server, path, headers, source, connections=4):
    """Posts the bodies of `source` over some connections; seconds it took the server, failures."""
    lock, failures = threading.Lock(), [0]
    source = iter(source)
    def work():
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
        while True:
            with lock: body = next(source, None)
            if body is None: return
            connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
            answer = connection.getresponse()
            answer.read()
            if answer.status >= 300: failures[0] += 1
    threads = [threading.Thread(target=work) for _ in range(connections)]
    started = time.monotonic()
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return time.monotonic() - started, failures[0]


def measure(server, row, name, mark, method, path, headers, body=None, runs=15):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    def once():
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        answer = connection.getresponse()
        text = answer.read()
        if answer.status != 200: raise RuntimeError(f"{path}: {answer.status} {text[:200]}")
        return text
    for _ in range(2): text = once()
    times, before = [], server.cpu()
    for _ in range(runs):
        start = time.perf_counter()
        once()
        times.append((time.perf_counter() - start) * 1000)
    times.sort()
    shown = text.decode()[:70].replace("|", "\\|") if len(text) < 400 else f"{len(text):,} bytes"
    row(name, mark, f"{statistics.median(times):.1f}", f"{times[int(len(times) * 0.95)]:.1f}", f"{(server.cpu() - before) / runs * 1000:.1f}", shown)


def hey(bench_module, server, connections, requests, entry):
    """What `hey` says of single entries by a crowd."""
    b = bench_module
    said = b.subprocess.run(
        ["hey", "-n", str(requests), "-c", str(connections), "-m", "POST", "-T", "application/json", "-H", "Authorization: Bearer " + token(), "-d", entry, f"http://127.0.0.1:{server.port}/api/v1/logs"],
        capture_output=True, text=True, check=True).stdout
    result = {f"p{share}_ms": float(b.re.search(rf"{share}% in ([0-9.]+) secs", said)[1]) * 1e3 for share in (50, 95, 99)}
    answers = {int(status): int(count) for status, count in b.re.findall(r"\[(\d+)\]\s+(\d+) responses", said)}
    return result | {
        "max_ms": float(b.re.search(r"Slowest:\s+([0-9.]+)", said)[1]) * 1e3,
        "requests_per_second": float(b.re.search(r"Requests/sec:\s+([0-9.]+)", said)[1]),
        "failures": requests - answers.get(200, 0)}


def bench_crowd(bench_module, work, runs, connections=1_000, requests=10_000):
    """Single entries from a crowd: `hey -n 10000 -c 1000` (Debian's package `hey`), else our own client, whose connections stay open."""
    b = bench_module
    data, rng = b.os.path.join(work, "crowd.jsonl"), random.Random(7)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    with open(data, "w") as f:
        for i in range(requests): f.write(audit_entry(rng, i, now) + "\n")
    client = "hey" if b.shutil.which("hey") else "our own client"
    b.say(f"\n### Audit: {requests:,} entries by {connections:,} connections of {client}, synced; mark: p99 250 ms\n")
    b.row("run", "entries/s", "p50 ms", "p95 ms", "p99 ms", "max ms", "CPU µs an entry", "failures", "stored")
    b.row(*["---"] * 9)
    for run in range(runs):
        path = b.fresh(work, "crowd")
        server = b.Server(path)
        before = server.cpu()
        if client == "hey":
            result = hey(b, server, connections, requests, audit_entry(rng, run, now))
        else:
            result = b.load(server, data, connections, 1, requests, [token()], ["--paths", "/api/v1/logs"])
        cpu = (server.cpu() - before) / requests * 1e6
        stored = json.loads(server.request("GET", "/api/v1/logs?size=1", headers={"Authorization": "Bearer " + token()}))["meta"]["total"]
        b.row(run + 1, f"{result['requests_per_second']:,.0f}", *(f"{result[k]:.1f}" for k in ("p50_ms", "p95_ms", "p99_ms", "max_ms")), f"{cpu:.1f}", result["failures"] or "none", f"{stored:,}")
        server.stop()
        b.shutil.rmtree(path)


def bench(bench_module, work, rows):
    b = bench_module
    path = b.fresh(work, "audit")
    b.os.environ["API_KEYS"] = json.dumps({KEY: "bench"})
    server = b.Server(path)
    auth, key = {"Authorization": "Bearer " + token()}, {"X-API-Key": KEY}
    before = server.cpu()
    seconds, failures = send(server, "/api/v1/logs/bulk", auth, bodies(rows, 2_000, audit_entry))
    b.say(f"\n### Audit: {rows:,} entries of one tenant over 30 days\n\nwriting by bulk of 2,000, 4 connections (the client makes the bodies meanwhile): {rows / seconds:,.0f} entries/s, {(server.cpu() - before) / rows * 1e6:.1f} µs CPU an entry, failures: {failures or 'none'}")
    server.archive()
    connection_rows = json.loads(server.request("GET", "/api/v1/logs?size=1&page=777", headers=auth))
    some = connection_rows["data"][0]["id"]
    b.say(f"\npeak memory {server.peak / 2**20:.0f} MiB, {b.tree_bytes(path, '.parquet') / rows:.1f} bytes an entry\n")
    b.row("question", "mark ms", "p50 ms", "p95 ms", "CPU ms", "answer")
    b.row(*["---"] * 6)
    def cube(query): return json.dumps({"query": query}).encode()
    day = {"measures": ["logs.count"], "dimensions": ["logs.severity"], "timeDimensions": [{"dimension": "logs.timestamp", "granularity": "day", "dateRange": "last 30 days"}], "order": {"logs.timestamp": "asc"}}
    for name, mark, method, target, body in [
        ("stats", 20, "GET", "/api/v1/logs/stats", None),
        ("daily counts by severity over 30 days", 100, "POST", "/cubejs-api/v1/load", cube(day)),
        ("p95 of a nested number by a column", 300, "POST", "/cubejs-api/v1/load", cube({"measures": ["logs.p95.metadata.duration_ms"], "dimensions": ["logs.action"]})),
        ("list, page 1", 10, "GET", "/api/v1/logs", None),
        ("list, page 1, severity=CRITICAL", 50, "GET", "/api/v1/logs?severity=CRITICAL", None),
        ("list, page 1000", 100, "GET", "/api/v1/logs?page=1000", None),
        ("get by id", 10, "GET", f"/api/v1/logs/{some}", None),
        ("search for a rare word", 60, "GET", "/api/v1/logs?search=zebrafinch", None),
        ("search for a pattern no index helps", 1500, "GET", "/api/v1/logs?search=req-%5B0-9a-f%5D%2B7f%5B0-9%5D1%24", None),
    ]:
        measure(server, b.row, name, mark, method, target, auth, body, runs=5 if mark > 1000 else 15)
    logs = min(rows, 1_000_000)
    seconds, failures = send(server, "/api/v1/logs/batch", key, bodies(logs, 100, workflow_log))
    server.archive()
    b.say(f"\n### Workflow: {logs:,} logs of one client over 30 days\n\nwriting by batches of 100: {logs / seconds:,.0f} logs/s, failures: {failures or 'none'}\n")
    b.row("question", "mark ms", "p50 ms", "p95 ms", "CPU ms", "answer")
    b.row(*["---"] * 6)
    measure(server, b.row, "overview, 90 days", 20, "GET", "/api/v1/metrics/overview?days=90", key)
    measure(server, b.row, "categories, 90 days", "–", "GET", "/api/v1/metrics/categories?days=90", key)
    server.stop()
    b.shutil.rmtree(path)
