"""Who is decided again: what stands on record and waits for a finding, or for what a watch list says now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa

from features.moments import micros
from service.orientation.decisions import Basis
from service.record.lifting import lift, lift_networks
from service.record.standing import standing_lane
from service.store.bulk_rows import update_rows
from service.store.queries import in_lists
from service.store.tables import DECISIONS, OUTCOMES

RESCREENED_DAYS = 14  # a list that is activated today reaches what was lodged since; parcels before are delivered


def mark_for_reassessment_after_findings(connection: sa.Connection, outcomes: Sequence[dict[str, Any]]) -> int:
    """Let what waits for the findings among some results (rows of their table) be decided again; how many wait."""
    hits = [one for one in outcomes if one["body"]["result"] == "non_compliant"]
    woken = 0
    for batch in in_lists(hits):
        ids = [one["consignment_id"] for one in batch]
        networks = sa.select(DECISIONS.c.network).where(DECISIONS.c.consignment_id.in_(ids))
        waiting = (DECISIONS.c.network.in_(networks), DECISIONS.c.held, DECISIONS.c.stands)
        woken += update_rows(connection, DECISIONS, {"waits": True}, *waiting)
    return woken


def was_unscreened(basis: Basis | None, lists_as_of: int | None) -> bool:
    """Say whether a list was activated since decisions were screened. lists_as_of: microseconds since 1970."""
    seen = None if basis is None or basis.lists_as_of is None else micros(basis.lists_as_of)
    return lists_as_of is not None and (seen is None or seen < lists_as_of)


def wake_unscreened(connection: sa.Connection, call_id: str, basis: Basis | None, lists_as_of: int | None) -> int:
    """Let what was just decided be decided again where a list was activated since it was screened; how many.

    Activating a list wakes what is on record; what is decided at that very moment is on record only now.
    """
    if not was_unscreened(basis, lists_as_of):
        return 0
    waiting = (DECISIONS.c.call_id == call_id, DECISIONS.c.clearance != "red")
    return update_rows(connection, DECISIONS, {"waits": True}, *waiting)


def wake_for_lists(connection: sa.Connection, networks: Sequence[str], consignments: Sequence[str], at: int) -> int:
    """Let what was lodged lately, and nobody has opened or sent to be opened, be decided again; how many.

    networks: codes of those that lodged it. consignments: identifiers of those whose addressees are listed. at: when a
    list was activated that tells of them, microseconds since 1970.
    """
    since = at // 3_600_000_000 - RESCREENED_DAYS * 24
    lift_networks(connection, networks, since // 24)
    lift(connection, consignments)
    known = sa.select(OUTCOMES.c.consignment_id).where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    woken = 0
    waiting = (DECISIONS.c.stands, DECISIONS.c.hour >= since, standing_lane() != "red", ~known.exists())
    for batch in in_lists(networks):
        woken += update_rows(connection, DECISIONS, {"waits": True}, DECISIONS.c.network.in_(batch), *waiting)
    for batch in in_lists(consignments):
        others = (DECISIONS.c.consignment_id.in_(batch), ~DECISIONS.c.waits)
        woken += update_rows(connection, DECISIONS, {"waits": True}, *others, *waiting)
    return woken
