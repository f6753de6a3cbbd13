"""The only ways to write a table: each keeps the digest of the table, so that verification finds any other change.

Many rows go in one statement that SQLAlchemy writes once, and the driver takes the rows as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.store.vouching import digested
from tests.oracle.record.digests import Values, note_rows

KEYS_AT_ONCE = 500  # in one IN list
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # those that know ON CONFLICT
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a driver is given: the text, the columns in the order of its marks (none where they are named), and JSON."""

    text: str
    order: tuple[str, ...] | None
    as_json: tuple[str, ...]
    nullable: frozenset[str]

    def given(self, rows: Sequence[Row]) -> list[Any]:
        written = [{**row, **{name: self._written(name, row[name]) for name in self.as_json}} for row in rows]
        return written if self.order is None else [tuple(row[name] for name in self.order) for row in written]

    def _written(self, name: str, content: Any) -> str | None:
        """Content as JSON; NULL and no text where there is none in a column that may be without."""
        return None if content is None and name in self.nullable else as_json(content)


def insert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert rows that all name the same columns; where they name no primary key, the database counts on."""
    if rows and not rows[0].keys() >= set(table.primary_key.columns.keys()):
        statement = sa.insert(table).returning(*table.primary_key, sort_by_parameter_order=True)
        keys = connection.execute(statement, [dict(row) for row in rows]).mappings()
        rows = [{**row, **key} for row, key in zip(rows, keys, strict=True)]
    else:
        _put(connection, table, rows, over=False)
    if rows and (made_of := digested(table)) is not None:
        note_rows(connection, table, added=map(made_of.values, rows))


def insert_row(connection: sa.Connection, table: sa.Table, row: Row) -> dict[str, Any]:
    """Insert one row, and give it with the primary key that the database chose for it."""
    inserted = connection.execute(sa.insert(table).values(row).returning(*table.primary_key))
    whole = {**row, **inserted.mappings().one()}
    if (made_of := digested(table)) is not None:
        note_rows(connection, table, added=[made_of.values(whole)])
    return whole


def insert_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    keys = [column.name for column in table.primary_key]
    known = rows_by_key(connection, table, [tuple(row[name] for name in keys) for row in rows])
    insert_many(connection, table, [row for row in rows if tuple(row[name] for name in keys) not in known])


def upsert_many(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Row], former: Mapping[Values, Values] | None = None
) -> None:
    """Insert rows, each in place of the one that has its primary key; all name the same columns.

    former: the digested values of the rows that are replaced, by key, where the caller has read them.
    """
    if not rows:
        return
    _put_over(connection, table, rows, former)


def update_rows(connection: sa.Connection, table: sa.Table, values: Row, *where: sa.ColumnElement[bool]) -> int:
    """Set columns of the rows that a condition chooses to plain values, or to sa.null(); the number of rows."""
    made_of = digested(table)
    if made_of is None:
        return int(connection.execute(sa.update(table).where(*where).values(dict(values))).rowcount)
    before = [dict(row) for row in connection.execute(sa.select(*made_of.selected).where(*where)).mappings()]
    if not before:
        return 0
    changed: int = connection.execute(sa.update(table).where(*where).values(dict(values))).rowcount
    plain = {name: None if isinstance(value, sa.Null) else value for name, value in values.items()}
    note_rows(
        connection, table,
        removed=(tuple(row[name] for name in made_of.names) for row in before),
        added=(made_of.values({**row, **plain}) for row in before),
    )  # fmt: skip
    return changed


def update_each(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Set columns of many rows that are there, each to its own values; a row names its primary key."""
    if not rows:
        return
    made_of, keys = digested(table), [column.name for column in table.primary_key]
    if made_of is None:
        raise ValueError(f"rows of {table.name} are never changed one by one")
    before = rows_by_key(connection, table, [tuple(row[name] for name in keys) for row in rows])
    same = [table.c[name] == sa.bindparam(f"of_{name}") for name in keys]
    named = [{f"of_{name}" if name in keys else name: value for name, value in row.items()} for row in rows]
    connection.execute(sa.update(table).where(*same), named)
    former = [dict(zip(made_of.names, before[tuple(row[name] for name in keys)], strict=True)) for row in rows]
    note_rows(
        connection, table,
        removed=before.values(),
        added=(made_of.values({**was, **row}) for was, row in zip(former, rows, strict=True)),
    )  # fmt: skip


def delete_rows(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> int:
    """Delete the rows that a condition chooses, or all of them; the number of rows."""
    made_of = digested(table)
    if made_of is not None:
        query = sa.select(*made_of.selected).where(*where).execution_options(yield_per=5_000)
        note_rows(connection, table, removed=(tuple(row) for row in connection.execute(query)))
    return int(connection.execute(sa.delete(table).where(*where)).rowcount)


def rows_by_key(connection: sa.Connection, table: sa.Table, keys: Sequence[Values]) -> dict[Values, Values]:
    """Look up the digested values of the rows that have these primary keys, by key."""
    made_of, columns = digested(table), list(table.primary_key)
    if made_of is None:
        raise ValueError(f"{table.name} vouches for itself")
    found: dict[Values, Values] = {}
    for start in range(0, len(keys), KEYS_AT_ONCE):
        batch = keys[start : start + KEYS_AT_ONCE]
        among = columns[0].in_([key[0] for key in batch]) if len(columns) == 1 else sa.tuple_(*columns).in_(batch)
        for row in connection.execute(sa.select(*made_of.selected).where(among)):
            named = dict(zip(made_of.names, row, strict=True))
            found[tuple(named[name] for name in made_of.keys)] = tuple(row)
    return found


def _put_over(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Row], former: Mapping[Values, Values] | None
) -> None:
    made_of = digested(table)
    if made_of is None:
        raise ValueError(f"rows of {table.name} are never replaced")
    last = {tuple(row[name] for name in made_of.keys): row for row in rows}
    before = rows_by_key(connection, table, list(last)) if former is None else former
    _put(connection, table, list(last.values()), over=True)
    note_rows(
        connection, table,
        removed=(values for key, values in before.items() if key in last),
        added=(made_of.values({**dict(zip(made_of.names, before.get(key, ()), strict=False)), **row})
               for key, row in last.items()),
    )  # fmt: skip


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
    json = tuple(name for name in columns if isinstance(table.c[name].type, sa.JSON))
    nullable = frozenset(name for name in json if table.c[name].nullable)
    return _Statement(compiled.string, order, json, nullable)
