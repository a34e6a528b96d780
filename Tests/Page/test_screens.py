"""What the pages look like: hashes of tiles, kept in screens/. `SNAPSHOT_UPDATE=1` writes them anew."""

import re
from urllib.parse import quote

import screens
from lab import updating
from records import TRACE
from steps import HOUR, RANGE, WEEKS, answer_with, settled

STATUS = {
    "version": "0.3.0",
    "uptime_seconds": 93784,
    "disk": {"free_bytes": 81_000_000_000, "used_bytes": 4_210_000_000},
    "head": {"rows": 4311, "bytes": 1_250_000},
    "blocks": 212,
    "ready": True,
    "checks": [{"name": "disk", "ok": True}],
    "forwarding": {"waiting_rows": 120, "dead_letters": 2, "parked": False},
    "retention": {
        "logs_seconds": 2592000,
        "audit_seconds": 0,
        "workflows_seconds": 0,
        "queries_seconds": 0,
        "sessions_seconds": 0,
    },
}
BOARD = {
    "views": [
        {
            "name": "Night watch",
            "kind": "board",
            "value": {
                "charts": [
                    {
                        "dataset": "logs",
                        "measure": "count",
                        "by": "level",
                        "as": "bars",
                        "title": "Logs by level",
                    },
                    {
                        "dataset": "logs",
                        "measure": "p95:metadata.duration_ms",
                        "by": "service",
                        "as": "lines",
                        "title": "Slowest by service",
                    },
                    {"dataset": "logs", "measure": "errors", "by": "service", "bucket": "none", "as": "bars"},
                    {"dataset": "logs", "measure": "share", "by": "service", "bucket": "none", "as": "table"},
                ]
            },
        }
    ]
}
LETTERS = {
    "dead_letters": [
        {
            "id": 7,
            "token": "shop",
            "refused_at": "2026-11-19T10:00:00Z",
            "reason": "entry too far behind",
            "timestamp": "2026-11-01T10:00:00Z",
            "line": {"message": "late"},
        }
    ],
    "count": 1,
    "next": None,
}
GRANTS = {
    "users": [
        {
            "user": "ada",
            "grants": [
                {"tenant": "native/shop", "role": "reader"},
                {"tenant": "audit/acme", "role": "admin"},
            ],
        }
    ]
}
MASKED = {
    "entry": {"message": "login of ****[email] failed"},
    "hits": [{"place": "message", "rule": "value:email"}],
}
RECORD = {
    "id": "0190a6e8-1c9e-7000-8000-1f2e3d4c5b6a",
    "user_id": "alice",
    "query": "SELECT * FROM users WHERE id = 123",
    "status": "SUCCESS",
    "timestamp": "2026-11-19T10:11:12.131415Z",
    "hash": "5f1c" * 16,
}

# Name, path, answers that are put in place of the server's, what is done before the picture.
STATES = {
    "overview": (f"/ui/?range={HOUR}", {}, None),
    "overview-failed-part": (f"/ui/?range={RANGE}", {"status": (500, {"title": "The disk failed"})}, None),
    "overview-none-in-time": ("/ui/?range=2020-01-01T00:00:00Z..2020-01-02T00:00:00Z", {}, None),
    "logs": (f"/ui/logs?range={RANGE}", {}, None),
    "logs-detail": (
        f"/ui/logs?range={RANGE}&f=level:ERROR",
        {},
        lambda page: (
            page.keyboard.press("j"),
            page.keyboard.press("Enter"),
            page.get_by_text(re.compile("^Position ")).wait_for(),
        ),
    ),
    # Whether there is anything at other times is asked behind the rows.
    "logs-none": (
        f"/ui/logs?range={RANGE}&q=level+%3D+NONE",
        {},
        lambda page: page.get_by_text("Nothing matches, in no time.").wait_for(),
    ),
    "logs-broken-filter": (f"/ui/logs?range={RANGE}&q=level+%3D+(", {}, None),
    "trace": (
        f"/ui/trace?id={TRACE}",
        {},
        lambda page: page.get_by_role("button", name="acquirer timed out").click(),
    ),
    "trace-none": ("/ui/trace?id=none", {}, None),
    "charts": (f"/ui/charts?measure=count&by=level&range={RANGE}", {}, None),
    "charts-lines": (
        "/ui/charts?dataset=workflows&measure=avg:execution_time_seconds&by=category&bucket=day&as=lines"
        f"&range={WEEKS}",
        {},
        None,
    ),
    "charts-ranking": (
        f"/ui/charts?dataset=logs&measure=errors&by=service&bucket=none&range={RANGE}",
        {},
        None,
    ),
    "charts-severity": (
        f"/ui/charts?dataset=audit&measure=count&by=severity&bucket=day&range={WEEKS}",
        {},
        None,
    ),
    "board": (f"/ui/charts?board={quote('Night watch')}&range={RANGE}", {"views": (200, BOARD)}, None),
    "verify-valid": ("/ui/verify?id=1", {"verify": (200, {"status": "valid", "record": RECORD})}, None),
    "verify-changed": ("/ui/verify?id=1", {"verify": (200, {"status": "changed", "record": RECORD})}, None),
    "send": ("/ui/send", {}, None),
    "manage-keys": (
        "/ui/manage",
        {
            "keys": (
                200,
                {
                    "keys": [
                        {
                            "name": "ci",
                            "realm": "workflow",
                            "tenant": "client_1",
                            "role": "user",
                            "created_at": "2026-11-01T00:00:00Z",
                        }
                    ]
                },
            )
        },
        None,
    ),
    "manage-grants": ("/ui/manage?part=grants", {"grants": (200, GRANTS)}, None),
    "manage-letters": ("/ui/manage?part=letters", {"admin/deadletters": (200, LETTERS)}, None),
    "manage-masking": (
        "/ui/manage?part=masking",
        {"admin/masking": (200, MASKED)},
        lambda page: (
            page.get_by_role("button", name="Try").click(),
            page.get_by_text("value:email").wait_for(),
        ),
    ),
    "signin": (
        "/ui/",
        {"me": (401, {}), "login": (401, {})},
        lambda page: (
            page.get_by_label("Name", exact=True).fill("ada"),
            page.get_by_label("Password").fill("x"),
            page.keyboard.press("Enter"),
            page.get_by_text("is wrong.").wait_for(),
        ),
    ),
}
NARROW = ["overview", "logs", "trace", "charts", "send", "manage-grants"]


def steady(page):
    """Times that a call took, and the port in commands, are different each time."""

    def patch(route):
        answer = route.fetch()
        body = re.sub(r'"(ms|seconds)":[0-9.]+', r'"\1":1', answer.text())
        body = re.sub(r'"ingested_at":\s?"[^"]*"', '"ingested_at":"2026-11-19T12:00:00Z"', body)
        body = re.sub(r'"id":\s?"[0-9a-f-]{36}"', '"id":"00000000-0000-7000-8000-000000000000"', body)
        route.fulfill(response=answer, body=body)

    page.route(re.compile("/ui/v1/(query|summary)"), patch)


def show(lab, name, **options):
    path, answers, act = STATES[name]
    page = lab.page(lab.shared, None, **options)
    steady(page)
    for route, (status, body) in {"status": (200, STATUS), **answers}.items():
        answer_with(
            page, route, status, body, "application/json" if status < 300 else "application/problem+json"
        )
    page.goto(lab.shared.url + path)
    if name == "signin":
        page.get_by_role("heading", name="Sign in").wait_for()
    else:
        settled(page)
    if act:
        act(page)
        settled(page)
    port = str(lab.shared.port)
    page.evaluate(
        """(port) => { const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      while (nodes.nextNode()) if (nodes.currentNode.data.includes(
        port)) nodes.currentNode.data = nodes.currentNode.data.replaceAll(port, '8000') }""",
        port,
    )
    return page


def look(lab, names, kind, **options):
    differ = []
    # Members of objects come in another order, and fewer rows are looked at, once rows are in blocks.
    lab.shared.json("POST", "/v1/admin/flush", {"archive": True})
    for name in names:
        page = show(lab, name, **options)
        differ.append(screens.check(lab, page, f"{name}-{kind}"))
        page.context.close()
        lab.contexts.remove(page.context)
    differ = [one for one in differ if one]
    assert not differ, "\n".join(differ)


def test_light(lab):
    look(lab, STATES, "light")


def test_dark(lab):
    look(lab, STATES, "dark", theme="dark")


def test_narrow(lab):
    look(lab, NARROW, "narrow", width=400, height=800)


def test_pictures_of_the_readme(lab):
    """Two pictures are left in .build-page; the README's are copies of them."""
    from lab import output

    for theme in ["light", "dark"]:
        page = show(lab, "logs", theme=theme)
        output(f"logs-{theme}.png").write_bytes(page.screenshot(animations="disabled", caret="hide"))
    assert updating() or output("logs-light.png").stat().st_size > 10_000
