"""Rows that are kept as columns, as a frame, or as both: what somebody asks for is made once, and kept.

What lies on the path of a call asks for columns, and no frame is made of its one row; files, archive, training and
reports have frames, and their columns are read when a feature asks for one.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra.frames import Column, column_of, series_of
from features.algebra.text import Text

Flags = npt.NDArray[np.bool_]
MOMENT = pl.Datetime("us", "UTC")
EPOCH = datetime(1970, 1, 1, tzinfo=ZoneInfo("UTC"))  # as polars gives moments
STRING, INT64, FLOAT64 = pl.String(), pl.Int64(), pl.Float64()


def anywhere(flags: Flags) -> bool:
    """Whether a condition holds in any row; of few rows found far sooner than by `any`."""
    return bool(np.count_nonzero(flags))


@dataclass(slots=True, eq=False)
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

    def taken(self, places: npt.NDArray[np.intp]) -> Wholes:
        """Return the numbers of some rows."""
        return Wholes(self.values[places], None if self.known is None else self.known[places])

    def part(self, start: int, end: int) -> Wholes:
        """Return the numbers from one row to before another."""
        return Wholes(self.values[start:end], None if self.known is None else self.known[start:end])


class Lists:
    """A column of lists, such as the evidence that each consignment states.

    rows: of each row its values, None where it has no list. kind: of its series.
    """

    __slots__ = ("kind", "rows")

    def __init__(self, rows: Sequence[Sequence[Any] | None], kind: pl.DataType) -> None:
        self.rows, self.kind = rows, kind

    def __len__(self) -> int:
        return len(self.rows)

    def taken(self, places: npt.NDArray[np.intp]) -> Lists:
        """Return the lists of some rows."""
        return Lists([self.rows[place] for place in places.tolist()], self.kind)

    def part(self, start: int, end: int) -> Lists:
        """Return the lists from one row to before another."""
        return Lists(self.rows[start:end], self.kind)


Held = Column | Wholes | Lists
Cells = Held | pl.Series  # texts, numbers, moments (int64), whole numbers, lists, or what is a series already


class Table:
    """Rows of named columns.

    A column can be asked for as what features compute with (`column`), as whole numbers (`whole`) or as a series, and
    all of them as a frame. Unknown is None in texts, NaN in numbers, and null in series and frames.

    >>> table = Table.of({"office": Text.of(["FRCDG1", None]), "version": Wholes(np.array([1, 2]))})
    >>> table.column("office").rows(), table.whole("version").values.tolist(), table.frame.row(1)
    (['FRCDG1', None], [1, 2], (None, 2))
    """

    __slots__ = ("_base", "_cells", "_changed", "_loose", "_series", "height", "kinds")

    def __init__(
        self,
        kinds: Mapping[str, pl.DataType],
        height: int,
        cells: Mapping[str, Held] | None = None,
        base: pl.DataFrame | None = None,
    ) -> None:
        """kinds: the type of each column's series. base: a frame of the columns, if there is one."""
        self.kinds, self.height, self._base = kinds, height, base
        self._cells = dict(cells or {})
        self._series: dict[str, pl.Series] = {}
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
        table = cls(_kinds_of(columns, kinds), height)
        table._add(columns)
        return table

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
            base = self._base.with_columns(self._made(name) for name in self._changed)
            self._base = base.select(list(self.kinds))
        self._changed = ()
        return self._base

    def series(self, name: str) -> pl.Series:
        """Return a column as a series; raises KeyError where there is none of this name."""
        if name not in self.kinds:
            raise KeyError(name)
        if name in self._series:
            return self._series[name]
        if self._base is None or name in self._changed:
            return self._made(name)
        return self._base.get_column(name)

    def column(self, name: str) -> Column:
        """Return a column as features take it, whole numbers as numbers; raises as `series`, and as `column_of`."""
        cells = self._held(name)
        if cells is None:
            cells = self._cells[name] = column_of(self.series(name))
        if isinstance(cells, Lists):
            raise TypeError(f"{name} is a column of lists")
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
        if not self._loose and isinstance(text := self._cells.get(name), Text):
            return text
        column = self.column(name)
        if not isinstance(column, Text):
            raise TypeError(f"{name} is no column of texts")
        return column

    def missing(self, name: str) -> Flags | None:
        """Return where a text or a number is unknown; None where it is nowhere. Raises as `series`."""
        cells = self._held(name)
        if isinstance(cells, Text):
            return ~cells.known() if None in cells.words else None
        if isinstance(cells, np.ndarray):
            unknown = np.isnan(cells)
            return unknown if anywhere(unknown) else None
        series = self.series(name)
        return series.is_null().to_numpy() if series.null_count() else None

    def is_held_as_text(self, name: str) -> bool:
        """Whether distinct texts of a column are there already."""
        return name in self._loose or isinstance(self._cells.get(name), Text)

    def lists(self, name: str) -> Lists | pl.Series:
        """Return a column of lists in the form in which it is held; raises as `series`."""
        cells = self._cells.get(name)
        return cells if isinstance(cells, Lists) else self.series(name)

    def text_or_unknown(self, name: str) -> Text:
        """Return a column of texts; one that is unknown throughout, whatever its type, as texts that are unknown."""
        if not self._loose and isinstance(text := self._cells.get(name), Text):
            return text
        column = self.column(name)
        return column if isinstance(column, Text) else Text(np.zeros(self.height, np.intp), (None,))

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
        is_own = self._base is None or name in self._changed
        cells = self._loose.get(name, self._cells.get(name)) if is_own else None
        plain = None if cells is None else _plain(cells, self.kinds[name])
        return self.series(name).to_list() if plain is None else plain

    def holding(self, columns: Mapping[str, Cells], kinds: Mapping[str, pl.DataType] | None = None) -> Table:
        """Return the same rows with columns added, or in the place of those of the same names."""
        new = _kinds_of(columns, kinds)
        table = Table({**self.kinds, **new}, self.height, self._cells, self._base)
        table._series, table._loose = dict(self._series), dict(self._loose)
        if self._base is not None:
            table._changed = tuple(dict.fromkeys((*self._changed, *new)))
        table._add(columns)
        return table

    def select(self, names: Iterable[str]) -> Table:
        """Return some columns, in this order; raises KeyError where one is lacking."""
        return self.arranged(names, {})

    def arranged(
        self, names: Iterable[str], columns: Mapping[str, Cells], kinds: Mapping[str, pl.DataType] | None = None
    ) -> Table:
        """Return the same rows with columns of these names, in this order: the new ones, and its own; see `select`."""
        kept_kinds, new = self.kinds, _kinds_of(columns, kinds)
        table = Table({name: new[name] if name in new else kept_kinds[name] for name in names}, self.height)
        kept = table.kinds.keys() - new.keys()
        table._cells = {name: held for name, held in self._cells.items() if name in kept}
        if self._series:
            table._series = {name: held for name, held in self._series.items() if name in kept}
        if self._loose:
            table._loose = {name: text for name, text in self._loose.items() if name in kept}
        table._add(columns)
        if self._base is not None:
            held = set(self._base.columns)
            table._base = self._base.select(name for name in table.kinds if name in held)
            table._changed = tuple(name for name in table.kinds if name in self._changed or name in new)
        return table

    def _add(self, columns: Mapping[str, Cells]) -> None:
        """Hold columns, in the place of what is held of them in any form."""
        if not self._series and not self._loose and pl.Series not in set(map(type, columns.values())):
            self._cells.update(columns)  # type: ignore[arg-type]  # none of them is a series
            return
        for name, held in columns.items():
            if isinstance(held, pl.Series):
                self._series[name] = held.alias(name)
                self._cells.pop(name, None)
            else:
                self._cells[name] = held
                self._series.pop(name, None)
            self._loose.pop(name, None)

    def taken(self, places: npt.NDArray[np.intp]) -> Table:
        """Return the rows at some places, in their order."""
        table = Table(self.kinds, len(places), base=None if self._base is None else self._base[places])
        table._changed = self._changed
        table._series = {name: series.gather(places) for name, series in self._series.items()}
        texts = {name: held for name, held in self._cells.items() if isinstance(held, Text)} | self._loose
        table._loose = {name: text.take(places) for name, text in texts.items()}
        for name, held in self._cells.items():
            if not isinstance(held, Text):
                table._cells[name] = held.taken(places) if isinstance(held, Wholes | Lists) else held[places]
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
        cells = {n: c.part(start, end) if isinstance(c, Wholes | Lists) else c[start:end] for n, c in whole.items()}
        part = Table(self.kinds, max(0, min(end, self.height) - start), cells, base)
        part._changed = self._changed
        part._series = {name: series.slice(start, end - start) for name, series in self._series.items()}
        texts = {name: cells for name, cells in self._cells.items() if isinstance(cells, Text)} | self._loose
        part._loose = {name: Text(text.codes[start:end], text.words) for name, text in texts.items()}
        return part

    def rows(self, start: int, count: int) -> list[dict[str, Any]]:
        """Return at most `count` rows from a place on, in plain values; None where one is unknown."""
        start, end = min(start, self.height), min(start + count, self.height)
        part = self if end - start == self.height else self.part(start, end)
        columns = [part.values(name) for name in self.kinds]
        return [dict(zip(self.kinds, row, strict=True)) for row in zip(*columns, strict=True)]

    def _held(self, name: str) -> Held | None:
        """Return the cells of a column that is one already; of a part with its own words alone."""
        loose = self._loose.get(name) if self._loose else None
        if loose is not None:
            self._cells[name] = loose.compact()
            self._loose.pop(name, None)  # not before: another thread may ask for it
        return self._cells.get(name)

    def _made(self, name: str) -> pl.Series:
        series = self._series.get(name)
        if series is None:
            series = self._series[name] = _series_of(self._held(name), name, self.kinds[name])
        return series


def _series_of(cells: Held | None, name: str, kind: pl.DataType) -> pl.Series:
    if isinstance(cells, Wholes):
        return cells.series(name, kind)
    if isinstance(cells, Lists):
        return pl.Series(name, cells.rows, kind)
    if isinstance(cells, np.ndarray) and cells.dtype == np.int64:
        return pl.Series(name, cells, pl.Int64).cast(kind)
    return series_of(cells, name)  # type: ignore[arg-type]  # a column without frame and series has cells


def _plain(cells: Held, kind: pl.DataType) -> list[Any] | None:
    """Return cells as values of Python; None where a series of this type would hold others."""
    if isinstance(cells, Text):
        return cells.rows() if kind is STRING or kind == STRING else None
    if isinstance(cells, Wholes):
        return cells.rows() if kind is INT64 or kind.is_integer() else None
    if isinstance(cells, Lists):
        return list(cells.rows)
    if cells.dtype == np.int64:
        return [EPOCH + timedelta(0, 0, number) for number in cells.tolist()] if kind == MOMENT else None
    if kind is not FLOAT64 and kind != FLOAT64:
        return None
    return [None if number != number else number for number in cells.tolist()]


def _kinds_of(columns: Mapping[str, Cells], kinds: Mapping[str, pl.DataType] | None) -> dict[str, pl.DataType]:
    usual = {name: KIND_OF.get(type(cells)) or _kind(cells) for name, cells in columns.items()}
    return {**usual, **{name: kind for name, kind in kinds.items() if name in usual}} if kinds else usual


def _kind(cells: Cells) -> pl.DataType:
    if isinstance(cells, Text | Wholes):
        return KIND_OF[type(cells)]
    if isinstance(cells, np.ndarray):
        return MOMENT if cells.dtype == np.int64 else FLOAT64
    return cells.kind if isinstance(cells, Lists) else cells.dtype


KIND_OF: dict[type, pl.DataType] = {Text: STRING, Wholes: INT64}


def _name_of(column: pl.Expr) -> str:
    """Return the name of an expression's column; empty where it may have several."""
    return column.meta.output_name(raise_if_undetermined=False) or ""
