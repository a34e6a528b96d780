"""What is seen is what is stored: counts, places, live records, tenants."""

import random
from urllib.parse import quote

import records
from records import EQUAL_COUNT
from steps import RANGE, counted, ndjson, newest_first, rows, settled, text


def at_share(page, share):
    """Scrolls the list to a share of its length."""
    page.evaluate(
        """async (share) => {
      const list = [...document.querySelectorAll('.rows, .rows *')].find((one) =>
        /auto|scroll/.test(getComputedStyle(one).overflowY) && one.scrollHeight > one.clientHeight + 1);
      if (!list) return;
      list.scrollTop = Math.round(share * (list.scrollHeight - list.clientHeight));
      await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    }""",
        share,
    )


def check_rows(page, wanted):
    # Of a page that has just been opened nothing is asked for yet.
    page.wait_for_function(
        "() => [...document.querySelectorAll('.rec')].some((row) => typeof row.line === 'string')"
    )
    found = rows(page)
    assert found, "no rows are shown"
    for index, record in found:
        assert (
            record["position"] == wanted[index]
        ), f"row {index} is {record['position']} instead of {wanted[index]}"
    return [index for index, _ in found]


def test_row_i_has_i_newer_ones(lab):
    server = lab.server()
    server.write("logs", records.text(records.logs(6000)))
    server.write("logs", records.text(records.equal()))
    wanted = newest_first(server)
    page = lab.page(server, f"/ui/logs?range={RANGE}")
    chance = random.Random(11)
    seen = set(check_rows(page, wanted))
    for _ in range(200):
        at_share(page, chance.choice([0, 1, chance.random(), chance.random()]))
        seen.update(check_rows(page, wanted))
    assert {0, len(wanted) - 1} <= seen
    page.locator(".rows").focus()
    page.keyboard.press("End")
    assert len(wanted) - 1 in check_rows(page, wanted)
    page.keyboard.press("Home")
    assert 0 in check_rows(page, wanted)


def test_rows_oldest_first(lab):
    wanted = newest_first(lab.shared, start=RANGE.split("..")[0], end=RANGE.split("..")[1])[::-1]
    page = lab.page(lab.shared, f"/ui/logs?range={RANGE}&order=asc")
    for share in [0, 0.3, 0.7, 1]:
        at_share(page, share) if share else None
        check_rows(page, wanted)


def test_counts_bars_and_fields_are_those_of_queries(lab):
    page = lab.page(
        lab.shared, f"/ui/logs?range={RANGE}&q={quote('message contains order')}&f=level:ERROR,WARN"
    )
    shown = counted(page)
    start, end = RANGE.split("..")
    where = {"and": [{"contains": ["message", "order"]}, {"in": ["level", ["ERROR", "WARN"]]}]}
    total = lab.shared.query(start=start, end=end, where=where, measures=["count"])[0]["count"]
    assert f"{total:,} record" in shown, shown
    by_level = lab.shared.query(
        start=start, end=end, where=where["and"][0], group_by=["level"], measures=["count"]
    )
    shown = text(page, ".facets")
    for row in by_level:
        assert row["level"] in shown and f"{row['count']:,}" in shown, (row, shown[:600])


def test_around_one_of_many_equal_times(lab):
    server = lab.server()
    server.write("logs", records.text(records.equal()))
    page = lab.page(server, f"/ui/logs?range={RANGE}")
    settled(page)
    at_share(page, 0.5)
    shown = rows(page)
    index, record = shown[len(shown) // 2]
    page.locator(f"[aria-rowindex='{index + 2}']").click()
    page.keyboard.press("Escape")
    page.keyboard.press("a")
    page.locator(".around, [class*=around]").first.wait_for()
    settled(page)
    shown = text(page, ".centre")
    number = int(record["message"].split()[1])
    for near in (number - 1, number, number + 1):
        assert f"equal {near}" in shown, (near, shown[:400])
    assert EQUAL_COUNT > 2000


def test_live_shows_each_record_once(lab):
    """Through a restart of the server and archiving, while nobody scrolls and while somebody does."""
    server = lab.server(settings={"archive.max_age_seconds": "1"})
    server.write("logs", ndjson({"message": f"before {index}"} for index in range(50)))
    page = lab.page(server, "/ui/logs?live=1")
    page.get_by_text("before 49").wait_for()
    page.wait_for_function("() => document.querySelector('.live-state.open')")
    for turn in range(6):
        server.write("logs", ndjson({"message": f"turn {turn} {index}"} for index in range(40)))
        if turn == 1:
            server.json("POST", "/v1/admin/flush", {"archive": True})
        if turn == 2:
            server.kill()
            page.wait_for_function("() => !document.querySelector('.live-state.open')")
            server.start()
        if turn == 3:
            page.wait_for_function("() => document.querySelector('.live-state.open')", timeout=30_000)
            at_share(page, 0.5)
    at_share(page, 0)
    page.get_by_text("turn 5 39").wait_for(timeout=30_000)
    wanted = newest_first(server)
    assert len(wanted) == 290
    for share in [0, 0.2, 0.4, 0.6, 0.8, 1]:
        at_share(page, share)
        check_rows(page, wanted)
    assert page.locator(".rows").get_attribute("aria-rowcount") in ("291", "-1")


def test_what_is_read_stays_while_live_runs(lab):
    server = lab.server()
    server.write("logs", ndjson({"message": f"old {index}"} for index in range(400)))
    page = lab.page(server, "/ui/logs?live=1")
    page.get_by_text("old 399").wait_for()
    page.wait_for_function("() => document.querySelector('.live-state.open')")
    at_share(page, 0.5)
    settled(page)
    where = """() => [...document.querySelectorAll('.rec')]
      .map((row) => [row.textContent, Math.round(row.getBoundingClientRect().top)])
      .filter(([, top]) => top > 150 && top < 700)"""
    before = page.evaluate(where)
    for turn in range(3):
        server.write("logs", ndjson({"message": f"new {turn} {index}"} for index in range(100)))
    page.get_by_role("button", name="300 new records").wait_for()
    assert page.evaluate(where) == before, "rows that are read have moved"
    page.get_by_role("button", name="300 new records").click()
    page.get_by_text("new 2 99").wait_for()


def test_rows_that_are_drawn_move_and_are_not_made_anew(lab):
    server = lab.server()
    server.write("logs", ndjson({"message": f"old {index}"} for index in range(30)))
    page = lab.page(server, "/ui/logs?live=1")
    page.get_by_text("old 29").wait_for()
    page.wait_for_function("() => document.querySelector('.live-state.open')")
    # A row of before, and one that came live.
    for drawn, next in [("old 29", "live one"), ("live one", "live two")]:
        page.evaluate(
            "(drawn) => { window.row = [...document.querySelectorAll('.rec')]"
            ".find((row) => row.textContent.includes(drawn)) }",
            drawn,
        )
        server.write("logs", ndjson([{"message": next}]))
        page.locator(".rec", has_text=next).wait_for()
        assert page.evaluate(
            "(drawn) => window.row.isConnected && window.row.textContent.includes(drawn)", drawn
        ), drawn


def test_numbers_are_shown_as_they_were_sent(lab):
    page = lab.page(lab.shared, f"/ui/logs?range={RANGE}&q={quote('service = numbers')}")
    page.locator(".rec").first.click()
    page.locator(".detail").get_by_text(records.BIG).first.wait_for()
    detail = text(page, ".detail")
    assert "1.0" in detail and "1e-7" in detail, detail


def test_tenants_never_mix(lab):
    server = lab.server(production=True, environment={"CORDWOOD_ADMIN_PASSWORD": "correct horse battery"})
    keys = {
        tenant: server.run(
            "keys", "create", f"{tenant}-key", "--realm", "native", "--tenant", tenant, "--role", "admin"
        ).strip()
        for tenant in ("shop", "bank")
    }
    for tenant, key in keys.items():
        server.knows({"Authorization": f"Bearer {key}"})
        server.write(
            "logs",
            ndjson(
                {"timestamp": "2026-11-19T11:00:00Z", "service": tenant, "message": f"of {tenant} {index}"}
                for index in range(60)
            ),
            {"Authorization": f"Bearer {key}"},
        )
    page = lab.page(server, "/ui/send")
    page.get_by_label("Name", exact=True).fill("admin")
    page.get_by_label("Password").fill("correct horse battery")
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="Send", exact=True).wait_for()
    put = """([path, body]) => fetch('/ui/v1/' + path, {
      method: path === 'users' ? 'POST' : 'PUT', body: JSON.stringify(body),
      headers: {'Cordwood-Page': '1', 'Content-Type': 'application/json'}}).then((answer) => answer.status)"""
    assert (
        page.evaluate(
            put, ["users", {"username": "ada", "password": "a long enough password", "role": "user"}]
        )
        < 300
    )
    grants = [{"tenant": f"native/{tenant}", "role": "reader"} for tenant in keys]
    assert page.evaluate(put, ["grants/ada", {"grants": grants}]) < 300
    page = lab.page(server, f"/ui/logs?tenant=native/shop&range={RANGE}")
    page.get_by_label("Name", exact=True).fill("ada")
    page.get_by_label("Password").fill("a long enough password")
    page.keyboard.press("Enter")
    # Signed in: who leaves before is not.
    page.get_by_text("of shop 59").first.wait_for()
    for tenant, other in [("shop", "bank"), ("bank", "shop"), ("shop", "bank")]:
        page.goto(f"{server.url}/ui/logs?tenant=native/{tenant}&range={RANGE}")
        page.get_by_text(f"of {tenant} 59").first.wait_for()
        assert f"of {other}" not in text(page)
        assert len(rows(page)) and all(record["service"] == tenant for _, record in rows(page))
    page.goto(f"{server.url}/ui/logs?tenant=native/secret&range={RANGE}")
    settled_or_state(page)
    assert "of shop" not in text(page) and "of bank" not in text(page)


def settled_or_state(page):
    page.wait_for_function("() => document.querySelector('.state:not([hidden])')?.textContent.length > 3")


def test_the_command_gives_what_is_shown(lab):
    """Nothing of a filter is lost on the way: it finds as many by /v1/query as by the page."""
    for q in [
        "level = ERROR and message contains timed",
        "metadata.duration_ms > 100",
        "not service in (cart, search)",
        'message ~ "order [0-9]+"',
        "trace_id exists",
    ]:
        answer = lab.shared.json(
            "POST",
            "/ui/v1/query",
            {"dataset": "logs", "where": q, "measures": ["count"]},
            {"Cordwood-Page": "1"},
        )
        page = lab.page(lab.shared, f"/ui/logs?range={RANGE}&q={quote(q)}")
        wanted = answer["rows"][0]["count"]
        shown = counted(page)
        assert f"{wanted:,} record" in shown, (q, wanted, shown)
        page.close()
