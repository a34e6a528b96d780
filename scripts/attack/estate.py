"""Whose secrets and names there are, and the server in production, with TLS, that all of them ask."""

import http.client
import json
import os
import random
import ssl
import subprocess
import time

from server import Server
from writers import signed_token

QUIET, RIVAL = "BANK", "RIVAL"
# Names that somebody takes for the quiet tenant's: a Kelvin sign, a Cyrillic letter, forms and marks, cases.
LOOKS = [
    "BAN\u212a",
    "\u0412ANK",
    "BANK\u0301",
    "bank",
    "BANK ",
    "BANK\u200b",
    "\uff22ANK",
    "B\u0410NK",
    "BANK\0",
]
USER = "kate"
USER_LOOKS = [
    "Kate",
    "k\u0430te",
    "kate\u0301",
    "KATE",
    "kate ",
    "\u212aate",
    "kat\u0435",
    "ｋate",
    "kate\u200d",
]
AUDIT_CLAIMS = {"aud": "logserver", "iss": "issuer"}

JSON = {"Content-Type": "application/json"}

# The addresses they come from: shares and limits are by address.
QUIET_ADDRESS, HEALTH_ADDRESS = "127.0.0.10", "127.0.0.20"

SETTINGS = [
    "environment=production",
    "storage.write_reserve_bytes=67108864",
    "archive.max_age_seconds=5",
    "health.disk_free_ratio=0",
    "querylog.token_minutes=100000",
    "journal.segment_bytes=8388608",
    "server.connections_max=1000",
    "memory.bytes_max=536870912",
    "limits.upload_bytes_max=134217728",
    "masking.apis=[native, sessions, querylog, audit, workflow, ingest]",
    "ingest.rate_limit_rps=1000000",
    "ingest.rate_limit_burst=1000000000",
]
RESIDENT_MAX = 1536 << 20  # memory.bytes_max, and what a process needs beside what it counts


def bearer(key):
    return {"Authorization": "Bearer " + key}


class Estate:
    """Keys, passwords and the quiet tenant's secrets, all from the seed."""

    def __init__(self, seed):
        choice = random.Random(f"estate {seed}")
        self.marker = f"quiet-{choice.getrandbits(64):016x}-"
        self.secret = f"hunter2-{choice.getrandbits(64):016x}"
        self.typed = f"typed-{choice.getrandbits(64):016x}"  # wrong passwords, and passwords typed as names
        self.planted = f"planted-{choice.getrandbits(64):016x}"  # in all that others write
        words = [
            "quiet",
            "rival-reader",
            "rival-writer",
            "rival-admin",
            "look-alike",
            "ops",
            "ingest-admin",
            "quiet-audit",
            "rival-audit",
            "quiet-workflow",
            "rival-workflow",
            "quiet-ingest",
            "rival-ingest",
        ]
        self.keys = {word: f"{word}-{choice.getrandbits(160):040x}" for word in words}
        names = ["admin", USER, "rita"]
        self.passwords = {name: f"{choice.getrandbits(96):024x}-Pw" for name in names}

    def environment(self):
        """Settings that hold secrets."""
        native = [
            ("quiet", QUIET, "user"),
            ("rival-reader", RIVAL, "reader"),
            ("rival-writer", RIVAL, "writer"),
            ("rival-admin", RIVAL, "admin"),
            ("look-alike", LOOKS[1], "admin"),
            ("ops", "ops", "admin"),
        ]
        listed = [{"name": n, "key": self.keys[n], "tenant": t, "role": r} for n, t, r in native]
        listed[-1]["operator"] = True
        signing = [
            {"kid": "quiet-audit", "secret": self.keys["quiet-audit"], "tenants": [QUIET]},
            {"kid": "rival-audit", "secret": self.keys["rival-audit"], "tenants": [RIVAL]},
        ]
        ingest = {
            self.keys["quiet-ingest"]: {"name": QUIET, "active": True},
            self.keys["rival-ingest"]: {"name": RIVAL, "active": True},
        }
        return {
            "CORDWOOD_ADMIN_PASSWORD": self.passwords["admin"],
            "CORDWOOD_NATIVE_API_KEYS": json.dumps(listed, ensure_ascii=False),
            "CORDWOOD_AUDIT_KEYS": json.dumps(signing),
            "CORDWOOD_INGEST_API_KEYS": json.dumps(ingest),
            "CORDWOOD_INGEST_ADMIN_TOKEN": self.keys["ingest-admin"],
            "API_KEYS": json.dumps({self.keys["quiet-workflow"]: QUIET, self.keys["rival-workflow"]: RIVAL}),
        }

    def audit_token(self, who, tenant, role="admin", **claims):
        now = int(time.time())
        claims = {
            "sub": who,
            "tenant": tenant,
            "role": role,
            "iat": now,
            "exp": now + 3600,
            **AUDIT_CLAIMS,
            **claims,
        }
        return signed_token(self.keys[who + "-audit"].encode(), claims)

    def secrets(self):
        """What nobody but its owner may be sent, in any answer."""
        names = ["quiet", "quiet-audit", "quiet-workflow", "quiet-ingest", "ops", "ingest-admin"]
        return (
            [self.secret, self.marker]
            + [self.keys[n] for n in names]
            + [self.passwords[n] for n in ("admin", USER)]
        )


class ProductionServer(Server):
    """A server that speaks TLS alone, with a certificate of its own."""

    def __init__(self, binary, folder, estate):
        self.estate, self.certificate = estate, folder + "/certificate.pem"
        key = folder + "/key.pem"
        subprocess.run(
            [
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
                "-days",
                "2",
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost,IP:127.0.0.1",
                "-keyout",
                key,
                "-out",
                self.certificate,
            ],
            check=True,
            capture_output=True,
        )
        os.chmod(key, 0o600)
        self.context = ssl.create_default_context(cafile=self.certificate)
        self.source = None
        settings = SETTINGS + [f"server.tls_certificate={self.certificate}", f"server.tls_key={key}"]
        super().__init__(binary, folder + "/data", folder + "/server.log", settings, estate.environment())

    def connect(self, seconds=30):
        return http.client.HTTPSConnection(
            "127.0.0.1",
            self.port,
            timeout=seconds,
            context=self.context,
            source_address=(self.source, 0) if self.source else None,
        )

    def login(self, name):
        """Headers of the sessions API for a user."""
        body = {"username": name, "password": self.estate.passwords[name]}
        return bearer(self.json("POST", "/api/auth/login", body)["token"])

    def query_login(self, name):
        """Headers of the query-log API for a user."""
        body = {"user_id": name, "password": self.estate.passwords[name]}
        return bearer(self.json("POST", "/api/v1/login", body)["access_token"])

    def figures(self):
        """Bytes of memory that are its own, open descriptors, processor seconds."""
        base = f"/proc/{self.process.pid}"
        with open(base + "/status") as file:
            own = sum(int(line.split()[1]) for line in file if line.startswith(("RssAnon", "RssShmem"))) << 10
        with open(base + "/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        seconds = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
        return own, len(os.listdir(base + "/fd")), seconds
