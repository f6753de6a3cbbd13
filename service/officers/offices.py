"""Whose consignments are: what callers of some offices see of them, and how one passes to another office."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.access.principal import Principal
from service.record.ownership import EVERY_OFFICE, NOT_NAMED, Sender, offices_on
from service.record.transfers import LONGEST_REASON, Transfer, pass_on
from service.store.database import Store
from service.store.settled_rows import settled_consignment
from service.store.tables import DECISIONS, TALLIES


def unseen(store: Store, principal: Principal, consignment_ids: Sequence[str]) -> set[str]:
    """Return those consignments on record of which a caller does not see every part; what is unknown is not in it."""
    if principal.sees_all or not consignment_ids:
        return set()
    with store.reading() as connection:
        offices = offices_on(connection, consignment_ids)
    return {number for number, of_parts in offices.items() if not principal.sender.sees_every(of_parts)}


def require_seen(store: Store, principal: Principal, decision_id: str) -> None:
    """Raise the Fault of an unknown decision where a caller does not see every part of its consignment."""
    with store.reading() as connection:
        named = sa.select(DECISIONS.c.consignment_id).where(DECISIONS.c.decision_id == decision_id)
        consignment_id = connection.execute(named).scalar() or settled_consignment(connection, decision_id)
    if consignment_id is not None and unseen(store, principal, [consignment_id]):
        raise Fault("no such decision is on record")


def on_record(store: Store, consignment_ids: Sequence[str]) -> set[str]:
    """Return those consignments of which anything was lodged."""
    with store.reading() as connection:
        return set(offices_on(connection, consignment_ids))


def transfer(store: Store, given: Transfer, giver: Sender, named: Collection[str], at: datetime) -> None:
    """Pass a consignment to another office, with all its parts; raises Fault for what cannot be.

    giver: whoever passes it on, who must see every part of it. named: offices that are known although nothing was
    decided for them, such as those of the policy.
    """
    if not given.reason.strip() or len(given.reason) > LONGEST_REASON:
        raise Fault(f"reason: say why, in at most {LONGEST_REASON} characters")
    if not given.by.strip():
        raise Fault("by: say who passes it on")
    if given.office in (EVERY_OFFICE, *NOT_NAMED) or not is_known_office(store, given.office, named):
        raise Fault("office: name one that decisions are on record for, or that the policy names")

    def work(connection: sa.Connection) -> None:
        parts = offices_on(connection, [given.consignment_id]).get(given.consignment_id)
        if parts is None or not giver.sees_every(parts):
            raise Fault("consignment_id: no such consignment is on record here")
        pass_on(connection, given, micros(at))

    store.write(work)


def offices_on_record(store: Store) -> list[str]:
    """Every office that anything was decided for, in order."""
    with store.reading() as connection:
        return sorted(connection.execute(sa.select(TALLIES.c.office).distinct()).scalars())


def is_known_office(store: Store, office: str, named: Collection[str]) -> bool:
    """Whether anything was decided for an office, or somebody names it: a policy, or those who work there."""
    if office in named:
        return True
    with store.reading() as connection:
        return (
            connection.execute(sa.select(TALLIES.c.office).where(TALLIES.c.office == office).limit(1)).scalar()
            is not None
        )
