"""Overview: each of its states."""

from steps import RANGE, WEEKS, answer_with, open_page, settled


def test_overview_counts_are_those_of_queries(lab):
    page = open_page(lab, f"/ui/?range={RANGE}")
    settled(page)
    start, end = RANGE.split("..")
    total = lab.shared.query(start=start, end=end, measures=["count"])[0]["count"]
    errors = lab.shared.query(
        start=start, end=end, measures=["count"], where={"in": ["level", ["ERROR", "FATAL"]]}
    )[0]["count"]
    card = page.locator(".card", has=page.get_by_role("heading", name="Logs", exact=True))
    assert f"{total:,}" in card.inner_text(), card.inner_text()
    share = 100 * errors / total
    assert (
        f"{share:.1f} %" in card.inner_text() or f"{round(share)} %" in card.inner_text()
    ), card.inner_text()
    worst = lab.shared.query(
        start=start,
        end=end,
        group_by=["service"],
        measures=[{"count": {"where": {"in": ["level", ["ERROR", "FATAL"]]}}, "as": "errors"}],
        order_by="errors",
        limit=1,
    )[0]
    first = (
        page.locator(".panel", has_text="Services with most errors").locator("tbody tr").first.inner_text()
    )
    assert worst["service"] in first and f"{worst['errors']:,}" in first, first


def test_overview_runs_by_category(lab):
    page = open_page(lab, f"/ui/?range={WEEKS}")
    settled(page)
    start, end = WEEKS.split("..")
    rows = lab.shared.query(
        dataset="workflows",
        start=start,
        end=end,
        group_by=["category"],
        order_by="count",
        measures=[
            "count",
            {"count": {"where": {"eq": ["status", "SUCCESS"]}}, "as": "good"},
            {"quantile": ["execution_time_seconds", 0.95], "as": "p95"},
        ],
    )
    shown = page.locator(".panel", has_text="Runs by category").locator("tbody tr")
    assert shown.count() == len(rows)
    for index, row in enumerate(rows):
        line = shown.nth(index).inner_text()
        assert row["category"] in line and str(row["count"]) in line and seconds(row["p95"]) in line, line


def seconds(value):
    return f"{value:.2f}".rstrip("0").rstrip(".") if value < 10 else f"{value:.1f}".removesuffix(".0")


def test_overview_links_lead_to_the_records(lab):
    page = open_page(lab, f"/ui/?range={RANGE}")
    settled(page)
    page.locator(".panel", has_text="Services with most errors").locator("tbody a").first.click()
    page.wait_for_url("**/ui/logs?**")
    assert "f=level:ERROR" in page.url and "range=2026-11-19T10:00:00Z" in page.url, page.url
    page.go_back()
    page.get_by_role("heading", name="Overview").wait_for()


def test_overview_of_nothing_leads_to_send(lab):
    server = lab.server()
    page = lab.page(server, "/ui/")
    page.get_by_text("Nothing has come in yet.").wait_for()
    page.get_by_role("link", name="Send the first records").click()
    page.get_by_role("heading", name="Send", exact=True).wait_for()


def test_overview_says_when_there_is_something(lab):
    page = open_page(lab, "/ui/?range=2020-01-01T00:00:00Z..2020-01-02T00:00:00Z")
    page.get_by_text("The newest record is of 2026-11-19").wait_for()
    page.get_by_role("link", name="Show the newest").click()
    page.wait_for_url("**/ui/logs?**")


def test_a_part_of_the_overview_fails_alone(lab):
    page = lab.page(lab.shared, None)
    answer_with(page, "status", 500, {"status": 500, "title": "The disk failed"})
    page.goto(f"{lab.shared.url}/ui/?range={RANGE}")
    settled(page)
    server = page.locator(".panel", has=page.get_by_role("heading", name="Server", exact=True))
    assert server.get_by_role("alert").count() == 1, server.inner_text()
    assert page.locator(".state.bad").count() == 1
    page.unroute_all()
    server.get_by_role("button", name="Try again").click()
    server.get_by_text("Disk").wait_for()


def test_a_broken_range_is_said(lab):
    page = open_page(lab, "/ui/?range=yesterdayish")
    page.get_by_text("is not understood").wait_for()
