"""A table is written for hashing as its rows are one by one, to the byte: else hashes on record would prove nothing."""

from __future__ import annotations

import math
from typing import Any

import orjson
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.canonical import canonical, canonical_rows

SCHEMA = {"z": pl.String, "a b": pl.Float64, 'q"uote': pl.Int64, "flag": pl.Boolean, "list": pl.String, "é": pl.String}
LISTS = st.sampled_from([[], [{"a": 1, "b": None}], ["x", 2]])
rows = st.lists(
    st.fixed_dictionaries(
        {
            "z": st.none() | st.text(), "a b": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            'q"uote': st.none() | st.integers(-(2**63), 2**63 - 1), "flag": st.none() | st.booleans(),
            "list": LISTS, "é": st.none() | st.sampled_from(['{"é":null}', ",", "\\", "\x00", " ", "😀"]),
        }
    ),
    min_size=1, max_size=8,
)  # fmt: skip


@pytest.mark.parametrize("sparse", [False, True])
@given(rows)
def test_a_table_is_written_as_its_rows_are(sparse: bool, contents: list[dict[str, Any]]) -> None:
    table = pl.DataFrame(
        [{**row, "list": orjson.dumps(row["list"]).decode()} for row in contents], schema=SCHEMA, orient="row"
    )
    expected = [
        canonical({name: value for name, value in row.items() if value is not None or not sparse}) for row in contents
    ]
    written = canonical_rows(table, ready={"list"}, sparse=sparse)
    assert [text.encode() for text in written] == expected


def test_every_character_is_written_alike() -> None:
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    written = canonical_rows(pl.DataFrame({"v": characters}))
    assert [text.encode() for text in written] == [canonical({"v": one}) for one in characters]


def test_a_row_of_which_nothing_is_known_is_an_empty_object() -> None:
    assert canonical_rows(pl.DataFrame({"a": [None]}, schema={"a": pl.Float64}), sparse=True).to_list() == ["{}"]


def test_numbers_on_record_are_written_as_they_were() -> None:
    """Written down in 2026: whichever library changes its form, hashes of before no longer hold."""
    numbers = [0.1, 1e16, 1e-7, 123456789012345680.0, 5e-324, 1.7976931348623157e308, -0.0, 3.0, math.pi]
    written = ["0.1", "1e+16", "1e-7", "1.2345678901234568e+17", "5e-324", "1.7976931348623157e+308", "-0.0", "3.0",
               "3.141592653589793"]  # fmt: skip
    assert [text[5:-1] for text in canonical_rows(pl.DataFrame({"v": numbers}))] == written
    assert [canonical({"v": number})[5:-1].decode() for number in numbers] == written
