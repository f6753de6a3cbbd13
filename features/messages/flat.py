"""The flat manifest, CSV or Parquet, as rows for the gate."""

from __future__ import annotations

import csv as stdlib_csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import csv

from features.contract import no_quarantine
from features.messages.raw import Raw, UnreadableFile

PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)
BLANK_LINE = re.compile(rb"\n\s*\n")
MARK = "\ufeff"  # the byte order mark that spreadsheets write
BLOCK = 1 << 20  # the CSV reader cannot see a quote close beyond its block, so a block must hold the file
REPLACEMENT = "\ufffd"


def read_flat(path: Path, *, separator: str = ",") -> Raw:
    """Read a flat manifest or outcome file; its format is told from its first bytes."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault
    if content[:4] == b"PAR1":
        return read_parquet(content, path.name)
    return read_csv(content, path.name, separator=separator)


def read_parquet(content: bytes, name: str) -> Raw:
    """Rows of a Parquet file, numbered from line 2 as in a CSV file with a header."""
    try:
        rows = pl.read_parquet(io.BytesIO(content))
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as fault:
        raise UnreadableFile(f"{name}: not a readable Parquet file; write it again") from fault
    return numbered(rows, 2)


def numbered(rows: pl.DataFrame, first: int) -> Raw:
    """Rows as they are stored, with their `line` from `first` on."""
    rows = rows.rename(dict(zip(rows.columns, plain_names(rows.columns), strict=True)))
    return Raw(rows.with_row_index("line", offset=first).with_columns(pl.col("line").cast(pl.Int64)), no_quarantine())


Broken = tuple[int, str, str, str | None]  # line, reason, remedy, the record
OPEN_QUOTE = ("an opened quote is never closed", "close it; the records after it were not read")


@dataclass
class BrokenRecords:
    """Records that have more or fewer fields than the header, as the CSV reader meets them."""

    records: list[Broken] = field(default_factory=list)

    def __call__(self, row: csv.InvalidRow) -> str:
        reason = f"{row.actual_columns} fields where the header has {row.expected_columns}"
        remedy = "one field for each column of the header"
        if row.text.count('"') % 2:
            reason, remedy = OPEN_QUOTE
        self.records.append((row.number, reason, remedy, row.text))
        return "skip"

    def taken(self, until: int) -> list[Broken]:
        """Those up to a line, which are then forgotten."""
        told = [record for record in self.records if record[0] <= until]
        self.records = self.records[len(told) :]
        return told

    def renumber(self, lines: pl.Series) -> None:
        """Name the line of each record, not its place among the records."""
        self.records = [(lines[number - 2], *rest) for number, *rest in self.records]

    def without_unclosed(self, rows: pl.DataFrame, content: bytes) -> pl.DataFrame:
        """The rows without the last, where a quote opened in its last field has swallowed the rest of the file."""
        found = any(record[1:3] == OPEN_QUOTE for record in self.records)
        if found or not rows.height or content.count(b'"') % 2 == 0:
            return rows
        last = rows.tail(1)
        text = last.select(pl.struct(pl.exclude("line")).struct.json_encode()).item()
        self.records.append((last["line"].item(), *OPEN_QUOTE, text))
        return rows.head(-1)


def read_csv(content: bytes, name: str, *, separator: str = ",") -> Raw:
    """Rows of a CSV file with a header, every column as text; records that do not fit the header are set apart."""
    content, damaged = _as_utf8(content.removeprefix(MARK.encode()).lstrip(b"\r\n"))
    header, broken = header_of(content, name, separator), BrokenRecords()
    try:
        table = csv.read_csv(
            io.BytesIO(content), **csv_options(header, separator, broken, max(BLOCK, len(content) + 1))
        )
    except pa.ArrowInvalid as fault:
        raise UnreadableFile(f"{name}: not a readable CSV file: an opened quote is never closed") from fault
    frame = pl.DataFrame(pl.from_arrow(table))
    lines = _lines(content, frame.height + len(broken.records))
    broken.renumber(lines)
    rows = frame.with_columns(lines.filter(~lines.is_in([record[0] for record in broken.records])))
    rows = broken.without_unclosed(rows, content)
    return raw_of(rows, broken.records, header, damaged=damaged)


def csv_options(header: list[str], separator: str, broken: BrokenRecords, block: int) -> dict[str, Any]:
    """How records are read: every column as text, quoted line ends kept, what does not fit set apart."""
    return {
        "read_options": csv.ReadOptions(
            use_threads=False, column_names=header, skip_rows_after_names=1, block_size=block
        ),
        "parse_options": csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=broken),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    }


def raw_of(rows: pl.DataFrame, broken: list[Broken], header: list[str], *, damaged: bool) -> Raw:
    """Rows and broken records; where bytes were damaged, the rows that they stood in are refused."""
    lost = rows.filter(_any_contains(header, REPLACEMENT)) if damaged else rows.clear()
    refused = broken + [(line, "not UTF-8", "save the file as UTF-8", None) for line in lost["line"]]
    return Raw(rows.join(lost, on="line", how="anti", maintain_order="left"), _quarantine(refused))


def _as_utf8(content: bytes) -> tuple[bytes, bool]:
    """The content as UTF-8, bytes that are none replaced by a mark that their row can be found by."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("utf-8", errors="replace").encode("utf-8"), True
    return content, False


def _any_contains(columns: list[str], text: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(c).str.contains(text, literal=True).fill_null(False) for c in columns)


def header_of(content: bytes, name: str, separator: str) -> list[str]:
    if not content.strip():
        raise UnreadableFile(f"{name}: the file is empty; a header row is needed")
    if content[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\x00" in content[:4096]:
        raise UnreadableFile(f"{name}: not UTF-8 text; save it as UTF-8")
    if len(separator) != 1 or separator in '"\r\n':
        raise UnreadableFile(f"{name}: the separator must be one character")
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", newline="")
    try:
        first = next(stdlib_csv.reader(text, delimiter=separator))
    except (stdlib_csv.Error, StopIteration) as fault:
        raise UnreadableFile(f"{name}: the header row cannot be read; write one name for each column") from fault
    names = [column.removeprefix(MARK).strip() for column in first]
    if len(set(names)) != len(names) or "" in names:
        raise UnreadableFile(f"{name}: the header names a column twice or leaves one without a name")
    return plain_names(names)


def plain_names(names: Sequence[str]) -> list[str]:
    """The names, but those that mean something else here changed to ones that are free.

    `line` is our number of the record; `*` and `^…$` are patterns of columns to polars, never a name.
    """
    plain: list[str] = []
    for name in names:
        own = "line_in_file" if name == "line" else f"{name}_" if PATTERN.fullmatch(name) else name
        while own != name and own in (*names, *plain):
            own += "_"
        plain.append(own)
    return plain


def _lines(content: bytes, records: int) -> pl.Series:
    """The line of each record, blank lines counted; where cells hold line ends, the number of the record instead."""
    numbers: Sequence[int] = range(2, records + 2)
    if BLANK_LINE.search(content):
        written = [number for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
        numbers = written[1:] if len(written) == records + 1 else numbers
    return pl.Series("line", numbers, dtype=pl.Int64)


def broken_record(line: int, reason: str, remedy: str) -> pl.DataFrame:
    """The quarantine row (QUARANTINE_COLUMNS) of a record that is no row, without its text."""
    return _quarantine([(line, reason, remedy, None)])


def _quarantine(refused: list[tuple[int, str, str, str | None]]) -> pl.DataFrame:
    return pl.DataFrame(
        [(line, "record", reason, remedy, f"record: {reason}", text) for line, reason, remedy, text in refused],
        schema=no_quarantine().schema,
        orient="row",
    ).sort("line")
