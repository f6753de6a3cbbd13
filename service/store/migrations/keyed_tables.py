"""Rows of a store from before hashes were keyed, written anew with keyed ones, a batch at a time.

Tables are taken as the database has them, so that this goes on to work when later versions change them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import polars as pl
import sqlalchemy as sa

from service.store.pseudonyms import Pseudonyms
from service.store.segment_files import SegmentFiles, ranges_of

Row = dict[str, Any]
BATCH = 5_000
HASHES: Mapping[str, tuple[str, ...]] = {
    "running": ("entity",),
    "cards": ("entity", "name", "building", "network"),
    "evidence": ("value", "entity"),
    "links": ("one", "other"),
    "phones": ("value",),
    "hubs": ("value",),
    "registered": ("entity",),
    "judgements": ("one", "other"),
}


def table_of(connection: sa.Connection, name: str) -> sa.Table:
    """Return a table as the database has it."""
    return sa.Table(name, sa.MetaData(), autoload_with=connection)


def batches(connection: sa.Connection, table: sa.Table, *where: sa.ColumnElement[bool]) -> Iterator[list[Row]]:
    """Yield rows in the order of their primary key; they may be changed meanwhile, but for the key."""
    key = list(table.primary_key)
    after: tuple[sa.ColumnElement[bool], ...] = ()
    while True:
        query = sa.select(table).where(*where, *after).order_by(*key).limit(BATCH)
        rows = [dict(row) for row in connection.execute(query).mappings()]
        if not rows:
            return
        yield rows
        last = (sa.literal(rows[-1][column.name], column.type) for column in key)
        after = (sa.tuple_(*key) > sa.tuple_(*last),)


def key_rows(connection: sa.Connection, name: str, pseudonyms: Pseudonyms) -> None:
    """Write a table of HASHES anew: all rows to one that is dropped at the end, and back."""
    table = table_of(connection, name)
    columns = [sa.Column(column.name, column.type) for column in table.columns]
    keyed = sa.Table(f"keyed_{name}", sa.MetaData(), *columns, prefixes=["TEMPORARY"])
    keyed.create(connection)
    for rows in batches(connection, table):
        connection.execute(sa.insert(keyed), _keyed(rows, HASHES[name], pseudonyms))
    connection.execute(sa.delete(table))
    names = [column.name for column in columns]
    connection.execute(sa.insert(table).from_select(names, sa.select(keyed)))
    keyed.drop(connection)


def _keyed(rows: list[Row], names: tuple[str, ...], pseudonyms: Pseudonyms) -> list[Row]:
    columns = {name: pseudonyms.keyed_list(row[name] for row in rows) for name in names}
    changed = [{**row, **{name: columns[name][place] for name in names}} for place, row in enumerate(rows)]
    if "shared" not in rows[0]:
        return changed
    return [{**row, "shared": pseudonyms.keyed_list(row["shared"])} for row in changed]


def change_rows(
    connection: sa.Connection, table: sa.Table, change: Callable[[Row], Row], *where: sa.ColumnElement[bool]
) -> None:
    """Write columns of rows anew; change: gives their new values."""
    key = list(table.primary_key)
    same = [column == sa.bindparam(f"of_{column.name}") for column in key]
    for rows in batches(connection, table, *where):
        values = [{**change(row), **{f"of_{column.name}": row[column.name] for column in key}} for row in rows]
        connection.execute(sa.update(table).where(*same), values)


def keyed_statement(stated: Mapping[str, Any], pseudonyms: Pseudonyms) -> Row:
    """Return what a declaration states with its entities keyed."""
    names = [name for name in stated if name.endswith("_entity")]
    return {**stated, **dict(zip(names, pseudonyms.keyed_list(stated[name] for name in names), strict=True))}


def keyed_subjects(subjects: Mapping[str, Row], pseudonyms: Pseudonyms) -> dict[str, Row]:
    """Return the subjects of a list with their cards and values keyed."""
    return {
        name: {
            **subject,
            "entity": pseudonyms.keyed_list([subject["entity"]])[0],
            "values": pseudonyms.keyed_list(subject["values"]),
        }
        for name, subject in subjects.items()
    }


def key_segments(connection: sa.Connection, files: SegmentFiles, pseudonyms: Pseudonyms) -> None:
    """Write settled history anew, and list the new files in the place of the former, which are left behind."""
    table = table_of(connection, "segments")
    for row in connection.execute(sa.select(table)).mappings().all():
        parts = [files.frame(part["file"]) for part in row["parts"]]
        running = pl.concat(parts, how="diagonal_relaxed").fill_null(0)
        keyed = pseudonyms.keyed_columns(running, "entity").sort("entity", "known_at")
        entity = pl.col("entity")
        by_range = ((low, keyed.filter(entity.is_between(low, high))) for low, high in ranges_of(keyed.height))
        segment = files.write(by_range, row["level"])
        connection.execute(sa.delete(table).where(table.c.segment_id == row["segment_id"]))
        listed = {"segment_id": segment.segment_id, "level": segment.level, "parts": segment.as_json()}
        connection.execute(sa.insert(table), [listed])
