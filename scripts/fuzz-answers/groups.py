"""Groups and measures (Docs/query.md, "Groups and measures")."""

import fractions
import math
import re

import schema
import values
from model import Filters, Refused
from values import Num

_WIDTHS = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9, "d": values.DAY, "w": 7 * values.DAY}
CALENDAR = ["day", "week", "month", "quarter", "year"]


def bucket_start(time, bucket, offset=0):
    """When the bucket of a time begins, at the earliest where time does."""
    if bucket in CALENDAR:
        local = time + offset * values.SECOND
        start = calendar_start(local, bucket) - offset * values.SECOND
    else:
        count, unit = re.fullmatch(r"(\d+)([a-z]+)", bucket).groups()
        width = int(count) * _WIDTHS[unit]
        start = time // width * width
    return max(start, values.FIRST)


def calendar_start(local, unit):
    """Where a unit begins by a clock, in nanoseconds that it shows."""
    widths = {"second": values.SECOND, "minute": 60 * values.SECOND, "hour": 3_600 * values.SECOND}
    if unit in widths:
        return local // widths[unit] * widths[unit]
    day = local // values.DAY
    date = values.civil(day)
    if unit == "week":
        day -= date.weekday()
    elif unit == "month":
        day = values.days_of(date.year, date.month, 1)
    elif unit == "quarter":
        day = values.days_of(date.year, (date.month - 1) // 3 * 3 + 1, 1)
    elif unit == "year":
        day = values.days_of(date.year, 1, 1)
    return day * values.DAY


def key_text(value, plants=()):
    """A value as a key of groups."""
    if value is None or isinstance(value, str):
        return "" if value is None and "null-group" in plants else value
    if isinstance(value, Num):
        return value.text if "spelling" in plants else value.spelling
    return values.dump(value)


class Groups:
    """A question with groups: `answer` gives rows of key, then values of measures."""

    def __init__(self, table, question):
        self.table, self.question = table, question
        self.filters = Filters(table.dataset, table.rules)
        self.by = question.get("group_by", [])
        self.measures = [self.measure(given) for given in question.get("measures", ["count"])]
        for path in self.by:
            kind = self.filters.kind(path)
            if not (kind == schema.TEXT or len(path) > 1):
                raise Refused("group_by: text and members")

    def measure(self, given):
        if given == "count":
            return "count", True, None
        word = next(word for word in given if word not in ("where", "as"))
        argument, where = given[word], given.get("where")
        if isinstance(argument, dict):
            argument, where = True, argument["where"]
        path = argument[0] if word == "quantile" else argument
        if path is not True:
            self.check(word, path)
        return word, argument, self.filters.compile(where) if where else None

    def check(self, word, path):
        kind = self.filters.kind(path)
        is_member = len(path) > 1
        if word in ("sum", "avg", "quantile") and not (is_member or kind in (schema.NUMBER, schema.INTEGER)):
            raise Refused("no numbers")
        if word in ("min", "max") and not is_member and kind in (schema.OBJECT, schema.ID):
            raise Refused("nothing to order")
        if word == "count_distinct" and not is_member and kind == schema.OBJECT:
            raise Refused("an object")

    def answer(self):
        """Rows of (bucket, key, values), in order, cut by offset and limit."""
        question, rules = self.question, self.table.rules
        bucket, offset = question.get("bucket"), question.get("utc_offset_seconds", 0)
        groups = {} if self.by or bucket else {(): []}
        for record in self.table.matching(question):
            key = tuple(key_text(record.value(path), rules.plants) for path in self.by)
            if bucket:
                time = record.time + ("sunday" in rules.plants and bucket == "week" and values.DAY)
                key = (bucket_start(time, bucket, offset), *key)
            groups.setdefault(key, []).append(record)
        rows = [
            (key, [self.value(measure, found) for measure in self.measures]) for key, found in groups.items()
        ]
        rows.sort(key=lambda row: [(part is not None, part) for part in row[0]])
        self.order(rows)
        first = question.get("offset", 0)
        return rows[first : first + question.get("limit", len(rows))]

    def order(self, rows):
        by, order = self.question.get("order_by"), self.question.get("order")
        if by is None:
            if order == "desc":
                rows.reverse()
            return
        index = self.names().index(by)
        down = order != "asc"
        with_value = [row for row in rows if row[1][index] is not None]
        without = [row for row in rows if row[1][index] is None]
        # Equal ones stay by bucket and values.
        with_value.sort(key=lambda row: row[1][index].key, reverse=down)
        rows[:] = with_value + without

    def names(self):
        return [measure_name(given) for given in self.question.get("measures", ["count"])]

    def value(self, measure, records):
        word, argument, test = measure
        if test is not None:
            records = [record for record in records if test(record)]
        if argument is True:
            return Exactly(len(records))
        path = argument[0] if word == "quantile" else argument
        found = [value for record in records if (value := record.value(path)) is not None]
        if word == "count":
            return Exactly(len(found))
        kind = self.table.dataset.columns[path[0]]
        if word == "count_distinct":
            if kind == schema.OBJECT:
                found = [key_text(value, self.table.rules.plants - {"null-group"}) for value in found]
            elif kind == schema.NUMBER:
                found = [value.value for value in found]
            return Exactly(len(set(found)))
        if word in ("min", "max") and kind != schema.OBJECT:
            if not found:
                return None
            best = (min if word == "min" else max)(
                found, key=lambda value: value.value if isinstance(value, Num) else value
            )
            if kind == schema.TIME:
                return Time(best)
            return (
                Text(best) if kind == schema.TEXT else Exactly(best.value if kind == schema.NUMBER else best)
            )
        numbers = [value for value in found if isinstance(value, Num)]
        if kind == schema.INTEGER:
            numbers = [Num(str(value)) for value in found]
        if not numbers:
            return None
        if word in ("min", "max"):
            return Exactly((min if word == "min" else max)(number.value for number in numbers))
        if kind == schema.INTEGER and word == "sum":
            return Exactly(sum(found))
        return self.of_doubles(word, argument, [number.nearest for number in numbers])

    def of_doubles(self, word, argument, doubles):
        if any(map(math.isinf, doubles)):
            raise Refused(f"{word}: a number beyond float64")
        if word == "quantile":
            share = fractions.Fraction(argument[1].text)
            return Double(sorted(doubles)[max(0, math.ceil(share * len(doubles)) - 1)])
        exact = sum(map(fractions.Fraction, doubles))
        if "sum" in self.table.rules.plants:
            exact = fractions.Fraction(sum(doubles))
        if word == "sum":
            rounded = nearest(exact)
            if math.isinf(rounded):
                raise Refused("the sum is beyond float64")
            return Double(rounded)
        return Double(nearest(exact / len(doubles)))


def nearest(exact):
    try:
        return exact.numerator / exact.denominator
    except OverflowError:
        return math.inf if exact > 0 else -math.inf


def measure_name(given):
    """What a measure is named in the answer."""
    if given == "count":
        return "count"
    if "as" in given:
        return given["as"]
    ((word, argument),) = ((word, rest) for word, rest in given.items() if word != "where")
    if argument is True or isinstance(argument, dict):
        return word
    if word == "quantile":
        return f"quantile({schema.path_text(argument[0])}, {float(argument[1].text):g})"
    return f"{word}({schema.path_text(argument)})"


# What a measure's value must be. `fits` takes what an answer has; `key` orders groups.


class Exactly:
    """A number, exactly."""

    def __init__(self, value):
        self.key = value

    def fits(self, found):
        return isinstance(found, Num) and found.value == self.key

    def __repr__(self):
        return str(self.key)


class Double(Exactly):
    def fits(self, found):
        return isinstance(found, Num) and float(found.text) == self.key


class Text(Exactly):
    def fits(self, found):
        return found == self.key


class Time(Exactly):
    def fits(self, found):
        return found == values.time_text(self.key)
