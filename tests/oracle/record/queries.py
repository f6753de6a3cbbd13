"""Small questions to the store that many modules ask: long IN lists, which keys exist, numbers that it remembers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from service.store.database import SQL_IN_LIST_MAX
from service.store.tables import DECLARATIONS, STATE
from tests.oracle.record.bulk_rows import upsert_many

VALUE = sa.select(STATE.c.value).where(STATE.c.name == sa.bindparam("called"))


def in_lists(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """So many values as one IN list may hold."""
    return (values[start : start + SQL_IN_LIST_MAX] for start in range(0, len(values), SQL_IN_LIST_MAX))


def already(connection: sa.Connection, column: sa.Column[Any], values: Sequence[Any]) -> set[Any]:
    """Those of some values that a column holds already."""
    found: set[Any] = set()
    for batch in in_lists(values):
        found.update(connection.execute(sa.select(column).where(column.in_(batch))).scalars())
    return found


def state_of(connection: sa.Connection, name: str) -> int | None:
    """A number that the store remembers."""
    found = connection.execute(VALUE, {"called": name}).scalar()
    return None if found is None else int(found)


def card_stated() -> sa.ColumnElement[str]:
    """The card (keyed) that a declaration states, in digits; null where it names no sender, or was erased."""
    card: sa.ColumnElement[str] = DECLARATIONS.c.stated["card_entity"].as_string()
    return card


def set_state(connection: sa.Connection, name: str, value: int) -> None:
    """Remember a number."""
    before = state_of(connection, name)
    former = {} if before is None else {(name,): (name, before)}
    upsert_many(connection, STATE, [{"name": name, "value": value}], former)
