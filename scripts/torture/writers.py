"""Writers of the six APIs: each sends batches, and notes in the ledger what it was told."""

import base64
import hashlib
import hmac
import http.client
import json
import random
import threading
import time

from ledger import REFUSED, STORED

TIME = "2026-01-02T03:04:05Z"


def signed_token(key, claims, header=None):
    """A JSON Web Token signed with HS256, whatever its header says."""
    def encoded(data):
        return base64.urlsafe_b64encode(data).rstrip(b"=")
    head = json.dumps(header or {"alg": "HS256", "typ": "JWT"}).encode()
    text = encoded(head) + b"." + encoded(json.dumps(claims).encode())
    return (text + b"." + encoded(hmac.new(key, text, hashlib.sha256).digest())).decode()


def audit_token():
    """A token as development takes it (Docs/audit.md)."""
    claims = {"sub": "1", "tenant": "torture", "aud": "logserver", "iss": "issuer", "role": "admin"}
    return signed_token(hashlib.md5(b"torturesecret").hexdigest().encode(), claims)


class API:
    """How one API is written: path, credential, and the body for some markers."""

    name, method, most = "", "POST", 20

    def __init__(self, server):
        self.headers = {"Content-Type": "application/json", **self.login(server)}

    def login(self, server):
        return {}

    def path(self, cycle):
        """Where batches of a cycle go; None: not now."""
        raise NotImplementedError

    def body(self, markers, cycle):
        raise NotImplementedError


class Native(API):
    name = "native"

    def path(self, cycle):
        return "/v1/records/logs"

    def body(self, markers, cycle):
        common = {"service": f"t{cycle}", "level": "INFO"}
        return "\n".join(json.dumps({**common, "message": m, "n": i}) for i, m in enumerate(markers))


class Ingest(API):
    name = "ingest"

    def login(self, server):
        return {"Authorization": "Bearer torture-ingest-key"}

    def path(self, cycle):
        return "/v1/logs:ingest"

    def body(self, markers, cycle):
        common = {"timestamp": TIME, "level": "INFO", "service": "torture", "env": "test", "labels": {}}
        return json.dumps({"entries": [{**common, "message": m} for m in markers]})


class Sessions(API):
    name = "sessions"

    def enter(self, server):
        body = {"username": "admin", "password": "admin"}
        return {"Authorization": "Bearer " + server.json("POST", "/api/auth/login", body)["token"]}

    def login(self, server):
        headers = self.enter(server)
        server.ask("POST", "/api/containers", {"container_id": "torture"}, headers)
        self.made = set()
        self.server = server
        return headers

    def path(self, cycle):
        if cycle not in self.made:
            body = {"session_id": f"s{cycle}"}
            status, _, _ = self.server.ask("POST", "/api/containers/torture/sessions", body, self.headers)
            if status not in (200, 201, 409):
                return None
            self.made.add(cycle)
        return f"/api/logs/torture/s{cycle}"

    def body(self, markers, cycle):
        return json.dumps({"logs": [{"timestamp": TIME, "level": "INFO", "message": m} for m in markers]})


class QueryLog(API):
    name, method, most = "querylog", "PUT", 1

    def login(self, server):
        token = server.json("POST", "/api/v1/login", {"user_id": "torture"})["access_token"]
        return {"Authorization": "Bearer " + token}

    def path(self, cycle):
        return "/api/v1/logs"

    def body(self, markers, cycle):
        return json.dumps({"query": markers[0], "status": "SUCCESS"})


class Audit(API):
    name = "audit"

    def login(self, server):
        return {"Authorization": "Bearer " + audit_token()}

    def path(self, cycle):
        return "/api/v1/logs/bulk"

    def body(self, markers, cycle):
        common = {"action": f"t{cycle}", "resource_type": "torture", "severity": "INFO", "timestamp": TIME}
        return json.dumps([{**common, "resource_id": m} for m in markers])


class Workflow(API):
    name = "workflow"

    def login(self, server):
        return {"X-API-Key": "torture-workflow"}

    def path(self, cycle):
        return "/api/v1/logs/batch"

    def body(self, markers, cycle):
        common = {"environment": "production", "executed_at": TIME, "category": f"t{cycle}"}
        return json.dumps([{**common, "ticket_id": m} for m in markers])


ALL = [Native, Ingest, Sessions, QueryLog, Audit, Workflow]


class Writers:
    """One thread an API, writing until told to stop or until the server is gone."""

    def __init__(self, server, ledger, cycle, seed, pause=0, apis=ALL):
        self.server, self.ledger, self.cycle = server, ledger, cycle
        self.pause = pause
        self.sent = 0
        self.failures = []
        self.apis = [api(server) for api in apis]
        self.numbers = {api.name: 0 for api in self.apis}
        self.choices = [random.Random(seed * 7 + number) for number in range(len(apis))]
        self.again(server)

    def again(self, server):
        """Goes on, with a server that may be another process by now."""
        self.stopping = threading.Event()
        self.threads = [
            threading.Thread(target=self.run, args=(api, choice), daemon=True)
            for api, choice in zip(self.apis, self.choices)
        ]
        for thread in self.threads:
            thread.start()

    def run(self, api, choice):
        try:
            connection = self.server.connect()
            while not self.stopping.is_set():
                count = choice.randint(1, api.most)
                number = self.numbers[api.name]
                markers = [f"T-{api.name}-{self.cycle}-{number + i}" for i in range(count)]
                self.numbers[api.name] += count
                if not self.send(api, connection, markers):
                    return
                if self.pause:
                    time.sleep(self.pause)
        except (OSError, http.client.HTTPException):
            pass  # the server went before anything was sent
        except Exception as error:  # shown by who waits for the writers
            self.failures.append(f"{api.name}: {error!r}")

    def send(self, api, connection, markers):
        path = api.path(self.cycle)
        if path is None:
            time.sleep(0.02)
            return True
        body = api.body(markers, self.cycle).encode()
        headers = {**api.headers, "Idempotency-Key": markers[0]}
        try:
            connection.request(api.method, path, body, headers)
            answer = connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self.ledger.doubt(api.name, markers, (api.method, path, body, headers))
            return False
        self.sent += 1
        if answer.status in (200, 201, 202):
            self.ledger.note(api.name, markers, STORED)
        elif answer.status == 503:
            # After a failed sync, or while it stops, it may be found whole.
            self.ledger.doubt(api.name, markers, (api.method, path, body, headers))
            time.sleep(0.02)
        else:
            if answer.status not in (429, 500, 507):
                raise AssertionError(f"{answer.status} {text[:300]!r}")
            self.ledger.note(api.name, markers, REFUSED)
            time.sleep(0.02)
        return True

    def await_sent(self, count, seconds=20):
        """Waits until so many requests were answered, or none is any more."""
        end = time.monotonic() + seconds
        while self.sent < count and time.monotonic() < end and any(t.is_alive() for t in self.threads):
            time.sleep(0.002)

    def stop(self):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)
        if self.failures:
            raise AssertionError("; ".join(self.failures))


def resend(server, ledger):
    """Sends again, under its key and with its credential, what may be stored: then it is, once."""
    for api, markers, (method, path, body, headers) in ledger.take_unanswered():
        status, _, text = server.ask(method, path, body, headers)
        if status not in (200, 201, 202):
            raise AssertionError(f"sent again: {api} {path}: {status} {text[:300]!r}")
        ledger.note(api, markers, STORED)
