"""The sessions API: ranges of a session for each state (Docs/sessions.md)."""

import nasty
import questions
import schema
import values
from listings import MICRO, encoded, micros_text, shown_time
from native import first_difference
from values import Num
from view import STATES, View


class Sessions(View):
    """A session for each state, in a container of the administrator's."""

    has_pages = True
    is_shared = True

    def __init__(self, round_):
        super().__init__("sessions", schema.DATASETS["sessions"], round_)
        self.is_made = False

    def connect(self, server):
        body = {"username": "admin", "password": "admin"}
        self.token = server.json("POST", "/api/auth/login", body)["token"]
        super().connect(server)
        if not self.is_made:
            wire = self.wires[STATES[0]]
            wire.ask("POST", "/api/containers", b'{"container_id":"fuzz"}')
            for state in STATES:
                wire.ask("POST", "/api/containers/fuzz/sessions", values.dump({"session_id": state}).encode())
            self.is_made = True

    def headers(self, server, state):
        return {"Authorization": "Bearer " + self.token}

    def make_one(self):
        choice, pools = self.pools.choice, self.pools
        time = pools.time()
        sent = {"timestamp": nasty.written_time(choice, time)}
        if isinstance(sent["timestamp"], Num):
            sent["timestamp"] = values.time_text(time)
        for name in ("level", "message"):
            sent[name] = pools.text() if choice.random() < 0.85 else None
        cut = time // MICRO * MICRO
        return (
            (cut if cut >= values.FIRST else time),
            {name: sent[name] for name in ("level", "message")},
            sent,
        )

    def write(self, state, made):
        if made:
            body = values.dump({"logs": [sent for _, sent in made]}, self.pools.choice)
            answer = self.wires[state].ask("POST", f"/api/logs/fuzz/{state}", body.encode())
            if answer.status != 201:
                raise AssertionError(f"sessions, {state}: a write: {answer}")

    def question(self, choice):
        question = {"where": {"and": []}, "parameters": [], "order": "asc", "form": "json"}
        parameters, parts = question["parameters"], question["where"]["and"]
        maker = questions.Questions(self.dataset, self.pools.by(choice), choice)
        levels = [maker.text() or "a" for _ in range(choice.choice([0, 0, 1, 2]))]
        if levels:
            parameters += [("level", level) for level in levels]
            parts.append({"in": [("level",), levels]})
        options = [{"ignore_case": True}] if choice.random() < 0.5 else []
        for _ in range(choice.choice([0, 0, 1, 1, 2])):
            needle = maker.needle() or "a"
            parameters.append(("contains", needle))
            parts.append({"contains": [("message",), needle, *options]})
        if options:
            parameters.append(("ignore_case", "true"))
        for name, is_end in (("start_ts", False), ("end_ts", True)):
            if choice.random() < 0.2:
                text, first, last = shown_time(choice, maker.pools.time())
                parameters.append((name, text))
                question["last" if is_end else "first"] = last if is_end else first
        if choice.random() < 0.5:
            question["order"] = choice.choice(["asc", "desc"])
            parameters.append(("order", question["order"]))
        if choice.random() < 0.3:
            question["limit"] = choice.choice([1, 3, 50])
        if choice.random() < 0.2:
            question["form"] = "ndjson"
        return question

    def request(self, question, state="STATE"):
        parameters = list(question["parameters"])
        if "limit" in question:
            parameters.append(("limit", str(question["limit"])))
        if "cursor" in question:
            parameters.append(("cursor", question["cursor"]))
        if question["form"] == "ndjson":
            parameters.append(("format", "ndjson"))
        return "GET", f"/api/logs/fuzz/{state}" + ("?" + encoded(parameters) if parameters else ""), None

    def send(self, state, question):
        self.wires[state].send(*self.request(question, state))

    def answer(self, question):
        found = self.table.matching(question)
        return found[::-1] if question["order"] == "desc" else found

    def compare(self, state, question, expected, answer):
        expected = expected[: question.get("limit")]
        if question["form"] == "ndjson":
            rows = [values.load(line) for line in answer.body.split(b"\n") if line]
        else:
            body = values.load(answer.body)
            rows = body["logs"]
            if body["total_rows"].text != str(len(expected)):
                return f"{len(expected)} total_rows"
        return self.compare_rows(state, expected, rows)

    @staticmethod
    def compare_rows(state, expected, rows):
        wanted = [
            {
                "timestamp": micros_text(record.time, "+00:00"),
                "level": record.columns["level"],
                "message": record.columns["message"],
                "container": "fuzz",
                "session": state,
            }
            for record in expected
        ]
        return first_difference(wanted, rows)

    def pages(self, state, question, expected, cursor=None):
        """As those of the native API."""
        question = {**question, "form": "json"}
        for count in range(1, 9):
            self.send(state, question if cursor is None else {**question, "cursor": cursor})
            answer = self.receive(state)
            if answer.status != 200:
                return count, f"page {count}: {len(expected)} rows more; answered {answer}"
            body = values.load(answer.body)
            wrong = self.compare_rows(state, expected[: question["limit"]], body["logs"])
            if wrong:
                return count, f"page {count}: {wrong}"
            expected = expected[question["limit"] :]
            cursor = body.get("cursor")
            if cursor is None:
                return count, f"{len(expected)} rows more" if expected else None
        return 8, None

    def begin(self, state, question):
        self.send(state, {**question, "form": "json"})
        answer = self.receive(state)
        return values.load(answer.body).get("cursor") if answer.status == 200 else None
