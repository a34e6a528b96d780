"""The Logs page in use: states, back, reload, tabs, stop, a server that dies, cuts or answers HTML."""

import re
from urllib.parse import quote

import records
from steps import RANGE, answer_with, counted, ndjson, rows, settled, text


def logs(lab, more="", **options):
    page = lab.page(lab.shared, f"/ui/logs?range={RANGE}{more}", **options)
    page.locator(".rec").first.wait_for()
    settled(page)
    return page


def test_filter_by_keyboard_then_back_and_reload(lab):
    page = logs(lab)
    before = counted(page)
    page.keyboard.press("/")
    page.keyboard.type("level = ERROR")
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.press("Enter")
    page.wait_for_function("(before) => document.querySelector('.status').innerText !== before", arg=before)
    settled(page)
    assert all(record["level"] == "ERROR" for _, record in rows(page))
    filtered = page.url
    page.go_back()
    page.wait_for_function("(url) => location.href !== url", arg=filtered)
    settled(page)
    assert counted(page).split(" record")[0] == before.split(" record")[0]
    page.go_forward()
    settled(page)
    page.reload()
    settled(page)
    assert page.url == filtered
    assert all(record["level"] == "ERROR" for _, record in rows(page))


def test_chips_one_and_all(lab):
    page = logs(lab, "&f=level:ERROR&f=-service:cart")
    assert page.locator(".chips").inner_text().count("×") >= 0
    page.get_by_role("button", name=re.compile("Remove the condition on.*level|Remove.*level")).first.click()
    page.wait_for_function("() => !location.search.includes('level')")
    settled(page)
    assert "f=-service:cart" in page.url
    page.go_back()
    settled(page)
    page.get_by_role("button", name="Clear all").click()
    page.wait_for_function("() => !location.search.includes('f=')")


def test_a_record_is_opened_closed_and_shared(lab):
    page = logs(lab)
    page.locator(".rows").focus()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.locator(".detail").get_by_text("position", exact=False).first.wait_for()
    address = page.url
    assert "at=" in address
    other = lab.page(lab.shared, None)
    other.goto(address)
    settled(other)
    other.wait_for_function("() => document.querySelector('.detail')?.innerText.length > 50")
    page.keyboard.press("Escape")
    page.wait_for_function("() => !location.search.includes('at=')")


def test_next_error_loaded_or_not(lab):
    page = logs(lab)
    page.locator(".rows").focus()
    page.keyboard.press("Home")
    for _ in range(5):
        page.keyboard.press("e")
        page.wait_for_function("() => document.querySelector('.rec.focused')?.line?.includes('ERROR')")


def test_nothing_matches_says_where_something_does(lab):
    page = lab.page(
        lab.shared,
        "/ui/logs?range=2026-11-19T11:59:59.999999Z..2026-11-19T12:00:00Z&q=" + quote("level = ERROR"),
    )
    page.get_by_text("Nothing matches in this time").wait_for()
    page.get_by_role("button", name="Show it").click()
    page.locator(".rec").first.wait_for()
    settled(page)
    assert "ERROR" in text(page, ".rows")


def test_no_records_at_all(lab):
    page = lab.page(lab.server(), "/ui/logs")
    page.get_by_text("No records yet").wait_for()
    page.get_by_role("link", name="How to send some").click()
    page.get_by_role("heading", name="Send", exact=True).wait_for()


def test_a_broken_filter_is_marked(lab):
    page = lab.page(lab.shared, f"/ui/logs?range={RANGE}&q=" + quote("level = ERROR and and"))
    page.get_by_text("The filter cannot be read.").wait_for()


def test_a_broken_address_is_shown(lab):
    page = lab.page(lab.shared, "/ui/logs?range=&f=&f=x&at=zzz&order=up&q=%00&columns=,,")
    page.wait_for_function("() => document.querySelector('main').innerText.trim().length > 40")
    page.goto(lab.shared.url + "/ui/nowhere")
    page.wait_for_function("() => document.body.innerText.trim().length > 10")


def test_refused_and_foreign_and_cut_answers(lab):
    page = lab.page(lab.shared, None)
    for status, body, kind, words in [
        (403, {"status": 403, "title": "Forbidden"}, "application/problem+json", "You may not see this."),
        (500, {"status": 500, "title": "The disk failed"}, "application/problem+json", "The server failed."),
        (200, "<html>proxy</html>", "text/html", "is not Cordwood"),
        (
            200,
            '{"timestamp":"2026-11-19T11:00:00Z","position":1,"message":"cut',
            "application/x-ndjson",
            "before it was whole",
        ),
    ]:
        page.unroute_all()
        answer_with(page, "query", status, body, kind)
        page.goto(f"{lab.shared.url}/ui/logs?range={RANGE}")
        page.get_by_text(words).first.wait_for()


def test_bars_may_fail_and_rows_stay(lab):
    page = lab.page(lab.shared, None)
    answer_with(page, "summary", 500, {"status": 500, "title": "The disk failed"})
    page.goto(f"{lab.shared.url}/ui/logs?range={RANGE}")
    page.locator(".rec[role=row]").nth(3).wait_for()
    page.get_by_text("The bars could not be counted.").first.wait_for()


def test_the_server_goes_and_comes_back(lab):
    server = lab.server()
    server.write("logs", records.text(records.logs(300)))
    page = lab.page(server, f"/ui/logs?range={RANGE}")
    page.locator(".rec").first.wait_for()
    settled(page)
    server.kill()
    page.keyboard.press("/")
    page.keyboard.type("level = ERROR")
    page.keyboard.press("Enter")
    page.get_by_text("The server does not answer.").first.wait_for()
    server.start()
    page.wait_for_function(
        "() => [...document.querySelectorAll('.rec')].some((row) => row.line?.includes('ERROR'))",
        timeout=40_000,
    )
    settled(page)
    assert all(record["level"] == "ERROR" for _, record in rows(page))


def test_two_tabs_do_not_disturb_each_other(lab):
    first = logs(lab, "&q=" + quote("level = ERROR"))
    second = lab.page(lab.shared, f"/ui/logs?range={RANGE}&q=" + quote("level = WARN"), context=first.context)
    settled(second)
    first.reload()
    settled(first)
    assert all(record["level"] == "ERROR" for _, record in rows(first))
    assert all(record["level"] == "WARN" for _, record in rows(second))


def test_storage_disabled(lab):
    context = lab.context()
    context.add_init_script(
        "Object.defineProperty(window, 'localStorage',"
        " { get() { throw new DOMException('off', 'SecurityError') } })"
    )
    page = lab.page(lab.shared, f"/ui/logs?range={RANGE}", context=context)
    page.locator(".rec").first.wait_for()
    page.keyboard.press("t")
    settled(page)


def test_a_clock_that_is_wrong_by_a_day(lab):
    server = lab.server()
    server.write("logs", ndjson([{"message": "just now"}]))
    context = lab.context()
    context.add_init_script("const real = Date.now.bind(Date); Date.now = () => real() - 86400000")
    page = lab.page(server, "/ui/logs?range=15m", context=context)
    page.get_by_text("just now").first.wait_for()


def test_zone_is_named_and_changes_times(lab):
    page = logs(lab, zone="Asia/Kathmandu")
    assert "UTC+5:45" in text(page) or "/Kat" in text(page), text(page)[:300]
    first = rows(page)[0][1]["timestamp"]
    hour, minute = int(first[11:13]), int(first[14:16])
    shown = (hour * 60 + minute + 345) % 1440
    assert f"{shown // 60:02d}:{shown % 60:02d}" in page.locator(".rec").first.inner_text(), page.locator(
        ".rec"
    ).first.inner_text()


def test_themes_by_key(lab):
    page = logs(lab)
    for theme in ["light", "dark", None]:
        page.keyboard.press("t")
        page.wait_for_function(
            "(theme) => (document.documentElement.dataset.theme ?? null) === theme", arg=theme
        )


def test_the_list_of_keys(lab):
    page = logs(lab)
    page.keyboard.press("?")
    page.get_by_role("dialog").get_by_text("next, previous error").wait_for()
    page.keyboard.press("Escape")
    assert page.locator("dialog[open]").count() == 0


def test_every_page_by_key_and_link(lab):
    page = logs(lab)
    for keys, heading in [("go", "Overview"), ("gc", "Charts")]:
        for key in keys:
            page.keyboard.press(key)
        page.get_by_role("heading", name=heading, exact=True).wait_for()
    for name in ["Trace", "Verify", "Send", "Manage", "Overview"]:
        page.get_by_role("navigation").get_by_role("link", name=name, exact=True).click()
        page.get_by_role("heading", name=name, exact=True).first.wait_for()


def test_every_call_has_the_header_of_the_page(lab):
    page = lab.page(lab.shared, None)
    lacking = []
    page.on(
        "request",
        lambda request: (
            lacking.append(request.url)
            if "/ui/v1/" in request.url and request.headers.get("cordwood-page") != "1"
            else None
        ),
    )
    for path in [
        f"?range={RANGE}",
        f"logs?range={RANGE}",
        "trace?id=x",
        "charts",
        "verify?id=1",
        "send",
        "manage",
    ]:
        page.goto(f"{lab.shared.url}/ui/{path}")
        settled(page)
    assert not lacking, lacking
    status, _, _ = lab.shared.send("GET", "/ui/v1/me")
    assert status in (400, 403), status
    status, _, _ = lab.shared.send(
        "POST", "/ui/v1/query", {"dataset": "logs"}, {"Origin": "http://evil.invalid"}
    )
    assert status in (400, 403), status


def test_the_security_headers(lab):
    status, head, _ = lab.shared.send("GET", "/ui/logs", None, {"Accept": "text/html"})
    assert status == 200
    policy = head["Content-Security-Policy"]
    for part in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    ]:
        assert part in policy, policy
    assert head["X-Content-Type-Options"] == "nosniff" and head["Referrer-Policy"] == "no-referrer"


def test_wrap_columns_and_find(lab):
    page = logs(lab)
    page.locator(".rows").focus()
    page.keyboard.press("w")
    page.wait_for_function("() => document.querySelector('.rows.wrapped')")
    page.keyboard.press("w")
    page.keyboard.press("Control+f")
    page.keyboard.type("second acquirer")
    page.keyboard.press("Enter")
    page.wait_for_function("() => document.querySelector('.rec.focused')?.line?.includes('second acquirer')")


def test_narrow_the_fields_are_behind_a_button(lab):
    page = logs(lab, width=400)
    page.get_by_role("button", name="Fields", exact=True).click()
    page.locator(".facets").get_by_text("level", exact=True).first.wait_for()
    page.keyboard.press("Escape")
