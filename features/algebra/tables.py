"""Rows that are kept as columns, as a frame, or as both: what somebody asks for is made once, and kept.

What lies on the path of a call asks for columns, and no frame is made of its one row; files, archive, training and
reports have frames, and their columns are read when a feature asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.frames import Column, column_of, series_of
from features.algebra.text import Text

Flags = npt.NDArray[np.bool_]
MOMENT = pl.Datetime("us", "UTC")


@dataclass(frozen=True, slots=True, eq=False)
class Wholes:
    """A column of whole numbers that stay whole, such as numbers of lines, versions and hashes.

    values: any number where it is unknown. known: whether it is; None where all are.
    """

    values: npt.NDArray[np.int64]
    known: Flags | None = None

    @classmethod
    def of_series(cls, series: pl.Series) -> Wholes:
        """Return a series of whole numbers as a column."""
        unknown = series.null_count()
        if not unknown and series.dtype == pl.Int64:
            return cls(series.to_numpy())
        if unknown == len(series):
            return cls(np.zeros(len(series), np.int64), np.zeros(len(series), np.bool_))
        known = series.is_not_null().to_numpy() if unknown else None
        return cls(series.cast(pl.Int64).fill_null(0).to_numpy(), known)

    def __len__(self) -> int:
        return len(self.values)

    def rows(self) -> list[int | None]:
        """Return the number of each row, None where unknown."""
        numbers = self.values.tolist()
        if self.known is None:
            return numbers  # type: ignore[no-any-return]
        return [number if known else None for number, known in zip(numbers, self.known.tolist(), strict=True)]

    def numbers(self) -> npt.NDArray[np.float64]:
        """Return them as numbers, not exact beyond 2**53; NaN where unknown."""
        numbers = self.values.astype(np.float64)
        return numbers if self.known is None else np.where(self.known, numbers, np.nan)

    def series(self, name: str, kind: pl.DataType) -> pl.Series:
        """Return them as a series of this type, null where unknown."""
        series = pl.Series(name, self.values, pl.Int64)
        if self.known is not None:
            series = series.set(pl.Series(~self.known), None)
        return series if kind == pl.Int64 else series.cast(kind)

    def part(self, start: int, end: int) -> Wholes:
        """Return the numbers from one row to before another."""
        return Wholes(self.values[start:end], None if self.known is None else self.known[start:end])


Cells = Column | Wholes  # texts, numbers, moments (int64) or whole numbers


class Table:
    """Rows of named columns.

    A column can be asked for as what features compute with (`column`), as whole numbers (`whole`) or as a series, and
    all of them as a frame. Unknown is None in texts, NaN in numbers, and null in series and frames.

    >>> table = Table.of({"office": Text.of(["FRCDG1", None]), "version": Wholes(np.array([1, 2]))})
    >>> table.column("office").rows(), table.whole("version").values.tolist(), table.frame.row(1)
    (['FRCDG1', None], [1, 2], (None, 2))
    """

    __slots__ = ("_base", "_cells", "_changed", "_loose", "height", "kinds")

    def __init__(
        self,
        kinds: Mapping[str, pl.DataType],
        height: int,
        cells: Mapping[str, Cells] | None = None,
        base: pl.DataFrame | None = None,
    ) -> None:
        """kinds: the type of each column's series. base: a frame of the columns, if there is one."""
        self.kinds, self.height = kinds, height
        self._cells, self._base = dict(cells or {}), base
        self._changed: tuple[str, ...] = ()  # columns that the frame lacks, or has other values of
        self._loose: dict[str, Text] = {}  # parts that still have the words of the whole

    @classmethod
    def of_frame(cls, frame: pl.DataFrame) -> Table:
        """Return the rows of a frame."""
        return cls(frame.schema, frame.height, base=frame)

    @classmethod
    def of(cls, columns: Mapping[str, Cells], kinds: Mapping[str, pl.DataType] | None = None) -> Table:
        """Return rows of columns; kinds: types of those whose series is not of the usual one."""
        height = len(next(iter(columns.values()), ()))
        return cls({name: _kind(cells) for name, cells in columns.items()} | dict(kinds or {}), height, columns)

    def __len__(self) -> int:
        return self.height

    def __contains__(self, name: object) -> bool:
        return name in self.kinds

    def __reduce__(self) -> tuple[object, tuple[pl.DataFrame]]:
        return Table.of_frame, (self.frame,)  # travels as a frame, without what was computed of it

    @property
    def frame(self) -> pl.DataFrame:
        """The rows as a frame."""
        if self._base is None:
            self._base = pl.DataFrame([self._made(name) for name in self.kinds])
        elif self._changed:
            self._base = self._base.with_columns(self._made(name) for name in self._changed)
        self._changed = ()
        return self._base

    def series(self, name: str) -> pl.Series:
        """Return a column as a series; raises KeyError where there is none of this name."""
        if name not in self.kinds:
            raise KeyError(name)
        if self._base is None or name in self._changed:
            return self._made(name)
        return self._base.get_column(name)

    def column(self, name: str) -> Column:
        """Return a column as features take it, whole numbers as numbers; raises as `series`, and as `column_of`."""
        cells = self._held(name)
        if cells is None:
            cells = self._cells[name] = column_of(self.series(name))
        return cells.numbers() if isinstance(cells, Wholes) else cells

    def columns(self, names: Iterable[str]) -> dict[str, Column]:
        """Return named columns; those that are lacking are left out."""
        return {name: self.column(name) for name in names if name in self.kinds}

    def whole(self, name: str) -> Wholes:
        """Return a column of whole numbers as such; raises as `series`."""
        cells = self._held(name)
        return cells if isinstance(cells, Wholes) else Wholes.of_series(self.series(name))

    def text(self, name: str) -> Text:
        """Return a column of texts; raises as `series`, and TypeError where it holds something else."""
        column = self.column(name)
        if not isinstance(column, Text):
            raise TypeError(f"{name} is no column of texts")
        return column

    def number(self, name: str) -> npt.NDArray[np.float64]:
        """Return a column of numbers, NaN where unknown; raises as `series`, and TypeError where it holds texts."""
        column = self.column(name)
        if isinstance(column, Text):
            raise TypeError(f"{name} is no column of numbers")
        return column.astype(np.float64, copy=False)

    def moments(self, name: str) -> npt.NDArray[np.int64]:
        """Return a column of moments that every row has, in microseconds since 1970; raises as `number` does."""
        column = self.column(name)
        if isinstance(column, Text):
            raise TypeError(f"{name} is no column of moments")
        return column.astype(np.int64, copy=False)

    def values(self, name: str) -> list[Any]:
        """Return a column as values of Python, None where unknown; raises as `series`."""
        cells = self._held(name) if self._base is None or name in self._changed else None
        if cells is None or _kind(cells) != self.kinds[name] or self.kinds[name] == MOMENT:
            return self.series(name).to_list()
        if isinstance(cells, Text | Wholes):
            return cells.rows()
        return [None if number != number else number for number in cells.tolist()]

    def holding(self, columns: Mapping[str, Cells], kinds: Mapping[str, pl.DataType] | None = None) -> Table:
        """Return the same rows with columns added, or in the place of those of the same names."""
        added = {name: _kind(cells) for name, cells in columns.items()} | dict(kinds or {})
        table = Table({**self.kinds, **added}, self.height, {**self._cells, **columns}, self._base)
        table._loose = {name: text for name, text in self._loose.items() if name not in columns}
        table._changed = tuple(dict.fromkeys((*self._changed, *columns))) if self._base is not None else ()
        return table

    def with_columns(self, *columns: pl.Expr | pl.Series) -> Table:
        """Return the same rows with the columns of expressions or series, as a frame computes them."""
        table = Table.of_frame(self.frame.with_columns(*columns))
        names = {c.name if isinstance(c, pl.Series) else _name_of(c) for c in columns}
        if "" not in names:
            table._cells = {name: cells for name, cells in self._cells.items() if name not in names}
            table._loose = {name: text for name, text in self._loose.items() if name not in names}
        return table

    def part(self, start: int, end: int) -> Table:
        """Return the rows from one to before another."""
        base = None if self._base is None else self._base.slice(start, end - start)
        whole = {name: cells for name, cells in self._cells.items() if not isinstance(cells, Text)}
        cells = {n: c.part(start, end) if isinstance(c, Wholes) else c[start:end] for n, c in whole.items()}
        part = Table(self.kinds, max(0, min(end, self.height) - start), cells, base)
        part._changed = self._changed
        texts = {name: cells for name, cells in self._cells.items() if isinstance(cells, Text)} | self._loose
        part._loose = {name: Text(text.codes[start:end], text.words) for name, text in texts.items()}
        return part

    def _held(self, name: str) -> Cells | None:
        """Return the cells of a column that is one already; of a part with its own words alone."""
        loose = self._loose.get(name)
        if loose is not None:
            self._cells[name] = loose.compact()
            self._loose.pop(name, None)  # not before: another thread may ask for it
        return self._cells.get(name)

    def _made(self, name: str) -> pl.Series:
        cells, kind = self._held(name), self.kinds[name]
        if isinstance(cells, Wholes):
            return cells.series(name, kind)
        if isinstance(cells, np.ndarray) and cells.dtype == np.int64:
            return pl.Series(name, cells, pl.Int64).cast(kind)
        return series_of(cells, name)  # type: ignore[arg-type]  # a name of `kinds` without a frame has cells


def _kind(cells: Cells) -> pl.DataType:
    if isinstance(cells, Text):
        return pl.String()
    if isinstance(cells, Wholes):
        return pl.Int64()
    return MOMENT if cells.dtype == np.int64 else pl.Float64()


def _name_of(column: pl.Expr) -> str:
    """Return the name of an expression's column; empty where it may have several."""
    return column.meta.output_name(raise_if_undetermined=False) or ""
