"""Strangers who send what is no, or two, or half an HTTP request."""

import gzip
import json

from actor import Actor
from estate import QUIET, USER
from wire import frame, request

MARK = "\u0301"
PATHS = [
    "/",
    "/healthz",
    "/health",
    "/readyz",
    "/metrics",
    "/openapi.json",
    "/v1/query",
    "/v1/records/logs",
    "/v1/tail/logs",
    "/v1/delete",
    "/v1/admin/flush",
    "/v1/admin/status",
    "/v1/logs:ingest",
    "/api/auth/login",
    "/api/users",
    "/api/keys",
    "/api/containers",
    "/api/logs/torture/s1",
    "/api/v1/logs",
    "/api/v1/login",
    "/api/v1/logs/export",
    "/api/v1/tenants",
    "/api/v1/metrics/overview",
    "/cubejs-api/v1/load",
    "/ws/logs",
    "/ws/stream",
    "/api/v1/logs/stream",
    "/api/v1/websocket-info",
    "/api/v1/verify/x",
    "/docs",
]
FIELDS = [
    "Authorization",
    "X-API-Key",
    "Idempotency-Key",
    "Content-Type",
    "Accept",
    "Accept-Encoding",
    "Origin",
    "Content-Encoding",
    "Prefer",
    "Cordwood-Import",
    "Sec-WebSocket-Protocol",
    "Last-Event-ID",
    "X-Forwarded-For",
    "X-Request-Id",
    "Cookie",
    "User-Agent",
    "Access-Control-Request-Method",
]

# Header fields beside a Host that make a request one of two meanings, or none.
AMBIGUOUS = [
    [("Host", "b")],
    [("Transfer-Encoding", "chunked"), ("Content-Length", "5")],
    [("Transfer-Encoding", "")],
    [("Transfer-Encoding", ""), ("Content-Length", "5")],
    [("Transfer-Encoding", "chunked, identity")],
    [("Transfer-Encoding", "gzip, chunked")],
    [("Transfer-Encoding", "\x0bchunked")],
    [("Transfer-Encoding", "chunked"), ("Transfer-Encoding", "chunked")],
    [("Transfer-Encoding ", "chunked")],
    [("Content-Length", "5"), ("Content-Length", "6")],
    [("Content-Length", "+5")],
    [("Content-Length", "5, 5")],
    [("Content-Length", "0x5")],
    [("Content-Length", "-1")],
    [("Content-Length", "")],
    [("Content-Length", "9" * 30)],
    [(" Content-Length", "5")],
    [("X", "1\r\n folded")],
    [("X", "1\nContent-Length: 4")],
    [("X", "1\rContent-Length: 4")],
    [("X", "1\0")],
    [("X Y", "1")],
    [("", "1")],
]


class Framing(Actor):
    """Connections, and no credential."""

    name, address = "framing strangers", "127.0.1.1"

    def attacks(self):
        return [
            (6, self.smuggle),
            (3, self.chunks),
            (3, self.noise),
            (3, self.huge_head),
            (4, self.traverse),
            (2, self.pipeline),
            (2, self.websocket),
            (2, self.damaged_tls),
            (3, self.marks),
            (1, self.bomb),
            (2, self.control_characters),
        ]

    def path(self):
        return self.choice.choice(PATHS)

    def smuggle(self):
        """What two programs would read differently is refused, and so is what comes behind it."""
        method, path = self.choice.choice(
            [("GET", "/healthz"), ("POST", "/api/auth/login"), ("DELETE", "/health")]
        )
        raw = request(method, path, [("Host", "a"), *self.choice.choice(AMBIGUOUS)])
        if self.choice.random() < 0.2:
            raw = request(method, path, [("Host", "a"), ("Transfer-Encoding", "chunked")])
            raw = raw.replace(b"HTTP/1.1", b"HTTP/1.0")
        statuses = self.hand.throw("smuggling", raw + b"0\r\n\r\n" + request("GET", "/health"), wait=0.3)
        if any(status < 400 for status in statuses):
            self.watch.fault("what is ambiguous is answered", str(statuses), raw)

    def chunks(self):
        sizes = [
            "f" * 16,
            "f" * 17,
            "7fffffffffffffff",
            "8000000000000000",
            "-1",
            "0x10",
            "4;" + "x" * 5000,
            "",
            " 4",
            "4 ",
            "g",
            "0" * 3000 + "4",
        ]
        raw = request(
            "POST",
            self.choice.choice(["/api/auth/login", "/v1/query", "/api/v1/login"]),
            [("Host", "a"), ("Transfer-Encoding", "chunked"), ("Content-Type", "application/json")],
        )
        raw += (
            self.choice.choice(sizes).encode()
            + self.choice.choice([b"\r\n", b"\n", b"\r"])
            + b"abcd\r\n0\r\n"
        )
        raw += self.choice.choice([b"\r\n", b"X: y\r\n\r\n", b"X: " + b"y" * 100_000 + b"\r\n\r\n"])
        self.hand.throw("chunks", raw, wait=0.3)

    def noise(self):
        data = self.choice.randbytes(self.choice.choice([1, 10, 1000, 100_000]))
        self.hand.throw("noise", data, wait=0.2, is_encrypted=self.choice.random() < 0.6)

    def huge_head(self):
        size = self.choice.choice([60_000, 65_500, 66_000, 1_000_000])
        kinds = [
            [("X", "y" * size)],
            [(f"X{n}", "y") for n in range(size // 8)],
            [("y" * size, "x")],
            [("Cookie", "a=b; " * (size // 5))],
        ]
        headers = self.choice.choice(kinds)
        target = self.path() + ("?" + "q" * size if self.choice.random() < 0.2 else "")
        self.hand.throw("huge head", request("GET", target, headers), wait=0.5)

    def traverse(self):
        ways = [
            "/../../etc/passwd",
            "/%2e%2e/%2e%2e/etc/passwd",
            "/v1/tail/..%2f..%2fcontrol.sqlite",
            "//metrics",
            "/./metrics",
            "/METRICS",
            "/metrics/",
            "/metrics%00",
            "/metrics;x",
            "/metrics?",
            "/%6detrics",
            "/healthz/../metrics",
            "http://localhost/metrics",
            "https://evil/metrics",
            "*",
            "/docs/../metrics",
            "/api/v1/verify/%2e%2e",
            "/%c0%ae%c0%ae/",
            "/\u2025/",
            "/api\\v1\\logs",
            "/v1/logs%3Aingest",
            "/%zz",
            "%",
            "/api/logs/torture/..%2f..%2ftorture%2fs1",
            f"/v1/tail/{QUIET}",
            "?",
            "#",
            "/v1//query",
        ]
        raw = request(
            self.choice.choice(["GET", "HEAD", "OPTIONS", "TRACE", "CONNECT", "get", "PATCH"]),
            self.choice.choice(ways),
            {"Connection": "close"},
        )
        self.hand.throw("traversal", raw, wait=0.5)

    def pipeline(self):
        many = b"".join(request("GET", self.path()) for _ in range(self.choice.choice([10, 200])))
        self.hand.throw("pipeline", many, wait=1)

    def websocket(self):
        upgrade = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ]
        path = self.choice.choice(
            ["/ws/logs", "/ws/stream", "/api/v1/logs/stream", "/v1/tail/logs", "/healthz"]
        )
        path += self.choice.choice(["", "?token=" + "a" * 5000, f"?user_id={USER}", "?token=eyJ.eyJ.x"])
        lengths = [b"\x7e\x00\x05", b"\x7f" + bytes(7) + b"\x05", b"\x7f\xff" + bytes(7)]
        raw = request("GET", path, upgrade) + frame(b"hello", length=self.choice.choice(lengths))
        self.hand.throw("WebSocket", raw, wait=0.3)

    def damaged_tls(self):
        record = b"\x16\x03\x01" + self.choice.choice([b"\x00\x00", b"\xff\xff", b"\x00\x30"])
        raw = record + self.choice.randbytes(self.choice.choice([0, 40, 20_000]))
        plain = request("GET", "/metrics")
        self.hand.throw("damaged TLS", self.choice.choice([raw, plain]), wait=0.2, is_encrypted=False)

    def marks(self):
        """Runs of combining marks wherever a text may stand."""
        text = "a" + MARK * self.choice.choice([1000, 20_000, 30_000, 60_000])
        place = self.choice.randint(0, 3)
        headers = {"Connection": "close"}
        if place == 0:
            field = self.choice.choice(FIELDS)
            raw = request(
                "GET", self.path(), {**headers, field: ("Bearer " if field == "Authorization" else "") + text}
            )
        elif place == 1:
            raw = request("GET", self.path() + "/" + text, headers)
        elif place == 2:
            raw = request("GET", self.path() + "?token=" + text + "&" + text + "=1", headers)
        else:
            body = json.dumps(
                {"username": text, "password": text, "user_id": text, text: text}, ensure_ascii=False
            )
            raw = request(
                "POST",
                self.choice.choice(["/api/auth/login", "/api/v1/login"]),
                {**headers, "Content-Type": "application/json"},
                body,
            )
        self.hand.throw("marks", raw, wait=2)

    def bomb(self):
        data = gzip.compress(bytes(self.choice.choice([1 << 20, 64 << 20])), 9)
        data = self.choice.choice([data, gzip.compress(data), data[:-9]])
        coding = self.choice.choice(
            ["gzip", "deflate", "zstd", "snappy", "x-snappy-framed", "gzip, gzip", "br"]
        )
        path = self.choice.choice(["/api/auth/login", "/api/v1/login", "/v1/records/logs", "/v1/logs:ingest"])
        raw = request("POST", path, {"Content-Encoding": coding, "Content-Type": "application/json"}, data)
        self.hand.throw("bomb", raw, wait=1)

    def control_characters(self):
        """What would steer a terminal, in all that a log may quote."""
        evil = "\x1b[2J\x1b]0;owned\x07\u202e\u2066\x9b31m\x7f\r"
        body = json.dumps({"username": evil, "user_id": evil, "password": self.estate.typed})
        path = self.choice.choice(["/api/auth/login", "/api/v1/login"])
        self.hand.ask(
            "control characters",
            "POST",
            path,
            {
                "Content-Type": "application/json",
                "X-Request-Id": evil.replace("\r", ""),
                "X-Forwarded-For": evil.replace("\r", ""),
                "User-Agent": evil.replace("\r", ""),
            },
            body,
        )
        self.hand.throw(
            "control characters", request("GET", "/x" + evil, {"Authorization": "Bearer " + evil}), 0.3
        )
