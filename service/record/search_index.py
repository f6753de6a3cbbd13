"""The index of search: what was decided comes into it while the service runs, what is archived when it is ingested.

How far the audit log has been taken in is a number of the store (TAKEN_IN), written with what was taken in; so nothing
is left out whatever ends between, and no call waits for it.
"""

from __future__ import annotations

import random
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.consignment import VERSION_KEY, Consignments
from features.hashes import hashes_of
from features.history.fact_columns import Versions
from features.parties.addressee import COLUMNS as ADDRESSEE
from features.parties.addressee import addressee_card
from features.parties.linking import code_of
from service.record.audit_log import tail
from service.record.postings import MASK, add, forget, packed
from service.record.record_rows import declarations_of, parts_of
from service.record.search_keys import key_of, stated_keys
from service.store.bulk_rows import delete_rows, insert_many, update_each
from service.store.database import Store
from service.store.driver import Prepared, among
from service.store.pseudonyms import Pseudonyms
from service.store.queries import in_lists, set_state, state_of
from service.store.settled_rows import Segment, declared_at, lifted_at, parts_in_files, segments_listed
from service.store.store_key import pseudonyms_in
from service.store.tables import CHAIN, DECISIONS, DECLARATIONS, SEARCHED

TAKEN_IN = "search_taken_in"  # the last entry of the audit log whose decision search finds
WITHIN = "search_taken_in_within"  # how many decisions of the file that the entry after it lists are found besides
ENTRIES = 500  # of the audit log in one transaction
FEW_ENTRIES = 48  # beside calls, each of which would wait for that long
IN_A_TURN = 6  # of their declarations are read into keys while calls of the process wait
REST = 0.1  # seconds: so it keeps up with nearly five hundred calls a second
ASIDE = 0.3  # seconds within which workers begin, so that as a rule one of them does the work
MOST_WAITING = 1_000  # decisions that are counted
VersionKey = tuple[str, str, int]
Stating = tuple[VersionKey, Any]  # the key of a declaration, and the hashes of what it states
PARTY = "party"  # the kind of the keys of senders as they are linked: `P-…`
NUMBERED = Prepared(sa.select(SEARCHED).where(among(SEARCHED.c.consignment_id)))
PARTS = Prepared(  # of consignments, with the office of each and whether its content is there
    sa.select(
        *(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.office, DECLARATIONS.c.stated.is_not(None)
    ).where(among(DECLARATIONS.c.consignment_id))
)
LAST_NUMBER = Prepared(sa.select(sa.func.max(SEARCHED.c.number)))
_SAME = [DECISIONS.c[name] == DECLARATIONS.c[name] for name in VERSION_KEY]
DECIDED = Prepared(
    sa.select(*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.body, DECLARATIONS.c.stated)
    .select_from(CHAIN.join(DECISIONS, DECISIONS.c.decision_id == CHAIN.c.subject).join(DECLARATIONS, sa.and_(*_SAME)))
    .where(
        CHAIN.c.number > sa.bindparam("above"),
        CHAIN.c.number <= sa.bindparam("until"),
        CHAIN.c.kind == "decision",
        DECISIONS.c.assessment == 1,
    )
    .order_by(CHAIN.c.number)
)


FILES = Prepared(  # files that entries of a part of the log list, in order
    sa.select(CHAIN.c.number, CHAIN.c.subject)
    .where(CHAIN.c.number > sa.bindparam("above"), CHAIN.c.number <= sa.bindparam("until"), CHAIN.c.kind == "segment")
    .order_by(CHAIN.c.number)
)
LIFTED_SINCE = Prepared(
    sa.select(*(DECLARATIONS.c[name] for name in VERSION_KEY), DECLARATIONS.c.body, DECLARATIONS.c.stated)
    .select_from(DECISIONS.join(DECLARATIONS, sa.and_(*_SAME)))
    .where(among(DECISIONS.c.decision_id))
)


@dataclass(frozen=True, slots=True)
class Found:
    """A consignment that search finds: its number in the index, and the offices of its parts."""

    number: int
    consignment_id: str
    offices: frozenset[str | None]


def catch_up(store: Store, at_once: int = ENTRIES, rest: float = 0.0) -> int:
    """Take in all decisions that were recorded since; returns how many entries of the audit log were looked at.

    at_once: so many entries in one transaction. rest: seconds between two, in which calls have the disk to themselves;
    what came meanwhile and is less than a step waits for the next time.
    """
    done = 0
    while (step := _next(store, at_once)) is not None:
        store.write(step.write)
        done += step.until - step.above
        if rest and step.is_last:
            return done
        time.sleep(rest)
    return done


def catch_up_beside_calls(store: Store) -> int:
    """Catch up in small steps, between calls; leaves the work to another process that is at it already."""
    before = _taken_in(store)
    time.sleep(2 * REST + random.random() * ASIDE)  # noqa: S311 - nothing secret; whoever is at it takes a step within
    return catch_up(store, FEW_ENTRIES, REST) if _taken_in(store) == before else 0


@dataclass(frozen=True, slots=True)
class _Step:
    """Entries of the audit log whose decisions are to be taken in: those above one and up to another.

    within, reach: of the entry of a file after them, how many of its decisions were taken in, and will be. is_last:
    whether nothing was on record after them.
    """

    above: int
    until: int
    stating: Sequence[Stating]
    within: int = 0
    reach: int = 0
    is_last: bool = False

    def write(self, connection: sa.Connection) -> None:
        """Take them in, unless another process has done so meanwhile."""
        if _reached(connection) == (self.above, self.within):
            take_in(connection, self.stating)
            set_state(connection, TAKEN_IN, self.until)
            if self.within or self.reach:
                set_state(connection, WITHIN, self.reach)


def _taken_in(store: Store) -> int:
    with store.reading() as connection:
        return state_of(connection, TAKEN_IN) or 0


def _next(store: Store, at_once: int) -> _Step | None:
    """Read the next entries, and what they state, while others write; None where all are taken in."""
    with store.turns.taken(), store.reading() as connection:
        (above, within), last = _reached(connection), tail(connection)[0]
        if above >= last:
            return None
        until, segment = _until_file(connection, above, min(above + at_once, last))
        reach = within
        if segment is None:
            declared = _decided_between(connection, above, until)
        else:
            reach = min(within + at_once, segment.rows)
            declared = _declared_in(connection, segment, within, reach)
    stated = _stating_in_turns(store, declared)
    if segment is None:
        return _Step(above, until, stated, is_last=until == last)
    done = reach == segment.rows
    return _Step(above, above + done, stated, within, 0 if done else reach)


def _stating_in_turns(store: Store, declared: Sequence[Mapping[str, Any]]) -> list[Stating]:
    """Return what declarations state, of a few in each turn: calls go on between."""
    stated = list[Stating]()
    for start in range(0, len(declared), IN_A_TURN):
        with store.turns.taken():
            stated += stating(declared[start : start + IN_A_TURN], store.pseudonyms)
    return stated


def _reached(connection: sa.Connection) -> tuple[int, int]:
    """Return how far the log was taken in: the last entry, and how many decisions of the file after it."""
    return state_of(connection, TAKEN_IN) or 0, state_of(connection, WITHIN) or 0


def _until_file(connection: sa.Connection, above: int, until: int) -> tuple[int, Segment | None]:
    """Return up to which entry no file is listed, and the file that the very next entry lists, if it does."""
    first = FILES.rows(connection, above=above, until=until)
    if not first:
        return until, None
    number, segment_id = first[0]
    if number > above + 1:
        return number - 1, None
    return above, next(one for one in segments_listed(connection) if one.segment_id == segment_id)


def _declared_in(connection: sa.Connection, segment: Segment, first: int, until: int) -> list[Mapping[str, Any]]:
    """Return the consignments at some places of a file, as declared; what was lifted, as it stands in rows."""
    settled = declared_at(connection, (*VERSION_KEY, "body", "stated"), segment, range(first, until))
    numbers = lifted_at(connection, segment, range(first, until))
    names = (*VERSION_KEY, "body", "stated")
    lifted = [row for batch in in_lists(numbers) for row in LIFTED_SINCE.rows(connection, among=batch)]
    standing = [dict(zip(names, row, strict=True)) for row in lifted if row[-2] and row[-1]]
    return [*(row for row in settled if row["body"]), *standing]


def waiting(store: Store) -> int:
    """Count the entries of the audit log that are not looked at yet."""
    with store.reading() as connection:
        return tail(connection)[0] - (state_of(connection, TAKEN_IN) or 0)


def decisions_waiting(connection: sa.Connection) -> int:
    """Count the decisions that are not in the index yet, up to MOST_WAITING."""
    after = CHAIN.c.number > (state_of(connection, TAKEN_IN) or 0)
    query = sa.select(CHAIN.c.number).where(after, CHAIN.c.kind == "decision").limit(MOST_WAITING)
    files = sa.select(CHAIN.c.subject).where(after, CHAIN.c.kind == "segment")
    named = set(connection.execute(files).scalars())
    in_files = sum(segment.rows for segment in segments_listed(connection) if segment.segment_id in named)
    in_rows = len(connection.execute(query).all())
    return min(MOST_WAITING, in_rows + max(0, in_files - _reached(connection)[1]))


def keys_waiting(connection: sa.Connection) -> list[tuple[str, list[int]]]:
    """Return the consignments whose decisions are not in the index yet, and the hashes of what each states."""
    (above, within), last = _reached(connection), tail(connection)[0]
    pseudonyms = pseudonyms_in(connection)
    declared = _decided_between(connection, above, last) if above < last else []
    for _, segment_id in FILES.rows(connection, above=above, until=last):
        segment = next(one for one in segments_listed(connection) if one.segment_id == segment_id)
        declared += _declared_in(connection, segment, within, segment.rows)
        within = 0
    return [(key[1], values.tolist()) for key, values in stating(declared, pseudonyms)]


def _decided_between(connection: sa.Connection, above: int, until: int) -> list[Mapping[str, Any]]:
    """Return the consignments decided in a part of the log, as declared; without what was erased."""
    rows = DECIDED.rows(connection, above=above, until=until)
    return [dict(zip((*VERSION_KEY, "body", "stated"), row, strict=True)) for row in rows if row[-2] and row[-1]]


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
        rows = stating(declarations_of(part, Versions.of(part), store.pseudonyms), store.pseudonyms)
        if rows:
            store.write(partial(_take_in, rows))


def _take_in(rows: Sequence[Stating], connection: sa.Connection) -> None:
    take_in(connection, rows)


def stating(declared: Sequence[Mapping[str, Any]], pseudonyms: Pseudonyms) -> list[Stating]:
    """Return what declarations state, as it stands in the index.

    declared: VERSION_KEY, `body` and `stated`, as rows of their table.
    """
    addressees = pseudonyms.keyed_list(addressee_card(*map(row["body"].get, ADDRESSEE)) for row in declared)
    keys = [
        [*stated_keys(row["body"]), *_of_party(row["stated"].get("card_entity")), *_of_party(addressee)]
        for row, addressee in zip(declared, addressees, strict=True)
    ]
    values = values_of([key for several in keys for key in several], pseudonyms)
    each = np.split(values, np.cumsum([len(several) for several in keys])[:-1]) if keys else []
    return [(key_of_version(row), of) for row, of in zip(declared, each, strict=True)]


def take_in(connection: sa.Connection, rows: Sequence[Stating]) -> None:
    """Let consignments on record be found by what they state, in the caller's transaction.

    What was erased meanwhile is left out; what was taken in before changes nothing.
    """
    if not rows:
        return
    parts = _parts(connection, list(dict.fromkeys(key[1] for key, _ in rows)))
    present = {key for part in parts.values() for key, (_, is_there) in part.items() if is_there}
    known = [(key[1], values) for key, values in rows if key in present]
    numbers = _numbered(connection, {key: frozenset(o for o, _ in parts[key].values()) for key, _ in known})
    if known:
        each = np.repeat([numbers[of] for of, _ in known], [len(values) for _, values in known])
        add(connection, packed(np.concatenate([values for _, values in known]), each.astype(np.int64)))


def key_of_version(row: Mapping[str, Any]) -> VersionKey:
    """Return the key of a declaration."""
    return row["message_id"], row["consignment_id"], row["version"]


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


def _of_party(card: Any) -> list[str]:
    """Return the key of a party by its card, keyed."""
    return [] if card is None else [key_of(PARTY, code_of("P", int(card)))]


def _parts(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, dict[VersionKey, tuple[str | None, bool]]]:
    """Look up the parts of consignments: of each its office, and whether its content is there."""
    found: dict[str, dict[VersionKey, tuple[str | None, bool]]] = {}
    for batch in in_lists(numbers):
        for message, number, version, office, is_there in PARTS.rows(connection, among=batch):
            found.setdefault(number, {})[message, number, version] = office, bool(is_there)
    for row, is_there in parts_in_files(connection, list(numbers)):
        found.setdefault(row["consignment_id"], {})[key_of_version(row)] = row["office"], is_there
    return found


def _numbered(connection: sa.Connection, offices: Mapping[str, frozenset[str | None]]) -> dict[str, int]:
    """Return the number of each consignment in the index; new ones get the next ones. offices: of each."""
    known = _known(connection, list(offices))
    last = LAST_NUMBER.rows(connection)[0][0] or 0
    fresh = {number: last + place for place, number in enumerate((of for of in offices if of not in known), start=1)}
    rows = [{"number": place, "consignment_id": of, "offices": as_listed(offices[of])} for of, place in fresh.items()]
    insert_many(connection, SEARCHED, rows)
    changed = [found for number, found in known.items() if found.offices != offices[number]]
    now = [{"number": one.number, "offices": as_listed(offices[one.consignment_id])} for one in changed]
    update_each(connection, SEARCHED, now)
    return fresh | {number: found.number for number, found in known.items()}


def as_listed(offices: Collection[str | None]) -> list[str | None]:
    """Return offices as their column holds them."""
    return sorted(offices, key=lambda office: office or "")


def _known(connection: sa.Connection, consignment_ids: Sequence[str]) -> dict[str, Found]:
    rows = [row for batch in in_lists(consignment_ids) for row in NUMBERED.rows(connection, among=batch)]
    return {number: Found(place, number, frozenset(offices)) for place, number, offices in rows}
