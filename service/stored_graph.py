"""The graph of cards in the store: what a call needs is fetched when it is asked for, what changes is written once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar
from weakref import WeakMethod

import sqlalchemy as sa

from features.parties.evidence import LEVELS, PHONE, level_of
from features.parties.graph import Card, Graph, Link
from service.bulk import insert_many, upsert_many
from service.fetched import Fetched, Noted
from service.posting import set_state, state_of
from service.store import AT_ONCE
from service.tables import CARDS, EVIDENCE, HUBS, JUDGEMENTS, LINKS, PHONES

V = TypeVar("V")
GRAPH_VERSION = "graph_version"
FEW = 50  # declarations; the links of more are fetched at once, of fewer when they are asked for
OF_CARD = "SELECT c.entity, c.first_at, c.last_at, c.name, c.building, c.network, c.listed, c.reported"
STATED_BY = (
    "SELECT e.value, c.entity, c.first_at, c.last_at, c.name, c.building, c.network, c.listed, c.reported "
    "FROM evidence e JOIN cards c ON c.entity = e.entity WHERE e.value IN"
)


class StoredCard(Card):
    """A card whose values are fetched when they are needed; most are only counted."""

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

    def hold(self, values: set[int]) -> None:
        """Remember the values that the store holds."""
        self._values = values

    @property
    def values(self) -> set[int]:  # type: ignore[override]
        if self._values is None:
            self._values = self._fetch(self.entity) or set()
        return self._values


class StoredGraph(Graph):
    """The graph as one transaction sees it; `write` brings what was added into that transaction."""

    def __init__(self, connection: sa.Connection) -> None:
        super().__init__()
        self._connection, self._version = connection, state_of(connection, GRAPH_VERSION)
        self.cards = Fetched(_one(self._fetch_cards))
        self.stated_by = Fetched(_one(self._fetch_stated))
        self.links = Fetched(_one(self._fetch_links))
        self.network_of = Fetched(_one(self._fetch_networks))
        self.members = Fetched(_one(self._fetch_members))
        self.own = Fetched(_one(self._fetch_marks))
        self._values_of = _one(self._fetch_values)
        self._stated: list[tuple[int, int]] = []
        self._unstated: list[tuple[int, int]] = []
        self._linked: dict[tuple[int, int], Link | None] = {}
        counting = connection.execute(sa.select(JUDGEMENTS).where(JUDGEMENTS.c.until.is_(None)))
        self.judged = {(row.one, row.other): row.same for row in counting}

    # reading

    def prefetch(self, entities: Iterable[int], values: Iterable[int]) -> None:
        """Fetch at once what declarations will ask for, rather than one by one."""
        own, stated = sorted(set(entities)), set(values)
        cards = self._fetch_cards(own)
        _hold(self.cards, own, cards)
        for entity, of_card in self._fetch_values(list(cards)).items():
            cards[entity].hold(of_card)
            stated |= of_card
        asked = sorted(stated)
        phones = [value for value in asked if level_of(value) == PHONE]
        _hold(self.own, phones, self._fetch_marks(phones))
        _hold(self.stated_by, asked, self._fetch_stated(asked))
        roots = sorted({self.network_of[entity] for entity in cards})
        _hold(self.members, roots, self._fetch_members(roots))
        if len(own) > FEW:
            _hold(self.links, own, self._fetch_links(list(cards)))  # who is new has none, and is not asked about

    def fetch_all(self) -> None:
        """Fetch everything at once, for so many declarations that most of it will be asked for."""
        self.cards, self.stated_by, self.links = Noted(), Noted(), Noted()
        self.network_of, self.members, self.own = Noted(), Noted(), Noted()
        members: dict[int, list[int]] = defaultdict(list)
        values: dict[int, set[int]] = {}
        for row in self._connection.exec_driver_sql(f"{OF_CARD} FROM cards c ORDER BY c.first_at, c.entity"):
            of_card: set[int] = set()
            values[row[0]] = of_card
            self._keep_row(row).hold(of_card)
            members[row[5]].append(row[0])
        self.members.hold_all(members)
        stated_by: dict[int, list[int]] = defaultdict(list)
        for value, entity in self._connection.exec_driver_sql("SELECT value, entity FROM evidence"):
            values[entity].add(value)
            stated_by[value].append(entity)
        self.stated_by.hold_all(stated_by)
        for row in self._connection.execute(sa.select(LINKS)):
            link = link_of(row)
            for entity in link.pair:
                of = self.links.get(entity)
                if of is None:
                    of = {}
                    self.links.hold(entity, of)
                of[link.other(entity)] = link
        for value, own in self._connection.exec_driver_sql("SELECT value, own FROM phones"):
            self.own.hold(value, bool(own))

    def attach(self, connection: sa.Connection) -> bool:
        """Go on in another transaction; false, and of no use, where the store's graph has changed since it was read."""
        if state_of(connection, GRAPH_VERSION) != self._version:
            return False
        self._connection = connection
        return True

    def _keep_row(self, row: Any) -> StoredCard:
        """Remember a row of CARDS, unless the card is known already."""
        entity, first_at, last_at, name, building, network, listed, reported = row
        told = {"listed": bool(listed), "reported": bool(reported)}
        card = StoredCard(entity, first_at, last_at, name, building, self._values_of, **told)
        self.cards.hold(entity, card)  # type: ignore[attr-defined]
        self.network_of.hold(entity, network)  # type: ignore[attr-defined]
        return card

    def _fetch_cards(self, entities: Sequence[int]) -> dict[int, Any]:
        return {
            row[0]: self._keep_row(row) for row in self._rows(f"{OF_CARD} FROM cards c WHERE c.entity IN", entities)
        }

    def _fetch_networks(self, entities: Sequence[int]) -> dict[int, int]:
        return dict(map(tuple, self._rows("SELECT entity, network FROM cards WHERE entity IN", entities)))

    def _fetch_values(self, entities: Sequence[int]) -> dict[int, set[int]]:
        found: dict[int, set[int]] = {}
        for entity, value in self._rows("SELECT entity, value FROM evidence WHERE entity IN", entities):
            found.setdefault(entity, set()).add(value)
        return found

    def _fetch_stated(self, values: Sequence[int]) -> dict[int, list[int]]:
        """The cards that state a value; of a hub only that it is one."""
        hubs = {value for (value,) in self._rows("SELECT value FROM hubs WHERE value IN", values)}
        found: dict[int, list[int]] = {value: [0] * (LEVELS[level_of(value)].most + 2) for value in hubs}
        rest = [value for value in values if value not in hubs]
        for value, *row in self._rows(STATED_BY, rest):
            self._keep_row(row)
            found.setdefault(value, []).append(row[0])
        return found

    def _fetch_members(self, roots: Sequence[int]) -> dict[int, list[int]]:
        rows = self._rows(f"{OF_CARD} FROM cards c WHERE c.network IN", roots)
        found: dict[int, list[int]] = {}
        for row in sorted(rows, key=lambda row: (row[1], row[0])):
            self._keep_row(row)
            if self.network_of[row[0]] == row[5]:
                found.setdefault(row[5], []).append(row[0])
        return found

    def _fetch_links(self, entities: Sequence[int]) -> dict[int, dict[int, Link]]:
        found: dict[int, dict[int, Link]] = {}
        asked = set(entities)
        for side in ("one", "other"):
            for some in _lists(entities, AT_ONCE):
                for row in self._connection.execute(sa.select(LINKS).where(LINKS.c[side].in_(some))):
                    link = link_of(row)
                    for entity in asked.intersection(link.pair):
                        found.setdefault(entity, {})[link.other(entity)] = link
        return found

    def _fetch_marks(self, values: Sequence[int]) -> dict[int, bool]:
        return {value: bool(own) for value, own in self._rows("SELECT value, own FROM phones WHERE value IN", values)}

    def _rows(self, query: str, numbers: Sequence[int]) -> list[Any]:
        """Rows of a query that ends in a list of whole numbers, which are written into it."""
        found: list[Any] = []
        for some in _lists(numbers, AT_ONCE):
            listed = ", ".join(str(int(number)) for number in some)
            found += self._connection.exec_driver_sql(f"{query} ({listed})").all()
        return found

    # noting what changes

    def _state(self, value: int, entity: int) -> None:
        super()._state(value, entity)
        self._stated.append((value, entity))

    def _unstate(self, value: int, entity: int) -> bool:
        if self.is_hub(value):  # of a hub the store has told only that it is one
            stating = self._rows("SELECT entity FROM evidence WHERE value IN", [value])
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

    def write(self) -> None:
        """Everything that was added, changed or taken away, into the transaction that the graph was read in."""
        touched = self._changed(self.cards) | self._changed(self.network_of) | {entity for _, entity in self._stated}
        there = sorted(entity for entity in touched if entity in self.cards)
        upsert_many(self._connection, CARDS, [self._row(entity) for entity in there])
        self._delete(CARDS.c.entity, touched.difference(there))
        for value, entity in self._unstated:
            one = sa.delete(EVIDENCE).where(EVIDENCE.c.value == value, EVIDENCE.c.entity == entity)
            self._connection.execute(one)
        told = [{"value": value, "entity": entity} for value, entity in self._stated]
        insert_many(self._connection, EVIDENCE, told)
        upsert_many(
            self._connection, HUBS, [{"value": v} for v in sorted({v for v, _ in self._stated if self.is_hub(v)})]
        )
        self._delete(HUBS.c.value, {value for value, _ in self._unstated if not self.is_hub(value)})
        own = {value: self.own.get(value) for value in sorted(self._changed(self.own))}
        upsert_many(
            self._connection, PHONES, [{"value": v, "own": said} for v, said in own.items() if said is not None]
        )
        self._delete(PHONES.c.value, {value for value, said in own.items() if said is None})
        self._write_links()
        note_change(self._connection)

    def _delete(self, column: sa.Column[Any], keys: Iterable[int]) -> None:
        for some in _lists(sorted(keys), AT_ONCE):
            self._connection.execute(sa.delete(column.table).where(column.in_(some)))

    def _changed(self, mapping: Any) -> set[int]:
        changed: set[int] = mapping.changed
        return changed

    def _row(self, entity: int) -> dict[str, Any]:
        card = self.cards[entity]
        return row_of_card(card, self.network_of[entity])

    def _write_links(self) -> None:
        pairs = [{"of_one": one, "of_other": other} for one, other in sorted(self._linked)]
        if pairs:
            mine = (LINKS.c.one == sa.bindparam("of_one"), LINKS.c.other == sa.bindparam("of_other"))
            self._connection.execute(sa.delete(LINKS).where(*mine), pairs)
        insert_many(self._connection, LINKS, [row_of(link) for link in self._linked.values() if link is not None])


def note_change(connection: sa.Connection) -> None:
    """Whoever changes the graph says so, so that nobody goes on with what was read before."""
    set_state(connection, GRAPH_VERSION, (state_of(connection, GRAPH_VERSION) or 0) + 1)


def row_of_card(card: Card, network: int) -> dict[str, Any]:
    """A card as a row."""
    own = {"entity": card.entity, "first_at": card.first_at, "last_at": card.last_at}
    told = {"network": network, "listed": card.listed, "reported": card.reported}
    return own | {"name": card.name, "building": card.building} | told


def link_of(row: Any) -> Link:
    """A link as the store keeps it."""
    return Link((row.one, row.other), row.bits, tuple(row.shared), row.known_at)


def row_of(link: Link) -> dict[str, Any]:
    """A link as a row; what is shared are hashes, no texts."""
    one, other = link.pair
    return {"one": one, "other": other, "bits": link.bits, "shared": list(link.shared), "known_at": link.known_at}


def _one(method: Callable[[Sequence[int]], Mapping[int, V]]) -> Callable[[int], V | None]:
    """What a graph's own method fetches of one key.

    It holds the graph weakly: a graph is as large as a day, and goes when nobody uses it any more, not when Python
    looks for cycles.
    """
    kept = WeakMethod(method)

    def fetch(key: int) -> V | None:
        many = kept()
        if many is None:
            raise ReferenceError("the graph that this was fetched by is gone")
        return many([key]).get(key)

    return fetch


def _hold(mapping: Any, keys: Iterable[int], found: dict[int, Any]) -> None:
    for key in keys:
        mapping.hold(key, found.get(key))


def _lists(items: Sequence[int], size: int) -> Iterable[Sequence[int]]:
    return (items[start : start + size] for start in range(0, len(items), size))
