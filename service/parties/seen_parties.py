"""Which parties callers of some offices see: those that sent to these offices, and what lists say of them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import chain

import sqlalchemy as sa

from features.consignment import VERSION_KEY
from features.parties.linking import code_of
from service.parties.graph_queries import ADDRESSEES
from service.parties.graph_rows import judgements_made
from service.parties.stored_graph import StoredGraph
from service.record.ownership import EVERY_OFFICE
from service.record.postings import numbers_of
from service.record.record_kind import Row
from service.record.search_index import PARTY, values_of
from service.record.search_keys import key_of
from service.store.driver import Prepared, among
from service.store.queries import in_lists
from service.store.record_files import NETWORK
from service.store.settled_rows import declared_of
from service.store.store_key import pseudonyms_in
from service.store.tables import DECISIONS, DECLARATIONS, SEARCHED

OFFICES = Prepared(sa.select(SEARCHED.c.number, SEARCHED.c.offices).where(among(SEARCHED.c.number)))


def senders_seen(
    connection: sa.Connection, graph: StoredGraph, entities: Sequence[int], offices: Collection[str]
) -> set[int]:
    """Choose among the parties of a network those of whom anything was lodged for these offices, or for none named."""
    if EVERY_OFFICE in offices:
        return set(entities)
    if graph.tables is ADDRESSEES:
        return _addressees_seen(connection, entities, offices)
    same = sa.and_(*(DECLARATIONS.c[name] == DECISIONS.c[name] for name in VERSION_KEY))
    pseudonyms = pseudonyms_in(connection)
    here = DECLARATIONS.c.office.is_(None) | DECLARATIONS.c.office.in_(sorted(offices))
    found: set[int] = set()
    named_after = pseudonyms.keyed_list(sorted(_named_after(connection, graph, entities)))
    for batch in in_lists([code_of("N", keyed) for keyed in named_after]):
        query = sa.select(DECLARATIONS.c.card).select_from(DECISIONS.join(DECLARATIONS, same)).distinct()
        cards = connection.execute(query.where(DECISIONS.c.network.in_(batch), here)).scalars()
        settled = declared_of(connection, ("card", "office"), batch, NETWORK)
        in_files = [row["card"] for row in settled if row["office"] is None or row["office"] in offices]
        found.update(pseudonyms.plain_list(card for card in chain(cards, in_files) if card is not None))
    return found & set(entities)


def _addressees_seen(connection: sa.Connection, entities: Sequence[int], offices: Collection[str]) -> set[int]:
    """Choose the same of addressees, whom the index of search knows by their codes."""
    pseudonyms = pseudonyms_in(connection)
    codes = [pseudonyms.code("P", entity) for entity in entities]
    card_of = dict(zip(values_of([key_of(PARTY, code) for code in codes], pseudonyms).tolist(), entities, strict=True))
    stating = numbers_of(connection, card_of) if card_of else {}
    every = sorted({int(number) for numbers in stating.values() for number in numbers})
    rows = OFFICES.rows(connection, among=every) if every else ()
    here = {number for number, of in rows if any(office is None or office in offices for office in of)}
    return {card_of[value] for value, numbers in stating.items() if not here.isdisjoint(numbers.tolist())}


def _named_after(connection: sa.Connection, graph: StoredGraph, entities: Sequence[int]) -> set[int]:
    """Give whom the networks of senders may have been named after: a decision names the one that was known then.

    That is any of them, or of those whom an officer has since cut off.
    """
    named = set(entities)
    pairs = [{row["one"], row["other"]} for row in judgements_made(connection, counting=False)]
    others = {entity for pair in pairs if pair & set(entities) for entity in pair if entity in graph.cards}
    return named | {card for other in others for card in graph.members[graph.network_of[other]]}


def with_lists(graph: StoredGraph, seen: Collection[int]) -> list[int]:
    """Give senders that are seen with the subjects of lists and reports that they are linked to."""
    listed = {
        other
        for card in seen
        for pair in (link.pair for link in graph.links_from(card).values())
        for other in pair
        if graph.cards[other].listed
    }
    return [*seen, *sorted(listed.difference(seen))]


def sees_pair(connection: sa.Connection, graph: StoredGraph, pair: Sequence[int], offices: Collection[str]) -> bool:
    """Say whether both of a pair are seen: one sends to these offices, and so does the other, or a list names it."""
    if EVERY_OFFICE in offices:
        return True
    if any(entity not in graph.cards for entity in pair):
        return False
    cards = sorted({card for entity in pair for card in graph.members[graph.network_of[entity]]})
    seen = senders_seen(connection, graph, cards, offices)
    return not seen.isdisjoint(pair) and all(entity in seen or graph.cards[entity].listed for entity in pair)


def judgements_seen(connection: sa.Connection, rows: Sequence[Row], offices: Collection[str]) -> list[Row]:
    """Choose the judgements (rows of their table) on pairs of which callers of some offices see both."""
    if EVERY_OFFICE in offices or not rows:
        return list(rows)
    graph, plain = StoredGraph(connection), pseudonyms_in(connection).plain_list
    return [row for row in rows if sees_pair(connection, graph, plain((row["one"], row["other"])), offices)]
