"""The first rows of a file as they would be understood, without a home, a store or a trace."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from features.choices import FormatName
from features.consignment import BY_NAME, Column
from features.contract import Gated, gate_manifest, gate_outcomes, spared
from features.finding_kinds import Kinds
from features.messages import Message, read
from features.messages.bounds import OF_A_FILE
from features.messages.dialect import NAMES
from features.messages.flat import read_unchecked
from features.messages.formats import format_of, read_content, unpacked
from features.messages.header import check_header
from features.messages.mapping import OUTCOME_BY_NAME
from features.messages.mapping import Mapping as FileMapping
from features.messages.outcome_files import read_any_outcomes
from features.messages.parts import PART, read_parts
from features.messages.proposal import proposed_mapping, sources
from features.messages.raw import Raw, UnreadableFile
from features.moments import iso
from pipelines.batch.refusals import Section, refusals_in_words

ROWS, SHOWN = 1_000, 3  # rows that are looked at, and consignments that are shown


@dataclass(frozen=True, slots=True)
class Preview:
    """What would be understood of a file.

    file, format, separator: its name, its format and the sign between its columns, where it is a text table.
    fault: why the file would be refused as a whole. looked_at, accepted: numbers of rows.
    read: of columns of the contract, the file's own. proposed: columns that seem to be
        meant and are not read.
    left_out: columns that are kept beside (`extra_…`) or, of results, dropped. rows: the first rows as understood.
    refused, problems: what is wrong, a line a kind. mapping: TOML that reads what is not read, for a person to check.
    """

    file: str
    format: str
    separator: str
    fault: str
    looked_at: int
    accepted: int
    read: dict[str, str]
    proposed: dict[str, str]
    left_out: list[str]
    rows: list[dict[str, str]]
    refused: list[str]
    problems: list[str]
    mapping: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def preview(
    path: Path,
    mapping: FileMapping,
    format: FormatName | None,
    now: datetime,
    section: Section,
    kinds: Kinds | None = None,
) -> Preview:
    """Look at the first rows of a file; raises UnreadableFile where it is of no kind that is read.

    kinds: of finding, of the installation; the standard ones where absent.
    """
    raw = _first_rows(path, mapping, format, section)
    known = BY_NAME if section == "manifest" else OUTCOME_BY_NAME
    columns = [column for column in raw.rows.columns if column != "line"]
    table = mapping.manifest if section == "manifest" else mapping.outcomes
    read_columns, proposed = sources(columns, known)
    if table is not None:
        read_columns = table.sources(columns, [extra.source for extra in mapping.extras])
        proposed = {name: column for name, column in proposed.items() if column not in read_columns.values()}
    fault = _fault(raw, path.name, mapping, section)
    gated, problems = _judged(raw, path.name, mapping, now, section, kinds) if not fault else (None, [])
    refused = [] if gated is None else refusals_in_words(pl.concat([raw.broken, gated.refused]), raw.separator, section)
    is_flat = raw.format == "flat"
    form = {"separator": raw.separator} if raw.separator else {}
    return Preview(
        path.name, raw.format, NAMES.get(raw.separator or mapping.separator, "") if is_flat else "", fault,
        raw.received, 0 if gated is None else gated.accepted.height,
        read_columns if is_flat else {}, proposed if is_flat else {},
        [column for column in columns if column not in read_columns.values()] if is_flat else [],
        [] if gated is None else _shown(gated.accepted, known), refused, problems,
        proposed_mapping(raw.rows, known, section, form) if is_flat and table is None else "",
    )  # fmt: skip


def unreadable(path: Path, fault: Exception) -> Preview:
    """The preview of a file of which nothing can be read."""
    why = str(fault).removeprefix(f"{path.name}: ")
    return Preview(path.name, "", "", why, 0, 0, {}, {}, [], [], [], [], "")


def _first_rows(path: Path, mapping: FileMapping, format: FormatName | None, section: Section) -> Raw:
    """The first rows of a file, whatever its columns are called."""
    if path.stat().st_size > PART and section == "manifest":
        raw = next(read_parts(path, mapping, format))
    else:
        content = unpacked(path.read_bytes(), path.name, OF_A_FILE)
        if section == "outcomes":
            raw = read_any_outcomes(content, path.name, mapping)
        elif (format or format_of(content, path.name, mapping)) == "flat":
            raw = read_unchecked(content, path.name, mapping, OF_A_FILE)
        else:
            raw = read_content(content, path.name, mapping, format)
    return Raw(raw.rows.head(ROWS), raw.broken.head(ROWS), raw.format, raw.noted, raw.header, raw.stowed, raw.separator)


def _fault(raw: Raw, name: str, mapping: FileMapping, section: Section) -> str:
    try:
        check_header(raw, name, mapping, outcomes=section == "outcomes")
    except UnreadableFile as fault:
        return str(fault).removeprefix(f"{name}: ")
    return ""


def _judged(
    raw: Raw, name: str, mapping: FileMapping, now: datetime, section: Section, kinds: Kinds | None
) -> tuple[Gated, list[str]]:
    """What the gate makes of the rows, and the data problems of what it accepts."""
    if section == "outcomes":
        return gate_outcomes(mapping.to_outcomes(raw.rows), kinds=kinds), []
    if raw.format == "flat":
        rows, noted = mapping.to_manifest(raw.rows), raw.noted
    else:
        arrived = pl.col("lodged_at").fill_null(now.isoformat())
        rows, left_out = spared(raw.rows.with_columns(arrived))
        noted = pl.concat([raw.noted, left_out])
    gated = gate_manifest(rows, name, now)
    if gated.accepted.is_empty():
        return gated, []
    message = Message(rows, name, now, complete=False, noted=noted)
    _, found = read(message)
    counted = found.found.group_by("field", "problem", maintain_order=True).agg(pl.len())
    return gated, [f"{field}: {problem} ({count:,})" for field, problem, count in counted.iter_rows()]


def _shown(accepted: pl.DataFrame, known: Mapping[str, Column]) -> list[dict[str, str]]:
    """The first rows, what they state alone, with its unit."""
    return [
        {name: _in_words(name, value, row, known) for name, value in row.items() if value is not None}
        for row in accepted.head(SHOWN).iter_rows(named=True)
    ]


def _in_words(name: str, value: Any, row: Mapping[str, Any], known: Mapping[str, Column]) -> str:
    if isinstance(value, datetime):
        return iso(value)
    unit = known[name].unit if name in known else ""
    if unit == "currency":
        unit = row.get("currency") or "(no currency)"
    return f"{value} {unit}".rstrip()
