"""What goods lines come to: by hand for any lines in any order."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.algebra import NumberLines, Text, TextLines
from features.algebra.lines import Groups

LINE = st.tuples(
    st.integers(0, 3),
    st.one_of(st.none(), st.sampled_from([0.0, 1.0, 2.5, -1.0, math.inf])),
    st.one_of(st.none(), st.sampled_from(["42", "61", "é"])),
)
Line = tuple[int, float | None, str | None]


def of_each(lines: list[Line]) -> list[list[Line]]:
    return [[line for line in lines if line[0] == row] for row in sorted({line[0] for line in lines})]


def columns(lines: list[Line]) -> tuple[NumberLines, TextLines]:
    rows = sorted({line[0] for line in lines})
    groups = Groups(np.array([rows.index(line[0]) for line in lines], np.int64), len(rows))
    values = np.array([math.nan if line[1] is None else line[1] for line in lines])
    return NumberLines(values, groups), TextLines(Text.of([line[2] for line in lines]), groups)


def plain(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[float | None]:
    return [None if math.isnan(value) else value for value in values.tolist()]


@given(st.lists(LINE, min_size=1, max_size=10))
def test_lines_come_to_what_they_come_to_by_hand(lines: list[Line]) -> None:
    number, text = columns(lines)
    each = of_each(lines)
    known = [[value for _, value, _ in of_one if value is not None] for of_one in each]
    assert plain(number.least()) == [min(values, default=None) for values in known]
    assert plain(number.most()) == [max(values, default=None) for values in known]
    assert plain(number.missing().share()) == [sum(v is None for _, v, _ in of_one) / len(of_one) for of_one in each]
    assert plain(text.known().share()) == [sum(t is not None for *_, t in of_one) / len(of_one) for of_one in each]
    assert plain(text.different()) == [len({t for *_, t in of_one} - {None}) for of_one in each]
    first = [max(of_one, key=lambda line: -math.inf if line[1] is None else line[1]) for of_one in each]
    assert text.of_highest(number).rows() == [line[2] for line in first]
    assert plain(text.number(len).most()) == [
        max((len(t) for *_, t in of_one if t is not None), default=None) for of_one in each
    ]


def test_the_first_of_equals_speaks_wherever_its_lines_stand() -> None:
    number, text = columns([(1, 5.0, "a"), (0, 9.0, "b"), (1, 5.0, "c"), (0, 9.0, "d"), (0, None, "e")])
    assert text.of_highest(number).rows() == ["b", "a"]


@pytest.mark.parametrize("row", [[0, 0, 2], [1], [0, 1, 1, 3]])
def test_a_consignment_without_lines_is_an_error(row: list[int]) -> None:
    with pytest.raises(ValueError, match="without goods lines"):
        Groups(np.array(row, np.int64), max(row) + 1)


def test_no_consignments_have_no_lines() -> None:
    groups = Groups(np.empty(0, np.int64), 0)
    assert NumberLines(np.empty(0), groups).least().tolist() == []
    assert TextLines(Text.of([]), groups).different().tolist() == []
