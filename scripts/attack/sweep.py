"""Every documented route, with every credential that is not the quiet tenant's, as documented and changed."""

import copy
import http.client
import json
import random
import urllib.parse

from actor import THREADS, Actor
from estate import LOOKS, QUIET, QUIET_ADDRESS, RIVAL, USER, bearer
from wire import request

# What the path's parameters may be: some of one's own, the quiet tenant's, nobody's, and no names at all.
ODD = ["..", "%2e%2e", "%00", "%ff", "a" * 300, "cc%81" * 50, "-", "%2f", "*", "%25", "\u0301" * 200]
NUMBERS = ["0", "-1", "1", "2147483648", "9223372036854775808", "1e308", "NaN", "0x10", "", "1.5", "%20"]
EVIL = [
    "",
    "\0",
    "\u0301" * 2000,
    "x" * 20_000,
    "\ud800",
    "'; drop table users; --",
    "${jndi:ldap://x}",
    "=1+1",
    "../../x",
    "%s%n",
    "\u202e",
    "\ufeff",
    "9" * 400,
    "2026-13-45T99:99:99Z",
    "0001-01-01T00:00:00Z",
    "9999-12-31T23:59:60Z",
    "[",
    "*",
]
OPENED_BY = {
    "nativeKey": ["reader", "writer", "native admin", "look-alike"],
    "session": ["session"],
    "auditToken": ["viewer", "audit admin"],
    "workflowKey": ["workflow"],
    "workflowBearer": ["workflow bearer"],
    "ingestKey": ["ingest"],
    "queryToken": ["query log"],
    "ingestAdmin": ["ingest admin"],
    "pageCookie": ["page"],
}
# Richer than the document's examples.
QUERIES = [
    {
        "dataset": "logs",
        "start": "2026-11-19T12:00:00Z",
        "end": "2099-01-01T00:00:00Z",
        "order": "asc",
        "limit": 3,
        "where": {
            "and": [
                {"eq": ["level", "INFO"]},
                {"not": {"contains": ["message", "x", {"ignore_case": True}]}},
                {"gt": ["metadata.n", 10]},
                {"in": ["service", ["s1", "s2"]]},
                {"exists": "trace_id"},
            ]
        },
        "columns": ["timestamp", "message", 'metadata["a.b"]'],
        "strict": True,
    },
    {
        "dataset": "logs",
        "group_by": ["service", "metadata.n"],
        "bucket": "week",
        "utc_offset_seconds": 3600,
        "measures": [
            "count",
            {"count": {"where": {"regex": ["message", "a+"]}}, "as": "a"},
            {"sum": "metadata.n"},
            {"quantile": ["metadata.n", 0.95], "as": "p"},
            {"count_distinct": "message"},
            {"min": "timestamp"},
        ],
        "order_by": "p",
        "limit": 5,
        "offset": 1,
        "exact": True,
    },
    {"dataset": "sessions", "where": {"or": [{"prefix": ["message", "a"]}, {"word": ["message", "b"]}]}},
]
CUBES = [
    {
        "query": {
            "measures": ["logs.count", "logs.avg.metadata.n"],
            "dimensions": ["logs.severity", "logs.metadata.source"],
            "timeDimensions": [
                {"dimension": "logs.timestamp", "granularity": "day", "dateRange": "last 30 days"}
            ],
            "filters": [
                {
                    "or": [
                        {"member": "logs.action", "operator": "startsWith", "values": ["a"]},
                        {"member": "logs.timestamp", "operator": "inDateRange", "values": ["2026-01-01"]},
                    ]
                }
            ],
            "order": {"logs.timestamp": "asc"},
            "limit": 5,
            "offset": 1,
            "total": True,
            "timezone": "Europe/Berlin",
        }
    },
    {
        "queryType": "multi",
        "query": {
            "measures": ["workflows.execution_time_p95"],
            "timeDimensions": [
                {
                    "dimension": "workflows.executed_at",
                    "granularity": "week",
                    "compareDateRange": [["2026-01-01", "2026-02-01"], "last week"],
                }
            ],
        },
    },
]
EXAMPLES = {"/v1/query": QUERIES, "/ui/v1/query": QUERIES, "/cubejs-api/v1/load": CUBES}
ADMINISTRATED = {"GET /api/users", "POST /api/users", "GET /api/keys", "POST /api/keys"}
VALUES = [None, True, -1, 0, 1e308, -0.0, 9223372036854775808, 10**400, [], {}, [[[[[[]]]]]], {"": ""}, 1.5]


class Sweep(Actor):
    name, address = "a sweep of all routes", "127.0.6.1"

    def attacks(self):
        return [(1, self.next_route)]

    def prepare(self):
        play, keys = self.play, self.estate.keys
        ids = play.loot
        self.paths = {
            "dataset": ["logs", "audit", "workflows", "queries", "sessions"],
            "container": ["torture", "rival-box"],
            "session": ["s1", "rival-run"],
            "id": [ids["audit"], ids["workflow"], ids["query"], "x"],
            "realm": ["native", "workflow", "x"],
            "name": ["quiet", "nobody"],
            "user": ["rita", "nobody"],
            "token": ["x" * 43],
            "hash": ["0" * 32],
            "file": ["app.js", "index.html"],
        }
        key = lambda name: lambda: bearer(keys[name])
        token = lambda role: lambda: bearer(self.estate.audit_token("rival", RIVAL, role))
        self.credentials = {
            "nobody": lambda: {},
            "a wrong key": lambda: bearer("f" * 64),
            "reader": key("rival-reader"),
            "writer": key("rival-writer"),
            "native admin": key("rival-admin"),
            "look-alike": key("look-alike"),
            "viewer": token("viewer"),
            "audit admin": token("admin"),
            "wrong tenant": lambda: bearer(
                self.estate.audit_token("rival", self.choice.choice(LOOKS + [QUIET]))
            ),
            "session": self.session,
            "workflow": lambda: {"X-API-Key": keys["rival-workflow"]},
            "workflow bearer": key("rival-workflow"),
            "ingest": key("rival-ingest"),
            "query log": lambda: play.rival_query_login,
            "page": self.page,
        }
        # Not foreign, and let in to where nobody else is: what they send may find a fault all the same.
        self.trusted = {"ingest admin": key("ingest-admin"), "users' admin": lambda: play.administrator_login}
        self.cookie = {}
        self.login, self.hand.seconds = dict(play.rival_login), 5
        self.operations = [
            (method.upper(), path, details)
            for path, methods in sorted(play.document["paths"].items())
            for method, details in sorted(methods.items())
        ]
        plain = [(operation, name) for operation in self.operations for name in self.credentials]
        random.Random(play.seed).shuffle(plain)
        self.plain = plain[self.number :: THREADS]

    def session(self):
        """A user's token; a new one where the sweep itself has ended the last."""
        status, _ = self.hand.ask("session", "GET", "/api/containers", self.login)
        if status == 401:
            body = {"username": "rita", "password": self.estate.passwords["rita"]}
            status, data = self.hand.ask(
                "session", "POST", "/api/auth/login", {"Content-Type": "application/json"}, json.dumps(body)
            )
            if status == 200:
                self.login = bearer(json.loads(data)["token"])
        return self.login

    def page(self):
        """A sign-in to the page with a key; a new one where the sweep itself has ended the last."""
        field = {"Cordwood-Page": "1"}
        if not self.cookie or self.hand.ask("page", "GET", "/ui/v1/me", {**field, **self.cookie})[0] == 401:
            body = json.dumps({"key": self.estate.keys["rival-reader"]})
            line = self.hand.dial()
            line.sendall(
                request("POST", "/ui/v1/login", {**field, "Content-Type": "application/json"}, body)
            )
            answer = http.client.HTTPResponse(line)
            answer.begin()
            self.cookie = {"Cookie": (answer.getheader("Set-Cookie") or "").split(";")[0]}
            line.close()
        return self.cookie

    def next_route(self):
        if self.plain and self.choice.random() < 0.5:
            operation, name = self.plain.pop()
            self.ask(operation, self.credentials[name], changes=0)
            return
        operation = self.choice.choice(self.operations)
        method, path, details = operation
        opening = [name for scheme in details.get("security", []) for name in OPENED_BY[next(iter(scheme))]]
        if f"{method} {path}" in ADMINISTRATED:
            opening.append("users' admin")
        names = opening if opening and self.choice.random() < 0.7 else sorted(self.credentials)
        everybody = {**self.credentials, **self.trusted}
        self.ask(operation, everybody[self.choice.choice(names)], self.choice.randint(1, 3))

    def ask(self, operation, credential, changes):
        method, path, details = operation
        content = details.get("requestBody", {}).get("content", {})
        media = next(iter(content), None)
        request = {
            "method": method,
            "path": path,
            "query": [],
            "body": copy.deepcopy(content[media].get("example")) if media else None,
            "headers": [("Content-Type", media)] if media else [],
            "details": details,
        }
        request["headers"] += [
            (field["name"], field["schema"]["enum"][0])
            for field in details.get("parameters", [])
            if field["in"] == "header" and field["required"]
        ]
        if method == "POST" and path in EXAMPLES and changes:
            request["body"] = copy.deepcopy(self.choice.choice(EXAMPLES[path]))
        if path == "/cubejs-api/v1/load" and method == "GET":
            request["query"].append(("query", '{"measures":["logs.count"]}'))
        for word, values in self.paths.items():
            request["path"] = request["path"].replace("{" + word + "}", self.choice.choice(values))
        for _ in range(changes):
            self.choice.choice(
                [
                    self.change_path,
                    self.change_query,
                    self.change_query,
                    self.change_body,
                    self.change_body,
                    self.change_headers,
                    self.change_method,
                ]
            )(request, path)
        query = urllib.parse.urlencode(request["query"], errors="surrogatepass")
        body = request["body"]
        if body is not None and not isinstance(body, bytes):
            text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False)
            body = text.encode("utf-8", "surrogatepass")
        headers = list(credential().items()) + request["headers"]
        self.hand.ask(
            f"{method} {path}",
            request["method"],
            request["path"] + ("?" + query if query else ""),
            headers,
            body,
        )

    def change_path(self, request, template):
        places = [word for word in self.paths if "{" + word + "}" in template]
        if not places:
            request["path"] += self.choice.choice(["/", "/x", "?", "%00", "//", ";a=b", "#"])
            return
        path = template
        for word in self.paths:
            odd = ODD + [urllib.parse.quote(name) for name in LOOKS] + self.paths[word]
            path = path.replace("{" + word + "}", self.choice.choice(odd))
        request["path"] = path

    def change_query(self, request, template):
        named = [p for p in request["details"].get("parameters", []) if p["in"] == "query"]
        name = self.choice.choice(
            [p["name"] for p in named] + ["tenant", "token", "cursor", "format", "stream", ""]
        )
        known = [value for p in named if p["name"] == name for value in p.get("schema", {}).get("enum", [])]
        values = known * 8 + NUMBERS + EVIL + LOOKS + [QUIET, USER, "t1", "true", self.play.loot["cursor"]]
        request["query"].append((name, self.choice.choice(values)))

    def change_body(self, request, template):
        body = request["body"]
        if isinstance(body, (dict, list)) and self.choice.random() < 0.7:
            places = list(self.places(body))
            holder, key = self.choice.choice(places) if places else (body, 0)
            value = self.choice.choice(VALUES + EVIL + LOOKS + [QUIET, USER])
            if isinstance(holder, dict) and self.choice.random() < 0.3:
                holder[
                    self.choice.choice(
                        EVIL + ["tenant", "tenant_id", "user_id", "role", "operator", "where", "cursor"]
                    )
                ] = value
            elif holder:
                holder[key] = value
            return
        text = body if isinstance(body, bytes) else json.dumps(body).encode("utf-8", "surrogatepass")
        cut = self.choice.randrange(len(text) + 1)
        request["body"] = self.choice.choice(
            [
                text[:cut],
                text + text,
                b"\xef\xbb\xbf" + text,
                text.replace(b'"', b"'"),
                b"[" * 5000,
                b"",
                b"null",
                b"\xff" * 100,
                text[:cut] + b"\0" + text[cut:],
                text[:cut] + b"\xed\xa0\x80" + text[cut:],
                b'{"a":1,"a":2}',
                b" " * 4097,
                b"[" + text + b"]",
                text.replace(b"{", b'{"__proto__":{},', 1),
                b'{"' + b"\xcc\x81" * 2000 + b'":1}',
            ]
        )

    def places(self, value):
        for key, inner in list(value.items() if isinstance(value, dict) else enumerate(value)):
            yield value, key
            if isinstance(inner, (dict, list)):
                yield from self.places(inner)

    def change_headers(self, request, template):
        request["headers"].append(
            self.choice.choice(
                [
                    ("X-Forwarded-For", QUIET_ADDRESS),
                    ("Content-Type", "text/plain"),
                    ("Content-Type", "multipart/form-data"),
                    ("Content-Encoding", self.choice.choice(["gzip", "zstd", "deflate", "br", "snappy"])),
                    (
                        "Accept",
                        self.choice.choice(
                            [
                                "text/csv",
                                "application/vnd.apache.parquet",
                                "image/png",
                                "*/*;q=0",
                                "x/" + "y" * 9000,
                            ]
                        ),
                    ),
                    (
                        "Idempotency-Key",
                        self.choice.choice(["T-native-1-0", "a" * 256, "\u0301" * 100, "same", ""]),
                    ),
                    ("Cordwood-Import", 'id="a", from=0, to=1'),
                    ("Prefer", "handling=strict"),
                    ("Range", "bytes=0-1"),
                    ("Last-Event-ID", self.play.loot["event"]),
                    ("Origin", "https://evil.example"),
                    ("Expect", "100-continue"),
                    ("X-HTTP-Method-Override", "DELETE"),
                    ("X-Tenant", QUIET),
                    ("X-Request-Id", "\u0301" * 500),
                    ("Authorization", "Bearer " + "\u0301" * 2000),
                    ("X-API-Key", "x" * 8193),
                    ("If-None-Match", "*"),
                    ("Accept-Encoding", "gzip;q=1e9, zstd;q=-1"),
                    ("Upgrade", "h2c"),
                    ("Connection", "close, Authorization"),
                ]
            )
        )

    def change_method(self, request, template):
        request["method"] = self.choice.choice(
            ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "QUERY", "post"]
        )
