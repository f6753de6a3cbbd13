"""Logarithm, exponential and power that give the same bits on every processor, for one value, many, and any view.

numpy chooses among several ways of computing them by the processor and by how values lie in memory, and these round
differently: one with AVX-512 has another last bit, and so has a reversed column. The C library's functions, as Python's
`math` calls them, do not depend on either.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import repeat

import numpy as np
import numpy.typing as npt

Numbers = npt.NDArray[np.float64]


def log(values: Numbers) -> Numbers:
    """Return the natural logarithm of each value; unknown where it is unknown or not above zero."""
    return _each(math.log, np.where(values > 0.0, values, math.nan))


def exp(values: Numbers) -> Numbers:
    """Return the exponential of each value; raises OverflowError for values above 709."""
    return _each(math.exp, values)


def power(values: Numbers, exponent: float) -> Numbers:
    """Return each value, not below zero, raised to a power; raises OverflowError beyond the range of numbers."""
    return _each(math.pow, values, exponent)


def _each(function: Callable[..., float], values: Numbers, *constants: float) -> Numbers:
    arguments = (repeat(constant) for constant in constants)
    return np.fromiter(map(function, values.ravel().tolist(), *arguments), np.float64, values.size).reshape(
        values.shape
    )
