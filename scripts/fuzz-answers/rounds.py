"""A round: a server with new data, the same records in four states, questions in each of them; then the same
after a restart, after deletions, and with more records, all archived.
"""

import collections
import glob
import json
import os
import random
import shutil
import time

import nasty
import schema
from audit import Audit
from command import Command
from cube import Cube
from live import Live
from native import KEYS, Native, bearer, settings
from server import Server, Violation
from sessions import Sessions
from view import STATES, UNSAID
from wire import Wire
from workflow import Workflow

SETTINGS = [
    "archive.max_age_seconds=86400",
    "health.disk_free_ratio=0",
    "storage.write_reserve_bytes=1048576",
    "logging.access=security",
    "journal.segment_bytes=2097152",
    "storage.durability=os",
]
PIECES = 8  # so many blocks side by side are merged


class Over(Exception):
    """There is no time for more."""


class Tally:
    """What was asked and what was found, over all rounds."""

    def __init__(self, options, is_quiet=False):
        self.options, self.is_quiet = options, is_quiet
        self.asked = collections.Counter()  # by API and state
        self.kinds = 0  # different questions
        # By API: how many are refused, and so on.
        self.kinds_of = collections.defaultdict(collections.Counter)
        self.differences = []
        self.differing = collections.Counter()  # by question, however often
        self.end = time.monotonic() + options.seconds

    @property
    def total(self):
        return sum(self.asked.values())

    def check(self):
        if len(self.differences) >= self.options.most:
            raise Over()
        if self.options.questions:
            if self.total >= self.options.questions:
                raise Over()
        elif time.monotonic() >= self.end and not self.options.only:
            raise Over()

    def differs(self, number, name, state, text):
        self.differing[name] += 1
        if self.differing[name] > 1:
            return
        again = (
            f"--seed {self.options.seed} --round {number}"
            + (f" --only '{name}'" if ":" in name else "")
            + (f" --api '{self.options.api}'" if self.options.api else "")
            + (" --words-ascii" if self.options.words_ascii else "")
        )
        self.differences.append((name, state, text))
        if self.is_quiet:
            return
        print(
            f"fuzz-answers: DIFFERENCE in {name}, {state}\n{text}\n"
            f"fuzz-answers: again: python3 -B scripts/fuzz-answers {again}",
            flush=True,
        )


class Round:
    def __init__(self, number, folder, tally, rules):
        self.number, self.tally, self.options = number, tally, tally.options
        self.choice = random.Random(f"{self.options.seed} {number}")
        self.folder = f"{folder}/{number}"
        os.makedirs(self.folder)
        self.server = Server(
            os.path.abspath(self.options.binary),
            self.folder + "/data",
            self.folder + "/log",
            SETTINGS + [settings()],
            {"API_KEYS": json.dumps({key: state for state, key in Workflow.KEYS.items()})},
        )
        self.rules, self.lives = rules, []
        self.pools = nasty.Pools(self.choice, self.choice.random() < 0.3)
        self.views = self.all_views()
        if self.options.api:
            asked = [view for view in self.views if self.options.api in view.name]
            self.views = [
                view
                for view in self.views
                if view in asked
                or any(getattr(v, "owner", None) is view for v in asked)
                or any(live.view is view and self.options.api in live.name for live in self.lives)
            ]
            for view in self.views:
                view.share = view.share if view in asked else 0
            self.lives = [
                live for live in self.lives if self.options.api in live.name and live.view in self.views
            ]
        self.phase = ""
        self.open = []  # cursors of another phase

    def all_views(self):
        others = self.choice.sample([name for name in schema.DATASETS if name != "logs"], 2)
        natives = [Native(name, self) for name in ["logs", *others]]
        audit, workflow = Audit(self), Workflow(self)
        self.lives = [Live(view, self) for view in natives]
        return [
            *natives,
            *map(lambda view: Command(view, self), natives),
            audit,
            workflow,
            Sessions(self),
            Cube(audit, "logs", self),
            Cube(workflow, "workflows", self),
        ]

    def run(self):
        try:
            self.start()
            self.build()
            self.ask("fresh")
            self.begin_pages()
            self.server.stop()
            self.start()
            self.go_on_with_pages("restart")
            self.ask("restarted")
            self.begin_pages()
            for live in self.lives:
                live.resume(["head", "mixed"])
            self.delete()
            self.go_on_with_pages("deletion")
            self.ask("deleted")
            self.begin_pages()
            self.write_more()
            self.go_on_with_pages("archiving")
            self.ask("archived")
        finally:
            if self.server.process and self.server.process.poll() is None:
                self.server.kill()
        self.server.judge_end()
        shutil.rmtree(self.folder)

    def start(self):
        if not self.server.start():
            raise Violation(f"the server does not start:\n{self.server.output()[-3000:]}")
        self.operator = Wire(self.server.port, bearer(KEYS["operator"]))
        for view in self.views:
            view.connect(self.server)

    # States

    def archive(self):
        answer = self.operator.ask("POST", "/v1/admin/flush", b'{"archive":true}')
        if answer.status != 200:
            raise Violation(f"flush: {answer}")

    def build(self):
        made = {view: view.make(self.choice.choice([24, 120, 300, 600])) for view in self.views}
        for piece in range(PIECES):
            for view, records in made.items():
                size = -(-len(records) // PIECES)
                some = records[piece * size : (piece + 1) * size]
                view.write("compacted", some)
                if view.is_shared:
                    view.write("blocks", some)
                    view.write("mixed", some[: max(0, len(records) // 2 - piece * size)])
                elif piece == PIECES - 1:
                    view.write("blocks", records)
                    view.write("mixed", records[: len(records) // 2])
            self.archive()
        for view, records in made.items():
            view.write("mixed", records[len(records) // 2 :])
            view.write("head", records)
        self.await_merges()

    def await_merges(self):
        end = time.monotonic() + 10
        while True:
            counts = collections.Counter(
                os.path.dirname(path) for path in glob.glob(self.server.data + "/blocks/*/*/*.parquet")
            )
            if all(count < PIECES for count in counts.values()):
                return
            if time.monotonic() > end:
                raise Violation("blocks are not merged")
            time.sleep(0.02)

    def delete(self):
        for view in self.views:
            for _ in range(self.choice.randint(1, 3)):
                found = view.delete_some(self.choice)
                if found:
                    self.tally.asked[view.name, "deletion"] += 1
                    self.note_plain(view.name, "deletion", *found)

    def write_more(self):
        made = {view: view.make(self.choice.randint(1, 60)) for view in self.views}
        for view, records in made.items():
            for state in STATES:
                view.write(state, records)
        for live in self.lives:
            live.follow(made[live.view], "before")
        self.archive()
        for live in self.lives:
            live.resume(STATES)
            live.follow(made[live.view], "after archiving")

    # Questions

    def ask(self, phase):
        self.phase = phase
        if not self.options.only:
            for live in self.lives:
                live.look(phase, random.Random(f"{self.options.seed} {self.number} {live.name} {phase}"))
        # In turns, so that each has had some when the time is over.
        for index in range(self.options.each):
            for view in self.views:
                if index >= self.options.each * view.share:
                    continue
                name = f"{view.name}:{index}"
                if self.options.only and self.options.only != name:
                    continue
                self.tally.check()
                choice = random.Random(f"{self.options.seed} {self.number} {name}")
                self.ask_one(view, name, view.question(choice), choice)
                if phase == "fresh":
                    self.tally.kinds += 1

    def ask_one(self, view, name, question, choice):
        for state in STATES:
            view.send(state, question)
        expected = view.expect(question)
        kind = "refused" if expected is None else "answered by nothing" if not expected else "answered"
        self.tally.kinds_of[view.name]["not in the model" if expected is UNSAID else kind] += 1
        for state in STATES:
            answer = view.receive(state)
            if expected is UNSAID:
                continue
            self.tally.asked[view.name, f"{state}, {self.phase}"] += 1
            self.note(view, name, state, question, view.judge(state, question, expected, answer), answer)
        if view.has_pages and expected and "measures" not in question and choice.random() < 0.2:
            paged = {**question, "limit": max(1, len(expected) // choice.randint(1, 4))}
            if isinstance(view, Native):
                paged.setdefault("columns", [("position",), ("timestamp",)])
            for state in STATES:
                count, wrong = view.pages(state, paged, expected)
                self.tally.asked[view.name, f"{state}, {self.phase}"] += count
                self.note(view, name, state, paged, wrong, None)

    def note(self, view, name, state, question, wrong, answer):
        if wrong is None:
            return
        if self.tally.differing[name]:
            self.tally.differing[name] += 1
            return
        shown = f"expected: {wrong}" + (f"\nanswered: {answer}"[:800] if answer else "")
        self.note_plain(name, f"{state}, {self.phase}", view.shown(question), shown)

    def note_plain(self, name, state, asked, wrong):
        if wrong:
            self.tally.differs(self.number, name, state, f"{asked}\n{wrong}")

    # Cursors of one phase that go on in another

    def begin_pages(self):
        self.open = []
        for view in self.views:
            for index in range(6 if view.has_pages else 0):
                choice = random.Random(f"{self.options.seed} {self.number} {view.name} {self.phase} {index}")
                question = view.question(choice)
                expected = None if "measures" in question else view.expect(question)
                if not expected:
                    continue
                question = {**question, "limit": max(1, len(expected) // choice.randint(2, 4))}
                for state in STATES:
                    cursor = view.begin(state, question)
                    if cursor:
                        self.open.append((view, state, question, expected[question["limit"] :], cursor))

    def go_on_with_pages(self, what):
        for view, state, question, rest, cursor in self.open:
            rest = [record for record in rest if not record.is_deleted]
            count, wrong = view.pages(state, question, rest, cursor)
            self.tally.asked[view.name, f"cursor over {what}"] += count
            self.note(view, view.name, f"{state}, cursor over {what}", question, wrong, None)
