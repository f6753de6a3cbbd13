"""The graph of records (cards) in the store: read as far as a call needs it, changes written once.

In the store cards and values stand as keyed hashes: every number that goes into a query or comes out of one passes
`_rows`, `_plain`, `_keyed` or `_delete`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar
from weakref import WeakMethod

import sqlalchemy as sa

from features.parties.card import Card
from features.parties.evidence import LEVELS, level_of
from features.parties.graph import Graph
from features.parties.networks import Link
from features.parties.ownership import JUDGED
from service.parties.graph_queries import CARD_HASHES, SENDERS, GraphTables, Question
from service.parties.graph_rows import judgements_made, keyed_rows, links_of_rows, plain_rows, row_of, row_of_card
from service.parties.lazy_mapping import Fetched, Noted
from service.store.bulk_rows import delete_keys, insert_many, upsert_many
from service.store.database import SQL_IN_LIST_MAX
from service.store.digests import Digest, adding
from service.store.driver import driver_rows
from service.store.queries import change_states, counted_on, state_of
from service.store.store_key import pseudonyms_in

V = TypeVar("V")
FEW = 50  # declarations; the links of more are fetched together, of fewer one by one on demand


class StoredCard(Card):
    """A card whose values are fetched on demand; most are only counted."""

    def __init__(
        self,
        entity: int,
        first_at: int,
        last_at: int,
        name: int | None,
        building: int | None,
        fetch: Callable[[int], set[int] | None],
        *,
        listed: bool,
        reported: bool,
    ) -> None:
        self.entity, self.first_at, self.last_at, self.name, self.building = entity, first_at, last_at, name, building
        self.listed, self.reported = listed, reported
        self._fetch = fetch
        self._values: set[int] | None = None

    @property
    def holds_values(self) -> bool:
        """Whether its values have been fetched."""
        return self._values is not None

    def hold(self, values: set[int]) -> None:
        """Remember the values that the store holds."""
        self._values = values

    @property
    def values(self) -> set[int]:  # type: ignore[override]
        if self._values is None:
            self._values = self._fetch(self.entity) or set()
        return self._values


@dataclass(frozen=True, slots=True)
class Changes:
    """Changes of a graph as its tables take them: rows that are new or changed, and keys of those that are gone.

    sums: what the rows of each table add to its digest, as far as that is known before they are written.
    """

    new: dict[sa.Table, list[dict[str, Any]]] = field(default_factory=dict)
    gone: dict[sa.Table, list[tuple[int, ...]]] = field(default_factory=dict)
    sums: dict[sa.Table, Digest | None] = field(default_factory=dict)


class StoredGraph(Graph):
    """The graph as one transaction sees it; `write` stores the changes in that transaction."""

    def __init__(self, connection: sa.Connection, tables: GraphTables = SENDERS) -> None:
        """tables: of the side whose graph it is."""
        super().__init__()
        self._connection, self._version, self.tables = connection, state_of(connection, tables.version), tables
        self._pseudonyms = pseudonyms_in(connection)
        self.cards = Fetched(_one(self._fetch_cards))
        self.stated_by = Fetched(_one(self._fetch_stated))
        self.links = Fetched(_one(self._fetch_links))
        self.network_of = Fetched(_one(self._fetch_networks))
        self.members = Fetched(_one(self._fetch_members))
        self.owned = Fetched(_one(self._fetch_marks))
        self._values_of = _one(self._fetch_values)
        self._stated: list[tuple[int, int]] = []
        self._unstated: list[tuple[int, int]] = []
        self._linked: dict[tuple[int, int], Link | None] = {}
        self._prepared: Changes | None = None  # what `write` writes, where it was made before
        self.judged = {(row["one"], row["other"]): row["same"] for row in judgements_made(connection, counting=True)}

    # reading

    def prefetch(self, entities: Iterable[int], values: Iterable[int]) -> None:
        """Fetch together what declarations will ask for."""
        wanted, stated = sorted(set(entities)), set(values)
        cards = self._fetch_cards(wanted)
        _hold(self.cards, wanted, cards)
        for entity, of_card in self._fetch_values(list(cards)).items():
            cards[entity].hold(of_card)
            stated |= of_card
        asked = sorted(stated)
        judged = [value for value in asked if level_of(value) in JUDGED]
        _hold(self.owned, judged, self._fetch_marks(judged))
        _hold(self.stated_by, asked, self._fetch_stated(asked))
        roots = sorted({self.network_of[entity] for entity in cards})
        _hold(self.members, roots, self._fetch_members(roots))
        _hold(self.links, (entity for entity in wanted if entity not in cards), {})  # new ones have none
        if len(wanted) > FEW:
            _hold(self.links, wanted, self._fetch_links(list(cards)))

    def fetch_all(self) -> None:
        """Fetch everything together, for so many declarations that most of it will be needed."""
        self.cards, self.stated_by, self.links = Noted(), Noted(), Noted()
        self.network_of, self.members, self.owned = Noted(), Noted(), Noted()
        members: dict[int, list[int]] = defaultdict(list)
        values: dict[int, set[int]] = {}
        cards = self._plain(driver_rows(self._connection, self.tables.every_card), CARD_HASHES)
        for row in sorted(cards, key=lambda row: (row[1], row[0])):
            of_card: set[int] = set()
            values[row[0]] = of_card
            self._keep_row(row).hold(of_card)
            members[row[5]].append(row[0])
        self.members.hold_all(members)
        stated_by: dict[int, list[int]] = defaultdict(list)
        for value, entity in self._plain(driver_rows(self._connection, self.tables.every_statement)):
            values[entity].add(value)
            stated_by[value].append(entity)
        self.stated_by.hold_all(stated_by)
        for link in links_of_rows(self._connection.execute(sa.select(self.tables.links)).all(), self._pseudonyms):
            for entity in link.pair:
                of = self.links.get(entity)
                if of is None:
                    of = {}
                    self.links.hold(entity, of)
                of[link.other(entity)] = link
        for value, belongs in self._plain(
            driver_rows(self._connection, self.tables.marks_of.query), self.tables.marks_of.hashes
        ):
            self.owned.hold(value, bool(belongs))

    def attach(self, connection: sa.Connection) -> bool:
        """Continue in another transaction; false, and unusable, if the store's graph has changed since it was read."""
        if state_of(connection, self.tables.version) != self._version:
            return False
        self._connection = connection
        return True

    def _keep_row(self, row: Any) -> StoredCard:
        """Remember a row of cards, unless the card is known already."""
        entity, first_at, last_at, name, building, network, listed, reported = row
        flags = {"listed": bool(listed), "reported": bool(reported)}
        card = StoredCard(entity, first_at, last_at, name, building, self._values_of, **flags)
        self.cards.hold(entity, card)  # type: ignore[attr-defined]
        self.network_of.hold(entity, network)  # type: ignore[attr-defined]
        return card

    def _fetch_cards(self, entities: Sequence[int]) -> dict[int, Any]:
        return {row[0]: self._keep_row(row) for row in self._rows(self.tables.cards_named, entities)}

    def _fetch_networks(self, entities: Sequence[int]) -> dict[int, int]:
        return dict(map(tuple, self._rows(self.tables.networks_of, entities)))

    def _fetch_values(self, entities: Sequence[int]) -> dict[int, set[int]]:
        values_of: dict[int, set[int]] = {}
        for entity, value in self._rows(self.tables.values_of, entities):
            values_of.setdefault(entity, set()).add(value)
        return values_of

    def _fetch_stated(self, values: Sequence[int]) -> dict[int, list[int]]:
        """Fetch the cards that state a value; for a hub only that it is one."""
        hubs = {value for (value,) in self._rows(self.tables.hubs_among, values)}
        cards: dict[int, list[int]] = {value: [0] * (LEVELS[level_of(value)].max_cards + 2) for value in hubs}
        rest = [value for value in values if value not in hubs]
        for value, *row in self._rows(self.tables.cards_stating, rest):
            self._keep_row(row)
            cards.setdefault(value, []).append(row[0])
        return cards

    def _fetch_members(self, roots: Sequence[int]) -> dict[int, list[int]]:
        rows = self._rows(self.tables.cards_of_networks, roots)
        members: dict[int, list[int]] = {}
        for row in sorted(rows, key=lambda row: (row[1], row[0])):
            self._keep_row(row)
            if self.network_of[row[0]] == row[5]:
                members.setdefault(row[5], []).append(row[0])
        return members

    def _fetch_links(self, entities: Sequence[int]) -> dict[int, dict[int, Link]]:
        links: dict[int, dict[int, Link]] = {}
        asked = set(entities)
        for side in ("one", "other"):
            for batch in _lists(self._pseudonyms.keyed_list(entities), SQL_IN_LIST_MAX):
                found = self._connection.execute(
                    sa.select(self.tables.links).where(self.tables.links.c[side].in_(batch))
                ).all()
                for link in links_of_rows(found, self._pseudonyms):
                    for entity in asked.intersection(link.pair):
                        links.setdefault(entity, {})[link.other(entity)] = link
        return links

    def _fetch_marks(self, values: Sequence[int]) -> dict[int, bool]:
        return {value: bool(belongs) for value, belongs in self._rows(self.tables.marks_of, values)}

    def _rows(self, question: Question, hashes: Sequence[int]) -> list[list[Any]]:
        """Return the rows of a question that is asked for some hashes."""
        if not hashes:
            return []
        rows = question.rows(self._connection, self._pseudonyms.keyed_list(hashes))
        return self._plain(rows, question.hashes) if rows else []

    def _plain(self, rows: Sequence[Any], columns: Sequence[int] = (0, 1)) -> list[list[Any]]:
        return plain_rows(rows, columns, self._pseudonyms)

    def hold_values(self, cards: Sequence[Card]) -> None:
        """Fetch the values of several cards together."""
        bare = [card for card in cards if isinstance(card, StoredCard) and not card.holds_values]
        if bare:
            values_of = self._fetch_values([card.entity for card in bare])
            for card in bare:
                card.hold(values_of.get(card.entity, set()))

    # recording changes

    def _state(self, value: int, entity: int) -> None:
        super()._state(value, entity)
        self._stated.append((value, entity))

    def _unstate(self, value: int, entity: int) -> bool:
        if self.is_hub(value):  # of a hub only that it is one has been read
            stating = self._rows(self.tables.stating, [value])
            gone = {card for of, card in self._unstated if of == value}
            self.stated_by[value] = [card for (card,) in stating if card not in gone]
        self._unstated.append((value, entity))
        return super()._unstate(value, entity)

    def _write(self, link: Link) -> None:
        super()._write(link)
        self._linked[link.pair] = link

    def _cut(self, link: Link) -> None:
        super()._cut(link)
        self._linked[link.pair] = None

    def prepare(self) -> Changes:
        """Make the rows of everything added, changed or removed, before the transaction that writes them."""
        touched = self._changed(self.cards) | self._changed(self.network_of) | {entity for _, entity in self._stated}
        kept = sorted(entity for entity in touched if entity in self.cards)
        marks = {value: self.owned.get(value) for value in sorted(self._changed(self.owned))}
        tables, changes = self.tables, Changes()
        changes.new[tables.cards] = self._keyed([self._row(entity) for entity in kept])
        changes.gone[tables.cards] = self._keys(touched.difference(kept))
        gone = self._keyed([{"value": value, "entity": entity} for value, entity in self._unstated])
        changes.gone[tables.evidence] = [(row["value"], row["entity"]) for row in gone]
        changes.new[tables.evidence] = self._keyed([{"value": of, "entity": entity} for of, entity in self._stated])
        hubs = sorted({value for value, _ in self._stated if self.is_hub(value)})
        changes.new[tables.hubs] = self._keyed([{"value": value} for value in hubs])
        changes.gone[tables.hubs] = self._keys({value for value, _ in self._unstated if not self.is_hub(value)})
        known = [{"value": value, "own": mark} for value, mark in marks.items() if mark is not None]
        changes.new[tables.phones] = self._keyed(known)
        changes.gone[tables.phones] = self._keys({value for value, mark in marks.items() if mark is None})
        linked = self._keyed([{"one": first, "other": second} for first, second in sorted(self._linked)])
        changes.gone[tables.links] = [(pair["one"], pair["other"]) for pair in linked]
        changes.new[tables.links] = self._keyed([row_of(link) for link in self._linked.values() if link is not None])
        changes.sums.update({table: adding(table, rows) for table, rows in changes.new.items()})
        self._prepared = changes
        return changes

    def write(self) -> None:
        """Store everything added, changed or removed, in the transaction that the graph was read in."""
        changes, self._prepared = self._prepared or self.prepare(), None
        for table in (self.tables.cards, self.tables.hubs, self.tables.phones):
            upsert_many(self._connection, table, changes.new[table], added=changes.sums[table])
            delete_keys(self._connection, table, changes.gone[table])
        for table in (self.tables.evidence, self.tables.links):  # their rows do not change, but go and come
            delete_keys(self._connection, table, changes.gone[table])
            insert_many(self._connection, table, changes.new[table], changes.sums[table])
        note_change(self._connection, self.tables)

    def _keyed(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        return keyed_rows(rows, self._pseudonyms)

    def _keys(self, hashes: Iterable[int]) -> list[tuple[int, ...]]:
        return [(key,) for key in self._pseudonyms.keyed_list(sorted(hashes))]

    def _changed(self, mapping: Any) -> set[int]:
        changed: set[int] = mapping.changed
        return changed

    def _row(self, entity: int) -> dict[str, Any]:
        card = self.cards[entity]
        return row_of_card(card, self.network_of[entity])


def note_change(connection: sa.Connection, tables: GraphTables = SENDERS) -> None:
    """Mark the graph of a side as changed, so that no earlier copy is used further."""
    change_states(connection, {tables.version: counted_on})


def _one(method: Callable[[Sequence[int]], Mapping[int, V]]) -> Callable[[int], V | None]:
    """Return a function that fetches one key by a method of the graph.

    It holds the graph weakly: a graph is as large as a day, and is freed when it is no longer used, not when Python
    looks for cycles.
    """
    kept = WeakMethod(method)

    def fetch(key: int) -> V | None:
        many = kept()
        if many is None:
            raise ReferenceError("the graph that this was fetched by is gone")
        return many([key]).get(key)

    return fetch


def _hold(mapping: Any, keys: Iterable[int], values: dict[int, Any]) -> None:
    for key in keys:
        mapping.hold(key, values.get(key))


def _lists(items: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))
