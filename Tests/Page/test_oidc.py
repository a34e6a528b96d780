"""Signing in by a provider of OpenID Connect, in the browser, with a provider of our own."""

from provider import Provider


def company(lab):
    """A server, and a provider that knows its address: it is started once without one to have a port."""
    provider = Provider()
    lab.servers.append(provider)
    server = lab.server(production=True, environment={"CORDWOOD_ADMIN_PASSWORD": "correct horse battery"})
    server.kill()
    server.settings.update(provider.settings(server.port))
    server.start()
    return provider, server


def staff(page):
    page.get_by_role("button", name="Sign in with the staff's directory").click()


def test_a_person_is_let_in_and_sees_what_is_granted(lab):
    provider, server = company(lab)
    page = lab.page(server, "/ui/logs?range=24h")
    staff(page)
    page.wait_for_url("**/ui/logs?range=24h")
    page.get_by_text("oidc:ada@example.com").first.wait_for()
    assert "oidc:ada@example.com\tuser" in server.run("users", "list")
    server.run("users", "grant", "oidc:ada@example.com", "native/shop", "--role", "reader")
    names = page.evaluate(
        "() => fetch('/ui/v1/me', { headers: { 'Cordwood-Page': '1' } }).then((answer) => answer.json())"
        ".then((me) => me.tenants.map((one) => one.name))"
    )
    assert "native/shop" in names
    cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
    assert "cordwood_trip" not in cookies and cookies["cordwood_page"]["sameSite"] == "Strict"
    # The address that brought them in is good once.
    answer = page.request.get(server.url + "/ui/v1/oidc/callback?code=x&state=y", max_redirects=0)
    assert answer.status == 303 and answer.headers["location"] == "/ui/signin?failed=expired"


def test_who_is_refused_is_told_why(lab):
    provider, server = company(lab)
    for change, said in [
        ({"refuses": "access_denied"}, "You were not let in."),
        ({"claims": {"email_verified": False}}, "The provider does not say who you are"),
        ({"claims": {"aud": "another"}}, "The provider does not say who you are"),
        ({"claims": {"nonce": "another"}}, "The provider does not say who you are"),
    ]:
        provider.refuses, provider.claims = change.get("refuses"), change.get("claims", {})
        page = lab.page(server, "/ui/overview")
        staff(page)
        page.get_by_text(said).wait_for()
        assert not [one for one in page.context.cookies() if one["name"] == "cordwood_page"]
        page.context.close()
    assert "oidc:" not in server.run("users", "list")
    # What the provider said of itself is known for an hour, but not over a restart.
    provider.close()
    server.kill()
    server.start()
    page = lab.page(server, "/ui/")
    staff(page)
    page.get_by_text("The provider does not answer as it should.").wait_for()


def test_without_a_provider_there_is_no_button(lab):
    page = lab.page(lab.shared, "/ui/signin")
    page.get_by_role("button", name="Sign in").first.wait_for()
    assert page.get_by_role("button", name="Sign in with").count() == 0
    assert page.request.get(lab.shared.url + "/ui/v1/oidc/start", max_redirects=0).status == 404
