"""Patterns and lower case that mean the same on every Python, from tables that ship with the project.

Python's own classes of characters grow with each version of Python, and so would what a feature counts.
"""

from __future__ import annotations

import hashlib
import json
import re
from bisect import bisect_right
from functools import lru_cache
from pathlib import Path
from typing import Any

ASCII, BASIC, ALL = 0x7F, 0xFFFF, 0x10FFFF  # the highest characters that three forms of a pattern know
NEVER = "\U0010ffff"  # no character: stands where a class has none up to the highest
TOKEN = re.compile(r"\\p\{(?P<named>\w+)\}|\\(?P<letter>[A-Za-z])|\\.|\[\^?|\]|[^\\\[\]]+", re.DOTALL)
SIGMA, FINAL = "Σ", "ς"
REPLACEMENT = 0xFFFD


class UnknownClass(ValueError):
    """A class of characters that the tables do not hold."""


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    tables: dict[str, Any] = json.loads(Path(__file__).with_name("characters.json").read_text(encoding="ascii"))
    return tables


@lru_cache(maxsize=1)
def meaning_of_characters() -> str:
    """Return a hash of the tables: what patterns find and lower case makes rests on it."""
    tables = {name: table for name, table in _tables().items() if name != "source"}
    return hashlib.sha256(json.dumps(tables, sort_keys=True).encode()).hexdigest()


@lru_cache(maxsize=64)
def ranges_of(name: str) -> tuple[tuple[int, int], ...]:
    """Return the code points of a class, first and last of each range; raises UnknownClass."""
    classes = _tables()["classes"]
    if name not in classes:
        raise UnknownClass(f"\\p{{{name}}} is not in characters.json, which holds {', '.join(classes)}")
    ranges = (one.split("-") for one in classes[name].split(" "))
    return tuple((int(first, 16), int(last, 16)) for first, last in ranges)


@lru_cache(maxsize=256)
def _members(name: str, highest: int) -> str:
    """Return the characters of a class up to the highest, as they stand between brackets."""
    within = [(first, min(last, highest)) for first, last in ranges_of(name) if first <= highest]
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in within) or NEVER


class Pattern:
    """A pattern over texts, in which `\\p{L}`, `\\p{Han}`, `\\d`, `\\s`, `\\w` and `\\b` are what Unicode calls so.

    It is written as for polars and finds what polars finds. Repetitions inside repetitions, such as `(a+)+`, take
    exponential time on texts that strangers write: avoid them.

    >>> Pattern(r"[\\p{L}\\p{N}]+").count("étui cuir n° 2")
    4
    >>> Pattern(r"\\p{L}+").all("Sunrise 99 Trading")
    ['Sunrise', 'Trading']
    >>> Pattern(r"\\D+").less("4202.31")
    '420231'
    """

    __slots__ = ("_ascii", "_wider", "source")

    def __init__(self, source: str) -> None:
        """Raises UnknownClass or `re.error` where the source is no pattern."""
        self.source = source
        self._ascii = _compiled(source, ASCII)
        self._wider: dict[int, re.Pattern[str]] = {}  # forms of more characters, searched more slowly: when needed

    def __repr__(self) -> str:
        return f"Pattern({self.source!r})"

    def count(self, text: str) -> int:
        """Return how often it occurs in a text."""
        return len(self._for(text).findall(text))

    def all(self, text: str) -> list[str]:
        """Return every part of a text that it stands for, from left to right."""
        return [found[0] for found in self._for(text).finditer(text)]

    def less(self, text: str) -> str:
        """Return a text without the parts that it stands for."""
        return self._for(text).sub("", text)

    def replaced(self, text: str, by: str) -> str:
        """Return a text with the same words in place of every part that it stands for."""
        return self._for(text).sub(by.replace("\\", r"\\"), text)

    def _for(self, text: str) -> re.Pattern[str]:
        if text.isascii():
            return self._ascii
        highest = BASIC if max(text) <= chr(BASIC) else ALL
        if highest not in self._wider:
            self._wider[highest] = _compiled(self.source, highest)
        return self._wider[highest]


def _compiled(source: str, highest: int) -> re.Pattern[str]:
    return re.compile(_written_out(source, highest), re.ASCII if highest == ASCII else re.NOFLAG)


def _written_out(source: str, highest: int) -> str:
    """Return a pattern for `re` with each class written out up to the highest character."""
    written, inside = [], False
    for token in TOKEN.finditer(source):
        text, name = token.group(), token["named"] or token["letter"]
        if text.startswith("["):
            inside = True
        elif text == "]":
            inside = False
        elif highest == ASCII and name in ("b", "d", "s", "w", "D", "S", "W"):
            pass  # there `re` means the same
        elif name == "b" and not inside:
            word = f"[{_members('w', highest)}]"
            text = f"(?:(?<={word})(?!{word})|(?<!{word})(?={word}))"
        elif name in ("D", "S", "W") and not inside:
            text = f"[^{_members(name.lower(), highest)}]"
        elif token["named"] or name in ("d", "s", "w"):
            text = _members(name, highest) if inside else f"[{_members(name, highest)}]"
        elif name and name not in "nrtfvxuU":
            raise UnknownClass(f"\\{name} in {source!r}: write \\p{{…}}, \\d, \\s, \\w, \\D, \\S, \\W or \\b")
        written.append(text)
    return "".join(written)


class Agreed(dict[int, int | str | None]):
    """A table for `str.translate` that replaces characters which not every supported Python knows by the sign U+FFFD.

    What Python makes of a letter - its lower case, its plain form, whether it is one - never changes once it is known.
    """

    def __missing__(self, code: int) -> int | str | None:
        """Return what stands for a character that the table does not name, and remember it."""
        at = bisect_right(_starts_of_agreed(), code) - 1
        self[code] = code if code <= ranges_of("agreed")[at][1] else REPLACEMENT
        return self[code]


@lru_cache(maxsize=1)
def _starts_of_agreed() -> tuple[int, ...]:
    return tuple(first for first, _ in ranges_of("agreed"))


AGREED = Agreed()


def agreed(text: str) -> str:
    """Return a text with U+FFFD for characters that not every supported Python knows.

    >>> agreed("naïve \U0001e030")
    'naïve \ufffd'
    """
    return text if text.isascii() else text.translate(AGREED)


def lower(text: str) -> str:
    """Return a text in lower case; a capital sigma that ends its word is a final one.

    >>> lower("ΟΔΟΣ Éclair")
    'οδος éclair'
    """
    if text.isascii():
        return text.lower()
    lowered = text.translate(_lower_case())
    if SIGMA not in text:
        return lowered
    return "".join(
        FINAL if one == SIGMA and _ends_word(text, at) else one.translate(_lower_case()) for at, one in enumerate(text)
    )


def _ends_word(text: str, at: int) -> bool:
    before = next((one for one in reversed(text[:at]) if not _is("ignorable", one)), "")
    after = next((one for one in text[at + 1 :] if not _is("ignorable", one)), "")
    return before != "" and _is("cased", before) and not (after and _is("cased", after))


@lru_cache(maxsize=4096)
def _is(name: str, character: str) -> bool:
    return any(first <= ord(character) <= last for first, last in ranges_of(name))


@lru_cache(maxsize=1)
def _lower_case() -> dict[int, str]:
    return {ord(one): small for one, small in _tables()["lower"].items()}


@lru_cache(maxsize=1)
def _plain_digits() -> dict[int, str]:
    return {ord(one): plain for one, plain in _tables()["plain digits"].items()}


def with_plain_digits(text: str) -> str:
    """Return a text with 0 to 9 for digits of full width, in circles, raised or otherwise written.

    >>> with_plain_digits("第１２号")
    '第12号'
    """
    return text if text.isascii() else text.translate(_plain_digits())
