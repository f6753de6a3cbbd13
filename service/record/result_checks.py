"""The one gate of control results: what a file, a call and a form hand over is judged here, also beside the record."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.contract import Fault, Gated, gate_outcomes, refusing
from features.finding_kinds import Kinds
from features.moments import micros
from features.outcome import OUTCOME_COLUMNS
from service.record.numbers_meant import numbers_meant
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS, OUTCOMES

EARLY = "earlier than its consignment was lodged"
WHEN_KNOWN = "the moment at which the result became known, or the number of the consignment that was inspected"


def gate_results(raw: pl.DataFrame, store: Store, hidden: Container[str] = (), kinds: Kinds | None = None) -> Gated:
    """Check control results (text or typed columns, with `line`) for themselves and beside what is on record.

    One that was known before its consignment was lodged is of another consignment or has a wrong date. Of what is not
    on record yet nothing can be said: it is accepted, and counts once its consignment is there. A consignment is meant
    by its number however that is written.
    hidden: consignments that the caller does not see; when they were lodged is not told by a refusal.
    kinds: of finding, of the installation; the standard ones where absent.
    """
    raw = _with_numbers_meant(raw, store)
    gated = gate_outcomes(raw, kinds=kinds)
    if gated.accepted.is_empty():
        return gated
    numbers = gated.accepted["consignment_id"].unique().to_list()
    lodged = first_lodged(store, numbers)
    early = [
        number in lodged and number not in hidden and micros(known_at) < lodged[number]
        for number, known_at in gated.accepted.select("consignment_id", "known_at").iter_rows()
    ]
    fault = Fault("known_at", EARLY, WHEN_KNOWN, pl.lit(pl.Series(early, dtype=pl.Boolean)))
    return refusing(gated, raw, OUTCOME_COLUMNS, [fault])


def _with_numbers_meant(raw: pl.DataFrame, store: Store) -> pl.DataFrame:
    """Return the results with the numbers on record that they mean."""
    if "consignment_id" not in raw.columns or raw["consignment_id"].dtype != pl.String:
        return raw
    meant = numbers_meant(store, raw["consignment_id"].drop_nulls().unique().to_list())
    changed = {written: number for written, number in meant.items() if number != written}
    return raw.with_columns(pl.col("consignment_id").replace(changed)) if changed else raw


def first_lodged(store: Store, numbers: list[str]) -> dict[str, int]:
    """When the first version of each consignment on record was lodged, microseconds since 1970."""
    first = sa.select(DECLARATIONS.c.consignment_id, sa.func.min(DECLARATIONS.c.lodged_at))
    found: dict[str, int] = {}
    with store.reading() as connection:
        for batch in in_lists(numbers):
            of_some = first.where(DECLARATIONS.c.consignment_id.in_(batch)).group_by(DECLARATIONS.c.consignment_id)
            found.update((row[0], int(row[1])) for row in connection.execute(of_some))
        settled = declared_of(
            connection, ("consignment_id", "lodged_at"), [name for name in numbers if name not in found]
        )
        found.update((row["consignment_id"], row["lodged_at"]) for row in settled)
    return found


def several_of_a_stage(connection: sa.Connection, new: Sequence[Mapping[str, Any]]) -> int:
    """Count the new results (rows of their table) of a consignment and stage that has another, on record or new.

    The rule: the one known last says what was found, in training, hit rates and queues. None is dropped: each stays on
    record and in the history, as a control that was made.
    """
    seen: set[tuple[str, str]] = set()
    for batch in in_lists(sorted({outcome["consignment_id"] for outcome in new})):
        bodies = connection.execute(sa.select(OUTCOMES.c.body).where(OUTCOMES.c.consignment_id.in_(batch))).scalars()
        seen.update(map(_stage_of, bodies))
    several = 0
    for outcome in new:
        stage = _stage_of(outcome["body"])
        several += stage in seen
        seen.add(stage)
    return several


def _stage_of(body: Mapping[str, Any]) -> tuple[str, str]:
    return body["consignment_id"], body.get("stage", "clearance")
