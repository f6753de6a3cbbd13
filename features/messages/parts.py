"""Large flat files in parts of bounded size, so that a manifest of any length is read in the memory of one part."""

from __future__ import annotations

import codecs
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from features.messages.flat import (
    OPEN_QUOTE,
    BrokenRecords,
    broken_record,
    csv_options,
    header_of,
    numbered,
    raw_of,
)
from features.messages.formats import PACKED, format_of, read_file
from features.messages.mapping import UNMAPPED, Mapping
from features.messages.raw import Raw, UnreadableFile
from features.words import FormatName

PART = 16 * 1024**2  # bytes of text in one part
BATCH = 50_000  # rows of a Parquet file in one part
START = 20_000  # bytes by which a format is told


def read_parts(
    path: Path, mapping: Mapping = UNMAPPED, format: FormatName | None = None, size: int = PART
) -> Iterator[Raw]:
    """What a file holds: a flat one of more than `size` bytes in several parts, anything else in one.

    Raises UnreadableFile as read_file does; where a quote is opened and never closed, the rest is one broken record.
    """
    try:
        start, length = _start(path), path.stat().st_size
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault
    packing = next((kind for magic, kind in PACKED.items() if start.startswith(magic)), None)
    if packing is None and length <= size:
        yield read_file(path, mapping, format)
    elif start.startswith(b"PAR1") and format in (None, "flat"):
        yield from _of_parquet(path)
    elif packing is None:
        flat = (format or format_of(start, path.name, mapping)) == "flat"
        with path.open("rb") as file:
            if flat:
                yield from _of_csv(file, start, path.name, mapping.separator, size)
                return
        yield read_file(path, mapping, format)
    else:
        yield from _unpacked(path, packing, mapping, format, size)


def _unpacked(path: Path, packing: str, mapping: Mapping, format: FormatName | None, size: int) -> Iterator[Raw]:
    try:
        with pa.CompressedInputStream(pa.OSFile(str(path)), packing) as stream:
            start = stream.read(START)
        told = None if start.startswith(b"PAR1") else format or format_of(start, path.name, mapping)
        if told != "flat" or any(start.startswith(magic) for magic in PACKED):
            yield read_file(path, mapping, format)
            return
        with pa.CompressedInputStream(pa.OSFile(str(path)), packing) as stream:
            yield from _of_csv(stream, start, path.name, mapping.separator, size)
    except (OSError, pa.ArrowException) as fault:
        raise UnreadableFile(f"{path.name}: a damaged {packing} file; pack it again") from fault


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(START)


class _Text(io.RawIOBase):
    """A stream as UTF-8: bytes that are none become a mark that their record can be found by."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__()
        self._stream, self._decoder = stream, codecs.getincrementaldecoder("utf-8-sig")("replace")
        self._ready = b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        while not self._ready:
            piece = self._stream.read(max(size, START))
            self._ready = self._decoder.decode(piece, final=not piece).encode("utf-8")
            if not piece:
                break
        given, self._ready = (self._ready, b"") if size < 0 else (self._ready[:size], self._ready[size:])
        return given


def _of_csv(stream: BinaryIO, start: bytes, name: str, separator: str, size: int) -> Iterator[Raw]:
    """Parts of a CSV file; records are counted, for whoever has millions of lines counts no blank ones."""
    header, broken, last = header_of(start, name, separator), BrokenRecords(), 1
    source = pa.PythonFile(_Text(stream), mode="r")
    try:
        with csv.open_csv(source, **csv_options(header, separator, broken, size)) as batches:
            for batch in batches:
                rows = pl.DataFrame(pl.from_arrow(batch))
                among = np.arange(last + 1, last + 1 + rows.height + len(broken.records))
                lines = among[~np.isin(among, [record[0] for record in broken.records])][: rows.height]
                last = int(lines[-1]) if len(lines) else last
                numbers = pl.Series("line", lines, dtype=pl.Int64)
                yield raw_of(rows.with_columns(numbers), broken.taken(last), header, damaged=True)
    except pa.ArrowInvalid:
        yield Raw(pl.DataFrame(schema={"line": pl.Int64}), broken_record(last + 1, *OPEN_QUOTE))
        return
    if broken.records:
        nothing = pl.DataFrame(schema={"line": pl.Int64, **dict.fromkeys(header, pl.String)})
        yield raw_of(nothing, broken.records, header, damaged=False)


def _of_parquet(path: Path) -> Iterator[Raw]:
    before = 2
    try:
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(batch_size=BATCH):
                frame = pl.DataFrame(pl.from_arrow(batch))
                yield numbered(frame, before)
                before += frame.height
            if before == 2:
                yield numbered(pl.DataFrame(pl.from_arrow(file.schema_arrow.empty_table())), before)
    except (OSError, pa.ArrowException) as fault:
        raise UnreadableFile(f"{path.name}: not a readable Parquet file; write it again") from fault
