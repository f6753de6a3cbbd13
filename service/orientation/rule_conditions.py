"""The conditions of analysts' rules, compiled once into functions over columns; false where a value is unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any, Literal

import numpy as np
import polars as pl

from features.algebra import Text
from features.finding_kinds import CODE
from features.moments import EPOCH
from service.orientation.columns import Bools, Known, Numbers
from service.scoring.by_kind import CHANCE

Kind = Literal["text", "number", "moment", "chance"]  # of a finding of a kind, which not every model states
Condition = Callable[[Known], Bools]
REMEMBERED = 2_000  # texts of which a pattern knows whether it occurs in them


class Misfit(TypeError):
    """A bound that does not fit the type of its column, or a pattern that is none."""


def compiled(column: str, kind: Kind, word: str, bound: Any) -> Condition:
    """Return a condition on a column as a function of what is known; raises Misfit."""
    if kind == "text":
        of_texts = TEXT_CONDITIONS[word](bound)
        return lambda known: of_texts(known.text(column))
    if word not in NUMBER_CONDITIONS:
        raise Misfit(word)
    if kind == "chance":
        of_chances = NUMBER_CONDITIONS[word](_bounds(bound, word, _number))
        return lambda known: of_chances(known.number_if_any(column))
    if kind == "number":
        of_numbers = NUMBER_CONDITIONS[word](_bounds(bound, word, _number))
        return lambda known: of_numbers(known.number(column))
    of_moments = NUMBER_CONDITIONS[word](_bounds(bound, word, _moment))
    return lambda known: of_moments(known.moments(column))


def is_chance(column: str) -> bool:
    """Say whether a name is that of the chance of a finding of a kind."""
    return column.startswith(CHANCE) and CODE.fullmatch(column.removeprefix(CHANCE)) is not None


class Pattern:
    """A regular expression in Rust's syntax and engine, whose time is linear in the length of a text.

    What it was asked of lately is remembered; several threads may ask at once.
    """

    def __init__(self, pattern: str) -> None:
        self._pattern, self._found = pattern, dict[str, bool]()
        try:
            self.found_in(Text.of(["a text to compile it for"]))
        except pl.exceptions.PolarsError as fault:
            raise Misfit(pattern) from fault

    def found_in(self, column: Text) -> Bools:
        """Return where the pattern occurs in a text; not in an unknown one."""
        found = self._found
        new = [word for word in column.words if word is not None and word not in found]
        if new:
            occurs = pl.Series(new, dtype=pl.String).str.contains(self._pattern)
            found.update(zip(new, occurs, strict=True))  # nothing leaves it while another thread looks
            if len(found) > REMEMBERED:
                self._found = {}
        return column.holds(found.__getitem__)


def _text(bound: Any) -> str:
    if not isinstance(bound, str):
        raise Misfit("a text is compared with texts")
    return bound


def _beginning(bound: Any) -> str:
    """Return what a text begins with or a pattern: a number means its digits."""
    if isinstance(bound, bool) or not isinstance(bound, str | int | float):
        raise Misfit("a text begins with a text")
    return str(bound)


def _beginnings(bound: Any) -> tuple[str, ...]:
    return tuple(map(_beginning, [bound] if isinstance(bound, str) else _several(bound)))


def _several(bound: Any) -> Iterable[Any]:
    if not isinstance(bound, str | list) or not bound:
        raise Misfit("several bounds are written as a list")
    return bound


def _number(bound: Any) -> float:
    if not isinstance(bound, int | float):
        raise Misfit("a number is compared with numbers")
    try:
        return float(bound)
    except OverflowError as fault:
        raise Misfit("a number beyond all others") from fault


def _moment(bound: Any) -> int:
    """Return a day or a moment with its zone in microseconds since 1970."""
    if isinstance(bound, date) and not isinstance(bound, datetime):
        bound = datetime(bound.year, bound.month, bound.day, tzinfo=UTC)
    if not isinstance(bound, datetime) or bound.tzinfo is None:
        raise Misfit("a moment is compared with days, and with moments that say their zone")
    return (bound - EPOCH) // (EPOCH.resolution)


def _bounds(bound: Any, word: str, convert: Callable[[Any], float | int]) -> Any:
    if word == "missing":
        return _wanted(bound)
    return [convert(each) for each in _several(bound)] if word == "in" else convert(bound)


def _wanted(bound: Any) -> bool | int | float:
    """Read whether a value is to be missing; some write it as a text, or as 1 and 0."""
    wanted = {"true": True, "false": False}.get(bound, bound) if isinstance(bound, str) else bound
    if not isinstance(wanted, int | float):
        raise Misfit("missing is true or false")
    return wanted


def _in_words(test: Callable[[str], bool]) -> Callable[[Text], Bools]:
    return lambda column: column.holds(test)


def _is(bound: Any) -> Callable[[Text], Bools]:
    wanted = _text(bound)
    return _in_words(lambda word: word == wanted)


def _is_not(bound: Any) -> Callable[[Text], Bools]:
    unwanted = _text(bound)
    return _in_words(lambda word: word != unwanted)


def _is_in(bound: Any) -> Callable[[Text], Bools]:
    return _in_words(frozenset(map(_text, _several(bound))).__contains__)


def _below(bound: Any) -> Callable[[Text], Bools]:
    return _in_words(_text(bound).__gt__)


def _above(bound: Any) -> Callable[[Text], Bools]:
    return _in_words(_text(bound).__lt__)


def _starts_with(bound: Any) -> Callable[[Text], Bools]:
    beginnings = _beginnings(bound)
    return _in_words(lambda word: word.startswith(beginnings))


def _matches(bound: Any) -> Callable[[Text], Bools]:
    pattern = Pattern(_beginning(bound))
    return pattern.found_in


def _missing(bound: Any) -> Callable[[Text], Bools]:
    wanted = _wanted(bound)
    return lambda column: ~column.known() == wanted


TEXT_CONDITIONS: Mapping[str, Callable[[Any], Callable[[Text], Bools]]] = {
    "is": _is,
    "is_not": _is_not,
    "in": _is_in,
    "below": _below,
    "above": _above,
    "starts_with": _starts_with,
    "matches": _matches,
    "missing": _missing,
}
NUMBER_CONDITIONS: Mapping[str, Callable[[Any], Callable[[Numbers], Bools]]] = {
    "is": lambda bound: lambda values: values == bound,
    "is_not": lambda bound: lambda values: (values != bound) & ~np.isnan(values),
    "in": lambda bounds: lambda values: np.any([values == bound for bound in bounds], axis=0),
    "below": lambda bound: lambda values: ~(values >= bound) & ~np.isnan(values),  # NaN as a bound is above all
    "above": lambda bound: lambda values: values > bound,
    "missing": lambda wanted: lambda values: np.isnan(values) == wanted,
}
CONDITIONS = tuple(TEXT_CONDITIONS)
