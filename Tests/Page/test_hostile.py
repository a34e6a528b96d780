"""What an attacker writes is data: in every value, every name, every view; and keys pressed at random."""

import json
import random
import re
import time
from urllib.parse import quote

import settings
from steps import HOSTILE, RANGE, answer_with, hostile_records, ndjson, settled

# What is in the document that texts cannot have made, and texts that hide something.
LOOK = r"""() => {
  const faults = [];
  const bad = 'script, img, iframe, object, form[action], base, link, meta';
  const found = document.querySelector('main').querySelectorAll(bad);
  for (const element of found) faults.push(element.outerHTML.slice(0, 200));
  for (const element of document.querySelectorAll('*')) {
    for (const { name } of element.attributes) {
      if (name.startsWith('on')) faults.push(element.tagName + ' ' + name);
    }
  }
  for (const link of document.querySelectorAll('a[href]')) {
    const isOwn = link.origin === location.origin && /^\/(ui|docs)/.test(link.pathname);
    if (!isOwn) faults.push('link ' + link.href.slice(0, 200));
  }
  const hidden = new RegExp('[\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u200b\\u200e\\u200f'
    + '\\u2028-\\u202e\\u2060-\\u2069\\ufeff\\ue000]');
  const nodes = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (nodes.nextNode()) {
    const node = nodes.currentNode;
    const { tagName, className } = node.parentElement;
    if (hidden.test(node.data) && node.data !== '\u200b') {
      faults.push(`hidden in ${tagName}: ${JSON.stringify(node.data.slice(0, 80))}`);
    }
    const isTurned = /[\u0590-\u08ff]/.test(node.data);
    if (isTurned && !isolated(node)) faults.push(`not isolated: ${tagName}.${className}`);
  }
  for (const element of document.querySelectorAll('[title]')) {
    if (hidden.test(element.title)) faults.push('hidden in a title');
  }
  return faults.slice(0, 8);
  function isolated(node) {
    for (let element = node.parentElement; element; element = element.parentElement) {
      const style = getComputedStyle(element);
      if (/isolate|plaintext/.test(style.unicodeBidi) || element.tagName === 'BDI') return true;
      if (style.display !== 'inline') {
        return /flex|grid/.test(style.display) || /^(option|pre|code)$/i.test(element.tagName)
          || element.textContent.replace(node.data, '').trim() === '';
      }
    }
    return true;
  }
}"""


def clean(page):
    settled(page)
    faults = page.evaluate(LOOK)
    assert not faults, "\n".join(faults)


def hostile_server(lab):
    server = lab.server(settings={"limits.key_bytes_max": "10000"})
    server.write("logs", ndjson(hostile_records()))
    server.write(
        "workflows",
        ndjson(
            {
                "timestamp": "2026-11-19T11:00:00Z",
                "category": bad,
                "status": bad,
                "ticket_id": "hostile",
                "resolution_status": bad,
                "payload": {"trace": [{"step": bad, "status": bad}]},
            }
            for bad in HOSTILE
        ),
    )
    server.write(
        "audit",
        ndjson(
            {"timestamp": "2026-11-19T11:00:00Z", "severity": bad, "action": bad, "user_id": bad}
            for bad in HOSTILE
        ),
    )
    server.write(
        "queries",
        ndjson(
            {"timestamp": "2026-11-19T11:00:00Z", "query": bad, "status": bad, "user_id": bad}
            for bad in HOSTILE
        ),
    )
    return server


def test_hostile_texts_on_every_page(lab):
    server = hostile_server(lab)
    page = lab.page(server, f"/ui/?range={RANGE}")
    clean(page)
    page.goto(server.url + "/ui/trace?id=hostile")
    page.locator(".waterfall tbody tr").first.wait_for()
    for opener in page.locator(".waterfall .opener").all():
        opener.click()
    clean(page)
    page.goto(server.url + "/ui/verify")
    clean(page)
    for bad in HOSTILE:
        page.goto(f"{server.url}/ui/trace?id={quote(bad)}")
        clean(page)
    page.goto(f"{server.url}/ui/verify?id={quote(HOSTILE[4])}")
    clean(page)


def test_hostile_texts_on_charts(lab):
    server = hostile_server(lab)
    page = lab.page(server, None)
    for shape in ["lines", "bars", "table"]:
        for bucket in ["auto", "none"]:
            page.goto(
                f"{server.url}/ui/charts?measure=count&by=service&bucket={bucket}&as={shape}&range={RANGE}"
            )
            clean(page)
    page.goto(f"{server.url}/ui/charts?measure=count&by=service&range={RANGE}")
    settled(page)
    page.locator(".plot svg").focus()
    for _ in range(40):
        page.keyboard.press("ArrowRight")
    clean(page)
    for bad in HOSTILE:
        words = "&".join(f"{name}={quote(bad)}" for name in ["by", "q", "title"])
        page.goto(f"{server.url}/ui/charts?measure=count&{words}&range={RANGE}")
        clean(page)
        page.goto(f"{server.url}/ui/charts?measure={quote(bad)}&board={quote(bad)}&range={RANGE}")
        clean(page)


def test_hostile_names_of_boards_tenants_keys_users(lab):
    server = lab.server()
    page = lab.page(server, None)
    views = [
        {
            "name": bad,
            "kind": "board",
            "value": {"charts": [{"dataset": "logs", "measure": "count", "title": bad, "by": bad}]},
        }
        for bad in HOSTILE
    ] + [{"name": bad, "kind": "view", "value": bad} for bad in HOSTILE]
    tenants = [{"name": f"native/{bad}", "role": bad, "datasets": ["logs", bad]} for bad in HOSTILE]
    answer_with(page, "views", 200, {"views": views}, "application/json")
    answer_with(
        page,
        "me",
        200,
        {
            "kind": "user",
            "name": HOSTILE[4],
            "administrator": True,
            "version": HOSTILE[0],
            "tenants": tenants,
        },
        "application/json",
    )
    answer_with(
        page,
        "keys",
        200,
        {
            "keys": [
                {"name": bad, "realm": bad, "tenant": bad, "role": bad, "created_at": bad} for bad in HOSTILE
            ]
        },
        "application/json",
    )
    answer_with(
        page,
        "users",
        200,
        {"users": [{"user_id": bad, "role": bad, "created_at": bad} for bad in HOSTILE]},
        "application/json",
    )
    answer_with(
        page,
        "grants",
        200,
        {"users": [{"user": bad, "grants": [{"tenant": bad, "role": bad}]} for bad in HOSTILE]},
        "application/json",
    )
    answer_with(
        page,
        "status",
        200,
        {
            "version": HOSTILE[4],
            "forwarding": {bad: bad for bad in HOSTILE},
            "ready": False,
            "checks": [{"name": bad, "ok": False, "detail": bad} for bad in HOSTILE],
        },
        "application/json",
    )
    for path in [
        "charts",
        "manage",
        "manage?part=users",
        "manage?part=grants",
        "manage?part=retention",
        "",
        "send",
    ]:
        page.goto(f"{server.url}/ui/{path}")
        clean(page)
    page.goto(f"{server.url}/ui/charts?board={quote(HOSTILE[0])}")
    clean(page)


def test_hostile_words_of_failures(lab):
    page = lab.page(lab.shared, None)
    for bad in HOSTILE:
        page.unroute_all()
        answer_with(
            page,
            "(query|summary|status|views|verify|fields)",
            400,
            {"status": 400, "title": bad, "detail": bad, "field": bad, "character": 3},
        )
        page.goto(f"{lab.shared.url}/ui/?range={RANGE}")
        clean(page)
    page.unroute_all()
    answer_with(
        page,
        "(query|summary|status|views|verify|fields)",
        200,
        "<h1>Proxy</h1><script>alert(1)</script>",
        "text/html",
    )
    for path in ["", "charts", "trace?id=x", "verify?id=x", "logs"]:
        page.goto(f"{lab.shared.url}/ui/{path}")
        clean(page)


def test_hostile_texts_on_logs(lab):
    server = hostile_server(lab)
    page = lab.page(server, f"/ui/logs?range={RANGE}")
    page.locator("[role=row]").nth(3).wait_for()
    clean(page)
    for _ in range(len(HOSTILE)):
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        settled(page)
        faults = page.evaluate(LOOK)
        assert not faults, "\n".join(faults)
        page.keyboard.press("Escape")


KEYS = list("/jkeEnNlwcax[]-+t?g olc") + [
    "Enter",
    "Escape",
    "PageDown",
    "PageUp",
    "Home",
    "End",
    "Tab",
    "Shift+Tab",
    "ArrowDown",
    "ArrowUp",
    "ArrowLeft",
    "ArrowRight",
    "Space",
    "Shift+ArrowDown",
    "Backspace",
]


def test_random_keys(lab):
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    server = hostile_server(lab)
    page = lab.page(server, f"/ui/logs?range={RANGE}")
    end = time.monotonic() + settings.KEY_SECONDS
    pressed = []
    try:
        while time.monotonic() < end:
            if chance.random() < 0.02 or not page.url.startswith(server.url + "/ui"):
                path = chance.choice(["logs", "charts", "trace?id=hostile", "verify", "send", "manage", ""])
                page.goto(f"{server.url}/ui/{path}")
            key = chance.choice(KEYS)
            pressed.append(key)
            if key == " ":
                key = "Space"
            page.keyboard.press(key)
        assert page.evaluate("() => document.querySelector('main') !== null")
        assert re.match(re.escape(server.url) + "/ui", page.url), page.url
    except Exception:
        print(f"seed {seed}, last keys {json.dumps(pressed[-40:])}")
        raise
