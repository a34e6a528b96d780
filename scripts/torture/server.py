"""The server, and the volume its data lies on."""

import ctypes
import fcntl
import http.client
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import time

SETTINGS = [
    "storage.write_reserve_bytes=4194304", "journal.segment_bytes=2097152", "archive.max_age_seconds=1",
    "health.disk_free_ratio=0", "retention.logs_seconds=2592000", "ingest.rate_limit_rps=1000000",
    "ingest.rate_limit_burst=1000000000",
]
ENVIRONMENT = {
    "API_KEYS": '{"torture-workflow":"torture"}',
    "CORDWOOD_INGEST_API_KEYS": '{"torture-ingest-key":{"name":"torture","active":true}}',
}


class Violation(Exception):
    """A promise that was broken."""


class Server:
    def __init__(self, binary, data, log, settings=SETTINGS, environment=ENVIRONMENT):
        self.binary, self.data, self.log = binary, data, log
        self.settings, self.environment = settings, environment
        self.process, self.port = None, None

    def start(self, before=(), environment=None, wait=True, seconds=60):
        """Starts it; `before` is a command that runs it. False: it ended by itself first."""
        self.from_byte = os.path.getsize(self.log) if os.path.exists(self.log) else 0
        command = [*before, self.binary, "serve", "--data-dir", self.data, "--port", "0"]
        for setting in self.settings:
            command += ["--set", setting]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, stdin=subprocess.DEVNULL,
                env={**os.environ, **self.environment, **(environment or {})}, start_new_session=True,
                preexec_fn=lambda: ctypes.CDLL(None).prctl(1, signal.SIGKILL))
        return self.await_port(seconds) if wait else True

    def await_port(self, seconds=60):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = re.search(r"listening on https?://127\.0\.0\.1:(\d+)", self.output())
            if found:
                self.port = int(found.group(1))
                return True
            if self.process.poll() is not None:
                return False
            time.sleep(0.005)
        raise Violation(f"the server did not start within {seconds} s:\n{self.output()[-3000:]}")

    def output(self):
        with open(self.log, errors="replace") as log:
            log.seek(self.from_byte)
            return log.read()

    def kill(self):
        """Kills it and whatever runs it."""
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()

    def stop(self, seconds=60):
        self.process.terminate()
        status = self.process.wait(seconds)
        if status != 0:
            raise Violation(f"a stop ended with {status}:\n{self.output()[-3000:]}")

    def judge_end(self):
        """Raises if it ended by a signal that nobody here sent: a trap."""
        status = self.process.poll()
        if status is not None and status < 0 and status not in (-signal.SIGKILL, -signal.SIGTERM):
            raise Violation(f"the server died of signal {-status}:\n{self.output()[-3000:]}")

    def connect(self, seconds=30):
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)

    def ask(self, method, path, body=None, headers=None):
        """Status, headers, body."""
        connection = self.connect(120)
        try:
            text = body if body is None or isinstance(body, (str, bytes)) else json.dumps(body)
            connection.request(method, path, text, {"Content-Type": "application/json", **(headers or {})})
            answer = connection.getresponse()
            return answer.status, answer.headers, answer.read()
        finally:
            connection.close()

    def json(self, method, path, body=None, headers=None):
        status, _, text = self.ask(method, path, body, headers)
        if status not in (200, 201):
            raise Violation(f"{method} {path}: {status} {text[:300]!r}")
        return json.loads(text)

    def run(self, *arguments, seconds=300):
        """A command of the program: its status and all it said."""
        result = subprocess.run(
            [self.binary, *arguments], capture_output=True, text=True, timeout=seconds, check=False)
        return result.returncode, result.stdout + result.stderr


class Volume:
    """An ext4 file system of its own, whose power can be cut; a folder where this machine allows none."""

    SHUTDOWN = 0x8004587D  # EXT4_IOC_SHUTDOWN
    NO_FLUSH = struct.pack("I", 2)  # EXT4_GOING_FLAGS_NOLOGFLUSH

    def __init__(self, folder, megabytes=768):
        self.path, self.image = f"{folder}/volume", f"{folder}/volume.img"
        os.makedirs(self.path)
        self.is_real = False
        try:
            with open(self.image, "wb") as image:
                image.truncate(megabytes << 20)
            self.command("mkfs.ext4", "-q", "-F", self.image)
            self.command("mount", "-o", "loop", self.image, self.path)
            self.is_real = True
        except (OSError, subprocess.CalledProcessError):
            pass  # said by the caller: no power cuts and no full disk then

    @staticmethod
    def command(*words):
        subprocess.run(words, check=True, capture_output=True)

    def cut_power(self):
        """Everything that is not synced is gone: the file system stops at once, without a flush."""
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, Volume.SHUTDOWN, Volume.NO_FLUSH)
        finally:
            os.close(folder)

    def restore_power(self):
        self.unmount()
        self.command("mount", "-o", "loop", self.image, self.path)

    def unmount(self):
        for attempt in range(100):
            result = subprocess.run(["umount", self.path], capture_output=True, check=False)
            if result.returncode == 0:
                return
            time.sleep(0.05 * (attempt + 1))
        raise OSError(f"cannot unmount {self.path}: {result.stderr}")

    def fill(self, leave_bytes):
        """Takes all room but `leave_bytes`; returns what gives it back."""
        free = os.statvfs(self.path)
        size = free.f_bavail * free.f_frsize - leave_bytes
        ballast = self.path + "/ballast"
        with open(ballast, "wb") as file:
            if size > 0:
                os.posix_fallocate(file.fileno(), 0, size)
        return lambda: os.remove(ballast)

    def close(self):
        if self.is_real:
            self.unmount()
            os.remove(self.image)
        shutil.rmtree(self.path, ignore_errors=True)
