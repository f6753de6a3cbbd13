"""An officer's own lane for a consignment, with name and reason; the decision itself stays on record as it is."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.fault import Fault
from features.moments import micros
from service.orientation.lanes import Lane
from service.record.capacity_used import move
from service.record.lifting import lift
from service.record.record_kind import sign
from service.record.record_kinds import OVERRIDE
from service.record.standing import check_of_override, overrides_on, standing
from service.store.bulk_rows import update_rows
from service.store.database import Store
from service.store.tables import DECISIONS, OVERRIDES

LONGEST_REASON = 500
HOUR = 3_600_000_000  # in microseconds


def override_lane(
    store: Store, decision_id: str, clearance: str, by: str, reason: str, at: datetime, consignment_id: str
) -> None:
    """Put another lane in the place of the one that was decided; raises Fault for what cannot be.

    What was drawn at random is never let go: every estimate of what is missed rests on it. The check that the lane
    asks for counts among the checks of its office from now on, and the one that it replaces counts no more: an officer
    is not refused for lack of capacity, and what he takes is not given out again.
    """
    if clearance not in Lane.__members__:
        raise Fault(f"clearance: one of {', '.join(Lane.__members__)}")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Fault(f"reason: say why, in at most {LONGEST_REASON} characters")

    def work(connection: sa.Connection) -> None:
        lift(connection, [consignment_id])
        decided = _standing_decision(connection, decision_id, consignment_id)
        if decided["body"]["selection"] == "random" and Lane[clearance] < Lane[decided["clearance"]]:
            raise Fault(
                "clearance: this consignment is in the random control sample; only a stricter lane may be chosen"
            )
        before = _place(connection, decided)
        same = sa.and_(*(DECISIONS.c[name] == decided[name] for name in VERSION_KEY))
        of_version = OVERRIDES.c.decision_id.in_(sa.select(DECISIONS.c.decision_id).where(same))
        update_rows(connection, OVERRIDES, {"counts": False}, of_version)
        row = {"decision_id": decision_id, "consignment_id": consignment_id, "clearance": clearance,
               "by": by, "reason": reason.strip(), "at": micros(at), "counts": True}  # fmt: skip
        sign(connection, OVERRIDE, row, micros(at))
        move(connection, decided["office"], decided["band"], before, _place(connection, decided))

    store.write(work)


def overrides_of(store: Store, consignment_id: str) -> list[dict[str, Any]]:
    """List every override of a consignment, newest first."""
    with store.reading() as connection:
        return [dict(row) for row in overrides_on(connection, [consignment_id]).get(consignment_id, [])][::-1]


def _standing_decision(connection: sa.Connection, decision_id: str, consignment_id: str) -> dict[str, Any]:
    wanted = (
        DECISIONS.c.decision_id == decision_id,
        DECISIONS.c.consignment_id == consignment_id,
        DECISIONS.c.stands,
        DECISIONS.c.salt.is_not(None),
    )
    decided = connection.execute(sa.select(DECISIONS).where(*wanted)).mappings().first()
    if decided is None:
        raise Fault("decision_id: no decision of this number stands; reload the consignment and choose again")
    return dict(decided)


def _place(connection: sa.Connection, decided: dict[str, Any]) -> tuple[int, str]:
    """Say in which hour the check of a decision counts, and which check: that of the override in force, or its own."""
    overrides = overrides_on(connection, [decided["consignment_id"]]).get(decided["consignment_id"], [])
    override = standing(decided, overrides).override
    if override is None:
        return decided["hour"], decided["checked"]
    return override["at"] // HOUR, check_of_override(override).name
