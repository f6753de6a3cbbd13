"""Whether a name bears the legal form of a firm, and by which words such names are known."""

from __future__ import annotations

import itertools
import re
from functools import lru_cache

from features.identifiers.letters import composed, latin_readings, spaced
from features.identifiers.names import LEADING, TRAILING, UNSPACED

HAN = re.compile(r"[\u4e00-\u9fff]+")
LONGEST = 4  # words of a form, as in "Sp. z o.o."
ANYWHERE = 3  # letters of a form that is one wherever it stands; shorter ones are at either end of a name
SHORTEST = 3  # letters of a word


@lru_cache(maxsize=200_000)
def bears_a_form(name: str) -> bool:
    """Return whether a name bears a legal form of any country, with or without its dots and spaces."""
    shown = composed(name)
    if not shown.isascii() and any(form in shown for form in UNSPACED):
        return True
    words = _words(shown)
    for length in range(1, min(LONGEST, len(words)) + 1):
        for at in range(len(words) - length + 1):
            form = "".join(words[at : at + length])
            at_an_end = at + length == len(words) or (at == 0 and form in LEADING)
            if form in TRAILING and (at_an_end or len(form) >= ANYWHERE):
                return True
    return False


@lru_cache(maxsize=200_000)
def words_of_trade(name: str) -> tuple[str, ...]:
    """Return the words of a name that are no form, each once: of letters, or two Chinese characters."""
    shown = composed(name)
    runs = HAN.findall("".join(_without_forms(shown)))
    pairs = [first + second for run in runs for first, second in itertools.pairwise(run)]
    words = [] if runs else [word for word in _words(shown) if len(word) >= SHORTEST and word.isalpha()]
    return tuple(sorted({*pairs, *(word for word in words if word not in TRAILING)}))


def _without_forms(name: str) -> str:
    for form in UNSPACED:
        name = name.replace(form, " ")
    return name


def _words(name: str) -> list[str]:
    return (spaced(latin_readings(name)[0]) or "").split()
