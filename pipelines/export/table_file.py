"""One exported table as a Parquet file, written in row groups as its rows come, and in its place once it is whole."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from pipelines.export.export_tables import ExportTable

ROWS_OF_A_GROUP = 50_000
PLAIN = pl.CompatLevel.oldest()  # types of Arrow that every reader knows


class TableFile:
    """A table that is being written; nothing of it is left where that ends in a fault."""

    def __init__(self, folder: Path, table: ExportTable, facts: Mapping[str, str]) -> None:
        """facts: kept in the file beside its rows, with the meaning of each column."""
        self.table, self.rows = table, 0
        self.path = folder / f"{table.name}.parquet"
        self._writing = folder / f".{table.name}.writing"
        self._waiting: list[pl.DataFrame] = []
        kept = {f"tamis.{name}": value for name, value in facts.items()}
        meanings = {column.name: column.meaning for column in table.columns}
        plain = table.schema.to_frame().to_arrow(compat_level=PLAIN).schema
        fields = [field.with_metadata({"meaning": meanings[field.name]}) for field in plain]
        self._schema = pa.schema(fields, metadata=kept)
        self._writer = pq.ParquetWriter(self._writing, self._schema, compression="zstd")

    def __enter__(self) -> TableFile:
        return self

    def add(self, rows: pl.DataFrame) -> None:
        """Add rows; columns that the table has and the rows lack are empty."""
        lacking = [c for c in self.table.columns if c.name not in rows.columns]
        whole = rows.with_columns(pl.lit(None, c.kind).alias(c.name) for c in lacking)
        self._waiting.append(whole.select(pl.col(c.name).cast(c.kind) for c in self.table.columns))
        self.rows += rows.height
        if sum(frame.height for frame in self._waiting) >= ROWS_OF_A_GROUP:
            self._flush()

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        if kind is None:
            self._flush()
        self._writer.close()
        if kind is None:
            self._writing.replace(self.path)
        else:
            self._writing.unlink(missing_ok=True)

    def _flush(self) -> None:
        if self._waiting:
            rows = pl.concat(self._waiting)
            self._waiting = []
            table = rows.to_arrow(compat_level=PLAIN).cast(self._schema)
            self._writer.write_table(table, row_group_size=ROWS_OF_A_GROUP)
