"""Campaigns on record: which checks of a network are still awaited, and what was found since."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import polars as pl
import sqlalchemy as sa

from service.orientation.campaigns import OPEN
from service.posting import in_lists
from service.tables import DECISIONS, OUTCOMES

AWAITED_HOURS = 21 * 24  # a result that has not come by then is not waited for
OPENED = ("scan", "physical")


def opened(connection: sa.Connection, networks: Sequence[str], hour: int) -> pl.DataFrame:
    """How many checks of these networks are awaited at an hour: OPEN, without those of which none is."""
    rows: list[tuple[Any, ...]] = []
    known = sa.select(OUTCOMES.c.consignment_id).where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    for some in in_lists(networks):
        query = sa.select(DECISIONS.c.network, sa.func.count(sa.distinct(DECISIONS.c.consignment_id))).where(
            DECISIONS.c.network.in_(some),
            DECISIONS.c.checked.in_(OPENED),
            DECISIONS.c.stands,
            DECISIONS.c.hour >= hour - AWAITED_HOURS,
            ~known.exists(),
        )
        rows += [tuple(row) for row in connection.execute(query.group_by(DECISIONS.c.network))]
    return pl.DataFrame(rows, schema=OPEN, orient="row").sort("network")


def found(connection: sa.Connection, networks: Sequence[str], since: int) -> tuple[str, ...]:
    """Those of some networks of which something was found out after a moment, microseconds since 1970."""
    told: set[str] = set()
    hit = OUTCOMES.c.body["result"].as_string() == "non_compliant"
    for some in in_lists(networks):
        query = (
            sa.select(DECISIONS.c.network)
            .join(OUTCOMES, OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
            .where(DECISIONS.c.network.in_(some), OUTCOMES.c.known_at > since, hit)
        )
        told.update(connection.execute(query.distinct()).scalars())
    return tuple(sorted(told))
