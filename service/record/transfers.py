"""Transfers: a consignment passes to another office or caller, with all its parts, and that stands on the log."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from features.fault import Fault
from service.record.lifting import lift
from service.record.record_kind import sign
from service.record.record_kinds import TRANSFER
from service.store.bulk_rows import update_rows
from service.store.tables import DECLARATIONS, SEARCHED

LONGEST_REASON = 500


@dataclass(frozen=True, slots=True)
class Transfer:
    """A consignment, the office that it goes to and who may amend it there; None: whoever is for that office."""

    consignment_id: str
    office: str
    sender: str | None
    by: str
    reason: str


def pass_on(connection: sa.Connection, transfer: Transfer, at: int) -> None:
    """Let all parts of a consignment belong to another; raises Fault where nothing is on record. at: microseconds."""
    lift(connection, [transfer.consignment_id])
    parts = DECLARATIONS.c.consignment_id == transfer.consignment_id
    former = sa.select(DECLARATIONS.c.office, DECLARATIONS.c.sender).where(parts)
    found = connection.execute(former.order_by(DECLARATIONS.c.version).limit(1)).first()
    if found is None:
        raise Fault("consignment_id: no such consignment is on record here")
    update_rows(connection, DECLARATIONS, {"office": transfer.office, "sender": transfer.sender}, parts)
    update_rows(
        connection, SEARCHED, {"offices": [transfer.office]}, SEARCHED.c.consignment_id == transfer.consignment_id
    )
    row = {"consignment_id": transfer.consignment_id, "from_office": found.office, "from_sender": found.sender,
           "office": transfer.office, "sender": transfer.sender, "by": transfer.by, "reason": transfer.reason,
           "at": at}  # fmt: skip
    sign(connection, TRANSFER, row, at)
