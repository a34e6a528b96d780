"""Live streams of the native API: `/v1/tail/{dataset}` as events (Docs/live.md)."""

import re
import socket
import urllib.parse

import questions
import values
from native import KEYS
from view import STATES


class Stream:
    """A stream of events from the server."""

    def __init__(self, server, state, path, last_id=None, seconds=5):
        self.socket = socket.create_connection(("127.0.0.1", server.port), seconds)
        again = f"Last-Event-ID: {last_id}\r\n" if last_id else ""
        self.socket.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n{again}"
            f"Authorization: Bearer {KEYS[state]}\r\n\r\n".encode()
        )
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        while self.file.readline() not in (b"\r\n", b""):
            pass
        self.rest, self.id, self.seconds = b"", last_id, seconds

    def line(self):
        """A line of the body, which comes in chunks."""
        while b"\n" not in self.rest:
            size = int(self.file.readline() or b"0", 16)
            if size == 0:
                raise EOFError("the stream ended")
            self.rest += self.file.read(size)
            self.file.readline()
        line, _, self.rest = self.rest.partition(b"\n")
        return line.decode()

    def event(self):
        """Kind and data of the next event that has data."""
        kind, data = "", None
        while True:
            name, _, value = self.line().partition(": ")
            if name == "id":
                self.id = value
            elif name == "event":
                kind = value
            elif name == "data":
                data = value
            elif not name and data is not None:
                return kind, data

    def has_more(self):
        """Whether a record has come that was not read; that others were deleted may be told."""
        self.socket.settimeout(0)
        found = self.rest + self.file.peek(1)
        self.socket.settimeout(self.seconds)
        return b"data:" in re.sub(rb"event: deleted\ndata:", b"", found)

    def close(self):
        self.file.close()
        self.socket.close()


class Live:
    """The streams of one view of the native API."""

    def __init__(self, view, round_):
        self.view, self.round = view, round_
        self.name = "live " + view.dataset.name
        self.columns = [(name,) for name in view.dataset.columns if name not in ("id", "ingested_at")]
        self.open = {}
        self.ids = {}

    def path(self, where, last):
        items = {"last": str(last)} if last else {}
        if where:
            items["where"] = values.dump(questions.filter_json(where))
        return f"/v1/tail/{self.view.dataset.name}?" + urllib.parse.urlencode(items)

    def read(self, state, stream, expected):
        """Reads as many records as are expected; what is wrong, or None."""
        rows = []
        try:
            while len(rows) < len(expected):
                kind, data = stream.event()
                if kind == "deleted":
                    continue
                row = values.load(data)
                if kind or "type" in row:
                    return f"an event {kind} {data}"
                rows.append(row)
        except (EOFError, TimeoutError) as error:
            return f"{len(expected)} records; after {len(rows)}: {error!r}"
        if stream.has_more():
            return f"{len(expected)} records, found more"
        question = {"columns": None}
        return self.view.judge_rows(state, question, expected, rows)

    def look(self, phase, choice):
        """The records written last, in each state."""
        for index in range(2):
            self.round.tally.check()
            asked = self.view.question(choice)
            where, last = asked.get("where"), choice.choice([1, 5, 40, 1000])
            expected = self.view.expect({"where": where} if where else {})
            expected = (
                None if expected is None else sorted(expected, key=self.place)[-last:]
            )
            for state in STATES:
                if self.round.tally.differing[self.name]:
                    return
                path = self.path(where, last)
                stream = Stream(self.round.server, state, path)
                if expected is None or stream.status != 200:
                    wrong = None if expected is None and stream.status == 400 else f"status {stream.status}"
                else:
                    wrong = self.read(state, stream, expected)
                self.round.tally.asked[self.name, f"{state}, {phase}"] += 1
                self.round.note_plain(self.name, f"{state}, {phase}", path, wrong)
                if index == 1 or state in self.ids or not stream.id:
                    stream.close()
                    continue
                self.ids[state] = stream.id, where
                stream.close()

    def place(self, record):
        return record.time if "tail" in self.view.table.rules.plants else record.position

    def resume(self, states):
        """Goes on where a stream was left, perhaps of another run of the server."""
        for state in states:
            if state in self.ids:
                last_id, where = self.ids[state]
                self.open[state] = Stream(self.round.server, state, self.path(where, 0), last_id), where

    def follow(self, made, what):
        """What was written meanwhile, each once and in order."""
        new = {record.position for record, _ in made}
        for state, (stream, where) in self.open.items():
            expected = sorted(
                self.view.expect({"where": where} if where else {}), key=lambda record: record.position
            )
            expected = [record for record in expected if record.position in new]
            wrong = self.read(state, stream, expected) if stream.status == 200 else f"status {stream.status}"
            self.round.tally.asked[self.name, f"{state}, resumed {what}"] += 1
            self.round.note_plain(self.name, f"{state}, resumed {what}", self.path(where, 0), wrong)
            stream.close()
        self.open = {}
