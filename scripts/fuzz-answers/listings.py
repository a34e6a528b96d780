"""What the lists of several APIs have in common: times to the microsecond, pages by number."""

import urllib.parse

import nasty
import questions
import values
from values import Num
from view import View

MICRO = 1_000


def encoded(parameters):
    return "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in parameters)


def micros_text(time, zone):
    """A time to the microsecond, cut off; without a fraction where there is none."""
    return values.time_text(time, 6 if time % values.SECOND // MICRO else 0)[:-1] + zone


def shown_time(choice, time):
    """A text or number that asks for a time, and the first and last time that are shown so."""
    first = time // MICRO * MICRO
    text = nasty.written_time(choice, time) if choice.random() < 0.4 else micros_text(time, "Z")
    if isinstance(text, Num):
        text = text.text
    return text, max(first, values.FIRST), min(first + MICRO - 1, values.LAST)


def bounds(choice, pools, parameters, question, names):
    """Perhaps adds a start and an end; a date alone is its first or its last moment."""
    for name, is_end in zip(names, (False, True)):
        if choice.random() > 0.2:
            continue
        time = pools.time()
        text, first, last = shown_time(choice, time)
        if choice.random() < 0.25:
            day = time // values.DAY
            text = values.civil(day).isoformat()
            if day * values.DAY < values.FIRST or (day + 1) * values.DAY > values.LAST:
                continue
            first, last = day * values.DAY, (day + 1) * values.DAY - 1
        parameters.append((name, text))
        if is_end:
            question["last"] = last
        else:
            question["first"] = first


class Listing(View):
    """What lists records newest first, a page at a time, with how many there are."""

    def page(self, choice, parameters, size_name):
        page, size = choice.choice([1, 1, 1, 2, 3, 40]), choice.choice([1, 7, 50, 100])
        parameters += [("page", str(page)), (size_name, str(size))]
        choice.shuffle(parameters)
        return page, size

    def text(self, choice):
        pools = self.pools.by(choice)
        given = questions.Questions(self.dataset, pools, choice).text()
        return given or "a"

    def rows_of(self, question, expected):
        first = (question["page"] - 1) * question["size"]
        return [self.entry(record) for record in expected[first : first + question["size"]]]
