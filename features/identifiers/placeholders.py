"""Placeholders: what people write where they have nothing to write, and what nobody bears as an identifier."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import groupby

from features.identifiers.tables import of_kind, table
from features.identifiers.visible import visible

LONGEST = 500  # characters; a longer text identifies nobody
UP, DOWN = "01234567890123456789", "98765432109876543210"
FEWEST_RUNNING = 3  # digits
ZEROS_AND_ONE = 5  # characters, of which one is no zero: the first of a numbering that nobody has begun
LONGEST_PREFIX = 4  # letters before digits, as `GB` or `VAT`


def plain_words(text: str) -> str:
    """Return a text in lower case without accents, signs as single spaces. Idempotent but for rare ligatures."""
    shown = visible(text)
    if not shown.isascii():  # marks first: to put a long row of them in order takes the square of its length
        shown = "".join(letter for letter in shown if not unicodedata.combining(letter))
    decomposed = unicodedata.normalize("NFKD", shown).casefold()
    return " ".join("".join(_letters(decomposed)).split())


def _letters(text: str) -> Iterator[str]:
    for letter in text:
        if letter.isalnum():
            yield letter
        elif not unicodedata.combining(letter):
            yield " "


@lru_cache(maxsize=200_000)
def says_nothing(text: str) -> bool:
    """Say whether a text stands where an identifier should and identifies nobody.

    True for words such as `n/a`, `unknown`, `没有`, for signs alone, for one character repeated, running digits, and
    test values; also for what is too long to be an identifier.
    """
    if len(text) > LONGEST:
        return True
    words = plain_words(text)
    joined = words.replace(" ", "")
    return words in _alone() or joined in _joined() or is_patterned(joined) or _denied(words) or _is_test(joined)


def is_patterned(characters: str) -> bool:
    """Say whether letters and digits are none at all, one repeated, running digits, or a short block repeated."""
    if len(set(characters)) <= 1:
        return True
    digits = characters.lstrip("abcdefghijklmnopqrstuvwxyz")
    if prefix := len(characters) - len(digits):
        return prefix <= LONGEST_PREFIX and len(digits) >= ZEROS_AND_ONE and len(set(digits)) == 1
    return digits.isdecimal() and (_runs(digits) or _repeats(digits) or _is_first(digits))


def _runs(digits: str) -> bool:
    """Say whether digits run up from 0 or 1, or down from 9 or to 1."""
    up = digits[0] in "01" and UP.startswith(digits, int(digits[0]))
    down = (digits[0] == "9" or digits[-1] == "1") and digits in DOWN
    return len(digits) >= FEWEST_RUNNING and (up or down)


def _repeats(digits: str) -> bool:
    """Say whether a block of up to three digits is repeated at least thrice, one of four twice, or digits in step."""
    blocks = ((1, 3), (2, 3), (3, 3), (4, 2))
    if any(len(digits) >= size * times and digits[size:] == digits[:-size] for size, times in blocks):
        return True
    lengths = {len(list(run)) for _, run in groupby(digits)}
    return len(digits) >= 6 and len(lengths) == 1 and len(digits) // min(lengths) <= 3


def _is_first(digits: str) -> bool:
    return len(digits) >= ZEROS_AND_ONE and len(digits.replace("0", "")) <= 1


def _denied(words: str) -> bool:
    """Say whether a text is a denial with fillers of its language, as in `no phone number given`."""
    stated = set(words.split())
    return any(stated & denials and stated <= denials | fillers for denials, fillers in _denials())


def _is_test(joined: str) -> bool:
    stem = joined.rstrip("0123456789")
    number = joined[len(stem) :]
    return stem in _tests() and (len(number) <= 1 or is_patterned(number))


@cache
def _alone() -> frozenset[str]:
    return frozenset(map(plain_words, of_kind(table("placeholders"), "alone", "words")))


@cache
def _joined() -> frozenset[str]:
    """Return the wordings run together, and each denial run together with one filler, as in `notavailable`."""
    pairs = (f"{denial}{filler}" for denials, fillers in _denials() for denial in denials for filler in fillers)
    return frozenset((*(words.replace(" ", "") for words in _alone()), *(pair for pair in pairs if len(pair) > 5)))


@cache
def _tests() -> frozenset[str]:
    return frozenset(map(plain_words, of_kind(table("placeholders"), "test", "words")))


@cache
def _denials() -> tuple[tuple[frozenset[str], frozenset[str]], ...]:
    """Return denials and fillers by language."""
    rows = table("placeholders")
    languages = sorted({row["language"] for row in rows if row["kind"] == "denial"})
    of_language = ([row for row in rows if row["language"] == language] for language in languages)
    return tuple(
        (
            frozenset(map(plain_words, of_kind(of, "denial", "words"))),
            frozenset(map(plain_words, of_kind(of, "filler", "words"))),
        )
        for of in of_language
    )
