"""A file of settled decisions that is open: what it says of itself, and its rows, by group or one by one."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from service.store.settled_layout import EMPTIED, Layout, layout_of

GROUP = 5_000  # rows that are read together: one row costs a few milliseconds, and texts still compress well
ALONE = 2  # rows out of each group up to which they are read one by one: decoding all of a group takes three times that
UNREADABLE = (OSError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open: the names of its columns, the rows that are read together, how it holds contents.

    scan: reads of it. schema: its columns as Arrow has them. groups: how many rows lie together in each. emptied:
    whether all content of it was erased.
    """

    scan: pl.LazyFrame
    schema: pa.Schema
    groups: tuple[int, ...]
    layout: Layout
    emptied: bool

    @classmethod
    def of(cls, path: Path) -> Opened:
        """Open a file and look into it; one that is deleted afterwards is read as before."""
        handle = path.open("rb")
        try:
            with pq.ParquetFile(path) as file:
                metadata, schema = file.metadata, file.schema_arrow
            groups = tuple(metadata.row_group(at).num_rows for at in range(metadata.num_row_groups))
            scan = pl.scan_parquet(handle, glob=False, use_statistics=False)
        except BaseException:
            handle.close()
            raise
        weakref.finalize(scan, handle.close)
        emptied = EMPTIED.items() <= (schema.metadata or {}).items()
        return cls(scan, schema, groups, layout_of(schema.metadata), emptied)

    @property
    def names(self) -> list[str]:
        """The names of its columns."""
        return list(self.schema.names)

    @property
    def group(self) -> int:
        """How many rows are read together."""
        return self.groups[0] if self.groups else GROUP

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return sum(self.groups)

    def between(self, names: list[str], start: int, rows: int) -> pl.DataFrame:
        """Return columns of so many rows from a place on."""
        return self.scan.slice(start, rows).select(names).collect()

    def at(self, names: list[str], places: Places) -> pl.DataFrame:
        """Return columns of rows at ascending places: of few in a group each by itself, of many all of the group.

        Raises OutOfBoundsError for a place that the file does not have.
        """
        if len(places) and not 0 <= places[0] <= places[-1] < self.rows:
            raise pl.exceptions.OutOfBoundsError(f"place {places[-1]:,} of {self.rows:,} rows")
        groups = np.unique(places // self.group)
        if len(places) <= ALONE * len(groups):
            each = [self.between(names, place, 1) for place in places.tolist()]
            return pl.concat(each) if each else self.between(names, 0, 0)
        read = pl.concat([self.between(names, group * self.group, self.group) for group in groups.tolist()])
        return read[np.searchsorted(groups, places // self.group) * self.group + places % self.group]

    def as_stored(self, rows: pl.DataFrame) -> pa.Table:
        """Return rows as Arrow would have read them: in the types of the file, with what it says of itself."""
        kinds = pa.schema([self.schema.field(name) for name in rows.columns], self.schema.metadata)
        return rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kinds)
