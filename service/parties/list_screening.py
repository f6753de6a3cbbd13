"""Screening: which parties of a consignment are on an active watch list, on which side and by which keys.

The addressee is compared by what it states, whether or not anybody has linked it; the sender by what linking has found
of it. What strangers share, such as the telephone of a pick-up point, tells nobody: the record says who else states it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np
import polars as pl
import sqlalchemy as sa

from features.algebra.tables import Lists
from features.consignment import Consignments
from features.hashes import hash_of
from features.history.keys import consignee_text
from features.parties.addressee import (
    COLUMNS,
    HOUSE,
    KEY_OF_LEVEL,
    MAILBOX,
    NUMBER,
    TELEPHONE,
    addressee_values,
    addressees_of,
    is_conclusive,
    is_of_strangers,
    is_possible,
    keys_shared,
)
from features.parties.card import Card
from features.parties.evidence import NAMES, SURE, level_of
from features.parties.linking import STATED
from features.parties.list_match import CONCLUSIVE, CONSIGNEE, CONSIGNOR, KEYS, MATCHED, NETWORK, POSSIBLE, ListMatch
from service.parties.aliases import aliases_among
from service.record.postings import numbers_of
from service.record.search_index import values_of
from service.record.search_keys import BY_NAME, key_of
from service.store.driver import Prepared, among
from service.store.settled_rows import declared_of
from service.store.store_key import pseudonyms_in
from service.store.tables import DECLARATIONS, LISTED_VALUES, SEARCHED

MATCHES = pl.List(pl.String())
COMPARED = 64  # consignments, the newest, by which it is judged who states a key
KEY_OF_SENDER = {NAMES.index("shop"): "shop", NAMES.index("name"): "name"}
SEARCHED_AS = {TELEPHONE: TELEPHONE, MAILBOX: MAILBOX, NUMBER: NUMBER, HOUSE: "address"}  # kinds of search
STATING = Prepared(
    sa.select(LISTED_VALUES.c.value, LISTED_VALUES.c.entity, LISTED_VALUES.c.list_id).where(
        among(LISTED_VALUES.c.value)
    )
)
DECLARED = Prepared(
    sa.select(SEARCHED.c.consignment_id, DECLARATIONS.c.body)
    .select_from(SEARCHED.outerjoin(DECLARATIONS, DECLARATIONS.c.consignment_id == SEARCHED.c.consignment_id))
    .where(among(SEARCHED.c.number))
)
Shared = Mapping[tuple[int, str], Sequence[int]]  # subject (keyed) and list → values that it shares


def screened(
    connection: sa.Connection, linked: Consignments, linked_to: Mapping[int, Sequence[int]] | None = None
) -> Consignments:
    """Add MATCHED, the matches of both parties with active lists, to linked consignments; null where there is none.

    linked_to: by row, the values of those whom the addressee is linked to, where addressees are linked.
    """
    declared = linked.declared
    addressees = addressees_of([declared.text_or_unknown(name) for name in COLUMNS])
    listed = _listed(connection, {value for values in addressees for value in values})
    found: dict[int, list[ListMatch]] = defaultdict(list)
    strangers, aliases = Strangers(connection), aliases_among(connection, addressees)
    for row, values in enumerate(addressees) if listed else ():
        if row not in aliases and not listed.keys().isdisjoint(values):
            body = {name: declared.text_or_unknown(name).rows()[row] for name in COLUMNS}
            found[row] += matches_of_addressee(_by_subject(listed, values), body, strangers)
    for row, others in (linked_to or {}).items():
        if row in aliases:
            continue
        found[row] += _of_network(connection, others, {match.list_id for match in found[row]})
    for row in np.flatnonzero(declared.number("listed_matches") > 0).tolist():
        found[row] += _of_sender(connection, declared.values(STATED)[row] or ())
    written = [[match.written() for match in sorted(set(found.get(row, ())))] or None for row in range(len(linked))]
    return linked.holding({MATCHED: Lists(written, MATCHES)})


class WhoStates(Protocol):
    """Who else states what an addressee states."""

    def share(self, value: int, body: Mapping[str, Any]) -> bool:
        """Return true for what strangers state as addressees."""
        ...


def matches_of_addressee(shared: Shared, body: Mapping[str, Any], strangers: WhoStates) -> list[ListMatch]:
    """Return the matches of an addressee that shares values with subjects: of each list one of each tier.

    body: what the addressee states, by COLUMNS.
    """
    keys: dict[tuple[str, str], set[str]] = defaultdict(set)
    for (_, list_id), values in shared.items():
        of_subject = keys_shared(values)
        alone = keys_shared(value for value in values if not strangers.share(value, body))
        if is_conclusive(alone):
            keys[list_id, CONCLUSIVE] |= of_subject
        elif is_conclusive(of_subject) or is_possible(of_subject):
            keys[list_id, POSSIBLE] |= of_subject
    return [_match(CONSIGNEE, tier, list_id, of) for (list_id, tier), of in keys.items()]


class Strangers:
    """Whether what an addressee states is stated by strangers too, as far as the record says; each key once."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection
        self._known: dict[int, bool] = {}

    def share(self, value: int, body: Mapping[str, Any]) -> bool:
        """Return true for a telephone, a mailbox, a number or a house that strangers state as addressees."""
        kind = SEARCHED_AS.get(KEY_OF_LEVEL.get(level_of(value), ""))
        if kind is None:
            return False
        known = self._known.get(value)
        if known is None:
            known = self._known[value] = is_of_strangers(value, self._stating(value, kind, body))
        return known

    def _stating(self, value: int, kind: str, body: Mapping[str, Any]) -> list[Card]:
        """Return the addressees that state a value, each once, among the newest consignments that do."""
        forms = [key_of(kind, form) for form in BY_NAME[kind].stated(body)]
        numbers = numbers_of(self._connection, values_of(forms, pseudonyms_in(self._connection)).tolist())
        newest = sorted({int(number) for of in numbers.values() for number in of})[-COMPARED:]
        cards: dict[int, Card] = {}
        for declared in self._declared(newest) if newest else ():
            texts = [declared.get(name) for name in COLUMNS]
            values = addressee_values(*texts)
            if value in values:
                entity = hash_of(consignee_text(None, texts[-1], texts[3], texts[-2]) or "")
                cards.setdefault(entity, Card(entity, 0)).state(values)
        return list(cards.values())

    def _declared(self, numbers: Sequence[int]) -> list[Mapping[str, Any]]:
        """Return the declarations of consignments by their numbers in the index of search; of none that was erased."""
        rows = DECLARED.rows(self._connection, among=numbers)
        apart = list(dict.fromkeys(of for of, body in rows if body is None))
        settled = [row["body"] for row in declared_of(self._connection, ["body"], apart) if row["body"]]
        return [body for _, body in rows if body is not None] + settled


def _listed(connection: sa.Connection, values: Collection[int]) -> dict[int, list[tuple[int, str]]]:
    """Return by value the subjects of active lists (keyed), and their lists, that state it."""
    if not values:
        return {}
    plain = sorted(values)
    pseudonyms = pseudonyms_in(connection)
    of_keyed = dict(zip(pseudonyms.keyed_list(plain), plain, strict=True))
    found: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for value, entity, list_id in STATING.rows(connection, among=list(of_keyed)):
        found[of_keyed[value]].append((entity, list_id))
    return found


def _by_subject(listed: Mapping[int, Sequence[tuple[int, str]]], values: Iterable[int]) -> Shared:
    shared: dict[tuple[int, str], list[int]] = defaultdict(list)
    for value in values:
        for subject in listed.get(value, ()):
            shared[subject].append(value)
    return shared


def _of_sender(connection: sa.Connection, stated: Iterable[int]) -> list[ListMatch]:
    """Return the matches of a sender of which linking has found that it is listed: of each list one."""
    listed = _listed(connection, {value for value in stated if level_of(value) in SURE})
    keys: dict[str, set[str]] = defaultdict(set)
    for value, subjects in listed.items():
        for _, list_id in subjects:
            keys[list_id].add(KEY_OF_SENDER.get(level_of(value)) or KEY_OF_LEVEL[level_of(value)])
    return [_match(CONSIGNOR, CONCLUSIVE, list_id, of) for list_id, of in keys.items()]


def _of_network(connection: sa.Connection, values: Collection[int], known: Collection[str]) -> list[ListMatch]:
    """Return the matches of those whom an addressee is linked to, with lists other than those known: of each list one.

    values: contacts of their own.
    """
    keys: dict[str, set[str]] = defaultdict(set)
    for (_, list_id), shared in _by_subject(_listed(connection, values), values).items():
        of_subject = keys_shared(shared)
        if list_id not in known and is_conclusive(of_subject):
            keys[list_id] |= of_subject
    return [_match(CONSIGNEE, NETWORK, list_id, of) for list_id, of in keys.items()]


def _match(side: str, tier: str, list_id: str, keys: Collection[str]) -> ListMatch:
    return ListMatch(side, tier, list_id, tuple(key for key in KEYS if key in keys))
