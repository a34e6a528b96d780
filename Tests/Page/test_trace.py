"""Trace: each of its states."""

import re

import records
from records import TRACE
from steps import ndjson, open_page, settled


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
        "(bars) => bars.map((bar) => { const at = bar.getBoundingClientRect();"
        " const in_ = bar.parentElement.getBoundingClientRect();"
        " return [(at.left - in_.left) / in_.width, at.width / in_.width] })"
    )
    whole = 812
    for (left, wide), (offset, _, _, _, took) in zip(bars, records.SPANS):
        assert abs(left - offset / whole) < 0.01, (left, offset)
        assert not took or abs(wide - took / whole) < 0.01, (wide, took)


def test_trace_opens_a_record_and_closes_it(lab):
    page = open_page(lab, f"/ui/trace?id={TRACE}")
    opener = page.get_by_role("button", name="order 4711 taken")
    opener.click()
    page.locator("tr.opened pre").wait_for()
    assert TRACE in page.locator("tr.opened pre").inner_text()
    assert opener.get_attribute("aria-expanded") == "true"
    opener.click()
    assert page.locator("tr.opened").count() == 0


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
    server.write(
        "logs",
        ndjson(
            {"timestamp": records.stamp(index * 10**6), "message": f"m{index}", "trace_id": "long"}
            for index in range(1203)
        ),
    )
    page = lab.page(server, "/ui/trace?id=long")
    page.get_by_text("There are 1,203 records; these are the first 1,000.").wait_for()
    page.get_by_text("No record says how long it took").wait_for()
    page.locator(".waterfall tbody tr").nth(999).wait_for()
    assert page.locator(".waterfall tbody tr").count() == 1000
    page.get_by_role("link", name="See all in Logs").click()
    page.wait_for_url("**/ui/logs?**")


def test_an_answer_that_was_overtaken_is_not_shown(lab):
    """The first of two questions is answered last: what is seen is the second's answer."""
    page = open_page(lab, "/ui/trace")
    held = []
    page.route(
        re.compile("/ui/v1/query"),
        lambda route: held.append(route) if "slow" in (route.request.post_data or "") else route.fallback(),
    )
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
