"""An analyst's own lane for a consignment, with name and reason; the decision itself stays on record as it is."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from service.chain import Entry, append, new_salt, salted
from service.orientation.lanes import Lane
from service.records import micros
from service.store import Store
from service.tables import DECISIONS, OVERRIDES

SUBJECT = "override-"  # and its number: its name on the chain
SAID = ("decision_id", "clearance", "by", "reason", "at")
LONGEST_REASON = 500


def override(store: Store, decision_id: str, clearance: str, by: str, reason: str, at: datetime, of: str) -> None:
    """Put another lane in the place of the one that was decided; raises Fault for what cannot be.

    of: the consignment that it is said of. What was drawn at random is never let go: every estimate of what is missed
    rests on it.
    """
    if clearance not in Lane.__members__:
        raise Fault(f"clearance: one of {', '.join(Lane.__members__)}")
    if not reason.strip() or len(reason) > LONGEST_REASON:
        raise Fault(f"reason: say why, in at most {LONGEST_REASON} characters")

    def work(connection: sa.Connection) -> None:
        wanted = (
            DECISIONS.c.decision_id == decision_id,
            DECISIONS.c.consignment_id == of,
            DECISIONS.c.stands,
            DECISIONS.c.salt.is_not(None),
        )
        decided = connection.execute(sa.select(DECISIONS).where(*wanted)).mappings().first()
        if decided is None:
            raise Fault("no decision of this number stands")
        if decided["body"]["selection"] == "random" and Lane[clearance] < Lane[decided["clearance"]]:
            raise Fault("clearance: drawn at random, and so it is checked; only a stricter lane can be chosen")
        row = {"decision_id": decision_id, "consignment_id": decided["consignment_id"], "clearance": clearance,
               "by": by, "reason": reason.strip(), "at": micros(at), "salt": new_salt()}  # fmt: skip
        connection.execute(sa.update(OVERRIDES).where(OVERRIDES.c.decision_id == decision_id).values(counts=False))
        made = sa.insert(OVERRIDES).values(row | {"counts": True}).returning(OVERRIDES.c.override_id)
        number = connection.execute(made).scalar_one()
        append(connection, [Entry("override", f"{SUBJECT}{number}", override_content(row))], row["at"])

    store.write(work)


def overrides_of(store: Store, consignment_id: str) -> list[dict[str, Any]]:
    """Every word on the decisions of a consignment, newest first."""
    query = sa.select(OVERRIDES).where(OVERRIDES.c.consignment_id == consignment_id)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(OVERRIDES.c.override_id.desc())).mappings()
        return [dict(row) for row in rows]


def override_content(row: Mapping[str, Any]) -> str:
    """What the chain holds of it: a salted hash."""
    return salted(row["salt"], {name: row[name] for name in SAID})
