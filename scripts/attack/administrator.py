"""Another tenant's administrator."""

import json
import zlib

from actor import Actor
from estate import JSON, LOOKS, QUIET, RIVAL, USER, USER_LOOKS, bearer


class Administrator(Actor):
    """May do much, in a tenant of his own."""

    name, address = "another tenant's administrator", "127.0.5.1"

    def attacks(self):
        return [
            (2, self.archive),
            (2, self.delete),
            (3, self.tenants),
            (1, self.users),
            (3, self.oversized),
            (4, self.bulk),
            (4, self.key_flood),
            (3, self.foreign_datasets),
            (2, self.packed),
            (2, self.imports),
            (2, self.cleanup),
        ]

    def prepare(self):
        self.key = {**bearer(self.estate.keys["rival-admin"]), **JSON}
        self.operator = self.play.administrator_login  # of the sessions API: makes users, of any look

    def write(self, what, body, headers=(), dataset="logs", query=""):
        return self.hand.ask(
            what, "POST", f"/v1/records/{dataset}{query}", {**self.key, **dict(headers)}, body
        )

    def archive(self):
        self.hand.ask("archive", "POST", "/v1/admin/flush", self.key, '{"archive":true}')

    def delete(self):
        self.write("delete", json.dumps({"service": "gone", "message": self.estate.planted}))
        where = self.choice.choice(
            [
                {"eq": ["service", "gone"]},
                {"prefix": ["message", "T-"]},
                {"contains": ["message", "quiet-"]},
                {"lt": ["position", self.choice.randint(0, 1000)]},
                {"eq": ["tenant", QUIET]},
                {"regex": ["message", "(a*)*$"]},
            ]
        )
        dataset = self.choice.choice(["logs", "audit", "workflows", "queries", "sessions", "nothing"])
        self.hand.ask(
            "delete", "POST", "/v1/delete", self.key, json.dumps({"dataset": dataset, "where": where})
        )
        if self.choice.random() < 0.1:
            look = {**bearer(self.estate.keys["look-alike"]), **JSON}
            self.hand.ask("delete", "POST", "/v1/delete", look, '{"dataset":"logs","where":{"and":[]}}')

    def cleanup(self):
        name = self.choice.choice(LOOKS + [QUIET, RIVAL])
        login = bearer(self.estate.audit_token("rival", name))
        when = self.choice.choice(["older_than_days=0", "before=2200-01-01T00:00:00Z", "older_than_days=-1"])
        self.hand.ask("cleanup", "DELETE", "/api/v1/logs/cleanup?" + when, login)

    def tenants(self):
        """Tokens that he signs himself, for the directory of tenants and for others' tokens."""
        token = self.estate.audit_token(
            "rival", self.choice.choice([RIVAL, QUIET] + LOOKS), "admin", operator=True, jti="x"
        )
        name = self.choice.choice(LOOKS + [QUIET, "new"])
        body = self.choice.choice(
            [
                {"name": name, "key": name.lower()},
                {"name": "x", "key": "bank"},
                {"tenant": QUIET, "jti": "1"},
                {"tenant": QUIET, "issued_before": "2099-01-01T00:00:00Z"},
                {"jti": "\u0301" * 300},
            ]
        )
        path = self.choice.choice(["/api/v1/tenants", "/api/v1/tokens/revoke"])
        method = self.choice.choice(["GET", "POST"])
        status, data = self.hand.ask("tenants", method, path, {**bearer(token), **JSON}, json.dumps(body))
        if status in (200, 201) and path.endswith("tenants"):
            self.watch.fault(
                "a tenant's administrator acts for the server", f"{method} {path}: {data[:300]!r}"
            )

    def users(self):
        name = self.choice.choice(USER_LOOKS + [USER, "\u202eetak", "kate\0", "ka\u200dte"])
        body = {"username": name, "password": "a-Long-enough-password-1", "role": "user"}
        status, data = self.hand.ask(
            "users", "POST", "/api/users", {**self.operator, **JSON}, json.dumps(body)
        )
        if status == 201:
            self.watch.fault("a user who looks like another is made", f"{name!r}: {data[:200]!r}")

    def oversized(self):
        size = self.choice.choice([(1 << 20) - 100, 2 << 20, 70 << 20])
        body = self.choice.choice(
            [
                lambda: json.dumps({"message": "x" * size}),
                lambda: "[" * size,
                lambda: '{"a":' * 5000,
                lambda: json.dumps({f"k{n}": n for n in range(2000)}),
                lambda: json.dumps({"k" * 2000: 1}),
                lambda: "{}\n" * 100_001,
                lambda: '{"message":"' + "\u0301" * 200_000 + '"}',
                lambda: " " * size,
                lambda: '{"n":' + "9" * 100_000 + "}",
                lambda: '{"n":1e' + "9" * 400 + "}",
            ]
        )()
        self.write("oversized", body)

    def bulk(self):
        """Many entries of which some are bad."""
        good = {"message": self.estate.planted, "level": "INFO"}
        bad = [
            '{"message":1}',
            "{",
            '"text"',
            "null",
            '{"message":"\\ud800"}',
            '{"timestamp":"yesterday"}',
            "\xff",
            "[]",
            '{"message":"a","message":"b"}',
            '{"position":1,"id":"x","ingested_at":0}',
            '{"tenant":"BANK"}',
        ]
        lines = [
            json.dumps(good) if self.choice.random() < 0.5 else self.choice.choice(bad) for _ in range(500)
        ]
        self.write("bulk", "\n".join(lines), query="?on_error=skip")
        token = bearer(self.estate.audit_token("rival", RIVAL))
        entries = [
            self.choice.choice(
                [
                    {
                        "action": "a",
                        "resource_type": "b",
                        "resource_id": self.estate.planted,
                        "severity": "INFO",
                    },
                    {"action": 1},
                    {},
                    None,
                    [],
                    {"action": "a", "severity": "LOUD"},
                    {
                        "action": "\u0301" * 3000,
                        "resource_type": "b",
                        "resource_id": "c",
                        "severity": "INFO",
                        "tenant_id": QUIET,
                    },
                    {
                        "action": "a",
                        "resource_type": "b",
                        "resource_id": "c",
                        "severity": "INFO",
                        "timestamp": 1e300,
                    },
                    {
                        "action": "a",
                        "resource_type": "b",
                        "resource_id": "c",
                        "severity": "INFO",
                        "before": {"x": [[[[]]]] * 9},
                    },
                ]
            )
            for _ in range(self.choice.choice([1, 1, 300]))
        ]
        self.hand.ask("bulk", "POST", "/api/v1/logs/bulk", {**token, **JSON}, json.dumps(entries))
        workflow = {"X-API-Key": self.estate.keys["rival-workflow"], **JSON}
        entries = [
            self.choice.choice(
                [
                    {
                        "environment": "production",
                        "executed_at": self.choice.choice(["2026-01-01", 1e18, -1, "x", 4e9]),
                        "ticket_id": self.estate.planted,
                        "execution_time_seconds": self.choice.choice([1, -1, 1e308, "5", None]),
                    },
                    {"environment": "mars"},
                    {},
                ]
            )
            for _ in range(self.choice.choice([1, 101]))
        ]
        self.hand.ask("bulk", "POST", "/api/v1/logs/batch", workflow, json.dumps(entries))
        key = {**bearer(self.estate.keys["rival-ingest"]), **JSON}
        entry = {
            "timestamp": "2026-01-01T00:00:00Z",
            "level": "INFO",
            "message": self.estate.planted,
            "service": "s",
            "env": "e",
            "labels": self.choice.choice([{}, [], {"tenant": QUIET}, {"level": 5}, {"x": "y"}]),
        }
        self.hand.ask(
            "bulk",
            "POST",
            "/v1/logs:ingest",
            key,
            json.dumps({"entries": [entry] * self.choice.choice([1, 501])}),
        )

    def key_flood(self):
        """Idempotency keys, as many as go."""
        for number in range(200):
            key = self.choice.choice([f"{self.choice.getrandbits(60):x}" + "k" * 200, "same", "T-native-1"])
            status, _ = self.write(
                "key flood",
                json.dumps({"message": self.estate.planted, "n": number}),
                {"Idempotency-Key": key},
            )
            if status == 0:
                break

    def foreign_datasets(self):
        """What another API keeps, written by way of this one."""
        dataset = self.choice.choice(
            ["audit", "workflows", "queries", "sessions", "logs", "..", "audit%2f.."]
        )
        row = {
            "message": self.estate.planted,
            "tenant": QUIET,
            "user_id": USER,
            "action": "t1",
            "container_id": "torture",
            "session_id": "s1",
            "category": "t1",
            "query": "forged",
            "resource_id": "forged",
            "ticket_id": "forged",
            "timestamp": self.choice.choice(
                ["2026-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z"]
            ),
        }
        names = self.choice.sample(sorted(row), self.choice.randint(1, len(row)))
        self.write("foreign dataset", json.dumps({name: row[name] for name in names}), dataset=dataset)

    def packed(self):
        data = zlib.compress(b'{"message":"x"}\n' * self.choice.choice([10, 100_001, 3_000_000]), 9)
        data = self.choice.choice([data, data[:-4], data + b"x", self.choice.randbytes(5000)])
        self.write(
            "packed",
            data,
            {
                "Content-Encoding": self.choice.choice(
                    ["deflate", "gzip", "zstd", "snappy", "x-snappy-framed", "identity"]
                )
            },
        )

    def imports(self):
        name = self.choice.choice(["a", QUIET, "\u0301" * 20, "x" * 5000, '"'])
        line = self.choice.choice(
            [
                f'id="{name}", from=0, to=10',
                f'id="{name}", from=10, to=5',
                f'id="{name}", from=-1, to=99999999999999999999',
                f'id="{name}", from=0, to=1, restart',
                "id",
                ",,,",
                f'id="{name}", from=0, to=9223372036854775807, note="{"n" * 65}"',
            ]
        )
        self.write("import", json.dumps({"message": self.estate.planted}), {"Cordwood-Import": line})
