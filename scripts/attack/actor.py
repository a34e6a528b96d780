"""What those who attack have in common: a process each, an address, choices by the seed, and their pace."""

import ctypes
import os
import random
import signal
import threading
import time
import traceback

from watch import Watch
from wire import Hand

THREADS = 3
ATTACKERS, MEASURING = 10, -10  # nice values; the server has 0


def renice(step):
    """Behind (or before) the server, also where the system shares the cores by session first."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # ends with its parent
    os.setsid()
    try:
        os.nice(step)
        with open("/proc/self/autogroup", "w") as file:
            file.write(str(step))
    except OSError:
        pass  # not allowed to go before others, or no such groups here


class Actor:
    """One who attacks. `attacks` lists weights and what is done."""

    name, address = "", ""

    def __init__(self, play, number, watch):
        self.play, self.estate, self.number, self.watch = play, play.estate, number, watch
        self.choice = random.Random(f"{self.name} {number} {play.seed}")
        self.hand = Hand(play.server.port, watch, self.address)
        self.held = []  # pairs of when to close, and a connection

    def attacks(self):
        raise NotImplementedError

    def prepare(self):
        """What is to be there before the attacks begin."""

    @classmethod
    def run(cls, play, stopping, ready, results):
        """The process: some of this kind, a thread each, until told to stop."""
        renice(ATTACKERS)
        watch = Watch(cls.name, play.estate.secrets(), play.folder)
        actors = [cls(play, number, watch) for number in range(THREADS)]
        try:
            for actor in actors:
                actor.prepare()
        except Exception:  # an actor that cannot begin proves nothing
            watch.fault("it cannot begin", traceback.format_exc())
        ready.release()
        play.go.wait()
        for thread in [in_background(actor.attack, stopping) for actor in actors]:
            thread.join()
        results.put(watch.report())

    def attack(self, stopping):
        attacks = self.attacks()
        weights = [weight for weight, _ in attacks]
        while not stopping.is_set():
            act = self.choice.choices(attacks, weights)[0][1]
            try:
                act()
            except OSError:
                self.watch.counts["no connection"] += 1
                time.sleep(0.02)
            except Exception:  # a mistake of ours, and not an answer of the server's
                if not stopping.is_set():
                    self.watch.fault(f"mistake in {act.__name__}", traceback.format_exc())
            self.let_go()
        self.let_go(everything=True)

    def hold(self, line, seconds):
        self.held.append((time.monotonic() + seconds, line))

    def let_go(self, everything=False):
        """Closes what was held long enough."""
        now = time.monotonic()
        keep = []
        for until, line in self.held:
            if everything or until < now:
                line.close()
            else:
                keep.append((until, line))
        self.held = keep

    def somewhere(self, networks=4):
        """One of the addresses of this actor."""
        return self.address.rsplit(".", 1)[0] + f".{self.choice.randint(1, networks)}"


def in_background(act, *arguments):
    thread = threading.Thread(target=act, args=arguments, daemon=True)
    thread.start()
    return thread
