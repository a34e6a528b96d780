"""Values of JSON as the model has them: None, bool, str, Num, list, dict; and times.

Text is compared code point by code point, which is the order of its UTF-8. A number is its decimal value
(Docs/decisions/0032-one-number.md) and keeps the text that it was written as.
"""

import datetime
import decimal
import json
import re

FIRST, LAST = -(1 << 63), (1 << 63) - 1  # nanoseconds since 1970: the times there are
SECOND, DAY = 10**9, 86_400 * 10**9
MARK = object()
decimal.getcontext().prec = 20_000
decimal.getcontext().Emax, decimal.getcontext().Emin = decimal.MAX_EMAX, decimal.MIN_EMIN
for _signal in (decimal.Inexact, decimal.Overflow):
    decimal.getcontext().traps[_signal] = True


class Num:
    """A number by its text. Equal numbers have equal texts here; compare `value` for their values."""

    __slots__ = ("text", "value")

    def __init__(self, text):
        self.text = text
        self.value = decimal.Decimal(text)

    def __eq__(self, other):
        return isinstance(other, Num) and other.text == self.text

    def __hash__(self):
        return hash(self.text)

    def __repr__(self):
        return f"Num({self.text})"

    @property
    def nearest(self):
        """The nearest double; infinite beyond."""
        return float(self.text)

    @property
    def spelling(self):
        """The one spelling of keys (Docs/query.md, "Numbers")."""
        return spelling(self.value)


def spelling(value):
    sign, digits, power = value.as_tuple()
    text = "".join(map(str, digits)).lstrip("0")
    if not text:
        return "0"
    short = text.rstrip("0")
    power += len(text) - len(short)
    lead = len(short) + power - 1  # the power of ten of the first digit
    minus = "-" if sign else ""
    if lead >= 40 or lead < -6:
        fraction = "." + short[1:] if len(short) > 1 else ""
        return f"{minus}{short[0]}{fraction}e{'+' if lead > 0 else '-'}{abs(lead)}"
    if power >= 0:
        return minus + short + "0" * power
    if lead >= 0:
        return f"{minus}{short[:lead + 1]}.{short[lead + 1:]}"
    return f"{minus}0.{'0' * (-lead - 1)}{short}"


def shortest(number):
    """A double as the number that its shortest text says."""
    return Num(repr(float(number)))


class Repeated(ValueError):
    pass


def _object(pairs):
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Repeated("a name twice in an object")
    return found


def load(text):
    return json.loads(text, parse_int=Num, parse_float=Num, object_pairs_hook=_object)


_ESCAPED = re.compile(r'[\x00-\x1f"\\]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}


def quoted(text, choice=None):
    """A JSON string; with `choice` some characters are escaped that need not be."""
    if choice is None or choice.random() < 0.8:
        body = _ESCAPED.sub(lambda m: _SHORT.get(m[0]) or f"\\u{ord(m[0]):04x}", text)
        return f'"{body}"'
    parts = []
    for letter in text:
        if choice.random() < 0.3 or _ESCAPED.match(letter):
            units = letter.encode("utf-16-be")
            parts += [f"\\u{units[i] << 8 | units[i + 1]:04X}" for i in range(0, len(units), 2)]
        else:
            parts.append(letter)
    return '"' + "".join(parts) + '"'


def dump(value, choice=None):
    """JSON text; with `choice` with white space and escapes that say nothing."""

    def space():
        return choice.choice(["", "", "", " ", "\t"]) if choice else ""

    if value is None:
        return "null"
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, Num):
        return value.text
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return repr(value)
    if isinstance(value, str):
        return quoted(value, choice)
    if isinstance(value, list):
        return "[" + ",".join(space() + dump(item, choice) for item in value) + "]"
    return (
        "{"
        + ",".join(
            f"{space()}{quoted(name, choice)}:{space()}{dump(item, choice)}" for name, item in value.items()
        )
        + "}"
    )


def texts_within(value):
    """Every text at any depth, names left out."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_within(item)
    elif isinstance(value, dict):
        for item in value.values():
            yield from texts_within(item)


# Times

_EPOCH = datetime.date(1970, 1, 1).toordinal()
_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))"
)


def civil(days):
    """The date of a day since 1970."""
    return datetime.date.fromordinal(_EPOCH + days)


def days_of(year, month, day):
    return datetime.date(year, month, day).toordinal() - _EPOCH


def time_of(text):
    """Nanoseconds since 1970 of RFC 3339; None: no such time, or beyond those there are."""
    found = _RFC3339.fullmatch(text)
    if not found:
        return None
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    try:
        days = days_of(year, month, day)
    except ValueError:
        return None
    if hour > 23 or minute > 59 or second > 59:
        return None
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second
    if found[8]:
        offset = int(found[9]) * 3_600 + int(found[10]) * 60
        seconds -= offset if found[8] == "+" else -offset
    time = seconds * SECOND + int(((found[7] or "") + "000000000")[:9])
    return time if FIRST <= time <= LAST else None


def time_text(time, digits=None):
    """RFC 3339 in UTC: as few of 0, 3, 6, 9 digits as are exact, or so many, cut off."""
    seconds, rest = divmod(time, SECOND)
    days, second = divmod(seconds, 86_400)
    fraction = f"{rest:09}"
    if digits is None:
        digits = 9
        while digits and fraction[digits - 3 : digits] == "000":
            digits -= 3
    fraction = "." + fraction[:digits] if digits else ""
    clock = f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
    return f"{civil(days).isoformat()}T{clock}{fraction}Z"


_UNITS = [(20_000_000_000, 9), (20_000_000_000_000, 6), (20_000_000_000_000_000, 3)]


def time_of_number(value):
    """Nanoseconds since 1970 of a number, whose size tells its unit (Docs/api.md); None: beyond."""
    size = abs(value)
    power = next((power for most, power in _UNITS if size <= most), 0)
    if size > decimal.Decimal(10) ** 30:
        return None
    time = int(size.scaleb(power))
    time = -time if value < 0 else time
    return time if FIRST <= time <= LAST else None
