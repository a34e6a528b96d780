"""Comments that are too long, wrapped at words. Code is left to people and to `swift format`."""

import re

import rules

_COMMENT = re.compile(r"^(\s*(?:///|//|#)) (.*)$")
_OWN_LINE = re.compile(r"^(\s|[-*|>`#]|\d+\.\s|usage:|shellcheck|swift-format)")


def wrapped(text, limit=rules.LINE_LENGTH_MAX):
    """The text with each comment line of more than `limit` characters ended at a word; what is left over goes
    to the next line of the same paragraph, or to one of its own."""
    lines = text.split("\n")
    out = []
    in_fence = False
    index = 0
    while index < len(lines):
        line = lines[index]
        index += 1
        found = _COMMENT.match(line)
        if found and found.group(2).startswith("```"):
            in_fence = not in_fence
        if not found or in_fence or len(line) <= limit or _is_fixed(found.group(2)):
            out.append(line)
            continue
        prefix = found.group(1)
        cut = line.rfind(" ", 0, limit + 1)
        if cut <= len(prefix) + 1:
            out.append(line)
            continue
        out.append(line[:cut].rstrip())
        rest = line[cut:].strip()
        indent = _hanging(found.group(2))
        following = _COMMENT.match(lines[index]) if index < len(lines) else None
        if following and following.group(1) == prefix and _continues(following.group(2), indent):
            lines[index] = f"{prefix} {indent}{rest} {following.group(2).strip()}"
        else:
            lines.insert(index, f"{prefix} {indent}{rest}")
    return "\n".join(out)


def _is_fixed(words):
    return words.startswith(("|", "!", "shellcheck"))


def _hanging(words):
    """How far the second line of this one is indented: as a list's entry, or as the line itself."""
    mark = re.match(r"(\s*)([-*] |\d+\. )?", words)
    return mark.group(1) + " " * len(mark.group(2) or "")


def _continues(words, indent):
    if not words.strip() or not words.startswith(indent):
        return False
    return not _OWN_LINE.match(words[len(indent):])
