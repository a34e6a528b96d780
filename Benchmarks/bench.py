"""Measures a release build of Cordwood from outside and prints the tables of Docs/benchmarks.md.

  bench.py [--rows N] [--data FILE.jsonl] [--only ingest,single,tenants,queries,start,idle]

The data is FILE, else ../shared/bench/gen.py's where that exists, else what generate.py beside this file makes (the same shape).
Everything runs on loopback against a server this script starts and stops; nothing is asserted.
"""
import argparse, http.client, json, os, re, shutil, signal, socket, statistics, subprocess, sys, tempfile, threading, time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BINARY = os.environ.get("CORDWOOD_BINARY", os.path.join(ROOT, ".build/release/cordwood"))
LOAD = os.path.join(ROOT, "Benchmarks/.build/release/cordwood-load")
TICKS = os.sysconf("SC_CLK_TCK")
DAY = "2026-11-19"
KEYS = ["bench-key-%03d-0123456789abcdef0123456789" % i for i in range(100)]

QUERIES = [
    ("newest 100", {"order": "desc", "limit": 100}, 5),
    ("one hour by level", {"start": f"{DAY}T12:00:00Z", "end": f"{DAY}T13:00:00Z", "group_by": ["level"], "measures": ["count"]}, 10),
    ("all by minute and level", {"group_by": ["level"], "bucket": "1m", "measures": ["count"], "limit": 100000}, 120),
    ("one trace_id", {"where": {"eq": ["trace_id", "@TRACE@"]}, "limit": 100}, 10),
    ("rare phrase (20 rows)", {"where": {"contains": ["message", "quantum flux capacitor misaligned"]}, "limit": 100}, 40),
    ("common phrase (1 %) counted", {"where": {"contains": ["message", "connection reset by peer"]}, "measures": ["count"]}, 100),
    ("substring through words, counted", {"where": {"contains": ["message", "ction reset by pe"]}, "measures": ["count"]}, 800),
    ("substring into numbers, counted", {"where": {"contains": ["message", "ool-3 nearly exhausted: active=4"]}, "measures": ["count"]}, 800),
    ("short substring, counted", {"where": {"contains": ["message", "4a"]}, "measures": ["count"]}, 800),
    ("regular expression, counted", {"where": {"regex": ["message", "timeout after [0-9]+\\.[0-9]+ ms|retrying .* attempt=[3-5] "]}, "measures": ["count"]}, 900),
    ("regular expression on numbers, counted", {"where": {"regex": ["message", "status=5[0-9][0-9] bytes=[0-9]{3} "]}, "measures": ["count"]}, 900),
    ("top 10 services by errors", {"where": {"eq": ["level", "ERROR"]}, "group_by": ["service"], "measures": ["count"], "order_by": "count", "order": "desc", "limit": 10}, 5),
]


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
                found = re.search(rb"127\.0\.0\.1:(\d+)", f.read())
            if found: self.port = int(found.group(1))
            else: time.sleep(0.002)
        self.peak = 0
        self.sampling = True
        threading.Thread(target=self._sample, daemon=True).start()

    def memory(self):
        """Bytes of RssAnon + RssShmem."""
        text = open(f"/proc/{self.process.pid}/status").read()
        return sum(int(re.search(rf"{name}:\s+(\d+) kB", text).group(1)) for name in ("RssAnon", "RssShmem")) * 1024

    def _sample(self):
        while self.sampling:
            try: self.peak = max(self.peak, self.memory())
            except (OSError, AttributeError): return
            time.sleep(0.05)

    def cpu(self):
        fields = open(f"/proc/{self.process.pid}/stat").read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

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


def load(server, data, connections, rows, requests=None, keys=()):
    command = [LOAD, data, "--port", str(server.port), "--connections", str(connections), "--rows", str(rows)]
    if requests: command += ["--requests", str(requests)]
    if keys: command += ["--keys", ",".join(keys)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def tree_bytes(path, ending=""):
    return sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(path) for f in fs if f.endswith(ending))


def make_data(rows, work):
    path = os.path.join(work, f"rows-{rows}.jsonl")
    shared = os.path.join(ROOT, "../shared/bench/gen.py")
    generator = shared if os.path.exists(shared) else os.path.join(ROOT, "Benchmarks/generate.py")
    say(f"making {rows:,} rows with {os.path.basename(generator)} …")
    subprocess.run([sys.executable, generator, str(rows), path], check=True, stdout=subprocess.DEVNULL)
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
    row("rows/s acknowledged", "rows/s incl. archiving", "CPU µs a row incl. archiving", "p50 ms", "p99 ms", "max ms", "peak memory MiB", "failures")
    row(*["---"] * 8)
    row(f"{rows / acknowledged:,.0f}", f"{rows / seconds:,.0f}", f"{cpu:.2f}", f"{result['p50_ms']:.1f}", f"{result['p99_ms']:.1f}", f"{result['max_ms']:.1f}", f"{server.peak / 2**20:.0f}", result["failures"] or "none")
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


def bench_queries(path, data, rows, runs=15):
    server = Server(path)
    trace = needle_trace(data, rows)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
    say(f"\n### Queries over {rows:,} archived rows, warm, over HTTP ({runs} runs)\n")
    row("query", "p50 ms", "p95 ms", "CPU ms", "mark ms", "answer")
    row(*["---"] * 6)
    for name, query, mark in QUERIES:
        body = json.loads(json.dumps({"dataset": "logs", **query}).replace("@TRACE@", trace))
        try:
            answer = server.request("POST", "/v1/query", body, ADMIN, connection)
        except (RuntimeError, OSError, http.client.HTTPException) as error:
            row(name, "failed", "", "", mark, str(error)[:120])
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=600)
            continue
        for _ in range(2): server.request("POST", "/v1/query", body, ADMIN, connection)
        times, before = [], server.cpu()
        for _ in range(runs):
            start = time.perf_counter()
            server.request("POST", "/v1/query", body, ADMIN, connection)
            times.append((time.perf_counter() - start) * 1000)
        cpu = (server.cpu() - before) / runs * 1000
        times.sort()
        short = f"{len(answer):,} bytes" if len(answer) > 90 else answer.decode().replace("|", "\\|")
        row(name, f"{statistics.median(times):.1f}", f"{times[int(len(times) * 0.95)]:.1f}", f"{cpu:.1f}", mark, short)
    say(f"\npeak memory while querying: {server.peak / 2**20:.0f} MiB")
    server.stop()


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--data")
    parser.add_argument("--store", help="an archived store of an earlier run, for --only queries,start")
    parser.add_argument("--work", default=os.path.join(ROOT, ".build-bench"))
    parser.add_argument("--only", default="ingest,queries,start,tenants,single,idle")
    arguments = parser.parse_args()
    os.makedirs(arguments.work, exist_ok=True)
    data = arguments.data or os.path.join(arguments.work, f"rows-{arguments.rows}.jsonl")
    if not os.path.exists(data): data = make_data(arguments.rows, arguments.work)
    rows = arguments.rows
    parts = arguments.only.split(",")
    path = arguments.store or os.path.join(arguments.work, "bulk")
    if "ingest" in parts: path = bench_ingest(arguments.work, data, rows)
    if "queries" in parts: bench_queries(path, data, rows)
    if "start" in parts: bench_start(arguments.work, path, data, rows)
    if "tenants" in parts: bench_tenants(arguments.work, data, rows)
    if "single" in parts: bench_single(arguments.work, data, rows)
    if "idle" in parts: bench_idle(arguments.work)


main()
