"""What an investigation has to do with: parcels, who sends and receives them, what these share, and their networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from service.officers.cases import Case, cases_of
from service.officers.investigations import CONSIGNMENT, KEY, LIST, PARTY, Investigation, Item
from service.officers.search import LARGEST_PAGE, NETWORK, Asked, search
from service.officers.search_details import Details, details_of
from service.parties.stored_parties import addressee_network, network
from service.record.ownership import Sender, offices_on
from service.record.search_keys import meanings, searched_fields
from service.store.database import Store
from service.store.queries import in_lists
from service.store.settled_rows import declared_of
from service.store.tables import DECLARATIONS

NETWORKS_SHOWN = 12
KEPT_WITH_KINDS = "\x1f"  # between a key and the kinds that it was searched under
SHARED_KINDS = ("telephone", "mailbox", "number", "account", "shop", "address", "name")
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Shared:
    """A value that several consignments state, or both sides of one.

    text: as one of them has it. numbers: of these consignments. sides: the fields that state it.
    """

    kind: str
    text: str
    numbers: tuple[str, ...]
    sides: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Gathered:
    """An investigation with what is on record of it, as far as a reader sees it.

    parcels: the newest first. hidden: how many consignments are of other offices by now. bodies: what was declared.
    networks: of the senders, addressees and parties. names: of parties, as their parcels have them.
    """

    parcels: list[Details]
    hidden: int
    bodies: Mapping[str, Row]
    cases: Mapping[str, Case]
    networks: list[Row]
    names: Mapping[str, str]
    shared: list[Shared] = field(default_factory=list)


def gathered(store: Store, investigation: Investigation, reader: Sender) -> Gathered:
    """Look up what an investigation holds."""
    numbers = investigation.values(CONSIGNMENT)
    with store.reading() as connection:
        offices = offices_on(connection, numbers)
        seen = [number for number in numbers if number in offices and reader.sees_every(offices[number])]
        parcels = sorted(details_of(connection, seen).values(), key=lambda one: one.lodged_at, reverse=True)
        cases = {case.consignment_id: case for case in cases_of(connection, seen)}
        bodies = _declared(connection, seen)
    codes = [*investigation.values(PARTY), *(one.network_id or one.party_id or "" for one in parcels)]
    networks = _networks(store, codes, [bodies[number] for number in seen if number in bodies], reader)
    return Gathered(
        parcels, len(numbers) - len(seen), bodies, cases, networks, names_in(store, networks, reader),
        shared_by(bodies),
    )  # fmt: skip


def items_of_network(store: Store, code: str, reader: Sender) -> list[Item]:
    """The items with which a network is investigated: itself, and its parcels, the newest of them."""
    return [Item(PARTY, code), *_parcels_found(store, Asked(code, (NETWORK,), at_most=LARGEST_PAGE), reader)]


def items_of_search(store: Store, key: str, kinds: Sequence[str], reader: Sender) -> list[Item]:
    """The items with which what a search finds is investigated: the key, and its parcels, the newest of them."""
    kept = Item(KEY, KEPT_WITH_KINDS.join([key, *kinds]))
    return [kept, *_parcels_found(store, Asked(key, tuple(kinds), at_most=LARGEST_PAGE), reader)]


def items_of_list(store: Store, list_id: str, numbers: Iterable[str], reader: Sender) -> list[Item]:
    """The items with which the matches of a list are investigated, as far as the reader sees them."""
    with store.reading() as connection:
        offices = offices_on(connection, list(numbers))
    seen = [number for number in numbers if number in offices and reader.sees_every(offices[number])]
    return [Item(LIST, list_id), *(Item(CONSIGNMENT, number) for number in seen[:LARGEST_PAGE])]


def further_items(store: Store, gathering: Gathered, investigation: Investigation, reader: Sender) -> list[Item]:
    """The parcels of all its networks that an investigation does not hold yet, the newest of each."""
    held = set(investigation.values(CONSIGNMENT))
    found: dict[Item, None] = {}
    for one in gathering.networks:
        asked = Asked(one["network_id"], (NETWORK,), at_most=LARGEST_PAGE)
        found.update(dict.fromkeys(item for item in _parcels_found(store, asked, reader) if item.value not in held))
    return list(found)


def shared_by(bodies: Mapping[str, Mapping[str, Any]]) -> list[Shared]:
    """What several declarations state in the forms that search compares, or both sides of one; by kind."""
    stating: dict[tuple[str, Any], list[tuple[str, str, str]]] = {}
    for number, body in bodies.items():
        for column, (text, kinds) in searched_fields(body).items():
            meaning = next((meant for _, meant in meanings(text, kinds)), None)
            if meaning is not None and kinds[0] in SHARED_KINDS:
                form = tuple(sorted(tuple(sorted(forms)) for forms in meaning))
                stating.setdefault((kinds[0], form), []).append((number, column, text))
    found = [
        Shared(
            kind, of[0][2], tuple(dict.fromkeys(number for number, _, _ in of)),
            tuple(sorted({column for _, column, _ in of})),
        )
        for (kind, _), of in stating.items()
        if len(of) > 1
    ]  # fmt: skip
    return sorted(found, key=lambda one: (SHARED_KINDS.index(one.kind), -len(one.numbers), one.text))


def names_in(store: Store, networks: Iterable[Row], reader: Sender) -> dict[str, str]:
    """What the parties of networks call themselves: of their latest parcels, or of the lists that name them."""
    names: dict[str, str] = {}
    for one in networks:
        for party in one["parties"]:
            if "told_by" in party:
                names[party["party_id"]] = party["told_by"]["label"]
        if one["side"] == "consignor":
            found = search(store, Asked(one["network_id"], (NETWORK,), at_most=LARGEST_PAGE), reader)
            names |= {party["party_id"]: party["sender"] for party in found.parties if party["sender"]}
        else:
            names |= _addressees(store, one, reader)
    return names


def _addressees(store: Store, addressed: Row, reader: Sender) -> dict[str, str]:
    """What the addressees of a network are called: each by what was addressed to it last."""
    names = {}
    for party in addressed["parties"][:NETWORKS_SHOWN]:
        found = search(store, Asked(party["party_id"], ("party",), at_most=1), reader).consignments
        if found and found[0]["addressee"]:
            names[party["party_id"]] = found[0]["addressee"]
    return names


def _parcels_found(store: Store, asked: Asked, reader: Sender) -> list[Item]:
    return [Item(CONSIGNMENT, one["consignment_id"]) for one in search(store, asked, reader).consignments]


def _networks(store: Store, codes: Sequence[str], bodies: Sequence[Row], reader: Sender) -> list[Row]:
    """The networks of parties and addressees, each once, the first of them."""
    found: dict[str, Row] = {}
    for code in dict.fromkeys(filter(None, codes)):
        if len(found) < NETWORKS_SHOWN and (one := network(store, code, reader.offices)) is not None:
            found.setdefault(one["network_id"], one)
    for body in bodies:
        if len(found) < NETWORKS_SHOWN and (one := addressee_network(store, body, reader.offices)) is not None:
            found.setdefault(one["network_id"], one)
    return list(found.values())


def _declared(connection: sa.Connection, numbers: Sequence[str]) -> dict[str, Row]:
    bodies: dict[str, Row] = {}
    for batch in in_lists(numbers):
        query = sa.select(DECLARATIONS.c.consignment_id, DECLARATIONS.c.body).where(
            DECLARATIONS.c.consignment_id.in_(batch), DECLARATIONS.c.body.is_not(sa.null())
        )
        bodies |= {row.consignment_id: row.body for row in connection.execute(query.order_by(DECLARATIONS.c.version))}
    settled = declared_of(connection, ("consignment_id", "body"), list(numbers))
    return bodies | {row["consignment_id"]: row["body"] for row in settled if row["body"]}
