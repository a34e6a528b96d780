"""The audit API: lists, statistics and exports (Docs/audit.md), with a tenant for each state."""

import hashlib

import nasty
import questions
import schema
import values
from listings import Listing, bounds, encoded, micros_text, shown_time
from native import first_difference
from texts import Pattern
from values import Num
from view import STATES
from writers import signed_token

MISSING, WANTED = object(), object()


class Audit(Listing):
    """Entries of the audit API, with a tenant for each state."""

    USERS = ["u", "U", "\u00e9", "e\u0301", "\u212a"]
    EXACT = ["action", "resource_type", "resource_id", "ip_address", "severity", "user_id"]
    SEARCHED = [
        "action",
        "resource_type",
        "resource_id",
        "ip_address",
        "user_agent",
        "before",
        "after",
        "metadata",
    ]
    SHOWN = [*SEARCHED, "severity", "user_id"]

    def __init__(self, round_):
        super().__init__("audit", schema.DATASETS["audit"], round_)
        self.writers = {}

    def headers(self, server, state, user="reader"):
        claims = {"sub": user, "tenant": state, "aud": "logserver", "iss": "issuer", "role": "admin"}
        key = hashlib.md5(f"{state}secret".encode()).hexdigest()
        return {"Authorization": "Bearer " + signed_token(key.encode(), claims)}

    def connect(self, server):
        super().connect(server)
        self.server = server

    def make_one(self):
        choice, pools = self.pools.choice, self.pools
        time = pools.time()
        sent = {
            "action": pools.text(),
            "resource_type": pools.text(),
            "resource_id": pools.text(),
            "severity": choice.choice(["INFO", "WARNING", "ERROR", "CRITICAL"]),
        }
        columns = dict(sent)
        sent["timestamp"] = nasty.written_time(choice, time)
        for name in ("ip_address", "user_agent", "before", "after", "metadata"):
            value = choice.choice([None, MISSING, WANTED, WANTED, WANTED])
            if value is WANTED:
                value = pools.text() if name in ("ip_address", "user_agent") else pools.object()
                columns[name] = value
            if value is not MISSING:
                sent[name] = value
        columns["user_id"] = choice.choice(self.USERS)
        return time, columns, sent

    def write(self, state, made):
        """By users in turn: what each writes in a row is one request."""
        at = 0
        while at < len(made):
            user, end = made[at][0].columns["user_id"], at
            while end < len(made) and made[end][0].columns["user_id"] == user:
                end += 1
            body = values.dump([sent for _, sent in made[at:end]], self.pools.choice)
            status, _, text = self.server.ask(
                "POST", "/api/v1/logs/bulk", body.encode(), self.headers(self.server, state, user)
            )
            if status != 200:
                raise AssertionError(f"audit, {state}: a write of {end - at}: {status} {text[:300]}")
            at = end

    def delete_some(self, choice):
        text, first, _ = shown_time(choice, self.pools.by(choice).time())
        gone = [record for record in self.table.there() if record.time < first]
        if len(gone) > len(self.table.records) // 2:
            return None
        for record in gone:
            record.is_deleted = True
        path = "/api/v1/logs/cleanup?" + encoded([("before", text)])
        for state in STATES:
            answer = self.wires[state].ask("DELETE", path)
            if answer.status != 200 or values.load(answer.body)["data"]["deleted_count"].text != str(
                len(gone)
            ):
                return path, f"{state}: deleted {len(gone)}, answered {answer}"
        return path, None

    # Questions

    def question(self, choice):
        kind = choice.choice(["list"] * 7 + ["stats", "export", "export"])
        question = {"kind": kind, "where": {"and": []}, "parameters": []}
        if kind == "stats":
            return question
        parameters, parts = question["parameters"], question["where"]["and"]
        for name in self.EXACT:
            if choice.random() < 0.15:
                value = self.text(choice)
                if name in ("severity", "user_id"):
                    value = choice.choice(["INFO", "ERROR", "info"] if name == "severity" else self.USERS)
                parameters.append((name, value))
                parts.append({"eq": [(name,), value]})
        maker = questions.Questions(self.dataset, self.pools.by(choice), choice)
        if choice.random() < 0.2:
            needle = maker.needle() or "a"
            parameters.append(("user_agent", needle))
            parts.append({"contains": [("user_agent",), needle]})
        if choice.random() < 0.4:
            pattern = Pattern(maker.pattern())
            parameters.append(("search", pattern.text))
            parts.append(
                {"or": [{"regex": [(name,), pattern, {"ignore_case": True}]} for name in self.SEARCHED]}
            )
        bounds(choice, maker.pools, parameters, question, ("start", "end"))
        if choice.random() < 0.1:
            self.add_day(choice, maker.pools.time(), question)
        if kind == "list":
            question["page"], question["size"] = self.page(choice, parameters, "size")
        else:
            question["format"] = choice.choice(["json", "ndjson"])
            parameters.append(("format", question["format"]))
        return question

    @staticmethod
    def add_day(choice, time, question):
        question["parameters"].append(("timestamp", shown_time(choice, time)[0]))
        day = time // values.DAY * values.DAY
        question["first"] = max(question.get("first", values.FIRST), day)
        question["last"] = min(question.get("last", values.LAST), day + values.DAY - 1)

    def request(self, question):
        path = {"list": "/api/v1/logs", "stats": "/api/v1/logs/stats", "export": "/api/v1/logs/export"}[
            question["kind"]
        ]
        return "GET", path + ("?" + encoded(question["parameters"]) if question["parameters"] else ""), None

    def answer(self, question):
        return self.table.ordered(question)

    def entry(self, record):
        row = {name: record.columns.get(name) for name in self.SHOWN}
        return {**row, "timestamp": micros_text(record.time, "Z")}

    def compare(self, state, question, expected, answer):
        if question["kind"] == "stats":
            counts = {}
            for record in expected:
                severity = record.columns["severity"]
                counts[severity] = counts.get(severity, 0) + 1
            wanted, found = {name: Num(str(count)) for name, count in counts.items()}, values.load(
                answer.body
            )["data"]
            return None if wanted == found else values.dump(wanted)
        if question["kind"] == "export":
            if question["format"] == "json":
                rows = values.load(answer.body)
            else:
                rows = [values.load(line) for line in answer.body.split(b"\n") if line]
            return self.compare_rows(state, [self.entry(record) for record in expected], rows)
        body = values.load(answer.body)
        total, size = len(expected), question["size"]
        meta = {"total": total, "page": question["page"], "size": size, "pages": -(-total // size)}
        if {name: int(value.text) for name, value in body["meta"].items()} != meta:
            return f"meta {values.dump(meta)}"
        return self.compare_rows(state, self.rows_of(question, expected), body["data"])

    @staticmethod
    def compare_rows(state, expected, rows):
        for row in rows:
            if not row.pop("id", None) or row.pop("tenant_id", None) != state:
                return "rows with id and tenant"
        return first_difference(expected, rows)
