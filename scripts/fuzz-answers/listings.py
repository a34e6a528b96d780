"""The audit, the workflow and the sessions API: their own records, lists a page at a time, figures."""

import collections
import hashlib
import math
import time
import unicodedata
import urllib.parse

import nasty
import questions
import schema
import values
from native import first_difference
from texts import Pattern
from values import Num
from view import STATES, View
from writers import signed_token

MICRO = 1_000


def encoded(parameters):
    return "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in parameters)


def micros_text(time, zone):
    """A time to the microsecond, cut off; without a fraction where there is none."""
    return values.time_text(time, 6 if time % values.SECOND // MICRO else 0)[:-1] + zone


def shown_time(choice, time):
    """A text or number that asks for a time, and the first and last time that are shown so."""
    first = time // MICRO * MICRO
    text = nasty.written_time(choice, time) if choice.random() < 0.4 else micros_text(time, "Z")
    if isinstance(text, Num):
        text = text.text
    return text, max(first, values.FIRST), min(first + MICRO - 1, values.LAST)


def bounds(choice, pools, parameters, question, names):
    """Perhaps adds a start and an end; a date alone is its first or its last moment."""
    for name, is_end in zip(names, (False, True)):
        if choice.random() > 0.2:
            continue
        time = pools.time()
        text, first, last = shown_time(choice, time)
        if choice.random() < 0.25:
            day = time // values.DAY
            text = values.civil(day).isoformat()
            if day * values.DAY < values.FIRST or (day + 1) * values.DAY > values.LAST:
                continue
            first, last = day * values.DAY, (day + 1) * values.DAY - 1
        parameters.append((name, text))
        if is_end:
            question["last"] = last
        else:
            question["first"] = first


class Listing(View):
    """What lists records newest first, a page at a time, with how many there are."""

    def page(self, choice, parameters, size_name):
        page, size = choice.choice([1, 1, 1, 2, 3, 40]), choice.choice([1, 7, 50, 100])
        parameters += [("page", str(page)), (size_name, str(size))]
        choice.shuffle(parameters)
        return page, size

    def text(self, choice):
        pools = self.pools.by(choice)
        given = questions.Questions(self.dataset, pools, choice).text()
        return given or "a"

    def rows_of(self, question, expected):
        first = (question["page"] - 1) * question["size"]
        return [self.entry(record) for record in expected[first:first + question["size"]]]


class Audit(Listing):
    """Entries of the audit API, with a tenant for each state."""

    USERS = ["u", "U", "\u00e9", "e\u0301", "\u212a"]
    EXACT = ["action", "resource_type", "resource_id", "ip_address", "severity", "user_id"]
    SEARCHED = ["action", "resource_type", "resource_id", "ip_address", "user_agent", "before", "after", "metadata"]
    SHOWN = [
        "action", "resource_type", "resource_id", "ip_address", "user_agent", "before", "after", "metadata", "severity",
        "user_id"]

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
            "action": pools.text(), "resource_type": pools.text(), "resource_id": pools.text(),
            "severity": choice.choice(["INFO", "WARNING", "ERROR", "CRITICAL"])}
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
                "POST", "/api/v1/logs/bulk", body.encode(), self.headers(self.server, state, user))
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
            if answer.status != 200 or values.load(answer.body)["data"]["deleted_count"].text != str(len(gone)):
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
            parts.append({"or": [{"regex": [(name,), pattern, {"ignore_case": True}]} for name in self.SEARCHED]})
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
        path = {"list": "/api/v1/logs", "stats": "/api/v1/logs/stats", "export": "/api/v1/logs/export"}[question["kind"]]
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
            wanted, found = {name: Num(str(count)) for name, count in counts.items()}, values.load(answer.body)["data"]
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


MISSING, WANTED = object(), object()


class Workflow(Listing):
    """Logs of the workflow API, with a client for each state."""

    FILTERS = ["environment", "status", "category", "ticket_id"]
    SHOWN = [
        "environment", "workflow_version", "ticket_id", "execution_time_seconds", "status", "category",
        "resolution_status", "metrics", "payload"]
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
            time = self.now - choice.randrange(-5, 95) * values.DAY - values.DAY // 2 + choice.randrange(values.DAY // 9)
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
            body = values.dump([sent for _, sent in made[at:at + 100]], self.pools.choice).encode()
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
            if not (row.pop("id", None) and row.pop("created_at", None) and row.pop("client_id", None) == state):
                return "rows with id, created_at and client"
            found = row["execution_time_seconds"]
            if found is not None:
                row["execution_time_seconds"] = values.shortest(found.nearest)
        return first_difference(self.rows_of(question, expected), body["data"])

    @staticmethod
    def compare_overview(question, expected, found):
        statuses = [record.columns.get("status") for record in expected]
        times = [
            number.nearest for record in expected
            if (number := record.columns.get("execution_time_seconds")) is not None and number.value != 0]
        counts = {
            "total_tickets": len(expected), "total_logs": len(expected), "period_days": question["days"],
            "error_count": statuses.count("ERROR") + statuses.count("FAILED")}
        if any(found[name].text != str(count) for name, count in counts.items()):
            return values.dump(counts)
        mean = math.fsum(times) / len(times) if times else 0.0
        rate = statuses.count("SUCCESS") * 100 / len(expected) if expected else 0.0
        for name, value in (("success_rate", rate), ("avg_execution_time", mean)):
            if not math.isclose(found[name].nearest, value, rel_tol=1e-15, abs_tol=0.0050001):
                return f"{name}: {value}"
        return None

    def compare_categories(self, expected, found):
        plain = (lambda name: name)
        if "categories-canonical" in self.table.rules.plants:
            plain = (lambda name: name and unicodedata.normalize("NFC", name))
        counts, succeeded = collections.Counter(), collections.Counter()
        for record in expected:
            name = record.columns.get("category")
            counts[name] += 1
            succeeded[plain(name)] += record.columns.get("status") == "SUCCESS"
        wanted = [
            ["uncategorized" if name is None else name, count, succeeded[plain(name)]] for name, count in counts.items()]
        shown = [[row["category"], int(row["count"].text), int(row["success_count"].text)] for row in found]
        for name, count, good in shown:
            rate = next(row for row in found if row["category"] == name)["success_rate"].nearest
            if name != "uncategorized" and abs(rate - good * 100 / count) > 0.0050001:
                return f"{values.dump(name)}: a rate of {good * 100 / count}"
        is_ordered = [row[1] for row in shown] == sorted((row[1] for row in shown), reverse=True)
        return None if sorted(shown) == sorted(wanted) and is_ordered else values.dump(wanted)


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
        return (cut if cut >= values.FIRST else time), {name: sent[name] for name in ("level", "message")}, sent

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
        expected = expected[:question.get("limit")]
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
        wanted = [{
            "timestamp": micros_text(record.time, "+00:00"), "level": record.columns["level"],
            "message": record.columns["message"], "container": "fuzz", "session": state} for record in expected]
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
            wrong = self.compare_rows(state, expected[:question["limit"]], body["logs"])
            if wrong:
                return count, f"page {count}: {wrong}"
            expected = expected[question["limit"]:]
            cursor = body.get("cursor")
            if cursor is None:
                return count, f"{len(expected)} rows more" if expected else None
        return 8, None

    def begin(self, state, question):
        self.send(state, {**question, "form": "json"})
        answer = self.receive(state)
        return values.load(answer.body).get("cursor") if answer.status == 200 else None
