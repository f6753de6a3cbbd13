"""The work list of an office: what is to be done now, at one of the three moments, the riskiest first."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any, Literal

import sqlalchemy as sa

from features.moments import EPOCH
from service.orientation.lanes import Lane
from service.record.standing import Standing, standing_lane, standing_of
from service.store.database import Store
from service.store.queries import in_lists
from service.store.record_files import DECISION
from service.store.record_tables import RECORD_WORK
from service.store.settled_rows import decided_of
from service.store.tables import DECISIONS, OUTCOMES, OVERRIDES, TRANSFERS

Stage = Literal["pre_arrival", "clearance", "post_clearance"]
DAYS = 14  # of lodging that are looked through where nobody says which
LOOKED_BACK = 366  # days in which the newest that has work is looked for
AT_MOST = 500  # in one answer
SHOWN = (
    *("decision_id", "consignment_id", "version", "lodged_at", "office", "risk", "risk_low", "risk_high"),
    *("risk_by_kind", "rank", "of"),
    *("pre_arrival", "clearance", "check", "post_clearance", "track", "selection", "party_id", "network_id", "mode"),
)
INSPECTING_LANES = ("red", "yellow")
BEST = 2  # reasons that are shown of each


def queue(
    store: Store,
    office: str,
    stage: Stage,
    since: date,
    *,
    until: date | None = None,
    clearance: str | None = None,
    at_most: int = AT_MOST,
    beyond: int = 0,
) -> list[dict[str, Any]]:
    """List what waits at an office for a stage, lodged on some days: decisions that stand and have no result, by risk.

    The lane is the one that stands after an officer's word (service.record.standing); `overridden` says that it is his,
    and `new_information` that a later assessment asks for a stricter one. clearance: one lane alone. beyond: how many
    of them to pass over, for the next page.
    """
    work = waiting_at(store, office, stage, since, until, laned=clearance is not None)
    query = sa.select(work.c.decision_id, work.c.risk)
    if clearance is not None:
        query = query.where(work.c.lane == clearance)
    order = (work.c.risk.desc().nulls_last(), work.c.decision_id)
    with store.reading() as connection:
        chosen = connection.execute(query.order_by(*order).limit(at_most).offset(beyond)).scalars().all()
        return shown_of(connection, chosen)


def shown_of(connection: sa.Connection, decision_ids: Sequence[str]) -> list[dict[str, Any]]:
    """Look up what a list shows of decisions, in their order: a sort of the list would carry all of it along."""
    found: dict[str, dict[str, Any]] = {}
    for batch in in_lists(decision_ids):
        whole = sa.select(DECISIONS.c.decision_id, DECISIONS.c.body).where(DECISIONS.c.decision_id.in_(batch))
        found.update((row.decision_id, row.body) for row in connection.execute(whole))
    missing = [number for number in decision_ids if number not in found]
    found |= {
        row["decision_id"]: row["body"] for row in decided_of(connection, ("decision_id", "body"), missing, DECISION)
    }
    bodies = [body for number in decision_ids if (body := found[number])]  # nothing is left of what was erased
    stands = standing_of(connection, bodies)
    return [_shown(body, lane) for body, lane in zip(bodies, stands, strict=True)]


def _shown(body: dict[str, Any], stands: Standing) -> dict[str, Any]:
    shown = {name: body.get(name) for name in SHOWN} | {"clearance": stands.clearance}
    if stands.override is not None:
        shown |= {"overridden": True, "new_information": stands.new_information}
    return shown | {"reasons": body["reasons"][:BEST]}


def days_shown(
    store: Store, office: str, stage: Stage, today: date, *, day: date | None = None, since: date | None = None
) -> tuple[date, date]:
    """Give the first and the last day of lodging that a list shows.

    A `day` stands for itself; with `since` it is the last of them. Where neither is named: the latest two weeks, and
    where those have no work, the two weeks up to the newest day on record that has.
    """
    if day is not None:
        return (day if since is None else since), day
    earliest = since or today - timedelta(days=LOOKED_BACK)
    found = _newest_day(store, office, stage, earliest)
    last = max(today, earliest) if found is None else EPOCH.date() + timedelta(days=found)
    if since is not None:
        return since, last
    recent = last >= today - timedelta(days=DAYS)
    return (today if recent else last) - timedelta(days=DAYS), max(last, today) if recent else last


def day_number(day: date) -> int:
    return (day - EPOCH.date()).days


def belonging_to(store: Store, office: str) -> list[sa.ColumnElement[bool]]:
    """Say which decisions belong to an office: its own, without what passed to another, with what came to it."""
    with store.reading() as connection:
        if connection.execute(sa.select(TRANSFERS.c.transfer_id).limit(1)).first() is None:
            return [DECISIONS.c.office == office]  # as a rule: then the index of queues answers alone
    later = TRANSFERS.alias()
    overtaken = sa.exists().where(
        later.c.consignment_id == TRANSFERS.c.consignment_id, later.c.transfer_id > TRANSFERS.c.transfer_id
    )
    number = DECISIONS.c.consignment_id
    elsewhere = (TRANSFERS.c.consignment_id == number, TRANSFERS.c.office != office, ~overtaken)
    gone = sa.exists().where(*elsewhere)
    come = sa.select(TRANSFERS.c.consignment_id).where(TRANSFERS.c.office == office, ~overtaken)
    return [((DECISIONS.c.office == office) & ~gone) | number.in_(come)]


def waiting_at(
    store: Store, office: str, stage: Stage, first: date, last: date | None = None, *, laned: bool = False
) -> sa.Subquery:
    """Select what waits at an office for a stage, lodged from one day to another: numbers, time, risk, attribution.

    laned: with the `lane` that stands, which takes a look at each. What was settled in files waits before arrival
    alone, for the declarant, and in the green lane: whatever else is said of it lifts it into rows.
    """
    parts = _waiting_parts(store, office, stage, first, last, laned=laned)
    return (sa.union_all(*parts) if len(parts) > 1 else parts[0]).subquery("waiting")


def _waiting_parts(
    store: Store, office: str, stage: Stage, first: date, last: date | None, *, laned: bool
) -> list[sa.Select[Any]]:
    """Select what waits in rows, and before arrival what was settled in files as well."""
    rows = sa.select(
        DECISIONS.c.decision_id, DECISIONS.c.consignment_id, DECISIONS.c.day, DECISIONS.c.hour, DECISIONS.c.risk,
        DECISIONS.c.network.is_not(None).label("networked"), *([standing_lane().label("lane")] if laned else []),
    ).where(*waiting(belonging_to(store, office), stage, first))  # fmt: skip
    settled = sa.select(
        RECORD_WORK.c.decision_id, RECORD_WORK.c.consignment_id, RECORD_WORK.c.day, RECORD_WORK.c.hour,
        RECORD_WORK.c.risk, RECORD_WORK.c.networked, *([sa.literal(Lane.green.name).label("lane")] if laned else []),
    ).where(RECORD_WORK.c.office == office, RECORD_WORK.c.day >= day_number(first))  # fmt: skip
    if last is not None:
        rows = rows.where(DECISIONS.c.day <= day_number(last))
        settled = settled.where(RECORD_WORK.c.day <= day_number(last))
    return [rows, settled] if stage == "pre_arrival" else [rows]


def _days_of(part: sa.Select[Any]) -> sa.Select[Any]:
    day = part.selected_columns.day
    return part.with_only_columns(day, maintain_column_froms=True).order_by(day.desc())


def _newest_day(store: Store, office: str, stage: Stage, first: date) -> int | None:
    """Find the newest day with work, each part by its own index: a union of both would be read to its end."""
    with store.reading() as connection:
        newest = [
            connection.execute(_days_of(part).limit(1))
            for part in _waiting_parts(store, office, stage, first, None, laned=False)
        ]
        return max((day for found in newest if (day := found.scalar()) is not None), default=None)


def waiting(belongs: Sequence[sa.ColumnElement[bool]], stage: Stage, since: date) -> tuple[sa.ColumnElement[bool], ...]:
    """Say what waits: the newest version of what asks for something at a stage and has no result."""
    later = DECISIONS.alias()
    newer = sa.exists().where(
        later.c.consignment_id == DECISIONS.c.consignment_id, later.c.version > DECISIONS.c.version, later.c.stands
    )
    known = sa.exists().where(OUTCOMES.c.consignment_id == DECISIONS.c.consignment_id)
    return (
        *belongs,
        DECISIONS.c.day >= day_number(since),
        DECISIONS.c.stands,
        _asks(stage),
        ~known,
        ~newer,
    )


def _asks(stage: Stage) -> sa.ColumnElement[bool]:
    if stage == "clearance":
        # who may be asked for is narrowed down by the index first; the rest is then looked into one by one
        spoken_of = sa.select(OVERRIDES.c.consignment_id)
        perhaps = DECISIONS.c.clearance.in_(INSPECTING_LANES) | DECISIONS.c.consignment_id.in_(spoken_of)
        return perhaps & standing_lane().in_(INSPECTING_LANES)
    quiet = {"pre_arrival": "no_risk", "post_clearance": "none"}[stage]
    asks: sa.ColumnElement[bool] = DECISIONS.c[stage] != quiet
    return asks
