"""The work list of an office: what is to be done now, at one of the three moments, the riskiest first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from service.records import EPOCH
from service.store import DECISIONS, OUTCOMES, OVERRIDES, Store

Stage = Literal["pre_arrival", "clearance", "post_clearance"]
DAYS = 14  # of lodging that are looked through where nobody says since when
AT_MOST = 500  # in one answer
TOLD = (
    *("decision_id", "consignment_id", "version", "lodged_at", "office", "risk", "rank", "of", "pre_arrival"),
    *("clearance", "check", "post_clearance", "track", "selection", "party_id", "network_id", "mode"),
)
BEST = 2  # reasons that are told of each


def queue(
    store: Store,
    office: str,
    stage: Stage,
    since: date,
    *,
    clearance: str | None = None,
    at_most: int = AT_MOST,
    beyond: int = 0,
) -> list[dict[str, Any]]:
    """What waits at an office for a stage, lodged since a day: decisions that stand and have no result, by risk.

    An analyst's own lane takes the place of the one decided.

    clearance: one lane alone. beyond: how many of them to pass over, for the next page.
    """
    later = DECISIONS.alias()
    newer = sa.exists().where(
        later.c.consignment_id == DECISIONS.c.consignment_id, later.c.version > DECISIONS.c.version, later.c.stands
    )
    known = sa.exists().where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    own = (OVERRIDES.c.decision_id == DECISIONS.c.decision_id) & OVERRIDES.c.counts
    query = (
        sa.select(DECISIONS.c.body, OVERRIDES.c.clearance)
        .outerjoin(OVERRIDES, own)
        .where(
            DECISIONS.c.office == office,
            DECISIONS.c.day >= (since - EPOCH.date()).days,
            DECISIONS.c.stands,
            DECISIONS.c.salt.is_not(None),
            _asks(stage),
            ~known,
            ~newer,
        )
    )
    if clearance is not None:
        query = query.where(sa.func.coalesce(OVERRIDES.c.clearance, DECISIONS.c.clearance) == clearance)
    order = (DECISIONS.c.risk.desc().nulls_last(), DECISIONS.c.decision_id)
    with store.reading() as connection:
        rows = connection.execute(query.order_by(*order).limit(at_most).offset(beyond)).all()
    return [
        {name: body[name] for name in TOLD}
        | ({"clearance": overridden, "overridden": True} if overridden else {})
        | {"reasons": body["reasons"][:BEST]}
        for body, overridden in rows
    ]


def since_of(today: date) -> date:
    """The first day that is looked through where nobody names one."""
    return today - timedelta(days=DAYS)


def _asks(stage: Stage) -> sa.ColumnElement[bool]:
    if stage == "clearance":
        return sa.func.coalesce(OVERRIDES.c.clearance, DECISIONS.c.clearance).in_(["red", "yellow"])
    quiet = {"pre_arrival": "no_risk", "post_clearance": "none"}[stage]
    asks: sa.ColumnElement[bool] = DECISIONS.c.body[stage].as_string() != quiet
    return asks
