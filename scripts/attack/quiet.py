"""The quiet tenant: what it writes and reads, how long that takes, and what it was told."""

import http.client
import json
import time

from actor import MEASURING, in_background, renice
from estate import HEALTH_ADDRESS, QUIET, QUIET_ADDRESS, USER, bearer
from ledger import Ledger
from watch import Watch
from writers import Audit, Ingest, Native, QueryLog, Sessions, Workflow, Writers

PACE = 0.05


def secrets(estate):
    """Members that hold a secret, by its name and in texts: masking keeps it from the disk."""
    return {
        "password": estate.secret,
        "url": f"postgres://kate:{estate.secret}@db:5432/x",
        "note": f"login with password={estate.secret} failed",
    }


class QuietNative(Native):

    def login(self, server):
        self.more = secrets(server.estate)
        return bearer(server.estate.keys["quiet"])

    def body(self, markers, cycle):
        lines = super().body(markers, cycle).split("\n")
        return "\n".join(json.dumps({**json.loads(line), **self.more}) for line in lines)


class QuietIngest(Ingest):

    def login(self, server):
        self.more = secrets(server.estate)
        return bearer(server.estate.keys["quiet-ingest"])

    def body(self, markers, cycle):
        entries = json.loads(super().body(markers, cycle))["entries"]
        return json.dumps({"entries": [{**entry, "metadata": self.more} for entry in entries]})


class QuietSessions(Sessions):

    def enter(self, server):
        self.secret = server.estate.secret
        return server.login(USER)

    def body(self, markers, cycle):
        logs = json.loads(super().body(markers, cycle))["logs"]
        return json.dumps({"logs": logs + [{**logs[0], "message": f"login with password={self.secret}"}]})


class QuietQueryLog(QueryLog):

    def login(self, server):
        headers = server.query_login(USER)
        body = {"query": f"ALTER USER kate PASSWORD '{server.estate.secret}'", "status": "SUCCESS"}
        server.json("PUT", "/api/v1/logs", body, headers)
        return headers


class QuietAudit(Audit):

    def login(self, server):
        self.more = secrets(server.estate)
        return bearer(server.estate.audit_token("quiet", QUIET, exp=int(time.time()) + 7 * 86400))

    def body(self, markers, cycle):
        return json.dumps(
            [{**entry, "metadata": self.more} for entry in json.loads(super().body(markers, cycle))]
        )


class QuietWorkflow(Workflow):

    def login(self, server):
        self.more = secrets(server.estate)
        return {"X-API-Key": server.estate.keys["quiet-workflow"]}

    def body(self, markers, cycle):
        return json.dumps(
            [{**entry, "payload": self.more} for entry in json.loads(super().body(markers, cycle))]
        )


APIS = [QuietNative, QuietIngest, QuietSessions, QuietQueryLog, QuietAudit, QuietWorkflow]


def row(estate, number):
    """What is written as the record of this number, as it is answered."""
    return {
        "message": f"{estate.marker}{number}",
        "service": "quiet",
        "level": "INFO",
        "metadata": {"n": number},
    }


def written(estate, number):
    expected = row(estate, number)
    members = expected.pop("metadata")
    return json.dumps({**expected, **members})


class Quiet:
    """The client whose times are taken: a write every 50 ms, the newest ten, and one record by its text."""

    def __init__(self, play):
        self.play, self.server, self.estate = play, play.server, play.estate
        self.watch = Watch("the quiet tenant", [], play.folder)
        self.times = {"write": [], "newest": [], "needle": []}
        self.alone = {name: [] for name in self.times}
        self.acknowledged, self.in_doubt = [], []

    def run(self, stopping, results):
        renice(MEASURING)
        self.server.source = QUIET_ADDRESS
        self.connection = self.server.connect(30)
        number = len(self.play.before)
        start = time.monotonic()
        while not stopping.is_set():
            late = start - time.monotonic()
            if late > 0:
                time.sleep(late)
            start = max(start + PACE, time.monotonic() - 1)
            self.turn(number)
            number += 1
        results.put(
            {
                **self.watch.report(),
                "times": self.times,
                "alone": self.alone,
                "acknowledged": self.acknowledged,
                "in doubt": self.in_doubt,
            }
        )

    def turn(self, number):
        expected = row(self.estate, number)
        status, _ = self.ask("write", "/v1/records/logs", written(self.estate, number))
        (self.acknowledged if status == 201 else self.in_doubt).append(number)
        if status != 201:
            return
        status, data = self.ask("newest", "/v1/query", '{"dataset":"logs","limit":10}')
        if self.estate.secret.encode() in data:
            self.watch.fault("its secret was stored", repr(data[:500]))
        for found in json.loads(data)["rows"] if status == 200 else []:
            if not found["message"].startswith((self.estate.marker, "T-native-1-")):
                self.watch.fault("it reads what it did not write", repr(found))
        needle = {
            "dataset": "logs",
            "where": {"contains": ["message", expected["message"]]},
            "columns": ["message", "service", "level", "metadata"],
        }
        status, data = self.ask("needle", "/v1/query", json.dumps(needle))
        if status == 200 and json.loads(data)["rows"] != [expected]:
            self.watch.fault("a record is not as it was written", f"{expected} {data[:500]!r}")

    def ask(self, what, path, body):
        headers = {**bearer(self.estate.keys["quiet"]), "Content-Type": "application/json"}
        began = time.monotonic()
        status, data = 0, b""
        try:
            self.connection.request("POST", path, body, headers)
            answer = self.connection.getresponse()
            status, data = answer.status, answer.read()
        except (OSError, http.client.HTTPException) as error:
            data = repr(error).encode()
            self.connection.close()
        took = time.monotonic() - began
        (self.times if self.play.go.is_set() else self.alone)[what].append(took)
        self.watch.saw(what, body.encode(), status, data, took)
        if status not in (200, 201, 500):
            self.watch.fault(
                f"its {what} is not answered", f"{status} {data[:300]!r} after {took:.2f} s", body.encode()
            )
        return status, data


class Everywhere:
    """The quiet tenant in all six APIs, and its user, who logs in now and then."""

    def __init__(self, play):
        self.play = play
        self.watch = Watch("the quiet tenant's six APIs", [], play.folder)

    def run(self, stopping, results):
        renice(0)
        server, ledger = self.play.server, Ledger()
        server.source = QUIET_ADDRESS
        writers = Writers(server, ledger, 1, self.play.seed, pause=0.4, apis=APIS)
        logins = in_background(self.log_in, stopping)
        stopping.wait()
        for thread in writers.threads:
            if not thread.is_alive():
                self.watch.fault("a writer ended", "; ".join(writers.failures) or "its connection was cut")
        writers.stopping.set()
        for thread in writers.threads:
            thread.join(60)
        logins.join(60)
        results.put(
            {
                **self.watch.report(),
                "fate": ledger.fate,
                "api": ledger.api,
                "unanswered": ledger.unanswered,
                "stored": dict(ledger.counts),
            }
        )

    def log_in(self, stopping):
        while not stopping.wait(7):
            body = {"username": USER, "password": self.play.estate.passwords[USER]}
            began = time.monotonic()
            try:
                status, _, data = self.play.server.ask("POST", "/api/auth/login", body)
            except OSError as error:
                status, data = 0, repr(error).encode()
            self.watch.saw("login", b"POST /api/auth/login", status, b"", time.monotonic() - began)
            if status != 200:
                self.watch.fault("the right password is refused", f"{status} {data[:300]!r}")


class Health:
    """Somebody who asks, on new connections, whether the server answers."""

    def __init__(self, play, most):
        self.play, self.most = play, most
        self.watch = Watch("health", [], play.folder)
        self.times = []

    def run(self, stopping, results):
        renice(MEASURING)
        self.play.server.source = HEALTH_ADDRESS
        while not stopping.wait(0.25):
            began = time.monotonic()
            try:
                status = self.play.server.ask("GET", "/healthz")[0]
            except (OSError, http.client.HTTPException) as error:
                status = repr(error)
            took = time.monotonic() - began
            self.times.append(took)
            if status != 200 or took > self.most:
                self.watch.fault("/healthz", f"{status} after {took:.2f} s")
        results.put({**self.watch.report(), "times": self.times})
