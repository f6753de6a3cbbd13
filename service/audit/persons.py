"""What is on record of a person: asked by that person, answered by what it states of itself, and erased by it.

A person is recognised as lists recognise an addressee: by a telephone, a mailbox or a number, or by name and house. A
name alone is a namesake's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl
import sqlalchemy as sa

from features.fault import Fault
from features.intelligence import STATEMENTS
from features.parties.addressee import (
    COLUMNS,
    KEY_OF_LEVEL,
    addressee_values,
    evidence_in_graph,
    is_conclusive,
    keys_shared,
)
from features.parties.evidence import level_of
from service.officers.investigation_erasure import entries_on
from service.officers.investigations import investigations
from service.parties.graph_queries import ADDRESSEES, SENDERS, GraphTables
from service.parties.listed_addressees import as_addressees, consignments_to
from service.parties.stored_graph import StoredGraph
from service.record.ownership import INSTALLATION
from service.record.search_index import catch_up
from service.store.database import Store
from service.store.store_key import pseudonyms_in
from service.store.tables import LISTED_VALUES

STATED = ("name", "address", "city", "postcode", "country", "phone", "email", "id")


@dataclass(frozen=True, slots=True)
class OnRecord:
    """What is on record of a person: consignments, its parties as an addressee and as a sender, and lists naming it.

    investigations: those with an entry that is of the person. entries: the numbers of these entries. documents: how
    many are attached there, in which nobody but a reader finds whom they name.
    """

    consignments: list[str]
    addressees: list[str]
    senders: list[str]
    lists: list[str]
    investigations: list[str]
    entries: list[int]
    documents: int


def on_record(store: Store, person: Mapping[str, str]) -> OnRecord:
    """Find what is on record of a person by what it states of itself (STATED); raises Fault where that is no one's."""
    values = _values(person)
    catch_up(store)
    subject = as_addressees(_statements(person), store.pseudonyms)["person"]
    with store.reading() as connection:
        found = consignments_to(connection, [{**subject, "values": []}])
        sides = [_cards(connection, values, tables) for tables in (ADDRESSEES, SENDERS)]
        addressees, senders = ([store.pseudonyms.code("P", card) for card in cards] for cards in sides)
        graphs = [StoredGraph(connection, tables) for tables in (ADDRESSEES, SENDERS)]
        roots = [graph.network_of[card] for graph, cards in zip(graphs, sides, strict=True) for card in cards]
        networks = [store.pseudonyms.code("N", root) for root in roots]
        lists = _lists(connection, values)
    entries = entries_on(store, person, found, [*addressees, *senders, *networks])
    held = {str(row["investigation"]) for row in entries}
    documents = sum(len(one.documents) for one in investigations(store, INSTALLATION) if one.number in held)
    numbers = [int(row["entry_id"]) for row in entries]
    return OnRecord(found, addressees, senders, lists, sorted(held), numbers, documents)


def forget_addressee(store: Store, person: Mapping[str, str]) -> int:
    """Delete the parties that a person is as an addressee, with their links; returns their number."""
    values = _values(person)
    with store.writing() as connection:
        cards = _cards(connection, values, ADDRESSEES)
        if not cards:
            return 0
        graph = StoredGraph(connection, ADDRESSEES)
        graph.prefetch(cards, [])
        for card in cards:
            graph.remove(card)
        graph.write()
        return len(cards)


def _values(person: Mapping[str, str]) -> tuple[int, ...]:
    if unknown := set(person) - set(STATED):
        raise Fault(f"person: {len(unknown)} fields are unknown; use {', '.join(STATED)}")
    texts = [person.get(column.removeprefix("consignee_")) or None for column in COLUMNS]
    values = addressee_values(*texts)
    if not is_conclusive(keys_shared(values)):
        raise Fault("person: a name alone is a namesake's; add telephone, mailbox or number, or address and city")
    return values


def _statements(person: Mapping[str, str]) -> pl.DataFrame:
    address = ", ".join(person[name] for name in ("address", "postcode", "city") if person.get(name))
    stated = {name: person[name] for name in ("name", "email", "phone", "id", "country") if person.get(name)}
    rows = [("person", "person", name, text, "") for name, text in (stated | {"address": address}).items() if text]
    return pl.DataFrame(rows, schema=STATEMENTS, orient="row")


def _cards(connection: sa.Connection, values: tuple[int, ...], tables: GraphTables) -> list[int]:
    """Return the cards of a side that share with these values what tells a person."""
    graph = StoredGraph(connection, tables)
    stated = evidence_in_graph(values) if tables is ADDRESSEES else list(values)
    graph.prefetch([], stated)
    shared: dict[int, list[int]] = {}
    for value in stated:
        for card in graph.sharing(value) if level_of(value) in KEY_OF_LEVEL else ():
            shared.setdefault(card, []).append(value)
    return sorted(
        card for card, of in shared.items() if is_conclusive(keys_shared(of)) and not graph.cards[card].listed
    )


def _lists(connection: sa.Connection, values: tuple[int, ...]) -> list[str]:
    plain = dict(zip(pseudonyms_in(connection).keyed_list(list(values)), values, strict=True))
    query = sa.select(LISTED_VALUES).where(LISTED_VALUES.c.value.in_(list(plain)))
    shared: dict[tuple[Any, str], list[int]] = {}
    for row in connection.execute(query).mappings():
        shared.setdefault((row["entity"], row["list_id"]), []).append(plain[row["value"]])
    return sorted({name for (_, name), of in shared.items() if is_conclusive(keys_shared(of))})
