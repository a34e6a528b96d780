"""Charts and boards: each of their states."""

import records
from steps import RANGE, WEEKS, open_page, settled


def test_chart_values_are_those_of_queries(lab):
    page = open_page(
        lab, f"/ui/charts?dataset=audit&measure=count&by=severity&bucket=day&as=table&range={WEEKS}"
    )
    page.locator(".chart-main table.data tbody tr").first.wait_for()
    start, end = WEEKS.split("..")
    rows = lab.shared.query(
        dataset="audit", start=start, end=end, group_by=["severity"], bucket="day", measures=["count"]
    )
    wanted = {(row["bucket"][:10], row["severity"]): row["count"] for row in rows}
    table = page.locator(".chart-main table.data")
    heads = table.locator("thead th").all_inner_texts()
    shown = {}
    for line in table.locator("tbody tr").all():
        cells = line.locator("th, td").all_inner_texts()
        for head, cell in zip(heads[1:], cells[1:]):
            if cell != "0":
                shown[cells[0], head] = int(cell.replace(",", ""))
    assert shown == wanted
    assert len(table.locator("tbody tr").all()) == 26


def test_share_of_errors_is_that_of_queries(lab):
    page = open_page(lab, f"/ui/charts?measure=share&by=service&bucket=none&as=table&range={RANGE}")
    page.locator(".chart-main table.data tbody tr").first.wait_for()
    start, end = RANGE.split("..")
    rows = lab.shared.query(
        start=start,
        end=end,
        group_by=["service"],
        measures=["count", {"count": {"where": {"in": ["level", ["ERROR", "FATAL"]]}}, "as": "errors"}],
    )
    wanted = {row["service"]: 100 * row["errors"] / row["count"] for row in rows}
    shown = [line.locator("th, td").all_inner_texts() for line in page.locator(".chart-main tbody tr").all()]
    assert {name for name, _ in shown} == set(wanted)
    for name, value in shown:
        assert abs(float(value.removesuffix(" %")) - wanted[name]) < 0.01, (name, value, wanted[name])
    assert [wanted[name] for name, _ in shown] == sorted(wanted.values(), reverse=True)


def test_charts_as_lines_bars_and_ranking(lab):
    page = open_page(lab, f"/ui/charts?measure=count&by=level&range={RANGE}")
    page.locator(".plot svg").wait_for()
    assert page.locator(".plot rect.bar").count() > 100
    page.get_by_role("button", name="Lines").click()
    page.locator(".plot path.curve").first.wait_for()
    assert "as=lines" in page.url
    page.get_by_label("Per").select_option("none")
    page.locator(".ranking").wait_for()
    page.go_back()
    page.locator(".plot path.curve").first.wait_for()
    page.reload()
    page.locator(".plot path.curve").first.wait_for()


def test_a_chart_is_read_by_keyboard(lab):
    page = open_page(lab, f"/ui/charts?measure=count&by=level&range={RANGE}")
    page.locator(".plot svg").focus()
    page.keyboard.press("ArrowRight")
    tip = page.locator(".plot-tip")
    assert "2026-11-19 10:00" in tip.inner_text(), tip.inner_text()
    page.keyboard.press("ArrowRight")
    assert "2026-11-19 10:02" in tip.inner_text(), tip.inner_text()
    page.keyboard.press("Escape")
    assert tip.is_hidden()


def test_chart_states(lab):
    page = open_page(lab, f"/ui/charts?measure=count&by=level&q=level+=+NONE&range={RANGE}")
    page.get_by_text("No records match in this time.").wait_for()
    page.goto(f"{lab.shared.url}/ui/charts?measure=avg:message&bucket=none&range={RANGE}")
    page.locator(".chart-main .state").wait_for()
    settled(page)
    page.goto(f"{lab.shared.url}/ui/charts?measure=p95:&range={RANGE}")
    page.get_by_text("Choose a field to measure.").wait_for()
    page.goto(f"{lab.shared.url}/ui/charts?measure=nonsense&range={RANGE}")
    page.get_by_text("not understood").wait_for()
    page.goto(f"{lab.shared.url}/ui/charts?measure=count&q=level+%3D+(&range={RANGE}")
    page.locator(".chart-main [role=alert]").wait_for()
    # Marked at its character, as on Logs.
    page.goto(f"{lab.shared.url}/ui/charts?measure=count&q=level+%3D+ERROR+service&range={RANGE}")
    marked = page.locator(".chart-main [role=alert] .wrong")
    marked.wait_for()
    assert marked.inner_text() == "service"


def test_too_many_groups_are_said(lab):
    start, end = RANGE.split("..")
    distinct = lab.shared.query(start=start, end=end, measures=[{"count_distinct": "message", "as": "n"}])[0][
        "n"
    ]
    page = open_page(lab, f"/ui/charts?measure=count&by=message&range={RANGE}")
    page.get_by_text(f"The 8 greatest groups are shown; {distinct - 8:,} more are left out.").wait_for()


def test_ready_made_charts(lab):
    page = open_page(lab, f"/ui/charts?range={WEEKS}")
    for name in [
        "Severity by day",
        "Runs by result and day",
        "Run time by category",
        "Slowest 5 % by category",
        "Failing runs by category",
        "Logs by level",
        "Errors by service",
    ]:
        link = page.get_by_role("link", name=name, exact=True)
        link.click()
        page.wait_for_function(
            "(name) => document.querySelector('.side a[aria-current]')?.textContent === name", arg=name
        )
        settled(page)


def test_boards_are_made_changed_and_deleted(lab):
    server = lab.server()
    server.write("logs", records.text(records.logs(200)))
    page = lab.page(server, f"/ui/charts?measure=count&by=level&range={RANGE}")
    page.get_by_text("No boards yet").wait_for()
    for title in ["first", "<i>second</i>"]:
        page.goto(f"{server.url}/ui/charts?measure=count&by=level&range={RANGE}")
        page.get_by_role("button", name="Put on a board").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_label("Title of the chart").fill(title)
        if title == "first":
            dialog.get_by_role("button", name="Put it there").click()
            dialog.get_by_text("Give it a name.").wait_for()
            dialog.get_by_label("Name of the board").fill("Night & day")
        dialog.get_by_role("button", name="Put it there").click()
        page.wait_for_url("**board=Night**")
        page.locator(".board .panel", has_text=title).locator(".plot svg").wait_for()
    page.get_by_role("button", name="Move earlier: <i>second</i>").click()
    page.wait_for_function("() => document.querySelector('.board .panel h2').textContent === '<i>second</i>'")
    page.reload()
    page.wait_for_function(
        "() => document.querySelector('.board .panel h2')?.textContent === '<i>second</i>'"
    )
    page.get_by_role("button", name="Take off the board: first").click()
    page.wait_for_function("() => document.querySelectorAll('.board .panel').length === 1")
    page.get_by_role("button", name="Delete the board").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete the board").click()
    page.get_by_text("No boards yet").wait_for()
    page.goto(f"{server.url}/ui/charts?board=gone")
    page.get_by_text("There is no board “gone”.").wait_for()


def test_a_board_has_twenty_charts_at_most(lab):
    server = lab.server()
    chart = {"dataset": "logs", "measure": "count"}
    page = lab.page(server, "/ui/charts")
    put = """(body) => fetch('/ui/v1/views/full', {method: 'PUT', body: JSON.stringify(body),
      headers: {'Cordwood-Page': '1', 'Content-Type': 'application/json'}}).then((answer) => answer.status)"""
    assert page.evaluate(put, {"kind": "board", "value": {"charts": [chart] * 20}}) < 300
    page.get_by_role("button", name="Put on a board").click()
    page.get_by_role("dialog").get_by_role("button", name="Put it there").click()
    page.get_by_text("A board has at most 20 charts.").wait_for()


def test_a_stored_chart_that_is_none_shows_that(lab):
    server = lab.server()
    page = lab.page(server, "/ui/charts")
    put = """(body) => fetch('/ui/v1/views/odd', {method: 'PUT', body: JSON.stringify(body),
      headers: {'Cordwood-Page': '1', 'Content-Type': 'application/json'}}).then((answer) => answer.status)"""
    value = {
        "charts": [
            None,
            7,
            {"measure": "<img src=x>"},
            {"dataset": "logs", "measure": "count", "bucket": "none"},
        ]
    }
    assert page.evaluate(put, {"kind": "board", "value": value}) < 300
    page.goto(f"{server.url}/ui/charts?board=odd")
    settled(page)
    assert page.locator(".board .panel").count() == 4
    assert page.get_by_text("not understood", exact=False).count() >= 3
