"""Erasing what is old or must go: the record keeps that it was there, and the chain that it was erased, and by whom."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from service.cases import SUBJECT
from service.chain import Entry, append
from service.overrides import SUBJECT as OVERRIDE
from service.posting import in_lists
from service.records import micros
from service.scoring.signature import canonical
from service.store import Store
from service.tables import CASE_NOTES, DECISIONS, DECLARATIONS, OUTCOMES, OVERRIDES, RECEPTACLES

KEPT_OF_OUTCOMES = (
    "consignment_id",
    "known_at",
    "stage",
    "result",
    "findings",
    "criminal_link",
    "selection",
    "selection_probability",
)


@dataclass(frozen=True, slots=True)
class Erased:
    """How much of each class was erased, or would be: consignments, declarations, decisions, outcomes."""

    consignments: int
    declarations: int
    decisions: int
    outcomes: int


def chosen(store: Store, consignment_ids: list[str], lodged_before: datetime | None) -> list[str]:
    """The consignments that are meant: those named, and those lodged last before a moment."""
    wanted = set(consignment_ids)
    if lodged_before is not None:
        last = sa.func.max(DECLARATIONS.c.lodged_at)
        old = sa.select(DECLARATIONS.c.consignment_id).group_by(DECLARATIONS.c.consignment_id)
        with store.reading() as connection:
            wanted |= set(connection.execute(old.having(last < micros(lodged_before))).scalars())
    return sorted(wanted)


def erase(
    store: Store, consignment_ids: list[str], by: str, reason: str, now: datetime, *, dry_run: bool = False
) -> Erased:
    """Erase what was declared, decided, scored and noted of consignments; raises Fault without a name and a reason.

    What stays: that a consignment was decided, its lane and its results without names (hits are counted for years), the
    sums of history, which hold no name, and the chain.
    """
    if not dry_run and (not by.strip() or not reason.strip()):
        raise Fault("an erasure needs a name and a reason: --by NAME --reason TEXT")
    if dry_run:
        with store.reading() as connection:
            return _counted(connection, consignment_ids)
    return store.write(lambda connection: _erase(connection, consignment_ids, by, reason, now))


def _counted(connection: sa.Connection, ids: list[str]) -> Erased:
    def count(table: sa.Table, still: Any) -> int:
        return sum(
            int(
                connection.execute(
                    sa.select(sa.func.count()).select_from(table).where(table.c.consignment_id.in_(some), still)
                ).scalar_one()
            )
            for some in in_lists(ids)
        )

    return Erased(
        len(ids),
        count(DECLARATIONS, DECLARATIONS.c.body.is_not(sa.null())),
        count(DECISIONS, DECISIONS.c.salt.is_not(None)),
        count(OUTCOMES, OUTCOMES.c.salt.is_not(None)),
    )


def _erase(connection: sa.Connection, ids: list[str], by: str, reason: str, now: datetime) -> Erased:
    told = _counted(connection, ids)
    subjects: list[str] = []
    for some in in_lists(ids):
        mine = DECISIONS.c.consignment_id.in_(some) & DECISIONS.c.salt.is_not(None)
        subjects += connection.execute(sa.select(DECISIONS.c.decision_id).where(mine)).scalars()
        connection.execute(sa.update(DECISIONS).where(mine).values(salt=None, body={}, row_as_scored=sa.null()))
        declared = DECLARATIONS.c.consignment_id.in_(some)
        connection.execute(sa.update(DECLARATIONS).where(declared).values(body=sa.null(), archived=True))
        connection.execute(sa.delete(RECEPTACLES).where(RECEPTACLES.c.consignment_id.in_(some)))
        cased = CASE_NOTES.c.consignment_id.in_(some) & CASE_NOTES.c.salt.is_not(None)
        noted_of = connection.execute(sa.select(CASE_NOTES.c.note_id).where(cased)).scalars()
        subjects += [f"{SUBJECT}{note_id}" for note_id in noted_of]
        connection.execute(sa.update(CASE_NOTES).where(cased).values(salt=None, officer="", body={}))
        overridden = OVERRIDES.c.consignment_id.in_(some) & OVERRIDES.c.salt.is_not(None)
        own = connection.execute(sa.select(OVERRIDES.c.override_id).where(overridden)).scalars()
        subjects += [f"{OVERRIDE}{override_id}" for override_id in own]
        connection.execute(sa.update(OVERRIDES).where(overridden).values(salt=None, by="", reason=""))
        noted = OUTCOMES.c.consignment_id.in_(some) & OUTCOMES.c.salt.is_not(None)
        for outcome_id, body in connection.execute(
            sa.select(OUTCOMES.c.outcome_id, OUTCOMES.c.body).where(noted)
        ).all():
            kept = {name: body[name] for name in KEPT_OF_OUTCOMES if name in body}
            this = OUTCOMES.c.outcome_id == outcome_id
            connection.execute(sa.update(OUTCOMES).where(this).values(salt=None, body=kept, archived=True))
            subjects.append(outcome_id)
    content = canonical({"by": by, "reason": reason}).decode()
    append(connection, [Entry("erasure", subject, content) for subject in subjects], micros(now))
    return told
