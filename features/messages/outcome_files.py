"""Inspection results from a file: CSV, Parquet or JSON lines, packed or not, as rows for the gate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl

from features.messages.bounds import OF_A_FILE
from features.messages.file_kinds import foreign_kind
from features.messages.flat import plain_names, quarantine_of, read_parquet, read_text_table
from features.messages.formats import unpacked
from features.messages.header import check_header
from features.messages.mapping import OUTCOME_BY_NAME, UNMAPPED, Mapping
from features.messages.parquet_footer import PARQUET
from features.messages.raw import Raw, UnreadableFile
from features.messages.strict_json import loads_once
from features.messages.workbook import is_workbook

NO_OBJECT = ("not a JSON object", "one JSON object a line, its names those of the columns of results, each once")


def read_outcomes(path: Path, mapping: Mapping = UNMAPPED) -> Raw:
    """Read a file of inspection results; raises UnreadableFile."""
    try:
        content = unpacked(path.read_bytes(), path.name, OF_A_FILE)
    except OSError as fault:
        raise UnreadableFile(f"{path}: {fault.strerror}") from fault
    raw = read_any_outcomes(content, path.name, mapping)
    check_header(raw, path.name, mapping, outcomes=True)
    return raw


def read_any_outcomes(content: bytes, name: str, mapping: Mapping) -> Raw:
    """Read the rows of a table or of JSON lines, whatever its columns are called; raises UnreadableFile."""
    if content.startswith(PARQUET):
        return read_parquet(content, name, OF_A_FILE)
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").lstrip()
    if start.startswith(b"{") and not start.startswith(b"{\\rtf"):
        return _json_lines(content, name)
    if not is_workbook(content) and (foreign := foreign_kind(content)):
        raise UnreadableFile(f"{name}: {foreign}")
    if start.startswith((b"<", b"[")):
        raise UnreadableFile(f"{name}: no table of results; send CSV, Parquet or JSON lines")
    return read_text_table(content, name, mapping, OF_A_FILE)


def _json_lines(content: bytes, name: str) -> Raw:
    """One object a line, numbered from 1; what is no object is set apart."""
    rows: list[dict[str, Any]] = []
    broken: list[tuple[int, str, str, str | None]] = []
    for number, line in enumerate(content.removeprefix(b"\xef\xbb\xbf").splitlines(), start=1):
        if not line.strip():
            continue
        try:
            found = loads_once(line.decode("utf-8"))
        except (ValueError, RecursionError):
            found = None
        if isinstance(found, dict):
            rows.append({"line": number, **_cells(found)})
        else:
            broken.append((number, *NO_OBJECT, line.decode("utf-8", errors="replace")))
    names = list(dict.fromkeys(name for row in rows for name in row)) or ["line", *OUTCOME_BY_NAME]
    OF_A_FILE.check_columns(len(names), name)
    OF_A_FILE.check_rows(len(rows), len(names), name)
    schema = {name: pl.Int64() if name == "line" else pl.String() for name in names}
    return Raw(pl.DataFrame(rows, schema=schema, orient="row"), quarantine_of(broken))


def _cells(found: dict[str, Any]) -> dict[str, str | None]:
    return dict(zip(plain_names(list(found)), map(_text, found.values()), strict=True))


def _text(value: object) -> str | None:
    """A value as a cell of the table; several findings stand in one cell."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return ";".join(str(part) for part in value)
    return json.dumps(value)  # true, false and numbers as the contract writes them
