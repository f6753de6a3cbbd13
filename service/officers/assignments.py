"""Who works on a consignment: one person takes it, all see it, and it is let go again; every step stays on record."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.record.record_kind import sign
from service.record.record_kinds import ASSIGNMENT
from service.store.bulk_rows import update_rows
from service.store.database import Store
from service.store.queries import in_lists
from service.store.tables import ASSIGNMENTS

HELD = (ASSIGNMENTS.c.counts, ASSIGNMENTS.c.taken)


def take(store: Store, consignment_id: str, by: str, at: datetime) -> None:
    """Take a consignment to work on it; raises Fault where somebody else has it. Taking it twice changes nothing."""

    def work(connection: sa.Connection) -> None:
        holder = holders_on(connection, [consignment_id]).get(consignment_id)
        if holder is not None and holder != by:
            raise Fault(f"{holder}: somebody else has it; ask for it to be released, or release it yourself")
        if holder is None:
            _note(connection, consignment_id, by, at, taken=True)

    store.write(work)


def release(store: Store, consignment_id: str, by: str, at: datetime) -> None:
    """Let a consignment go, whoever has it: the log says who let it go. One that nobody has stays as it is."""

    def work(connection: sa.Connection) -> None:
        if consignment_id in holders_on(connection, [consignment_id]):
            _note(connection, consignment_id, by, at, taken=False)

    store.write(work)


def holders(store: Store, consignment_ids: Sequence[str]) -> dict[str, str]:
    """Say who has each of some consignments; those that nobody has are not in it."""
    with store.reading() as connection:
        return holders_on(connection, consignment_ids)


def holders_on(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, str]:
    """Say who has each of some consignments, in a transaction that is open."""
    found: dict[str, str] = {}
    for batch in in_lists(consignment_ids):
        query = sa.select(ASSIGNMENTS.c.consignment_id, ASSIGNMENTS.c.by)
        held = query.where(ASSIGNMENTS.c.consignment_id.in_(batch), *HELD)
        found.update((row.consignment_id, row.by) for row in connection.execute(held))
    return found


def _note(connection: sa.Connection, consignment_id: str, by: str, at: datetime, *, taken: bool) -> None:
    update_rows(connection, ASSIGNMENTS, {"counts": False}, ASSIGNMENTS.c.consignment_id == consignment_id)
    row = {"consignment_id": consignment_id, "taken": taken, "by": by, "at": micros(at), "counts": True}
    sign(connection, ASSIGNMENT, row, micros(at))
