"""What happens to the server. Each event begins with a running server, and ends with one."""

import os
import random
import shutil
import subprocess
import time

import checking
from server import Server, Violation

SHIM = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
/* Adds to the wall clock the seconds that the file TORTURE_CLOCK holds. */
int clock_gettime(clockid_t id, struct timespec *at) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int result = real(id, at);
  if (id != CLOCK_REALTIME || result) return result;
  long step = 0;
  FILE *file = fopen(getenv("TORTURE_CLOCK"), "r");
  if (file) { if (fscanf(file, "%ld", &step) != 1) step = 0; fclose(file); }
  at->tv_sec += step;
  return 0;
}
"""


class Torture:
    """One server under torture, and its writers."""

    def __init__(self, server, volume, ledger, folder, choice):
        self.server, self.volume, self.ledger = server, volume, ledger
        self.folder, self.choice = folder, choice
        self.clock = folder + "/clock"
        self.cycles = []
        self.doing = "the start"
        self.shim = self.build_shim()

    def build_shim(self):
        source, library = self.folder + "/clock.c", self.folder + "/clock.so"
        with open(source, "w") as file:
            file.write(SHIM)
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"]
        if not shutil.which("cc") or subprocess.run(command, capture_output=True, check=False).returncode:
            return None
        return library

    def events(self):
        """Names, weights, and what does it; those that this machine allows."""
        all_events = [
            ("kill", 6, self.kill, True),
            ("kill during recovery", 3, self.kill_during_recovery, True),
            ("clean stop", 1, self.stop, True),
            ("power cut", 6, self.power_cut, self.volume.is_real),
            ("full disk", 2, self.full_disk, self.volume.is_real),
            ("failing call", 2, self.failing_call, bool(shutil.which("strace"))),
            ("damage", 3, self.damage, True),
            ("clock step", 1, self.clock_step, self.shim is not None),
            ("backup", 2, self.backup, self.has_backup()),
        ]
        return [(name, weight, act) for name, weight, act, possible in all_events if possible]

    def has_backup(self):
        return "cordwood backup" in self.server.run("backup", "--help")[1]

    def start(self, **how):
        if not self.server.start(**how):
            raise Violation(f"the server does not start:\n{self.server.output()[-3000:]}")

    def kill(self, writers):
        self.server.kill()
        self.start()

    def stop(self, writers):
        self.server.stop()
        checking.sound(self.server, self.server.data)
        self.start()

    def kill_during_recovery(self, writers):
        self.server.kill()
        for _ in range(self.choice.randint(1, 4)):
            self.server.start(wait=False)
            time.sleep(self.choice.random() * 0.3)
            self.server.judge_end()
            self.server.kill()
        self.start()

    def power_cut(self, writers):
        self.volume.cut_power()
        self.server.kill()
        self.volume.restore_power()
        checking.sound(self.server, self.server.data)
        self.start()

    def full_disk(self, writers):
        give_back = self.volume.fill(self.choice.randint(0, 6 << 20))
        writers.await_sent(writers.sent + self.choice.randint(50, 400), seconds=3)
        self.server.judge_end()
        if self.choice.random() < 0.5:
            self.server.kill()
            give_back()
            self.start()
        else:
            give_back()
            end = time.monotonic() + 60
            while not self.takes_a_record():
                self.server.judge_end()
                if time.monotonic() > end:
                    raise Violation(f"room is back, writes are not:\n{self.server.output()[-3000:]}")
                time.sleep(0.05)

    def takes_a_record(self):
        body = '{"service":"probe","message":"probe"}'
        return self.server.ask("POST", "/v1/records/logs", body)[0] == 201

    def failing_call(self, writers):
        """From some call on every sync, or write, of a life fails."""
        writers.stop()
        self.server.stop()
        call, error = self.choice.choice(
            [("fdatasync", "EIO"), ("fsync", "EIO"), ("pwrite64", "EIO"), ("pwrite64", "ENOSPC"),
             ("openat", "EMFILE"), ("rename", "EIO"), ("fallocate", "ENOSPC")])
        first = self.choice.randint(1, 60)
        times = self.choice.choice(["", "+"])
        before = ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "--seccomp-bpf", "-e", f"trace={call}",
                  "-e", f"inject={call}:error={error}:when={first}{times}"]
        if call == "openat":
            # Only of the data directory: a program that cannot load its libraries shows nothing.
            before[-2:-2] = ["-P", self.server.data + "/journal", "-P", self.server.data + "/blocks"]
        if self.server.start(before=before):
            writers.again(self.server)
            writers.await_sent(writers.sent + self.choice.randint(50, 400), seconds=5)
        self.server.judge_end()
        self.server.kill()
        checking.sound(self.server, self.server.data)
        self.start()

    def clock_step(self, writers):
        """The wall clock a day, or a year, ahead or behind: nothing is dropped, nothing ends."""
        writers.stop()
        self.server.stop()
        with open(self.clock, "w") as file:
            file.write("0")
        self.start(environment={"LD_PRELOAD": self.shim, "TORTURE_CLOCK": self.clock})
        writers.again(self.server)
        for _ in range(self.choice.randint(1, 3)):
            step = self.choice.choice([-31536000, -86400, 7200, 86400, 31536000])
            with open(self.clock + ".new", "w") as file:
                file.write(str(step))
            os.rename(self.clock + ".new", self.clock)
            writers.await_sent(writers.sent + 50, seconds=2)
        writers.stop()
        self.server.stop()
        self.start()

    def damage(self, writers):
        """A copy of the data with bytes changed: `check` finds it, or nothing is missing. Nothing traps."""
        writers.stop()
        # After a kill, damage of the very last commit cannot be told from one that never ended.
        self.server.stop()
        copy = self.folder + "/damaged"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(self.server.data, copy)
        self.start()
        other = Server(self.server.binary, copy, self.folder + "/damaged.log")
        changed = self.change(copy)
        status, text = other.run("check", copy)
        if status not in (0, 1, 2):
            raise Violation(f"check of a copy with {changed} ended with {status}:\n{text[-2000:]}")
        is_found = status != 0
        starts = other.start()
        try:
            other.judge_end()
            if is_found or not starts:
                return self.ask_damaged(other, changed) if starts else None
            found = checking.by_files(other)
            if found is not None:
                self.compare(found, f"{changed}, which check calls sound")
        finally:
            other.kill()
            shutil.rmtree(copy, ignore_errors=True)

    def ask_damaged(self, other, changed):
        """What a server with damage answers is right, or marked, or an error."""
        for number in self.cycles[-5:]:
            mine = f"-{number}-"
            try:
                found = checking.by_answers(other, number)
            except checking.Marked:
                continue
            except OSError:
                other.judge_end()
                raise
            wrong = self.ledger.violations(found, checking.ANSWERING, lambda marker: mine in marker)
            checking.demand(wrong, f"an answer without a mark after {changed}")

    def compare(self, found, what):
        checking.demand(self.ledger.violations(found), what)

    def change(self, folder):
        """Changes some file below `folder`; returns what was done."""
        files = []
        for root, _, names in os.walk(folder):
            for name in names:
                # The control database has checksums from a stop on; then the last change of its log cannot
                # be told from one that was cut off.
                if not name.startswith("control.sqlite") and os.path.getsize(f"{root}/{name}") > 0:
                    files.append(f"{root}/{name}")
        path = self.choice.choice(sorted(files))
        size = os.path.getsize(path)
        at = self.choice.randrange(min(size, 1 << 16) if self.choice.random() < 0.5 else size)
        kind = self.choice.choice(["flip", "flip", "flip", "cut", "zeros", "gone"])
        if kind == "gone":
            os.remove(path)
        elif kind == "cut":
            os.truncate(path, at)
        else:
            with open(path, "r+b") as file:
                file.seek(at)
                old = file.read(1 if kind == "flip" else 4096)
                flipped = bytes([old[0] ^ 1 << self.choice.randrange(8)])
                file.seek(at)
                file.write(flipped if kind == "flip" else bytes(len(old)))
        return f"{kind} of {os.path.relpath(path, folder)} at byte {at}"

    def backup(self, writers):
        """A copy made while everybody writes has all that was acknowledged before it began."""
        target, restored = self.folder + "/backup", self.folder + "/restored"
        if self.choice.random() < 0.3:
            shutil.rmtree(target, ignore_errors=True)
        with self.ledger.lock:
            before = {marker for marker, fate in self.ledger.fate.items() if fate == "stored"}
        status, text = self.server.run("backup", target, "--data-dir", self.server.data)
        if status != 0:
            raise Violation(f"backup: {status}\n{text[-2000:]}")
        shutil.rmtree(restored, ignore_errors=True)
        status, text = self.server.run("restore", target, "--data-dir", restored)
        if status != 0:
            raise Violation(f"restore: {status}\n{text[-2000:]}")
        writers.stop()
        checking.sound(self.server, restored)
        other = Server(self.server.binary, restored, self.folder + "/restored.log")
        if not other.start():
            raise Violation(f"a restored server does not start:\n{other.output()[-3000:]}")
        try:
            found = checking.by_files(other)
            if found is not None:
                checking.demand(
                    [f"lost: {marker} is not in the backup" for marker in before if found[marker] != 1],
                    "a restored backup")
        finally:
            other.kill()
            shutil.rmtree(restored, ignore_errors=True)
