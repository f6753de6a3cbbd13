"""The border between tables and columns: what goes over it comes back."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.algebra import Text, frames
from features.algebra.frames import column_of, columns_of, series_of

TIME = pl.Datetime("us", "UTC")
MOMENT = datetime(2026, 3, 1, 8, 15, 0, 7, tzinfo=UTC)


@given(st.lists(st.one_of(st.none(), st.floats(allow_nan=False))))
def test_numbers_come_back(values: list[float | None]) -> None:
    series = pl.Series(values, dtype=pl.Float64)
    assert series_of(column_of(series)).equals(series)


@pytest.mark.parametrize("many", [0, 1_000])
@given(texts=st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "手", "𠀀"])), max_size=9))
def test_texts_come_back_one_by_one_and_by_arrow(many: int, texts: list[str | None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "MANY", many)
        column = column_of(pl.Series(texts, dtype=pl.String))
    assert isinstance(column, Text)
    assert column.rows() == texts
    assert series_of(column).to_list() == texts


@pytest.mark.parametrize(
    ("series", "expected"),
    [
        (pl.Series([1, None, 3], dtype=pl.Int64), [1.0, None, 3.0]),
        (pl.Series([1, 2], dtype=pl.UInt32), [1.0, 2.0]),
        (pl.Series([True, None, False]), [1.0, None, 0.0]),
        (pl.Series([0.5], dtype=pl.Float32), [0.5]),
        (pl.Series([None, None], dtype=pl.Null), [None, None]),
        (pl.Series([], dtype=pl.Int64), []),
    ],
)
def test_other_numbers_become_numbers(series: pl.Series, expected: list[float | None]) -> None:
    assert series_of(column_of(series)).to_list() == expected


@pytest.mark.parametrize("unit", ["us", "ms", "ns"])
def test_moments_are_microseconds(unit: str) -> None:
    series = pl.Series([MOMENT], dtype=TIME).dt.cast_time_unit(unit)  # type: ignore[arg-type]  # one of three
    column = column_of(series)
    assert isinstance(column, np.ndarray)
    micros = 1_772_352_900_000_000
    assert column.tolist() == [micros if unit == "ms" else micros + 7]


@pytest.mark.parametrize("series", [pl.Series("a", [[1]]), pl.Series("a", [{"b": 1}]), pl.Series("a", [b"x"])])
def test_what_is_no_column_is_named(series: pl.Series) -> None:
    with pytest.raises(TypeError, match="column a"):
        column_of(series)


def test_only_columns_that_a_table_has_are_taken() -> None:
    assert list(columns_of(pl.DataFrame({"a": [1.0], "b": [2.0]}), ["b", "c"])) == ["b"]
