"""What must be so at the end: all that was acknowledged, nothing of others, and no secret on any byte."""

import os
import re
import time

import checking
import writers
from estate import QUIET, QUIET_ADDRESS, USER, bearer
from ledger import STORED, Ledger
from quiet import row
from server import Violation

# What steers a terminal or turns the order of text: C0 but the line's end, C1, bidirectional controls.
STEERING = re.compile("[\0-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def ledger_of(report):
    ledger = Ledger()
    ledger.fate, ledger.api, ledger.unanswered = report["fate"], report["api"], report["unanswered"]
    return ledger


def credentials(server):
    """Headers of the quiet tenant by API."""
    keys = server.estate.keys
    return {
        "native": bearer(keys["quiet"]),
        "sessions": server.login(USER),
        "audit": bearer(server.estate.audit_token("quiet", QUIET)),
        "workflow": {"X-API-Key": keys["quiet-workflow"]},
    }


def records(server, quiet, before, others):
    """The measured client's records, whole, and that its tenant has no others."""
    body = {
        "dataset": "logs",
        "where": {"eq": ["service", "quiet"]},
        "limit": 1_000_000,
        "order": "asc",
        "columns": ["message", "service", "level", "metadata"],
    }
    headers = bearer(server.estate.keys["quiet"])
    found = server.json("POST", "/v1/query", body, headers)["rows"]
    numbers = [each["metadata"]["n"] for each in found if isinstance(each.get("metadata"), dict)]
    wrong = [f"lost: {n}" for n in set(before + quiet["acknowledged"]) - set(numbers)]
    wrong += [
        f"changed or foreign: {each}" for n, each in zip(numbers, found) if each != row(server.estate, n)
    ]
    if len(numbers) != len(set(numbers)) or len(numbers) != len(found):
        wrong.append(f"doubled or foreign: {len(found)} rows of {len(set(numbers))} numbers")
    counted = server.json("POST", "/v1/query", {"dataset": "logs", "measures": ["count"]}, headers)["rows"][
        0
    ]["count"]
    if counted != len(found) + others:
        wrong.append(f"the tenant has {counted} records, {len(found)} and {others} were written")
    checking.demand(wrong, "the quiet tenant's records")
    return len(found)


def six(server, ledger):
    """The records of six APIs: once each, whatever was in doubt sent again, and no others beside them."""
    server.source = QUIET_ADDRESS
    writers.resend(server, ledger)
    headers = credentials(server)
    found = checking.by_answers(server, 1, headers)
    checking.demand(ledger.violations(found, checking.ANSWERING), "answers")
    stored = {
        name: sum(1 for marker, fate in ledger.fate.items() if fate == STORED and ledger.api[marker] == name)
        for name in set(ledger.api.values())
    }
    # One more of each was written to be stolen from.
    audit = server.json("GET", "/api/v1/logs?size=1", None, headers["audit"])["meta"]["total"]
    workflow = server.json("GET", "/api/v1/logs?page_size=1", None, headers["workflow"])["pagination"][
        "total"
    ]
    checking.demand(
        [
            f"{name}: {total} records, {stored.get(name, 0) + 1} were written"
            for name, total in (("audit", audit), ("workflow", workflow))
            if total != stored.get(name, 0) + 1
        ],
        "what others wrote",
    )
    return stored


def files(server, ledger):
    """All live blocks, where pyarrow is there to read them."""
    found = checking.by_files(server, bearer(server.estate.keys["ops"]))
    if found is not None:
        ours = {marker: count for marker, count in found.items() if re.match("T-[a-z]", marker)}
        checking.demand(ledger.violations(ours), "files")
    return found is not None


def unmasked(server):
    """No query finds the quiet tenant's secret, and no file has it."""
    texts = {
        "logs": ["message", "metadata"],
        "audit": ["metadata", "before"],
        "workflows": ["payload"],
        "queries": ["query"],
    }
    wrong = []
    for dataset, columns in texts.items():
        where = {"or": [{"contains": [column, server.estate.secret]} for column in columns]}
        rows = server.json(
            "POST", "/v1/query", {"dataset": dataset, "where": where}, bearer(server.estate.keys["quiet"])
        )
        wrong += [f"{dataset}: {row}" for row in rows["rows"]]
    checking.demand(wrong, "secrets that a query finds")


def on_disk(server):
    """Files of the data directory that hold the secret, a key or a password as it is."""
    estate = server.estate
    words = [estate.secret, estate.typed, *estate.passwords.values()]
    words += [
        estate.keys[name] for name in ("quiet", "ops", "ingest-admin", "quiet-workflow", "quiet-ingest")
    ]
    words = [word.encode() for word in words]
    wrong = []
    for folder, _, names in os.walk(server.data):
        for name in names:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                data = file.read()
            wrong += [f"{path}: {word.decode()}" for word in words if word in data]
    checking.demand(wrong, "secrets on the disk")


def log(server):
    """The server's log steers no terminal; no typed password, key or record stands in it."""
    estate = server.estate
    words = [
        estate.typed,
        estate.secret,
        estate.marker,
        estate.planted,
        *estate.passwords.values(),
        *estate.keys.values(),
    ]
    wrong, size = [], 0
    with open(server.log, "rb") as file:
        for line in file:
            size += len(line)
            text = line.decode("utf-8", "replace")
            if STEERING.search(text):
                wrong.append(f"a control character: {text[:500]!r}")
            wrong += [f"has {word}: {text[:500]!r}" for word in words if word in text]
            if len(line) > 4096:
                wrong.append(f"a line of {len(line)} bytes: {text[:300]!r}")
    checking.demand(wrong, "the log")
    return size


def stop(server):
    """A stop within its time, after which the files are sound."""
    began = time.monotonic()
    server.stop()
    took = time.monotonic() - began
    checking.sound(server, server.data)
    if took > 15:
        raise Violation(f"the stop took {took:.1f} s")
    return took
