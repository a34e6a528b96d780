"""The native API: records and groups of `POST /v1/query`, cursors to the end."""

import groups
import nasty
import questions
import schema
import values
from values import Num
from view import STATES, View

KEYS = {name: f"fuzz-answers-key-of-{name}" for name in ["operator", *STATES]}
OPERATES = {True: "true", False: "false"}
PAGES_MAX = 8


def bearer(key):
    return {"Authorization": "Bearer " + key}


def settings():
    keys = ", ".join(
        f"{{name: {name}, key: {key}, tenant: {name}, role: admin, operator: {OPERATES[name == 'operator']}}}"
        for name, key in KEYS.items()
    )
    return f"native.api_keys=[{keys}]"


class Native(View):
    """One dataset, the same records for each tenant of `STATES`."""

    has_pages = True
    share = 0.5

    def __init__(self, name, round_):
        super().__init__("native " + name, schema.DATASETS[name], round_)
        # The model's place of a record by the server's: positions are counted over all datasets and tenants.
        self.places = {state: {} for state in STATES}

    def headers(self, server, state):
        return bearer(KEYS[state])

    def make_one(self):
        return nasty.record(self.dataset, self.pools)

    def write(self, state, made):
        if not made:
            return
        lines = "\n".join(values.dump(sent, self.pools.choice) for _, sent in made)
        answer = self.wires[state].ask("POST", f"/v1/records/{self.dataset.name}", lines.encode())
        if answer.status != 201:
            raise AssertionError(f"{self.name}, {state}: a write of {len(made)}: {answer}")
        first = int(values.load(answer.body)["first_position"].text)
        for index, (record, _) in enumerate(made):
            self.places[state][first + index] = Num(str(record.position))

    def delete_some(self, choice):
        maker = questions.Questions(self.dataset, self.pools.by(choice), choice, self.options.words_ascii)
        for _ in range(10):
            where = maker.where()
            found = self.expect({"where": where})
            if found and len(found) <= len(self.table.records) * 2 // 3:
                break
        else:
            return None
        count = self.table.delete(where)
        body = values.dump({"dataset": self.dataset.name, "where": questions.filter_json(where)})
        for state in STATES:
            answer = self.wires[state].ask("POST", "/v1/delete", body.encode())
            if answer.status != 200 or values.load(answer.body) != {"deleted": Num(str(count))}:
                return body, f"{state}: deleted {count}, answered {answer}"
        return body, None

    # Questions

    def question(self, choice):
        return questions.Questions(
            self.dataset, self.pools.by(choice), choice, self.options.words_ascii
        ).question()

    def request(self, question):
        return "POST", "/v1/query", values.dump(questions.question_json(question)).encode()

    def answer(self, question):
        if "measures" in question:
            return groups.Groups(self.table, question).answer()
        return self.table.ordered(question)

    def compare(self, state, question, expected, answer):
        rows = values.load(answer.body)["rows"]
        if "measures" in question:
            return judge_groups(question, expected, rows)
        return self.judge_rows(state, question, expected[: question.get("limit", 1000)], rows)

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
        """Asks page by page to the end: how many answers, and what is wrong or None. `expected`: records,
        those behind the cursor where one is given.
        """
        limit = question["limit"]
        for count in range(1, PAGES_MAX + 1):
            asked = question if cursor is None else {**question, "cursor": cursor}
            self.send(state, asked)
            answer = self.receive(state)
            if answer.status != 200:
                wrong = f"page {count}: {len(expected)} rows more; answered {answer}"
                return count, wrong
            found = values.load(answer.body)
            wrong = self.judge_rows(state, question, expected[:limit], found["rows"])
            if wrong:
                return count, f"page {count}: {wrong}"
            expected = expected[limit - (1 if "cursor" in self.table.rules.plants else 0) :]
            cursor = found.get("cursor")
            if cursor is None:
                return count, f"{len(expected)} rows more" if expected else None
        return PAGES_MAX, None

    def begin(self, state, question):
        """The cursor behind a first page; None: there is none, or the question is refused."""
        self.send(state, question)
        answer = self.receive(state)
        return values.load(answer.body).get("cursor") if answer.status == 200 else None


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
    measures = [groups.measure_name(given) for given in question["measures"]]
    for index, ((key, found), row) in enumerate(zip(expected, rows)):
        wanted = {
            name: values.time_text(part) if name == "bucket" and isinstance(part, int) else part
            for name, part in zip(names, key)
            if part is not None
        }
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
