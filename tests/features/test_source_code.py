"""What a function rests on: constants, patterns, tables, lambdas and what encloses it show, words and layout do not."""

from __future__ import annotations

import math
import re
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import pytest

from features.algebra import Pattern
from features.source_code import source_of


@dataclass(frozen=True)
class Limit:
    """A constant of several parts."""

    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Compare by another constant."""
        return self.low - SLACK <= value <= self.high


def counted(pattern: Pattern) -> Callable[[str], int]:
    def count(text: str) -> int:
        return pattern.count(text)

    return count


@lru_cache
def remembered(text: str) -> str:
    return text.strip(SIGNS)


NUMBER, SLACK, SIGNS = 3.0, 0.5, ".;"
COMPILED = re.compile("a+")
FOUND = Pattern("a+")
TABLE: dict[str, Any] = {"a": 1, "b": (2, 3)}
ALLOWED = frozenset({"x", "y"})
FIRST: Callable[[str], str] = lambda text: text[:2]  # noqa: E731 - that is the point
LIMIT = Limit(1.0, 2.0)
COUNT = counted(Pattern("x"))
ROUNDED = partial(round, ndigits=2)
NESTED = {"key": [Pattern("n"), {"deep": 1}]}


def rests_on_number(text: str) -> Any:
    return NUMBER


def rests_on_compiled(text: str) -> Any:
    return COMPILED.findall(text)


def rests_on_found(text: str) -> Any:
    return FOUND.count(text)


def rests_on_table(text: str) -> Any:
    return TABLE[text]


def rests_on_allowed(text: str) -> Any:
    return text in ALLOWED


def rests_on_first(text: str) -> Any:
    return FIRST(text)


def rests_on_limit(text: str) -> Any:
    return LIMIT.holds(len(text))


def rests_on_count(text: str) -> Any:
    return COUNT(text)


def rests_on_remembered(text: str) -> Any:
    return remembered(text)


def rests_on_rounded(text: str) -> Any:
    return ROUNDED(len(text) / 3)


def rests_within_a_lambda(text: str) -> Any:
    return sorted(text, key=lambda letter: len(letter) * NUMBER)


def rests_within_a_comprehension(text: str) -> Any:
    return [letter for letter in text if letter in ALLOWED]


def rests_on_nested(text: str) -> Any:
    return NESTED[text]


CHANGES: tuple[tuple[Callable[..., Any], str, Any], ...] = (
    (rests_on_number, "NUMBER", 4.0),
    (rests_on_number, "NUMBER", 3),
    (rests_on_compiled, "COMPILED", re.compile("b+")),
    (rests_on_compiled, "COMPILED", re.compile("a+", re.IGNORECASE)),
    (rests_on_found, "FOUND", Pattern("b+")),
    (rests_on_table, "TABLE", {"a": 1, "b": (2, 4)}),
    (rests_on_table, "TABLE", {"a": 1, "c": (2, 3)}),
    (rests_on_allowed, "ALLOWED", frozenset({"x", "z"})),
    (rests_on_allowed, "ALLOWED", {"x"}),
    (rests_on_first, "FIRST", lambda text: text[:3]),
    (rests_on_limit, "LIMIT", Limit(1.0, 3.0)),
    (rests_on_limit, "SLACK", 0.6),
    (rests_on_count, "COUNT", counted(Pattern("y"))),
    (rests_on_remembered, "SIGNS", "."),
    (rests_on_rounded, "ROUNDED", partial(round, ndigits=3)),
    (rests_within_a_lambda, "NUMBER", 4.0),
    (rests_within_a_comprehension, "ALLOWED", frozenset({"x", "z"})),
    (rests_on_nested, "NESTED", {"key": [Pattern("m"), {"deep": 1}]}),
    (rests_on_nested, "NESTED", {"key": [Pattern("n"), {"deep": 2}]}),
)


@pytest.mark.parametrize(("function", "name", "other"), CHANGES)
def test_a_change_of_what_it_rests_on_shows(
    function: Callable[..., Any], name: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = source_of(function)
    monkeypatch.setattr(sys.modules[__name__], name, other)
    assert source_of(function) != before


@pytest.mark.parametrize(
    ("function", "name", "other"),
    [
        (rests_on_table, "TABLE", {"b": (2, 3), "a": 1}),
        (rests_on_allowed, "ALLOWED", frozenset({"y", "x"})),
        (rests_on_found, "FOUND", Pattern("a+")),
        (rests_on_compiled, "COMPILED", re.compile("a+")),
        (rests_on_number, "SLACK", 7.0),
        (rests_on_first, "NUMBER", 7.0),
    ],
)
def test_what_it_does_not_rest_on_and_the_order_of_a_set_do_not_show(
    function: Callable[..., Any], name: str, other: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = source_of(function)
    monkeypatch.setattr(sys.modules[__name__], name, other)
    assert source_of(function) == before


def test_an_attribute_of_the_same_name_as_a_global_is_not_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def stripped(text: Any) -> Any:
        return text.counted(math.pi)

    before = source_of(stripped)
    monkeypatch.setattr(sys.modules[__name__], "counted", 7)
    assert source_of(stripped) == before


def test_a_default_shows() -> None:
    def made(limit: float) -> Callable[..., float]:
        def inner(value: float, bound: float = limit) -> float:
            return max(value, bound)

        return inner

    assert source_of(made(1.0)) != source_of(made(2.0))


@pytest.mark.parametrize("other", [object(), iter([1]), open, "x".join], ids=["object", "iterator", "open", "method"])
def test_what_cannot_be_told_from_another_is_refused(other: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[__name__], "NUMBER", other)
    if callable(other):
        assert source_of(rests_on_number)
    else:
        with pytest.raises(TypeError, match="NUMBER is a"):
            source_of(rests_on_number)


def test_words_layout_and_comments_do_not_show() -> None:
    def one(text: str) -> float:
        """Say one thing."""
        return len(text) * NUMBER

    first = source_of(one)

    def one(text: str) -> float:  # type: ignore[no-redef]
        """Say another."""
        return (
            len(text) * NUMBER  # in other lines
        )

    assert source_of(one) == first
