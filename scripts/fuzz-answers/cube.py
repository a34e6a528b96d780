"""Dashboards' questions: `POST /cubejs-api/v1/load` (Docs/analytics.md), over what another view wrote."""

import datetime
import decimal
import re
import zoneinfo

import groups
import model
import questions
import texts
import values
from model import Unsaid
from values import Num
from view import View

MILLI = 1_000_000
UNITS = ["second", "minute", "hour", "day", "week", "month", "quarter", "year"]
ZONES = ["UTC", "+02:00", "-09:30", "+14:00", "Europe/Berlin", "America/New_York"]
MEASURES = {
    "logs": {
        "count": "count",
        "users": {"count_distinct": ("user_id",)},
        "resources": {"count_distinct": ("resource_id",)},
        "first": {"min": ("timestamp",)},
        "last": {"max": ("timestamp",)},
    },
    "workflows": {
        "count": "count",
        "succeeded": {"count": True, "where": {"in": [("status",), ["SUCCESS"]]}},
        "failed": {"count": True, "where": {"in": [("status",), ["ERROR", "FAILED"]]}},
        "tickets": {"count_distinct": ("ticket_id",)},
        "execution_time_avg": {"avg": ("execution_time_seconds",)},
        "execution_time_sum": {"sum": ("execution_time_seconds",)},
        "execution_time_max": {"max": ("execution_time_seconds",)},
        "execution_time_p95": {"quantile": [("execution_time_seconds",), Num("0.95")]},
    },
}
OF_MEMBERS = {
    "sum": "sum",
    "avg": "avg",
    "min": "min",
    "max": "max",
    "distinct": "count_distinct",
    "p50": "0.5",
    "p95": "0.95",
    "p99": "0.99",
}


class Zone:
    """What a clock shows, in nanoseconds since 1970 as if it were UTC."""

    def __init__(self, name):
        self.zone = None
        self.offset = 0
        if name[0] in "+-":
            seconds = int(name[1:3]) * 3600 + int(name[4:]) * 60
            self.offset = seconds if name[0] == "+" else -seconds
        elif name != "UTC":
            self.zone = zoneinfo.ZoneInfo(name)

    def local(self, time):
        offset = self.offset
        if self.zone:
            second = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc) + datetime.timedelta(
                seconds=time // values.SECOND
            )
            offset = int(second.astimezone(self.zone).utcoffset().total_seconds())
        return time + offset * values.SECOND


def local_text(local):
    """`2025-06-26T00:00:00.000`"""
    return values.time_text(local, 3)[:-1]


class Cube(View):
    share = 0.5

    def __init__(self, owner, cube, round_):
        super().__init__("cube " + cube, owner.dataset, round_)
        self.cube, self.owner = cube, owner
        self.table = owner.table
        self.time = "timestamp" if cube == "logs" else "executed_at"
        self.columns = [column for column in owner.dataset.texts if cube == "logs" or column != "user_id"]

    def connect(self, server):
        self.server = server
        super().connect(server)

    def headers(self, server, state):
        return self.owner.headers(server, state)

    def make(self, count):
        return []

    def write(self, state, made):
        pass

    # Questions

    def member(self, choice, pools):
        names = [name for name in pools.names if name and "." not in name]
        path = [choice.choice(self.dataset.objects), choice.choice(names)]
        if choice.random() < 0.15:
            path.append(choice.choice(names))
        return tuple(path)

    def question(self, choice):
        pools = self.pools.by(choice)
        maker = questions.Questions(self.dataset, pools, choice)
        zone = choice.choice(ZONES) if choice.random() < 0.5 else "UTC"
        question = {
            "zone": zone,
            "measures": [],
            "dimensions": [],
            "unit": None,
            "filters": [],
            "range": None,
        }
        for _ in range(choice.choice([0, 1, 1, 2, 3])):
            self.add(question["measures"], self.measure(choice, pools))
        for _ in range(choice.choice([0, 0, 1, 1, 2])):
            path = self.member(choice, pools) if choice.random() < 0.5 else (choice.choice(self.columns),)
            self.add(question["dimensions"], path)
            if len(path) > 1 and choice.random() < 0.3:
                self.add(question["dimensions"], (*path[:-1], choice.choice(pools.names[:4])))
        dimensions = question["dimensions"]
        question["dimensions"] = [path for path in dimensions if all(path) and "." not in path[-1]]
        if choice.random() < 0.4 or not (question["measures"] or question["dimensions"]):
            question["unit"] = choice.choice(UNITS)
        if choice.random() < 0.25:
            question["range"] = self.range(choice, pools)
        question["filters"] = [self.filter(choice, maker) for _ in range(choice.choice([0, 0, 1, 1, 2]))]
        names = self.names(question)
        if choice.random() < 0.4 and names:
            question["order"] = [
                (name, choice.random() < 0.5)
                for name in choice.sample(names, choice.choice([1, 1, 2]) if len(names) > 1 else 1)
            ]
        if choice.random() < 0.2:
            question["limit"] = choice.choice([1, 3, 20])
        if choice.random() < 0.1:
            question["offset"] = choice.choice([1, 2])
        if choice.random() < 0.1:
            question["total"] = True
        return question

    @staticmethod
    def add(items, item):
        if item not in items:
            items.append(item)

    def measure(self, choice, pools):
        if choice.random() < 0.6:
            return choice.choice(list(MEASURES[self.cube]))
        return (choice.choice(list(OF_MEMBERS)), *self.member(choice, pools))

    def range(self, choice, pools):
        """Two days or two times in their order, as a text and in nanoseconds that the clock shows."""
        first, last = sorted([pools.time(), pools.time()])
        # So far from the ends that no zone is beyond them.
        first, last = (
            min(max(time, values.FIRST + 2 * values.DAY), values.LAST - 3 * values.DAY)
            for time in (first, last)
        )
        if choice.random() < 0.5:
            first, last = first // values.DAY, last // values.DAY
            return (
                [values.civil(first).isoformat(), values.civil(last).isoformat()],
                first * values.DAY,
                (last + 1) * values.DAY,
            )
        first, last = first // MILLI * MILLI, last // MILLI * MILLI
        return [local_text(first), local_text(last)], first, last + MILLI

    def named(self, path):
        return f"{self.cube}." + ".".join(path)

    def measure_name(self, measure):
        return self.named((measure,) if isinstance(measure, str) else measure)

    def names(self, question):
        """What may be ordered by, as answers name it."""
        names = [self.measure_name(measure) for measure in question["measures"]]
        names += [self.named(path) for path in question["dimensions"]]
        if question["unit"]:
            names += [self.named((self.time,)), self.named((self.time, question["unit"]))]
        return names

    def filter(self, choice, maker, depth=0):
        if depth < 2 and choice.random() < 0.2:
            word = choice.choice(["and", "or"])
            return {word: [self.filter(choice, maker, depth + 1) for _ in range(choice.randint(1, 3))]}
        kind = choice.random()
        if kind < 0.15:
            return self.time_filter(choice, maker.pools)
        if kind < 0.25 and self.cube == "workflows":
            word = choice.choice(["equals", "notEquals", "gt", "gte", "lt", "lte"])
            values_ = [maker.number().text for _ in range(choice.choice([1, 1, 2]))]
            return {"member": ("execution_time_seconds",), "operator": word, "values": values_}
        path = self.member(choice, maker.pools) if choice.random() < 0.5 else (choice.choice(self.columns),)
        word = choice.choice(
            ["equals"] * 3
            + ["notEquals", "set", "notSet"]
            + ["contains", "notContains", "startsWith", "notStartsWith", "endsWith", "notEndsWith"]
        )
        if len(path) > 1 and choice.random() < 0.2:
            word = choice.choice(["gt", "gte", "lt", "lte"])
            return {"member": path, "operator": word, "values": [maker.number().text]}
        if word in ("set", "notSet"):
            return {"member": path, "operator": word}
        wanted = []
        for _ in range(choice.choice([1, 1, 2])):
            given = maker.text() if "quals" in word else maker.needle()
            if len(path) > 1 and choice.random() < 0.4:
                given = choice.choice([maker.number().text, "true", "false"])
            wanted.append(given)
        return {"member": path, "operator": word, "values": wanted}

    def time_filter(self, choice, pools):
        path = (self.time,)
        if choice.random() < 0.5:
            word = choice.choice(["equals", "gt", "gte", "lt", "lte"])
            time = (
                min(max(pools.time(), values.FIRST + 2 * values.DAY), values.LAST - 3 * values.DAY)
                // MILLI
                * MILLI
            )
            return {
                "member": path,
                "operator": word,
                "values": [local_text(time)],
                "local": (time, time + MILLI),
            }
        shown, first, last = self.range(choice, pools)
        word = choice.choice(
            ["inDateRange", "notInDateRange", "beforeDate", "beforeOrOnDate", "afterDate", "afterOrOnDate"]
        )
        return {"member": path, "operator": word, "values": shown, "local": (first, last)}

    # As JSON

    def filter_json(self, given):
        for word in ("and", "or"):
            if word in given:
                return {word: [self.filter_json(part) for part in given[word]]}
        shown = {"member": self.named(given["member"]), "operator": given["operator"]}
        if "values" in given:
            shown["values"] = given["values"]
        return shown

    def request(self, question):
        query = {
            "measures": [self.measure_name(measure) for measure in question["measures"]],
            "dimensions": [self.named(path) for path in question["dimensions"]],
            "filters": [self.filter_json(given) for given in question["filters"]],
        }
        if question["zone"] != "UTC":
            query["timezone"] = question["zone"]
        if question["unit"] or question["range"]:
            time = {"dimension": self.named((self.time,))}
            if question["unit"]:
                time["granularity"] = question["unit"]
            if question["range"]:
                time["dateRange"] = question["range"][0]
            query["timeDimensions"] = [time]
        if "order" in question:
            query["order"] = [[name, "desc" if down else "asc"] for name, down in question["order"]]
        for name in ("limit", "offset", "total"):
            if name in question:
                query[name] = question[name]
        return "POST", "/cubejs-api/v1/load", values.dump({"query": query}).encode()

    # The model

    def test(self, given, zone):
        """A filter as a function of a record."""
        if "and" in given:
            parts = [self.test(part, zone) for part in given["and"]]
            return lambda record: all(part(record) for part in parts)
        if "or" in given:
            parts = [self.test(part, zone) for part in given["or"]]
            return lambda record: any(part(record) for part in parts)
        path, word, wanted = given["member"], given["operator"], given.get("values")
        if "local" in given:
            return time_test(word, *given["local"], zone)
        if word in ("notEquals", "notContains", "notStartsWith", "notEndsWith", "notSet"):
            positive = word[3].lower() + word[4:]
            inner = self.test({**given, "operator": positive}, zone)
            return lambda record: not inner(record)
        filters = model.Filters(self.dataset, self.table.rules)
        if word == "set":
            return filters.compile({"exists": path})
        if word == "equals":
            return filters.compile({"in": [path, self.constants(path, wanted)]})
        if word in ("gt", "gte", "lt", "lte"):
            operator = {"gt": "gt", "gte": "ge", "lt": "lt", "lte": "le"}[word]
            return filters.compile({"or": [{operator: [path, Num(value)]} for value in wanted]})
        if word == "contains":
            return filters.compile(
                {"or": [{"contains": [path, value, {"ignore_case": True}]} for value in wanted]}
            )
        fold = texts.fold
        is_start = word == "startsWith"

        def matches(record):
            value = record.value(path)
            return isinstance(value, str) and any(
                fold(value).startswith(fold(part)) if is_start else fold(value).endswith(fold(part))
                for part in wanted
            )

        return matches

    def constants(self, path, wanted):
        if path == ("execution_time_seconds",):
            return [Num(value) for value in wanted]
        found = list(wanted)
        if len(path) > 1:
            for value in wanted:
                if value in ("true", "false"):
                    found.append(value == "true")
                elif JSON_NUMBER.fullmatch(value):
                    found.append(Num(value))
        return found

    def answer(self, question):
        zone = Zone("UTC" if "zone" in self.table.rules.plants else question["zone"])
        tests = [self.test(given, zone) for given in question["filters"]]
        if question["range"]:
            tests.append(time_test("inDateRange", *question["range"][1:], zone))
        records = [record for record in self.table.there() if all(test(record) for test in tests)]
        by_key = {} if question["dimensions"] or question["unit"] else {(): []}
        plants = self.table.rules.plants
        for record in records:
            key = tuple(groups.key_text(record.value(path), plants) for path in question["dimensions"])
            if question["unit"]:
                key = (groups.calendar_start(zone.local(record.time), question["unit"]), *key)
            by_key.setdefault(key, []).append(record)
        calculator = groups.Groups(
            self.table,
            {"measures": [self.model_measure(given) for given in question["measures"]] or ["count"]},
        )
        rows = [
            (
                key,
                [calculator.value(measure, found) for measure in calculator.measures][
                    : len(question["measures"])
                ],
            )
            for key, found in by_key.items()
        ]
        rows.sort(key=lambda row: [(part is not None, part) for part in row[0]])
        return self.ordered(question, rows)

    def ordered(self, question, rows):
        order = question.get("order")
        if order is None:
            if question["unit"]:
                order = []
            elif question["measures"]:
                order = [(self.measure_name(question["measures"][0]), True)]
        for name, down in reversed(order or []):
            key = self.cell(question, name)
            # Null is the least.
            rows.sort(key=lambda row: ((value := key(row)) is not None, value), reverse=down)
        return rows

    def cell(self, question, name):
        """What a row has by a name."""
        if question["unit"] and name in (self.named((self.time,)), self.named((self.time, question["unit"]))):
            return lambda row: row[0][0]
        shift = 1 if question["unit"] else 0
        for index, path in enumerate(question["dimensions"]):
            if name == self.named(path):
                return lambda row: row[0][index + shift]
        index = [self.measure_name(measure) for measure in question["measures"]].index(name)
        return lambda row: row[1][index] and row[1][index].key

    def model_measure(self, given):
        if isinstance(given, str):
            return MEASURES[self.cube][given]
        word, path = OF_MEMBERS[given[0]], given[1:]
        return {"quantile": [path, Num(word)]} if word[0] == "0" else {word: path}

    def compare(self, state, question, expected, answer):
        body = values.load(answer.body)
        if question.get("total") and body["total"].text != str(len(expected)):
            return f"a total of {len(expected)}"
        first = question.get("offset", 0)
        rows, zone = body["data"], Zone(question["zone"])
        expected = expected[first : first + question.get("limit", 10_000)]
        for index, ((key, found), row) in enumerate(zip(expected, rows)):
            wanted = {}
            if question["unit"]:
                wanted = {
                    self.named((self.time, question["unit"])): local_text(key[0]),
                    self.named((self.time,)): local_text(key[0]),
                }
                key = key[1:]
            wanted.update((self.named(path), part) for path, part in zip(question["dimensions"], key))
            given = {name: row.pop(name, "nothing") for name in wanted}
            if given != wanted:
                return f"row {index}: {values.dump(wanted)}, found {values.dump(given)} {values.dump(row)}"
            for measure, value in zip(question["measures"], found):
                shown = row.pop(self.measure_name(measure), "nothing")
                if not fits(value, shown, zone):
                    return (
                        f"row {index} {values.dump(wanted)}: {measure} is {value}, found {values.dump(shown)}"
                    )
            if row:
                return f"row {index}: nothing but what is asked for, found {values.dump(row)}"
        return None if len(expected) == len(rows) else f"{len(expected)} rows, found {len(rows)}"


JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def fits(value, shown, zone):
    if value is None or not isinstance(shown, str):
        return value is None and shown is None
    if isinstance(value, groups.Time):
        return shown == local_text(zone.local(value.key))
    if isinstance(value, groups.Text):
        return shown == value.key
    try:
        return value.fits(Num(shown))
    except decimal.InvalidOperation:
        return False


def time_test(word, first, last, zone):
    """Of times by what a clock shows; the last is not included. Raises `Unsaid` near a time at which the
    clock is set: there the order by what it shows is not that of time.
    """
    for local in (first, last):
        if zone.zone and is_ambiguous(local, zone):
            raise Unsaid()
    inside = lambda record: first <= zone.local(record.time) < last
    before = lambda record: zone.local(record.time) < first
    after = lambda record: zone.local(record.time) >= last
    return {
        "equals": inside,
        "inDateRange": inside,
        "notInDateRange": lambda record: not inside(record),
        "gt": after,
        "gte": lambda record: not before(record),
        "lt": before,
        "lte": lambda record: not after(record),
        "beforeDate": before,
        "beforeOrOnDate": lambda record: not after(record),
        "afterDate": after,
        "afterOrOnDate": lambda record: not before(record),
    }[word]


def is_ambiguous(local, zone):
    """Whether a clock is set within a day of what it shows: then order by the clock is not that of time."""
    shown = {
        zone.local(time) - time for time in range(local - values.DAY, local + values.DAY + 1, values.DAY // 4)
    }
    return len(shown) > 1
