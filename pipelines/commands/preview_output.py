"""`--preview` of the commands that take in files: what would be understood of them, for a person or a program."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from features.choices import FormatName
from pipelines.commands.shared_options import current_settings

if TYPE_CHECKING:
    from features.messages.mapping import Mapping
    from pipelines.batch.preview import Preview
    from pipelines.batch.refusals import Section

LISTED = 12  # columns that are named in a line


def show_previews(
    files: Sequence[Path], mapping: Mapping, format: FormatName | None, section: Section, *, as_json: bool
) -> None:
    """Print what would be understood of each file; raises NothingAccepted where that is nothing of any of them."""
    from features.finding_kinds import load_kinds
    from features.messages.mapping import MappingFault
    from features.messages.raw import UnreadableFile
    from pipelines.batch.preview import preview, unreadable
    from pipelines.batch.refusals import NothingAccepted

    kinds = load_kinds(current_settings().kinds)
    previews = []
    for file in files:
        try:
            previews.append(preview(file, mapping, format, datetime.now(UTC), section, kinds))
        except (UnreadableFile, MappingFault) as fault:
            previews.append(unreadable(file, fault))
    if as_json:
        typer.echo(json.dumps([one.as_json() for one in previews], ensure_ascii=False, indent=2))
    else:
        for one in previews:
            typer.echo("\n".join(_lines(one)))
    if not any(one.accepted for one in previews):
        raise NothingAccepted("nothing of what was looked at would be accepted")


def _lines(seen: Preview) -> Iterator[str]:
    written = f", {seen.separator} between columns" if seen.separator else ""
    counts = f"{seen.accepted:,} of the first {seen.looked_at:,} rows would be accepted"
    yield f"{seen.file}: {seen.format or 'not readable'}{written}; {counts}"
    if seen.fault:
        yield f"  refused as a whole: {seen.fault}"
    for title, columns in (("read", seen.read), ("not read, but seems to be meant", seen.proposed)):
        for name, column in columns.items():
            yield f"  {title}: {name}{'' if name == column else f' from {_quoted(column)}'}"
    if seen.left_out:
        named = ", ".join(_quoted(column) for column in seen.left_out[:LISTED])
        more = f" and {len(seen.left_out) - LISTED} more" if len(seen.left_out) > LISTED else ""
        yield f"  left beside, under names of their own: {named}{more}"
    for row in seen.rows:
        yield f"  line {row['line']}:"
        yield from (f"    {name}: {value}" for name, value in row.items() if name != "line")
    yield from (f"  refused: {one}" for one in seen.refused)
    yield from (f"  data problem: {one}" for one in seen.problems)
    if seen.mapping:
        yield "  a mapping that reads what is not read; check it, save it, and name it with --mapping FILE:"
        yield from (f"    {line}".rstrip() for line in seen.mapping.splitlines())


def _quoted(column: str) -> str:
    return json.dumps(column, ensure_ascii=False)
