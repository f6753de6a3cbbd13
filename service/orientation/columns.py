"""What is known of each consignment, as columns that a policy asks for by name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from features.algebra import Text
from features.algebra.frames import Column
from features.algebra.tables import Table

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Numbers = Floats | Ints
Hashes = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]
UNKNOWN = -1  # in place of a whole number that is not known


class Known:
    """What is known of consignments: declared, scored, computed and derived; each column is read when it is asked for.

    A name that several have means the column of the first: tables in their order, then columns.
    """

    def __init__(self, *tables: Table, columns: Mapping[str, Column] | None = None) -> None:
        """tables: a row for each consignment, in the same order; so are the columns."""
        self._size = tables[0].height
        self._tables = tables
        self._columns: dict[str, Column] = {}
        self._computed = columns or {}

    def __len__(self) -> int:
        return self._size

    def add(self, **columns: Column) -> None:
        """Add columns that are derived from the others; they stand before those of the same name."""
        self._columns |= columns

    def text(self, name: str) -> Text:
        """Return a column of texts; raises KeyError where there is none, TypeError where it holds something else."""
        column = self._column(name)
        if not isinstance(column, Text):
            raise TypeError(f"{name} is no column of texts")
        return column

    def number(self, name: str) -> Floats:
        """Return a column of numbers, NaN where unknown; raises as `text` does."""
        column = self._column(name)
        if isinstance(column, Text):
            raise TypeError(f"{name} is no column of numbers")
        return column.astype(np.float64, copy=False)

    def number_if_any(self, name: str) -> Floats:
        """Return a column of numbers; unknown in every row where there is none, as for a model without this input."""
        try:
            return self.number(name)
        except KeyError:
            return np.full(self._size, np.nan)

    def whole(self, name: str) -> Ints:
        """Return a column of whole numbers that every row has."""
        return self.number(name).astype(np.int64)

    def moments(self, name: str) -> Ints:
        """Return a column of moments that every row has, in microseconds since 1970; raises as `text` does."""
        column = self._column(name)
        if isinstance(column, Text):
            raise TypeError(f"{name} is no column of moments")
        return column.astype(np.int64, copy=False)

    def _column(self, name: str) -> Column:
        column = self._columns.get(name)
        if column is None:
            column = self._columns[name] = self._read(name)
        return column

    def _read(self, name: str) -> Column:
        for table in self._tables:
            if name in table.kinds:
                return table.column(name)
        return self._computed[name]


def first_of(cases: Sequence[tuple[Bools, int]], otherwise: int) -> Ints:
    """Return for each row the value of the first case that holds."""
    values = np.full(len(cases[0][0]), otherwise)
    for holds, value in reversed(cases):
        values[holds] = value
    return values


def powers(base: float, exponents: Numbers) -> Floats:
    """Return a base, zero or more, to the power of each exponent, as the C library has it; infinite beyond floats."""
    return np.array([_power(base, exponent) for exponent in exponents.tolist()], np.float64)


def _power(base: float, exponent: float) -> float:
    try:
        return math.pow(base, exponent)
    except OverflowError:
        return math.inf
