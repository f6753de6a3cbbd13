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

from features.fault import Fault
from pipelines import show
from service.orientation.applications import KEYS

LISTS, DAYS = ("words", "hs", "senders"), ("from", "until")
YES, NO = ("yes", "true", "1", "oui"), ("no", "false", "0", "non", "")
SECTION = re.compile(r"\s*\[\[?\s*(\w+)[\w.\s]*\]")


def applications(
    file: Annotated[Path, typer.Argument(help=f"CSV with the columns {', '.join(KEYS)}", show_default=False)],
    out: Annotated[Path, typer.Option(help="the policy with these applications in the place of its own")],
    policy: Annotated[Path | None, typer.Option(help="the policy to start from; the one that serves")] = None,
) -> None:
    """Put right holders' applications into a policy; `tamis promote VERSION --policy OUT` activates it as a whole.

    Several brand words, HS codes or senders of one application are separated by | in their cell.
    """
    from service.bundles import open_serving
    from service.orientation import load_policy
    from service.settings import Settings

    before = load_policy(policy.read_text(encoding="utf-8")) if policy else open_serving(Settings()).policy
    text = with_applications(before.text, list(read_table(file.read_bytes())), file.name)
    after = load_policy(text)
    out.write_text(text, encoding="utf-8")
    known, told = set(before.tracks.applications), set(after.tracks.applications)
    show.line(
        f"{len(told):,} applications written to {out}: {len(told - known):,} new or changed, "
        f"{len(known - told):,} gone or changed, {len(told & known):,} as before"
    )


def read_table(content: bytes) -> Iterator[dict[str, Any]]:
    """Applications of a CSV table as a policy states them; raises Fault naming the line and the column at fault."""
    try:
        rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline=""), strict=True)
        names = [(name or "").strip().lower() for name in rows.fieldnames or []]
        if "right_holder" not in names or (unknown := sorted(set(names) - set(KEYS))):
            told = f"does not know the column {unknown[0]!r}" if "right_holder" in names else "needs right_holder"
            raise Fault(f"the table {told}; columns are {', '.join(KEYS)}")
        for row in rows:
            cells = {name: (cell or "").strip() for name, cell in zip(names, row.values(), strict=False)}
            yield {name: value for name, cell in cells.items() if (value := _value(name, cell, rows.line_num)) != ""}
    except (csv.Error, UnicodeDecodeError):
        raise Fault("not a CSV file in UTF-8 with a header row") from None


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


def with_applications(policy: str, told: list[Mapping[str, Any]], source: str) -> str:
    """The text of a policy with these applications in the place of its own; all else in it stays as it is written."""
    own = [f"\n[[applications]]  # {source}\n{''.join(_lines(one))}" for one in told]
    return "".join(_without_its_own(policy)).rstrip() + "\n" + "".join(own)


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


def _lines(told: Mapping[str, Any]) -> Iterator[str]:
    for name in KEYS:
        if name in told:
            value = told[name]
            written = value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)
            yield f"{name} = {written}\n"
