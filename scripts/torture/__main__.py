"""torture [--minutes M] [--cycles N] [--seed S] [--binary B] [--only EVENT]: a server that six APIs write to
at once, killed, without power, without room, with failing calls, damaged files and a clock that steps; and a
ledger outside of it that says what was acknowledged. Ends with 1 at the first promise that is broken, and
leaves everything where it says (the volume as an image to mount). The same seed makes the same choices; the
machine's pace does what it likes.
"""

import argparse
import collections
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import checking
from events import Torture
from ledger import Ledger
from server import Server, Violation, Volume
from writers import Writers, resend


def cycle(torture, number, choice, event):
    """Some writing, one event in the midst of it, and a look whether all is as was said."""
    server, ledger = torture.server, torture.ledger
    writers = Writers(server, ledger, number, choice.getrandbits(32))
    writers.await_sent(choice.randint(0, 300))
    event(writers)
    writers.stop()
    resend(server, ledger)
    mine = f"-{number}-"
    checking.demand(
        ledger.violations(
            checking.by_answers(server, number), checking.ANSWERING, lambda marker: mine in marker),
        "answers")
    return writers.sent


def everything(torture):
    found = checking.by_files(torture.server)
    if found is not None:
        checking.demand(torture.ledger.violations(found), "files")
    return found is not None


def run(torture, options, choice):
    server = torture.server
    events = [e for e in torture.events() if not options.only or e[0] == options.only]
    done = collections.Counter()
    end = time.monotonic() + options.minutes * 60
    number = 0
    while time.monotonic() < end and (not options.cycles or number < options.cycles):
        number += 1
        name, _, act = choice.choices(events, [weight for _, weight, _ in events])[0]
        torture.doing = f"cycle {number}: {name}"
        cycle(torture, number, choice, act)
        torture.cycles.append(number)
        done[name] += 1
        if number % 25 == 0:
            torture.doing = f"cycle {number}: everything"
            everything(torture)
    torture.doing = "the end"
    is_read = everything(torture)
    server.stop()
    checking.sound(server, server.data)
    counts = torture.ledger.counts
    print(f"torture: {number} cycles, {counts['stored']} records acknowledged, "
          f"{counts['unknown']} in doubt, {counts['refused']} refused; none lost, doubled or wrong"
          + ("" if is_read else " (pyarrow is not here: blocks were not read)"))
    print("torture: " + ", ".join(f"{count} × {name}" for name, count in done.most_common()))


def main():
    parser = argparse.ArgumentParser(prog="torture", description=__doc__)
    parser.add_argument("--minutes", type=float, default=1)
    parser.add_argument("--cycles", type=int, default=0)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--binary", default=os.environ.get("CORDWOOD_BINARY", ".build/release/cordwood"))
    parser.add_argument("--only", help="one kind of event")
    options = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="cordwood-torture-")
    print(f"torture: seed {options.seed}, in {folder}", flush=True)
    choice = random.Random(options.seed)
    volume = Volume(folder)
    if not volume.is_real:
        print("torture: no file system can be mounted here: no power cuts, no full disk")
    server = Server(os.path.abspath(options.binary), volume.path + "/data", folder + "/server.log")
    torture = Torture(server, volume, Ledger(), folder, choice)
    try:
        torture.start()
        run(torture, options, choice)
    except (Violation, AssertionError) as error:
        print(f"torture: {torture.doing}: {error}\ntorture: seed {options.seed}; all is left in {folder}")
        if server.process.poll() is None:
            server.kill()
        return 1
    volume.close()
    shutil.rmtree(folder)
    return 0


def alone():
    """Mounts of its own, which nobody else holds and which end with it."""
    possible = shutil.which("unshare") and subprocess.run(
        ["unshare", "--mount", "true"], capture_output=True, check=False).returncode == 0
    if possible and "TORTURE_ALONE" not in os.environ:
        os.environ["TORTURE_ALONE"] = "1"
        os.execvp("unshare", ["unshare", "--mount", sys.executable, "-B", *sys.argv])


alone()
sys.exit(main())
