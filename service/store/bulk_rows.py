"""The only ways to write a table: each keeps the digest of the table, so that verification finds any other change.

Rows go in statements that SQLAlchemy writes once, and the driver takes the rows as they are.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from service.store.digests import Digest, Values, note_rows
from service.store.driver import Change, Prepared, among, execute, execute_many
from service.store.packed import PackedJson, pack, packed_or_null
from service.store.vouching import digested

KEYS_AT_ONCE = 500  # in one list
INSERTS: dict[str, Any] = {"sqlite": sqlite.insert, "postgresql": postgresql.insert}  # those that know ON CONFLICT
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Statement:
    """What a driver is given: the text, and the columns in the order of its marks, with how JSON is written.

    named: whether its marks are named.
    """

    text: str
    columns: tuple[tuple[str, Change | None], ...]
    named: bool

    def run(self, connection: sa.Connection, rows: Sequence[Row]) -> None:
        """Give it rows by name."""
        self.put(connection, [[row[name] for name, _ in self.columns] for row in rows])

    def put(self, connection: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Give it rows in the order of its columns."""
        changed = [(place, change) for place, (_, change) in enumerate(self.columns) if change is not None]
        if changed:
            rows = [list(row) for row in rows]
            for row in rows:
                for place, change in changed:
                    row[place] = change(row[place])  # type: ignore[index]
        if self.named:
            names = [name for name, _ in self.columns]
            given: Any = [dict(zip(names, row, strict=True)) for row in rows]
        else:
            given = rows
        if len(given) == 1:
            execute(connection, self.text, given[0])
        else:
            execute_many(connection, self.text, given)


def insert_many(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], added: Digest | None = None) -> None:
    """Insert rows that all name the same columns; where they name no primary key, the database counts on.

    added: what they add to the digest, where that was made before (`adding`).
    """
    if rows and not rows[0].keys() >= set(table.primary_key.columns.keys()):
        statement = sa.insert(table).returning(*table.primary_key, sort_by_parameter_order=True)
        keys = connection.execute(statement, [dict(row) for row in rows]).mappings()
        rows = [{**row, **key} for row, key in zip(rows, keys, strict=True)]
    else:
        _put(connection, table, rows, over=False)
    if rows and (made_of := digested(table)) is not None:
        note_rows(connection, table, added=map(made_of.values, rows) if added is None else added)


def insert_row(connection: sa.Connection, table: sa.Table, row: Row) -> dict[str, Any]:
    """Insert one row, and give it with the primary key that the database chose for it."""
    inserted = connection.execute(sa.insert(table).values(row).returning(*table.primary_key))
    whole = {**row, **inserted.mappings().one()}
    if (made_of := digested(table)) is not None:
        note_rows(connection, table, added=[made_of.values(whole)])
    return whole


def insert_missing(connection: sa.Connection, table: sa.Table, rows: Sequence[Row]) -> None:
    """Insert the rows whose primary key is not there yet."""
    keys = [tuple(row[column.name] for column in table.primary_key) for row in rows]
    known = keys_known(connection, table, keys)
    insert_many(connection, table, [row for key, row in zip(keys, rows, strict=True) if key not in known])


def upsert_many(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Row],
    former: Mapping[Values, Values] | None = None,
    added: Digest | None = None,
) -> None:
    """Insert rows, each in place of the one that has its primary key; all name the same columns.

    former: the digested values of the rows that are replaced, by key, where the caller has read them. added: what they
    add to the digest, where that was made before (`adding`); then each key is named once.
    """
    if not rows:
        return
    _put_over(connection, table, rows, former, added)


def upsert_values(
    connection: sa.Connection, table: sa.Table, rows: Sequence[Values], former: Mapping[Values, Values]
) -> None:
    """Insert rows of all columns, in the table's order and types, each in place of the one that has its primary key.

    All of the table's columns are digested, its key comes first and each key once; former: the rows that stand, by key.
    """
    if rows:
        names = tuple(table.columns.keys())
        key = slice(len(table.primary_key))
        _statement(connection.dialect, table, names, True).put(connection, rows)
        note_rows(connection, table, added=rows, removed=[former[row[key]] for row in rows if row[key] in former])


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
    made_of = digested(table)
    if made_of is None:
        raise ValueError(f"{table.name} vouches for itself")
    places = [made_of.names.index(name) for name in made_of.keys]
    rows = (row for batch in _batches(keys) for row in _by_key(table).rows(connection, among=batch))
    return {tuple([row[place] for place in places]): row for row in rows}


def keys_known(connection: sa.Connection, table: sa.Table, keys: Sequence[Values]) -> set[Values]:
    """Look up which of these primary keys a table has."""
    return {row for batch in _batches(keys) for row in _keys(table).rows(connection, among=batch)}


def delete_keys(connection: sa.Connection, table: sa.Table, keys: Sequence[Values]) -> None:
    """Delete the rows that have these primary keys, where there are any."""
    if not keys:
        return
    before = rows_by_key(connection, table, keys)
    if before:
        for batch in _batches(list(before)):
            _gone(table).run(connection, among=batch)
        note_rows(connection, table, removed=before.values())


def _batches(keys: Sequence[Values]) -> Iterator[list[Any]]:
    """Yield keys as lists for `among`: of values, or of tuples of several."""
    for start in range(0, len(keys), KEYS_AT_ONCE):
        batch = keys[start : start + KEYS_AT_ONCE]
        yield [key[0] for key in batch] if len(batch[0]) == 1 else list(batch)


@cache
def _by_key(table: sa.Table) -> Prepared:
    made_of = digested(table)
    if made_of is None:
        raise ValueError(f"{table.name} vouches for itself")
    return Prepared(sa.select(*made_of.selected).where(among(*table.primary_key)))


@cache
def _keys(table: sa.Table) -> Prepared:
    return Prepared(sa.select(*table.primary_key).where(among(*table.primary_key)))


@cache
def _gone(table: sa.Table) -> Prepared:
    return Prepared(sa.delete(table).where(among(*table.primary_key)))


def _put_over(
    connection: sa.Connection,
    table: sa.Table,
    rows: Sequence[Row],
    former: Mapping[Values, Values] | None,
    added: Digest | None,
) -> None:
    made_of = digested(table)
    if made_of is None:
        raise ValueError(f"rows of {table.name} are never replaced")
    last = {tuple(row[name] for name in made_of.keys): row for row in rows}
    before = rows_by_key(connection, table, list(last)) if former is None else former
    if added is not None and len(last) != len(rows):
        raise ValueError(f"{table.name}: a row is named twice, and both were added up")
    _put(connection, table, list(last.values()), over=True)
    now = (
        made_of.values({**dict(zip(made_of.names, before.get(key, ()), strict=False)), **row})
        for key, row in last.items()
    )
    replaced = (values for key, values in before.items() if key in last)
    note_rows(connection, table, removed=replaced, added=now if added is None else added)


def as_json(content: Any) -> str:
    """Content as the store keeps it."""
    return orjson.dumps(content).decode()


def _put(connection: sa.Connection, table: sa.Table, rows: Sequence[Row], *, over: bool) -> None:
    if rows:
        _statement(connection.dialect, table, tuple(rows[0]), over).run(connection, rows)


@lru_cache(maxsize=64)
def _statement(dialect: sa.Dialect, table: sa.Table, columns: tuple[str, ...], over: bool) -> _Statement:
    insert = INSERTS[dialect.name](table)
    keys = [column.name for column in table.primary_key]
    if over and (changes := {name: insert.excluded[name] for name in columns if name not in keys}):
        insert = insert.on_conflict_do_update(index_elements=keys, set_=changes)
    elif over:
        insert = insert.on_conflict_do_nothing(index_elements=keys)
    compiled: Any = insert.compile(dialect=dialect, column_keys=list(columns))
    order = tuple(compiled.positiontup) if compiled.positional else columns
    return _Statement(
        compiled.string, tuple((name, _writing(table.c[name])) for name in order), not compiled.positional
    )


def _writing(column: sa.Column[Any]) -> Change | None:
    """How a value of a column is written: JSON as text or packed, NULL where a column may be without one."""
    if isinstance(column.type, PackedJson):
        return packed_or_null if column.nullable else pack
    if not isinstance(column.type, sa.JSON):
        return None
    return _json_or_null if column.nullable else as_json


def _json_or_null(content: Any) -> str | None:
    return None if content is None else as_json(content)
