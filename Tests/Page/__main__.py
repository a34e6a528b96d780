"""test-page [NAME…] [--without NAME] [--shard I/N] [--keys SECONDS] [--files FOLDER] [--mutants] [--list]

See scripts/test-page.

--shard: every Nth test, from the Ith on. --keys: how long random keys are pressed (5 s). --files: page files
in place of those in the program.
--mutants: plants the bugs of mutants.py, each by itself, and demands that its tests turn red.
"""

import argparse
import importlib
import pathlib
import sys
import time
import traceback

import settings
from lab import Lab

HERE = pathlib.Path(__file__).resolve().parent


def tests(names, without):
    """Pairs of a name and a function, those of `names` only if there are any, none of `without`."""
    found = []
    for file in sorted(HERE.glob("test_*.py")):
        module = importlib.import_module(file.stem)
        for name, test in vars(module).items():
            if name.startswith("test_") and callable(test) and test.__module__ == file.stem:
                found.append((f"{file.stem[5:]}.{name[5:]}", test))
    found = [(name, test) for name, test in found if not names or any(part in name for part in names)]
    return [(name, test) for name, test in found if not any(part in name for part in without)]


def run(lab, name, test):
    """What was wrong, or an empty text."""
    fault = ""
    try:
        test(lab)
    except AssertionError:
        fault = traceback.format_exc(limit=-3)
    except Exception:
        fault = traceback.format_exc(limit=-4)
    others = lab.finish()
    if others:
        fault += "\n".join(["the page did what no page may do:", *others[:5]])
    return fault


def main():
    parser = argparse.ArgumentParser(prog="test-page", description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--keys", type=float, default=5)
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("--shard", default="1/1")
    parser.add_argument("--files")
    parser.add_argument("--mutants", action="store_true")
    parser.add_argument("--list", action="store_true")
    options = parser.parse_args()
    settings.KEY_SECONDS = options.keys
    if options.mutants:
        import mutants

        return mutants.main(options.names)
    first, count = (int(part) for part in options.shard.split("/"))
    chosen = tests(options.names, options.without)[first - 1 :: count]
    if options.list:
        print("\n".join(name for name, _ in chosen))
        return 0
    if not chosen:
        print(f"test-page: no test is named {' or '.join(options.names)}", file=sys.stderr)
        return 2
    lab, failed = Lab(options.files), []
    try:
        for name, test in chosen:
            begin = time.monotonic()
            fault = run(lab, name, test)
            print(f"{'✘' if fault else '✔'} {name} ({time.monotonic() - begin:.1f} s)", flush=True)
            if fault:
                failed.append(name)
                print(fault, flush=True)
    finally:
        lab.close()
    print(f"{len(chosen) - len(failed)} of {len(chosen)} tests passed")
    if failed:
        print("failed: " + " ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
