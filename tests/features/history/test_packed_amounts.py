"""Amounts side by side: every width, and what the compiled pass finds in them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.history.facts import FACTS
from features.history.packed_amounts import packed, width_of
from features.history.table_scan import amount_at

EDGES = [edge for bits in (7, 15, 31, 63) for edge in (-(2**bits), 2**bits - 1)]
BEYOND = [edge for bits in (7, 15, 31) for edge in (-(2**bits) - 1, 2**bits)]
NUMBERS = st.one_of(st.sampled_from([0, 1, -1, *EDGES, *BEYOND]), st.integers(-(2**63), 2**63 - 1), st.integers(-5, 5))
COLUMNS = st.integers(1, 9).flatmap(
    lambda rows: st.dictionaries(st.sampled_from(FACTS), st.lists(NUMBERS, min_size=rows, max_size=rows), min_size=1)
)


@settings(max_examples=80, deadline=None)
@given(COLUMNS)
def test_amounts_are_found_as_they_were_packed(columns: dict[str, list[int]]) -> None:
    arrays = {fact: np.array(column, np.int64) for fact, column in columns.items()}
    rows = len(next(iter(arrays.values())))
    amounts = packed(arrays, rows)
    for place, fact in enumerate(FACTS):
        expected = columns.get(fact, [0] * rows)
        assert [amount_at(amounts.words, amounts.fields, place, row) for row in range(rows)] == expected
        assert amount_at(amounts.words, amounts.fields, place, -1) == 0
    held = amounts.columns()
    assert set(held) == {fact for fact, column in arrays.items() if column.any()}
    assert all(np.array_equal(column, arrays[fact]) for fact, column in held.items())


@pytest.mark.parametrize(
    ("numbers", "width"),
    [([0, 0], 0), ([0, 1], 1), ([-128, 127], 1), ([128], 2), ([-129], 2), ([-32_768, 32_767], 2), ([32_768], 4),
     ([-32_769], 4), ([2**31 - 1], 4), ([2**31], 8), ([-(2**31) - 1, 0], 8), ([-(2**63), 2**63 - 1], 8)],
)  # fmt: skip
def test_amounts_are_as_narrow_as_their_numbers(numbers: list[int], width: int) -> None:
    column: npt.NDArray[np.int64] = np.array(numbers, np.int64)
    assert width_of(column) == width
    assert packed({"value": column}, len(numbers)).stride == width


def test_no_moments_take_no_room() -> None:
    nothing = packed({"value": np.empty(0, np.int64)}, 0)
    assert (len(nothing.words), nothing.stride, nothing.columns()) == (0, 0, {})
