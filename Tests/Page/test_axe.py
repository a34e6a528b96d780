"""axe-core finds nothing, in light, dark and narrow, on each page and in the states that look otherwise."""

from axe_playwright_python.sync_playwright import Axe

from records import TRACE
from steps import RANGE, WEEKS, settled

PATHS = [
    f"/ui/?range={RANGE}",
    f"/ui/trace?id={TRACE}",
    "/ui/trace",
    f"/ui/charts?measure=count&by=level&range={RANGE}",
    f"/ui/charts?measure=p95:execution_time_seconds&by=category&bucket=none&dataset=workflows&range={WEEKS}",
    f"/ui/charts?dataset=audit&measure=count&by=severity&bucket=day&as=table&range={WEEKS}",
    "/ui/verify",
    "/ui/verify?id=none",
    "/ui/send",
    "/ui/manage",
    "/ui/manage?part=users",
    "/ui/manage?part=grants",
    "/ui/manage?part=retention",
    "/ui/manage?part=letters",
    "/ui/manage?part=masking",
]


def violations(page):
    found = Axe().run(page).response["violations"]
    return [
        f"{page.url}: {one['id']}: {one['help']}: {node['html'][:160]} {node.get('failureSummary', '')[:300]}"
        for one in found
        for node in one["nodes"][:3]
    ]


LOGS = [f"/ui/logs?range={RANGE}", f"/ui/logs?range={RANGE}&q=level+%3D+NONE", "/ui/logs?range=x"]


def look(lab, paths, **options):
    page = lab.page(lab.shared, None, **options)
    found = []
    for path in paths:
        page.goto(lab.shared.url + path)
        settled(page)
        found += violations(page)
    assert not found, "\n".join(found[:20])


def test_light_pages(lab):
    look(lab, PATHS)


def test_dark_pages(lab):
    look(lab, PATHS, theme="dark")


def test_narrow_pages(lab):
    look(lab, PATHS, width=400, height=800)


def test_light_logs(lab):
    look(lab, LOGS)


def test_dark_logs(lab):
    look(lab, LOGS, theme="dark")


def test_narrow_logs(lab):
    look(lab, LOGS, width=400, height=800)


def test_sign_in(lab):
    page = lab.page(lab.shared, None)
    page.route(
        "**/ui/v1/me",
        lambda route: route.fulfill(status=401, body="{}", content_type="application/problem+json"),
    )
    for theme in ["light", "dark"]:
        page.emulate_media(color_scheme=theme)
        page.goto(lab.shared.url + "/ui/")
        page.get_by_role("heading", name="Sign in").wait_for()
        assert not violations(page), "\n".join(violations(page))
