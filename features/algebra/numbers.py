"""The words in which features of numbers are written: each works row by row, and unknown is not a number (NaN).

What is computed of an unknown number is unknown, and a comparison with one does not hold: where that matters, say
`known(…)` or `yes_no(…, known(…))`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from features.algebra.text import UNKNOWN, Text

Numbers = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Moments = npt.NDArray[np.int64]  # microseconds since 1970, UTC
AN_HOUR, HOURS_OF_A_DAY = 3_600_000_000, 24


def where(condition: Flags, value: Numbers | float, otherwise: Numbers | float = UNKNOWN) -> Numbers:
    """Return a value where a condition holds, and another, unknown by default, where it does not."""
    return np.asarray(np.where(condition, value, otherwise), np.float64)


def at_least(value: Numbers, bound: float) -> Numbers:
    """Return each value, raised to the bound where it lies below."""
    return np.maximum(value, bound)


def at_most(value: Numbers, bound: float) -> Numbers:
    """Return each value, lowered to the bound where it lies above."""
    return np.minimum(value, bound)


def most(columns: Sequence[Numbers]) -> Numbers:
    """Return the highest of several columns that is known."""
    highest: Numbers = np.fmax.reduce(columns)
    return highest


def least(columns: Sequence[Numbers]) -> Numbers:
    """Return the lowest of several columns that is known."""
    lowest: Numbers = np.fmin.reduce(columns)
    return lowest


def known(column: Numbers | Text) -> Flags:
    """Return where a number or a text is known."""
    return column.known() if isinstance(column, Text) else ~np.isnan(column)


def missing(column: Numbers | Text) -> Flags:
    """Return where a number or a text is unknown."""
    return ~known(column)


def count(conditions: Sequence[Flags]) -> Numbers:
    """Return how many of several conditions hold."""
    held: Numbers = np.add.reduce(conditions, axis=0, dtype=np.float64)
    return held


def yes_no(condition: Flags, decided: Flags | None = None) -> Numbers:
    """Return 1 where a condition holds and 0 where it does not; unknown where it cannot be decided."""
    answer = condition.astype(np.float64)
    return answer if decided is None else where(decided, answer)


def hour_of(moments: Moments) -> Numbers:
    """Return the hour of the day, UTC, 0 to 23."""
    return (moments // AN_HOUR % HOURS_OF_A_DAY).astype(np.float64)
