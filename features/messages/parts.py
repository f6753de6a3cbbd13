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

from features.choices import FormatName
from features.contract import UNDECODABLE
from features.messages.bounds import OF_A_FILE
from features.messages.dialect import dialect_of
from features.messages.encodings import encoding_of, is_utf8, likely
from features.messages.flat import (
    MARK,
    OPEN_QUOTE,
    START,
    BrokenRecords,
    broken_record,
    csv_options,
    header_of,
    numbered,
    raw_of,
)
from features.messages.formats import PACKED, format_of, read_file
from features.messages.mapping import UNMAPPED, Mapping
from features.messages.parquet_file import DAMAGED, UNREADABLE, frame_of
from features.messages.parquet_footer import PARQUET
from features.messages.raw import Raw, UnreadableFile
from features.messages.workbook import OLE, ZIP

PACKED_DOCUMENTS = (OLE, ZIP)  # a workbook, or what is refused
PART = 16 * 1024**2  # bytes of text in one part
BATCH, CELLS = 50_000, 5_000_000  # rows of a Parquet file in one part, and values


def read_parts(
    path: Path, mapping: Mapping = UNMAPPED, format: FormatName | None = None, size: int = PART
) -> Iterator[Raw]:
    """Yield the content of a file: a flat one of more than `size` bytes in several parts, anything else in one.

    Raises UnreadableFile as read_file does; where a quote is opened and never closed, the rest is one broken record.
    """
    try:
        start, length = _start(path), path.stat().st_size
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault
    packing = next((kind for magic, kind in PACKED.items() if start.startswith(magic)), None)
    parquet = start.startswith(PARQUET) and format in (None, "flat")
    if parquet and (length > size or _rows_of(path) > BATCH):
        yield from _of_parquet(path)
    elif packing is None and (length <= size or start.startswith(PACKED_DOCUMENTS)):
        yield read_file(path, mapping, format)
    elif packing is None:
        flat = (format or format_of(start, path.name, mapping)) == "flat"
        with path.open("rb") as file:
            if flat:
                yield from _of_csv(file, start, path.name, mapping, size)
                return
        yield read_file(path, mapping, format)
    else:
        yield from _unpacked(path, packing, mapping, format, size)


def _unpacked(path: Path, packing: str, mapping: Mapping, format: FormatName | None, size: int) -> Iterator[Raw]:
    try:
        with pa.CompressedInputStream(pa.OSFile(str(path)), packing) as stream:
            start = stream.read(START)
        recognised = None if start.startswith(PARQUET) else format or format_of(start, path.name, mapping)
        if recognised != "flat" or any(start.startswith(magic) for magic in PACKED):
            yield read_file(path, mapping, format)
            return
        with pa.CompressedInputStream(pa.OSFile(str(path)), packing) as stream:
            yield from _of_csv(stream, start, path.name, mapping, size)
    except (OSError, pa.ArrowException) as fault:
        raise UnreadableFile(f"{path.name}: a damaged {packing} file; pack it again") from fault


def _start(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(START)


class _Text(io.RawIOBase):
    """A stream as UTF-8 without its first `before` bytes: invalid bytes become a mark to find their record by."""

    def __init__(self, stream: BinaryIO, encoding: str, before: int) -> None:
        super().__init__()
        self._stream, self._decoder = stream, codecs.getincrementaldecoder(encoding)("replace")
        self._ready, self._before = b"", before
        self._damaged: str | None = "" if encoding == "utf-8" else None

    @property
    def damaged(self) -> str | None:
        """The encoding of the first bytes that were invalid, as `raw_of` takes it."""
        return self._damaged

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """As many bytes as are asked for while there are any: of a short block the CSV reader loses its record."""
        while size < 0 or len(self._ready) < size:
            piece = self._stream.read(max(size, START))
            self._ready += self._decoded(piece)
            if not piece:
                break
        given, self._ready = (self._ready, b"") if size < 0 else (self._ready[:size], self._ready[size:])
        return given

    def _decoded(self, piece: bytes) -> bytes:
        decoded = self._decoder.decode(piece, final=not piece)
        if self._damaged == "" and UNDECODABLE in decoded:
            self._damaged = likely(piece)
        text = decoded.encode("utf-8")
        rest, self._before = text[self._before :], max(0, self._before - len(text))
        return rest


def _of_csv(stream: BinaryIO, start: bytes, name: str, mapping: Mapping, size: int) -> Iterator[Raw]:
    """Yield parts of a CSV file; records are counted, not lines, as blank lines do not matter in a file of millions."""
    encoding = encoding_of(start, mapping.encoding)
    first = start.decode(encoding, errors="ignore").encode("utf-8")
    mark = len(first) - len(first.removeprefix(MARK.encode()))
    dialect = dialect_of(first[mark:], mapping.separator)
    before = mark + dialect.before
    separator, broken, last = dialect.separator, BrokenRecords(), 1
    header = header_of(
        start if is_utf8(encoding) and not mark + dialect.before else first[before:], name, separator, OF_A_FILE
    )
    text = _Text(stream, encoding, before)
    source = pa.PythonFile(text, mode="r")
    try:
        with csv.open_csv(source, **csv_options(header, separator, broken, size)) as batches:
            for batch in batches:
                rows = pl.DataFrame(pl.from_arrow(batch))
                among = np.arange(last + 1, last + 1 + rows.height + len(broken.records))
                lines = among[~np.isin(among, [record[0] for record in broken.records])][: rows.height]
                last = int(lines[-1]) if len(lines) else last
                numbers = pl.Series("line", lines, dtype=pl.Int64)
                yield raw_of(rows.with_columns(numbers), broken.taken(last), header, damaged=text.damaged)
    except pa.ArrowInvalid:
        yield Raw(pl.DataFrame(schema={"line": pl.Int64}), broken_record(last + 1, *OPEN_QUOTE))
        return
    if broken.records:
        nothing = pl.DataFrame(schema={"line": pl.Int64, **dict.fromkeys(header, pl.String)})
        yield raw_of(nothing, broken.records, header, damaged=None)


def _rows_of(path: Path) -> int:
    """Read from its footer how many rows a Parquet file holds: a small one can hold millions."""
    try:
        return int(pq.read_metadata(path).num_rows)
    except (OSError, pa.ArrowException):
        return 0  # whoever reads it says what is wrong


def _of_parquet(path: Path) -> Iterator[Raw]:
    before = 2
    try:
        with pq.ParquetFile(path) as file:
            columns, rows = file.metadata.num_columns, file.metadata.num_rows
            OF_A_FILE.check_columns(columns, path.name)
            OF_A_FILE.check_rows(rows, columns, path.name)
            for batch in file.iter_batches(batch_size=max(1, min(BATCH, CELLS // max(1, columns)))):
                batch.validate(full=True)
                frame = frame_of(batch)
                yield numbered(frame, before)
                before += frame.height
            if before == 2:
                yield numbered(frame_of(file.schema_arrow.empty_table()), before)
    except UnreadableFile:
        raise
    except DAMAGED as fault:
        raise UnreadableFile(f"{path.name}: {UNREADABLE}") from fault
