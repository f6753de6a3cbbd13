"""Many rows into a table: SQLAlchemy writes the statement once, and the driver takes the rows as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # those that know ON CONFLICT
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a driver is given: the text, the columns in the order of its marks (none where they are named), and JSON."""

    text: str
    order: tuple[str, ...] | None
    as_json: tuple[str, ...]

    def given(self, rows: Sequence[Row]) -> list[Any]:
        written = [{**row, **{name: as_json(row[name]) for name in self.as_json}} for row in rows]
        return written if self.order is None else [tuple(row[name] for name in self.order) for row in written]


def insert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows that all name the same columns."""
    _put(connection, table, rows, over=False)


def upsert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows, each in place of the one that has its primary key."""
    _put(connection, table, rows, over=True)


def as_json(content: Any) -> str:
    """Content as the store keeps it."""
    return orjson.dumps(content).decode()


def _put(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, over: bool) -> None:
    if rows:
        statement = _statement(connection.dialect, table, tuple(rows[0]), over)
        connection.exec_driver_sql(statement.text, statement.given(rows))


@lru_cache(maxsize=64)
def _statement(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], over: bool) -> _Statement:
    insert = INSERTS[dialect.name](table)
    keys = [column.name for column in table.primary_key]
    if over and (changes := {name: insert.excluded[name] for name in columns if name not in keys}):
        insert = insert.on_conflict_do_update(index_elements=keys, set_=changes)
    elif over:
        insert = insert.on_conflict_do_nothing(index_elements=keys)
    compiled: Any = insert.compile(dialect=dialect, column_keys=list(columns))
    order = tuple(compiled.positiontup) if compiled.positional else None
    return _Statement(
        compiled.string, order, tuple(name for name in columns if isinstance(table.c[name].type, sa.JSON))
    )
