"""The work list as a person has arranged it: chosen, ordered and counted, with who works on what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from itertools import islice
from typing import Any, Literal

import sqlalchemy as sa

from features.finding_kinds import Kinds, standard_kinds
from service.officers.assignments import HELD, holders_on
from service.officers.queue import Stage, shown_of, waiting_at
from service.orientation.lanes import Lane
from service.store.database import Store
from service.store.tables import ASSIGNMENTS

Order = Literal["risk", "lodged", "lane", "number"]
Holder = Literal["", "nobody", "me", "others"]
LOOKED_INTO = 5_000  # decisions that a list by kind reads, at some 20 µs each
AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list shows: what waits at an office for a stage, lodged from a first day to a last one, both included.

    lane: one that stands; empty for any. least_risk: from 0 to 1. holder: what nobody has taken, what `me` has, or what
    others have; empty for all. networked: only what was attributed to a sender. me: who asks. kind: of finding, that
    is the main one of each; empty for any. A list by kind looks into the first LOOKED_INTO of its order.
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
    kind: str = ""


def listed(
    store: Store, asked: Asked, at_most: int, beyond: int = 0, kinds: Kinds | None = None
) -> list[dict[str, Any]]:
    """List what waits, as `queue` shows it, each with who has taken it (`taken_by`, or None).

    kinds: of the installation, by which the main one is told; by default those that the product ships.
    """
    with store.reading() as connection:
        if asked.kind:
            rows = list(islice(_of_kind(connection, store, asked, kinds), beyond, beyond + at_most))
        else:
            chosen = connection.execute(_ordered(store, asked, "decision_id").limit(at_most).offset(beyond))
            rows = shown_of(connection, list(chosen.scalars()))
        taken = holders_on(connection, [row["consignment_id"] for row in rows])
    return [{**row, "taken_by": taken.get(row["consignment_id"])} for row in rows]


def waiting_of_kind(store: Store, asked: Asked, at_most: int, beyond: int, kinds: Kinds) -> list[dict[str, Any]]:
    """List what waits of a kind as `queue` does: without who has taken it."""
    with store.reading() as connection:
        return list(islice(_of_kind(connection, store, asked, kinds), beyond, beyond + at_most))


def _of_kind(connection: sa.Connection, store: Store, asked: Asked, kinds: Kinds | None) -> Iterator[dict[str, Any]]:
    """Give what a list by kind holds, in its order: chances stand in the decisions alone, and these are looked into."""
    known = kinds or standard_kinds()
    ordered = list(connection.execute(_ordered(store, asked, "decision_id").limit(LOOKED_INTO)).scalars())
    for start in range(0, len(ordered), AT_ONCE):
        for row in shown_of(connection, ordered[start : start + AT_ONCE]):
            if known.main_of(row["risk_by_kind"]) == asked.kind:
                yield row


def numbers(store: Store, asked: Asked, at_most: int, kinds: Kinds | None = None) -> list[str]:
    """Give the numbers of the first consignments of a list, in its order. kinds: see `listed`."""
    with store.reading() as connection:
        if asked.kind:
            return [row["consignment_id"] for row in islice(_of_kind(connection, store, asked, kinds), at_most)]
        chosen = connection.execute(_ordered(store, asked, "consignment_id").limit(at_most))
        return list(chosen.scalars())


def counted(store: Store, asked: Asked, kinds: Kinds | None = None) -> dict[str, int]:
    """Count what a list holds by the lane that stands. kinds: see `listed`."""
    if asked.kind:
        with store.reading() as connection:
            return dict(Counter(row["clearance"] for row in _of_kind(connection, store, asked, kinds)))
    work = _work(store, asked, laned=True)
    chosen = sa.select(work.c.lane, sa.func.count()).where(*_chosen(work, asked)).group_by(work.c.lane)
    with store.reading() as connection:
        return {lane: int(count) for lane, count in connection.execute(chosen)}


def _ordered(store: Store, asked: Asked, column: str) -> sa.Select[Any]:
    work = _work(store, asked, laned=bool(asked.lane) or asked.order == "lane")
    of = {"risk": "risk", "lodged": "hour", "lane": "lane", "number": "consignment_id"}
    by: sa.ColumnElement[Any] = work.c[of[asked.order]]
    if asked.order == "lane":
        by = sa.case({lane.name: lane.value for lane in Lane}, value=by)
    first = by.desc().nulls_last() if asked.descending else by.asc().nulls_last()
    riskiest = (work.c.risk.desc().nulls_last(), work.c.decision_id)
    query = sa.select(work.c[column], by, work.c.risk, work.c.decision_id)
    return query.where(*_chosen(work, asked)).order_by(first, *riskiest)


def _work(store: Store, asked: Asked, *, laned: bool) -> sa.Subquery:
    return waiting_at(store, asked.office, asked.stage, asked.first, asked.last, laned=laned)


def _chosen(work: sa.Subquery, asked: Asked) -> list[sa.ColumnElement[bool]]:
    conditions: list[sa.ColumnElement[bool]] = []
    if asked.lane:
        conditions.append(work.c.lane == asked.lane)
    if asked.least_risk:
        conditions.append(work.c.risk >= asked.least_risk)
    if asked.networked:
        conditions.append(work.c.networked)
    if asked.holder:
        conditions.append(_held(work, asked))
    return conditions


def _held(work: sa.Subquery, asked: Asked) -> sa.ColumnElement[bool]:
    held = sa.exists().where(ASSIGNMENTS.c.consignment_id == work.c.consignment_id, *HELD)
    if asked.holder == "nobody":
        return ~held
    by_me = ASSIGNMENTS.c.by == asked.me
    return held.where(by_me if asked.holder == "me" else ~by_me)
