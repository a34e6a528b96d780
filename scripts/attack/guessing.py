"""Strangers who guess: passwords, keys, tokens, and what is between."""

import json
import time

from actor import Actor
from estate import AUDIT_CLAIMS, LOOKS, QUIET, QUIET_ADDRESS, USER, USER_LOOKS
from framing import MARK
from wire import request
from writers import signed_token


class Guessing(Actor):
    """As if from the quiet tenant's address, and from many."""

    name, address = "guessing strangers", "127.0.2.1"

    def attacks(self):
        return [(4, self.password), (4, self.key), (5, self.forge), (2, self.typed_as_name), (2, self.crowd)]

    def headers(self):
        """As if from the quiet tenant's address."""
        names = ["X-Forwarded-For", "Forwarded", "X-Real-IP", "X-Client-IP", "True-Client-IP"]
        value = self.choice.choice(
            [QUIET_ADDRESS, "127.0.0.1, " + QUIET_ADDRESS, "::1", "for=" + QUIET_ADDRESS]
        )
        return {self.choice.choice(names): value, "Content-Type": "application/json"}

    def login(self, name, password):
        path, member = self.choice.choice([("/api/auth/login", "username"), ("/api/v1/login", "user_id")])
        self.hand.source, self.hand.seconds = self.somewhere(250), 3
        self.hand.close()
        status, data = self.hand.ask(
            "login", "POST", path, self.headers(), json.dumps({member: name, "password": password})
        )
        if status == 200:
            self.watch.fault("a stranger got in", f"{name}: {data[:200]!r}")

    def password(self):
        name = self.choice.choice([USER, "admin"] + USER_LOOKS)
        self.login(
            name,
            self.choice.choice(
                [
                    self.estate.typed,
                    "",
                    "admin",
                    "a" * 3000,
                    "\0",
                    self.estate.passwords[USER][:-1],
                    MARK * 500,
                ]
            ),
        )

    def typed_as_name(self):
        self.login(self.estate.typed, "x")

    def crowd(self):
        """Ninety at once, from as many networks: who has the right password gets in all the same."""
        body = json.dumps({"username": USER, "password": self.estate.typed})
        raw = request("POST", "/api/auth/login", self.headers(), body)
        for number in range(90):
            try:
                line = self.hand.dial(f"127.0.2.{number + 1}")
                line.sendall(raw)
                self.hold(line, 5)
            except OSError:
                pass
        time.sleep(1)

    def key(self):
        quiet = self.estate.keys["quiet"]
        guess = self.choice.choice(
            [quiet[:-1], quiet.upper(), quiet + "\0", "", "a" * 8192, "a" * 9000, MARK * 3000, "null"]
        )
        form = self.choice.choice(
            [
                {"Authorization": "Bearer " + guess},
                {"Authorization": "bearer  " + guess},
                {"X-API-Key": guess},
                {"Authorization": guess},
                {"Authorization": "Basic YWRtaW46YWRtaW4="},
                {"Cookie": "token=" + guess},
                [("Authorization", "Bearer a"), ("Authorization", "Bearer " + guess)],
            ]
        )
        method, path = self.choice.choice(
            [
                ("POST", "/v1/query"),
                ("GET", "/metrics"),
                ("GET", "/api/v1/logs"),
                ("GET", "/api/containers"),
                ("POST", "/v1/logs:ingest"),
            ]
        )
        status, data = self.hand.ask("key", method, path, form, b"{}" if method == "POST" else None)
        if 200 <= status < 300:
            self.watch.fault("a guessed key opens", f"{method} {path} {form}: {data[:200]!r}")

    def forge(self):
        """Tokens that nobody who may has signed, or that never end."""
        now = int(time.time())
        claims = {"sub": "1", "tenant": QUIET, "role": "admin", "iat": now, "exp": now + 600, **AUDIT_CLAIMS}
        rival = self.estate.keys["rival-audit"].encode()
        wrong = self.choice.choice(
            [
                {},
                {"exp": None},
                {"exp": now - 5},
                {"exp": 10**12},
                {"exp": str(now + 60)},
                {"exp": 1e400},
                {"tenant": [QUIET]},
                {"tenant": self.choice.choice(LOOKS)},
                {"tenant": ""},
                {"aud": []},
                {"role": {}},
                {"nbf": now + 500},
                {"tenant": "a" + MARK * 1000},
                {"sub": None},
            ]
        )
        header = self.choice.choice(
            [
                {"alg": "none"},
                {"alg": "None", "typ": "JWT"},
                {"alg": "HS256"},
                {"alg": "HS512"},
                {"alg": "RS256"},
                {"alg": "ES256"},
                {"alg": "HS256", "kid": "quiet-audit"},
                {"alg": "HS256", "kid": "rival-audit"},
                {"alg": "HS256", "kid": "../../etc/passwd"},
                {"alg": "HS256", "jwk": {"kty": "oct", "k": "YQ"}},
                {"alg": "HS256", "crit": ["b64"], "b64": False},
                {"alg": ["HS256"]},
                {"alg": "HS256", "kid": None},
            ]
        )
        key = self.choice.choice(
            [rival, b"", b"secret", self.estate.keys["rival-reader"].encode(), self.choice.randbytes(32)]
        )
        claims = {name: value for name, value in {**claims, **wrong}.items() if value is not None}
        token = signed_token(key, claims, header)
        if self.choice.random() < 0.2:
            token = self.choice.choice(
                [token.rsplit(".", 1)[0] + ".", token + "=", token[:-4], token + ".x", "." * 5]
            )
        path = self.choice.choice(
            [
                "/api/v1/logs",
                "/api/v1/logs/stats",
                "/api/v1/logs/export",
                "/api/v1/tenants",
                "/cubejs-api/v1/meta",
            ]
        )
        query, headers = (
            ("?token=" + token, {})
            if self.choice.random() < 0.3
            else ("", {"Authorization": "Bearer " + token})
        )
        status, data = self.hand.ask("forged token", "GET", path + query, headers)
        if status == 200:
            self.watch.fault(
                "a forged token opens", f"{path}: {claims} {header} by {key[:12]!r}: {data[:200]!r}"
            )
