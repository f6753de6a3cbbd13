"""Rows as columns and as frames: the same values whichever is asked for, and whole numbers that stay whole."""

from __future__ import annotations

import math
import pickle
from datetime import UTC, datetime
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.algebra import Text
from features.algebra.tables import Cells, Lists, Table, Wholes
from features.moments import micros

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ROWS = st.lists(
    st.tuples(
        st.one_of(st.none(), st.text(max_size=3)),
        st.one_of(st.none(), st.floats(allow_nan=False)),
        st.integers(-(2**63), 2**63 - 1),
        st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1)),
        st.integers(0, 10**15),
        st.one_of(st.none(), st.lists(st.integers(-(2**63), 2**63 - 1), max_size=3)),
    ),
    max_size=6,
)


def columns_of(rows: list[tuple[Any, ...]]) -> dict[str, Cells]:
    """The columns of rows: a text, a number, a whole number, one that may be unknown, a moment, and a list."""
    texts, numbers, wholes, perhaps, moments, lists = ([row[at] for row in rows] for at in range(6))
    return {
        "text": Text.of(texts),
        "number": np.array([math.nan if one is None else one for one in numbers], np.float64),
        "whole": Wholes(np.array(wholes, np.int64)),
        "perhaps": Wholes(
            np.array([one or 0 for one in perhaps], np.int64), np.array([p is not None for p in perhaps], bool)
        ),
        "moment": np.array(moments, np.int64),
        "list": Lists(lists, pl.List(pl.Int64())),
    }


def frame_of(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    kinds: dict[str, Any] = {
        "text": pl.String,
        "number": pl.Float64,
        "whole": pl.Int64,
        "perhaps": pl.Int64,
        "moment": pl.Int64,
    }
    kinds["list"] = pl.List(pl.Int64)
    return pl.DataFrame(rows, schema=kinds, orient="row").with_columns(
        pl.col("moment").cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    )


def alike(one: Table, other: Table) -> None:
    assert one.rows(0, len(one)) == other.rows(0, len(other))  # before a frame is made of it
    assert one.rows(1, 2) == other.rows(0, len(other))[1:3]
    assert all(one.values(name) == other.values(name) for name in one.kinds)
    assert one.frame.equals(other.frame)
    assert one.frame.schema == other.frame.schema
    for name in ("number", "whole", "perhaps", "moment"):
        np.testing.assert_array_equal(one.column(name), other.column(name))
    for name in ("whole", "perhaps"):
        assert one.whole(name).series(name, pl.Int64()).equals(other.whole(name).series(name, pl.Int64()))
    assert one.text("text").rows() == other.text("text").rows()


@settings(max_examples=60, deadline=None)
@given(ROWS, st.integers(0, 6), st.integers(0, 6))
def test_columns_and_frames_are_the_same_rows(rows: list[tuple[Any, ...]], start: int, end: int) -> None:
    columns, frame = columns_of(rows), frame_of(rows)
    of_columns, of_frame = Table.of(columns), Table.of_frame(frame)
    start, end = min(start, end), max(start, end)
    alike(of_columns.part(start, end), Table.of_frame(frame.slice(start, end - start)))  # before a frame was made
    alike(of_columns, of_frame)
    alike(of_columns.part(start, end), of_frame.part(start, end))
    alike(pickle.loads(pickle.dumps(of_columns)), of_frame)
    places = np.arange(len(rows))[::-1]
    alike(Table.of(columns).taken(places), of_frame.taken(places))
    assert len(of_columns) == len(rows)


def test_a_column_of_lists_is_none_of_numbers_or_texts() -> None:
    table = Table.of({"a": Lists([[1], None], pl.List(pl.Int64())), "b": np.zeros(2)})
    with pytest.raises(TypeError, match="a is a column of lists"):
        table.column("a")
    held, made = table.lists("a"), Table.of_frame(table.frame).lists("a")
    assert isinstance(held, Lists)
    assert isinstance(made, pl.Series)
    assert list(held.rows) == made.to_list() == [[1], None]


def test_a_list_takes_the_place_of_a_text_and_a_text_that_of_a_list() -> None:
    table = Table.of({"a": Text.of(["x", None])})
    lists = table.holding({"a": Lists([[1], None], pl.List(pl.Int64()))})
    assert lists.values("a") == [[1], None]
    assert lists.holding({"a": pl.Series(["y", "z"])}).text("a").rows() == ["y", "z"]
    assert lists.holding({"a": pl.Series(["y", "z"])}).holding({"a": Text.of(["x", None])}).values("a") == ["x", None]


def test_whole_numbers_stay_whole_beyond_what_a_float_keeps() -> None:
    large = 2**53 + 1
    assert Table.of({"hash": Wholes(np.array([large]))}).frame["hash"].to_list() == [large]
    assert Table.of_frame(pl.DataFrame({"hash": [large, None]})).whole("hash").values[0] == large


def test_a_column_may_have_a_series_of_another_type() -> None:
    table = Table.of({"row": Wholes(np.arange(2))}, {"row": pl.UInt32()})
    assert table.frame.schema == {"row": pl.UInt32}
    assert table.whole("row").values.tolist() == [0, 1]


@pytest.mark.parametrize("framed", [False, True])
def test_columns_are_held_beside_the_others_or_in_their_place(framed: bool) -> None:
    table = Table.of({"a": Text.of(["x", "y"]), "b": np.array([1.0, math.nan])})
    table = Table.of_frame(table.frame) if framed else table
    table.column("a")
    more = table.holding({"a": Text.of(["z", None]), "c": np.array([micros(NOON)] * 2)})
    assert more.text("a").rows() == ["z", None]
    assert more.frame.rows() == [("z", 1.0, NOON), (None, None, NOON)]
    assert more.part(1, 2).text("a").rows() == [None]
    assert table.text("a").rows() == ["x", "y"]
    assert "c" in more
    assert "c" not in table


def test_expressions_replace_what_was_computed_of_the_columns_before() -> None:
    table = Table.of_frame(pl.DataFrame({"a": ["x", "y", "x"], "b": [1.0, 2.0, 3.0]}))
    table.columns(("a", "b"))
    upper = table.part(0, 2).with_columns(pl.col("a").str.to_uppercase())
    assert upper.text("a").rows() == ["X", "Y"]
    assert upper.number("b").tolist() == [1.0, 2.0]
    assert table.with_columns(pl.all().reverse()).text("a").rows() == ["x", "y", "x"]
    assert table.with_columns(pl.Series("b", [0.0, 0.0, 0.0])).number("b").tolist() == [0.0] * 3


def test_a_part_knows_its_own_texts_alone() -> None:
    table = Table.of({"a": Text.of(["x", "y", "x", "z"])})
    assert sorted(word or "" for word in table.part(1, 3).text("a").words) == ["x", "y"]


def test_a_column_that_is_lacking_is_named() -> None:
    table = Table.of({"a": np.zeros(1)})
    with pytest.raises(KeyError, match="b"):
        table.column("b")
    with pytest.raises(TypeError, match="a is no column of texts"):
        table.text("a")
    for kind in (Table.number, Table.moments):
        with pytest.raises(TypeError, match="word is no column of"):
            kind(Table.of({"word": Text.of(["x"])}), "word")
    assert Table.of({"at": np.array([micros(NOON)])}).moments("at").tolist() == [micros(NOON)]
    assert list(table.columns(("a", "b"))) == ["a"]
