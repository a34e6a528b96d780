"""tidy: the rules of the house that a program can check. No build, about two seconds; every machine has
Python 3.

usage: python3 scripts/tidy [OPTION]

Without one: prints what breaks a rule, exits 1 if anything does.
  --test                runs the rules' own tests: each is seen red
  --undocumented        lists package declarations without a doc comment
  --long                lists lines that are too long
  --canonical           lists where text is compared by canonical equivalence
  --wrap [FOLDER…]      wraps comments that are too long
  --shrink              takes out of the exemptions what is no longer needed
  --write-dependencies  writes scripts/dependencies.txt from what was checked out
"""

import subprocess
import sys
import unittest

import dependency_rules
import document_rules
import rules
import script_rules
import swift_rules
import wrapping
from finding import Exemptions
from swift_source import SwiftFile

EXEMPTIONS = rules.ROOT / "scripts/tidy/exemptions.txt"
DEPENDENCIES = rules.ROOT / "scripts/dependencies.txt"
RESOLVED = rules.ROOT / ".build/workspace-state.json"


def tracked():
    """Every file of the project, those that are not committed yet included."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, text=True, check=True, cwd=rules.ROOT)
    paths = sorted(path for path in set(listed.stdout.split("\0")) if path)
    return [path for path in paths if (rules.ROOT / path).is_file()]


def read(path):
    return (rules.ROOT / path).read_text(errors="replace")


def swift_files(paths, *folders):
    chosen = [path for path in paths if path.endswith(".swift") and path.startswith(folders)]
    return [SwiftFile(path, read(path)) for path in chosen]


def is_script(path):
    in_place = path.startswith(("scripts/", ".ci/", "packaging/", "Benchmarks/", "Tests/"))
    if path.endswith((".py", ".sh")):
        return True
    return in_place and "." not in path.rsplit("/", 1)[-1] and read(path).startswith("#!")


def measured(paths):
    """What the length of lines holds for, with its text."""
    for path in paths:
        is_code = path.endswith((".swift", ".c", ".h", ".cpp")) or path in ("Makefile", "Dockerfile")
        if is_code or is_script(path):
            yield path, read(path)


def guarded(paths):
    """What reads or compares texts from outside. Command line and configuration are the operator's."""
    return swift_files(
        paths, *[f"Sources/{layer}/" for layer in ("Base", "Inbound", "Store", "Outbound", "Edge")])


def findings(paths):
    sources = swift_files(paths, "Sources/")
    others = swift_files(paths, "Tests/", "Benchmarks/", "Fuzz/")
    for rule in (swift_rules.sizes, swift_rules.spread, swift_rules.documented, swift_rules.comments):
        yield from rule(sources)
    yield from swift_rules.canonical_text(guarded(paths))
    yield from swift_rules.dead(sources, others)
    scripts = [path for path in paths if is_script(path)]
    for path in scripts:
        yield from script_rules.syntax(path, read(path))
    yield from script_rules.shellcheck(
        [path for path in scripts if script_rules.shell_of(read(path)) in ("bash", "sh")])
    yield from script_rules.mutants(
        [path for path in paths if "/mutants/" in path and path.endswith(".patch")])
    yield from script_rules.long_lines(measured(paths))
    for path in paths:
        if path.endswith(".md"):
            yield from document_rules.links(path, read(path))
            yield from document_rules.code_width(path, read(path))
    versions = dependency_rules.listed(DEPENDENCIES.read_text())
    for path in ("Package.swift", "Benchmarks/Package.swift"):
        yield from dependency_rules.manifest(path, read(path), versions)
    yield from document_rules.notice(versions, read("NOTICE"))
    if RESOLVED.exists():
        yield from dependency_rules.drift(versions, RESOLVED.read_text())


def write_dependencies():
    versions = dependency_rules.resolved(RESOLVED.read_text())
    named = dependency_rules.pinned(read("Package.swift"))
    lines = [
        "# Every package of a build and its version. Those that Package.swift names are pinned there; the",
        "# others come along. `make update-dependencies` writes this; scripts/tidy compares it with what was",
        "# resolved.",
    ]
    for name, version in sorted(versions.items()):
        lines.append(f"{name} {version}" + ("" if name in named else "  # comes along"))
    DEPENDENCIES.write_text("\n".join(lines) + "\n")


def main(arguments):
    if arguments == ["--test"]:
        suite = unittest.defaultTestLoader.discover(str(rules.ROOT / "scripts/tidy"), pattern="test_*.py")
        return 0 if unittest.TextTestRunner(verbosity=1).run(suite).wasSuccessful() else 1
    if arguments == ["--write-dependencies"]:
        write_dependencies()
        return 0
    paths = tracked()
    if arguments == ["--undocumented"]:
        for file, made in swift_rules.undocumented(swift_files(paths, "Sources/"))[1]:
            print(f"{file.path}:{made.line}: {made.title}")
        return 0
    if arguments == ["--long"]:
        for path, text in measured(paths):
            for number, line in enumerate(text.split("\n"), 1):
                if len(line) > rules.LINE_LENGTH_MAX:
                    print(f"{path}:{number}: {len(line)}")
        return 0
    if arguments == ["--canonical"]:
        for file in guarded(paths):
            for number, line in enumerate(file.lines, 1):
                if swift_rules.canonical_count(line):
                    print(f"{file.path}:{number}: {line.strip()}")
        return 0
    if arguments[:1] == ["--wrap"]:
        for path, text in measured(paths):
            better = wrapping.wrapped(text)
            if path.startswith(tuple(arguments[1:]) or "") and better != text:
                (rules.ROOT / path).write_text(better)
        return 0
    found = list(findings(paths))
    exemptions = Exemptions(EXEMPTIONS.read_text())
    if arguments == ["--shrink"]:
        EXEMPTIONS.write_text(exemptions.shrunk(found))
        return 0
    if arguments:
        print(__doc__, file=sys.stderr)
        return 2
    left = exemptions.apply(found)
    for finding in left:
        print(finding)
    if left:
        print(f"tidy: {len(left)} findings")
    return 1 if left else 0


sys.exit(main(sys.argv[1:]))
