"""The words for numbers: what is unknown stays unknown, and a condition on it does not hold."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import pytest

from features.algebra import (
    Text,
    at_least,
    at_most,
    count,
    hour_of,
    known,
    least,
    missing,
    most,
    where,
    yes_no,
)
from features.moments import micros

NAN = math.nan
VALUE = np.array([-2.0, 0.0, 3.0, NAN, math.inf])


def plain(values: object) -> list[float | None]:
    assert isinstance(values, np.ndarray)
    return [None if math.isnan(value) else value for value in values.tolist()]


def test_bounds_leave_unknown_unknown() -> None:
    assert plain(at_least(VALUE, 1.0)) == [1.0, 1.0, 3.0, None, math.inf]
    assert plain(at_most(VALUE, 1.0)) == [-2.0, 0.0, 1.0, None, 1.0]


def test_a_value_where_a_condition_holds() -> None:
    assert plain(where(VALUE > 0, VALUE)) == [None, None, 3.0, None, math.inf]
    assert plain(where(VALUE > 0, 1.0, 0.0)) == [0.0, 0.0, 1.0, 0.0, 1.0]
    assert where(VALUE > 0, 1).dtype == np.float64


def test_a_condition_on_an_unknown_is_decided_only_where_asked() -> None:
    assert plain(yes_no(VALUE == 0)) == [0.0, 1.0, 0.0, 0.0, 0.0]
    assert plain(yes_no(VALUE == 0, known(VALUE))) == [0.0, 1.0, 0.0, None, 0.0]


@pytest.mark.parametrize(
    ("columns", "highest", "lowest"),
    [
        (([1.0], [2.0]), [2.0], [1.0]),
        (([NAN], [2.0]), [2.0], [2.0]),
        (([NAN], [NAN]), [None], [None]),
        (([1.0, NAN, -3.0], [0.0, 5.0, -4.0], [0.5, 4.0, NAN]), [1.0, 5.0, -3.0], [0.0, 4.0, -4.0]),
        (([], []), [], []),
        (([7.0],), [7.0], [7.0]),
    ],
)
def test_the_highest_and_the_lowest_that_are_known(
    columns: tuple[list[float], ...], highest: list[float | None], lowest: list[float | None]
) -> None:
    arrays = [np.array(column, np.float64) for column in columns]
    assert plain(most(arrays)) == highest
    assert plain(least(arrays)) == lowest


def test_conditions_are_counted() -> None:
    told = count([missing(VALUE), VALUE > 0, known(Text.of(["a", None, "b", "c", None]))])
    assert plain(told) == [1.0, 0.0, 2.0, 2.0, 1.0]


@pytest.mark.parametrize(
    ("moment", "hour"),
    [
        (datetime(2026, 3, 1, 0, 0, tzinfo=UTC), 0.0),
        (datetime(2026, 3, 1, 8, 59, 59, 999_999, tzinfo=UTC), 8.0),
        (datetime(2026, 3, 1, 23, 0, tzinfo=UTC), 23.0),
        (datetime(1969, 12, 31, 23, 59, tzinfo=UTC), 23.0),
        (datetime(1960, 1, 1, 0, 30, tzinfo=UTC), 0.0),
        (datetime(2100, 6, 1, 12, 0, tzinfo=UTC), 12.0),
    ],
)
def test_the_hour_of_a_moment(moment: datetime, hour: float) -> None:
    assert hour_of(np.array([micros(moment)])).tolist() == [hour]
