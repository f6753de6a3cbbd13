"""What a package with one more fact does with it, told as JSON: run by `test_new_fact.py` in a process of its own."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta

import polars as pl

from features.catalogue import history
from features.contract import gate_outcomes
from features.history.entities import with_entities
from features.history.fact_list import KEPT_OF_OUTCOMES
from features.history.windows import Window, read_windows
from service.audit.erasure import erase
from service.history.posting import results_on_record
from service.history.stored_history import StoredHistory
from service.journal import Journal
from service.store.database import Store
from service.store.tables import RUNNING
from tests.features.conftest import LODGED_AT, consignments_of, row

NOW = datetime(2026, 3, 20, tzinfo=UTC)
RESULT = {"result": "non_compliant", "findings": "counterfeit", "stage": "clearance", "items_found": "12"}


def probe(store: Store) -> dict[str, object]:
    """Record a declaration and its result, read the new fact, erase, and amend: the sums must stand."""
    journal = Journal(store)
    declared = with_entities(consignments_of(row()))
    journal.remember(declared)
    outcome = {"consignment_id": "RR123456785CN", "known_at": "2026-03-09T00:00:00Z", **RESULT, "officer": "o-7"}
    journal.learn(gate_outcomes(pl.DataFrame([{**outcome, "line": 2}])).accepted)
    first = _sum(store, declared.frame)
    erase(store, ["RR123456785CN"], "A. Clerk", "retention", NOW)
    amended = row(version="2", lodged_at=(LODGED_AT + timedelta(days=2)).isoformat())
    later = with_entities(consignments_of(amended))
    journal.remember(later)  # the result is attributed anew, from what the erasure kept of it
    with store.reading() as connection:
        handed_on = results_on_record(connection, ["RR123456785CN"]).to_dicts()[0]
    return {
        "column": "pieces_found" in RUNNING.c,
        "words": history("consignor_pieces_found_90d")[0].words,
        "handed_on": handed_on["items_found"],
        "kept": list(KEPT_OF_OUTCOMES),
        "sum": first,
        "sum_after_erasure": _sum(store, later.frame),
    }


def _sum(store: Store, frame: pl.DataFrame) -> float:
    asked = frame.with_columns(lodged_at=pl.lit(NOW).dt.cast_time_unit("us"))
    return float(read_windows([Window("consignor", "pieces_found", 90)], asked, StoredHistory(store)).item())


if __name__ == "__main__":
    json.dump(probe(Store("sqlite://")), sys.stdout)
