"""Columns of features from columns of declarations and readings: the one way, for one row and for a million."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import polars as pl

from features.algebra import NumberLines, Text, TextLines
from features.algebra.frames import Column, Columns, columns_of, series_of
from features.algebra.lines import Groups
from features.definition import Definition, Level, in_order

ROWS_AT_ONCE = 10_000  # of a table: what is computed of them stays in the processor's cache


def compute(columns: Columns, names: Sequence[str], level: Level, rows: int) -> dict[str, Column]:
    """Return `columns`, each of that many rows, with those of one level that `names` need; raises LookupError."""
    known = dict(columns)
    with np.errstate(all="ignore"):  # what comes out as no number is unknown
        for definition in in_order(tuple(names), level):
            known[definition.name] = definition.column(_inputs_of(definition, known), rows)
    return known


def compute_over(lines: Columns, groups: Groups, names: Sequence[str]) -> dict[str, Column]:
    """Return what the goods lines of each consignment come to: the columns over lines that `names` need."""
    definitions = in_order(tuple(names), "over_lines")
    used = dict.fromkeys([name for d in definitions for name in d.inputs if name in lines])
    of_lines = {name: _of_lines(lines[name], groups) for name in used}
    return {d.name: d.column(_inputs_of(d, of_lines), groups.consignments) for d in definitions}


def _inputs_of(definition: Definition, columns: Mapping[str, Any]) -> list[Any]:
    try:
        return [columns[name] for name in definition.inputs]
    except KeyError as lacking:
        name = lacking.args[0]
        raise LookupError(f"feature {definition.name} needs {name}: no column, no reading and no feature") from None


def with_features(frame: pl.DataFrame, names: Sequence[str], level: Level) -> pl.DataFrame:
    """Return a table with the columns of one level that `names` need, computed some thousand rows at once."""
    parts = [_with_features(part, tuple(names), level) for part in frame.iter_slices(ROWS_AT_ONCE)]
    return pl.concat(parts) if parts else _with_features(frame, tuple(names), level)


def _with_features(frame: pl.DataFrame, names: tuple[str, ...], level: Level) -> pl.DataFrame:
    definitions = in_order(names, level)
    declared = {name for definition in definitions for name in definition.inputs}
    columns = compute(columns_of(frame, sorted(declared)), names, level, frame.height)
    return frame.with_columns(series_of(columns[d.name], d.name) for d in definitions)


def _of_lines(column: Column, groups: Groups) -> NumberLines | TextLines:
    if isinstance(column, Text):
        return TextLines(column, groups)
    return NumberLines(column.astype(np.float64, copy=False), groups)
