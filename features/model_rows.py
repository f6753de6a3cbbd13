"""Model rows: the inputs of the model as columns, and as a table where training, archive and reports want one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Numbers, Text
from features.algebra.frames import Column, column_of, series_of


@dataclass(frozen=True, eq=False)
class Rows:
    """The inputs of the model; one row per consignment, in the order of the consignments.

    row: the place of each consignment. columns: by input, numbers (finite, NaN where unknown) or texts of categories.
    numbers: those of the columns, one below the other, where they were made together.
    """

    row: npt.NDArray[np.uint32]
    columns: Mapping[str, Numbers | Text]
    numbers: Numbers | None = None

    @classmethod
    def end_to_end(cls, row: npt.NDArray[np.uint32], parts: Sequence[Rows]) -> Rows:
        """Return rows of several parts as those of these places."""
        return cls(row, {name: _joined([part.columns[name] for part in parts]) for name in parts[0].columns})

    @classmethod
    def of_frame(cls, frame: pl.DataFrame) -> Rows:
        """Return rows of a table that `frame` gave, or one like it: of training, of an archive, of a record."""
        columns = {name: _number_or_text(column_of(frame[name])) for name in frame.columns if name != "row"}
        return cls(frame["row"].to_numpy().astype(np.uint32), columns)

    def __len__(self) -> int:
        return len(self.row)

    def at(self, places: Sequence[int]) -> Rows:
        """Return the rows at some places."""
        chosen = np.array(places, np.intp)
        columns = {n: c.take(chosen) if isinstance(c, Text) else c[chosen] for n, c in self.columns.items()}
        return Rows(self.row[chosen], columns)

    @cached_property
    def frame(self) -> pl.DataFrame:
        """The rows as a table: `row`, then a column for each input, Float64 or String, null where unknown."""
        return pl.DataFrame(
            [pl.Series("row", self.row), *(series_of(column, name) for name, column in self.columns.items())]
        )


def _joined(columns: Sequence[Numbers | Text]) -> Numbers | Text:
    texts = [column for column in columns if isinstance(column, Text)]
    return Text.end_to_end(texts) if texts else np.concatenate([c for c in columns if not isinstance(c, Text)])


def _number_or_text(column: Column) -> Numbers | Text:
    return column if isinstance(column, Text) else column.astype(np.float64, copy=False)
