"""Who is decided again: what stands on record and waits for a finding, or for what a watch list says now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from service.posting import in_lists
from service.tables import DECISIONS, OUTCOMES

RESCREENED_DAYS = 14  # a list that is activated today reaches what was lodged since; parcels before are delivered


def wake_for_findings(connection: sa.Connection, outcomes: Sequence[dict[str, Any]]) -> int:
    """Let what waits for the findings among some results (rows of their table) be decided again; how many wait."""
    hits = [one for one in outcomes if one["body"]["result"] == "non_compliant"]
    woken = 0
    for some in in_lists(hits):
        ids = [one["consignment_id"] for one in some]
        networks = sa.select(DECISIONS.c.network).where(DECISIONS.c.consignment_id.in_(ids))
        waiting = (
            sa.update(DECISIONS)
            .where(DECISIONS.c.network.in_(networks), DECISIONS.c.held, DECISIONS.c.stands)
            .values(waits=True)
        )
        woken += connection.execute(waiting).rowcount
    return woken


def wake_for_lists(connection: sa.Connection, networks: Sequence[str], at: int) -> int:
    """Let what some networks lodged lately, and nobody has opened or sent to be opened, be decided again; how many.

    networks: codes. at: when a list was activated that tells of them, microseconds since 1970.
    """
    since = at // 3_600_000_000 - RESCREENED_DAYS * 24
    known = sa.select(OUTCOMES.c.consignment_id).where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    woken = 0
    for some in in_lists(networks):
        waiting = (
            sa.update(DECISIONS)
            .where(
                DECISIONS.c.network.in_(some),
                DECISIONS.c.stands,
                DECISIONS.c.hour >= since,
                DECISIONS.c.clearance != "red",
                ~known.exists(),
            )
            .values(waits=True)
        )
        woken += connection.execute(waiting).rowcount
    return woken
