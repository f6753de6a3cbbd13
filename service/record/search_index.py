"""The index of search: what was decided comes into it while the service runs, what is archived when it is ingested.

How far the audit log has been taken in is a number of the store (TAKEN_IN), written with what was taken in; so nothing
is left out whatever ends between, and no call waits for it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.consignment import VERSION_KEY, Consignments
from features.hashes import hashes_of
from features.history.fact_columns import Versions
from features.parties.linking import code_of
from service.record.audit_log import tail
from service.record.postings import MASK, add, forget, packed
from service.record.record_rows import declarations_of, parts_of
from service.record.search_keys import Body, key_of, stated_keys
from service.store.bulk_rows import delete_rows, insert_many, update_each
from service.store.database import Store
from service.store.driver import Prepared, among
from service.store.pseudonyms import Pseudonyms
from service.store.queries import in_lists, set_state, state_of
from service.store.store_key import pseudonyms_in
from service.store.tables import CHAIN, DECISIONS, DECLARATIONS, SEARCHED

TAKEN_IN = "search_taken_in"  # the last entry of the audit log whose decision search finds
ENTRIES = 500  # of the audit log in one transaction, so that calls are not blocked
MOST_WAITING = 1_000  # decisions that are counted
PARTY = "party"  # the kind of the keys of senders as they are linked: `P-…`
NUMBERED = Prepared(sa.select(SEARCHED).where(among(SEARCHED.c.consignment_id)))
OFFICES = Prepared(
    sa.select(DECLARATIONS.c.consignment_id, DECLARATIONS.c.office)
    .where(among(DECLARATIONS.c.consignment_id))
    .distinct()
)
LAST_NUMBER = Prepared(sa.select(sa.func.max(SEARCHED.c.number)))
_SAME = [DECISIONS.c[name] == DECLARATIONS.c[name] for name in VERSION_KEY]
DECIDED = Prepared(
    sa.select(DECLARATIONS.c.consignment_id, DECLARATIONS.c.body, DECLARATIONS.c.stated)
    .select_from(CHAIN.join(DECISIONS, DECISIONS.c.decision_id == CHAIN.c.subject).join(DECLARATIONS, sa.and_(*_SAME)))
    .where(
        CHAIN.c.number > sa.bindparam("above"),
        CHAIN.c.number <= sa.bindparam("until"),
        CHAIN.c.kind == "decision",
        DECISIONS.c.assessment == 1,
    )
    .order_by(CHAIN.c.number)
)


@dataclass(frozen=True, slots=True)
class Found:
    """A consignment that search finds: its number in the index, and the offices of its parts."""

    number: int
    consignment_id: str
    offices: frozenset[str | None]


def catch_up(store: Store) -> int:
    """Take in all decisions that were recorded since; returns how many entries of the audit log were looked at."""
    done = 0
    while waiting(store):
        done += store.write(_take_in)
    return done


def waiting(store: Store) -> int:
    """Count the entries of the audit log that are not looked at yet."""
    with store.reading() as connection:
        return tail(connection)[0] - (state_of(connection, TAKEN_IN) or 0)


def decisions_waiting(connection: sa.Connection) -> int:
    """Count the decisions that are not in the index yet, up to MOST_WAITING."""
    after = CHAIN.c.number > (state_of(connection, TAKEN_IN) or 0)
    query = sa.select(CHAIN.c.number).where(after, CHAIN.c.kind == "decision").limit(MOST_WAITING)
    return len(connection.execute(query).all())


def _take_in(connection: sa.Connection) -> int:
    """Take in the next entries of the audit log, in the caller's transaction."""
    above = state_of(connection, TAKEN_IN) or 0
    until = min(above + ENTRIES, tail(connection)[0])
    decided = DECIDED.rows(connection, above=above, until=until)
    take_in(connection, [(number, body, stated) for number, body, stated in decided if body and stated])
    set_state(connection, TAKEN_IN, until)
    return until - above


def lacks_archived(store: Store) -> bool:
    """Say whether anything on record that was never decided is not found yet, as after an upgrade."""
    found = sa.exists().where(SEARCHED.c.consignment_id == DECLARATIONS.c.consignment_id)
    query = sa.select(DECLARATIONS.c.consignment_id).where(
        DECLARATIONS.c.body.is_(sa.null()), DECLARATIONS.c.stated.is_not(sa.null()), ~found
    )
    with store.reading() as connection:
        return connection.execute(query.limit(1)).first() is not None


def take_in_archived(store: Store, consignments: Consignments) -> None:
    """Take in consignments that stand in the archive, as far as they are on record and were not erased."""
    for part in parts_of(consignments):
        rows = declarations_of(part, Versions.of(part), store.pseudonyms)
        if rows:
            store.write(partial(_take_in_rows, rows))


def _take_in_rows(rows: Sequence[Mapping[str, Any]], connection: sa.Connection) -> None:
    numbers = list(dict.fromkeys(row["consignment_id"] for row in rows))
    query = sa.select(*(DECLARATIONS.c[name] for name in VERSION_KEY)).where(DECLARATIONS.c.stated.is_not(sa.null()))
    kept = {
        tuple(row)
        for batch in in_lists(numbers)
        for row in connection.execute(query.where(DECLARATIONS.c.consignment_id.in_(batch)))
    }
    known = [row for row in rows if tuple(row[name] for name in VERSION_KEY) in kept]
    take_in(connection, [(row["consignment_id"], row["body"], row["stated"]) for row in known])


def take_in(connection: sa.Connection, declared: Sequence[tuple[str, Body, Mapping[str, Any]]]) -> None:
    """Let consignments on record be found by what they declare, in the caller's transaction.

    declared: number, declaration and what its facts are made of, of versions of consignments; one that was taken in
    before changes nothing.
    """
    if not declared:
        return
    pseudonyms = pseudonyms_in(connection)
    numbers = _numbered(connection, list(dict.fromkeys(number for number, _, _ in declared)))
    keys = [[*stated_keys(body), *_of_party(stated)] for _, body, stated in declared]
    values = values_of([key for several in keys for key in several], pseudonyms)
    each = np.repeat([numbers[number] for number, _, _ in declared], [len(several) for several in keys])
    add(connection, packed(values, each.astype(np.int64)))


def values_of(keys: Sequence[str], pseudonyms: Pseudonyms) -> Any:
    """Return the hashes by which keys stand in the index: keyed, of 48 bits."""
    return pseudonyms.keyed(hashes_of(keys)).view(np.uint64) & np.uint64(MASK)


def forget_consignments(connection: sa.Connection, consignment_ids: Collection[str]) -> None:
    """Let consignments be found no more, and leave nothing by which they were, in the caller's transaction."""
    numbers = [found.number for found in _known(connection, list(consignment_ids)).values()]
    if numbers:
        forget(connection, numbers)
        for batch in in_lists(numbers):
            delete_rows(connection, SEARCHED, SEARCHED.c.number.in_(batch))


def _of_party(stated: Mapping[str, Any]) -> list[str]:
    card = stated.get("card_entity")
    return [] if card is None else [key_of(PARTY, code_of("P", int(card)))]


def _numbered(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, int]:
    """Return the number of each consignment in the index; new ones get the next ones."""
    known = _known(connection, consignment_ids)
    now = _offices(connection, consignment_ids)
    last = LAST_NUMBER.rows(connection)[0][0] or 0
    new = [number for number in consignment_ids if number not in known]
    fresh = {number: last + place for place, number in enumerate(new, start=1)}
    offices = {number: as_listed(now.get(number, frozenset())) for number in new}
    insert_many(
        connection,
        SEARCHED,
        [{"number": place, "consignment_id": of, "offices": offices[of]} for of, place in fresh.items()],
    )
    changed = [found for number, found in known.items() if found.offices != now.get(number, frozenset())]
    update_each(
        connection, SEARCHED, [{"number": one.number, "offices": as_listed(now[one.consignment_id])} for one in changed]
    )
    return fresh | {number: found.number for number, found in known.items()}


def _offices(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, frozenset[str | None]]:
    """Look up the offices of all parts of consignments, as `offices_on` does, for calls one by one."""
    found: dict[str, set[str | None]] = {}
    for batch in in_lists(consignment_ids):
        for number, office in OFFICES.rows(connection, among=batch):
            found.setdefault(number, set()).add(office)
    return {number: frozenset(offices) for number, offices in found.items()}


def as_listed(offices: Collection[str | None]) -> list[str | None]:
    """Return offices as their column holds them."""
    return sorted(offices, key=lambda office: office or "")


def _known(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, Found]:
    rows = [row for batch in in_lists(consignment_ids) for row in NUMBERED.rows(connection, among=batch)]
    return {number: Found(place, number, frozenset(offices)) for place, number, offices in rows}
