"""Modules of the page by themselves, imported in the browser."""

import random

import mutants
from steps import HOSTILE, unit


def blank(lab, **options):
    page = lab.page(lab.shared, "/ui/send", **options)
    page.locator("main h1").wait_for()
    return page


def same(found, wanted):
    assert found == wanted, f"{found!r:.600} instead of {wanted!r:.600}"


def test_planted_bugs_can_be_planted(lab):
    """What `make mutants-page` replaces is there once."""
    for name, file, old, _, _ in mutants.MUTANTS:
        assert (mutants.FILES / file).read_text().count(old) == 1, name


def test_times_are_read_and_written_to_the_nanosecond(lab):
    page = blank(lab)
    same(
        unit(page, "(t) => t.isoTime(t.parseTime('2026-11-19T12:00:00.123456789+01:00'))", "time.js"),
        "2026-11-19T11:00:00.123456789Z",
    )
    same(
        unit(page, "(t) => t.isoTime(t.parseTime('1969-12-31T23:59:59.000000001Z'))", "time.js"),
        "1969-12-31T23:59:59.000000001Z",
    )
    same(
        unit(page, "(t) => ['', 'x', '2026-13-01T00:00:00Z', '2026-11-19'].map(t.parseTime)", "time.js"),
        [None] * 4,
    )


def test_zones_at_changes_of_the_clock(lab):
    page = blank(lab)
    clock = """(t) => ['2026-10-25T00:30:00Z', '2026-10-25T01:30:00Z', '2026-03-29T00:59:59Z',
      '2026-03-29T01:00:00Z']
      .map((time) => t.fullTime(t.parseTime(time), 'Europe/Berlin', 0))"""
    same(
        unit(page, clock, "time.js"),
        ["2026-10-25 02:30:00", "2026-10-25 02:30:00", "2026-03-29 01:59:59", "2026-03-29 03:00:00"],
    )
    written = """(t) => ['2026-10-25 02:30', '2026-03-29 02:30', '2026-07-01 12:00', '2026-11-19']
      .map((text) => t.isoTime(t.readTime(text, 'Europe/Berlin', 0n)))"""
    same(
        unit(page, written, "time.js"),
        ["2026-10-25T00:30:00Z", "2026-03-29T01:30:00Z", "2026-07-01T10:00:00Z", "2026-11-18T23:00:00Z"],
    )
    names = """(t) => ['UTC', 'Asia/Kathmandu', 'America/St_Johns']
      .map((zone) => t.offsetName(zone, 1795089600n * 10n ** 9n))"""
    same(unit(page, names, "time.js"), ["UTC", "UTC+5:45", "UTC−3:30"])


def test_ranges(lab):
    page = blank(lab)
    spans = """(t) => ['15m', '1h', '7d', 'all',
      '2026-11-19T10:00:00Z..2026-11-19T12:00:00Z', '2026-11-19T12:00:00Z..x', '',
      '2026-11-19T12:00:00Z..2026-11-19T10:00:00Z'].map((text) => {
        const range = t.resolveRange(text, 3600000000000n * 1000n);
        return range && (range.start === null ? 'all' : String((range.end - range.start) / 1000000000n));
      })"""
    same(unit(page, spans, "time.js"), ["900", "3600", "604800", "all", "7200", None, None, None])
    steps = """(t) => ['1h', '1d', '7d', '3650d'].map((length) => {
      const end = 1795089600n * 10n ** 9n, start = end - t.parseLength(length), step = t.stepFor(start, end);
      return (end - start) / t.stepLength(step) <= 240n;
    })"""
    same(unit(page, steps, "time.js"), [True] * 4)


def test_text_without_marks_is_the_input(lab):
    page = blank(lab)
    chance = random.Random(4)
    alphabet = (
        "".join(HOSTILE)
        + "\x1b[0123456789;m" * 9
        + "👨‍👩‍👧é\u0301\u200d\ufe0f\U000e0041\U0001f1e9"
    )
    texts = HOSTILE + ["".join(chance.choices(alphabet, k=chance.randrange(1, 60))) for _ in range(3000)]
    page.evaluate("(texts) => { window.texts = texts }", texts)
    same(
        unit(
            page,
            "(s) => window.texts.filter((text) =>"
            " s.segments(text).map((part) => part.text).join('') !== text)",
            "safe.js",
        ),
        [],
    )
    hits = (
        "(s) => window.texts.filter((text) =>"
        " s.segments(text, [[0, 1], [3, 9]].filter(([, end]) => end <= text.length))"
        ".map((part) => part.text).join('') !== text)"
    )
    same(unit(page, hits, "safe.js"), [])


def test_nothing_hidden_is_shown_as_itself(lab):
    """No text node of what `say` makes has a character that can be hidden or turn the text around."""
    page = blank(lab)
    page.evaluate("(texts) => { window.texts = texts }", HOSTILE)
    shown = """(d) => window.texts.filter((text) => {
      const box = document.createElement('div');
      box.append(d.say(text));
      const plain = box.textContent.replaceAll('\\u200d', '').replaceAll('\\ufe0f', '');
      return /[\\u0000-\\u001f\\u007f-\\u009f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u2069\\ufeff]/.test(
        plain);
    })"""
    same(unit(page, shown, "dom.js"), [])


def test_numbers_as_they_were_sent(lab):
    page = blank(lab)
    source = '{"a":9007199254740993,"b":1.0,"c":[1e-7,-0.0,12.50],"d":1,"__proto__":{"x":1.10}}'
    page.evaluate("(text) => { window.text = text }", source)
    same(unit(page, "(j) => j.write(j.parse(window.text))", "json.js"), source)
    same(
        unit(
            page, "(j) => Object.hasOwn(j.parse(window.text), '__proto__') && ({}).x === undefined", "json.js"
        ),
        True,
    )


def test_addresses_come_back(lab):
    page = blank(lab)
    page.evaluate("(texts) => { window.texts = texts }", HOSTILE)
    back = """(a) => window.texts.filter((text) => {
      const address = { ...a.parseAddress('/ui/logs'), q: text, filters: [{ field: text, not: true,
        values: [text, { json: '1.0' }] }],
        columns: [text], more: new Map([['id', text]]) };
      const again = a.parseAddress(a.addressText(address));
      return JSON.stringify([again.q, again.filters, again.columns, [...again.more]])
        !== JSON.stringify([address.q, address.filters, address.columns, [...address.more]]);
    })"""
    same(unit(page, back, "address.js"), [])


def test_buckets_of_charts(lab):
    page = blank(lab)
    starts = """(c, t) => [['2026-11-19T10:07:00Z', '2026-11-19T10:31:00Z', '10m', 0],
      ['2026-11-16T00:00:00Z', '2026-11-18T00:00:00Z', 'day', 3600], ['2026-11-18T00:00:00Z',
        '2026-12-01T00:00:00Z', 'week', 0],
      ['2026-11-18T00:00:00Z', '2027-01-02T00:00:00Z', 'month', 0], ['2026-02-01T00:00:00Z',
        '2026-08-01T00:00:00Z', 'quarter', 0]]
      .map(([start, end, bucket, offset]) => c.bucketStarts(t.parseTime(start), t.parseTime(end), bucket,
        offset).map(t.isoTime))"""
    same(
        unit(page, starts, "chart-data.js", "time.js"),
        [
            ["2026-11-19T10:00:00Z", "2026-11-19T10:10:00Z", "2026-11-19T10:20:00Z", "2026-11-19T10:30:00Z"],
            ["2026-11-15T23:00:00Z", "2026-11-16T23:00:00Z", "2026-11-17T23:00:00Z"],
            ["2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"],
            ["2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z"],
            ["2026-01-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-07-01T00:00:00Z"],
        ],
    )


def test_axes_have_round_numbers(lab):
    page = blank(lab)
    same(
        unit(page, "(p) => [0, 1, 7, 100, 0.3, 12345].map((most) => p.ticks(most).join(' '))", "plot.js"),
        ["0 1", "0 0.25 0.5 0.75 1", "0 2 4 6 8", "0 25 50 75 100", "0 0.1 0.2 0.3", "0 5000 10000 15000"],
    )
    same(
        unit(page, "(p) => [1, 3, 7, 9].map((most) => p.ticks(most, true).join(' '))", "plot.js"),
        ["0 1", "0 1 2 3", "0 2 4 6 8", "0 5 10"],
    )


def test_conditions_of_groups(lab):
    page = blank(lab)
    made = """(c) => [c.isOneOf('level', ['ERROR', null]), c.isOneOf('metadata.x', ['12.5', 'a"b\\\\']),
      c.isOneOf('level', [null]),
      c.both('a = 1 or b = 2', 'c = 3'), c.both('', 'c = 3'), c.both(' ', '')]"""
    same(
        unit(page, made, "chart-data.js"),
        [
            '(level in ("ERROR") or not level exists)',
            'metadata.x in ("12.5", 12.5, "a\\"b\\\\")',
            "not level exists",
            "(a = 1 or b = 2) and c = 3",
            "c = 3",
            "",
        ],
    )


def test_waterfalls(lab):
    page = blank(lab)
    made = """(t) => {
      const rows = [{ timestamp: '2026-11-19T10:00:00.000000001Z', service: 'a', message: 'm',
        metadata: { duration_ms: 5 } },
        { timestamp: '2026-11-19T10:00:00.5Z', service: 'b', message: 'n' }];
      const runs = [{ timestamp: '2026-11-19T10:00:01Z', category: 'c', execution_time_seconds: 2,
        payload: { trace: [{ step: 'one', duration_ms: 700 }, { step: 'two', duration_ms: 800 },
          'no step'] } }];
      const found = t.waterfall([{ dataset: 'logs', rows }, { dataset: 'workflows', rows: runs }]);
      return [found.length, found.rows.map((row) => [row.message, Math.round(row.offset), row.took])];
    }"""
    length, rows = unit(page, made, "trace-data.js")
    assert abs(length - 3000) < 0.001, length
    same(rows, [["m", 0, 5], ["n", 500, None], ["", 1000, 2000], ["one", 1000, 700], ["two", 1700, 800]])
    same(unit(page, "(t) => t.waterfall([{ dataset: 'logs', rows: [] }]).rows.length", "trace-data.js"), 0)


def test_commands_to_send_cannot_be_broken_out_of(lab):
    page = blank(lab)
    page.evaluate("(texts) => { window.texts = texts }", HOSTILE)
    bad = """(s) => window.texts.flatMap((text) => Object.keys(s.SHIPPERS).flatMap((name) =>
      s.snippetsFor(name, 'http://127.0.0.1:8000', text, text).map((one) => one.text)))
      .filter((text) => /[\\u0000-\\u0009\\u000b-\\u001f\\u007f-\\uffff<`]/.test(text))"""
    same(unit(page, bad, "shippers.js"), [])


def test_lengths_of_time_in_words(lab):
    page = blank(lab)
    same(
        unit(page, "(p) => [0.25, 5, 812.4, 1250, 61000, 7500000, 200000000].map(p.duration)", "parts.js"),
        ["0.25 ms", "5 ms", "812 ms", "1.25 s", "1 min 1 s", "2 h 5 min", "2 d 7 h"],
    )
