"""What was found odd in consignments, gathered kind by kind, and by row."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Text
from features.algebra.tables import Table, Wholes

Rows = npt.NDArray[np.int64]
PROBLEM = pl.Schema({"row": pl.UInt32(), "field": pl.String(), "problem": pl.String()})
NO_ROWS = np.empty(0, np.int64)
NOTHING = Table.of({"row": Wholes(NO_ROWS), "field": Text(NO_ROWS, ()), "problem": Text(NO_ROWS, ())}, PROBLEM)


class Found:
    """Data problems of consignments: rows, and for each the kind of problem (a field and what is wrong with it)."""

    __slots__ = ("_kinds", "_names", "_rows")

    def __init__(self) -> None:
        self._names: dict[tuple[str, str], int] = {}
        self._rows: list[Rows] = []
        self._kinds: list[Rows] = []

    def add(self, rows: Rows, field: str, problem: str) -> None:
        """Add one problem of several rows."""
        if not len(rows):
            return
        self._rows.append(rows)
        self._kinds.append(np.full(len(rows), self._kind(field, problem)))

    def add_each(self, rows: Rows, fields: Sequence[str], problems: Sequence[str]) -> None:
        """Add a problem of each row."""
        self._rows.append(rows)
        self._kinds.append(np.array([self._kind(*pair) for pair in zip(fields, problems, strict=True)], np.int64))

    def frame(self) -> pl.DataFrame:
        """Return the problems (PROBLEM) as they were added."""
        if not self._names:
            return NOTHING.frame
        return self._table(np.concatenate(self._rows), np.concatenate(self._kinds)).frame

    def by_row(self) -> Table:
        """Return the problems (PROBLEM) of each row in turn, each once, as they were added."""
        if not self._names:
            return NOTHING
        rows, kinds = np.concatenate(self._rows), np.concatenate(self._kinds)
        first = np.sort(np.unique(rows * len(self._names) + kinds, return_index=True)[1])
        in_order = first[np.argsort(rows[first], kind="stable")]
        return self._table(rows[in_order], kinds[in_order])

    def _kind(self, field: str, problem: str) -> int:
        return self._names.setdefault((field, problem), len(self._names))

    def _table(self, rows: Rows, kinds: Rows) -> Table:
        fields, problems = (Text(kinds, words) for words in zip(*self._names, strict=True))
        return Table.of({"row": Wholes(rows), "field": fields, "problem": problems}, PROBLEM)
