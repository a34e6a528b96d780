"""fuzz-answers [--seconds S] [--questions N] [--seed S] [--binary B]: random questions about nasty records,
each in the same words in every state that records can be in, and what a model of the documents, in Python and
over plain records, answers. Ends with 1 if an answer differs. The same seed asks the same questions.

--round and --only repeat one question; --plant makes a mistake in the model, which must be found.
"""

import argparse
import collections
import os
import random
import shutil
import sys
import tempfile
import time
import traceback

sys.path.append(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "torture"))

from rounds import Over, Round, Tally
from rules import Rules
from server import Violation


def arguments():
    parser = argparse.ArgumentParser(prog="fuzz-answers", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--questions", type=int, default=0, help="so many instead of a time")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--binary", default=os.environ.get("CORDWOOD_BINARY", ".build/release/cordwood"))
    parser.add_argument("--round", type=int, help="this one alone")
    parser.add_argument("--only", help="one question, such as 'native logs:17'")
    parser.add_argument("--api", help="views with this in their name alone")
    parser.add_argument("--each", type=int, default=120, help="questions of a view in a round")
    parser.add_argument("--most", type=int, default=5, help="differences to end after")
    parser.add_argument(
        "--plant", action="append", default=[], choices=sorted(Rules.PLANTS), help="a mistake in the model"
    )
    parser.add_argument("--self-test", action="store_true", help="each mistake in turn: whether it is found")
    parser.add_argument("--words-ascii", action="store_true", help="word only of texts of ASCII")
    return parser.parse_args()


def report(tally, rounds, seconds):
    by_name = collections.defaultdict(list)
    for (name, state), count in sorted(tally.asked.items()):
        by_name[name].append(f"{state}: {count}")
    for name, counts in by_name.items():
        kinds = ", ".join(f"{count} {kind}" for kind, count in tally.kinds_of[name].items())
        print(
            f"fuzz-answers: {name}: " + "; ".join(counts) + (f" (of the questions {kinds})" if kinds else "")
        )
    print(
        f"fuzz-answers: {tally.total} answers to {tally.kinds} questions in {rounds} rounds, "
        f"{tally.total / seconds:.0f}/s; "
        f"{sum(tally.differing.values())} differences; seed {tally.options.seed}"
    )


def self_test(options):
    """Makes each mistake in the model; the names of those that no question shows."""
    missed = []
    for name in sorted(Rules.PLANTS):
        if name == "words" and options.words_ascii:
            continue
        options.plant, options.most, began = [name], 1, time.monotonic()
        tally = ask(options, is_quiet=True)
        found = tally.differences[0][:2] if tally.differences else None
        print(
            f"fuzz-answers: plant {name}: "
            + (
                f"found by {' in '.join(found)} after {tally.total} answers, "
                f"{time.monotonic() - began:.1f} s"
                if found
                else "NOT FOUND"
            ),
            flush=True,
        )
        if not found:
            missed.append(name)
    return missed


def main():
    options = arguments()
    if options.self_test:
        return 1 if self_test(options) else 0
    print(f"fuzz-answers: seed {options.seed}", flush=True)
    return 1 if ask(options).differences else 0


def ask(options, is_quiet=False):
    folder = tempfile.mkdtemp(prefix="cordwood-fuzz-answers-")
    tally, rules = Tally(options, is_quiet), Rules(options.plant)
    number, began = options.round or 0, time.monotonic()
    try:
        while True:
            Round(number, folder, tally, rules).run()
            number += 1
            if options.round is not None:
                break
    except Over:
        pass
    except (Violation, AssertionError) as error:
        tally.differs(number, "the server", "", str(error))
    except (OSError, IndexError, ValueError):
        # An answer broke off, or was none.
        tally.differs(number, "the server", "", traceback.format_exc())
    if not is_quiet:
        report(tally, number + 1 - (options.round or 0), time.monotonic() - began)
    shutil.rmtree(folder)
    return tally


sys.exit(main())
