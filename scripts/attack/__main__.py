"""attack [--minutes M] [--seed S] [--marks MS] [--binary B] [--only ACTOR]: strangers and other tenants
against a server in production with TLS, while a quiet tenant writes and reads. Ends with 1 if anything of
the quiet tenant was seen, is missing or changed, if an answer was 500, if the server ended or grew, if a
secret is on the disk or in the log, or if the quiet tenant's p99 is beyond MS milliseconds (50; 0: it is only
shown). The same seed makes the same choices; the machine's pace does what it likes.
"""

import argparse
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture"))

import oracle
from actor import ATTACKERS, MEASURING
from administrator import Administrator
from estate import QUIET, QUIET_ADDRESS, RESIDENT_MAX, USER, Estate, ProductionServer, bearer
from framing import Framing
from guessing import Guessing
from holding import Holding
from quiet import Everywhere, Health, Quiet, written
from reader import Reader
from server import Violation
from sweep import Sweep

ACTORS = [Framing, Guessing, Holding, Reader, Administrator, Sweep]
ALONE_SECONDS = 4
HEALTH_SECONDS = 1.0


class Play:
    """The server, the quiet tenant's first records, and what each actor may know."""

    def __init__(self, server, estate, folder, options):
        self.server, self.estate, self.folder, self.seed = server, estate, folder, options.seed
        self.rows = options.rows
        self.go = multiprocessing.Event()
        self.before = []

    def prepare(self):
        server, estate = self.server, self.estate
        if not server.start():
            raise Violation(f"the server does not start:\n{server.output()[-3000:]}")
        self.administrator_login = server.login("admin")
        for name in (USER, "rita"):
            body = {"username": name, "password": estate.passwords[name], "role": "user"}
            server.json("POST", "/api/users", body, self.administrator_login)
        self.document = server.json("GET", "/openapi.json", None, bearer(estate.keys["ops"]))
        server.source = QUIET_ADDRESS
        self.loot = self.steal()
        server.source = "127.0.4.1"
        self.rival_login, self.rival_query_login = server.login("rita"), server.query_login("rita")
        server.json("POST", "/api/containers", {"container_id": "rival-box"}, self.rival_login)
        path = "/api/containers/rival-box/sessions"
        server.json("POST", path, {"session_id": "rival-run"}, self.rival_login)

    def steal(self):
        """Ids and signed texts of the quiet tenant, as others may have got hold of them."""
        server, estate = self.server, self.estate
        key, loot = bearer(estate.keys["quiet"]), {}
        self.before = list(range(20))
        lines = "\n".join(written(estate, number) for number in self.before)
        server.json("POST", "/v1/records/logs", lines, key)
        loot["cursor"] = server.json("POST", "/v1/query", {"dataset": "logs", "limit": 5}, key)["cursor"]
        connection = server.connect(10)
        connection.request("GET", "/v1/tail/logs?last=1", None, {**key, "Accept": "text/event-stream"})
        stream = connection.getresponse()
        line = b""
        while not line.startswith(b"id:"):
            line = stream.readline()
        loot["event"] = line[3:].strip().decode()
        connection.close()
        login = bearer(estate.audit_token("quiet", QUIET))
        entry = {
            "action": "loot",
            "resource_type": "x",
            "resource_id": estate.marker + "loot",
            "severity": "INFO",
        }
        loot["audit"] = server.json("POST", "/api/v1/logs", entry, login)["data"]["id"]
        entry = {
            "environment": "production",
            "executed_at": "2026-01-01",
            "ticket_id": estate.marker + "loot",
        }
        workflow = {"X-API-Key": estate.keys["quiet-workflow"]}
        loot["workflow"] = server.json("POST", "/api/v1/logs", entry, workflow)["log_id"]
        entry = {"query": estate.marker + "loot", "status": "SUCCESS"}
        loot["query"] = server.json("PUT", "/api/v1/logs", entry, server.query_login(USER))["id"]
        user = server.login(USER)
        server.json("POST", "/api/containers", {"container_id": "torture"}, user)
        server.json("POST", "/api/containers/torture/sessions", {"session_id": "s1"}, user)
        entry = {"timestamp": "2026-01-01T00:00:00Z", "level": "INFO", "message": estate.marker + "loot"}
        server.json("POST", "/api/logs/torture/s1", {"logs": [entry] * 3}, user)
        loot["sessions_cursor"] = server.json("GET", "/api/logs/torture/s1?limit=1", None, user)["cursor"]
        return loot


class Crew:
    """Processes that play until they are told to stop, and what they report."""

    def __init__(self):
        self.stopping, self.results, self.processes = multiprocessing.Event(), multiprocessing.Queue(), []

    def start(self, act, *arguments):
        process = multiprocessing.Process(target=act, args=(*arguments, self.results))
        process.start()
        self.processes.append(process)

    def stop(self, seconds=120):
        self.stopping.set()
        reports = [self.results.get(timeout=seconds) for _ in self.processes]
        for process in self.processes:
            process.join(seconds)
        return reports

    def kill(self):
        for process in self.processes:
            process.kill()


def quantiles(times):
    ordered = sorted(times) or [0]
    p50, p99 = (ordered[int(len(ordered) * share)] * 1000 for share in (0.5, 0.99))
    return p50, p99, ordered[-1] * 1000


def watch_over(server, seconds):
    """Until the time is over: the server's greatest memory and descriptors. Raises when it ends."""
    end, memory, descriptors = time.monotonic() + seconds, 0, 0
    while time.monotonic() < end:
        if server.process.poll() is not None:
            raise Violation(f"the server ended with {server.process.returncode}:\n{server.output()[-3000:]}")
        own, count, cpu = server.figures()
        memory, descriptors = max(memory, own), max(descriptors, count)
        if own > RESIDENT_MAX:
            raise Violation(f"the server holds {own >> 20} MiB of its own")
        time.sleep(0.25)
    return memory, descriptors, cpu


def act(play, options, crews):
    """The attack itself: reports of the quiet ones and of those who attack."""
    attackers, quiet = crews
    chosen = [kind for kind in ACTORS if not options.only or options.only in kind.name]
    ready = multiprocessing.Semaphore(0)
    for kind in chosen:
        attackers.start(kind.run, play, attackers.stopping, ready)
    for _ in chosen:
        if not ready.acquire(timeout=120):
            raise Violation("an actor does not begin")
    quiet.start(Quiet(play).run, quiet.stopping)
    quiet.start(Everywhere(play).run, quiet.stopping)
    quiet.start(Health(play, HEALTH_SECONDS if options.marks else 10 * HEALTH_SECONDS).run, quiet.stopping)
    watch_over(play.server, ALONE_SECONDS)
    play.go.set()
    began, load = time.monotonic(), os.getloadavg()[0]
    memory, descriptors, cpu = watch_over(play.server, options.minutes * 60)
    print(
        f"attack: {time.monotonic() - began:.0f} s; the server held at most {memory >> 20} MiB and "
        f"{descriptors} descriptors, and took {cpu:.0f} s of cores"
    )
    print(
        f"attack: those who attack run at nice {ATTACKERS}, the server at 0, who measures at {MEASURING}, "
        "so that the server is measured and not who waits behind the attackers for a core; the machine's "
        f"load was {load:.1f} before and is {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
    )
    reports = quiet.stop()
    attackers.stopping.set()
    play.server.kill()
    return reports, attackers.stop()


def judge(play, reports):
    """The oracle, after a kill and a restart: what is wrong, as sentences."""
    server = play.server
    by_name = {report["actor"]: report for report in reports}
    measured, everywhere = by_name["the quiet tenant"], by_name["the quiet tenant's six APIs"]
    if not server.start():
        raise Violation(f"the server does not start again:\n{server.output()[-3000:]}")
    server.source = None
    ledger = oracle.ledger_of(everywhere)
    said, stored = [], {}

    def look(name, check, *arguments):
        try:
            return check(*arguments)
        except (Violation, AssertionError) as error:
            said.append(f"{name}: {error}")
        return None

    stored = look("six APIs", oracle.six, server, ledger) or {}
    count = look("records", oracle.records, server, measured, play.before, stored.get("native", 0))
    look("masking", oracle.unmasked, server)
    is_read = look("files", oracle.files, server, ledger)
    took = look("stop", oracle.stop, server)
    look("disk", oracle.on_disk, server)
    size = look("log", oracle.log, server)
    print(
        f"attack: after a kill: {count} records of the measured client, {sum(stored.values())} of six APIs; "
        f"a log of {size} bytes; stopped in {took or 0:.2f} s" + ("" if is_read else "; blocks not read")
    )
    return said


def times(reports, marks):
    by_name = {report["actor"]: report for report in reports}
    measured = by_name["the quiet tenant"]
    for name, under_attack in measured["times"].items():
        p50, p99, most = quantiles(under_attack)
        alone = quantiles(measured["alone"][name])
        print(
            f"attack: quiet {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {most:.0f} ms of "
            f"{len(under_attack)}; alone p50 {alone[0]:.1f}, p99 {alone[1]:.1f}"
        )
        if marks and p99 > marks:
            yield f"the quiet tenant's {name}: p99 {p99:.1f} ms, and {marks:g} are promised"
    p50, p99, most = quantiles(by_name["health"]["times"])
    print(f"attack: /healthz on new connections: p50 {p50:.1f} ms, p99 {p99:.1f} ms, most {most:.0f} ms")


def summary(reports, is_long):
    for report in reports:
        counts, slow = report["counts"], report["slowest"]
        total = sum(counts.values()) or len(report.get("times", ()))
        slowest = sorted(slow.items(), key=lambda item: -item[1][0])[:4]
        print(
            f"attack: {report['actor']}: {total} answers; slowest "
            + ", ".join(f"{what} {seconds} s ({status})" for what, (seconds, status) in slowest)
        )
        if is_long:
            print("  " + ", ".join(f"{what}: {count}" for what, count in sorted(counts.items())))
        for kind, count in report["faults"].items():
            yield f"{report['actor']}: {kind} ({count} times)"


def main():
    parser = argparse.ArgumentParser(prog="attack", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--marks", type=float, default=50, help="milliseconds of the p99; 0: only show it")
    parser.add_argument("--rows", type=int, default=60_000, help="records of the rival")
    parser.add_argument("--binary", default=os.environ.get("CORDWOOD_BINARY", ".build/release/cordwood"))
    parser.add_argument("--only", help="part of one actor's name")
    parser.add_argument("--all", action="store_true", help="all counts of answers")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="cordwood-attack-")
    print(f"attack: seed {options.seed}, in {folder}", flush=True)
    estate = Estate(options.seed)
    server = ProductionServer(os.path.abspath(options.binary), folder, estate)
    play, crews = Play(server, estate, folder, options), (Crew(), Crew())
    try:
        play.prepare()
        quiet, others = act(play, options, crews)
        faults = [*times(quiet, options.marks), *summary(quiet + others, options.all)]
        faults += judge(play, quiet)
    except Violation as error:
        faults = [str(error)]
    finally:
        for crew in crews:
            crew.kill()
        if server.process and server.process.poll() is None:
            server.kill()
    for fault in faults:
        print(f"attack: FAULT {fault}")
    if faults:
        print(f"attack: {len(faults)} faults; seed {options.seed}; all is left in {folder}")
        return 1
    print("attack: nothing was seen, nothing is missing")
    shutil.rmtree(folder)
    return 0


sys.exit(main())
