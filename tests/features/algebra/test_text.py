"""Columns of texts: each distinct text once, and the same rows however many there are."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.algebra import Text, differ, joined, numbers_of
from features.algebra.text import distinct_pairs

TEXTS = st.lists(st.one_of(st.none(), st.sampled_from(["", "a", "A", "ab", "手"])), max_size=8)
PAIRS = st.lists(st.tuples(*[st.one_of(st.none(), st.sampled_from(["", "a", "ab", "手"]))] * 2), max_size=8)


def known(values: object) -> list[float | None]:
    assert isinstance(values, np.ndarray)
    return [None if math.isnan(value) else value for value in values.tolist()]


@given(TEXTS)
def test_rows_come_back_and_each_distinct_text_is_held_once(texts: list[str | None]) -> None:
    column = Text.of(texts)
    assert column.rows() == texts
    assert len(column) == len(texts)
    assert len(set(column.words)) == len(column.words)


@given(TEXTS)
def test_every_function_is_one_of_a_row(texts: list[str | None]) -> None:
    column = Text.of(texts)
    assert column.each(lambda t: t * 2 or None).rows() == [None if t is None else t * 2 or None for t in texts]
    assert known(column.number(len)) == [None if t is None else len(t) for t in texts]
    assert column.number(len, missing=-1.0).tolist() == [-1 if t is None else len(t) for t in texts]
    assert column.holds(lambda t: t < "b").tolist() == [t is not None and t < "b" for t in texts]
    assert column.is_one_of("a", "手").tolist() == [t in ("a", "手") for t in texts]
    assert column.known().tolist() == [t is not None for t in texts]


def test_a_function_is_asked_once_for_each_distinct_text() -> None:
    asked: list[str] = []

    def length(text: str) -> float:
        asked.append(text)
        return len(text)

    assert Text.of(["a", "bc", "a", "a"]).number(length).tolist() == [1.0, 2.0, 1.0, 1.0]
    assert asked == ["a", "bc"]


@given(PAIRS)
def test_two_texts_of_a_row(pairs: list[tuple[str | None, str | None]]) -> None:
    one, other = Text.of([a for a, _ in pairs]), Text.of([b for _, b in pairs])
    within = [None if a is None or b is None else float(a in b) for a, b in pairs]
    assert known(numbers_of(lambda a, b: float(a in b), one, other)) == within
    assert known(differ(one, other)) == [None if a is None or b is None else float(a != b) for a, b in pairs]
    assert joined(one, other, "|").rows() == [None if a is None or b is None else f"{a}|{b}" for a, b in pairs]


@given(TEXTS)
def test_equal_texts_share_a_number_and_unknown_has_none(texts: list[str | None]) -> None:
    numbers = Text.of(texts).each(str.lower).numbered().tolist()
    lowered = [None if t is None else t.lower() for t in texts]
    assert [number == -1 for number in numbers] == [t is None for t in lowered]
    assert len({*numbers} - {-1}) == len({*lowered} - {None})


@given(st.lists(TEXTS, min_size=1, max_size=4))
def test_columns_stand_one_below_the_other(parts: list[list[str | None]]) -> None:
    whole = Text.end_to_end([Text.of(part) for part in parts])
    assert whole.rows() == [text for part in parts for text in part]
    assert len(set(whole.words)) == len(whole.words)


def test_some_rows_are_taken_in_any_order() -> None:
    assert Text.of(["a", None, "b"]).take(np.array([2, 0, 0, 1])).rows() == ["b", "a", "a", None]


@pytest.mark.parametrize("rows", [0, 1, 2, 50])
def test_pairs_of_codes_are_found_again(rows: int) -> None:
    draw = np.random.default_rng(rows)
    one, other = draw.integers(0, 5, rows), draw.integers(0, 3, rows)
    pairs, places = distinct_pairs(one, other, 3)
    assert [pairs[place] for place in places.tolist()] == list(zip(one.tolist(), other.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
