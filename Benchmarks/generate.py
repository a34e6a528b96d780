"""Makes benchmark records: generate.py ROWS OUT.jsonl [--seed N] [--day 2026-11-19]. The same each time.

One JSON object a line with ten fields: timestamp (strictly increasing over one day), level, service, env, host, message, trace_id,
user_id, duration_ms, status. About 1 % of the messages hold "connection reset by peer", and 20 rows spread over the file
hold "quantum flux capacitor misaligned".
"""
import argparse, datetime, json, math, random

parser = argparse.ArgumentParser()
parser.add_argument("rows", type=int)
parser.add_argument("out")
parser.add_argument("--seed", type=int, default=7)
parser.add_argument("--day", default="2026-11-19")
arguments = parser.parse_args()
rows, out = arguments.rows, arguments.out
rng = random.Random(arguments.seed)
SERVICES = [f"{a}-{b}" for a in ("billing", "catalog", "checkout", "gateway", "identity", "ledger", "mailer", "search") for b in ("api", "worker", "cron", "edge", "cache")]
WEIGHTS = [1 / (i + 1) for i in range(len(SERVICES))]
HOSTS = [f"node-{i // 16}-{i % 16}.cluster.internal" for i in range(200)]
TABLES = ["accounts", "events", "invoices", "items", "sessions", "tokens"]
PATHS = ["/v1/accounts/%d", "/v1/items/%d/stock", "/v2/basket/%d", "/assets/%d.css", "/v1/find?text=t%d"]
INFO = [
    lambda: f'{ip()} - "GET {random_path()} HTTP/1.1" 200 {number()} rt={millis()}',
    lambda: f"request finished method=PUT path={random_path()} status=204 bytes={number()} duration={millis()}ms request_id=r-{hexa(8)}",
    lambda: f"invoice {number()} for customer {number()} sent to queue outgoing, attempt 1 of 3, batch {hexa(8)}",
    lambda: f"statement on table {rng.choice(TABLES)} took {millis()} ms, {number()} rows, connection=pool-{rng.randint(1, 9)} tx={number()}",
    lambda: f"session {hexa(8)}-{number()} of user {number()} started from {ip()}, two factors, language=en",
]
WARN = [
    lambda: f"slow statement on table {rng.choice(TABLES)}: {millis()} ms (threshold 500 ms), tx={number()}, hash={hexa(8)}",
    lambda: f"retrying request to {ip()}:8443 attempt={rng.randint(1, 9)} backoff={number()}ms request_id=r-{hexa(8)}",
]
ERROR = [
    lambda: f"could not charge invoice {number()}: timeout after {millis()} ms calling http://{ip()}:9090{random_path()} request_id=r-{hexa(8)}",
    lambda: f"upstream {ip()}:8443 closed the connection while reading the head, request {random_path()}, tx={number()}",
]
RESET = lambda: f"read tcp {ip()}:{number()}->{ip()}:5432: connection reset by peer while flushing batch {hexa(8)} table={rng.choice(TABLES)}"
RARE = lambda: f"quantum flux capacitor misaligned on relay {rng.randint(1, 9)}: drift {millis()} ms, node {ip()} token {hexa(8)}"
DEBUG = lambda: f"entering handler {random_path()} trace={hexa(8)} user={number()} flags=[a{rng.randint(1, 9)}] heap={number()}"


def ip(): return ".".join(str(rng.randint(1, 254)) for _ in range(4))
def number(): return rng.randint(1, 1_000_000)
def millis(): return round(math.exp(rng.gauss(3, 1.1)), 3)
def hexa(digits): return f"{rng.getrandbits(digits * 4):0{digits}x}"
def random_path(): return rng.choice(PATHS) % number()


services = rng.choices(SERVICES, WEIGHTS, k=100_000)
rare = {int((i + 0.5) * rows / 20) for i in range(20)}
day = datetime.datetime.fromisoformat(arguments.day)
step = 86_400 * 10**9 // rows
with open(out, "w", buffering=1 << 22) as file:
    for i in range(rows):
        draw = rng.random()
        level, makers = ("INFO", INFO) if draw < 0.8 else ("WARN", WARN) if draw < 0.92 else ("ERROR", ERROR) if draw < 0.98 else ("DEBUG", [DEBUG])
        if level == "ERROR" and rng.random() < 1 / 6: makers = [RESET]
        if i in rare: makers = [RARE]
        nanos = i * step + rng.randrange(max(1, step - 1))
        seconds, fraction = divmod(nanos, 10**9)
        file.write(json.dumps({
            "timestamp": f"{(day + datetime.timedelta(seconds=seconds)).isoformat()}.{fraction:09d}Z", "level": level, "service": services[rng.randrange(100_000)],
            "env": rng.choices(("prod", "staging", "dev"), (7, 2, 1))[0], "host": HOSTS[rng.randrange(200)], "message": rng.choice(makers)(), "trace_id": hexa(32),
            "user_id": f"u{int(rng.paretovariate(0.6)) % 100_000:06d}", "duration_ms": millis(), "status": rng.choice((200, 201, 204, 304) if level == "INFO" else (429, 500, 502, 503))},
            separators=(",", ":")) + "\n")
