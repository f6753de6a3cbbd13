"""Logarithm, exponential and power: the C library's bits, for one value, for many, and for every view of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.algebra import exp, log, power

Numbers = npt.NDArray[np.float64]
# A processor with AVX-512 rounds numpy's exponential of these another way.
KNOWN = (
    (1.797, "0x1.82048472320c5p+2"),
    (1.94, "0x1.bd5c2d07f94d4p+2"),
    (0.599, "0x1.d1ff05e41cfbbp+0"),
    (2.257, "0x1.31bd81601c06bp+3"),
)
FUNCTIONS: tuple[tuple[Callable[[Numbers], Numbers], Callable[[float], float]], ...] = (
    (log, math.log),
    (exp, math.exp),
    (lambda values: power(values, 30.0), lambda value: math.pow(value, 30.0)),
)
NAMED = ("log", "exp", "power")


@pytest.mark.parametrize(("value", "bits"), KNOWN)
def test_the_exponential_has_known_bits(value: float, bits: str) -> None:
    assert float(exp(np.array([value]))[0]).hex() == bits


@given(st.lists(st.floats(-709, 709), max_size=20))
def test_many_exponentials_are_rounded_as_one_is(values: list[float]) -> None:
    assert exp(np.array(values, np.float64)).tolist() == [math.exp(value) for value in values]


@pytest.mark.parametrize(("ours", "libm"), FUNCTIONS, ids=NAMED)
def test_every_view_of_many_values_has_the_bits_of_each_alone(
    ours: Callable[[Numbers], Numbers], libm: Callable[[float], float]
) -> None:
    values = np.random.default_rng(1).uniform(1e-9, 60.0, 20_000)
    expected = np.array([libm(value) for value in values.tolist()])
    assert ours(values).tobytes() == expected.tobytes()
    assert ours(values[::-1]).tobytes() == expected[::-1].tobytes()
    assert ours(values[::3]).tobytes() == expected[::3].tobytes()
    assert ours(values.reshape(100, 200).T).tobytes() == np.ascontiguousarray(expected.reshape(100, 200).T).tobytes()
    assert [float(ours(values[at : at + 1])[0]) for at in range(50)] == expected[:50].tolist()


def test_a_logarithm_is_what_it_was_in_polars() -> None:
    values = np.exp(np.random.default_rng(2).uniform(-600, 600, 20_000))
    assert log(values).tobytes() == pl.Series(values).log().to_numpy().tobytes()


@pytest.mark.parametrize(
    ("value", "expected"), [(0.0, None), (-1.0, None), (-0.0, None), (math.nan, None), (math.inf, math.inf), (1.0, 0.0)]
)
def test_a_logarithm_is_unknown_where_there_is_none(value: float, expected: float | None) -> None:
    told = float(log(np.array([value]))[0])
    assert math.isnan(told) if expected is None else told == expected


def test_an_exponential_beyond_all_numbers_is_an_error() -> None:
    with pytest.raises(OverflowError):
        exp(np.array([1.0, 710.0]))
