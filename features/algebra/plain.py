"""Features called with plain values, in a notebook or a test: a number, a text, or a list of them."""

from __future__ import annotations

import functools
import inspect
import math
import typing
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import Any, Literal

import numpy as np

from features.algebra.lines import Groups, NumberLines, TextLines
from features.algebra.numbers import Moments, Numbers
from features.algebra.text import Text
from features.moments import micros

Kind = Literal["number", "text", "moment", "number of lines", "text of lines", "numbers"]
COLUMNS = (np.ndarray, Text, NumberLines, TextLines)
KINDS: dict[Any, Kind] = {
    Numbers: "number",
    Text: "text",
    Moments: "moment",
    NumberLines: "number of lines",
    TextLines: "text of lines",
    Sequence[Numbers]: "numbers",
}


def kinds_of(function: Callable[..., Any]) -> tuple[Kind, ...]:
    """Return what each argument of a feature is, by its annotation; raises TypeError where one has none of KINDS."""
    hints = typing.get_type_hints(function)
    arguments = inspect.signature(function).parameters
    foreign = [name for name in arguments if hints.get(name) not in KINDS]
    if foreign:
        raise TypeError(f"feature {function.__name__}: annotate {foreign[0]} as Numbers, Text, Moments or …Lines")
    return tuple(KINDS[hints[name]] for name in arguments)


def with_plain_values(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a feature that can be called with columns or with plain values.

    >>> @with_plain_values
    ... def value_per_kg(value_eur: Numbers, gross_mass_kg: Numbers) -> Numbers:
    ...     return value_eur / gross_mass_kg
    >>> value_per_kg(12.0, 0.5), value_per_kg([12.0, None], [0.5, 2.0])
    (24.0, [24.0, None])
    """

    @functools.wraps(function)
    def called(*values: Any, **named: Any) -> Any:
        arguments = inspect.signature(function).bind(*values, **named).arguments.values()
        if all(map(_is_column, arguments)):
            return function(*arguments)
        return computed(function, kinds_of(function), list(arguments))

    return called


def computed(function: Callable[..., Any], kinds: Sequence[Kind], values: Sequence[Any]) -> Any:
    """Return what a function of columns makes of plain values: one value for single ones, else a list; None is unknown.

    A list stands for several consignments; where the argument is of goods lines, for the lines of one, and lists in a
    list for those of several.
    """
    many = [_is_many(value, kind) for value, kind in zip(values, kinds, strict=True)]
    rows = next((_rows(value, kind) for value, kind, each in zip(values, kinds, many, strict=True) if each), 1)
    columns = [_column(_by_row(value, kind, rows), kind) for value, kind in zip(values, kinds, strict=True)]
    with np.errstate(all="ignore"):
        result = function(*columns)
    plain = result.rows() if isinstance(result, Text) else [_plain(value) for value in result.tolist()]
    return plain if any(many) else plain[0]


def _is_column(value: Any) -> bool:
    if isinstance(value, tuple | list):
        return bool(value) and all(isinstance(one, np.ndarray) for one in value)
    return isinstance(value, COLUMNS)


def _is_list(value: Any) -> bool:
    return isinstance(value, Iterable) and not isinstance(value, str)


def _is_many(value: Any, kind: Kind) -> bool:
    if kind in ("number", "text", "moment"):
        return _is_list(value)
    return any(_is_list(one) for one in value)


def _rows(value: Any, kind: Kind) -> int:
    return max(len(one) for one in value if _is_list(one)) if kind == "numbers" else len(value)


def _by_row(value: Any, kind: Kind, rows: int) -> Any:
    """Return a value for each row: those of a list, or a single one for all."""
    if kind == "numbers":
        return [_by_row(one, "number", rows) for one in value]
    return value if _is_many(value, kind) else [value] * rows


def _column(values: Any, kind: Kind) -> Any:
    if kind == "numbers":
        return [_column(one, "number") for one in values]
    if kind.endswith("of lines"):
        groups = Groups.of_sizes([len(of_one) for of_one in values])
        lines = [value for of_one in values for value in of_one]
        return TextLines(Text.of(lines), groups) if kind == "text of lines" else NumberLines(_numbers(lines), groups)
    if kind == "text":
        return Text.of(list(values))
    if kind == "moment":
        return np.array([micros(one) if isinstance(one, datetime) else one for one in values], np.int64)
    return _numbers(values)


def _numbers(values: Iterable[float | None]) -> Numbers:
    return np.array([math.nan if value is None else value for value in values], np.float64)


def _plain(value: Any) -> Any:
    return None if isinstance(value, float) and math.isnan(value) else value
