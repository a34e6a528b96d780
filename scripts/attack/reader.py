"""A reader of another tenant, with good credentials of his own."""

import base64
import json
import time
import urllib.parse

from actor import Actor
from estate import JSON, LOOKS, QUIET, RIVAL, USER, USER_LOOKS, bearer
from wire import drain, frame, request

PATTERNS = {
    "measures": ["count"],
    "where": {
        "or": [
            {"regex": ["message", f"([a-f]|[0-9])*e[a-f0-9]{{{40 + number % 20}}}x{number}"]}
            for number in range(990)
        ]
    },
}
GROUPS = [
    {"group_by": ["service", "level"], "measures": ["count", {"min": "message"}, {"max": "message"}]},
    {"group_by": ["message"], "measures": ["count", {"count_distinct": "message"}]},
    {
        "group_by": ["metadata.n"],
        "measures": [{"quantile": ["metadata.n", 0.99]}],
        "order_by": "quantile(metadata.n, 0.99)",
    },
    {"bucket": "1ms", "measures": ["count"]},
    {"measures": [{"count": {"where": {"regex": ["message", "(a|b|c)+[d-f]{5,20}[0-9]$"]}}, "as": "m"}]},
]


def seed_records(hand, estate, choice, count):
    """Records of the rival, for queries to work on."""
    for first in range(0, count, 2000):
        lines = [
            json.dumps(
                {
                    "level": "INFO",
                    "service": f"s{number % 7}",
                    "n": number,
                    "message": estate.planted + choice.randbytes(200).hex(),
                }
            )
            for number in range(first, min(first + 2000, count))
        ]
        hand.ask("seeding", "POST", "/v1/records/logs", bearer(estate.keys["rival-writer"]), "\n".join(lines))
    hand.ask(
        "seeding",
        "POST",
        "/v1/admin/flush",
        {**bearer(estate.keys["rival-admin"]), **JSON},
        '{"archive":true}',
    )


def altered(choice, text):
    """A signed text with something of it changed."""
    if not text:
        return "AAAA"
    place = choice.randrange(len(text))
    return choice.choice(
        [
            text[:place] + chr(choice.randint(48, 122)) + text[place + 1 :],
            text[:place],
            text + text,
            text[::-1],
            text + "=",
            base64.urlsafe_b64encode(choice.randbytes(60)).decode(),
            "\u0301" * 400,
        ]
    )


class Reader(Actor):
    """Asks for all the server can compute, and for what is not his."""

    name, address = "a reader of another tenant", "127.0.4.1"

    def attacks(self):
        return [
            (3, self.patterns),
            (4, self.groups),
            (3, self.tails),
            (6, self.cursors),
            (5, self.elsewhere),
            (2, self.streams),
            (3, self.fragments),
            (3, self.regexes),
            (2, self.cubes),
            (2, self.slow_reading),
        ]

    def prepare(self):
        self.key = bearer(self.estate.keys["rival-reader"])
        if self.number == 0:
            seed_records(self.hand, self.estate, self.choice, self.play.rows)
            self.stolen_cursor()

    def query(self, body, what="query", headers=()):
        return self.hand.ask(
            what, "POST", "/v1/query", {**self.key, **JSON, **dict(headers)}, json.dumps(body)
        )

    def abandon(self, body, count, seconds):
        raw = request("POST", "/v1/query", {**self.key, **JSON}, json.dumps({"dataset": "logs", **body}))
        for _ in range(count):
            line = self.hand.dial()
            line.sendall(raw)
            self.hold(line, seconds)

    def patterns(self):
        """990 expressions, whose asker is gone after four seconds."""
        self.abandon(PATTERNS, 4, 4)
        time.sleep(1)

    def groups(self):
        self.abandon(
            self.choice.choice(GROUPS), self.choice.choice([4, 40]), self.choice.choice([0.01, 1, 4])
        )
        time.sleep(0.5)

    def regexes(self):
        pattern = self.choice.choice(
            [
                "(a*)*b",
                "(x+x+)+y",
                "a{1000}",
                "((a{100}){100}){100}",
                "[",
                "(?=a)",
                "\\p{L}{500}",
                "(?i)" + "é" * 400,
                "(" * 5000,
                "a|" * 20_000,
                "\u0301" * 5000,
                "(?:[a-f0-9]{3}){1,60}$",
                "\\",
                "(?P<n>a)\\1",
                "^" * 9000,
            ]
        )
        self.query({"dataset": "logs", "limit": 1, "where": {"regex": ["message", pattern]}}, "regex")

    def tails(self):
        """Live streams in number, some with a filter that costs; what comes on them is looked at."""
        where = urllib.parse.quote(
            json.dumps(
                self.choice.choice(
                    [
                        {"regex": ["message", "([a-f]|[0-9])*e[a-f0-9]{40}x"]},
                        {"exists": "message"},
                        {"eq": ["service", "s1"]},
                    ]
                )
            )
        )
        raw = request(
            "GET", f"/v1/tail/logs?last=3&where={where}", {**self.key, "Accept": "text/event-stream"}
        )
        opened = []
        for _ in range(self.choice.choice([1, 60])):
            if len(self.held) < 300:
                line = self.hand.dial()
                line.sendall(raw)
                opened.append(line)
                self.hold(line, 8)
        for line in opened[:2] + [line for _, line in self.held[:2]]:
            self.watch.saw("tail", raw, 0, drain(line, 0.5))

    def stolen_cursor(self):
        """A cursor is good for one tenant's dataset."""
        body = {"dataset": "logs", "limit": 5, "cursor": self.play.loot["cursor"]}
        status, data = self.query(body, "cursor")
        if status == 200:
            detail = f"{status} {data[:200]!r}"
            self.watch.fault("another tenant's cursor is taken", detail, json.dumps(body).encode())

    def cursors(self):
        """His own, altered; and the quiet tenant's, as it is and altered."""
        loot = self.play.loot
        self.stolen_cursor()
        body = {"dataset": self.choice.choice(["logs", "audit"]), "limit": 5}
        _, data = self.query(body)
        own = json.loads(data).get("cursor", "") if data.startswith(b"{") else ""
        cursor = self.choice.choice(
            [altered(self.choice, own), altered(self.choice, loot["cursor"]), loot["sessions_cursor"]]
        )
        self.query({**body, "cursor": cursor}, "cursor")
        event = self.choice.choice([loot["event"], altered(self.choice, loot["event"])])
        raw = request(
            "GET", "/v1/tail/logs", {**self.key, "Accept": "text/event-stream", "Last-Event-ID": event}
        )
        self.hand.throw("event id", raw, wait=0.2)

    def elsewhere(self):
        """The quiet tenant's names and ids, and names that look like its own."""
        name = self.choice.choice(LOOKS + [QUIET])
        loot, quoted = self.play.loot, urllib.parse.quote(name)
        token = self.estate.audit_token("rival", name, "viewer")
        login = self.play.rival_login
        ways = [
            ("GET", "/api/v1/logs", bearer(token)),
            ("GET", "/api/v1/logs/export?format=csv", bearer(token)),
            ("GET", f"/api/v1/logs/{loot['audit']}", bearer(self.estate.audit_token("rival", RIVAL))),
            ("GET", f"/api/v1/logs/{loot['workflow']}", {"X-API-Key": self.estate.keys["rival-workflow"]}),
            (
                "GET",
                "/api/v1/logs?category=t1",
                {"X-API-Key": self.estate.keys["rival-workflow"], "X-Tenant": name},
            ),
            ("GET", "/api/logs/torture/s1", login),
            ("GET", "/api/containers/torture/sessions", login),
            ("GET", f"/api/logs/torture/s1?cursor={loot['sessions_cursor']}", login),
            ("GET", "/api/containers", login),
            ("GET", f"/api/v1/verify/{loot['query']}", {}),
            (
                "GET",
                f"/ws/logs?user_id={USER}",
                {**self.play.rival_query_login, "Accept": "text/event-stream"},
            ),
            ("GET", f"/v1/tail/logs?tenant={quoted}&last=100", self.key),
        ]
        method, path, headers = self.choice.choice(ways)
        self.hand.seconds = 2
        self.hand.close()
        self.hand.ask("elsewhere", method, path, {**headers, "X-Scope-OrgID": name}, None)
        self.hand.seconds = 20
        self.query({"dataset": "logs", "tenant": name}, "elsewhere")
        look = bearer(self.estate.keys["look-alike"])
        self.hand.ask("look-alike", "POST", "/v1/query", {**look, **JSON}, '{"dataset":"logs","limit":1000}')

    def streams(self):
        """The query log's streams, of others and altered."""
        name = urllib.parse.quote(self.choice.choice(USER_LOOKS + [USER, "*", "%"]))
        path = self.choice.choice(
            [
                f"/ws/stream?user_id={name}",
                f"/ws/logs?user_id={name}&limit=1000",
                "/ws/logs?limit=-1&offset=99999999999999999999",
                f"/ws/logs?user_id={USER}&user_id=rita",
            ]
        )
        raw = request("GET", path, {**self.play.rival_query_login, "Accept": "text/event-stream"})
        self.hand.throw("query stream", raw, wait=0.5)

    def fragments(self):
        """Frames of WebSockets that are none."""
        token = self.estate.audit_token("rival", RIVAL, "viewer")
        upgrade = {
            "Upgrade": "websocket",
            "Connection": "Upgrade",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        }
        path = self.choice.choice([f"/api/v1/logs/stream?token={token}", "/v1/tail/logs", "/ws/stream"])
        login = {"/v1/tail/logs": self.key, "/ws/stream": self.play.rival_query_login}.get(path, {})
        bad = self.choice.choice(
            [
                frame(b"ping", length=b"\x7e\x00\x04"),
                frame(b"ping", length=b"\x7f" + bytes(7) + b"\x04"),
                frame(b"", is_last=False) + frame(b"", 0, is_last=False) * 3000,
                frame(b"x", is_masked=False),
                frame(b"x" * 70_000),
                frame(b"", length=b"\x7f\x7f" + b"\xff" * 7),
                frame(b"\xff\xfe"),
                frame(b"a" * 126, 9),
                frame(b"x", 3),
                frame(b"x", 0),
                frame(b"ping") * 2000,
                frame(b"\x03", 8),
                frame(b"", 9) * 5000,
                self.choice.randbytes(500),
            ]
        )
        self.hand.throw("frames", request("GET", path, {**login, **upgrade}) + bad, wait=0.5)

    def cubes(self):
        login = self.choice.choice(
            [
                bearer(self.estate.audit_token("rival", RIVAL)),
                {"X-API-Key": self.estate.keys["rival-workflow"]},
            ]
        )
        filters = [
            {"member": "logs.action", "operator": "endsWith", "values": ["(" + "\u0301"] * 990},
            {"member": "logs.metadata.x", "operator": "contains", "values": ["%_\\(["]},
            {"member": "workflows.payload." + "a" * 900, "operator": "set"},
        ]
        ask = {
            "measures": [
                self.choice.choice(
                    ["logs.count", "workflows.count", "logs.p99.metadata.n", "logs." + "x." * 400]
                )
            ],
            "dimensions": [
                self.choice.choice(
                    ["logs.tenant_id", "logs.action", "workflows.ticket_id", "logs.metadata." + "d." * 70]
                )
            ],
            "filters": [self.choice.choice(filters)],
            "limit": self.choice.choice([1, 50_000, -1, 1e99]),
            "timezone": self.choice.choice(
                ["UTC", "../../etc/passwd", "Europe/Berlin", "\u0301" * 500, "+99:99"]
            ),
        }
        self.hand.ask("cube", "POST", "/cubejs-api/v1/load", {**login, **JSON}, json.dumps({"query": ask}))

    def slow_reading(self):
        """A long answer that is asked for and not read."""
        body = json.dumps({"dataset": "logs", "limit": 1_000_000})
        form = self.choice.choice(["json", "csv", "arrow", "parquet", "ndjson"])
        raw = request("POST", f"/v1/query?format={form}", {**self.key, **JSON}, body)
        for _ in range(5):
            line = self.hand.dial()
            line.sendall(raw)
            self.hold(line, 10)
