"""soak [--minutes M] [--binary B]: six APIs written to at an even pace, asked, deleted from, archived and
compacted, for M minutes (10). Ends with 1 if memory, mappings, descriptors or deleted files that are still
held grow: the median of the last fifth is compared with that of the fifth in the middle.
"""

import argparse
import os
import re
import shutil
import statistics
import sys
import tempfile
import threading
import time

from ledger import Ledger
from server import Server
from writers import Writers

# What may come on top by chance: of the median, and beside it.
SLACK = {"memory MiB": (0.10, 16), "maps": (0.10, 40), "descriptors": (0.10, 20), "deleted files": (0, 8)}


def sample(process):
    """Figures of the process now."""
    base = f"/proc/{process.pid}"
    with open(base + "/status") as file:
        status = file.read()
    with open(base + "/maps") as file:
        maps = file.read().splitlines()
    links = []
    for name in os.listdir(base + "/fd"):
        try:
            links.append(os.readlink(f"{base}/fd/{name}"))
        except FileNotFoundError:
            pass
    memory = sum(int(re.search(rf"{name}:\s+(\d+)", status).group(1)) for name in ("RssAnon", "RssShmem"))
    deleted = {m.split(None, 5)[5] for m in maps if m.endswith("(deleted)") and "/blocks/" in m}
    deleted |= {link for link in links if link.endswith("(deleted)") and "/blocks/" in link}
    return {
        "memory MiB": memory / 1024, "maps": len(maps), "descriptors": len(links),
        "deleted files": len(deleted)}


def ask(server, stopping, failures):
    """Questions, deletions and archiving beside the writers."""
    queries = [
        {"dataset": "logs", "limit": 100},
        {"dataset": "logs", "group_by": ["level"], "measures": ["count"]},
        {"dataset": "logs", "where": {"contains": ["message", "T-native"]}, "measures": ["count"]},
    ]
    number = 0
    try:
        while not stopping.wait(0.1):
            number += 1
            server.json("POST", "/v1/query", queries[number % len(queries)])
            if number % 100 == 0:
                server.json("POST", "/v1/admin/flush", {"archive": True})
            if number % 250 == 0:
                where = {"lt": ["position", number * 20]}
                server.json("POST", "/v1/delete", {"dataset": "logs", "where": where})
    except Exception as error:  # shown by who waits
        failures.append(repr(error))


def grown(samples):
    """What grew, as sentences."""
    fifth = len(samples) // 5
    middle, last = samples[2 * fifth:3 * fifth], samples[4 * fifth:]
    for name, (share, more) in SLACK.items():
        before = statistics.median(s[name] for s in middle)
        after = statistics.median(s[name] for s in last)
        print(f"soak: {name}: {before:.0f} in the middle, {after:.0f} at the end")
        if after > before * (1 + share) + more:
            yield f"{name} grew from {before:.0f} to {after:.0f}"


def main():
    parser = argparse.ArgumentParser(prog="soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--binary", default=os.environ.get("CORDWOOD_BINARY", ".build/release/cordwood"))
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="cordwood-soak-")
    server = Server(os.path.abspath(options.binary), folder + "/data", folder + "/server.log")
    server.start()
    failures, stopping, samples = [], threading.Event(), []
    writers = Writers(server, Ledger(), 1, 1, pause=0.02)
    asking = threading.Thread(target=ask, args=(server, stopping, failures), daemon=True)
    asking.start()
    end = time.monotonic() + options.minutes * 60
    while time.monotonic() < end and not failures and not writers.failures:
        time.sleep(1)
        samples.append(sample(server.process))
    stopping.set()
    asking.join(60)
    writers.stop()
    faults = failures + list(grown(samples))
    server.stop()
    for fault in faults:
        print(f"soak: {fault}; all is left in {folder}")
    if not faults:
        print(f"soak: {writers.sent} requests in {options.minutes:g} minutes, nothing grew")
        shutil.rmtree(folder)
    return 1 if faults else 0


sys.exit(main())
