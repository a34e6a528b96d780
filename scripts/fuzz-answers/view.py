"""What all ways to ask have in common."""

import model
from model import Refused, Unsaid
from wire import Wire

STATES = ["head", "blocks", "mixed", "compacted"]

UNSAID = ()  # what the model does not say


class View:
    """A way to ask the same records in each of `STATES`. A view of records that another view writes has a
    `table` and `wires` of that one.
    """

    has_pages = False
    is_shared = False  # whether all states lie in the same blocks
    share = 0.5  # of the questions of a round

    def __init__(self, name, dataset, round_):
        self.name, self.dataset = name, dataset
        self.pools, self.options = round_.pools, round_.options
        self.table = model.Table(dataset, round_.rules)
        self.wires = {}

    def headers(self, server, state):
        raise NotImplementedError

    def connect(self, server):
        for wire in self.wires.values():
            wire.close()
        for state in STATES:
            self.wires[state] = Wire(server.port, self.headers(server, state))

    # Records

    def make_one(self):
        """A record's time and columns, and what is sent of it."""
        raise NotImplementedError

    def make(self, count):
        """Records of the model, not yet written, with what is sent of each."""
        made = []
        for _ in range(count):
            time, columns, sent = self.make_one()
            made.append((model.Record(time, len(self.table.records), columns), sent))
            self.table.records.append(made[-1][0])
        return made

    def write(self, state, made):
        raise NotImplementedError

    def delete_some(self, choice):
        """Deletes some records in every state: what was asked and what is wrong or None; None: nothing is
        deleted here.
        """
        return None

    # Questions

    def request(self, question):
        """Method, path and body."""
        raise NotImplementedError

    def shown(self, question):
        method, path, body = self.request(question)
        return f"{method} {path}" + (f" {body.decode()}" if body else "")

    def send(self, state, question):
        self.wires[state].send(*self.request(question))

    def receive(self, state):
        return self.wires[state].receive()

    def expect(self, question):
        """What is to be answered; None: it is refused."""
        try:
            return self.answer(question)
        except Unsaid:
            return UNSAID
        except Refused:
            return None

    def judge(self, state, question, expected, answer):
        """What is wrong, or None."""
        if expected is UNSAID:
            return None
        if expected is None:
            return None if answer.status in (400, 422) else "is refused"
        if answer.status != 200:
            return "is answered"
        try:
            return self.compare(state, question, expected, answer)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            return f"an answer of the form that the documents show: {error!r}"
