"""Small questions to the store that many modules ask: long IN lists, which keys exist, numbers that it remembers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import sqlalchemy as sa

from service.store.bulk_rows import rows_by_key, upsert_values
from service.store.database import SQL_IN_LIST_MAX
from service.store.driver import Prepared, among
from service.store.tables import STATE

VALUE = Prepared(sa.select(STATE.c.value).where(STATE.c.name == sa.bindparam("called")))


def in_lists(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    """So many values as one IN list may hold."""
    return (values[start : start + SQL_IN_LIST_MAX] for start in range(0, len(values), SQL_IN_LIST_MAX))


def already(connection: sa.Connection, column: sa.Column[Any], values: Sequence[Any]) -> set[Any]:
    """Those of some values that a column holds already."""
    statement = _holding(column)
    return {value for batch in in_lists(values) for (value,) in statement.rows(connection, among=batch)}


@cache
def _holding(column: sa.Column[Any]) -> Prepared:
    return Prepared(sa.select(column).where(among(column)))


def state_of(connection: sa.Connection, name: str) -> int | None:
    """A number that the store remembers."""
    found = VALUE.rows(connection, called=name)
    return None if not found or found[0][0] is None else int(found[0][0])


def change_states(connection: sa.Connection, changes: Mapping[str, Callable[[int | None], int]]) -> None:
    """Change numbers that the store remembers, each from what it was, None where it was none."""
    before = rows_by_key(connection, STATE, [(name,) for name in changes])
    known = {name: row[1] for (name,), row in before.items()}
    upsert_values(connection, STATE, [(name, change(known.get(name))) for name, change in changes.items()], before)


def set_state(connection: sa.Connection, name: str, value: int) -> None:
    """Remember a number."""
    change_states(connection, {name: lambda _: value})


def counted_on(before: int | None) -> int:
    """Return the next number of those that count changes."""
    return (before or 0) + 1
