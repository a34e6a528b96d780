"""Nasty values, all from a seed: texts that look the same, letters with unusual cases, numbers in many
spellings, times at the ends.
"""

import copy
import unicodedata

import values
from values import Num

PIECES = [
    "a", "b", "k", "K", "s", "S", "i", "I", "0", "7", "_", "-", ".", " ", "  ", "/", "%", "*", "?", "#",
    "@", "=", "foo", "Foo", "FOO", "bar", "timeout", "Timed out", "GET /", "order 4711", "null", "true",
    "12.5", "1e3", "\u00e9", "e\u0301", "\u00c9", "E\u0301", "\u00e4ndern", "\u00c4ndern", "a\u0308ndern",
    "\u212a", "\u212b", "\u00c5", "A\u030a", "\u00df", "\u1e9e", "ss", "SS", "\u017f", "\u0130", "\u0131",
    "i\u0307", "\u03c3", "\u03a3", "\u03c2", "\u03a9", "\u2126", "\u00b5", "\u03bc", "\u01c4", "\u01c5",
    "\u01c6", "\ufb01", "\u0149", "\u1f88", "\u1f80", "\u13a0", "\uab70", "\U00010400", "\U00010428",
    "\u0345", "\u03b9", "\uac00", "\u1100\u1161", "\u1100", "\uff21", "\uff41", "\u00bd", "\u2460",
    "\u0661", "\u0967", "\u0301", "\u0300\u0301", "\u0301\u0300", "\u0308", "\u200d", "\u200b", "\u00ad",
    "\ufeff", "\u202e", "\u2066", "\u2019", "\u201c", "\u201d", "\u2014", "\u2026", "\u00a0", "\u3000",
    "\u4e2d\u6587", "\u3042", "\u0e01\u0e33", "\u0915\u093f", "\U0001f600", "\U0001f468\u200d\U0001f469",
    "\U0001f1e9\U0001f1ea", "\ufdfa", "\u2028", "\u2029", "\u0085", '"', "'", "\\", "\\n", '\\"', "\t",
    "\n", "\r", "\r\n", "\x01", "\x1b[31m", "\x7f", "{", "}", "[", "]", "(", ")", ",", ":", "$", "^", "|",
    "+", "&", "<", ">", "`", "\uffff", "\U0010ffff", "\ue000",
]
NUMBERS = [
    "0", "-0", "0.0", "-0.0", "0e5", "1", "1.0", "1e0", "10e-1", "-1", "2", "2.0", "12.5", "12.50",
    "1.25e1", "125e-1", "1e3", "1000", "1000.0", "1E+3", "0.1", "0.10", "1e-1", "0.1000000000000000055",
    "0.1000000000000000055511151231257827", "0.2", "0.3", "0.30000000000000004", "9007199254740991",
    "9007199254740992", "9007199254740993", "9007199254740992.0", "9007199254740993.0", "-9007199254740993",
    "9223372036854775806", "9223372036854775807", "9223372036854775808", "-9223372036854775808",
    "-9223372036854775809", "9223372036854775807.0", "9.223372036854775807e18", "18446744073709551615",
    "18446744073709551616", "1e19", "1e30", "1000000000000000000000000000000", "1e39", "1e40",
    "123456789012345678901234567890123456789", "5e-324", "4.9e-324", "2.5e-324", "1e-323", "1e-400",
    "-5e-324", "1e-6", "1e-7", "0.000001", "0.0000001", "2.2250738585072014e-308", "1.7976931348623157e308",
    "1.7976931348623158e308", "-1.7976931348623157e308", "3.14", "3.140", "3.1400000000000001", "42", "100",
    "-42", "1.5", "2.5", "1e15", "1e16", "1e21", "1e22", "1e23", "123456.789", "16777217", "4294967296",
    "33.3", "66.7",
]
# Numbers that some take for the same.
FAMILIES = [
    ["9007199254740991", "9007199254740992", "9007199254740993", "9007199254740992.0", "9007199254740993.0"],
    [
        "9223372036854775806",
        "9223372036854775807",
        "9223372036854775808",
        "9223372036854775807.0",
        "9.223372036854775807e18",
    ],
    ["18446744073709551615", "18446744073709551616", "18446744073709551617", "1.8446744073709552e19"],
    ["0.1", "0.10", "1e-1", "0.1000000000000000055", "0.1000000000000000055511151231257827"],
    ["-9223372036854775808", "-9223372036854775809", "-9223372036854775807", "-9.223372036854775808e18"],
    ["0", "-0", "0.0", "-0.0", "0e5", "1e-400", "5e-324", "-5e-324", "2.5e-324"],
    ["1e30", "1000000000000000000000000000000", "1000000000000000000000000000001", "1e+30"],
    ["3.14", "3.140", "3.1400000000000001", "314e-2", "3.1400000000000000001"],
]
BEYOND = ["1.8e308", "-1e309", "1e400", "1e1000", "-1e99999", "1e999999999999999"]
NAMES = [
    "a", "A", "b", "amount", "Amount", "user", "name", "\u00e9", "e\u0301", "\u00c9", "a.b", "", " ", "x y",
    "k", "\u212a", '"', "\\", "]", "a[0]", "\u03a3", "\u03c3", "null", "0", "and", "\u0301", "'", "\n",
    'a"b',
]
ENDS = [
    values.FIRST,
    values.FIRST + 1,
    values.FIRST + 999,
    values.FIRST + 1_000_000,
    values.LAST,
    values.LAST - 1,
    values.LAST - 807,
    values.LAST - 854_775_807,
    0,
    1,
    -1,
    999_999_999,
    -999_999_999,
    -1_000_000_000,
    -(10**15),
    10**15,
]


def _day(year, month, day):
    return values.days_of(year, month, day) * values.DAY


ENDS += [
    _day(1700, 1, 1),
    _day(1700, 3, 1) - 1,
    _day(1969, 12, 31),
    _day(1970, 8, 20),
    _day(2000, 2, 29),
    _day(2024, 12, 30),
    _day(2026, 3, 29) + 3_600 * values.SECOND,
    _day(2026, 10, 25),
    _day(2027, 1, 1) - 1,
    _day(2027, 1, 1),
    _day(2262, 4, 11),
]


def text(choice, most=6):
    """A text of a few pieces, each followed by anything."""
    return "".join(choice.choice(PIECES) for _ in range(choice.randint(0, most)))


def like(choice, given):
    """A text that is easily taken for the given one, or a part of it."""
    kind = choice.randrange(8)
    if kind < 4:
        return unicodedata.normalize(["NFC", "NFD", "NFKC", "NFKD"][kind], given)
    if kind == 4:
        return given.upper()
    if kind == 5:
        return given.lower()
    if kind == 6:
        return given.casefold()
    return given + choice.choice(["", " ", "\u0301", "a", "\u200b"])


def part(choice, given):
    if not given:
        return given
    first = choice.randrange(len(given))
    return given[first : first + choice.randint(1, 6)]


class Pools:
    """What the records of a round are made of, so that values come again."""

    def __init__(self, choice, has_beyond):
        self.choice = choice
        self.texts = ["", "a", "A"] + [text(choice) for _ in range(choice.randint(10, 40))]
        self.texts += [like(choice, given) for given in choice.sample(self.texts, 12)]
        self.texts.append(
            text(choice, 4) + choice.choice(PIECES) * choice.randint(100, 1500) + text(choice, 4)
        )
        family = [number for numbers in choice.sample(FAMILIES, 3) for number in numbers]
        self.numbers = [Num(number) for number in family + choice.sample(NUMBERS, 12)]
        self.numbers += [Num(random_number(choice)) for _ in range(5)]
        if has_beyond:
            self.numbers += [Num(number) for number in choice.sample(BEYOND, 2)]
        pairs = [["\u00e9", "e\u0301"], ["k", "\u212a"], ["a", "A"], ["\u03a3", "\u03c3"], ["a", "a.b"]]
        names = choice.choice(pairs) + choice.choice(pairs[:2]) + choice.sample(NAMES, 3)
        self.names = list(dict.fromkeys(names))
        base = _day(2026, 11, 1) + choice.randrange(10**15)
        self.times = choice.sample(ENDS, 12) + [base + choice.randrange(-40, 40) for _ in range(10)]
        spread = choice.choice([10**9, 10**12, 10**14, 10**16])
        self.times += [base + choice.randrange(-spread, spread) for _ in range(40)]

    def by(self, choice):
        """The same values, chosen by another."""
        pools = copy.copy(self)
        pools.choice = choice
        return pools

    def text(self):
        given = self.choice.choice(self.texts)
        if self.choice.random() < 0.1:
            return (given + self.choice.choice([" ", "", "\u2026", '"']) + self.choice.choice(self.texts))[
                :3000
            ]
        return given

    def number(self):
        return self.choice.choice(self.numbers)

    def time(self):
        return self.choice.choice(self.times)

    def value(self, depth=0):
        """Any value of JSON."""
        choice = self.choice
        kind = choice.random()
        if kind < 0.38:
            return self.number()
        if kind < 0.68:
            return self.text() if choice.random() < 0.8 else self.number().text
        if kind < 0.76:
            return choice.random() < 0.5
        if kind < 0.82:
            return None
        if depth > 2:
            return []
        if kind < 0.9:
            return [self.value(depth + 1) for _ in range(choice.randint(0, 3))]
        return self.object(depth + 1)

    def object(self, depth=0):
        names = self.choice.sample(self.names, self.choice.randint(0, min(5, len(self.names))))
        return {name: self.value(depth) for name in names}


def random_number(choice):
    digits = str(choice.randrange(10 ** choice.choice([1, 2, 3, 6, 16, 17, 20, 25])))
    if choice.random() < 0.5:
        at = choice.randint(1, len(digits))
        digits = digits[:at] + "." + digits[at:] if at < len(digits) else digits + ".0"
    if choice.random() < 0.3:
        digits += f"{choice.choice('eE')}{choice.choice(['', '+', '-'])}{choice.randint(0, 30)}"
    return choice.choice(["", "", "-"]) + digits


def written_time(choice, time):
    """A time as JSON that says it."""
    kind = choice.random()
    if kind < 0.6:
        return values.time_text(time)
    if kind < 0.75:
        shift = choice.choice([0, 60, -330, 1439, -1439])
        if values.FIRST <= time + shift * 60 * values.SECOND <= values.LAST:
            sign, minutes = ("-" if shift < 0 else "+"), abs(shift)
            local = values.time_text(time + shift * 60 * values.SECOND, 9)[:-1]
            return f"{local}{sign}{minutes // 60:02}:{minutes % 60:02}"
    if kind < 0.85:
        return values.time_text(time, 9)[:-1] + "999Z"
    seconds = Num(f"{'-' if time < 0 else ''}{abs(time) // values.SECOND}.{abs(time) % values.SECOND:09}")
    if kind < 0.95 and values.time_of_number(seconds.value) == time:
        return seconds
    number = Num(str(time))
    return number if values.time_of_number(number.value) == time else values.time_text(time)


# Columns that have few values, as those that blocks keep counts of.
FEW = ["container", "session", "level", "service", "severity", "status", "category", "action"]


def record(dataset, pools):
    """A record's columns and time, and the object that is sent for it."""
    choice = pools.choice
    columns = {}
    for name, kind in dataset.own.items():
        if name not in dataset.required and choice.random() < 0.3:
            continue
        if kind == "text":
            columns[name] = pools.text()
            if name in FEW:
                columns[name] = choice.choice(pools.texts[:7] + pools.texts[-1:])
        elif kind == "number":
            number = pools.number()
            columns[name] = number if abs(number.value) < 1e308 else Num("7.25")
        elif kind == "object":
            columns[name] = pools.object()
    time = pools.time()
    sent = {"timestamp": written_time(choice, time), **columns}
    for name, value in list(columns.items()):
        if isinstance(value, Num):
            columns[name] = values.shortest(value.nearest)
    if dataset.overflow and choice.random() < 0.3:
        name = choice.choice(["extra", "Level", "\u00e9xtra", "e\u0301xtra", "Message"])
        value = pools.value(1)
        sent[name] = value
        columns[dataset.overflow] = {name: value, **columns.get(dataset.overflow, {})}
    for name in dataset.own:
        if name not in columns and name not in dataset.required and choice.random() < 0.1:
            sent[name] = None
    return time, columns, sent
