"""The command line: `cordwood query` with filters as text (Docs/query.md, the column "text")."""

import re
import subprocess
import tempfile

import questions
import values
from native import KEYS, Native, judge_groups
from texts import Pattern
from values import Num
from view import STATES
from wire import Answer

JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
WORD = re.compile(r"[^\s\"'(),=<>~!\[]+")
SYMBOLS = {"eq": "=", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
SEARCHES = {
    "contains": ("contains", "icontains"),
    "regex": ("~", "~*"),
    "word": ("word",),
    "prefix": ("prefix",),
}
LEVELS = ["level", "severity", "status"]
PRIMARY = {"logs": "message", "sessions": "message", "queries": "query"}


def spellings(level):
    """What `--level` looks for: as typed, in capitals, small, and with one capital, of ASCII."""
    upper = {code: code - 32 for code in range(ord("a"), ord("z") + 1)}
    small = level.translate({capital: code for code, capital in upper.items()})
    return [level, level.translate(upper), small, small[:1].translate(upper) + small[1:]]


class Expressions:
    """Writes filters as text, in one of the ways there are."""

    def __init__(self, choice, is_bare=False):
        self.choice, self.is_bare = choice, is_bare

    def path(self, path):
        shown = path[0]
        for name in path[1:]:
            if name and all(letter.isalnum() or letter == "_" for letter in name):
                shown += "." + name
            else:
                shown += '["' + re.sub(r'(["\\])', r"\\\1", name) + '"]'
        return shown

    def text(self, text):
        is_word = WORD.fullmatch(text) and not JSON_NUMBER.fullmatch(text) and text not in ("true", "false")
        if is_word and self.choice.random() < 0.6:
            return text
        quote = self.choice.choice("\"'")
        return quote + text.replace("\\", "\\\\").replace(quote, "\\" + quote) + quote

    def constant(self, value):
        if isinstance(value, bool):
            return "true" if value else "false"
        return value.text if isinstance(value, Num) else self.text(value)

    def write(self, tree, level=0):
        """`level`: 0 outermost, 1 a part of `or`, 2 a part of `and`, 3 behind `not`."""
        ((word, rest),) = tree.items()
        if word in ("and", "or"):
            if not rest:
                return "all" if word == "and" else "none"
            if len(rest) == 1:
                return self.write(rest[0], level)
            own = 2 if word == "and" else 1
            shown = f" {self.cased(word)} ".join(self.write(part, own) for part in rest)
            return f"({shown})" if level >= own and not self.is_bare or self.choice.random() < 0.2 else shown
        if word == "not":
            return f"{self.cased('not')} {self.write(rest, 3)}"
        if word == "exists":
            return f"{self.path(rest)} {self.cased('exists')}"
        path, value = self.path(rest[0]), rest[1]
        if word == "in":
            return f"{path} {self.cased('in')} ({', '.join(map(self.constant, value))})"
        if word in SYMBOLS:
            space = self.choice.choice([" ", ""])
            return f"{path}{space}{SYMBOLS[word]}{space}{self.constant(value)}"
        if isinstance(value, Pattern):
            value = value.text
        return f"{path} {SEARCHES[word][1 if len(rest) > 2 else 0]} {self.text(value)}"

    def cased(self, word):
        return word.upper() if self.choice.random() < 0.2 else word


class Command(Native):
    """Asks what a view of the native API wrote, a process for each question."""

    has_pages = False
    share = 0.04

    def __init__(self, owner, round_):
        super().__init__(owner.dataset.name, round_)
        self.name = "command " + owner.dataset.name
        self.owner, self.table, self.places = owner, owner.table, owner.places
        self.folder, self.server = round_.folder, round_.server
        self.processes = {}

    def connect(self, server):
        for state in STATES:
            with open(f"{self.folder}/{state}.key", "w", encoding="ascii") as file:
                file.write(KEYS[state])

    def make(self, count):
        return []

    def write(self, state, made):
        pass

    def delete_some(self, choice):
        return None

    # Questions

    def question(self, choice):
        maker = questions.Questions(self.dataset, self.pools.by(choice), choice, self.options.words_ascii)
        question = {"dataset": self.dataset.name, "flags": [], "where": {"and": []}}
        parts, flags = question["where"]["and"], question["flags"]
        for _ in range(choice.choice([0, 1, 1, 1, 2])):
            where = maker.where()
            if choice.random() < 0.5:
                where = {"and": [{"or": [maker.where(2), maker.where(2)]}, {"not": where}]}
            parts.append(where)
            is_bare = "parentheses" in self.table.rules.plants
            flags += self.flag(choice, "where", Expressions(choice, is_bare).write(where))
        self.add_flags(choice, maker, parts, flags)
        for name, flag in (("start", "--since"), ("end", "--until")):
            if choice.random() < 0.15:
                question[name] = values.time_text(maker.pools.time())
                flags.append(f"{flag}={question[name]}")
        if choice.random() < 0.5:
            self.add_groups(choice, question)
        else:
            columns = [("position",)] + [(name,) for name in choice.sample(list(self.dataset.own), 2)]
            question["columns"] = columns
            flags.append("--columns=" + ",".join(path[0] for path in columns))
            if choice.random() < 0.5:
                question["order"] = choice.choice(["asc", "desc"])
                flags.append("--order=" + question["order"])
            if choice.random() < 0.3:
                question["limit"] = choice.choice([1, 10, 5000])
                flags.append(f"--limit={question['limit']}")
        return question

    def add_flags(self, choice, maker, parts, flags):
        """`--level`, `--contains` and `--regex`."""
        name = next((name for name in LEVELS if name in self.dataset.own), None)
        if name and choice.random() < 0.25:
            levels = [maker.text() for _ in range(choice.choice([1, 2]))]
            for level in levels:
                flags += self.flag(choice, "level", level)
            parts.append({"in": [(name,), [form for level in levels for form in spellings(level)]]})
        searched = (
            [PRIMARY[self.dataset.name]]
            if self.dataset.name in PRIMARY
            else self.dataset.texts + self.dataset.objects
        )
        for word in ("contains", "regex"):
            if choice.random() < 0.15:
                given = maker.needle() or "a"
                if word == "regex":
                    given = Pattern(maker.pattern())
                flags += self.flag(choice, word, given.text if word == "regex" else given)
                parts.append({"or": [{word: [(name,), given]} for name in searched]})

    @staticmethod
    def flag(choice, name, value):
        """In one of the two ways there are: a value that looks like a flag needs `=`, an empty one none."""
        if value and (value.startswith("-") or choice.random() < 0.5):
            return [f"--{name}={value}"]
        return ["--" + name, value]

    def add_groups(self, choice, question):
        flags = question["flags"]
        question["measures"] = ["count"]
        by = choice.sample(self.dataset.texts, choice.choice([0, 1, 2]))
        if by:
            question["group_by"] = [(name,) for name in by]
            flags.append("--count-by=" + ",".join(by))
        if choice.random() < 0.3:
            question["bucket"] = choice.choice(["1m", "1h", "1d", "week", "year"])
            flags.append("--bucket=" + question["bucket"])
        if not by and "bucket" not in question:
            flags.append("--count")
        elif choice.random() < 0.3:
            question["order_by"] = "count"
            flags.append("--largest-first")

    def words(self, state, question):
        return [
            self.options.binary,
            "query",
            "--dataset=" + question["dataset"],
            "--format=ndjson",
            f"--url=http://127.0.0.1:{self.server.port}",
            f"--key-file={self.folder}/{state}.key",
            *question["flags"],
        ]

    def shown(self, question):
        return values.dump(self.words("STATE", question))

    def send(self, state, question):
        out = tempfile.TemporaryFile()
        self.processes[state] = out, subprocess.Popen(
            self.words(state, question), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT
        )

    def receive(self, state):
        out, process = self.processes.pop(state)
        status = process.wait(60)
        out.seek(0)
        body = out.read()
        out.close()
        return Answer({0: 200, 1: 400}.get(status, status), {}, body)

    def compare(self, state, question, expected, answer):
        rows = [values.load(line) for line in answer.body.split(b"\n") if line]
        if "measures" in question:
            return judge_groups(question, expected, rows)
        return self.judge_rows(state, question, expected[: question.get("limit", 1000)], rows)
