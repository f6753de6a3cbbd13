"""Indicator patterns of STIX: equalities, joined by AND and OR, become values; in time linear in the pattern."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^'\\]|\\.)*+')|(?P<sign>\[|\]|\(|\)|,|!=|<=|>=|=|<|>)|(?P<word>[^\s\[\]()=!<>,']++))",
    re.DOTALL,
)
LONGEST = 200_000  # characters of a pattern
DEEPEST = 50  # brackets within one another
JOINTS = (
    "AND",
    "OR",
    "FOLLOWEDBY",
    "NOT",
    "IN",
    "LIKE",
    "MATCHES",
    "ISSUBSET",
    "ISSUPERSET",
    "EXISTS",
    "WITHIN",
    "START",
    "STOP",
    "REPEATS",
)
UNREAD = "its pattern is no equality of something that is compared"
Value = tuple[str, str]  # property, text
Ways = list[list[Value]]  # alternatives; the values of one hold together


class NotSimple(ValueError):
    """A pattern that says more than equalities."""


@dataclass(frozen=True, slots=True)
class Paths:
    """Which object paths are values, and which only qualify others: `email-addr:value` → `email`."""

    values: Mapping[str, str]
    qualifying: frozenset[str]


def alternatives(pattern: str, paths: Paths) -> tuple[Ways, int]:
    """Return what a pattern lets a consignment be recognised by, and the number of alternatives that were left out.

    Values that AND joins are one alternative; OR and IN part them. An alternative with a condition that is not compared
    is left out whole, as without it it would hit strangers. Raises NotSimple where no pattern is read.
    """
    if len(pattern) > LONGEST:
        raise NotSimple(UNREAD)
    return _Parser(_tokens(pattern), paths).whole()


def _tokens(pattern: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while place < len(pattern):
        match = TOKEN.match(pattern, place)
        if match is None:
            if pattern[place:].strip():
                raise NotSimple(UNREAD)
            break
        kind = str(match.lastgroup)
        tokens.append((kind, match[kind]))
        place = match.end()
    return tokens


MOST_WAYS = 10_000
Parsed = list["list[Value] | None"]  # alternatives; None for one that cannot be compared


class _Parser:
    """OR of ANDs of equalities, in observations and between them; brackets of both kinds group."""

    def __init__(self, tokens: list[tuple[str, str]], paths: Paths) -> None:
        self._tokens, self._paths, self._place, self._depth = tokens, paths, 0, 0

    def whole(self) -> tuple[Ways, int]:
        ways = self._either()
        if self._place < len(self._tokens):
            raise NotSimple(UNREAD)
        read = [way for way in ways if way]
        return read, len(ways) - len(read)

    def _either(self) -> Parsed:
        ways = self._both()
        while self._is_word("OR"):
            ways += self._both()
        return ways

    def _both(self) -> Parsed:
        ways = self._one()
        while self._is_word("AND"):
            more = self._one()
            if len(ways) * len(more) > MOST_WAYS:
                raise NotSimple(UNREAD)
            ways = [None if one is None or other is None else one + other for one in ways for other in more]
            if sum(len(way or ()) for way in ways) > 100 * MOST_WAYS:
                raise NotSimple(UNREAD)
        return ways

    def _one(self) -> Parsed:
        kind, text = self._next()
        if text in ("[", "(") and kind == "sign":
            self._depth += 1
            if self._depth > DEEPEST:
                raise NotSimple(UNREAD)
            ways = self._either()
            self._expect("]" if text == "[" else ")")
            self._depth -= 1
            return ways
        if kind != "word" or text.upper() in JOINTS:
            raise NotSimple(UNREAD)
        while text.endswith(".") and self._peek()[0] == "text":  # a quoted key, as in file:hashes.'SHA-256'
            text += self._next()[1]
        return self._comparison(text)

    def _comparison(self, path: str) -> Parsed:
        negated = self._is_word("NOT")
        _, operator = self._next()
        texts = self._set() if operator.upper() == "IN" else [self._literal()]
        equal = (operator == "=" or operator.upper() == "IN") and not negated
        if equal and path in self._paths.qualifying:
            return [[]]
        prop = self._paths.values.get(path)
        if not equal or prop is None:
            return [None]
        return [None if text is None else [(prop, text)] for text in texts]

    def _set(self) -> list[str | None]:
        self._expect("(")
        texts = [self._literal()]
        while self._peek() == ("sign", ","):
            self._next()
            texts.append(self._literal())
        self._expect(")")
        return texts

    def _literal(self) -> str | None:
        """Return the text of a literal; None for a number, a truth value or a moment."""
        kind, text = self._next()
        if kind == "sign":
            raise NotSimple(UNREAD)
        if kind == "word":
            if self._peek()[0] == "text":  # t'2026-01-01T00:00:00Z'
                self._next()
            return None
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else ("end", "")

    def _next(self) -> tuple[str, str]:
        token = self._peek()
        self._place += 1
        return token

    def _is_word(self, word: str) -> bool:
        kind, text = self._peek()
        if kind == "word" and text.upper() == word:
            self._place += 1
            return True
        return False

    def _expect(self, sign: str) -> None:
        if self._next() != ("sign", sign):
            raise NotSimple(UNREAD)
