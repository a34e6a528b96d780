"""Bugs that the tests must find: each is planted by itself in a copy of the page's files.

`scripts/test-page --mutants [NAME…]`. A line: name, file, what stands there once, what is put in its place,
the tests that must turn red.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

from lab import ROOT

FILES = pathlib.Path(os.environ.get("PAGE_MUTANT_FILES", ROOT / "Sources" / "Edge" / "WebUI" / "page"))

MUTANTS = [
    (
        "html-sink",
        "dom.js",
        "fragment.append(part.text);",
        "{ const t = document.createElement('template'); t.innerHTML = part.text; "
        "fragment.append(t.content); }",
        ["hostile.hostile_texts_on_every"],
    ),
    ("no-isolate", "dom.js", "return h('bdi', {", "return h('span', {", ["hostile.hostile_texts_on_every"]),
    ("no-header", "api.js", "'Cordwood-Page': '1', ", "", [".overview_counts"]),
    ("numbers-rounded", "json.js", "? new Num(context.source) : value", "? value : value", ["units.numbers"]),
    (
        "proto",
        "json.js",
        "Object.hasOwn(object, name)",
        "name in object",
        ["units.waterfalls", "units.numbers", "truth"],
    ),
    ("week-from-sunday", "chart-data.js", "4n * DAY", "3n * DAY", ["units.buckets"]),
    (
        "bucket-off-by-one",
        "chart-data.js",
        "if (time > start) time -= length;",
        "time += length;",
        ["units.buckets", ".chart_values"],
    ),
    ("missing-not-asked", "chart-data.js", "not ${field} exists", "${field} exists", ["units.conditions"]),
    (
        "quote-not-escaped",
        "query.js",
        "text.replace(/[\"\\\\]/g, '\\\\$&')",
        "text",
        ["units.conditions"],
    ),
    ("share-of-nothing", "chart-view.js", "value * 100", "value", [".share_of_errors"]),
    (
        "trace-scale",
        "trace-data.js",
        "row.offset + (row.took ?? 0)",
        "row.offset",
        [".trace_shows", "units.waterfalls"],
    ),
    (
        "trace-order",
        "trace-data.js",
        "rows.sort((a, b) => (a.start < b.start",
        "rows.sort((a, b) => (a.start > b.start",
        [".trace_shows"],
    ),
    ("trace-cut-silent", "trace.js", "total > RECORDS_MAX ? h('p'", "false ? h('p'", [".trace_over"]),
    (
        "part-fails-all",
        "parts.js",
        "if (place.turn === turn && error.kind !== 'stopped') place.replaceChildren(",
        "if (place.turn === turn && error.kind !== 'stopped') "
        "document.querySelector('main').replaceChildren(",
        [".a_part_of"],
    ),
    (
        "board-unbounded",
        "boards.js",
        "charts.length >= CHARTS_MAX",
        "charts.length >= 21",
        [".a_board_has_twenty"],
    ),
    (
        "stored-chart-trusted",
        "chart-view.js",
        "if (value === null || typeof value !== 'object') return null;",
        "",
        [".a_stored_chart"],
    ),
    ("no-green", "send.js", "lamp.className = 'lamp arrived';", "", [".send_turns"]),
    (
        "no-countdown",
        "signin.js",
        "if (failure.status === 429) return wait(failure.retryAfter ?? 60);",
        "",
        [".too_many_tries"],
    ),
    ("manage-for-all", "manage.js", "if (!ctx.me.administrator) {", "if (false) {", [".manage_is"]),
    (
        "revoke-at-once",
        "manage-access.js",
        "'aria-label': label, onclick: ask }",
        "'aria-label': label, onclick: work }",
        [".keys_are"],
    ),
    ("command-escapes", "shippers.js", "text.replace(/[^A-Za-z0-9._-]/g, '')", "text", ["units.commands"]),
    (
        "low-contrast",
        "style.css",
        "--soft: light-dark(#55585d,",
        "--soft: light-dark(#a5a8ad,",
        ["axe.light_pages"],
    ),
    ("jump-off-by-one", "rows.js", "before: beforeIt }", "before: beforeIt + 1 }", ["truth.row_i"]),
    (
        "live-not-held",
        "follow.js",
        "this.live.hold(!list.view.atTop || list.view.hasSelection || list.chosen !== null);",
        "this.live.hold(false);",
        ["truth.what_is_read"],
    ),
    ("live-rows-anew", "list.js", "`l${this.liveEnd - index}`", "`l${index}`", ["truth.rows_that_are"]),
    (
        "live-from-anew",
        "live.js",
        "headers: this.#lastID ? { 'Last-Event-ID': this.#lastID } : {},",
        "headers: {},",
        ["truth.live_shows"],
    ),
    (
        "no-label",
        "parts.js",
        "h('label', { for: control.id }, name)",
        "h('span', null, name)",
        ["axe.light_pages"],
    ),
]


def plant(folder, file, old, new):
    path = folder / file
    text = path.read_text()
    if text.count(old) != 1:
        raise SystemExit(f"{file} has {text.count(old)} times: {old}")
    path.write_text(text.replace(old, new))


def run(folder, tests):
    command = [sys.executable, "-B", str(pathlib.Path(__file__).parent), "--files", str(folder), *tests]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False, env=os.environ)


def main(names):
    chosen = [one for one in MUTANTS if not names or any(part in one[0] for part in names)]
    tests = sorted({test for one in chosen for test in one[4]})
    ran = run(FILES, tests)
    if ran.returncode:
        print(f"without a bug tests fail already:\n{ran.stdout[-2000:]}{ran.stderr[-400:]}")
        return 1
    missed = []
    for name, file, old, new, tests in chosen:
        with tempfile.TemporaryDirectory(prefix="page-mutant-") as place:
            folder = pathlib.Path(place) / "page"
            shutil.copytree(FILES, folder)
            plant(folder, file, old, new)
            ran = run(folder, tests)
        if ran.returncode == 1:
            print(f"✔ {name}: caught", flush=True)
        else:
            print(
                f"✘ {name}: NOT caught by {' '.join(tests)}\n{ran.stdout[-400:]}{ran.stderr[-400:]}",
                flush=True,
            )
            missed.append(name)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} bugs were caught")
    return 1 if missed else 0
