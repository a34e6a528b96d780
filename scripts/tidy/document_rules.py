"""Rules about documents: what they point to is there."""

import re

import rules
from finding import Finding

_LINK = re.compile(r"(?<!!)\[(?:[^\]\[]|\[[^\]]*\])*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")
_PATH = re.compile(r"`((?:Sources|Tests|Docs|Fuzz|Benchmarks|scripts|\.ci|packaging)/[\w./+-]*[\w+-])`")
_FENCE = re.compile(r"^\s*(```+|~~~+)")


def without_code(text):
    """The lines of a document, those in code blocks empty; and those in code blocks with their numbers."""
    lines, code = [], []
    fence = None
    for number, line in enumerate(text.split("\n"), 1):
        found = _FENCE.match(line)
        if fence is None and found:
            fence = found.group(1)
            lines.append("")
        elif fence is not None:
            if found and found.group(1).startswith(fence):
                fence = None
            else:
                code.append((number, line))
            lines.append("")
        else:
            lines.append(line)
    return lines, code


def anchors(text):
    """What `#…` may name in a document: its headings, as GitHub spells them, and named places."""
    found = set()
    lines, _ = without_code(text)
    for line in lines:
        heading = re.match(r"#{1,6}\s+(.*?)\s*#*$", line)
        if heading:
            title = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.group(1)).lower()
            slug = re.sub(r"[^\w\- ]", "", title).replace(" ", "-")
            name, count = slug, 0
            while name in found:
                count += 1
                name = f"{slug}-{count}"
            found.add(name)
        found.update(re.findall(r"<a (?:id|name)=\"([^\"]+)\"", line))
    return found


def links(path, text, root=None):
    root = root or rules.ROOT
    folder = (root / path).parent
    lines, _ = without_code(text)
    for number, line in enumerate(lines, 1):
        prose = re.sub(r"`[^`]*`", "", line)
        for target in _LINK.findall(prose):
            if re.match(r"[a-z]+:", target):
                continue
            name, _, anchor = target.partition("#")
            file = (folder / name) if name else (root / path)
            if not file.exists():
                yield Finding("link", path, number, target, 0, "is not there")
            elif anchor and file.suffix == ".md":
                if anchor not in anchors(file.read_text() if name else text):
                    yield Finding("link", path, number, target, 0, "has no such heading")
        for target in _PATH.findall(line):
            if "*" not in target and not (root / target).exists() and not list(root.glob(target + ".*")):
                yield Finding("path", path, number, target, 0, "is not there")


def code_width(path, text):
    """Code is shown as it is, so it has the length of code; JSON and tables of bytes cannot be wrapped."""
    _, code = without_code(text)
    for number, line in code:
        if len(line) > rules.LINE_LENGTH_MAX and not line.lstrip().startswith(("{", "[", '"', "|")):
            yield Finding("code-width", path, number, path, len(line), f"longer than {rules.LINE_LENGTH_MAX}")


def notice(names, text):
    """Every dependency stands in NOTICE."""
    for name in names:
        if not re.search(rf"^\s*{re.escape(name)}\b", text, re.MULTILINE | re.IGNORECASE):
            yield Finding("notice", "NOTICE", 0, name, 0, "is a dependency and is not named")
