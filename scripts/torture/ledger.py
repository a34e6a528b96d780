"""What the writers were told, kept outside of the server."""

import collections
import threading

STORED, REFUSED, UNKNOWN = "stored", "refused", "unknown"


class Ledger:
    """Batches of markers by API. A marker is a text that no other record has."""

    def __init__(self):
        self.lock = threading.Lock()
        self.fate = {}  # by marker
        self.api = {}  # by marker
        self.unanswered = []  # batches that may be stored, each with what sends it again
        self.counts = collections.Counter()

    def note(self, api, markers, fate):
        with self.lock:
            for marker in markers:
                self.fate[marker] = fate
                self.api[marker] = api
            self.counts[fate] += len(markers)

    def doubt(self, api, markers, resend):
        """The answer never came: the batch may be stored, whole or not at all."""
        self.note(api, markers, UNKNOWN)
        with self.lock:
            self.unanswered.append((api, markers, resend))

    def take_unanswered(self):
        with self.lock:
            taken, self.unanswered = self.unanswered, []
        return taken

    def violations(self, found, apis=None, only=None):
        """Says what is wrong with `found`, a count by marker: lost, doubled, or stored though refused.

        `apis` and `only` (a test of markers) bound what was looked for.
        """
        wrong = []
        with self.lock:
            fates = dict(self.fate)
        for marker, fate in fates.items():
            if apis is not None and self.api[marker] not in apis or only is not None and not only(marker):
                continue
            count = found.get(marker, 0)
            if count > 1:
                wrong.append(f"doubled: {marker} is there {count} times ({fate})")
            elif fate == STORED and count == 0:
                wrong.append(f"lost: {marker} was acknowledged")
            elif fate == REFUSED and count > 0:
                wrong.append(f"wrong: {marker} was refused and is there")
        strangers = [marker for marker in found if marker not in fates]
        return wrong + [f"wrong: nobody wrote {marker}" for marker in strangers]
