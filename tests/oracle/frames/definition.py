"""Feature definitions: a function whose name is the column and whose arguments are its inputs.

    @of_consignment
    def value_per_kg(value_eur: pl.Expr, gross_mass_kg: pl.Expr) -> pl.Expr:
        \"\"\"Declared value in euro for each kilogram of gross mass.\"\"\"
        return value_eur / gross_mass_kg

The docstring is the analyst's description. `of_line` computes on goods lines, `over_lines` aggregates the lines of a
consignment, `of_consignment` computes on the values of the consignment.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import polars as pl

Level = Literal["of_line", "over_lines", "of_consignment"]
Build = Callable[..., pl.Expr]


@dataclass(frozen=True, slots=True)
class Definition:
    """One computed column: its name, level, meaning, inputs and expression."""

    name: str
    level: Level
    meaning: str
    inputs: tuple[str, ...]
    build: Build
    written: Build  # the function in the source that `build` was derived from

    def expression(self) -> pl.Expr:
        """Return the column as an expression over its inputs."""
        return self.build(*(pl.col(name) for name in self.inputs)).alias(self.name)

    def source(self) -> dict[str, str]:
        """Return the plain code of the definition and of every constant and function of features that it names.

        The fingerprint of a catalogue rests on it, so it holds no docstring, comment or layout.
        """
        return source_of(self.written)


def source_of(function: Callable[..., Any]) -> dict[str, str]:
    """Return a function's code, and the values or code of the globals that it names, followed through functions."""
    sources: dict[str, str] = {}
    waiting: list[Callable[..., Any]] = [function]
    while waiting:
        named = waiting.pop()
        sources[named.__name__] = plain_code(inspect.getsource(named))
        for name, value in inspect.getclosurevars(named).globals.items():
            if inspect.isfunction(value) and value.__name__ not in sources and value.__module__.startswith("features"):
                waiting.append(value)
            elif isinstance(value, str | int | float | tuple):
                sources[name] = repr(value)
    return sources


def plain_code(source: str) -> str:
    """Return code without docstrings, comments and layout."""
    return ast.unparse(_without_docstrings(source))


def pieces_of_code(source: str) -> set[str]:
    """Return the statements of a module as plain code; of its imports only those under another name.

    The module that holds a function does not affect what it computes, nor does an import under its own name.
    """
    pieces = set()
    for node in _without_docstrings(source).body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            pieces |= {f"{alias.name} as {alias.asname}" for alias in node.names if alias.asname}
        else:
            pieces.add(ast.unparse(node))
    return pieces


def _without_docstrings(source: str) -> ast.Module:
    tree = ast.parse(textwrap.dedent(source))
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            node.body = node.body[1:] or [ast.Pass()]
    return tree


DEFINITIONS: dict[str, Definition] = {}


def _declare(level: Level, build: Build) -> Build:
    inputs = tuple(inspect.signature(build).parameters)
    _keep(Definition(build.__name__, level, _meaning(build), inputs, build, build))
    return build


def _meaning(build: Build) -> str:
    meaning = " ".join((build.__doc__ or "").split())
    if not meaning:
        raise TypeError(f"feature {build.__name__} needs a docstring: it is what an analyst reads")
    return meaning


def _keep(definition: Definition) -> None:
    earlier = DEFINITIONS.get(definition.name)
    if earlier is not None and earlier.written.__module__ != definition.written.__module__:
        raise TypeError(f"feature {definition.name} is declared in {earlier.written.__module__} already")
    steps.cache_clear()  # a notebook may redefine a feature
    DEFINITIONS[definition.name] = definition


def of_line(build: Build) -> Build:
    """Declare a column of goods lines."""
    return _declare("of_line", build)


def over_lines(build: Build) -> Build:
    """Declare a column of consignments that sums up its goods lines."""
    return _declare("over_lines", build)


def of_consignment(build: Build) -> Build:
    """Declare a column of consignments."""
    return _declare("of_consignment", build)


def of_consignment_for_each(keys: dict[str, str], shared: Sequence[str] = ()) -> Callable[[Build], Build]:
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
        return build

    return declare


def of_consignment_over_each(keys: Sequence[str]) -> Callable[[Build], Build]:
    """Declare a column of consignments whose every argument is a list: `<key>_<argument>` for each key in turn."""

    def declare(build: Build) -> Build:
        arguments = tuple(inspect.signature(build).parameters)
        inputs = tuple(f"{key}_{argument}" for argument in arguments for key in keys)

        def of_all(*columns: pl.Expr) -> pl.Expr:
            starts = range(0, len(columns), len(keys))
            return build(*(columns[start : start + len(keys)] for start in starts))

        _keep(Definition(build.__name__, "of_consignment", _meaning(build), inputs, of_all, build))
        return build

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


@lru_cache(maxsize=64)
def steps(names: tuple[str, ...], level: Level) -> tuple[tuple[pl.Expr, ...], ...]:
    """Return the definitions of one level that `names` need, in steps: each uses only columns of earlier steps."""
    waiting = {name: d for name, d in needed(names).items() if d.level == level}
    ordered: list[tuple[pl.Expr, ...]] = []
    while waiting:
        ready = [d for d in waiting.values() if not any(name in waiting for name in d.inputs)]
        if not ready:
            raise TypeError(f"features in a circle: {', '.join(sorted(waiting))}")
        ordered.append(tuple(d.expression() for d in sorted(ready, key=lambda d: d.name)))
        waiting = {name: d for name, d in waiting.items() if d not in ready}
    return tuple(ordered)


def compute(frame: pl.DataFrame, names: Sequence[str], level: Level) -> pl.DataFrame:
    """Add to `frame` the columns of one level that `names` need."""
    for step in steps(tuple(names), level):
        frame = frame.with_columns(step)
    return frame
