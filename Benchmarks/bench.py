"""Measures a release build of Cordwood from outside and prints the tables of Docs/benchmarks.md.

  bench.py [--rows N] [--data FILE.jsonl]
           [--only ingest,queries,summary,growth,start,tenants,single,pushes,idle,sessions,audit,crowd,live,
            ingest-api,days]

The part days runs if it is asked for alone: it takes ten times the rows, and half an hour for ten million.
The data is FILE, else ../shared/bench/gen.py's where that exists, else what generate.py beside this file makes (the same shape).
Everything runs on loopback against a server this script starts and stops; nothing is asserted.
"""
import argparse, hashlib, http.client, json, os, random, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("CORDWOOD_BINARY", os.path.join(ROOT, ".build/release/cordwood"))
LOAD = os.path.join(ROOT, "Benchmarks/.build/release/cordwood-load")
TICKS = os.sysconf("SC_CLK_TCK")
DAY = "2026-11-19"
PARTS = "ingest,queries,summary,growth,start,tenants,single,pushes,idle,sessions,audit,crowd,live,ingest-api"
KEYS = ["bench-key-%03d-0123456789abcdef0123456789" % i for i in range(100)]

DURATION, USER = "metadata.duration_ms", "metadata.user_id"
COUNT = {"measures": ["count"]}


def most(by, **more):
    return {"group_by": [by], **COUNT, "order_by": "count", "order": "desc", "limit": 10, **more}


def holding(text): return {"where": {"contains": ["message", text]}}


def matching(pattern): return {"where": {"regex": ["message", pattern]}, **COUNT}


# Name, query, mark for p50 at ten million rows on two cores (ms).
QUERIES = [
    ("rare phrase, its 20 rows with all columns", {**holding("quantum flux capacitor misaligned"), "limit": 100}, 15),
    ("top 10 of metadata.user_id (100,000 values) by count", most(USER), 225),
    ("metadata.duration_ms > 900 by minute",
     {"where": {"gt": [DURATION, 900]}, "bucket": "1m", **COUNT, "limit": 100000}, 20),
    ("distinct metadata.user_id", {"measures": [{"count_distinct": USER}]}, 150),
    ("p95 of metadata.duration_ms by service",
     {"group_by": ["service"], "measures": [{"quantile": [DURATION, 0.95]}]}, 250),
    ("regular expression that no index helps, counted", matching("[aeiou][0-9]+[^0-9a-z][0-9]*7[^0-9]"), 400),
    ("top 10 services by errors", most("service", where={"eq": ["level", "ERROR"]}), 1),
    ("one trace's rows, all columns", {"where": {"eq": ["trace_id", "@TRACE@"]}, "limit": 100}, 3),
    ("newest 100", {"order": "desc", "limit": 100}, 3),
    ("one hour by level", {"start": f"{DAY}T12:00:00Z", "end": f"{DAY}T13:00:00Z", "group_by": ["level"], **COUNT}, 10),
    ("all by minute and level", {"group_by": ["level"], "bucket": "1m", **COUNT, "limit": 100000}, 120),
    ("common phrase (1 %), counted", {**holding("connection reset by peer"), **COUNT}, 100),
    ("substring through words, counted", {**holding("ction reset by pe"), **COUNT}, 800),
    ("substring into numbers, counted", {**holding("ool-3 nearly exhausted: active=4"), **COUNT}, 800),
    ("short substring, counted", {**holding("4a"), **COUNT}, 800),
    ("regular expression, counted", matching(r"timeout after [0-9]+\.[0-9]+ ms|retrying .* attempt=[3-5] "), 900),
    ("regular expression on numbers, counted", matching("status=5[0-9][0-9] bytes=[0-9]{3} "), 900),
    ("count, sum, least, most and mean of metadata.duration_ms",
     {"measures": ["count"] + [{name: DURATION} for name in ("sum", "min", "max", "avg")]}, "–"),
    ("10,000 rows, all columns", {"limit": 10000}, "–"),
]
# What must not grow with the store: those of QUERIES, and by how much at most for ten times the rows.
GROWTH = [QUERIES[0][0], "newest 100", "one trace's rows, all columns", "one hour by level"]
GROWTH_MARK = 1.3
# MiB of memory while ingesting, mapped pages counted, as containers count them.
MAPPED_MARK = 400


def say(text): print(text, flush=True)


class Server:
    """One run of the server on a free port; samples its memory until stopped."""

    def __init__(self, data, config=None):
        command = [BINARY, "serve", "--data-dir", data, "--port", "0"]
        if config: command += ["--config", config]
        self.log = open(data + ".log", "ab")
        start = self.log.tell()
        self.started = time.monotonic()
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        self.port = None
        while self.port is None:
            if self.process.poll() is not None: sys.exit(f"the server stopped: see {data}.log")
            with open(data + ".log", "rb") as f:
                f.seek(start)
                found = re.search(rb"https?://127\.0\.0\.1:(\d+)", f.read())
            if found: self.port = int(found.group(1))
            else: time.sleep(0.002)
        self.peak = self.peak_mapped = 0
        self.sampling = True
        threading.Thread(target=self._sample, daemon=True).start()

    def memory(self, mapped=False):
        """Bytes of RssAnon + RssShmem; with the pages of mapped files if asked for."""
        text = open(f"/proc/{self.process.pid}/status").read()
        names = ("RssAnon", "RssShmem", "RssFile") if mapped else ("RssAnon", "RssShmem")
        return sum(int(re.search(rf"{name}:\s+(\d+) kB", text).group(1)) for name in names) * 1024

    def _sample(self):
        while self.sampling:
            try:
                self.peak = max(self.peak, self.memory())
                self.peak_mapped = max(self.peak_mapped, self.memory(mapped=True))
            except (OSError, AttributeError): return
            time.sleep(0.02)

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def cpu_exact(self):
        """Seconds, to the microsecond, of the threads there are: for what no thread ends in."""
        threads = f"/proc/{self.process.pid}/task"
        spent = [open(f"{threads}/{thread}/schedstat").read().split()[0] for thread in os.listdir(threads)]
        return sum(map(int, spent)) / 1e9

    def request(self, method, path, body=None, headers=None, connection=None):
        own = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        own.request(method, path, body if body is None or isinstance(body, bytes) else json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
        answer = own.getresponse()
        text = answer.read()
        if answer.status >= 300: raise RuntimeError(f"{method} {path}: {answer.status} {text[:300]}")
        return text

    def archive(self): self.request("POST", "/v1/admin/flush", {"archive": True}, ADMIN)

    def stop(self, how=signal.SIGTERM):
        self.sampling = False
        self.process.send_signal(how)
        self.process.wait()
        self.log.close()


ADMIN = {}


def load(server, data, connections, rows, requests=None, keys=(), more=()):
    command = [LOAD, data, "--port", str(server.port), "--connections", str(connections), "--rows", str(rows)]
    if requests: command += ["--requests", str(requests)]
    if keys: command += ["--keys", ",".join(keys)]
    command += more
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def tree_bytes(path, ending=""):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(path) for f in fs if f.endswith(ending))


def generator():
    shared = os.path.join(ROOT, "../shared/bench/gen.py")
    return shared if os.path.exists(shared) else os.path.join(ROOT, "Benchmarks/generate.py")


def make_data(rows, work):
    path = os.path.join(work, f"rows-{rows}.jsonl")
    say(f"making {rows:,} rows with {os.path.basename(generator())} …")
    subprocess.run([sys.executable, generator(), str(rows), path], check=True, stdout=subprocess.DEVNULL)
    return path


def config_with_keys(work):
    path = os.path.join(work, "bench.yaml")
    with open(path, "w") as f:
        f.write("native:\n  api_keys:\n")
        for i, key in enumerate(KEYS): f.write(f"    - {{name: tenant-{i}, key: {key}, tenant: tenant-{i}, role: admin}}\n")
    return path


def fresh(work, name):
    path = os.path.join(work, name)
    shutil.rmtree(path, ignore_errors=True)
    return path


def row(*cells): say("| " + " | ".join(str(c) for c in cells) + " |")


def bench_ingest(work, data, rows):
    """Bulk ingest, archiving included; leaves the store for the queries."""
    path = fresh(work, "bulk")
    server = Server(path)
    before = server.cpu()
    started = time.monotonic()
    result = load(server, data, 4, 1000)
    acknowledged = time.monotonic() - started
    server.archive()
    seconds = time.monotonic() - started
    cpu = (server.cpu() - before) / rows * 1e6
    say("\n### Ingest: 4 connections, 1,000 rows a request, synced\n")
    row("rows/s acknowledged", "rows/s incl. archiving", "CPU µs a row incl. archiving", "p50 ms", "p99 ms", "max ms", "peak memory MiB", f"with mapped pages (mark {MAPPED_MARK})", "failures")
    row(*["---"] * 9)
    row(f"{rows / acknowledged:,.0f}", f"{rows / seconds:,.0f}", f"{cpu:.2f}", f"{result['p50_ms']:.1f}", f"{result['p99_ms']:.1f}", f"{result['max_ms']:.1f}", f"{server.peak / 2**20:.0f}", f"{server.peak_mapped / 2**20:.0f}", result["failures"] or "none")
    json_bytes = os.path.getsize(data)
    block_bytes = tree_bytes(path, ".parquet")
    say(f"\non disk: {block_bytes / 1e6:,.1f} MB of blocks for {json_bytes / 1e6:,.1f} MB of JSON = 1 : {json_bytes / block_bytes:.2f}; {block_bytes / rows:.1f} bytes a row; all of data dir {tree_bytes(path) / 1e6:,.1f} MB\n")
    server.stop()
    columns = subprocess.run([BINARY, "inspect", path], capture_output=True, text=True)
    say("```\n" + columns.stdout[:6000] + "```")
    return path


def bench_tenants(work, data, rows):
    path = fresh(work, "tenants")
    server = Server(path, config_with_keys(work))
    before = server.cpu()
    started = time.monotonic()
    requests = min(rows, 1_000_000) // 10
    result = load(server, data, 4, 10, requests, KEYS)
    seconds = time.monotonic() - started
    cpu = (server.cpu() - before) / (requests * 10) * 1e6
    say("\n### Ingest: 100 tenants, 10 rows a request, 4 connections, synced\n")
    row("rows/s", "requests/s", "CPU µs a row", "p50 ms", "p99 ms", "max ms", "peak memory MiB", "failures")
    row(*["---"] * 8)
    row(f"{requests * 10 / seconds:,.0f}", f"{requests / seconds:,.0f}", f"{cpu:.2f}", f"{result['p50_ms']:.2f}", f"{result['p99_ms']:.2f}", f"{result['max_ms']:.1f}", f"{server.peak / 2**20:.0f}", result["failures"] or "none")
    server.stop()
    shutil.rmtree(path)


def bench_single(work, data, rows):
    path = fresh(work, "single")
    server = Server(path, config_with_keys(work))
    before = server.cpu()
    requests = min(rows, 300_000)
    result = load(server, data, 64, 1, requests, KEYS[:64])
    cpu = (server.cpu() - before) / requests * 1e6
    say("\n### Single records: 64 connections of 64 tenants, synced\n")
    row("records/s", "CPU µs a record", "p50 ms", "p95 ms", "p99 ms", "max ms", "peak memory MiB", "failures")
    row(*["---"] * 8)
    row(f"{result['requests_per_second']:,.0f}", f"{cpu:.1f}", f"{result['p50_ms']:.2f}", f"{result['p95_ms']:.2f}", f"{result['p99_ms']:.2f}", f"{result['max_ms']:.1f}", f"{server.peak / 2**20:.0f}", result["failures"] or "none")
    server.stop()
    shutil.rmtree(path)


def needle_trace(data, rows):
    with open(data, "rb") as f:
        f.seek(int(os.path.getsize(data) * 0.617))
        f.readline()
        return json.loads(f.readline())["trace_id"]


def ask(server, query, trace, runs, connection, path="/v1/query"):
    """The answer, ms of each run (after two more that are not counted), and CPU ms of one."""
    body = json.loads(json.dumps({"dataset": "logs", **query}).replace("@TRACE@", trace))
    for _ in range(3): answer = server.request("POST", path, body, ADMIN, connection)
    times, before = [], server.cpu_exact()
    for _ in range(runs):
        start = time.perf_counter()
        server.request("POST", path, body, ADMIN, connection)
        times.append((time.perf_counter() - start) * 1000)
    return answer, sorted(times), (server.cpu_exact() - before) / runs * 1000


def bench_queries(path, data, rows, runs=15):
    server = Server(path)
    trace = needle_trace(data, rows)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    say(f"\n### Queries over {rows:,} archived rows, warm, over HTTP ({runs} runs); marks are for ten million\n")
    row("query", "p50 ms", "p95 ms", "CPU ms", "mark ms", "answer")
    row(*["---"] * 6)
    for name, query, mark in QUERIES:
        try: answer, times, cpu = ask(server, query, trace, runs, connection)
        except (RuntimeError, OSError, http.client.HTTPException) as error:
            row(name, "failed", "", "", mark, str(error)[:120])
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
            continue
        short = f"{len(answer):,} bytes" if len(answer) > 90 else answer.decode().strip().replace("|", "\\|")
        row(name, f"{statistics.median(times):.1f}", f"{times[int(len(times) * 0.95)]:.1f}", f"{cpu:.1f}", mark, short)
    say(f"\npeak memory while querying: {server.peak / 2**20:.0f} MiB, with mapped pages {server.peak_mapped / 2**20:.0f}")
    server.stop()


# What the page asks before it shows rows; marks at one and at ten million rows.
TIMEOUTS = r"timeout after [0-9]+\.[0-9]+ ms|retrying .* attempt=[3-5] "
NUMBERS = "[aeiou][0-9]+[^0-9a-z][0-9]*7[^0-9]"
ERRORS = {"field": "level", "in": ["ERROR", "FATAL"]}
FIELDS = ["level", "service", "env", "labels.host", DURATION]
SUMMARY = {"bucket": "10m", "by": "level", "fields": FIELDS}
SUMMARIES = [
    ("total, bars and five fields", {}, (100, 300)),
    ("one field filtered", {"filters": [ERRORS]}, ("–", "–")),
    ("a field of 100,000 values among them", {"fields": FIELDS[:3] + [USER, DURATION]}, ("–", "–")),
    ("a regular expression", {"where": {"regex": ["message", TIMEOUTS]}}, ("–", 600)),
    ("a regular expression that no index helps", {"where": {"regex": ["message", NUMBERS]}}, ("–", 600)),
]


def bench_summary(path, data, rows, runs=9):
    server = Server(path)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    say(f"\n### Summaries over {rows:,} archived rows, over HTTP (the first time, then {runs} runs)\n")
    row("summary", "first ms", "p50 ms", "p95 ms", "CPU ms", "mark ms")
    row(*["---"] * 6)
    for name, more, marks in SUMMARIES:
        query = {**SUMMARY, **more}
        start = time.perf_counter()
        server.request("POST", "/v1/summary", {"dataset": "logs", **query}, ADMIN, connection)
        first = (time.perf_counter() - start) * 1000
        _, times, cpu = ask(server, query, "", runs, connection, "/v1/summary")
        p50, p95 = statistics.median(times), times[int(len(times) * 0.95)]
        mark = marks[0 if rows < 5_000_000 else 1]
        row(name, f"{first:.0f}", f"{p50:.1f}", f"{p95:.1f}", f"{cpu:.1f}", mark)
    server.stop()


def bench_growth(work, path, data, rows, runs=40):
    """The questions that must not grow, over a store of a tenth of the rows and over this one."""
    small = rows // 10
    small_data = os.path.join(work, f"rows-{small}.jsonl")
    if not os.path.exists(small_data): small_data = make_data(small, work)
    small_path = fresh(work, "tenth")
    server = Server(small_path)
    load(server, small_data, 4, 1000)
    server.archive()
    server.stop()
    servers = [(Server(small_path), small_data, small), (Server(path), data, rows)]
    say(f"\n### Growth from {small:,} to {rows:,} archived rows ({runs} runs); mark {GROWTH_MARK} times\n")
    row("query", "p50 ms before", "p50 ms", "times", "CPU ms before", "CPU ms", "times")
    row(*["---"] * 7)
    for name, query, _ in QUERIES:
        if name not in GROWTH: continue
        found = []
        for server, file, count in servers:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
            _, times, cpu = ask(server, query, needle_trace(file, count), runs, connection)
            found.append((statistics.median(times), cpu))
        (p50, cpu), (p50_more, cpu_more) = found
        row(name, f"{p50:.2f}", f"{p50_more:.2f}", f"{p50_more / p50:.2f}", f"{cpu:.2f}", f"{cpu_more:.2f}", f"{cpu_more / cpu:.2f}")
    for server, _, _ in servers: server.stop()
    shutil.rmtree(small_path)


def first_answer(server):
    while True:
        try:
            server.request("POST", "/v1/query", {"dataset": "logs", "order": "desc", "limit": 1}, ADMIN)
            return time.monotonic() - server.started
        except (OSError, http.client.HTTPException):
            time.sleep(0.005)


def bench_start(work, path, data, rows):
    say("\n### Start\n")
    row("what", "seconds to the first answer")
    row("---", "---")
    server = Server(path)
    row(f"{rows:,} archived rows", f"{first_answer(server):.2f}")
    time.sleep(2)
    idle = server.memory()
    server.stop()
    full = fresh(work, "head")
    server = Server(full)
    load(server, data, 4, 1000, min(1000, rows // 1000))
    server.stop(signal.SIGKILL)
    server = Server(full)
    row(f"after kill -9 with {min(1_000_000, rows):,} rows in the head", f"{first_answer(server):.2f}")
    server.stop()
    shutil.rmtree(full)
    say(f"\nidle memory with {rows:,} archived rows: {idle / 2**20:.0f} MiB")


def bench_idle(work):
    server = Server(fresh(work, "idle"))
    sockets = []
    for _ in range(10_000):
        s = socket.create_connection(("127.0.0.1", server.port))
        sockets.append(s)
    time.sleep(1)
    started = time.perf_counter()
    server.request("GET", "/healthz")
    say(f"\n10,000 idle connections: {server.memory() / 2**20:.0f} MiB, /healthz answers in {(time.perf_counter() - started) * 1000:.1f} ms")
    for s in sockets: s.close()
    server.stop()


class Reader:
    """One kept connection for GETs that counts bytes and parses nothing, so that the client's time stays small."""

    def __init__(self, server, token):
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.token = token
        self.buffer = bytearray(1 << 20)

    def get(self, path):
        """(ms to the last byte, ms to the first, bytes, the last up to 1 MiB that came)."""
        request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.token}\r\n\r\n".encode()
        started, first, total, head, tail = time.perf_counter(), None, 0, b"", b""
        self.socket.sendall(request)
        while True:
            count = self.socket.recv_into(self.buffer)
            if count == 0: raise RuntimeError(f"{path}: the server closed the connection")
            first = first or time.perf_counter()
            total += count
            tail = tail[-8:] + self.buffer[:count] if count < 8 else bytes(self.buffer[:count])
            if b"\r\n\r\n" not in head[-4:]:
                head += tail
                end = head.find(b"\r\n\r\n")
                if end < 0: continue
                head = head[:end + 4]
                if int(head.split(b" ", 2)[1]) != 200: raise RuntimeError(f"{path}: {head} {tail[:300]}")
                length = re.search(rb"content-length: *(\d+)", head, re.I)
                want = len(head) + int(length.group(1)) if length else None
            if total == want or want is None and tail.endswith(b"\r\n0\r\n\r\n"): break
        ended = time.perf_counter()
        return (ended - started) * 1000, (first - started) * 1000, total, tail


def session_data(data, rows, work):
    """The rows again with timestamp (to the microsecond), level and message only, which is what the sessions API takes."""
    path = os.path.join(work, f"sessions-{rows}.jsonl")
    if os.path.exists(path): return path
    say(f"making {rows:,} rows of three fields …")
    line = re.compile(rb'\{"timestamp":"([-0-9T:]{19}\.[0-9]{6})[0-9]*Z","level":("[A-Z]+").*?"message":("(?:[^"\\]|\\.)*").*')
    with open(data, "rb") as source, open(path + ".part", "wb", buffering=1 << 22) as out:
        for _, text in zip(range(rows), source): out.write(line.sub(rb'{"timestamp":"\1Z","level":\2,"message":\3}', text))
    os.rename(path + ".part", path)
    return path


def login(server, connection=None):
    return json.loads(server.request("POST", "/api/auth/login", {"username": "admin", "password": "admin"}, connection=connection))["token"]


def make_sessions(server, token, names):
    """Makes the sessions and their containers; their paths for writing and reading."""
    bearer = {"Authorization": f"Bearer {token}"}
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    for container in sorted({container for container, _ in names}): server.request("POST", "/api/containers", {"container_id": container}, bearer, connection)
    for container, session in names: server.request("POST", f"/api/containers/{container}/sessions", {"session_id": session}, bearer, connection)
    return [f"/api/logs/{container}/{session}" for container, session in names]


def load_sessions(server, data, connections, rows, requests, token, paths, work):
    with open(os.path.join(work, "paths"), "w") as f: f.write("\n".join(paths) + "\n")
    return load(server, data, connections, rows, requests, [token], ["--wrap", "logs", "--paths-from", f.name])


def check_archived(path, rows):
    text = subprocess.run([BINARY, "inspect", path], check=True, capture_output=True, text=True).stdout
    there = sum(int(count.replace(",", "")) for count in re.findall(r"^  blocks +([0-9,]+) records", text, re.M))
    if there != rows: raise RuntimeError(f"{there:,} rows in blocks instead of {rows:,}")


def busy(): return f"{os.getloadavg()[0]:.2f}"


def spread(times): return [f"{statistics.median(times):.1f}", f"{sorted(times)[int(len(times) * 0.95)]:.1f}", f"{max(times):.1f}"]


def sessions_ingest(work, data, rows, runs):
    say(f"\n### Sessions: {rows:,} rows, 4 connections, 4 sessions, 1,000 rows a request, synced\n\nmarks: 400,000 rows/s acknowledged, 3 µs a row\n")
    row("run", "load before", "rows/s acknowledged", "rows/s incl. archiving", "CPU µs a row until acknowledged", "CPU µs a row incl. archiving", "p50 ms", "p99 ms", "max ms", "peak memory MiB", "bytes a row in blocks", "failures")
    row(*["---"] * 12)
    for run in range(runs):
        path, before_load = fresh(work, "sessions"), busy()
        server = Server(path)
        token = login(server)
        paths = make_sessions(server, token, [("web", f"s{i}") for i in range(4)])
        before = server.cpu()
        result = load_sessions(server, data, 4, 1000, rows // 1000, token, paths, work)
        middle = server.cpu()
        server.archive()
        seconds = time.monotonic() - result["started"]
        row(run + 1, before_load, f"{rows / result['seconds']:,.0f}", f"{rows / seconds:,.0f}", f"{(middle - before) / rows * 1e6:.2f}", f"{(server.cpu() - before) / rows * 1e6:.2f}", f"{result['p50_ms']:.1f}", f"{result['p99_ms']:.1f}", f"{result['max_ms']:.1f}", f"{server.peak / 2**20:.0f}", f"{tree_bytes(path, '.parquet') / rows:.1f}", result["failures"] or "none")
        server.stop()
        check_archived(path, rows)
        shutil.rmtree(path)


def sessions_single(work, data, runs, requests=300_000):
    say("\n### Sessions: 64 connections, 64 sessions, one row a request, synced\n\nmark: 10,000/s\n")
    row("run", "load before", "records/s", "CPU µs a record", "p50 ms", "p95 ms", "p99 ms", "max ms", "peak memory MiB", "failures")
    row(*["---"] * 10)
    for run in range(runs):
        path, before_load = fresh(work, "sessions"), busy()
        server = Server(path)
        token = login(server)
        paths = make_sessions(server, token, [("web", f"s{i}") for i in range(64)])
        before = server.cpu()
        result = load_sessions(server, data, 64, 1, requests, token, paths, work)
        row(run + 1, before_load, f"{result['requests_per_second']:,.0f}", f"{(server.cpu() - before) / requests * 1e6:.1f}", f"{result['p50_ms']:.2f}", f"{result['p95_ms']:.2f}", f"{result['p99_ms']:.2f}", f"{result['max_ms']:.1f}", f"{server.peak / 2**20:.0f}", result["failures"] or "none")
        server.stop()
        shutil.rmtree(path)


def sessions_reads(work, data, runs, rows=100_000):
    say(f"\n### Sessions: reads of one session of {rows:,} rows, one kept connection\n\nmarks: range p50 5 ms; stream 150 ms\n")
    row("read", "rows are in", "run", "load before", "p50 ms", "p95 ms", "max ms", "p50 ms to the first byte", "CPU ms", "MB")
    row(*["---"] * 10)
    with open(data, "rb") as f: times = [json.loads(next(f))["timestamp"] for _ in range(rows)]
    server = Server(fresh(work, "sessions"))
    token = login(server)
    path = make_sessions(server, token, [("web", "s")])[0]
    load_sessions(server, data, 4, 1000, rows // 1000, token, [path], work)
    reader, rng = Reader(server, token), random.Random(7)

    def range_path():
        first = rng.randrange(rows - 1000)
        return f"{path}?start_ts={times[first]}&end_ts={times[first + 999]}"

    for state in ("the journal", "blocks"):
        if state == "blocks": server.archive()
        for name, make, count, rows_there in (("range of 1,000 rows", range_path, 200, 1000), ("all, stream=true", lambda: path + "?stream=true", 20, rows), ("all", lambda: path, 20, rows)):
            if bool(tree_bytes(os.path.join(work, "sessions"), ".parquet")) != (state == "blocks"): raise RuntimeError(f"the rows are not in {state}")
            there = len(json.loads(server.request("GET", make(), headers={"Authorization": f"Bearer {token}"}))["logs"])
            if there != rows_there: raise RuntimeError(f"{name}: {there} rows instead of {rows_there}")
            for run in range(runs):
                before_load, before = busy(), server.cpu()
                answers = [reader.get(make()) for _ in range(count)]
                cpu = (server.cpu() - before) / count * 1000
                row(name, state, run + 1, before_load, *spread([a[0] for a in answers]), f"{statistics.median(a[1] for a in answers):.1f}", f"{cpu:.2f}", f"{answers[-1][2] / 1e6:.2f}")
    say(f"\npeak memory: {server.peak / 2**20:.0f} MiB")
    server.stop()
    shutil.rmtree(os.path.join(work, "sessions"))


def at_once(clients, count, body):
    """Seconds that `count` calls of body(client) take from so many threads, and the ms of each."""
    times, left = [], iter(range(count))

    def work(client):
        for _ in left:
            started = time.perf_counter()
            body(client)
            times.append((time.perf_counter() - started) * 1000)

    threads = [threading.Thread(target=work, args=(client,)) for client in range(clients)]
    started = time.perf_counter()
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    return time.perf_counter() - started, times


def sessions_login(work, count=60):
    say("\n### Sessions: logins\n")
    row("what", "clients", "load before", "a second", "p50 ms", "p95 ms", "max ms", "CPU ms each")
    row(*["---"] * 8)
    server = Server(fresh(work, "sessions"))
    for clients in (1, 8):
        connections = [http.client.HTTPConnection("127.0.0.1", server.port, timeout=600) for _ in range(clients)]
        for connection in connections: server.request("GET", "/healthz", connection=connection)
        before_load, before = busy(), server.cpu()
        seconds, times = at_once(clients, count, lambda client: login(server, connections[client]))
        row("login", clients, before_load, f"{len(times) / seconds:.1f}", *spread(times), f"{(server.cpu() - before) / count * 1000:.1f}")
    server.stop()
    for clients in (1, os.cpu_count()):
        before_load, before = busy(), time.process_time()
        seconds, times = at_once(clients, count, lambda _: hashlib.scrypt(b"admin", salt=b"0123456789abcdef", n=2**15, r=8, p=1, maxmem=2**26, dklen=32))
        row("scrypt alone (Python)", clients, before_load, f"{len(times) / seconds:.1f}", *spread(times), f"{(time.process_time() - before) / count * 1000:.1f}")


def sessions_many(work, data, runs, rows, rows_each, rows_request):
    count = rows // rows_each
    say(f"\n### Sessions: one of {rows_each:,} rows among {count:,} sessions, {rows:,} rows, {rows_request:,} a request\n\nmark: 10 ms\n")
    path, before_load = fresh(work, "sessions"), busy()
    server = Server(path)
    token = login(server)
    started, before = time.monotonic(), server.cpu()
    paths = make_sessions(server, token, [(f"c{i % 10}", f"session-{i:05d}") for i in range(count)])
    seconds = time.monotonic() - started
    say(f"making {count:,} sessions in 10 containers, one connection: {seconds:.1f} s ({count / seconds:,.0f} a second, {(server.cpu() - before) / count * 1e6:.0f} µs CPU each; load before {before_load})  ")
    before, before_load = server.cpu(), busy()
    result = load_sessions(server, data, 4, rows_request, rows // rows_request, token, paths, work)
    server.archive()
    seconds = time.monotonic() - result["started"]
    say(f"writing: {rows / result['seconds']:,.0f} rows/s acknowledged, {rows / seconds:,.0f} incl. archiving, {(server.cpu() - before) / rows * 1e6:.2f} µs CPU a row, p50 {result['p50_ms']:.1f} ms, p99 {result['p99_ms']:.1f} ms, failures: {result['failures'] or 'none'}, peak memory {server.peak / 2**20:.0f} MiB, {tree_bytes(path, '.parquet') / rows:.1f} bytes a row in {sum(f.endswith('.parquet') for _, _, fs in os.walk(path) for f in fs)} blocks (load before {before_load})\n")
    row("reads of random sessions", "run", "load before", "p50 ms", "p95 ms", "max ms", "CPU ms")
    row(*["---"] * 7)
    rng = random.Random(7)
    for state in ("same server", "after a restart"):
        if state != "same server":
            server.stop()
            check_archived(path, rows)
            server = Server(path)
        bearer = {"Authorization": f"Bearer {token}"}
        there = len(json.loads(server.request("GET", paths[count // 2], headers=bearer))["logs"])
        if there != rows_each: raise RuntimeError(f"{there} rows instead of {rows_each}")
        reader = Reader(server, token)
        for run in range(runs):
            before_load, before = busy(), server.cpu()
            times = [reader.get(rng.choice(paths))[0] for _ in range(200)]
            row(state, run + 1, before_load, *spread(times), f"{(server.cpu() - before) / 200 * 1000:.2f}")
    server.stop()
    shutil.rmtree(path)


def bench_sessions(work, data, rows, runs, parts):
    """The sessions API: each figure so many times, since the machine may be busy with other things; the best counts."""
    data = session_data(data, rows, work)
    if "ingest" in parts: sessions_ingest(work, data, min(rows, 5_000_000), runs)
    if "single" in parts: sessions_single(work, data, runs, min(rows, 300_000))
    if "reads" in parts: sessions_reads(work, data, runs, min(rows, 100_000))
    if "login" in parts: sessions_login(work)
    if "many" in parts: sessions_many(work, data, runs, rows, 1000, 1000)
    if "spread" in parts: sessions_many(work, data, runs, rows, 1000, 100)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data")
    parser.add_argument("--store", help="an archived store of an earlier run, for --only queries,growth,start")
    parser.add_argument("--work", default=os.path.join(ROOT, ".build-bench"))
    parser.add_argument("--only", default=PARTS)
    parser.add_argument("--sessions", default="ingest,single,reads,login,many,spread", help="what of the part sessions")
    parser.add_argument("--runs", type=int, default=3, help="runs of each figure of the parts that have several")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    data = arguments.data or os.path.join(arguments.work, f"rows-{arguments.rows}.jsonl")
    if not os.path.exists(data) and arguments.only != "days": data = make_data(arguments.rows, arguments.work)
    rows = arguments.rows
    parts = arguments.only.split(",")
    path = arguments.store or os.path.join(arguments.work, "bulk")
    if "ingest" in parts: path = bench_ingest(arguments.work, data, rows)
    if "queries" in parts: bench_queries(path, data, rows)
    if "summary" in parts: bench_summary(path, data, rows)
    if "days" in parts:
        import days
        days.bench(sys.modules[__name__], arguments.work, rows, arguments.runs)
    if "growth" in parts: bench_growth(arguments.work, path, data, rows)
    if "start" in parts: bench_start(arguments.work, path, data, rows)
    if "tenants" in parts: bench_tenants(arguments.work, data, rows)
    if "single" in parts: bench_single(arguments.work, data, rows)
    if "pushes" in parts:
        import pushes
        pushes.bench(sys.modules[__name__], arguments.work, data, rows, arguments.runs)
    if "idle" in parts: bench_idle(arguments.work)
    if "audit" in parts:
        import audit
        audit.bench(sys.modules[__name__], arguments.work, rows)
    if "crowd" in parts:
        import audit
        audit.bench_crowd(sys.modules[__name__], arguments.work, arguments.runs)
    if "live" in parts:
        import live
        live.bench(sys.modules[__name__], arguments.work, arguments.runs)
    if "ingest-api" in parts:
        import live
        live.bench_ingest(sys.modules[__name__], arguments.work, arguments.runs)
    if "sessions" in parts: bench_sessions(arguments.work, data, rows, arguments.runs, arguments.sessions.split(","))


if __name__ == "__main__": main()
