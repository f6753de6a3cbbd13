"""What somebody touches is lifted: its declaration and decision leave their file and stand in rows from then on.

A result, an amendment, an officer's lane, a transfer, a list that names it, an erasure: whoever changes anything about
a consignment lifts it first, in the same transaction, and then finds rows as of any other. The entry of its file on the
audit log goes on to vouch for it.
"""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from service.orientation.lanes import PreArrival
from service.store.bulk_rows import delete_keys, insert_many
from service.store.opened_record import Places
from service.store.record_files import CONSIGNMENT, NETWORK
from service.store.record_tables import RECORD_LIFTED, RECORD_WORK
from service.store.settled_rows import Segment, decided_of, places_of, rows_at
from service.store.tables import DECISIONS, DECLARATIONS


def lift(connection: sa.Connection, values: Sequence[str], by: str = CONSIGNMENT) -> int:
    """Let the decisions in files on some consignments, or with some numbers (DECISION), stand in rows; how many."""
    return sum(_lift(connection, segment, places) for segment, places in list(places_of(connection, values, by)))


def lift_networks(connection: sa.Connection, networks: Sequence[str], since_day: int) -> int:
    """Let the decisions in files on consignments of some networks, lodged since a day, stand in rows; how many."""
    of_networks = decided_of(connection, ("consignment_id", "day"), list(networks), NETWORK)
    return lift(connection, [row["consignment_id"] for row in of_networks if row["day"] >= since_day])


def _lift(connection: sa.Connection, segment: Segment, places: Places) -> int:
    decided = rows_at(connection, DECISIONS, DECISIONS.c.keys(), segment, places)
    insert_many(connection, DECLARATIONS, rows_at(connection, DECLARATIONS, DECLARATIONS.c.keys(), segment, places))
    insert_many(connection, DECISIONS, decided)
    marks = [
        {
            "segment_id": segment.segment_id,
            "place": place,
            "decision_id": row["decision_id"],
            "blank": row["salt"] is None,
        }
        for place, row in zip(places.tolist(), decided, strict=True)
    ]
    insert_many(connection, RECORD_LIFTED, marks)
    worked_on = [row for row in decided if row["pre_arrival"] != PreArrival.no_risk.name]
    delete_keys(connection, RECORD_WORK, [(row["office"], row["day"], row["decision_id"]) for row in worked_on])
    return len(marks)
