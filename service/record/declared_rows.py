"""Declared rows as text, as a CSV file would have them: so that a call, a file and a replay pass the same gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

FEW = 64  # rows


def text_frame(rows: list[dict[str, Any]], columns: list[str]) -> pl.DataFrame:
    """Rows as text, as a CSV file would have them: so that a call and a file pass the same gate."""
    names = list(dict.fromkeys(columns) | dict.fromkeys(n for row in rows for n in row if n != "line"))
    cells = {name: [as_text(row.get(name)) for row in rows] for name in names}
    return text_columns(cells, [row["line"] for row in rows])


def text_columns(cells: Mapping[str, Sequence[str | None]], lines: Sequence[int]) -> pl.DataFrame:
    """A frame of columns of text and the `line` of each row.

    The few rows of a call are made at once, which takes half the time; many column by column, so that other threads
    get their turn meanwhile.
    """
    if len(lines) <= FEW:
        schema = {**dict.fromkeys(cells, pl.String()), "line": pl.Int64()}
        return pl.DataFrame(list(zip(*cells.values(), lines, strict=True)), schema=schema, orient="row")
    texts = [pl.Series(name, column, pl.String) for name, column in cells.items()]
    return pl.DataFrame([*texts, pl.Series("line", lines, pl.Int64)])


def as_text(value: object) -> str | None:
    return None if value is None else repr(value) if isinstance(value, float) else str(value)
