"""Subjects of lists as addressees: what they are compared by besides their evidence, and what was addressed to them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from typing import Any

import numpy as np
import polars as pl
import sqlalchemy as sa

from features.parties.addressee import KEY_OF_LEVEL, is_conclusive, keys_shared, names_in_postcodes
from features.parties.evidence import level_of
from service.parties.graph_queries import ADDRESSEES
from service.parties.stored_graph import StoredGraph
from service.record.postings import numbers_of
from service.record.search_index import PARTY, keys_waiting, values_of
from service.record.search_keys import SOUND, TOWN, key_of, stated_keys
from service.store.driver import Prepared, among, driver_rows
from service.store.pseudonyms import Pseudonyms
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.store_key import pseudonyms_in
from service.store.tables import DECLARATIONS, SEARCHED

COLUMN_OF = {  # properties of a subject, and the column in which an addressee states the same
    "name": "consignee_name",
    "email": "consignee_email",
    "phone": "consignee_phone",
    "address": "consignee_address",
    "id": "consignee_id",
}
ALONE, NAMES, HOUSES = "alone", "names", "houses"
GROUP_OF_KIND = {"telephone": ALONE, "mailbox": ALONE, "number": ALONE, "name": NAMES, "address": HOUSES}
ANY_LINKED = f"SELECT 1 FROM {ADDRESSEES.cards.name} LIMIT 1"
FOUND = Prepared(sa.select(SEARCHED.c.consignment_id).where(among(SEARCHED.c.number)))
Found = Mapping[str, Sequence[int]]


def as_addressees(statements: pl.DataFrame, pseudonyms: Pseudonyms) -> dict[str, dict[str, Any]]:
    """Return for each subject of STATEMENTS what is kept beside its evidence, so that it is found as an addressee.

    named_within: its names within the postcodes of its addresses, keyed. found_by: hashes of the keys by which search
    finds what was addressed to it: those that suffice `alone`, and `names` and `houses`, one of each together.
    """
    beside = {}
    for (subject,), rows in statements.group_by(["subject_id"], maintain_order=True):
        texts: dict[str, list[str]] = {}
        for name, text in rows.select("property", "text").rows():
            texts.setdefault(name, []).append(text)
        within = names_in_postcodes(texts.get("name", ()), texts.get("address", ()))
        beside[str(subject)] = {"named_within": pseudonyms.keyed_list(within), "found_by": _keys(texts, pseudonyms)}
    return beside


def _keys(texts: Mapping[str, Sequence[str]], pseudonyms: Pseudonyms) -> dict[str, list[int]]:
    groups: dict[str, list[str]] = {ALONE: [], NAMES: [], HOUSES: []}
    countries: list[str | None] = [country.upper() for country in texts.get("country", ())]
    for (name, column), country in product(COLUMN_OF.items(), countries or [None]):
        for text in texts.get(name, ()):
            for key in stated_keys({column: text, "consignee_country": country}):
                kind, _, form = key.partition("\x1f")
                if _tells(kind, form):
                    groups[GROUP_OF_KIND[kind]].append(key)
    return {group: values_of(list(dict.fromkeys(keys)), pseudonyms).tolist() for group, keys in groups.items()}


def _tells(kind: str, form: str) -> bool:
    """Return true for a key that is looked for: of a name its sound, of a house the one in its town."""
    return kind in GROUP_OF_KIND and {"name": form.startswith(SOUND), "address": TOWN in form}.get(kind, True)


def consignments_to(connection: sa.Connection, subjects: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the consignments on record that state a key of one's own of these subjects, or name and house of one.

    Either party may state it: whoever decides again compares both. Subjects of before this was kept have no keys.
    Where addressees are linked, those of everybody linked to a subject come with them.
    """
    return _stating(connection, [*_kept(subjects), _linked(connection, subjects)])


def addressed_among(
    connection: sa.Connection, subjects: Sequence[Mapping[str, Any]], consignments: Sequence[str]
) -> set[str]:
    """Return those of some consignments whose addressee, not whose sender, states what finds one of these subjects."""
    wanted, pseudonyms = _kept(subjects), pseudonyms_in(connection)
    found = set(_stating(connection, [_linked(connection, subjects)])).intersection(consignments)
    for number, body in _declared(connection, [one for one in consignments if one not in found]):
        stated = stated_keys({name: text for name, text in body.items() if name.startswith("consignee_")})
        held = set(values_of(stated, pseudonyms).tolist())
        if any(_states(held, one) for one in wanted):
            found.add(number)
    return found


def _declared(connection: sa.Connection, consignments: Sequence[str]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the consignments and what was declared of them, each version; what was erased is left out."""
    columns = (DECLARATIONS.c.consignment_id, DECLARATIONS.c.body)
    for batch in in_lists(consignments):
        query = sa.select(*columns).where(columns[0].in_(batch), columns[1].is_not(None))
        for row in connection.execute(query):
            yield row.consignment_id, row.body
    for settled in declared_of(connection, ("consignment_id", "body"), consignments):
        yield settled["consignment_id"], settled["body"]


def _kept(subjects: Sequence[Mapping[str, Any]]) -> list[Found]:
    return [subject["found_by"] for subject in subjects if "found_by" in subject]


def _linked(connection: sa.Connection, subjects: Sequence[Mapping[str, Any]]) -> Found:
    return {ALONE: _networks_of(connection, subjects), NAMES: (), HOUSES: ()}


def _stating(connection: sa.Connection, wanted: Sequence[Found]) -> list[str]:
    values = {value for found in wanted for of_group in found.values() for value in of_group}
    if not values:
        return []
    stating = numbers_of(connection, values)
    numbers: set[int] = set()
    for found in wanted:
        by_name, by_house = (_any_of(stating, found[group]) for group in (NAMES, HOUSES))
        numbers.update(_any_of(stating, found[ALONE]).tolist(), np.intersect1d(by_name, by_house).tolist())
    consignments = {number for (number,) in FOUND.rows(connection, among=sorted(numbers))} if numbers else set()
    for consignment_id, stated in keys_waiting(connection):
        held = set(stated)
        if any(_states(held, found) for found in wanted):
            consignments.add(consignment_id)
    return sorted(consignments)


def _networks_of(connection: sa.Connection, subjects: Sequence[Mapping[str, Any]]) -> list[int]:
    """Return the hashes by which search finds the addressees that are subjects, and whom these are linked to."""
    if not driver_rows(connection, ANY_LINKED):
        return []
    graph, pseudonyms = StoredGraph(connection, ADDRESSEES), pseudonyms_in(connection)
    stated = [pseudonyms.plain_list(subject["values"]) for subject in subjects]
    graph.prefetch([], [value for values in stated for value in values])
    cards: set[int] = set()
    for values in stated:
        shared: dict[int, list[int]] = defaultdict(list)
        for value in values:
            for card in graph.sharing(value) if level_of(value) in KEY_OF_LEVEL else ():
                shared[card].append(value)
        cards.update(card for card, of_card in shared.items() if is_conclusive(keys_shared(of_card)))
    members = sorted({member for card in cards for member in graph.members[graph.network_of[card]]})
    keys = [key_of(PARTY, pseudonyms.code("P", member)) for member in members]
    return values_of(keys, pseudonyms).tolist() if keys else []


def _states(held: set[int], found: Found) -> bool:
    return not held.isdisjoint(found[ALONE]) or not (held.isdisjoint(found[NAMES]) or held.isdisjoint(found[HOUSES]))


def _any_of(stating: Mapping[int, Any], values: Sequence[int]) -> Any:
    found = [stating[value] for value in values if value in stating]
    return np.unique(np.concatenate(found)) if found else np.empty(0, np.int64)
