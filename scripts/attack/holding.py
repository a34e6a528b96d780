"""Strangers who take places: silent, slow, half sent, never read."""

import time

from actor import Actor
from wire import request


class Holding(Actor):
    """At most 900 connections of a thread, from four addresses."""

    name, address = "holding strangers", "127.0.3.1"

    def attacks(self):
        return [
            (4, self.silent),
            (3, self.half_handshakes),
            (3, self.half_logins),
            (3, self.slow_heads),
            (1, self.unread),
            (2, self.announce),
            (4, self.dribble),
        ]

    def some(self, count, raw, seconds, is_encrypted=True):
        """Holds so many connections that have sent this."""
        for _ in range(count if len(self.held) < 900 else 2):
            try:
                line = self.hand.dial(self.somewhere(), is_encrypted, 3)
                if raw:
                    line.sendall(raw)
                self.hold(line, seconds)
                self.watch.counts["held"] += 1
            except OSError:
                self.watch.counts["held connection refused"] += 1
                time.sleep(0.01)
        time.sleep(0.05)

    def silent(self):
        self.some(30, b"", self.choice.choice([1, 5, 20]), self.choice.random() < 0.5)

    def half_handshakes(self):
        self.some(40, b"\x16\x03\x01\x02\x00\x01", 15, is_encrypted=False)

    def half_logins(self):
        path = self.choice.choice(["/api/auth/login", "/api/v1/login"])
        length = self.choice.choice([4096, 4095, 1 << 20, 1 << 40])
        raw = request(
            "POST", path, {"Content-Type": "application/json", "Content-Length": length}, b'{"username":"'
        )
        self.some(50, raw, 10)

    def announce(self):
        path = self.choice.choice(
            ["/v1/records/logs", "/v1/query", "/v1/logs:ingest", "/api/v1/logs", "/healthz"]
        )
        raw = request("POST", path, {"Content-Length": 1 << 20, "Expect": "100-continue"})
        self.some(30, raw, 10)

    def slow_heads(self):
        self.some(30, b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ", self.choice.choice([5, 15]))

    def unread(self):
        raw = b"".join(request("GET", "/api/v1/websocket-docs") for _ in range(100))
        self.some(5, raw, 10)

    def dribble(self):
        """One more byte on what is held."""
        for _, line in self.choice.sample(self.held, min(40, len(self.held))):
            try:
                line.settimeout(0.2)
                line.send(b"x")
            except OSError:
                pass
        time.sleep(0.05)
