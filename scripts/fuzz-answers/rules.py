"""The rules of comparison, and what is done wrong with them on purpose."""

import functools
import re
import unicodedata

import texts


@functools.lru_cache(maxsize=50_000)
def normalized(text):
    return unicodedata.normalize("NFC", text)


class Rules:
    """How values are compared. What `plants` name is done wrong, so that it can be seen whether a wrong
    answer would be found: `--plant`.
    """

    PLANTS = {
        "casefold": "any case by full case folding: ß is ss, K is k",
        "canonical": "texts equal if canonically equivalent",
        "float": "numbers compared as doubles",
        "ne-null": "ne matches what is missing",
        "kinds": "a text is compared with a number by its spelling",
        "ties": "records of one time in the order of writing, whatever the order asked for",
        "end": "the end is included",
        "deleted": "deletions leave the first record",
        "null-group": "null and the empty text are one group",
        "spelling": "groups by numbers as they were written",
        "sum": "sums added up one by one",
        "cursor": "pages repeat the last record of the page before",
        "ascii": "any case is that of ASCII",
        "sunday": "weeks begin on Sundays",
        "zone": "days and hours of dashboards are those of UTC",
        "nanoseconds": "bounds of lists are exact to the nanosecond",
        "tail": "streams begin with the last records by their time",
        "parentheses": "expressions as text are written without them",
        "words": "every byte from 0x80 on is part of a word",
    }

    def __init__(self, plants=()):
        self.plants = set(plants)

    def fold(self, text):
        if "casefold" in self.plants:
            return text.casefold()
        if "ascii" in self.plants:
            return re.sub("[A-Z]", lambda found: found[0].lower(), text)
        return texts.fold(text)

    def plain(self, text):
        if "canonical" in self.plants:
            return normalized(text)
        return text

    def number(self, value):
        return float(value) if "float" in self.plants else value

    def has_word(self, text, word):
        if "words" in self.plants:
            return (
                re.search(
                    r"(?<![\w\x80-\U0010ffff])" + re.escape(texts.fold(word)) + r"(?![\w\x80-\U0010ffff])",
                    texts.fold(text),
                    re.ASCII,
                )
                is not None
            )
        return texts.has_word(text, word)
