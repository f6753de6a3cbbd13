"""Questions to the tables of the graph: statements of few texts, whatever the number of hashes that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import orjson
import sqlalchemy as sa

from service.store.driver import Row, driver_rows
from service.store.tables import (
    ADDRESSEE_CARDS,
    ADDRESSEE_EVIDENCE,
    ADDRESSEE_HUBS,
    ADDRESSEE_LINKS,
    ADDRESSEE_PHONES,
    CARDS,
    EVIDENCE,
    HUBS,
    LINKS,
    PHONES,
)

AT_ONCE = 10_000  # hashes of one statement
_CARD = "c.entity, c.first_at, c.last_at, c.name, c.building, c.network, c.listed, c.reported"
_OF_CARD = (0, 3, 4, 5)  # columns of a card that are hashes: itself, its name, its building, its network


@dataclass(frozen=True, slots=True)
class Question:
    """A query that asks for the rows in which a column is one of some keyed hashes.

    hashes: the places of the columns of its rows that are keyed hashes.
    """

    query: str
    column: str
    hashes: tuple[int, ...]

    def rows(self, connection: sa.Connection, keyed: Sequence[int]) -> list[Row]:
        """Return the rows found."""
        found: list[Row] = []
        for start in range(0, len(keyed), AT_ONCE):
            asked = keyed[start : start + AT_ONCE]
            if connection.dialect.name == "sqlite":
                listed = f"{self.query} WHERE {self.column} IN (SELECT value FROM json_each(?))"
                found += driver_rows(connection, listed, (orjson.dumps(asked).decode(),))
            else:
                found += driver_rows(connection, f"{self.query} WHERE {self.column} = ANY(?::bigint[])", (list(asked),))
        return found


CARD_HASHES = _OF_CARD


@dataclass(frozen=True)
class GraphTables:
    """The tables of the graph of one side, and the questions to them.

    version: the number of the store that counts its changes.
    """

    cards: sa.Table
    evidence: sa.Table
    links: sa.Table
    phones: sa.Table
    hubs: sa.Table
    version: str

    @property
    def every(self) -> tuple[sa.Table, ...]:
        """Return all of them."""
        return self.cards, self.evidence, self.links, self.phones, self.hubs

    def has_more_cards_than(self, connection: sa.Connection, number: int) -> bool:
        """Whether there are more cards than a number, of which no more are looked at."""
        query = sa.select(self.cards.c.entity).offset(number).limit(1)
        return connection.execute(query).first() is not None

    @cached_property
    def every_card(self) -> str:
        return f"SELECT {_CARD} FROM {self.cards.name} c"

    @cached_property
    def every_statement(self) -> str:
        return f"SELECT value, entity FROM {self.evidence.name}"

    @cached_property
    def cards_named(self) -> Question:
        return Question(self.every_card, "c.entity", _OF_CARD)

    @cached_property
    def cards_of_networks(self) -> Question:
        return Question(self.every_card, "c.network", _OF_CARD)

    @cached_property
    def networks_of(self) -> Question:
        return Question(f"SELECT entity, network FROM {self.cards.name}", "entity", (0, 1))

    @cached_property
    def values_of(self) -> Question:
        return Question(f"SELECT entity, value FROM {self.evidence.name}", "entity", (0, 1))

    @cached_property
    def stating(self) -> Question:
        return Question(f"SELECT entity FROM {self.evidence.name}", "value", (0,))

    @cached_property
    def cards_stating(self) -> Question:
        joined = f"{self.evidence.name} e JOIN {self.cards.name} c ON c.entity = e.entity"
        hashes = (0, *(1 + column for column in _OF_CARD))
        return Question(f"SELECT e.value, {_CARD} FROM {joined}", "e.value", hashes)

    @cached_property
    def hubs_among(self) -> Question:
        return Question(f"SELECT value FROM {self.hubs.name}", "value", (0,))

    @cached_property
    def marks_of(self) -> Question:
        return Question(f"SELECT value, own FROM {self.phones.name}", "value", (0,))


SENDERS = GraphTables(CARDS, EVIDENCE, LINKS, PHONES, HUBS, "graph_version")
ADDRESSEES = GraphTables(
    ADDRESSEE_CARDS, ADDRESSEE_EVIDENCE, ADDRESSEE_LINKS, ADDRESSEE_PHONES, ADDRESSEE_HUBS, "addressee_graph_version"
)
