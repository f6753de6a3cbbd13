"""The work list as a person has arranged it: chosen, ordered and counted, with who works on what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

import sqlalchemy as sa

from service.officers.assignments import HELD, holders_on
from service.officers.queue import Stage, belonging_to, day_number, shown_of, waiting
from service.orientation.lanes import Lane
from service.record.standing import standing_lane
from service.store.database import Store
from service.store.tables import ASSIGNMENTS, DECISIONS

Order = Literal["risk", "lodged", "lane", "number"]
Holder = Literal["", "nobody", "me", "others"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list shows: what waits at an office for a stage, lodged from a first day to a last one, both included.

    lane: one that stands; empty for any. least_risk: from 0 to 1. holder: what nobody has taken, what `me` has, or what
    others have; empty for all. networked: only what was attributed to a sender. me: who asks.
    """

    office: str
    stage: Stage
    first: date
    last: date
    lane: str = ""
    least_risk: float = 0.0
    holder: Holder = ""
    networked: bool = False
    me: str = ""
    order: Order = "risk"
    descending: bool = True


def listed(store: Store, asked: Asked, at_most: int, beyond: int = 0) -> list[dict[str, Any]]:
    """List what waits, as `queue` shows it, each with who has taken it (`taken_by`, or None)."""
    with store.reading() as connection:
        chosen = connection.execute(_ordered(store, asked, DECISIONS.c.decision_id).limit(at_most).offset(beyond))
        rows = shown_of(connection, list(chosen.scalars()))
        taken = holders_on(connection, [row["consignment_id"] for row in rows])
    return [{**row, "taken_by": taken.get(row["consignment_id"])} for row in rows]


def numbers(store: Store, asked: Asked, at_most: int) -> list[str]:
    """Give the numbers of the first consignments of a list, in its order."""
    with store.reading() as connection:
        chosen = connection.execute(_ordered(store, asked, DECISIONS.c.consignment_id).limit(at_most))
        return list(chosen.scalars())


def counted(store: Store, asked: Asked) -> dict[str, int]:
    """Count what a list holds by the lane that stands."""
    chosen = sa.select(standing_lane().label("lane")).where(*_chosen(store, asked)).subquery()
    with store.reading() as connection:
        rows = connection.execute(sa.select(chosen.c.lane, sa.func.count()).group_by(chosen.c.lane)).all()
    return {lane: int(count) for lane, count in rows}


def _ordered(store: Store, asked: Asked, column: sa.Column[str]) -> sa.Select[str]:
    of: dict[Order, sa.ColumnElement[Any]] = {
        "risk": DECISIONS.c.risk,
        "lodged": DECISIONS.c.hour,
        "lane": sa.case({lane.name: lane.value for lane in Lane}, value=standing_lane()),
        "number": DECISIONS.c.consignment_id,
    }
    first = of[asked.order].desc().nulls_last() if asked.descending else of[asked.order].asc().nulls_last()
    riskiest = (DECISIONS.c.risk.desc().nulls_last(), DECISIONS.c.decision_id)
    return sa.select(column).where(*_chosen(store, asked)).order_by(first, *riskiest)


def _chosen(store: Store, asked: Asked) -> list[sa.ColumnElement[bool]]:
    waits = waiting(belonging_to(store, asked.office), asked.stage, asked.first)
    conditions = [*waits, DECISIONS.c.day <= day_number(asked.last)]
    if asked.lane:
        conditions.append(standing_lane() == asked.lane)
    if asked.least_risk:
        conditions.append(DECISIONS.c.risk >= asked.least_risk)
    if asked.networked:
        conditions.append(DECISIONS.c.network.is_not(None))
    if asked.holder:
        conditions.append(_held(asked))
    return conditions


def _held(asked: Asked) -> sa.ColumnElement[bool]:
    held = sa.exists().where(ASSIGNMENTS.c.consignment_id == DECISIONS.c.consignment_id, *HELD)
    if asked.holder == "nobody":
        return ~held
    by_me = ASSIGNMENTS.c.by == asked.me
    return held.where(by_me if asked.holder == "me" else ~by_me)
