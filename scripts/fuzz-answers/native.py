"""The native API: records and groups of `POST /v1/query`, cursors to the end."""

import model
import nasty
import questions
import schema
import values
from model import Refused
from values import Num
from wire import Wire

STATES = ["head", "blocks", "mixed", "compacted"]
KEYS = {name: f"fuzz-answers-key-of-{name}" for name in ["operator", *STATES]}
PAGES_MAX = 8


def bearer(key):
    return {"Authorization": "Bearer " + key}


def settings():
    keys = ", ".join(
        f"{{name: {name}, key: {key}, tenant: {name}, role: admin, operator: {str(name == 'operator').lower()}}}"
        for name, key in KEYS.items())
    return f"native.api_keys=[{keys}]"


class Native:
    """One dataset, the same records for each tenant of `STATES`."""

    def __init__(self, name, pools, rules, options):
        self.dataset = schema.DATASETS[name]
        self.name = "native " + name
        self.pools, self.options = pools, options
        self.table = model.Table(self.dataset, rules)
        self.wires = {}
        # The model's place of a record by the server's: positions are counted over all datasets and tenants.
        self.places = {state: {} for state in STATES}

    def connect(self, server):
        for wire in self.wires.values():
            wire.close()
        self.wires = {state: Wire(server.port, bearer(KEYS[state])) for state in STATES}

    # Records

    def make(self, count):
        """Records of the model, not yet written, with what is sent of each."""
        made = []
        for _ in range(count):
            time, columns, sent = nasty.record(self.dataset, self.pools)
            made.append((model.Record(time, len(self.table.records), columns), sent))
            self.table.records.append(made[-1][0])
        return made

    def write(self, state, made):
        if not made:
            return
        choice = self.pools.choice
        lines = "\n".join(values.dump(sent, choice) for _, sent in made)
        answer = self.wires[state].ask("POST", f"/v1/records/{self.dataset.name}", lines.encode())
        if answer.status != 201:
            raise AssertionError(f"{self.name}, {state}: a write of {len(made)}: {answer}")
        first = int(values.load(answer.body)["first_position"].text)
        for index, (record, _) in enumerate(made):
            self.places[state][first + index] = Num(str(record.position))

    # Questions

    def question(self, choice):
        pools = self.pools.by(choice)
        return questions.Questions(self.dataset, pools, choice, self.options.words_ascii).question()

    def shown(self, question):
        return values.dump(questions.question_json(question))

    def send(self, state, question):
        self.wires[state].send("POST", "/v1/query", self.shown(question).encode())

    def receive(self, state):
        return self.wires[state].receive()

    def expect(self, question):
        """What is to be answered; None: it is refused."""
        try:
            if "measures" in question:
                return model.Groups(self.table, question).answer()
            return self.table.ordered(question)
        except Refused:
            return None

    def judge(self, state, question, expected, answer):
        """What is wrong, or None."""
        if expected is None:
            return None if answer.status == 400 else "is refused"
        if answer.status != 200:
            return f"{len(expected)} rows"
        rows = values.load(answer.body)["rows"]
        if "measures" in question:
            return judge_groups(question, expected, rows)
        expected = expected[:question.get("limit", 1000)]
        return self.judge_rows(state, question, expected, rows)

    def judge_rows(self, state, question, expected, rows):
        columns = question.get("columns")
        if columns is None:
            columns = [(name,) for name in self.dataset.columns if name not in ("id", "ingested_at")]
            for row in rows:
                if not (row.pop("id", None) and row.pop("ingested_at", None)):
                    return "rows with id and ingested_at"
        for row in rows:
            if "position" in row:
                row["position"] = self.places[state].get(int(row["position"].text), row["position"])
            found = row.get("execution_time_seconds")
            if isinstance(found, Num):
                row["execution_time_seconds"] = values.shortest(found.nearest)
        return first_difference([self.table.row(record, columns) for record in expected], rows)

    # Pages

    def pages(self, state, question, expected, cursor=None):
        """Asks page by page to the end. The number of answers, and what is wrong or None; `expected`: records,
        those after the cursor where one is given.
        """
        limit = question["limit"]
        for count in range(1, PAGES_MAX + 1):
            asked = question if cursor is None else {**question, "cursor": cursor}
            self.send(state, asked)
            answer = self.receive(state)
            if answer.status != 200:
                return count, f"page {count}: {len(expected)} rows more; answered {answer}"
            found = values.load(answer.body)
            wrong = self.judge_rows(state, question, expected[:limit], found["rows"])
            if wrong:
                return count, f"page {count}: {wrong}"
            expected = expected[limit:]
            cursor = found.get("cursor")
            if cursor is None:
                return count, f"{len(expected)} rows more" if expected else None
        return PAGES_MAX, None

    def begin(self, state, question):
        """The cursor behind a first page; None: there is none, or the question is refused."""
        self.send(state, question)
        answer = self.receive(state)
        return values.load(answer.body).get("cursor") if answer.status == 200 else None

    def delete(self, where):
        """Deletes in every state; what is wrong, or None."""
        body = values.dump({"dataset": self.dataset.name, "where": questions.filter_json(where)}).encode()
        count = self.table.delete(where)
        for state in STATES:
            answer = self.wires[state].ask("POST", "/v1/delete", body)
            if answer.status != 200 or values.load(answer.body) != {"deleted": Num(str(count))}:
                return f"{state}: deleted {count}, answered {answer}"
        return None


def first_difference(expected, rows):
    for index, (wanted, found) in enumerate(zip(expected, rows)):
        if wanted != found:
            return f"row {index}: {values.dump(wanted)}\nfound {values.dump(found)}"
    if len(expected) != len(rows):
        more = expected[len(rows)] if len(expected) > len(rows) else rows[len(expected)]
        return f"{len(expected)} rows, found {len(rows)}: {values.dump(more)}"
    return None


def judge_groups(question, expected, rows):
    names = [schema.path_text(path) for path in question.get("group_by", [])]
    names = (["bucket"] if "bucket" in question else []) + names
    measures = [model.measure_name(given) for given in question["measures"]]
    for index, ((key, found), row) in enumerate(zip(expected, rows)):
        wanted = {
            name: values.time_text(part) if name == "bucket" and isinstance(part, int) else part
            for name, part in zip(names, key) if part is not None}
        given = {name: row.pop(name) for name in names if name in row}
        if given != wanted:
            return f"group {index}: {values.dump(wanted)}, found {values.dump(given)} {values.dump(row)}"
        for name, value in zip(measures, found):
            shown = row.pop(name, None)
            if not (shown is None if value is None else value.fits(shown)):
                return f"group {index} {values.dump(wanted)}: {name} is {value}, found {values.dump(shown)}"
        if row:
            return f"group {index}: nothing but what is asked for, found {values.dump(row)}"
    if len(expected) != len(rows):
        return f"{len(expected)} groups, found {len(rows)}"
    return None
