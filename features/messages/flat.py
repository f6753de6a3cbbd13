"""The flat manifest, CSV or Parquet, as rows for the gate."""

from __future__ import annotations

import csv as stdlib_csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
from pyarrow import csv

from features.contract import no_quarantine
from features.messages.bounds import OF_A_FILE, Bounds
from features.messages.dialect import dialect_of
from features.messages.encodings import SEEMS, check_text, in_utf8, likely, remedy
from features.messages.format import Format
from features.messages.header import check_header
from features.messages.mapping import Mapping
from features.messages.parquet_file import read_rows
from features.messages.parquet_footer import PARQUET
from features.messages.raw import Raw, UnreadableFile
from features.messages.workbook import is_workbook, sheet_as_csv

PATTERN = re.compile(r"\*|\^.*\$", re.DOTALL)
BLANK_LINE = re.compile(rb"\n\s*\n")
MARK = "\ufeff"  # the byte order mark that spreadsheets write
BLOCK = 1 << 20  # the CSV reader cannot see a quote close beyond its block, so a block must hold the file
REPLACEMENT = "\ufffd"
START = 20_000  # bytes by which a file is recognised
HEADER = 200_000  # bytes of the first line of a text table: two thousand columns of a hundred characters


def read_flat(path: Path, *, separator: str = ",") -> Raw:
    """Read a flat manifest or outcome file; its format is told from its first bytes."""
    try:
        content = path.read_bytes()
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault
    if content.startswith(PARQUET):
        return read_parquet(content, path.name)
    return read_csv(content, path.name, separator=separator)


def read_parquet(content: bytes, name: str, bounds: Bounds = OF_A_FILE) -> Raw:
    """Read the rows of a Parquet file, numbered from line 2 as in a CSV file with a header; raises UnreadableFile."""
    return numbered(read_rows(content, name, bounds), 2)


def numbered(rows: pl.DataFrame, first: int) -> Raw:
    """Give rows as they are stored, with their `line` from `first` on."""
    rows = rows.rename(dict(zip(rows.columns, plain_names(rows.columns), strict=True)))
    return Raw(rows.with_row_index("line", offset=first).with_columns(pl.col("line").cast(pl.Int64)), no_quarantine())


Broken = tuple[int, str, str, str | None]  # line, reason, remedy, the record
NOT_UTF8 = "not UTF-8"
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
        """Hand over those up to a line, and forget them."""
        before = [record for record in self.records if record[0] <= until]
        self.records = self.records[len(before) :]
        return before

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


def read_csv(content: bytes, name: str, *, separator: str = ",", bounds: Bounds = OF_A_FILE) -> Raw:
    """Read a CSV file with a header, every column as text; records that do not fit the header are set apart."""
    content, damaged = _as_utf8(content.removeprefix(MARK.encode()).lstrip(b"\r\n"), name)
    header, broken = header_of(content, name, separator, bounds), BrokenRecords()
    bounds.check_rows(content.count(b"\n") + content.count(b"\r") - content.count(b"\r\n"), len(header), name)
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
    """Say how records are read: every column as text, quoted line ends kept, what does not fit set apart."""
    return {
        "read_options": csv.ReadOptions(
            use_threads=False, column_names=header, skip_rows_after_names=1, block_size=block
        ),
        "parse_options": csv.ParseOptions(delimiter=separator, newlines_in_values=True, invalid_row_handler=broken),
        "convert_options": csv.ConvertOptions(
            column_types=dict.fromkeys(header, pa.string()), strings_can_be_null=True, null_values=[""]
        ),
    }


def raw_of(rows: pl.DataFrame, broken: list[Broken], header: list[str], *, damaged: str | None) -> Raw:
    """Rows and broken records; where bytes were damaged, the rows that they stood in are refused.

    damaged: the encoding that damaged bytes seem to be in, empty where it is unknown, None where none are damaged.
    """
    lost = rows.clear() if damaged is None else rows.filter(_any_contains(header, REPLACEMENT))
    texts = lost.select(pl.struct(pl.exclude("line")).struct.json_encode()).to_series()
    seems = f"; {SEEMS}{damaged}" if damaged else ""
    how = (NOT_UTF8, f"{remedy(damaged or '')}{seems}")
    foreign = [(line, *how, text) for line, text in zip(lost["line"], texts, strict=True)]
    refused = broken + foreign
    return Raw(rows.join(lost, on="line", how="anti", maintain_order="left"), quarantine_of(refused))


def _as_utf8(content: bytes, name: str) -> tuple[bytes, str | None]:
    """The content as UTF-8, bytes that are none replaced by a mark that their row can be found by, and `damaged`."""
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        check_text(content, name)
        return content.decode("utf-8", errors="replace").encode("utf-8"), likely(content)
    return content, None


def _any_contains(columns: list[str], text: str) -> pl.Expr:
    return pl.any_horizontal(pl.col(c).str.contains(text, literal=True).fill_null(False) for c in columns)


def header_of(content: bytes, name: str, separator: str, bounds: Bounds) -> list[str]:
    """Return the names of a header, other than those of ours; raises UnreadableFile."""
    if not content.strip():
        raise UnreadableFile(f"{name}: the file is empty; a header row is needed")
    check_text(content, name)
    if len(separator) != 1 or separator in '"\r\n':
        raise UnreadableFile(f"{name}: the separator must be one character")
    line = content[:HEADER].split(b"\n", 1)[0]
    bounds.check_columns(line.count(separator.encode()) + 1, name)
    if len(line) == HEADER:
        raise UnreadableFile(f"{name}: a header of more than {HEADER:,} bytes; name the columns in short words")
    text = io.TextIOWrapper(io.BytesIO(content), encoding="utf-8", errors="replace", newline="")
    try:
        first = next(stdlib_csv.reader(text, delimiter=separator))
    except (stdlib_csv.Error, StopIteration) as fault:
        raise UnreadableFile(f"{name}: the header row cannot be read; write one name for each column") from fault
    names = [column.removeprefix(MARK).strip() for column in first]
    if len(set(names)) != len(names) or "" in names:
        raise UnreadableFile(f"{name}: the header names a column twice or leaves one without a name")
    return plain_names(names)


def plain_names(names: Sequence[str]) -> list[str]:
    """Return the names, but those that mean something else here changed to ones that are free.

    `line` is our number of the record; `*` and `^…$` are patterns of columns to polars, never a name.
    """
    plain: list[str] = []
    for name in names:
        free = "line_in_file" if name == "line" else f"{name}_" if PATTERN.fullmatch(name) else name
        while free != name and free in (*names, *plain):
            free += "_"
        plain.append(free)
    return plain


def _lines(content: bytes, records: int) -> pl.Series:
    """Number the lines of records, blank lines counted; where cells hold line ends, number the records instead."""
    numbers: Sequence[int] = range(2, records + 2)
    if BLANK_LINE.search(content):
        written = [number for number, line in enumerate(content.splitlines(), start=1) if line.strip()]
        numbers = written[1:] if len(written) == records + 1 else numbers
    return pl.Series("line", numbers, dtype=pl.Int64)


def broken_record(line: int, reason: str, remedy: str) -> pl.DataFrame:
    """The quarantine row (QUARANTINE_COLUMNS) of a record that is no row, without its text."""
    return quarantine_of([(line, reason, remedy, None)])


def quarantine_of(refused: list[Broken]) -> pl.DataFrame:
    """The quarantine rows (QUARANTINE_COLUMNS) of records that are no rows."""
    return pl.DataFrame(
        [(line, "record", reason, remedy, f"record: {reason}", text) for line, reason, remedy, text in refused],
        schema=no_quarantine().schema,
        orient="row",
    ).sort("line")


def read_table(content: bytes, name: str, mapping: Mapping, bounds: Bounds) -> Raw:
    """Read the rows of a Parquet or CSV file, or workbook, that is a manifest; raises UnreadableFile."""
    raw = read_unchecked(content, name, mapping, bounds)
    check_header(raw, name, mapping)
    return raw


def read_unchecked(content: bytes, name: str, mapping: Mapping, bounds: Bounds) -> Raw:
    """Read the rows of a Parquet or CSV file, or workbook, whatever its columns are called; raises UnreadableFile."""
    if content.startswith(PARQUET):
        return read_parquet(content, name, bounds)
    return read_text_table(content, name, mapping, bounds)


def read_text_table(content: bytes, name: str, mapping: Mapping, bounds: Bounds) -> Raw:
    """Read the rows of a CSV file in the dialect that it is written in, or of a sheet of a workbook."""
    if is_workbook(content):
        return _read_sheet(sheet_as_csv(content, name, mapping.sheet, bounds), name, bounds)
    content = in_utf8(content, name, mapping.encoding)
    dialect = dialect_of(content[:START], mapping.separator)
    raw = read_csv(content[dialect.before :], name, separator=dialect.separator, bounds=bounds)
    return raw if dialect.separator == mapping.separator else replace(raw, separator=dialect.separator)


def _read_sheet(sheet: bytes, name: str, bounds: Bounds) -> Raw:
    """Read the rows of a sheet, by their numbers in it: its header stands below empty rows, if it has any."""
    header = sheet.lstrip(b"\n")
    raw, lines = read_csv(header, name, bounds=bounds), pl.col("line") + len(sheet) - len(header)
    return replace(raw, rows=raw.rows.with_columns(lines), broken=raw.broken.with_columns(lines))


FORMAT = Format(
    "flat",
    recognises=lambda opening, _: not (opening.is_xml or opening.is_json),
    read=read_table,
    is_fallback=True,
)
