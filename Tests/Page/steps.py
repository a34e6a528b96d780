"""Steps that several tests take."""

import calendar
import json
import re
import time

# All records of the shared server lie in it.
RANGE = "2026-11-19T10:00:00Z..2026-11-19T12:00:00Z"
HOUR = "2026-11-19T11:00:00Z..2026-11-19T12:00:00Z"
WEEKS = "2026-10-25T00:00:00Z..2026-11-20T00:00:00Z"

HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg/onload=alert(1)>',
    "javascript:alert(1)",
    "\u202egnp.exe",
    "a\u2066b\u2069c",
    "zero\u200bwidth",
    "\x1b[31mred\x1b[0m\x1b]0;title\x07",
    "nul\u2400 bel\x07 bs\x08",
    "line\nbreak\r\ttab",
    "__proto__",
    "constructor",
    "toString",
    "{{7*7}}",
    "${7*7}",
    "%00%0a",
    "\ufeffbom",
    "🦀" * 20,
    "e" + "\u0301" * 200,
    "\u0600\u06ddarabic",
    "x" * 3000,
    " ",
    "'; DROP TABLE logs; --",
    "=cmd|'/c calc'!A1",
    "&lt;b&gt;",
    "\ud7ff\ue000private",
    "http://evil.invalid/",
    "\u2028\u2029",
    "null",
    "-",
    ",",
    ":",
    "\\",
    "]]>",
]


def unit(page, expression, *modules):
    """What `expression`, a function of the modules, gives in the browser."""
    return page.evaluate(
        """async (names) => {
          const base = document.querySelector('script[src$="/app.js"]').src;
          const modules = await Promise.all(names.map((name) => import(new URL(name, base).href)));
          return await (WORK)(...modules);
        }""".replace("WORK", expression),
        list(modules),
    )


def open_page(lab, path, **options):
    """A page of the shared server, when its frame is there."""
    page = lab.page(lab.shared, path, **options)
    page.locator("main h1, main .rows, main [role=grid]").first.wait_for()
    return page


def settled(page):
    """Waits until nothing is being asked for."""
    page.wait_for_function(
        """() => !document.querySelector('[aria-busy=true], .state.loading, .logs.running, .rec.ghost')
          && document.querySelector('main')?.firstElementChild"""
    )
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


# The rows in the document that are loaded: [number of newer ones, the record's line].
ROWS = """() => [...document.querySelectorAll('.rec')].filter((row) => typeof row.line === 'string')
  .map((row) => [Number(row.getAttribute('aria-rowindex')) - 2, row.line])"""


def rows(page):
    settled(page)
    return [(index, json.loads(line)) for index, line in page.evaluate(ROWS)]


def counted(page):
    """The text that says how many there are, when they have been counted."""
    settled(page)
    page.wait_for_function("() => /^[\\d,]+ records?/.test(document.querySelector('.status').innerText)")
    return text(page, ".status")


def newest_first(server, headers=None, **query):
    """All records that a query finds, in the order of the list."""
    found = server.query(headers, limit=1_000_000, columns=["position", "timestamp"], **query)
    return [
        record["position"]
        for record in sorted(
            found, key=lambda record: (nanoseconds(record["timestamp"]), record["position"]), reverse=True
        )
    ]


def nanoseconds(stamp):
    whole, _, fraction = stamp.rstrip("Z").partition(".")
    return calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S")) * 10**9 + int(
        fraction.ljust(9, "0") or 0
    )


def text(page, selector="main"):
    return page.locator(selector).first.inner_text()


def hostile_records():
    """Each text of the corpus as each value and as a name."""
    for index, bad in enumerate(HOSTILE):
        yield {
            "timestamp": f"2026-11-19T11:{index % 60:02d}:00Z",
            "level": bad[:200],
            "service": bad,
            "env": bad,
            "message": f"{bad} {bad}",
            "trace_id": "hostile",
            "labels": {bad: bad},
            "metadata": {bad: bad, "deep": {bad: [bad, {bad: bad}]}, "duration_ms": index},
        }


def ndjson(records):
    return "\n".join(json.dumps(record) for record in records).encode()


def answer_with(page, path, status, body, kind="application/problem+json", headers=None):
    """From here on `/ui/v1/path` answers so."""
    page.route(
        re.compile(rf"/ui/v1/{path}"),
        lambda route: route.fulfill(
            status=status,
            body=body if isinstance(body, str) else json.dumps(body),
            content_type=kind,
            headers=headers or {},
        ),
    )
