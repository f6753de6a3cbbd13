"""The border between tables and columns: files, archive, training and reports keep frames, features compute columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.text import Text

Column = npt.NDArray[np.float64] | npt.NDArray[np.int64] | Text
Columns = Mapping[str, Column]
MANY = 1_000  # texts that pay for the way by Arrow


def columns_of(frame: pl.DataFrame, names: Iterable[str]) -> dict[str, Column]:
    """Return named columns of a frame; those that it lacks are left out."""
    held = set(frame.columns)
    return {name: column_of(frame.get_column(name)) for name in names if name in held}


def column_of(series: pl.Series) -> Column:
    """Return a column: texts as `Text`, moments as microseconds since 1970, anything else as numbers.

    Raises TypeError for lists and structures, which are no columns of features.
    """
    kind = series.dtype
    if kind == pl.Float64:
        return series.to_numpy()  # unknown is not a number there
    if kind == pl.String:
        return text_of(series)
    if isinstance(kind, pl.Datetime):
        return moments_of(series)
    if kind.is_numeric() or kind in (pl.Boolean, pl.Null):
        return series.cast(pl.Float64).to_numpy()
    raise TypeError(f"column {series.name}: {kind} is neither a number, nor a text, nor a moment")


def moments_of(series: pl.Series) -> npt.NDArray[np.int64]:
    """Return a series of moments as microseconds since 1970; none of them may be unknown."""
    return series.dt.cast_time_unit("us").to_physical().to_numpy()


def text_of(series: pl.Series) -> Text:
    """Return a series of texts as a column; of many, only distinct ones become texts of Python."""
    if len(series) < MANY:
        return Text.of(series.to_list())
    numbered = series.to_arrow().dictionary_encode(null_encoding="encode")
    return Text(numbered.indices.to_numpy().astype(np.intp), numbered.dictionary.to_pylist())


def series_of(column: Column, name: str = "") -> pl.Series:
    """Return a column as a series: null where a number or a text is unknown."""
    if isinstance(column, Text):
        if len(column.words) < len(column) // 2:
            return pl.Series(name, column.words, pl.String).gather(column.codes)
        return pl.Series(name, column.rows(), pl.String)
    return pl.Series(name, column, nan_to_null=True)
