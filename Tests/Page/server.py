"""The real program on a free port, in a folder of its own."""

import ctypes
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time

SETTINGS = {
    "storage.write_reserve_bytes": "4194304",
    "health.disk_free_ratio": "0",
    "logging.level": "notice",
}


class Server:
    def __init__(self, settings=None, environment=None, production=False):
        self.folder = tempfile.mkdtemp(prefix="cordwood-page-")
        self.log = os.path.join(self.folder, "log")
        self.settings = {**SETTINGS, **(settings or {})}
        self.environment = environment or {}
        if production:
            self.settings["environment"] = "production"
        self.port, self.process = 0, None
        self.start()

    def start(self):
        """Starts it, on the port of before if there was one."""
        begin = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        command = [os.environ["CORDWOOD_BINARY"], "serve", "--data-dir", os.path.join(self.folder, "data")]
        command += ["--port", str(self.port)]
        for name, value in self.settings.items():
            command += ["--set", f"{name}={value}"]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment},
                start_new_session=True,
                preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL),
            )
        end = time.monotonic() + 60
        while time.monotonic() < end:
            with open(self.log, errors="replace") as log:
                log.seek(begin)
                text = log.read()
            found = re.search(r"listening on https?://127\.0\.0\.1:(\d+)", text)
            if found:
                self.port = int(found.group(1))
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError(f"the server does not start:\n{text[-3000:]}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def kill(self):
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self):
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def send(self, method, path, body=None, headers=None):
        """Status, headers and bytes of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            if body is not None and not isinstance(body, bytes):
                body = json.dumps(body).encode()
            head = {"Content-Type": "application/json"} if body is not None else {}
            connection.request(method, path, body, {**head, **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None):
        status, _, data = self.send(method, path, body, headers)
        assert status < 300, f"{method} {path}: {status} {data[:400]!r}"
        return json.loads(data) if data else None

    def write(self, dataset, data, headers=None):
        """`data`: NDJSON."""
        return self.json("POST", f"/v1/records/{dataset}", data, headers)

    def knows(self, headers):
        """Waits until the server has seen a key that a command has made."""
        ends = time.monotonic() + 30
        while self.send("GET", "/v1/fields?dataset=logs", None, headers)[0] == 401:
            assert time.monotonic() < ends, "a key that was made is not known after 30 s"
            time.sleep(0.05)

    def query(self, headers=None, **query):
        return self.json("POST", "/v1/query", {"dataset": "logs", **query}, headers)["rows"]

    def run(self, *arguments, input=None):
        """The program's own commands, on this server's data."""
        ran = subprocess.run(
            [os.environ["CORDWOOD_BINARY"], *arguments, "--data-dir", os.path.join(self.folder, "data")],
            input=input,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ran.returncode == 0, f"{arguments}: {ran.stderr}"
        return ran.stdout
