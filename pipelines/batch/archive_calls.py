"""What came by calls joins what came by files: the archive is where models learn from."""

from __future__ import annotations

from typing import Any

import polars as pl

from features.consignment import COLUMNS, EXTRA
from features.contract import gate_manifest, gate_outcomes
from features.outcome import OUTCOME_COLUMNS
from pipelines.batch.archive import Archive
from service.journal import Journal


def sweep(journal: Journal, archive: Archive) -> tuple[int, int]:
    """Archive declarations and outcomes that only the store holds; how many of each."""
    archived = 0
    for declared in journal.unarchived():
        flat = [body | line for body in declared for line in body["goods"]]
        extras = {name for row in flat for name in row if name.startswith(EXTRA)}
        rows = _frame(flat, [*(c.name for c in COLUMNS), *sorted(extras)])
        archive.keep_manifest(gate_manifest(rows, "call", recorded=True).accepted)
        archived += len(declared)
    outcomes = journal.outcomes_unarchived()
    if outcomes:
        rows = _frame(outcomes, [column.name for column in OUTCOME_COLUMNS])
        archive.keep_outcomes(gate_outcomes(rows, recorded=True).accepted)
    journal.mark_outcomes_archived(outcomes)
    journal.settle()
    return archived, len(outcomes)


def _frame(rows: list[dict[str, Any]], names: list[str]) -> pl.DataFrame:
    columns = {name: [row.get(name) for row in rows] for name in names}
    return pl.DataFrame({name: pl.Series(values, strict=False) for name, values in columns.items()})
