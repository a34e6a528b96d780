"""What the documents say a question is answered, over plain records (Docs/query.md).

Nothing here knows of blocks, indexes or archives: a filter is a function of a record.
"""

import re

import schema
import values
from values import Num


class Refused(Exception):
    """The answer is an error of the client's."""


class Unsaid(Exception):
    """The model does not say what is right."""


class Record:
    """A record: its time, its place among those written, and the values of its columns."""

    __slots__ = ("time", "position", "columns", "is_deleted", "known")

    def __init__(self, time, position, columns):
        self.time, self.position, self.columns = time, position, columns
        self.is_deleted = False
        self.known = {}  # by path

    def value(self, path):
        """What a path leads to; None for null and for nothing."""
        try:
            return self.known[path]
        except KeyError:
            return self.known.setdefault(path, self.look_up(path))

    def look_up(self, path):
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


COMPARE = {
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
}


class Filters:
    """Compiles filters: JSON's form, with paths as tuples and patterns as `texts.Pattern`."""

    def __init__(self, dataset, rules):
        self.dataset, self.rules = dataset, rules

    def compile(self, tree):
        """A function of a record. Raises `Refused` for what is no filter of the dataset."""
        ((word, rest),) = tree.items()
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
        if word in COMPARE:
            return self.comparison(word, path, rest[1])
        return self.search(word, *rest)

    def kind(self, path):
        kind = self.dataset.columns.get(path[0])
        if kind is None or len(path) > 1 and kind != schema.OBJECT:
            raise Refused(f"no such column: {path}")
        return kind

    def comparison(self, word, path, constant):
        kind = self.kind(path)
        compare = COMPARE[word]
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
        compare = COMPARE[word]
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
            record
            for record in self.records
            if not record.is_deleted
            and (start is None or record.time >= start)
            and (end is None or record.time < end + reaches)
            and first <= record.time <= last
            and test(record)
        ]

    def delete(self, where):
        """Hides records; how many."""
        found = self.matching({"where": where})
        for record in found[1 if "deleted" in self.rules.plants else 0 :]:
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
        ((word, rest),) = tree.items()
        if word == "and":
            for part in rest:
                look(part)
        elif word == "eq" and len(rest[0]) == 1 and isinstance(rest[1], str):
            fixed.add(rest[0][0])

    look(where)
    return all(name in fixed for name in key)
