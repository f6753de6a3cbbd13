"""Questions to the tables of the graph: statements of few texts, whatever the number of hashes that they ask for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
import sqlalchemy as sa

from service.store.driver import Row, driver_rows

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


EVERY_CARD = f"SELECT {_CARD} FROM cards c"
CARD_HASHES = _OF_CARD
CARDS_NAMED = Question(EVERY_CARD, "c.entity", _OF_CARD)
CARDS_OF_NETWORKS = Question(EVERY_CARD, "c.network", _OF_CARD)
NETWORKS_OF = Question("SELECT entity, network FROM cards", "entity", (0, 1))
VALUES_OF = Question("SELECT entity, value FROM evidence", "entity", (0, 1))
STATING = Question("SELECT entity FROM evidence", "value", (0,))
CARDS_STATING = Question(
    f"SELECT e.value, {_CARD} FROM evidence e JOIN cards c ON c.entity = e.entity",
    "e.value",
    (0, *(1 + column for column in _OF_CARD)),
)
HUBS_AMONG = Question("SELECT value FROM hubs", "value", (0,))
MARKS_OF = Question("SELECT value, own FROM phones", "value", (0,))
