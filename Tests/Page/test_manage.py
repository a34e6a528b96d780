"""Manage: each of its parts."""

from steps import answer_with, open_page, settled, text


def test_manage_is_for_administrators(lab):
    page = lab.page(lab.shared, None)
    answer_with(
        page,
        "me",
        200,
        {
            "kind": "user",
            "name": "ada",
            "administrator": False,
            "version": "1",
            "tenants": [{"name": "native/default", "role": "reader", "datasets": ["logs"]}],
        },
        "application/json",
    )
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


def test_masking_says_what_it_hid(lab):
    page = open_page(lab, "/ui/manage?part=masking")
    page.get_by_label("Record, as JSON").fill("[1,")
    page.get_by_role("button", name="Try").click()
    page.get_by_text("This is not a JSON object.").wait_for()
    answer_with(
        page,
        "admin/masking",
        200,
        {"entry": {"password": "****"}, "hits": [{"place": "<b>password</b>", "rule": "password"}]},
        "application/json",
    )
    page.get_by_label("Record, as JSON").fill('{"password":"hunter2"}')
    page.get_by_role("button", name="Try").click()
    page.get_by_text("<b>password</b>").wait_for()


def test_masking_is_the_servers(lab):
    page = open_page(lab, "/ui/manage?part=masking")
    record = '{"message":"by ada@example.com","metadata":{"password":"hunter2"}}'
    page.get_by_label("Record, as JSON").fill(record)
    page.get_by_role("button", name="Try").click()
    page.locator(".masked tbody tr", has_text="/metadata/password").wait_for()
    assert "hunter2" not in text(page, ".masked") and "ada@example.com" not in text(page, ".masked")


def test_retention_is_the_servers(lab):
    server = lab.server(settings={"retention.logs_seconds": 2592000})
    page = lab.page(server, "/ui/manage?part=retention")
    page.locator("tr", has_text="for ever").first.wait_for()
    assert "30 d" in text(page, ".part tbody")


def test_there_are_no_dead_letters_at_first(lab):
    page = open_page(lab, "/ui/manage?part=letters")
    page.get_by_text("There are no dead letters.").wait_for()


def test_dead_letters(lab):
    page = lab.page(lab.shared, None)
    letters = [
        {
            "id": 7,
            "token": "<shop>",
            "refused_at": "2026-11-19T10:00:00Z",
            "reason": "too old",
            "timestamp": "2026-11-18T10:00:00Z",
            "line": {"message": "<b>x</b>"},
        }
    ]
    answer_with(
        page,
        "admin/deadletters",
        200,
        {"dead_letters": letters, "count": 1, "next": None},
        "application/json",
    )
    page.goto(lab.shared.url + "/ui/manage?part=letters")
    page.get_by_text("too old").wait_for()
    assert "<b>x</b>" in text(page)
    page.unroute_all()
    answer_with(
        page, "admin/deadletters", 200, {"dead_letters": [], "count": 0, "next": None}, "application/json"
    )
    page.reload()
    page.get_by_text("There are no dead letters.").wait_for()
