"""`tamis applications`: right holders' applications from a table into a policy, which is then promoted as a whole."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import typer

from features.choices import APPLICATION_COLUMNS as KEYS
from features.fault import Fault
from pipelines import show
from pipelines.commands.shared_options import (
    EncodingOption,
    SheetOption,
    current_settings,
    encoding_name,
    readable_file,
)

LISTS, DAYS = ("words", "hs", "senders"), ("from", "until")
YES, NO = ("yes", "true", "1", "oui"), ("no", "false", "0", "non", "")
SECTION = re.compile(r"\s*\[\[?\s*(\w+)[\w.\s]*\]")


def applications(
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV or workbook with the columns {', '.join(KEYS)}", show_default=False, callback=readable_file
        ),
    ],
    out: Annotated[Path, typer.Option(help="the policy with these applications in the place of its own")],
    encoding: EncodingOption = "",
    sheet: SheetOption = "",
    policy: Annotated[
        Path | None, typer.Option(help="policy to start from; the serving one when absent", callback=readable_file)
    ] = None,
) -> None:
    """Put right holders' applications into a policy; `tamis promote VERSION --policy OUT` activates it as a whole.

    Several brand words, HS codes or senders of one application are separated by | in their cell.
    """
    from service.orientation import load_policy
    from service.serving.serving_bundle import open_serving

    before = load_policy(policy.read_text(encoding="utf-8")) if policy else open_serving(current_settings()).policy
    text = with_applications(
        before.text, list(read_table(file.read_bytes(), encoding_name(encoding), sheet)), file.name
    )
    after = load_policy(text)
    out.write_text(text, encoding="utf-8")
    known, now = set(before.tracks.applications), set(after.tracks.applications)
    show.line(
        f"{show.counted(len(now), 'application')} written to {out}: {len(now - known):,} new or changed, "
        f"{len(known - now):,} gone or changed, {len(now & known):,} as before"
    )


def read_table(content: bytes, encoding: str = "utf-8", sheet: str = "") -> Iterator[dict[str, Any]]:
    """Applications of a table as a policy states them; raises Fault naming the line and the column at fault.

    A text table in any dialect, or a sheet of a workbook. encoding: of a text without a mark.
    """
    from features.messages.plain_table import named_columns, plain_table

    table = plain_table(content, "the table", encoding=encoding, sheet=sheet)
    rows = csv.reader(io.StringIO(table.text, newline=""), delimiter=table.separator, strict=True)
    try:
        names = named_columns(next(rows, []), KEYS)
        if "right_holder" not in names or (unknown := sorted(set(names) - set(KEYS))):
            fault = f"does not know the column {unknown[0]!r}" if "right_holder" in names else "needs right_holder"
            raise Fault(f"the table {fault}; columns are {', '.join(KEYS)}")
        for row in filter(any, rows):
            cells = {name: cell.strip() for name, cell in zip(names, row, strict=False)}
            yield {name: value for name, cell in cells.items() if (value := _value(name, cell, rows.line_num)) != ""}
    except csv.Error:
        raise Fault("the table: not CSV with a header row; write one cell for each column") from None


def _value(name: str, cell: str, line: int) -> Any:
    if name in LISTS:
        return [part.strip() for part in cell.split("|") if part.strip()] or ""
    if name in DAYS and cell:
        try:
            return date.fromisoformat(cell)
        except ValueError:
            raise Fault(f"line {line}: {name}: is no date; write it as 2026-03-01") from None
    if name == "small_consignments":
        if cell.lower() not in (*YES, *NO):
            raise Fault(f"line {line}: {name}: is yes or no")
        return cell.lower() in YES
    if name == "right_holder" and not cell:
        raise Fault(f"line {line}: right_holder: is empty")
    return cell


def with_applications(policy: str, applications: list[Mapping[str, Any]], source: str) -> str:
    """The text of a policy with these applications in the place of its own; all else in it stays as it is written."""
    tables = [f"\n[[applications]]  # {source}\n{''.join(_lines(one))}" for one in applications]
    return "".join(_without_its_own(policy)).rstrip() + "\n" + "".join(tables)


def _without_its_own(policy: str) -> Iterator[str]:
    """The lines of a policy but for its applications; what is remarked before the next section belongs to that one."""
    inside = False
    remarks: list[str] = []
    for line in policy.splitlines(keepends=True):
        if section := SECTION.match(line):
            inside = section[1] == "applications"
            yield from remarks
            remarks = []
        if not inside:
            yield line
        elif line.lstrip()[:1] in ("", "#"):
            remarks.append(line)
        else:
            remarks = []
    yield from remarks


def _lines(application: Mapping[str, Any]) -> Iterator[str]:
    for name in KEYS:
        if name in application:
            value = application[name]
            written = value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
            yield f"{name} = {written}\n"
