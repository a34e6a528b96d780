"""Sign in: each of its states."""

from urllib.parse import quote

from steps import RANGE, answer_with, settled


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
    assert (
        page.evaluate("Object.keys(localStorage).filter((name) => /key|token|password/i.test(name)).length")
        == 0
    )
    cookie = page.context.cookies()[0]
    assert cookie["httpOnly"] and cookie["sameSite"] == "Strict" and cookie["path"] == "/ui/", cookie
    other = page.context.new_page()
    other.goto(server.url + "/ui/verify")
    other.get_by_role("heading", name="Verify", exact=True).first.wait_for()


def test_sign_in_by_key(lab):
    server = closed(lab)
    key = server.run(
        "keys", "create", "ops", "--realm", "native", "--tenant", "shop", "--role", "admin"
    ).strip()
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
