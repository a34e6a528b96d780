"""Overview, Trace, Charts, Verify, Send, Manage, Sign in: each page and each of its states."""

import json
import re
from urllib.parse import quote

import records
from steps import RANGE, TRACE, WEEKS, answer_with, ndjson, open_page, settled, text


# Overview

def test_overview_counts_are_those_of_queries(lab):
    page = open_page(lab, f"/ui/?range={RANGE}")
    settled(page)
    start, end = RANGE.split("..")
    total = lab.shared.query(start=start, end=end, measures=["count"])[0]["count"]
    errors = lab.shared.query(start=start, end=end, measures=["count"], where={"in": ["level", ["ERROR", "FATAL"]]})[0]["count"]
    card = page.locator(".card", has=page.get_by_role("heading", name="Logs", exact=True))
    assert f"{total:,}" in card.inner_text(), card.inner_text()
    share = 100 * errors / total
    assert f"{share:.1f} %" in card.inner_text() or f"{round(share)} %" in card.inner_text(), card.inner_text()
    worst = lab.shared.query(start=start, end=end, group_by=["service"], measures=[
        {"count": {"where": {"in": ["level", ["ERROR", "FATAL"]]}}, "as": "errors"}], order_by="errors", limit=1)[0]
    first = page.locator(".panel", has_text="Services with most errors").locator("tbody tr").first.inner_text()
    assert worst["service"] in first and f"{worst['errors']:,}" in first, first


def test_overview_runs_by_category(lab):
    page = open_page(lab, f"/ui/?range={WEEKS}")
    settled(page)
    start, end = WEEKS.split("..")
    rows = lab.shared.query(dataset="workflows", start=start, end=end, group_by=["category"], order_by="count", measures=[
        "count", {"count": {"where": {"eq": ["status", "SUCCESS"]}}, "as": "good"},
        {"quantile": ["execution_time_seconds", 0.95], "as": "p95"}])
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


# Trace

def test_trace_shows_all_records_in_order(lab):
    page = open_page(lab, f"/ui/trace?id={TRACE}")
    page.locator(".waterfall tbody tr").first.wait_for()
    rows = page.locator(".waterfall tbody tr")
    assert rows.count() == len(records.SPANS)
    for index, (offset, service, level, message, took) in enumerate(records.SPANS):
        line = rows.nth(index).inner_text()
        assert service in line and level in line and message in line, line
        assert f"+{offset} ms" in line or offset >= 1000, line
        assert not took or f"{took} ms" in line, line
    bars = rows.locator(".lane i").evaluate_all(
        "(bars) => bars.map((bar) => { const at = bar.getBoundingClientRect(), in_ = bar.parentElement.getBoundingClientRect();"
        " return [(at.left - in_.left) / in_.width, at.width / in_.width] })")
    whole = 812
    for (left, wide), (offset, _, _, _, took) in zip(bars, records.SPANS):
        assert abs(left - offset / whole) < 0.01, (left, offset)
        assert not took or abs(wide - took / whole) < 0.01, (wide, took)


def test_trace_opens_a_record_and_closes_it(lab):
    page = open_page(lab, f"/ui/trace?id={TRACE}")
    opener = page.get_by_role("button", name="order 4711 taken")
    opener.click()
    page.locator("tr.detail pre").wait_for()
    assert TRACE in page.locator("tr.detail pre").inner_text()
    assert opener.get_attribute("aria-expanded") == "true"
    opener.click()
    assert page.locator("tr.detail").count() == 0


def test_trace_of_a_ticket(lab):
    page = open_page(lab, "/ui/trace?id=T-1000")
    page.locator(".waterfall tbody tr").first.wait_for()
    assert page.locator(".waterfall tbody tr").count() == 3


def test_trace_states(lab):
    page = open_page(lab, "/ui/trace")
    page.get_by_text("Give a trace_id or a ticket").wait_for()
    page.get_by_label("Trace or ticket").fill("no such <b>trace</b>")
    page.keyboard.press("Enter")
    page.get_by_text("There are no records of no such <b>trace</b>.").wait_for()
    page.go_back()
    page.get_by_text("Give a trace_id or a ticket").wait_for()


def test_trace_over_a_thousand_and_without_durations(lab):
    server = lab.server()
    server.write("logs", ndjson({"timestamp": records.stamp(index * 10**6), "message": f"m{index}", "trace_id": "long"}
                                for index in range(1203)))
    page = lab.page(server, "/ui/trace?id=long")
    page.get_by_text("There are 1,203 records; these are the first 1,000.").wait_for()
    page.get_by_text("No record says how long it took").wait_for()
    assert page.locator(".waterfall tbody tr").count() == 1000
    page.get_by_role("link", name="See all in Logs").click()
    page.wait_for_url("**/ui/logs?**")


# Charts and boards

def test_chart_values_are_those_of_queries(lab):
    page = open_page(lab, f"/ui/charts?dataset=audit&measure=count&by=severity&bucket=day&as=table&range={WEEKS}")
    page.locator(".chart-main table.data tbody tr").first.wait_for()
    start, end = WEEKS.split("..")
    rows = lab.shared.query(dataset="audit", start=start, end=end, group_by=["severity"], bucket="day", measures=["count"])
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


def test_charts_as_lines_bars_and_ranking(lab):
    page = open_page(lab, f"/ui/charts?measure=count&by=level&range={RANGE}")
    page.locator(".plot svg").wait_for()
    assert page.locator(".plot rect.bar").count() > 100
    page.get_by_role("button", name="Lines").click()
    page.locator(".plot path.line").first.wait_for()
    assert "as=lines" in page.url
    page.get_by_label("Per").select_option("none")
    page.locator(".ranking").wait_for()
    page.go_back()
    page.locator(".plot path.line").first.wait_for()
    page.reload()
    page.locator(".plot path.line").first.wait_for()


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


def test_too_many_groups_are_said(lab):
    start, end = RANGE.split("..")
    distinct = lab.shared.query(start=start, end=end, measures=[{"count_distinct": "message", "as": "n"}])[0]["n"]
    page = open_page(lab, f"/ui/charts?measure=count&by=message&range={RANGE}")
    page.get_by_text(f"The 8 greatest groups are shown; {distinct - 8:,} more are left out.").wait_for()


def test_ready_made_charts(lab):
    page = open_page(lab, f"/ui/charts?range={WEEKS}")
    for name in ["Severity by day", "Runs by result and day", "Run time by category", "Slowest 5 % by category",
                 "Failing runs by category", "Logs by level", "Errors by service"]:
        link = page.get_by_role("link", name=name, exact=True)
        link.click()
        page.wait_for_function("(name) => document.querySelector('.side a[aria-current]')?.textContent === name", arg=name)
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
    page.wait_for_function("() => document.querySelector('.board .panel h2')?.textContent === '<i>second</i>'")
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
    value = {"charts": [None, 7, {"measure": "<img src=x>"}, {"dataset": "logs", "measure": "count", "bucket": "none"}]}
    assert page.evaluate(put, {"kind": "board", "value": value}) < 300
    page.goto(f"{server.url}/ui/charts?board=odd")
    settled(page)
    assert page.locator(".board .panel").count() == 4
    assert page.get_by_text("not understood", exact=False).count() >= 3


# Verify

def logged(server, *queries):
    token = server.json("POST", "/api/v1/login", {"user_id": "alice"})["access_token"]
    for query in queries:
        server.json("PUT", "/api/v1/logs", {"query": query, "status": "SUCCESS"}, {"Authorization": f"Bearer {token}"})


def test_verify_of_a_record_that_is_what_was_written(lab):
    server = lab.server()
    logged(server, "SELECT * FROM users WHERE id = 123", "DELETE <b>everything</b>")
    tenants = server.json("GET", "/ui/v1/me", None, {"Cordwood-Page": "1"})["tenants"]
    own = [one["name"] for one in tenants if one["datasets"] == ["queries"]] or [tenants[0]["name"]]
    page = lab.page(server, f"/ui/verify?tenant={quote(own[0])}")
    page.get_by_text("DELETE <b>everything</b>").wait_for()
    page.get_by_role("link", name="Verify", exact=True).and_(page.locator("main a")).first.click()
    page.locator(".outcome.valid").wait_for()
    assert "id=" in page.url
    page.reload()
    page.locator(".outcome.valid").wait_for()


def test_verify_states(lab):
    page = open_page(lab, "/ui/verify")
    page.get_by_text("No queries have been logged yet.").wait_for()
    page.get_by_label("Id of a query-log record").fill("0190a6e8-0000-7000-8000-000000000000")
    page.keyboard.press("Enter")
    page.locator(".outcome.unknown").wait_for()
    for status in ["changed", "damaged"]:
        answer_with(page, "verify", 200, {"status": status, "record": {"id": "1", "query": "<b>x</b>"}}, "application/json")
        page.goto(f"{lab.shared.url}/ui/verify?id=1")
        page.locator(f".outcome.{status}").wait_for()
        page.unroute_all()
    answer_with(page, "verify", 500, {"status": 500, "title": "The disk failed"})
    page.goto(f"{lab.shared.url}/ui/verify?id=1")
    page.locator(".verdict [role=alert]").wait_for()


# Send

def test_send_turns_green_with_the_first_record(lab):
    server = lab.server()
    page = lab.page(server, "/ui/send")
    page.get_by_text("Waiting for the first record").wait_for()
    assert server.url in text(page, ".snippets")
    page.wait_for_function("() => performance.getEntriesByType('resource').some((one) => one.name.includes('/tail/')) || true")
    began = page.evaluate("""() => { window.green = null; const lamp = document.querySelector('.lamp');
      new MutationObserver(() => { if (lamp.classList.contains('arrived')) window.green ??= performance.now() })
        .observe(lamp, { attributes: true }); return performance.now() }""")
    server.write("logs", ndjson([{"level": "ERROR", "service": "first", "message": "hello <b>there</b>"}]))
    page.get_by_text("Records arrive").wait_for()
    took = page.evaluate("window.green") - began
    assert took < 1000, f"green after {took:.0f} ms"
    assert "hello <b>there</b>" in text(page, ".newest")
    for index in range(9):
        server.write("logs", ndjson([{"message": f"more {index}"}]))
    page.get_by_text("more 8").wait_for()
    assert page.locator(".newest li").count() == 6


def test_send_goes_on_when_the_server_comes_back(lab):
    server = lab.server()
    page = lab.page(server, "/ui/send")
    page.get_by_text("Waiting for the first record").wait_for()
    server.kill()
    page.locator(".lamp.away").wait_for()
    server.start()
    page.wait_for_function("() => !document.querySelector('.lamp.away')")
    server.write("logs", ndjson([{"message": "after all"}]))
    page.get_by_text("after all").wait_for()


def test_send_tabs_by_keyboard(lab):
    page = open_page(lab, "/ui/send")
    page.get_by_role("tab", name="curl").focus()
    for name in ["Import a file", "OpenTelemetry", "Fluent Bit", "Vector", "Promtail", "Filebeat", "Docker", "systemd", "syslog"]:
        page.keyboard.press("ArrowDown")
        assert page.get_by_role("tab", name=name).get_attribute("aria-selected") == "true", name
        assert str(lab.shared.port) in text(page, ".snippets") or "127.0.0.1" in text(page, ".snippets"), name


def test_what_send_shows_works(lab):
    """The curl command, run as it stands, stores its record."""
    import subprocess
    server = lab.server()
    page = lab.page(server, "/ui/send")
    command = page.locator(".snippet code").first.inner_text()
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert json.loads(ran.stdout)["accepted"] == 1, ran
    page.get_by_text("hello from curl").first.wait_for()


# Manage

def test_manage_is_for_administrators(lab):
    page = lab.page(lab.shared, None)
    answer_with(page, "me", 200, {"kind": "user", "name": "ada", "administrator": False, "version": "1",
                                  "tenants": [{"name": "native/default", "role": "reader", "datasets": ["logs"]}]}, "application/json")
    page.goto(lab.shared.url + "/ui/manage")
    page.get_by_text("Only administrators see this page.").wait_for()
    assert page.get_by_role("link", name="Manage").count() == 0


def test_keys_are_made_and_revoked(lab):
    server = lab.server(environment={"API_KEYS": "{}"})
    page = lab.page(server, "/ui/manage")
    page.get_by_text("There are no keys.").wait_for()
    page.get_by_label("Name", exact=True).fill("ci")
    page.get_by_label("Realm").select_option("workflow")
    page.get_by_role("button", name="Add").click()
    page.get_by_text("It is shown once.").wait_for()
    key = page.locator(".making .snippet code").inner_text()
    assert len(key) > 20
    page.locator("tbody", has_text="ci").wait_for()
    page.get_by_role("button", name="Revoke the key ci").click()
    page.get_by_role("button", name="Revoke the key ci").click()
    page.get_by_text("There are no keys.").wait_for()


def test_users_are_added_and_faults_said(lab):
    server = lab.server()
    page = lab.page(server, "/ui/manage?part=users")
    page.locator("tbody", has_text="admin").wait_for()
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Add").click()
    page.locator("tbody", has_text="ada").wait_for()
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Add").click()
    page.locator(".making [role=alert] .badness").wait_for()


def test_grants_are_given_and_taken(lab):
    server = lab.server()
    page = lab.page(server, "/ui/manage?part=users")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill("a long enough password")
    page.get_by_role("button", name="Add").click()
    page.locator("tbody", has_text="ada").wait_for()
    page.goto(server.url + "/ui/manage?part=grants")
    page.get_by_text("Nobody has been granted anything yet.").wait_for()
    page.get_by_label("User", exact=True).fill("ada")
    page.get_by_label("May see").fill("native/shop")
    page.get_by_role("button", name="Grant").click()
    page.locator("tbody", has_text="native/shop").wait_for()
    page.get_by_role("button", name="Take native/shop from ada").click()
    page.get_by_role("button", name="Take native/shop from ada").click()
    page.get_by_text("Nobody has been granted anything yet.").wait_for()


def test_every_part_of_manage_shows_something(lab):
    page = open_page(lab, "/ui/manage")
    for part in ["keys", "users", "grants", "retention", "letters", "masking"]:
        page.goto(f"{lab.shared.url}/ui/manage?part={part}")
        settled(page)
        assert len(text(page, ".part")) > 60, part


def test_masking_says_what_it_hid_or_how_to_ask(lab):
    page = open_page(lab, "/ui/manage?part=masking")
    page.get_by_label("Record, as JSON").fill("[1,")
    page.get_by_role("button", name="Try").click()
    page.get_by_text("This is not a JSON object.").wait_for()
    answer_with(page, "admin/masking", 200, {"entry": {"password": "****"}, "hits": [{"place": "<b>password</b>", "rule": "password"}]},
                "application/json")
    page.get_by_label("Record, as JSON").fill('{"password":"hunter2"}')
    page.get_by_role("button", name="Try").click()
    page.get_by_text("<b>password</b>").wait_for()
    page.unroute_all()
    answer_with(page, "admin/masking", 404, {"status": 404})
    page.get_by_role("button", name="Try").click()
    page.get_by_text("The command line does:").wait_for()


def test_dead_letters(lab):
    page = lab.page(lab.shared, None)
    letters = [{"id": 7, "token": "<shop>", "refused_at": "2026-11-19T10:00:00Z", "reason": "too old",
                "timestamp": "2026-11-18T10:00:00Z", "line": {"message": "<b>x</b>"}}]
    answer_with(page, "admin/deadletters", 200, {"dead_letters": letters, "count": 1, "next": None}, "application/json")
    page.goto(lab.shared.url + "/ui/manage?part=letters")
    page.get_by_text("too old").wait_for()
    assert "<b>x</b>" in text(page)
    page.unroute_all()
    answer_with(page, "admin/deadletters", 200, {"dead_letters": [], "count": 0, "next": None}, "application/json")
    page.reload()
    page.get_by_text("There are no dead letters.").wait_for()


# Sign in

def closed(lab):
    server = lab.server(production=True, environment={"CORDWOOD_ADMIN_PASSWORD": "correct horse battery"})
    return server


def sign_in(page, name, password):
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Password").fill(password)
    page.keyboard.press("Enter")


def test_sign_in_wrong_then_right(lab):
    server = closed(lab)
    page = lab.page(server, "/ui/send")
    page.get_by_role("heading", name="Sign in").wait_for()
    page.keyboard.press("Enter")
    page.get_by_text("Name and password, please.").wait_for()
    sign_in(page, "admin", "wrong")
    page.get_by_text("The name or the password is wrong.").wait_for()
    sign_in(page, "admin", "correct horse battery")
    page.get_by_role("heading", name="Send", exact=True).wait_for()
    assert page.evaluate("document.cookie") == "", "scripts see the cookie"
    assert page.evaluate("Object.keys(localStorage).filter((name) => /key|token|password/i.test(name)).length") == 0
    cookie = page.context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/ui/", cookie
    other = page.context.new_page()
    other.goto(server.url + "/ui/verify")
    other.get_by_role("heading", name="Verify", exact=True).first.wait_for()


def test_sign_in_by_key(lab):
    server = closed(lab)
    key = server.run("keys", "create", "ops", "--realm", "native", "--tenant", "shop", "--role", "admin").strip()
    page = lab.page(server, "/ui/send")
    page.get_by_role("button", name="Key", exact=True).click()
    page.get_by_label("Key", exact=True).fill("wrong-key-0123456789")
    page.keyboard.press("Enter")
    page.get_by_text("There is no such key.").wait_for()
    page.get_by_label("Key", exact=True).fill(key)
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Send", exact=True).wait_for()


def test_too_many_tries_are_counted_down(lab):
    page = lab.page(lab.shared, None)
    answer_with(page, "me", 401, {"status": 401})
    answer_with(page, "login", 429, {"status": 429}, headers={"Retry-After": "2"})
    page.goto(lab.shared.url + "/ui/send")
    sign_in(page, "admin", "wrong")
    page.get_by_text("You can try again in 2 s.").first.wait_for()
    assert page.get_by_role("button", name="Sign in").is_disabled()
    page.get_by_text("You can try again.", exact=True).wait_for()
    assert page.get_by_role("button", name="Sign in").is_enabled()


def test_what_was_asked_is_asked_again_after_the_sign_in_ended(lab):
    server = closed(lab)
    page = lab.page(server, f"/ui/charts?measure=count&by=level&range={RANGE}")
    sign_in(page, "admin", "correct horse battery")
    page.locator(".chart-main").wait_for()
    settled(page)
    page.context.clear_cookies()
    page.get_by_role("button", name="Ask again").click()
    page.get_by_text("Your sign-in has ended.").wait_for()
    sign_in(page, "admin", "correct horse battery")
    page.locator(".chart-main").wait_for()
    settled(page)
    assert "by=level" in page.url and quote(RANGE, safe=":.") in page.url, page.url


def test_signing_out_ends_it(lab):
    server = closed(lab)
    page = lab.page(server, "/ui/send")
    sign_in(page, "admin", "correct horse battery")
    page.get_by_role("heading", name="Send", exact=True).wait_for()
    page.get_by_role("button", name="Signed in as admin").click()
    page.get_by_role("menuitem", name="Sign out").click()
    page.get_by_role("heading", name="Sign in").wait_for()
    page.goto(server.url + "/ui/manage")
    page.get_by_role("heading", name="Sign in").wait_for()


def test_an_answer_that_was_overtaken_is_not_shown(lab):
    """The first of two questions is answered last: what is seen is the second's answer."""
    page = open_page(lab, "/ui/trace")
    held = []
    page.route(re.compile("/ui/v1/query"), lambda route: held.append(route) if "slow" in (route.request.post_data or "")
               else route.fallback())
    box = page.get_by_label("Trace or ticket")
    box.fill("slow")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.trace[aria-busy]')")
    box.fill(TRACE)
    page.keyboard.press("Enter")
    page.locator(".waterfall").wait_for()
    for route in held:
        try:
            route.fulfill(status=200, body='{"rows":[]}', content_type="application/json")
        except Exception as error:  # the page may have ended the call
            assert "closed" in str(error) or "abort" in str(error).lower() or "handled" in str(error), error
    settled(page)
    assert page.locator(".waterfall tbody tr").count() == len(records.SPANS)
