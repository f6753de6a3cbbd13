"""The work list of an office: what is to be done now, at one of the three moments, the riskiest first."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from service.records import EPOCH
from service.store import Store
from service.tables import DECISIONS, OUTCOMES, OVERRIDES

Stage = Literal["pre_arrival", "clearance", "post_clearance"]
DAYS = 14  # of lodging that are looked through where nobody says since when
AT_MOST = 500  # in one answer
TOLD = (
    *("decision_id", "consignment_id", "version", "lodged_at", "office", "risk", "rank", "of", "pre_arrival"),
    *("clearance", "check", "post_clearance", "track", "selection", "party_id", "network_id", "mode"),
)
CHECKED = ("red", "yellow")
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

    An analyst's own lane takes the place of the one decided. clearance: one lane alone. beyond: how many of them to
    pass over, for the next page.
    """
    later = DECISIONS.alias()
    newer = sa.exists().where(
        later.c.consignment_id == DECISIONS.c.consignment_id, later.c.version > DECISIONS.c.version, later.c.stands
    )
    known = sa.exists().where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    own = (OVERRIDES.c.decision_id == DECISIONS.c.decision_id) & OVERRIDES.c.counts
    query = (
        sa.select(DECISIONS.c.decision_id, OVERRIDES.c.clearance)
        .outerjoin(OVERRIDES, own)
        .where(
            DECISIONS.c.office == office,
            DECISIONS.c.day >= (since - EPOCH.date()).days,
            DECISIONS.c.stands,
            _asks(stage),
            ~known,
            ~newer,
        )
    )
    if clearance is not None:
        query = query.where(sa.func.coalesce(OVERRIDES.c.clearance, DECISIONS.c.clearance) == clearance)
    order = (DECISIONS.c.risk.desc().nulls_last(), DECISIONS.c.decision_id)
    with store.reading() as connection:
        chosen = connection.execute(query.order_by(*order).limit(at_most).offset(beyond)).all()
        # what is shown of them is looked up after that: a sort would carry all of it along
        whole = sa.select(DECISIONS.c.decision_id, DECISIONS.c.body)
        asked = whole.where(DECISIONS.c.decision_id.in_([number for number, _ in chosen]))
        bodies = {row.decision_id: row.body for row in connection.execute(asked)}
    return [
        {name: body[name] for name in TOLD}
        | ({"clearance": overridden, "overridden": True} if overridden else {})
        | {"reasons": body["reasons"][:BEST]}
        for body, overridden in ((bodies[number], lane) for number, lane in chosen)
        if body  # nothing is left of what was erased
    ]


def since_of(today: date) -> date:
    """The first day that is looked through where nobody names one."""
    return today - timedelta(days=DAYS)


def _asks(stage: Stage) -> sa.ColumnElement[bool]:
    if stage == "clearance":
        # who may be asked for is narrowed down by the index first; the rest is then looked into one by one
        own = sa.select(OVERRIDES.c.decision_id).where(OVERRIDES.c.counts)
        perhaps = DECISIONS.c.clearance.in_(CHECKED) | DECISIONS.c.decision_id.in_(own)
        return perhaps & sa.func.coalesce(OVERRIDES.c.clearance, DECISIONS.c.clearance).in_(CHECKED)
    quiet = {"pre_arrival": "no_risk", "post_clearance": "none"}[stage]
    asks: sa.ColumnElement[bool] = DECISIONS.c[stage] != quiet
    return asks
