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
UNREADABLE = (OSError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)
Places = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that is open: the names of its columns, the rows that are read together, how it holds contents.

    scan: of the same file, for who reads a row by itself. emptied: whether all content of it was erased.
    """

    file: pq.ParquetFile
    scan: pl.LazyFrame
    names: list[str]
    group: int
    layout: Layout
    emptied: bool

    @classmethod
    def of(cls, path: Path) -> Opened:
        """Open a file and look into it; one that is deleted afterwards is read as before."""
        handle = path.open("rb")
        try:
            file = pq.ParquetFile(path, memory_map=True)
        except BaseException:
            handle.close()
            raise
        weakref.finalize(file, handle.close)
        metadata, schema = file.metadata, file.schema_arrow
        group = metadata.row_group(0).num_rows if metadata.num_row_groups else GROUP
        emptied = EMPTIED.items() <= (schema.metadata or {}).items()
        return cls(
            file,
            pl.scan_parquet(handle, glob=False, use_statistics=False),
            list(schema.names),
            group,
            layout_of(schema.metadata),
            emptied,
        )

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return int(self.file.metadata.num_rows)

    def between(self, names: list[str], start: int, rows: int) -> pl.DataFrame:
        """Return columns of so many rows from a place on."""
        return self.scan.slice(start, rows).select(names).collect()

    def alone(self, names: list[str], places: Places) -> pa.Table:
        """Return columns of single rows: no other row of their groups is decoded."""
        return self.as_stored(pl.concat([self.between(names, place, 1) for place in places.tolist()]))

    def as_stored(self, rows: pl.DataFrame) -> pa.Table:
        """Return rows as Arrow would have read them: in the types of the file, with what it says of itself."""
        schema = self.file.schema_arrow
        kinds = pa.schema([schema.field(name) for name in rows.columns], schema.metadata)
        return rows.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(kinds)
