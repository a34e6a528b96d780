"""Texts in any case, words, and regular expressions (Docs/decisions/0033-one-text.md)."""

import functools
import unicodedata


class _Folding(dict):
    """Unicode's simple case folding (CaseFolding.txt, C and S), but that letters of ASCII are the same as
    each other alone: by code point.
    """

    def __missing__(self, code):
        letter = chr(code)
        folded = letter.casefold()
        if len(folded) != 1:
            # Full folding has more; the simple one, if there is one, is the lower case.
            folded = letter.lower()
            if len(folded) != 1:
                folded = letter
        if code >= 0x80 and ord(folded) < 0x80:
            folded = letter
        self[code] = folded
        return folded


FOLDING = _Folding()


@functools.lru_cache(maxsize=50_000)
def fold(text):
    return text.translate(FOLDING)


@functools.lru_cache(maxsize=50_000)
def is_word_letter(letter):
    return letter == "_" or unicodedata.category(letter)[0] in "LNM"


def has_word(text, word):
    """Whether `word` stands between other characters than letters, digits, marks and `_`, in any case."""
    text, word = fold(text), fold(word)
    at = text.find(word)
    while at >= 0:
        end = at + len(word)
        if not (at and is_word_letter(text[at - 1])) and not (end < len(text) and is_word_letter(text[end])):
            return True
        at = text.find(word, at + 1)
    return False


# Regular expressions as trees, so that one is written for the server and, by its rules, for Python.

_SPECIAL = set("\\^$.|?*+()[]{}")
_SPACE = r"[\t\n\f\r ]"


class Pattern:
    """A tree: ("text", t), ("any",), ("class", letters, is_not), ("part", \\d \\w \\s \\b ^ $),
    ("all", parts), ("one", parts), ("times", part, least, most, is_lazy).
    """

    def __init__(self, tree):
        self.tree = tree

    @property
    def text(self):
        return _written(self.tree, lambda letter: "\\" + letter if letter in _SPECIAL else letter, {})

    def for_python(self, ignores_case):
        """What finds the same in a text, which is folded before if case is ignored, with flag ASCII."""

        def letter_of(letter):
            letter = FOLDING[ord(letter)] if ignores_case else letter
            return f"\\U{ord(letter):08x}" if ord(letter) >= 0x80 or not letter.isalnum() else letter

        return _written(self.tree, letter_of, {"\\s": _SPACE, "^": r"\A", "$": r"\Z"})


def _written(tree, letter_of, parts):
    kind = tree[0]
    if kind == "text":
        return "".join(map(letter_of, tree[1]))
    if kind == "any":
        return "."
    if kind == "class":
        # `-` and `^` are letters only where nothing else can be meant.
        letters = "".join(
            "\\" + letter if letter_of(letter) == letter and letter in "-^" else letter_of(letter)
            for letter in tree[1]
        )
        return f"[{'^' if tree[2] else ''}{letters}]"
    if kind == "part":
        return parts.get(tree[1], tree[1])
    if kind == "all":
        return "".join(_written(part, letter_of, parts) for part in tree[1])
    if kind == "one":
        return "(?:" + "|".join(_written(part, letter_of, parts) for part in tree[1]) + ")"
    _, part, least, most, is_lazy = tree
    bounds = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((least, most))
    bounds = bounds or "{%d%s}" % (least, "" if least == most else f",{most}")
    return f"(?:{_written(part, letter_of, parts)}){bounds}{'?' if is_lazy else ''}"
