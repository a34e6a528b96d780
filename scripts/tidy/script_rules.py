"""Rules about scripts: each is read by the shell that runs it, and by shellcheck."""

import ast
import shutil
import subprocess

import rules
from finding import Finding


def shell_of(text):
    """`bash`, `sh`, `python`, or an empty text, by the first line."""
    first = text.split("\n", 1)[0]
    if not first.startswith("#!"):
        return ""
    for name in ("bash", "python", "sh"):
        if name in first:
            return name
    return ""


def syntax(path, text):
    kind = shell_of(text) or ("python" if path.endswith(".py") else "")
    if kind in ("bash", "sh"):
        ran = subprocess.run([kind, "-n"], input=text, capture_output=True, text=True, check=False)
        if ran.returncode != 0:
            yield Finding("syntax", path, 0, path, 0, ran.stderr.strip().split("\n")[0])
    if kind == "python":
        try:
            ast.parse(text)
        except SyntaxError as error:
            yield Finding("syntax", path, error.lineno or 0, path, 0, error.msg)


def shellcheck(scripts, root=None):
    """`scripts`: paths of shell scripts. Without the program every script is a finding, so that the check is
    never left out."""
    if not scripts:
        return
    program = shutil.which("shellcheck")
    if program is None:
        yield Finding("shellcheck", "scripts", 0, "shellcheck", 0, "is not installed: run scripts/setup")
        return
    ran = subprocess.run(
        [program, "--format=gcc", "--external-sources", *scripts],
        capture_output=True, text=True, check=False, cwd=root or rules.ROOT)
    for line in ran.stdout.splitlines():
        path, number, _, text = line.split(":", 3)
        yield Finding("shellcheck", path, int(number), path, 0, text.strip())
    if ran.returncode > 1:
        yield Finding("shellcheck", "scripts", 0, "shellcheck", 0, ran.stderr.strip())


def mutants(patches, root=None):
    """Bugs that scripts/mutants plants: each still fits the code."""
    for path in patches:
        ran = subprocess.run(
            ["patch", "--dry-run", "--force", "--silent", "-p1", "-i", path],
            capture_output=True, text=True, check=False, cwd=root or rules.ROOT)
        if ran.returncode != 0:
            yield Finding("mutant", path, 0, path.rsplit("/", 1)[-1], 0, "does not apply")


def long_lines(files):
    """`files`: pairs of path and text. Lines that are too long are counted by top folder: an exemption's
    number says how many there may be, so that it shrinks with every line that is mended."""
    counts, first = {}, {}
    for path, text in files:
        group = path.split("/")[0]
        for number, line in enumerate(text.split("\n"), 1):
            if len(line) > rules.LINE_LENGTH_MAX:
                counts[group] = counts.get(group, 0) + 1
                first.setdefault(group, (path, number))
    for group, count in counts.items():
        path, number = first[group]
        yield Finding(
            "line-length", path, number, group, count,
            f"lines longer than {rules.LINE_LENGTH_MAX}, this is the first (scripts/tidy --long lists them)")
