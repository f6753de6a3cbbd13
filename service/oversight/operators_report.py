"""The list of operators worth an audit as a document and as CSV, without persons unless somebody asks for them."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from service.answers.spreadsheet import plain_cells
from service.oversight.operators import Operator

FILE, CSV, FOLDER = "operators.json", "operators.csv", "operators"
PERSONS = "consignee"  # the kind whose names are those of natural persons
COLUMNS = ("kind", "name", "consignments", "lines", "declared", "below", "at_stake", "controlled", "audited", "found")


@dataclass(frozen=True, slots=True)
class Ranking:
    """Operators by kind, those with most at stake first; neutral: by rates that are nobody's tariff."""

    first: date
    last: date
    consignments: int
    neutral: bool
    operators: Mapping[str, Sequence[Operator]]


def write(ranking: Ranking, out: Path, *, persons: bool = False) -> Path:
    """Write the list as JSON and as CSV, each in one step; returns the JSON file. persons: with addressees by name."""
    out.mkdir(parents=True, exist_ok=True)
    shown = {kind: list(every) for kind, every in ranking.operators.items() if persons or kind != PERSONS}
    rows = [asdict(one) for every in shown.values() for one in every]
    content = {
        "first": ranking.first.isoformat(), "last": ranking.last.isoformat(), "consignments": ranking.consignments,
        "neutral": ranking.neutral,
        "operators": {kind: [asdict(one) for one in every] for kind, every in shown.items()},
    }  # fmt: skip
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    for name, written in ((FILE, text), (CSV, table_of(rows).write_csv())):
        temporary = out / f".{name}.new"
        temporary.write_text(written, encoding="utf-8")
        temporary.replace(out / name)
    return out / FILE


def table_of(rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """Return operators as cells that a spreadsheet takes for what they are, with the consignments behind each."""
    cells = [{**{name: row[name] for name in COLUMNS}, "behind": " ".join(row["behind"])} for row in rows]
    texts = dict.fromkeys((*COLUMNS, "behind"), pl.Float64()) | dict.fromkeys(("kind", "name", "behind"), pl.String())
    return plain_cells(pl.DataFrame(cells, schema=texts))


def latest(reports: Path) -> dict[str, Any] | None:
    """Return the list that was written for the latest period; None where there is none."""
    written = sorted(reports.glob(f"{FOLDER}/*/{FILE}"))
    if not written:
        return None
    report: dict[str, Any] = json.loads(written[-1].read_text(encoding="utf-8"))
    return report
