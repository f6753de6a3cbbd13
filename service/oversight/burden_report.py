"""The burden report of a period as one document: tables by origin, gaps that stand, and what adds to each."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from service.audit.replay import Bundles
from service.oversight.burden import NOT_STATED, ORIGINS, Group, burden_of
from service.oversight.feature_gaps import Explained, explained
from service.oversight.looked_at import decided_between, results_on, seen_of
from service.store.database import Store

FILE, FOLDER = "burden.json", "burden"
MOST_EXPLAINED = 12  # gaps whose inputs are told: each asks for the contributions of some thousand consignments


@dataclass(frozen=True, slots=True)
class Burden:
    """Whom the checks of some days burden.

    tables: by origin, its groups. inputs: by origin and group, of the gaps that stand.
    """

    first: date
    last: date
    consignments: int
    looked_at: int
    decided: int
    tables: Mapping[str, list[Group]]
    inputs: Mapping[str, Mapping[str, Explained]]


def report_of(store: Store, bundles: Bundles, declared: pl.DataFrame, first: date, last: date) -> Burden:
    """Draw up the report of what was lodged from `first` to `last`; declared: its identifiers and ORIGINS."""
    decided = decided_between(store, first, last)
    seen = seen_of(declared, decided, results_on(store))
    tables = burden_of(seen)
    marked = [(origin, group) for origin, groups in tables.items() for group in groups if _is_to_explain(group)]
    strongest = sorted(marked, key=lambda one: one[1].chance)[:MOST_EXPLAINED]
    inputs: dict[str, dict[str, Explained]] = {origin: {} for origin in ORIGINS}
    for origin, group in strongest:
        here = pl.col(origin).fill_null(NOT_STATED) == group.name
        inputs[origin][group.name] = explained(store, bundles, seen, here)
    return Burden(first, last, seen.height, int(seen["looked_at"].sum()), decided.height, tables, inputs)


def _is_to_explain(group: Group) -> bool:
    return group.verdict.startswith("more")


def write(burden: Burden, out: Path) -> Path:
    """Write the report as JSON, in one step; returns the file."""
    out.mkdir(parents=True, exist_ok=True)
    path, temporary = out / FILE, out / f".{FILE}.new"
    temporary.write_text(json.dumps(as_json(burden), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    temporary.replace(path)
    return path


def as_json(burden: Burden) -> dict[str, Any]:
    """Return the report in plain values; what is not finite is null."""
    whole = asdict(burden)
    for origin, groups in burden.tables.items():
        for written, group in zip(whole["tables"][origin], groups, strict=True):
            written["verdict"] = group.verdict
    plain: dict[str, Any] = _plain(whole)
    return plain


def latest(reports: Path) -> dict[str, Any] | None:
    """Return the report that was written for the latest period; None where there is none."""
    written = sorted(reports.glob(f"{FOLDER}/*/{FILE}"))
    if not written:
        return None
    report: dict[str, Any] = json.loads(written[-1].read_text(encoding="utf-8"))
    return report


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, date):
        return value.isoformat()
    return None if isinstance(value, float) and not math.isfinite(value) else value
