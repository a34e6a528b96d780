"""make bench's parts live and ingest-api: subscribers beside writers, and entries masked and forwarded."""
import http.server, json, os, signal, statistics, subprocess, threading, time

LIVE = os.path.join(os.path.dirname(os.path.abspath(__file__)), ".build/release/cordwood-live")
TOKEN = "bench-0123456789abcdef0123456789"


def live(server, *options):
    command = [LIVE, "--port", str(server.port)] + [str(option) for option in options]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def bench(b, work, runs):
    b.say("\n### Live: 1,000 subscribers in 20 groups, 1,000 records/s, synced\n\nmarks: frame p50 20 ms, p99 100 ms behind the acknowledge; 256 MiB\n")
    b.row("stalled beside them", "records/s", "frames/s", "frame p50, ms", "p99, ms", "ack p99, ms", "peak MiB")
    b.row(*["---"] * 7)
    for stalled in (0, 200) * runs:
        server = b.Server(b.fresh(work, "live"))
        result = live(server, "--subscribers", 1_000 + stalled, "--stalled", stalled, "--users", 20, "--rate", 1_000, "--seconds", 10)
        peak = server.peak / 1_048_576
        server.stop(signal.SIGKILL)
        b.row(stalled, result["written_per_second"], result["frames_per_second"], f"{result['frame_p50_ms']:.1f}",
              f"{result['frame_p99_ms']:.1f}", f"{result['ack_p99_ms']:.1f}", f"{peak:.0f}")
    server = b.Server(b.fresh(work, "live"))
    put = live(server, "--subscribers", 1, "--users", 20, "--rate", 0, "--connections", 64, "--seconds", 5)
    head = live(server, "--mode", "verify", "--connections", 64, "--seconds", 5)
    block = live(server, "--mode", "verify", "--archive", 1, "--connections", 64, "--seconds", 5)
    server.stop(signal.SIGKILL)
    b.say(f"\nput with a subscriber, 64 connections: {put['written_per_second']:,}/s (mark 8,000); verify from the head {head['per_second']:,}/s (mark 10,000), from a block {block['per_second']:,}/s")


class Sink(http.server.BaseHTTPRequestHandler):
    """Stands in for Loki: takes everything."""
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_): pass


def entries(work, rows=1_000_000):
    """Entries as the ingest API takes them, one a line; each has a member that is masked."""
    path = os.path.join(work, f"entries-{rows}.jsonl")
    if not os.path.exists(path):
        with open(path, "w") as f:
            for i in range(rows):
                f.write(json.dumps({
                    "timestamp": "2025-09-24T12:%02d:%02d.%03dZ" % (i // 60_000 % 60, i // 1_000 % 60, i % 1_000),
                    "level": ("INFO", "INFO", "WARN", "ERROR")[i % 4], "message": f"order {i * 7919 % 1_000_003} placed by a customer of shop {i % 97} in time",
                    "service": ("payments-api", "shop", "auth-api")[i % 3], "env": "prod", "trace_id": "%032x" % (i * 0x9E3779B97F4A7C15 % (1 << 128)),
                    "labels": {"region": "eu-west-1"}, "metadata": {"order_id": f"O-{i}", "password": "hunter2", "duration_ms": i % 5_000}}) + "\n")
    return path


def bench_ingest(b, work, runs):
    sink = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=sink.serve_forever, daemon=True).start()
    data = entries(work)
    b.say("\n### Ingest API: 500 entries a request, 4 connections, synced, interleaved\n\nmarks: 200,000 entries/s with masking, which costs 25 %; forwarder 100,000/s; p99 with Loki down 1.5 times that while it is up\n")
    b.row("", "entries/s", "p50, ms", "p99, ms", "all forwarded after, s")
    b.row(*["---"] * 5)
    found = {}
    for _ in range(runs):
        for name, apis, port in (("masked, Loki up", "[ingest]", sink.server_port), ("not masked, Loki up", "[]", sink.server_port), ("masked, Loki down", "[ingest]", 9)):
            config = os.path.join(work, "ingest.yaml")
            with open(config, "w") as f:
                f.write(f"logging: {{access: security}}\nmasking: {{apis: {apis}}}\n")
                f.write(f"security:\n  rate_limit_rps: 1000000\n  rate_limit_burst: 1000000\n  api_keys:\n    {TOKEN}: {{name: bench, active: true}}\n")
                f.write(f"loki: {{base_url: 'http://127.0.0.1:{port}'}}\n")
            server = b.Server(b.fresh(work, "ingest"), config)
            started = time.monotonic()
            result = b.load(server, data, 4, 500, 2_000, [TOKEN], ["--paths", "/v1/logs:ingest", "--wrap", "entries"])
            others = set(result["failures"]) - {"202"}
            if others: raise RuntimeError(f"requests were answered {others}")
            count = 1_000_000
            after = "-"
            while port != 9:
                text = server.request("GET", "/metrics").decode()
                if f'loki_entries_forwarded_total{{token="bench"}} {count}' in text:
                    after = f"{time.monotonic() - started:.1f}"
                    break
                time.sleep(0.05)
            server.stop(signal.SIGKILL)
            found.setdefault(name, []).append((count / result["seconds"], result["p50_ms"], result["p99_ms"], after))
    sink.shutdown()
    for name, results in found.items():
        middle = [statistics.median(result[i] for result in results) for i in range(3)]
        b.row(name, f"{middle[0]:,.0f}", f"{middle[1]:.1f}", f"{middle[2]:.1f}", ", ".join(result[3] for result in results))
