"""Campaigns on record: which checks of a network are still awaited, and which networks were found out since."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from service.record.standing import is_opened
from service.store.queries import in_lists
from service.store.tables import DECISIONS, OUTCOMES

AWAITED_HOURS = 21 * 24  # a result that has not come by then is not waited for


def opened(connection: sa.Connection, networks: Sequence[str], hour: int) -> dict[str, int]:
    """Count the awaited checks of networks at an hour, as lanes stand, without networks that have none."""
    counts: dict[str, int] = {}
    known = sa.select(OUTCOMES.c.consignment_id).where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    for batch in in_lists(networks):
        query = sa.select(DECISIONS.c.network, sa.func.count(sa.distinct(DECISIONS.c.consignment_id))).where(
            DECISIONS.c.network.in_(batch),
            DECISIONS.c.stands,
            DECISIONS.c.hour >= hour - AWAITED_HOURS,
            is_opened(),
            ~known.exists(),
        )
        counts |= {row[0]: row[1] for row in connection.execute(query.group_by(DECISIONS.c.network))}
    return dict(sorted(counts.items()))


def found(connection: sa.Connection, networks: Sequence[str], since: int) -> tuple[str, ...]:
    """Choose the networks of which something was found out after a moment, microseconds since 1970."""
    found_out: set[str] = set()
    hit = OUTCOMES.c.result == "non_compliant"
    for batch in in_lists(networks):
        query = (
            sa.select(DECISIONS.c.network)
            .join(OUTCOMES, OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
            .where(DECISIONS.c.network.in_(batch), OUTCOMES.c.known_at > since, hit)
        )
        found_out.update(connection.execute(query.distinct()).scalars())
    return tuple(sorted(found_out))
