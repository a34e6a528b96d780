"""Verify and Send: each of their states."""

import json
import subprocess
from urllib.parse import quote

from steps import answer_with, ndjson, open_page, text


def logged(server, *queries):
    token = server.json("POST", "/api/v1/login", {"user_id": "alice"})["access_token"]
    for query in queries:
        server.json(
            "PUT", "/api/v1/logs", {"query": query, "status": "SUCCESS"}, {"Authorization": f"Bearer {token}"}
        )


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
    server = lab.server()
    page = lab.page(server, "/ui/verify?tenant=querylog/querylog")
    page.get_by_text("No queries have been logged yet.").wait_for()
    page.get_by_label("Id of a query-log record").fill("0190a6e8-0000-7000-8000-000000000000")
    page.keyboard.press("Enter")
    page.locator(".outcome.unknown").wait_for()
    for status in ["changed", "damaged"]:
        answer_with(
            page,
            "verify",
            200,
            {"status": status, "record": {"id": "1", "query": "<b>x</b>"}},
            "application/json",
        )
        page.goto(f"{server.url}/ui/verify?id=1")
        page.locator(f".outcome.{status}").wait_for()
        page.unroute_all()
    answer_with(page, "verify", 500, {"status": 500, "title": "The disk failed"})
    page.goto(f"{server.url}/ui/verify?id=1")
    page.locator(".verdict [role=alert]").wait_for()


def test_send_turns_green_with_the_first_record(lab):
    server = lab.server()
    page = lab.page(server, "/ui/send")
    page.get_by_text("Waiting for the first record").wait_for()
    assert server.url in text(page, ".snippets")
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some((one) => one.name.includes('/tail/')) || true"
    )
    began = page.evaluate("""() => { window.green = null; const lamp = document.querySelector('.lamp');
      new MutationObserver(
        () => { if (lamp.classList.contains('arrived')) window.green ??= performance.now() })
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
    for name in [
        "Import a file",
        "OpenTelemetry",
        "Fluent Bit",
        "Vector",
        "Promtail",
        "Filebeat",
        "Docker",
        "systemd",
        "syslog",
    ]:
        page.keyboard.press("ArrowDown")
        assert page.get_by_role("tab", name=name).get_attribute("aria-selected") == "true", name
        assert str(lab.shared.port) in text(page, ".snippets") or "127.0.0.1" in text(page, ".snippets"), name


def test_what_send_shows_works(lab):
    """The curl command, run as it stands, stores its record."""

    server = lab.server()
    page = lab.page(server, "/ui/send")
    command = page.locator(".snippet code").first.inner_text()
    ran = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=30, check=False)
    assert json.loads(ran.stdout)["accepted"] == 1, ran
    page.get_by_text("hello from curl").first.wait_for()
