"""What the documents say a question is answered, over plain records (Docs/query.md).

Nothing here knows of blocks, indexes or archives: a filter is a function of a record.
"""

import fractions
import functools
import math
import re
import unicodedata

import schema
import texts
import values
from values import Num


class Refused(Exception):
    """The answer is an error of the client's."""


class Unsaid(Exception):
    """The model does not say what is right."""


class Record:
    """A record: its time, its place among those written, and the values of its columns."""

    __slots__ = ("time", "position", "columns", "is_deleted")

    def __init__(self, time, position, columns):
        self.time, self.position, self.columns = time, position, columns
        self.is_deleted = False

    def value(self, path):
        """What a path leads to; None for null and for nothing."""
        name = path[0]
        if name == "timestamp":
            return self.time
        if name == "position":
            return self.position
        found = self.columns.get(name)
        for member in path[1:]:
            if not isinstance(found, dict):
                return None
            found = found.get(member)
        return found


_COMPARE = {
    "eq": lambda a, b: a == b, "ne": lambda a, b: a != b, "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b, "gt": lambda a, b: a > b, "ge": lambda a, b: a >= b,
}


@functools.lru_cache(maxsize=50_000)
def normalized(text):
    return unicodedata.normalize("NFC", text)


class Rules:
    """How values are compared. What `plants` name is done wrong, so that it can be seen whether a wrong answer
    would be found: `--plant`.
    """

    PLANTS = {
        "casefold": "any case by full case folding: ß is ss, K is k",
        "canonical": "texts equal if canonically equivalent",
        "float": "numbers compared as doubles",
        "ne-null": "ne matches what is missing",
        "kinds": "a text is compared with a number by its spelling",
        "ties": "records of one time in the order of writing, whatever the order asked for",
        "end": "the end is included",
        "deleted": "deletions leave the first record",
        "null-group": "null and the empty text are one group",
        "spelling": "groups by numbers as they were written",
        "sum": "sums added up one by one",
        "cursor": "pages repeat the last record of the page before",
        "ascii": "any case is that of ASCII",
        "sunday": "weeks begin on Sundays",
        "zone": "days and hours of dashboards are those of UTC",
        "nanoseconds": "bounds of lists are exact to the nanosecond",
        "words": "every byte from 0x80 on is part of a word",
    }

    # What the server is known to do otherwise than the documents say, until it is mended: each is counted.
    KNOWN = {
        "quantile-beyond": "a quantile is refused only if it is itself the number beyond float64",
        "categories-canonical": "figures by category count the successes of categories that look the same together",
        "cube-order-canonical": "Cube's rows ordered by texts of which two look the same are out of order",
        "cursor-long": "a cursor behind a container and session of 3 KB together is refused",
        "text-unequal": "of expressions as text, != right behind a column is refused, and = is not",
        "flag-mark": "a flag's value that begins with a combining mark is not taken behind =",
        "mean-beyond": "a mean may be beyond its numbers by the rounding of the sum",
    }

    def __init__(self, plants=()):
        self.plants = set(plants)

    def fold(self, text):
        if "casefold" in self.plants:
            return text.casefold()
        if "ascii" in self.plants:
            return re.sub("[A-Z]", lambda found: found[0].lower(), text)
        return texts.fold(text)

    def plain(self, text):
        if "canonical" in self.plants:
            return normalized(text)
        return text

    def number(self, value):
        return float(value) if "float" in self.plants else value

    def has_word(self, text, word):
        if "words" in self.plants:
            return re.search(
                r"(?<![\w\x80-\U0010ffff])" + re.escape(texts.fold(word)) + r"(?![\w\x80-\U0010ffff])",
                texts.fold(text), re.ASCII) is not None
        return texts.has_word(text, word)


class Filters:
    """Compiles filters: JSON's form, with paths as tuples and patterns as `texts.Pattern`."""

    def __init__(self, dataset, rules):
        self.dataset, self.rules = dataset, rules

    def compile(self, tree):
        """A function of a record. Raises `Refused` for what is no filter of the dataset."""
        (word, rest), = tree.items()
        if word in ("and", "or"):
            parts = [self.compile(part) for part in rest]
            if word == "and":
                return lambda record: all(part(record) for part in parts)
            return lambda record: any(part(record) for part in parts)
        if word == "not":
            part = self.compile(rest)
            return lambda record: not part(record)
        path = rest if word == "exists" else rest[0]
        self.kind(path)
        if word == "exists":
            return lambda record: record.value(path) is not None
        if word == "in":
            tests = [self.comparison("eq", path, value) for value in rest[1]]
            return lambda record: any(test(record) for test in tests)
        if word in _COMPARE:
            return self.comparison(word, path, rest[1])
        return self.search(word, *rest)

    def kind(self, path):
        kind = self.dataset.columns.get(path[0])
        if kind is None or len(path) > 1 and kind != schema.OBJECT:
            raise Refused(f"no such column: {path}")
        return kind

    def comparison(self, word, path, constant):
        kind = self.kind(path)
        compare = _COMPARE[word]
        if kind == schema.OBJECT:
            if len(path) == 1:
                raise Refused("an object is not compared")
            return self.member(word, path, constant)
        if kind == schema.TIME:
            constant = self.time(constant)
            return lambda record: compare(record.time, constant)
        if kind == schema.TEXT and isinstance(constant, str):
            plain = self.rules.plain
            constant = plain(constant)
            test = lambda value: compare(plain(value), constant)
        elif kind in (schema.NUMBER, schema.INTEGER) and isinstance(constant, Num):
            number = constant.value
            test = lambda value: compare(value.value if isinstance(value, Num) else value, number)
        else:
            raise Refused(f"{path} is of another type")
        is_missing = "ne-null" in self.rules.plants and word == "ne"
        def matches(record):
            value = record.value(path)
            return is_missing if value is None else test(value)
        return matches

    @staticmethod
    def time(constant):
        time = None
        if isinstance(constant, str):
            time = values.time_of(constant)
        elif isinstance(constant, Num):
            time = values.time_of_number(constant.value)
        if time is None:
            raise Refused("no time")
        return time

    def member(self, word, path, constant):
        compare = _COMPARE[word]
        if isinstance(constant, bool):
            if word not in ("eq", "ne"):
                raise Refused("booleans have no order")
            return lambda record: isinstance(value := record.value(path), bool) and compare(value, constant)
        if isinstance(constant, Num):
            number = self.rules.number
            wanted = number(constant.value)
            is_loose = "kinds" in self.rules.plants
            def is_number(record):
                value = record.value(path)
                if is_loose and isinstance(value, str):
                    return compare(value, constant.spelling)
                return isinstance(value, Num) and compare(number(value.value), wanted)
            return is_number
        plain = self.rules.plain
        constant = plain(constant)
        return lambda record: isinstance(value := record.value(path), str) and compare(plain(value), constant)

    def search(self, word, path, wanted, options=None):
        kind = self.kind(path)
        if kind not in (schema.TEXT, schema.OBJECT):
            raise Refused("not text to search in")
        test = self.text_test(word, wanted, bool(options and options.get("ignore_case")))
        if kind == schema.OBJECT and len(path) == 1:
            return lambda record: any(map(test, values.texts_within(record.value(path))))
        return lambda record: isinstance(value := record.value(path), str) and test(value)

    def text_test(self, word, wanted, ignores_case):
        rules = self.rules
        if word == "prefix":
            return lambda text: rules.plain(text).startswith(rules.plain(wanted))
        if word == "word":
            return lambda text: rules.has_word(text, wanted)
        if word == "contains":
            if not ignores_case:
                wanted = rules.plain(wanted)
                return lambda text: wanted in rules.plain(text)
            wanted = rules.fold(wanted)
            return lambda text: wanted in rules.fold(text)
        found = re.compile(wanted.for_python(ignores_case), re.ASCII).search
        if ignores_case:
            return lambda text: found(rules.fold(text)) is not None
        return lambda text: found(text) is not None


# Records


def bound(value):
    return None if value is None else Filters.time(value)


class Table:
    """The records of one dataset that are there, and what is asked of them."""

    def __init__(self, dataset, rules):
        self.dataset, self.rules = dataset, rules
        self.records = []

    def there(self):
        return [record for record in self.records if not record.is_deleted]

    def matching(self, question):
        """The records of a question, as they were written."""
        start, end = bound(question.get("start")), bound(question.get("end"))
        # Of other APIs: in nanoseconds, both included.
        first, last = question.get("first", values.FIRST), question.get("last", values.LAST)
        if "nanoseconds" in self.rules.plants and last % 1000 == 999:
            last -= 999
        test = Filters(self.dataset, self.rules).compile(question.get("where") or {"and": []})
        reaches = 1 if "end" in self.rules.plants else 0
        return [
            record for record in self.records
            if not record.is_deleted and (start is None or record.time >= start)
            and (end is None or record.time < end + reaches) and first <= record.time <= last and test(record)]

    def delete(self, where):
        """Hides records; how many."""
        found = self.matching({"where": where})
        for record in found[1 if "deleted" in self.rules.plants else 0:]:
            record.is_deleted = True
        return len(found)

    def ordered(self, question):
        """The records of a question in its order."""
        found = self.matching(question)
        key = self.dataset.key
        if fixes(question.get("where"), key):
            key = ()
        down = question.get("order", "desc") == "desc"
        if "ties" in self.rules.plants:
            return sorted(found, key=lambda r: [r.value((name,)) for name in key], reverse=down)
        return sorted(found, key=lambda r: ([r.value((name,)) for name in key], r.position), reverse=down)

    def row(self, record, columns):
        """A record as an answer shows it, without what is null."""
        found = {}
        for path in columns:
            value = record.value(path)
            if path[0] == "timestamp":
                value = values.time_text(value)
            elif path[0] == "position":
                value = Num(str(value))
            if value is not None:
                found[schema.path_text(path)] = value
        return found


def fixes(where, key):
    """Whether a filter says `column = text` for every column of the key (decision 0009)."""
    if not where:
        return False
    fixed = set()
    def look(tree):
        (word, rest), = tree.items()
        if word == "and":
            for part in rest:
                look(part)
        elif word == "eq" and len(rest[0]) == 1 and isinstance(rest[1], str):
            fixed.add(rest[0][0])
    look(where)
    return all(name in fixed for name in key)


# Groups


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
        rows = [(key, [self.value(measure, found) for measure in self.measures])
                for key, found in groups.items()]
        rows.sort(key=lambda row: [(part is not None, part) for part in row[0]])
        self.order(rows)
        first = question.get("offset", 0)
        return rows[first:first + question.get("limit", len(rows))]

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
                found, key=lambda value: value.value if isinstance(value, Num) else value)
            if kind == schema.TIME:
                return Time(best)
            return Text(best) if kind == schema.TEXT else Exactly(best.value if kind == schema.NUMBER else best)
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
        is_lenient = word == "quantile" and "quantile-beyond" in self.table.rules.plants
        if any(map(math.isinf, doubles)) and not is_lenient:
            raise Refused(f"{word}: a number beyond float64")
        if word == "quantile":
            share = fractions.Fraction(argument[1].text)
            found = sorted(doubles)[max(0, math.ceil(share * len(doubles)) - 1)]
            if math.isinf(found):
                raise Refused("quantile: a number beyond float64")
            return Double(found)
        exact = sum(map(fractions.Fraction, doubles))
        if "sum" in self.table.rules.plants:
            exact = fractions.Fraction(sum(doubles))
        if word == "sum":
            rounded = nearest(exact)
            if math.isinf(rounded):
                raise Refused("the sum is beyond float64")
            return Double(rounded)
        rounded = nearest(exact)
        mean = rounded / len(doubles)
        if math.isinf(rounded):
            mean = nearest(exact / 2**64) / len(doubles) * 2.0**64
        if "mean-beyond" not in self.table.rules.plants:
            mean = min(max(mean, min(doubles)), max(doubles))
        return Double(mean)


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
    (word, argument), = ((word, rest) for word, rest in given.items() if word != "where")
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
