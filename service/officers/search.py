"""Search: what is on record of a key that an officer types, among what his offices may see.

A key is looked for in the forms that linking and screening compare (`service.record.search_keys`); the number of a
consignment and the name of a list also by how they begin, written with a star at the end. Of what other offices have
nothing is shown and nothing is counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sqlalchemy as sa

from features.fault import Fault
from features.item_numbers import item_number, without_groups
from features.parties.linking import CODE
from service.officers.search_details import cases_among, details_of, grouped
from service.parties.lists_search import entries_found
from service.parties.stored_parties import network
from service.record.ownership import NOT_NAMED, Sender, offices_on
from service.record.postings import Numbers, numbers_of
from service.record.search_index import PARTY, decisions_waiting, values_of
from service.record.search_keys import BY_NAME, KEY_KINDS, LONGEST, Meaning, key_of, meanings
from service.store.bulk_rows import as_json
from service.store.database import Store
from service.store.driver import Prepared, among
from service.store.queries import in_lists
from service.store.settled_rows import consignments_in
from service.store.store_key import pseudonyms_in
from service.store.tables import CASE_NOTES, DECLARATIONS, SEARCHED

CONSIGNMENT, MESSAGE, NETWORK, LIST, CASE = "consignment", "message", "network", "list", "case"
KINDS = (CONSIGNMENT, MESSAGE, *(kind.name for kind in KEY_KINDS), PARTY, NETWORK, LIST, CASE)
BEGINS = "*"  # at the end of a key: what begins so
FEWEST_BEGINNING = 3  # characters before it
AFTER_ALL = "\U0010ffff"
COUNTED = 1_000  # consignments, the newest: more are not gone through
LOOKED_AT = 200  # of them, for parties, networks, shops and cases
NETWORKS_OF_ENTRIES = 10  # of entries of lists, that are looked up
A_PAGE, LARGEST_PAGE = 25, 100
ROWS_AT_ONCE = 2_000
NEWEST = 2**32  # stands for the number of what is on record and not in the index yet
BY_NUMBER = Prepared(
    sa.select(SEARCHED.c.number, SEARCHED.c.consignment_id, SEARCHED.c.offices).where(among(SEARCHED.c.number))
)
BY_ID = Prepared(
    sa.select(SEARCHED.c.number, SEARCHED.c.consignment_id, SEARCHED.c.offices).where(among(SEARCHED.c.consignment_id))
)
NONE: Numbers = np.empty(0, np.int64)


@dataclass(frozen=True, slots=True)
class Asked:
    """A search: the key as typed, the kinds it may be of (none: whatever it looks like), and which page of hits."""

    key: str
    kinds: tuple[str, ...] = ()
    beyond: int = 0
    at_most: int = A_PAGE


@dataclass(frozen=True, slots=True)
class Found:
    """What a search finds.

    total: of consignments, up to COUNTED. more: whether there are more than that. consignments: of the page asked for,
    the newest first, each with the kinds of key it was found `by`. parties, networks, shops, cases: of the newest
    LOOKED_AT. lists: entries of active lists that the key names, and lists by their name. waiting: decisions
    that are not in the index yet, up to 1,000.
    """

    total: int
    more: bool
    consignments: list[dict[str, Any]] = field(default_factory=list)
    parties: list[dict[str, Any]] = field(default_factory=list)
    networks: list[dict[str, Any]] = field(default_factory=list)
    shops: list[dict[str, Any]] = field(default_factory=list)
    lists: list[dict[str, Any]] = field(default_factory=list)
    cases: list[dict[str, Any]] = field(default_factory=list)
    waiting: int = 0


def search(store: Store, asked: Asked, reader: Sender) -> Found:
    """Find what a reader may see of a key; raises Fault, which names the field and the remedy, for what cannot be."""
    key, kinds = checked(asked)
    members = _members(store, key, kinds, reader)
    lists = _entries(store, key, kinds, reader)
    with store.reading() as connection:
        by_kind = _found(connection, key, kinds, members)
        newest, more = _seen(connection, by_kind, reader)
        shown_now = [*newest[:LOOKED_AT], *newest[asked.beyond : asked.beyond + asked.at_most]]
        now = offices_on(connection, shown_now)  # the index may be some seconds behind
        newest = [number for number in newest if reader.sees_every(now.get(number, ()))]
        looked_at = details_of(connection, newest[:LOOKED_AT])
        page = newest[asked.beyond : asked.beyond + asked.at_most]
        shown = looked_at if asked.beyond + asked.at_most <= LOOKED_AT else details_of(connection, page)
        return Found(
            len(newest),
            more,
            [{**shown[number].as_json(), "by": by_kind.kinds_of(number)} for number in page],
            *grouped(list(looked_at.values())),
            lists=lists,
            cases=cases_among(connection, newest[:LOOKED_AT]),
            waiting=decisions_waiting(connection),
        )


def checked(asked: Asked) -> tuple[str, tuple[str, ...]]:
    """Return key and kinds of a search; raises Fault for what cannot be searched for."""
    key = " ".join("".join(sign if sign.isprintable() else " " for sign in asked.key).split())
    if not key or len(key) > LONGEST:
        raise Fault(f"key: type what to search for, at most {LONGEST} characters")
    if not set(asked.kinds) <= set(KINDS):
        raise Fault(f"kind: give {', '.join(KINDS[:-1])} or {KINDS[-1]}, or leave it out")
    if not 0 <= asked.beyond < COUNTED:
        raise Fault(f"beyond: the newest {COUNTED:,} can be paged through; add to the key what tells the rest apart")
    if not 1 <= asked.at_most <= LARGEST_PAGE:
        raise Fault(f"at_most: from 1 to {LARGEST_PAGE}")
    if key.endswith(BEGINS) and len(key) <= FEWEST_BEGINNING:
        raise Fault(f"key: give at least {FEWEST_BEGINNING} characters before the {BEGINS}")
    forms = [kind for kind in asked.kinds if kind in BY_NAME]
    if forms and forms == list(asked.kinds) and not any(meanings(key, forms)):
        raise Fault(f"key: cannot be read as {' or '.join(forms)}; check it, or search under any kind")
    return key, asked.kinds


class ByKind:
    """Consignments found, by the kind of key that found them."""

    def __init__(self) -> None:
        self.numbers: dict[str, Numbers] = {}
        self.named: dict[str, int] = {}  # of consignments found by their own number or message, the number in the index
        self._shown: dict[str, int] = {}

    def add(self, kind: str, numbers: Numbers) -> None:
        """Add what a key of a kind has found."""
        if len(numbers):
            self.numbers[kind] = np.union1d(self.numbers.get(kind, NONE), numbers)

    def newest(self) -> Numbers:
        """Return all that was found, the newest first."""
        return np.unique(np.concatenate([NONE, *self.numbers.values()]))[::-1]

    def see(self, consignment_id: str, number: int) -> None:
        """Remember the number of a consignment that is shown."""
        self._shown[consignment_id] = number

    def kinds_of(self, consignment_id: str) -> list[str]:
        """Return the kinds of key that a consignment was found by."""
        number = self._shown[consignment_id]
        return [kind for kind in KINDS if kind in self.numbers and number in self.numbers[kind]]


def _entries(store: Store, key: str, kinds: Sequence[str], reader: Sender) -> list[dict[str, Any]]:
    """Return the entries of lists that a key names, and whether the reader sees the network of each."""
    if not _asks(kinds, LIST, *BY_NAME):
        return []
    with store.reading() as connection:
        found = entries_found(connection, key, kinds)
    codes = list(dict.fromkeys(one["party_id"] for one in found if one["party_id"]))[:NETWORKS_OF_ENTRIES]
    seen = {code for code in codes if network(store, code, reader.offices) is not None}
    return [{**one, "network": one["party_id"] in seen} for one in found]


def _asks(kinds: Sequence[str], *among_these: str) -> bool:
    return not kinds or bool(set(among_these) & set(kinds))


def _members(store: Store, key: str, kinds: Sequence[str], reader: Sender) -> list[str]:
    """Return the codes of the parties that a code of a party or network names, as far as the reader sees them."""
    code = key.upper()
    if not CODE.fullmatch(code) or not _asks(kinds, PARTY, NETWORK):
        return []
    if code.startswith("P"):
        return [code]
    found = network(store, code, reader.offices)
    return [] if found is None else [party["party_id"] for party in found["parties"]]


def _found(connection: sa.Connection, key: str, kinds: Sequence[str], members: Sequence[str]) -> ByKind:
    by_kind = ByKind()
    meant = [] if key.endswith(BEGINS) else list(meanings(key, kinds)) if not kinds or set(kinds) & set(BY_NAME) else []
    if members:
        kind = PARTY if len(members) == 1 and members[0] == key.upper() else NETWORK
        meant.append((kind, (frozenset(members),)))
    for kind, numbers in _by_forms(connection, meant):
        by_kind.add(kind, numbers)
    if _asks(kinds, CONSIGNMENT, CASE, MESSAGE):
        _by_numbers(connection, key, kinds, by_kind)
    return by_kind


def _by_forms(connection: sa.Connection, meant: Sequence[tuple[str, Meaning]]) -> Iterator[tuple[str, Numbers]]:
    """Yield by kind the consignments that state one of each set of forms."""
    from_members = [(PARTY if kind == NETWORK else kind, meaning) for kind, meaning in meant]
    keys = sorted({key_of(kind, form) for kind, meaning in from_members for forms in meaning for form in forms})
    pseudonyms = pseudonyms_in(connection)
    value_of = dict(zip(keys, values_of(keys, pseudonyms).tolist(), strict=True)) if keys else {}
    stating = numbers_of(connection, value_of.values()) if keys else {}
    for (kind, _), (of, meaning) in zip(meant, from_members, strict=True):
        sets = [_any_of(stating, (value_of[key_of(of, form)] for form in forms)) for forms in meaning]
        numbers = sets[0]
        for other in sets[1:]:
            numbers = np.intersect1d(numbers, other, assume_unique=True)
        yield kind, numbers


def _any_of(stating: dict[int, Numbers], values: Iterable[int]) -> Numbers:
    return np.unique(np.concatenate([NONE, *(stating[value] for value in values if value in stating)]))


def _by_numbers(connection: sa.Connection, key: str, kinds: Sequence[str], by_kind: ByKind) -> None:
    """Add the consignments that a key names by their own number or that of their message."""
    if _asks(kinds, CONSIGNMENT, CASE):
        named = _beginning(connection, key[:-1]) if key.endswith(BEGINS) else _on_record(connection, key)
        for kind in (CONSIGNMENT, CASE):
            chosen = named if kind == CONSIGNMENT else _with_a_case(connection, named)
            if _asks(kinds, kind):
                _add_named(connection, kind, chosen, by_kind)
    if _asks(kinds, MESSAGE):
        query = sa.select(DECLARATIONS.c.consignment_id).where(DECLARATIONS.c.message_id == key).distinct()
        found = list(connection.execute(query.limit(COUNTED + 1)).scalars())
        settled = consignments_in(connection, key, COUNTED + 1) if found else ()  # the first of a message is in rows
        _add_named(connection, MESSAGE, list(dict.fromkeys([*found, *settled]))[: COUNTED + 1], by_kind)


def _on_record(connection: sa.Connection, key: str) -> list[str]:
    """Return the consignments on record that a number means, as people write it."""
    candidates = list(dict.fromkeys([key, item_number(key), without_groups(key)]))
    return [number for number in candidates if offices_on(connection, [number])]


def _beginning(connection: sa.Connection, begins: str) -> list[str]:
    begin = begins.strip().upper()
    query = sa.select(SEARCHED.c.consignment_id).where(
        sa.or_(*(sa.and_(SEARCHED.c.consignment_id >= b, SEARCHED.c.consignment_id < b + AFTER_ALL)
                 for b in dict.fromkeys([begins.strip(), begin])))
    )  # fmt: skip
    return list(connection.execute(query.order_by(SEARCHED.c.consignment_id).limit(10 * COUNTED)).scalars())


def _with_a_case(connection: sa.Connection, numbers: Sequence[str]) -> list[str]:
    found: list[str] = []
    for batch in in_lists(numbers):
        query = sa.select(CASE_NOTES.c.consignment_id).where(CASE_NOTES.c.consignment_id.in_(batch)).distinct()
        found += connection.execute(query).scalars()
    return found


def _add_named(connection: sa.Connection, kind: str, numbers: Sequence[str], by_kind: ByKind) -> None:
    rows = [row for batch in in_lists(numbers) for row in BY_ID.rows(connection, among=batch)]
    indexed = {number: place for place, number, _ in rows}
    fresh = [number for number in numbers if number not in indexed]
    for place, number in enumerate(fresh):
        by_kind.named.setdefault(number, NEWEST + place)
    places = [*indexed.values(), *(by_kind.named[number] for number in fresh)]
    by_kind.add(kind, np.array(sorted(places), np.int64))


def _numbered(connection: sa.Connection, places: Sequence[int], reader: Sender) -> Iterable[Sequence[Any]]:
    """Look up consignments by their numbers in the index: all that the reader sees, and others of several offices."""
    if reader.sees_all:
        return BY_NUMBER.rows(connection, among=places)
    written = sa.cast(SEARCHED.c.offices, sa.Text)
    of_reader = [as_json([office]) for office in (*reader.offices, *NOT_NAMED)]
    query = sa.select(SEARCHED.c.number, SEARCHED.c.consignment_id, SEARCHED.c.offices).where(
        SEARCHED.c.number.in_(places), sa.or_(written.in_(of_reader), written.contains(","))
    )
    return connection.execute(query).all()


def _seen(connection: sa.Connection, by_kind: ByKind, reader: Sender) -> tuple[list[str], bool]:
    """Return the consignments that the reader sees every part of, the newest first, and whether there are more."""
    fresh = {place: number for number, place in by_kind.named.items()}
    offices = offices_on(connection, list(by_kind.named)) if fresh else {}
    seen: list[str] = []
    newest = by_kind.newest()
    for start in range(0, len(newest), ROWS_AT_ONCE):
        batch = newest[start : start + ROWS_AT_ONCE].tolist()
        indexed = [place for place in batch if place not in fresh]
        rows = {place: (number, of) for place, number, of in _numbered(connection, indexed, reader)}
        rows |= {place: (fresh[place], offices[fresh[place]]) for place in batch if place in fresh}
        for place in batch:
            number, of = rows.get(place, (None, ()))
            if number is not None and reader.sees_every(of):
                if len(seen) == COUNTED:
                    return seen, True
                by_kind.see(number, place)
                seen.append(number)
    return seen, False
