"""Random questions of the native API, as the model takes them, and how they are written for the server."""

import groups
import model
import nasty
import schema
import values
from texts import Pattern
from values import Num


class Questions:
    """Makes questions about a dataset from the same pools as its records."""

    def __init__(self, dataset, pools, choice, words_ascii=False):
        self.dataset, self.pools, self.choice, self.words_ascii = dataset, pools, choice, words_ascii

    # Paths and constants

    def member(self):
        path = [self.choice.choice(self.dataset.objects), self.choice.choice(self.pools.names)]
        while self.choice.random() < 0.25:
            path.append(self.choice.choice(self.pools.names))
        if self.choice.random() < 0.1:
            path = [
                self.dataset.overflow or path[0],
                self.choice.choice(["extra", "Level", "\u00e9xtra", "e\u0301xtra"]),
            ]
        return tuple(path)

    def has_members(self, share=0.5):
        return bool(self.dataset.objects) and self.choice.random() < share

    def column(self):
        return (self.choice.choice(self.dataset.texts),)

    def text(self):
        given = self.pools.text()
        kind = self.choice.random()
        if kind < 0.6:
            return given
        return nasty.like(self.choice, given) if kind < 0.8 else nasty.part(self.choice, given)

    def needle(self):
        given = self.pools.text()
        given = nasty.part(self.choice, given) if self.choice.random() < 0.7 else given[:200]
        return nasty.like(self.choice, given) if self.choice.random() < 0.3 else given

    def number(self):
        given = self.pools.number()
        if self.choice.random() < 0.2:
            return Num(self.choice.choice(nasty.NUMBERS))
        if self.choice.random() < 0.15 and abs(given.value) < 10**30 and given.value == int(given.value):
            return Num(str(int(given.value) + self.choice.choice([-1, 0, 1])))
        return given

    def constant(self):
        kind = self.choice.random()
        if kind < 0.5:
            return self.number()
        if kind < 0.9:
            return self.text() if self.choice.random() < 0.7 else self.number().text
        return self.choice.random() < 0.5

    def time(self):
        time = self.pools.time() + self.choice.choice([0, 0, 0, 1, -1, 1_000_000])
        time = min(max(time, values.FIRST), values.LAST)
        return nasty.written_time(self.choice, time)

    # Filters

    def where(self, depth=0):
        kind = self.choice.random()
        if depth > 3 or kind < 0.55:
            return self.leaf()
        if kind < 0.7:
            return {"not": self.where(depth + 1)}
        word = "and" if self.choice.random() < 0.5 else "or"
        return {word: [self.where(depth + 1) for _ in range(self.choice.choice([0, 1, 2, 2, 2, 3, 4]))]}

    def leaf(self):
        choice = self.choice
        kind = choice.random()
        if kind < 0.35 and self.dataset.objects:
            return self.compared(self.member(), self.constant)
        if kind < 0.55:
            return self.compared(self.column(), self.text)
        if kind < 0.65:
            return {choice.choice(list(model.COMPARE)): [("timestamp",), self.time()]}
        if kind < 0.7:
            if "execution_time_seconds" in self.dataset.own:
                return self.compared(("execution_time_seconds",), self.number)
            if choice.random() < 0.2:
                return {"eq": [self.column(), self.number()]}  # is refused
        if kind < 0.76:
            path = self.member() if self.has_members() else self.column()
            if self.has_members(0.15):
                path = path[:1]
            return {"exists": path}
        return self.search()

    def compared(self, path, constant):
        if self.choice.random() < 0.25:
            return {"in": [path, [constant() for _ in range(self.choice.choice([0, 1, 2, 3, 5]))]]}
        words = ["eq"] * 4 + ["ne"] * 2 + ["lt", "le", "gt", "ge"]
        return {self.choice.choice(words): [path, constant()]}

    def search(self):
        choice = self.choice
        path = self.column()
        if self.has_members(0.4):
            path = self.member() if choice.random() < 0.6 else (choice.choice(self.dataset.objects),)
        word = choice.choice(
            ["contains", "contains", "icontains", "icontains", "prefix", "word", "regex", "iregex"]
        )
        if word == "prefix":
            given = self.pools.text()
            return {
                "prefix": [path, self.needle() if choice.random() < 0.3 else given[: choice.randint(0, 5)]]
            }
        if word == "word":
            return self.word(path)
        if word.endswith("regex"):
            given = [path, Pattern(self.pattern())]
        else:
            given = [path, self.needle()]
            if word == "icontains" and choice.random() < 0.4:
                given[1] = nasty.like(choice, given[1])
        options = [{"ignore_case": True}] if word[0] == "i" else []
        return {word.removeprefix("i"): given + options}

    def word(self, path):
        """A word; with `words_ascii` of texts of ASCII alone."""
        if not self.words_ascii:
            return {"word": [path, self.needle() or "a"]}
        if len(path) == 1 and path[0] in self.dataset.objects:
            path = self.column()
        needle = "".join(letter for letter in self.needle() if letter < "\x80") or "a"
        ascii_only = Pattern(
            (
                "all",
                [
                    ("part", "^"),
                    ("times", ("class", [chr(code) for code in range(1, 128)], False), 0, None, False),
                    ("part", "$"),
                ],
            )
        )
        return {"and": [{"regex": [path, ascii_only]}, {"word": [path, needle]}]}

    def pattern(self, depth=0):
        choice = self.choice
        kind = choice.random()
        if depth > 2 or kind < 0.45:
            return ("text", self.needle()[:8] or "a")
        if kind < 0.55:
            letters = sorted({letter for letter in self.needle()[:6]} | {choice.choice("abks09")})
            return ("class", letters, choice.random() < 0.3)
        if kind < 0.65:
            return ("part", choice.choice(["\\d", "\\w", "\\s", "\\b", "^", "$"]))
        if kind < 0.7:
            return ("any",)
        if kind < 0.8:
            return ("one", [self.pattern(depth + 1) for _ in range(choice.randint(2, 3))])
        if kind < 0.87:
            part = choice.choice(
                [("any",), ("part", "\\d"), ("part", "\\w"), ("text", (self.needle() or "a")[:1])]
            )
            least, most = choice.choice([(0, None), (1, None), (0, 1), (2, 2), (1, 3)])
            return ("times", part, least, most, choice.random() < 0.2)
        return ("all", [self.pattern(depth + 1) for _ in range(choice.randint(2, 3))])

    # Whole questions

    def base(self):
        question = {"dataset": self.dataset.name}
        if self.choice.random() < 0.85:
            question["where"] = self.where()
        if self.dataset.name == "sessions" and self.choice.random() < 0.3:
            few = self.pools.texts[:7]  # of one session, perhaps: then the order is another
            session = [{"eq": [(name,), self.choice.choice(few)]} for name in self.dataset.key]
            where = [question["where"]] if "where" in question and self.choice.random() < 0.5 else []
            question["where"] = {"and": session + where}
        for name in ("start", "end"):
            if self.choice.random() < 0.12:
                question[name] = self.time()
        return question

    def rows(self):
        question, choice = self.base(), self.choice
        columns = [("position",)]
        for _ in range(choice.randint(0, 4)):
            path = (
                self.member()
                if self.has_members(0.4)
                else (choice.choice(list(self.dataset.own) + ["timestamp"]),)
            )
            if path not in columns:
                columns.append(path)
        if choice.random() < 0.9:
            question["columns"] = columns
        if choice.random() < 0.6:
            question["order"] = choice.choice(["asc", "desc"])
        if choice.random() < 0.5:
            question["limit"] = choice.choice([1, 2, 7, 50, 100, 1000])
        return question

    def groups(self):
        question, choice = self.base(), self.choice
        paths = []
        for _ in range(choice.choice([0, 0, 1, 1, 1, 2, 3])):
            path = self.member() if self.has_members() else self.column()
            if path not in paths:
                paths.append(path)
        if paths:
            question["group_by"] = paths
        if choice.random() < 0.35:
            question["bucket"] = choice.choice(
                ["1ms", "7s", "1m", "90m", "1h", "5h", "1d", "3d", "1w", "5000w"] + groups.CALENDAR * 3
            )
            if question["bucket"] in groups.CALENDAR and choice.random() < 0.6:
                question["utc_offset_seconds"] = choice.choice(
                    [0, 3600, -3600, 64_800, -64_800, 1, -1, 19_800]
                )
        question["measures"] = [self.measure(index) for index in range(choice.randint(1, 4))]
        members = [path for path in paths if len(path) > 1]
        if members and choice.random() < 0.3:  # of equal numbers
            question["measures"].append(
                {choice.choice(["avg", "avg", "sum", "max"]): members[0], "as": "of equals"}
            )
        if len({groups.measure_name(given) for given in question["measures"]}) < len(question["measures"]):
            question["measures"] = question["measures"][:1]
        if choice.random() < 0.3:
            question["order_by"] = groups.measure_name(choice.choice(question["measures"]))
        if choice.random() < 0.4:
            question["order"] = choice.choice(["asc", "desc"])
        if choice.random() < 0.2:
            question["limit"] = choice.choice([1, 3, 10])
        if choice.random() < 0.1:
            question["offset"] = choice.choice([0, 1, 5])
        return question

    def measure(self, index):
        choice = self.choice
        word = choice.choice(
            [
                "count",
                "count",
                "values",
                "count_distinct",
                "count_distinct",
                "min",
                "max",
                "sum",
                "avg",
                "quantile",
            ]
        )
        number = ("execution_time_seconds",) if "execution_time_seconds" in self.dataset.own else None
        path = self.member() if self.has_members(0.7) else self.column()
        if word in ("sum", "avg", "quantile", "min", "max") and number and choice.random() < 0.4:
            path = number
        elif word in ("min", "max") and choice.random() < 0.3:
            path = choice.choice([("timestamp",), self.column()])
        if word == "count":
            given = {"count": True} if choice.random() < 0.5 else "count"
        elif word == "values":
            given = {"count": path}
        elif word == "quantile":
            given = {
                "quantile": [
                    path,
                    Num(choice.choice(["0", "0.25", "0.5", "0.75", "0.9", "0.95", "0.99", "1"])),
                ]
            }
        else:
            given = {word: path}
        if given != "count":
            if choice.random() < 0.25:
                given["where"] = self.where(2)
            if choice.random() < 0.8:
                given["as"] = f"m{index}"
        return given

    def question(self):
        return self.rows() if self.choice.random() < 0.5 else self.groups()


# As JSON


def filter_json(tree):
    ((word, rest),) = tree.items()
    if word in ("and", "or"):
        return {word: [filter_json(part) for part in rest]}
    if word == "not":
        return {word: filter_json(rest)}
    if word == "exists":
        return {word: schema.path_text(rest)}
    shown = [schema.path_text(rest[0])]
    shown += [part.text if isinstance(part, Pattern) else part for part in rest[1:]]
    return {word: shown}


def measure_json(given):
    if given == "count":
        return given
    shown = {}
    for word, rest in given.items():
        if word == "where":
            rest = filter_json(rest)
        elif word == "quantile":
            rest = [schema.path_text(rest[0]), rest[1]]
        elif isinstance(rest, tuple):
            rest = schema.path_text(rest)
        shown[word] = rest
    return shown


def question_json(question):
    shown = dict(question)
    if "where" in question:
        shown["where"] = filter_json(question["where"])
    for name in ("columns", "group_by"):
        if name in question:
            shown[name] = [schema.path_text(path) for path in question[name]]
    if "measures" in question:
        shown["measures"] = [measure_json(given) for given in question["measures"]]
    return shown
