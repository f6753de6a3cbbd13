"""How long files are kept, by class: what was found compliant, what was not, and what nobody ever looked at."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Literal

import sqlalchemy as sa

from features.moments import micros
from service.officers.purchases import purchases
from service.settings import Settings
from service.store.database import Store
from service.store.settled_rows import scanned
from service.store.tables import DECISIONS, DECLARATIONS, ERASED, OUTCOMES

FileClass = Literal["compliant", "non_compliant", "not_inspected"]


def periods(settings: Settings) -> dict[FileClass, timedelta]:
    """How long each class is kept, from the last thing that happened to it."""
    return {
        "compliant": timedelta(days=settings.keep_compliant_days),
        "non_compliant": timedelta(days=settings.keep_non_compliant_days),
        "not_inspected": timedelta(days=settings.keep_not_inspected_days),
    }


def due(store: Store, kept: Mapping[FileClass, timedelta], now: datetime) -> dict[FileClass, list[str]]:
    """The consignments whose time is over, by class; the clock starts at the last declaration or result of any kind.

    One finding makes the whole file a non-compliant one. Files that were erased before are not named again.
    """
    lodged = _last_of(store)
    results = _results(store)
    over: dict[FileClass, list[str]] = {name: [] for name in kept}
    for consignment_id, last in lodged.items():
        known, hit = results.get(consignment_id, (None, False))
        kind: FileClass = "not_inspected" if known is None else "non_compliant" if hit else "compliant"
        if max(last, known or last) < micros(now - kept[kind]):
            over[kind].append(consignment_id)
    return {name: sorted(ids) for name, ids in over.items()}


def due_purchases(store: Store, kept: Mapping[FileClass, timedelta], now: datetime) -> list[str]:
    """The test purchases whose time is over: kept from the last note of each as a file of its finding is."""
    kinds: dict[str | None, FileClass] = {"non_compliant": "non_compliant", "compliant": "compliant"}
    return [
        one.purchase_id
        for one in purchases(store)
        if max(one.noted.values()) < micros(now - kept[kinds.get(one.result, "not_inspected")])
    ]


def _last_of(store: Store) -> dict[str, int]:
    """When each consignment that still has content was lodged last."""
    last = sa.func.max(DECLARATIONS.c.lodged_at)
    decided = sa.exists().where(DECISIONS.c.consignment_id == DECLARATIONS.c.consignment_id, DECISIONS.c.salt.is_(None))
    kept = (~decided, DECLARATIONS.c.content_sha256 != ERASED)
    query = sa.select(DECLARATIONS.c.consignment_id, last).where(*kept).group_by(DECLARATIONS.c.consignment_id)
    with store.reading() as connection:
        found = {row[0]: int(row[1]) for row in connection.execute(query)}
        for segment, rows in scanned(connection, DECLARATIONS, ["consignment_id", "lodged_at"]):
            if store.records.is_emptied(segment.file):
                continue
            found.update(
                zip(rows.column("consignment_id").to_pylist(), rows.column("lodged_at").to_pylist(), strict=True)
            )
        return found


def _results(store: Store) -> dict[str, tuple[int, bool]]:
    """When the last result of each consignment was known, and whether anything was ever found."""
    hit = sa.case((OUTCOMES.c.result == "non_compliant", 1), else_=0)
    query = sa.select(OUTCOMES.c.consignment_id, sa.func.max(OUTCOMES.c.known_at), sa.func.max(hit))
    with store.reading() as connection:
        found = connection.execute(query.group_by(OUTCOMES.c.consignment_id))
        return {row[0]: (int(row[1]), bool(row[2])) for row in found}
