"""Parquet from strangers: its size is looked at first, then it is read, and its texts are counted as written out."""

from __future__ import annotations

import io

import polars as pl
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from features.messages.bounds import Bounds
from features.messages.parquet_footer import check_footer
from features.messages.raw import UnreadableFile

UNREADABLE = "not a readable Parquet file; write it again"
DAMAGED = (OSError, ValueError, pa.ArrowException, pl.exceptions.PolarsError, pl.exceptions.PanicException)


def read_rows(content: bytes, name: str, bounds: Bounds) -> pl.DataFrame:
    """Read all rows as they are stored; raises UnreadableFile for a damaged file, and for one beyond the bounds."""
    try:
        check_footer(content, name, bounds)
        file = pq.ParquetFile(io.BytesIO(content))
        words = [field.name for field in file.schema_arrow if _is_text(field.type)]
        table = pq.ParquetFile(io.BytesIO(content), read_dictionary=words).read()
        table.validate(full=True)  # places in dictionaries, and texts in UTF-8, which polars takes on trust
        size = sum(map(_bytes_written_out, table.columns))
        bounds.check_unpacked(size, name)
        return frame_of(table.cast(file.schema_arrow))
    except UnreadableFile:
        raise
    except DAMAGED as fault:
        raise UnreadableFile(f"{name}: {UNREADABLE}") from fault


def frame_of(table: pa.Table | pa.RecordBatch) -> pl.DataFrame:
    """The same rows as polars has them."""
    return pl.DataFrame(pl.from_arrow(table))


def _is_text(kind: pa.DataType) -> bool:
    kinds = (
        pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view,
        pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view,
    )  # fmt: skip
    return any(holds(kind) for holds in kinds)


def _bytes_written_out(column: pa.ChunkedArray) -> int:
    """Count the bytes of texts written out: a word of a dictionary stands for any number of rows."""
    size = 0
    for chunk in column.chunks:
        texts = chunk.dictionary if isinstance(chunk, pa.DictionaryArray) else chunk
        if not _is_text(texts.type):
            continue
        lengths = pc.cast(pc.binary_length(texts), pa.int64())
        of_rows = pc.take(lengths, chunk.indices) if isinstance(chunk, pa.DictionaryArray) else lengths
        size += int(pc.sum(of_rows).as_py() or 0)
    return size
