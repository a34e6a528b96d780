"""What an actor was answered, looked at for what nobody may be told and for faults of the server."""

import collections
import os
import re

PLENTY = 4  # faults of one kind that are shown


def shown(data, most=700):
    """Bytes as a line of Python that makes them, cut."""
    return repr(bytes(data[:most])) + (f" … {len(data)} bytes" if len(data) > most else "")


class Watch:
    """The faults and counts of one actor, to whom nothing of `secrets` may be said. `folder` takes requests
    that were answered badly, whole.
    """

    def __init__(self, actor, secrets, folder):
        self.actor, self.folder = actor, folder
        words = [re.escape(secret.encode()) for secret in secrets]
        # The second are the markers of what the quiet tenant writes through six APIs.
        self.forbidden = re.compile(b"|".join(words) + rb"|T-[a-z]+-1-[0-9]") if words else None
        self.counts = collections.Counter()
        self.faults = collections.Counter()
        self.slowest = {}

    def fault(self, kind, detail, request=b""):
        self.faults[kind] += 1
        number = self.faults[kind]
        if number > PLENTY:
            return
        name = re.sub(r"[^a-z0-9]+", "-", f"{self.actor} {kind}".lower())[:80]
        path = f"{self.folder}/fault-{name}-{number}.request"
        with open(path, "wb") as file:
            file.write(request)
        print(
            f"attack: FAULT {self.actor}: {kind}: {detail}\n"
            f"attack:   by {shown(request)}\nattack:   which is in {os.path.basename(path)}",
            flush=True,
        )

    def saw(self, what, request, status, data, seconds=0.0):
        """An answer: its status (0: none came), and all bytes of it."""
        self.counts[f"{what} {status}"] += 1
        if seconds > self.slowest.get(what, (0, 0))[0]:
            self.slowest[what] = (round(seconds, 2), status)
        found = self.forbidden and self.forbidden.search(data)
        if found:
            self.fault(
                f"told of the quiet tenant by {what}", shown(data[max(0, found.start() - 100) :]), request
            )
        if status == 500:
            self.fault(f"500 of {what}", shown(data), request)

    def report(self):
        return {
            "actor": self.actor,
            "counts": dict(self.counts),
            "faults": dict(self.faults),
            "slowest": self.slowest,
        }
