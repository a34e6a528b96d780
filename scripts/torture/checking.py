"""Whether a server has what the ledger says: by its answers, and by its files as others read them."""

import collections
import json
import os
import sys

from server import Violation
from writers import audit_token

COLUMNS = ["message", "query", "resource_id", "ticket_id"]


class Marked(Violation):
    """An error, or an answer that says that it is not whole."""


def count(markers):
    return collections.Counter(marker for marker in markers if marker and marker.startswith("T-"))


def development(server):
    """Headers by API that open a server in development."""
    token = server.json("POST", "/api/auth/login", {"username": "admin", "password": "admin"})["token"]
    return {
        "native": {}, "sessions": {"Authorization": "Bearer " + token},
        "audit": {"Authorization": "Bearer " + audit_token()}, "workflow": {"X-API-Key": "torture-workflow"}}


def by_answers(server, cycle, headers=None):
    """What four APIs answer of one cycle's records, all pages, to who sends these headers. Raises if an
    answer is marked incomplete.
    """
    headers = headers or development(server)
    found = collections.Counter()

    def ask(method, path, body=None, headers=None):
        status, fields, text = server.ask(method, path, body, headers)
        if status != 200 or fields.get("Cordwood-Incomplete"):
            raise Marked(f"{method} {path}: {status} {fields.get('Cordwood-Incomplete')} {text[:300]!r}")
        return json.loads(text)

    where = {"eq": ["service", f"t{cycle}"]}
    asked = {"dataset": "logs", "columns": ["message"], "where": where, "limit": 1000000}
    found += count(row["message"] for row in ask("POST", "/v1/query", asked, headers["native"])["rows"])
    login = headers["sessions"]
    path = f"/api/logs/torture/s{cycle}"
    if server.ask("GET", path + "?limit=1", headers=login)[0] != 403:  # no session was made in this cycle
        found += count(row["message"] for row in ask("GET", path, None, login)["logs"])
    pages = [
        (f"/api/v1/logs?action=t{cycle}&size=100", headers["audit"], "resource_id"),
        (f"/api/v1/logs?category=t{cycle}&page_size=100", headers["workflow"], "ticket_id"),
    ]
    for path, credential, member in pages:
        page = 1
        while True:
            answer = ask("GET", f"{path}&page={page}", None, credential)
            rows = answer.get("data") or answer.get("items") or answer.get("logs") or []
            rows = rows.get("items", rows) if isinstance(rows, dict) else rows
            found += count(row[member] for row in rows)
            if len(rows) < 100:
                break
            page += 1
    return found


ANSWERING = {"native", "sessions", "audit", "workflow"}


def by_files(server, headers=None):
    """What all live blocks hold, read by pyarrow; None where it is not installed. Who sends `headers` may
    archive all.
    """
    sys.path.insert(0, os.environ.get("CORDWOOD_PYTHONPATH", ".deps/python"))
    try:
        import pyarrow.parquet as parquet
    except ImportError:
        return None
    server.json("POST", "/v1/admin/flush", {"archive": True}, headers)
    for _ in range(20):
        try:
            return read_blocks(server, parquet)
        except FileNotFoundError:
            pass  # replaced by a merge since it was listed
    raise Violation("blocks are replaced faster than they can be read")


def read_blocks(server, parquet):
    status, text = server.run("inspect", server.data, "--files")
    if status != 0:
        raise Violation(f"inspect: {status} {text}")
    found = collections.Counter()
    for path in text.split("\n"):
        if not path.endswith(".parquet"):
            continue
        names = set(parquet.read_schema(path).names)
        table = parquet.read_table(path, columns=[c for c in COLUMNS if c in names])
        for column in table.columns:
            found += count(column.to_pylist())
    return found


def demand(wrong, what):
    if wrong:
        raise Violation(f"{what}: {len(wrong)} violations, the first:\n  " + "\n  ".join(wrong[:6]))


def sound(server, data):
    """`cordwood check` finds nothing."""
    status, text = server.run("check", data)
    if status != 0:
        raise Violation(f"check of {data}: {status}\n{text[-3000:]}")
