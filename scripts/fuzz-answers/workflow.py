"""The workflow API: lists and figures (Docs/workflow.md), with a client for each state."""

import collections
import math
import time

import nasty
import schema
import values
from listings import Listing, bounds, encoded, micros_text
from native import first_difference
from values import Num
from view import STATES


class Workflow(Listing):
    """Logs of the workflow API, with a client for each state."""

    FILTERS = ["environment", "status", "category", "ticket_id"]
    SHOWN = [
        "environment",
        "workflow_version",
        "ticket_id",
        "execution_time_seconds",
        "status",
        "category",
        "resolution_status",
        "metrics",
        "payload",
    ]
    KEYS = {state: f"fuzz-answers-workflow-{state}" for state in STATES}

    def __init__(self, round_):
        super().__init__("workflow", schema.DATASETS["workflows"], round_)
        self.now = time.time_ns()

    def headers(self, server, state):
        return {"X-API-Key": self.KEYS[state]}

    def make_one(self):
        choice, pools = self.pools.choice, self.pools
        time = pools.time()
        if choice.random() < 0.3:  # figures are over the last days: far from their edges
            time = (
                self.now
                - choice.randrange(-5, 95) * values.DAY
                - values.DAY // 2
                + choice.randrange(values.DAY // 9)
            )
        columns = {"environment": choice.choice(["production", "staging", "development"])}
        for name in ("workflow_version", "ticket_id", "category", "resolution_status"):
            if choice.random() < 0.7:
                columns[name] = pools.text()[:30]
        if choice.random() < 0.8:
            columns["status"] = choice.choice(["SUCCESS", "ERROR", "PARTIAL", "FAILED"])
        sent = {"executed_at": nasty.written_time(choice, time), **columns}
        if choice.random() < 0.7:
            number = pools.number()
            sent["execution_time_seconds"] = number if abs(number.value) < 1e300 else Num("7.25")
            columns["execution_time_seconds"] = values.shortest(sent["execution_time_seconds"].nearest)
        for name in ("metrics", "payload"):
            if choice.random() < 0.7:
                sent[name] = columns[name] = pools.object()
        if choice.random() < 0.3:
            name, value = choice.choice(["extra", "Status", "\u00e9xtra", "a"]), pools.value(1)
            sent[name] = value
            columns["payload"] = {name: value, **columns.get("payload", {})}
        return time, columns, sent

    def write(self, state, made):
        for at in range(0, len(made), 100):
            body = values.dump([sent for _, sent in made[at : at + 100]], self.pools.choice).encode()
            answer = self.wires[state].ask("POST", "/api/v1/logs/batch", body)
            if answer.status != 201:
                raise AssertionError(f"workflow, {state}: a write: {answer}")

    def question(self, choice):
        kind = choice.choice(["list"] * 6 + ["overview", "categories"])
        question = {"kind": kind, "where": {"and": []}, "parameters": []}
        parameters, parts = question["parameters"], question["where"]["and"]
        if kind != "list":
            days = choice.randint(1, 90)
            parameters.append(("days", str(days)))
            question["days"] = days
            question["first"] = self.now - days * values.DAY
            return question
        for name in self.FILTERS:
            if choice.random() < 0.25:
                value = self.text(choice)[:30]
                if name == "environment":
                    value = choice.choice(["production", "staging", "Production"])
                elif name == "status":
                    value = choice.choice(["SUCCESS", "ERROR", "FAILED", "success"])
                parameters.append((name, value))
                parts.append({"eq": [(name,), value]})
        bounds(choice, self.pools.by(choice), parameters, question, ("start_date", "end_date"))
        question["page"], question["size"] = self.page(choice, parameters, "page_size")
        return question

    def request(self, question):
        kind = question["kind"]
        path = "/api/v1/logs" if kind == "list" else "/api/v1/metrics/" + kind
        return "GET", path + "?" + encoded(question["parameters"]), None

    def answer(self, question):
        return self.table.ordered(question)

    def entry(self, record):
        row = {name: record.columns.get(name) for name in self.SHOWN}
        return {**row, "executed_at": micros_text(record.time, "+00:00")}

    def compare(self, state, question, expected, answer):
        body = values.load(answer.body)
        if question["kind"] == "overview":
            return self.compare_overview(question, expected, body["data"])
        if question["kind"] == "categories":
            return self.compare_categories(expected, body["data"])
        total, size = len(expected), question["size"]
        meta = {"total": total, "page": question["page"], "page_size": size, "pages": -(-total // size)}
        if {name: int(value.text) for name, value in body["pagination"].items()} != meta:
            return f"pagination {values.dump(meta)}"
        for row in body["data"]:
            if not (
                row.pop("id", None) and row.pop("created_at", None) and row.pop("client_id", None) == state
            ):
                return "rows with id, created_at and client"
            found = row["execution_time_seconds"]
            if found is not None:
                row["execution_time_seconds"] = values.shortest(found.nearest)
        return first_difference(self.rows_of(question, expected), body["data"])

    @staticmethod
    def compare_overview(question, expected, found):
        statuses = [record.columns.get("status") for record in expected]
        times = [
            number.nearest
            for record in expected
            if (number := record.columns.get("execution_time_seconds")) is not None and number.value != 0
        ]
        counts = {
            "total_tickets": len(expected),
            "total_logs": len(expected),
            "period_days": question["days"],
            "error_count": statuses.count("ERROR") + statuses.count("FAILED"),
        }
        if any(found[name].text != str(count) for name, count in counts.items()):
            return values.dump(counts)
        mean = math.fsum(times) / len(times) if times else 0.0
        rate = statuses.count("SUCCESS") * 100 / len(expected) if expected else 0.0
        for name, value in (("success_rate", rate), ("avg_execution_time", mean)):
            if not math.isclose(found[name].nearest, value, rel_tol=1e-15, abs_tol=0.0050001):
                return f"{name}: {value}"
        return None

    def compare_categories(self, expected, found):
        counts, succeeded = collections.Counter(), collections.Counter()
        for record in expected:
            name = record.columns.get("category")
            counts[name] += 1
            succeeded[name] += record.columns.get("status") == "SUCCESS"
        wanted = [
            ["uncategorized" if name is None else name, count, succeeded[name]]
            for name, count in counts.items()
        ]
        shown = [[row["category"], int(row["count"].text), int(row["success_count"].text)] for row in found]
        for name, count, good in shown:
            rate = next(row for row in found if row["category"] == name)["success_rate"].nearest
            if name != "uncategorized" and abs(rate - good * 100 / count) > 0.0050001:
                return f"{values.dump(name)}: a rate of {good * 100 / count}"
        is_ordered = [row[1] for row in shown] == sorted((row[1] for row in shown), reverse=True)
        return None if sorted(shown) == sorted(wanted) and is_ordered else values.dump(wanted)
