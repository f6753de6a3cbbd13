"""Feature definitions: a function whose name is the column and whose arguments are its inputs.

    @of_consignment
    def value_per_kg(value_eur: Numbers, gross_mass_kg: Numbers) -> Numbers:
        \"\"\"Declared value in euro for each kilogram of gross mass.\"\"\"
        return value_eur / gross_mass_kg

The docstring is the analyst's description. `of_line` computes on goods lines, `over_lines` sums up the lines of a
consignment, `of_consignment` computes on the values of the consignment. What is written in `features.algebra` works on
whole columns; the same function can be called with plain values: `value_per_kg(12.0, 0.5)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal, TypeVar

import numpy as np

from features.algebra import Text
from features.algebra.frames import Column
from features.algebra.plain import computed, kinds_of, with_plain_values
from features.source_code import source_of

Level = Literal["of_line", "over_lines", "of_consignment"]
Build = Callable[..., Any]
FLOAT = np.dtype(np.float64)


@dataclass(frozen=True, slots=True)
class Definition:
    """One computed column: its name, level, meaning, inputs and function.

    build: computes the column of its inputs in order. written: the function in the source that `build` is made of.
    keys: how many inputs each argument of that stands for.
    """

    name: str
    level: Level
    meaning: str
    inputs: tuple[str, ...]
    build: Build
    written: Build
    keys: int = 1

    def of(self, *values: Any) -> Any:
        """Compute it of plain values, in the order of its inputs: a number, a text, or lists of them."""
        kinds = ["number" for _ in self.inputs] if self.keys > 1 else kinds_of(self.written)
        return computed(self.build, kinds, values)  # type: ignore[arg-type]  # a list of one kind

    def column(self, inputs: Sequence[Any], rows: int) -> Column:
        """Compute the column; raises TypeError where its function returns none of that many rows."""
        column = self.build(*inputs)
        if type(column) is np.ndarray and column.dtype is FLOAT and len(column) == rows:
            return column
        if isinstance(column, np.ndarray) and column.dtype.kind in "biuf" and len(column) == rows:
            return column.astype(np.float64)
        if isinstance(column, Text) and len(column) == rows:
            return column
        raise TypeError(f"feature {self.name}: returned {type(column).__name__}, not a column of {rows:,} rows")

    def source(self) -> list[tuple[str, str]]:
        """Return the plain code of the definition and of every constant and function that it names.

        The fingerprint of a catalogue rests on it, so it holds no docstring, comment or layout.
        """
        return source_of(self.written)


DEFINITIONS: dict[str, Definition] = {}
_remembered: list[Callable[[], None]] = []
Remembering = TypeVar("Remembering", bound=Callable[..., Any])


def remembers(function: Remembering) -> Remembering:
    """Remember what a function makes of the definitions, until one is declared."""
    kept = lru_cache(maxsize=64)(function)
    _remembered.append(kept.cache_clear)
    return kept  # type: ignore[return-value]  # called as the function is


def forget_definitions() -> None:
    """Forget what was made of the definitions."""
    for forget in _remembered:
        forget()


def _declare(level: Level, build: Build) -> Build:
    inputs = tuple(inspect.signature(build).parameters)
    _keep(Definition(build.__name__, level, _meaning(build), inputs, build, build))
    return with_plain_values(build)


def _meaning(build: Build) -> str:
    meaning = " ".join((build.__doc__ or "").split())
    if not meaning:
        raise TypeError(f"feature {build.__name__} needs a docstring: it is what an analyst reads")
    return meaning


def _keep(definition: Definition) -> None:
    earlier = DEFINITIONS.get(definition.name)
    if earlier is not None and earlier.written.__module__ != definition.written.__module__:
        raise TypeError(f"feature {definition.name} is declared in {earlier.written.__module__} already")
    DEFINITIONS[definition.name] = definition
    forget_definitions()  # a notebook may declare a feature again


def of_line(build: Build) -> Build:
    """Declare a column of goods lines."""
    return _declare("of_line", build)


def over_lines(build: Build) -> Build:
    """Declare a column of consignments that sums up its goods lines."""
    return _declare("over_lines", build)


def of_consignment(build: Build) -> Build:
    """Declare a column of consignments."""
    return _declare("of_consignment", build)


def of_consignment_for_each(keys: Mapping[str, str], shared: Sequence[str] = ()) -> Callable[[Build], Build]:
    """Declare one column of consignments for each key, `<key>_<function>` over `<key>_<argument>`.

    keys: key → its words, which take the place of `{key}` in the docstring. shared: arguments that are the same
        column for every key.
    """

    def declare(build: Build) -> Build:
        arguments = tuple(inspect.signature(build).parameters)
        for key, words in keys.items():
            inputs = tuple(each if each in shared else f"{key}_{each}" for each in arguments)
            meaning = _meaning(build).replace("{key}", words)
            _keep(Definition(f"{key}_{build.__name__}", "of_consignment", meaning, inputs, build, build))
        return with_plain_values(build)

    return declare


def of_consignment_over_each(keys: Sequence[str]) -> Callable[[Build], Build]:
    """Declare a column of consignments whose every argument is a list: `<key>_<argument>` for each key in turn."""

    def declare(build: Build) -> Build:
        arguments = tuple(inspect.signature(build).parameters)
        inputs = tuple(f"{key}_{argument}" for argument in arguments for key in keys)

        def of_all(*columns: Any) -> Any:
            starts = range(0, len(columns), len(keys))
            return build(*(columns[start : start + len(keys)] for start in starts))

        _keep(Definition(build.__name__, "of_consignment", _meaning(build), inputs, of_all, build, len(keys)))
        return with_plain_values(build)

    return declare


def needed(names: Iterable[str]) -> dict[str, Definition]:
    """Return the named definitions and everything that they are computed from; other names are columns as received."""
    definitions: dict[str, Definition] = {}
    waiting = [name for name in names if name in DEFINITIONS]
    while waiting:
        definition = DEFINITIONS[waiting.pop()]
        if definition.name not in definitions:
            definitions[definition.name] = definition
            waiting.extend(name for name in definition.inputs if name in DEFINITIONS)
    return definitions


@remembers
def in_order(names: tuple[str, ...], level: Level) -> tuple[Definition, ...]:
    """Return the definitions of one level that `names` need, each after those that it uses."""
    waiting = {name: d for name, d in needed(names).items() if d.level == level}
    ordered: list[Definition] = []
    while waiting:
        ready = [d for d in waiting.values() if not any(name in waiting for name in d.inputs)]
        if not ready:
            raise TypeError(f"features in a circle: {', '.join(sorted(waiting))}")
        ordered += sorted(ready, key=lambda d: d.name)
        waiting = {name: d for name, d in waiting.items() if d not in ready}
    return tuple(ordered)
