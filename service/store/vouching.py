"""How each column of the store is vouched for: by the digest of its table, unless its declaration says otherwise.

A digest is of every column of every table, so that a new column is vouched for from the start. What is not in it says
why beside the column: another proof that verification compares (BY_ENTRY, BY_CONTENT_HASH, BY_ITSELF), or the reason
why nothing need vouch for it (`unvouched`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import sqlalchemy as sa

from service.store.packed import PackedJson

PROOF, REASON, PRESENT, GROWING = "vouched_by", "unvouched_because", "digest_of_presence", "never_shrinks"
BY_DIGEST = "the digest of its table"
BY_ENTRY = {PROOF: "the salted hash in its entry on the audit log; once erased, that nothing is left"}
BY_CONTENT_HASH = {PROOF: "the hash of its content beside it; the digest says whether it is there"}
BY_ITSELF = {PROOF: "the table itself: each row follows from others, and checkpoints say how far"}
GROWS = {GROWING: True}  # no row of the table is ever deleted: checkpoints say how many there were
PRESENCE = {PRESENT: True}  # the digest holds whether there is a value, not which


def unvouched(reason: str) -> dict[str, str]:
    """Declare a column that nothing vouches for, with the reason; goes into `info` of the column."""
    return {REASON: reason}


@dataclass(frozen=True, slots=True)
class Digested:
    """What the digest of a table is made of: columns, in the order of the table, and how each is read from a row."""

    names: tuple[str, ...]
    selected: tuple[sa.ColumnElement[Any], ...]
    keys: tuple[str, ...]
    readers: tuple[tuple[str, type | None, Callable[[Any], Any]], ...]

    def values(self, row: Mapping[str, Any]) -> tuple[Any, ...]:
        """Read the values of a row as they will come back from the database."""
        get, values = row.get, []
        for name, kind, read in self.readers:
            value = get(name)
            values.append(value if (value is None and kind is not None) or type(value) is kind else read(value))
        return tuple(values)


@lru_cache(maxsize=256)
def digested(table: sa.Table) -> Digested | None:
    """Say what the digest of a table is made of; None for a table that vouches for itself."""
    if PROOF in table.info:
        return None
    columns = [column for column in table.columns if is_digested(column)]
    selected = [c.is_not(None).label(c.name) if PRESENT in c.info else c for c in columns]
    readers = tuple((column.name, *_reader(column)) for column in columns)
    keys = tuple(column.name for column in table.primary_key)
    return Digested(tuple(column.name for column in columns), tuple(selected), keys, readers)


def is_digested(column: sa.Column[Any]) -> bool:
    """Say whether the digest of its table holds a column."""
    return PRESENT in column.info or not column.info.keys() & {PROOF, REASON}


def never_shrinks(table: sa.Table) -> bool:
    """Say whether rows of a table are only ever added or changed."""
    return GROWING in table.info


def proof_of(column: sa.Column[Any]) -> str | None:
    """Say what vouches for a column; None where nothing does."""
    if REASON in column.info:
        return None
    return str(column.info.get(PROOF) or column.table.info.get(PROOF) or BY_DIGEST)


def unvouched_columns(tables: sa.MetaData) -> dict[tuple[str, str], str]:
    """List the exceptions: table and column, and the reason."""
    every = [column for table in tables.sorted_tables for column in table.columns]
    return {(column.table.name, column.name): column.info[REASON] for column in every if REASON in column.info}


def _as_it_is(content: Any) -> Any:
    return content


def _reader(column: sa.Column[Any]) -> tuple[type | None, Callable[[Any], Any]]:
    """Give the type in which the database gives a value back, and what brings another one into it."""
    if PRESENT in column.info:
        return None, lambda value: value is not None and value is not False  # False: read back as absent
    kinds: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
        (sa.Boolean, bool), (sa.Integer, int), (sa.Float, float), (sa.JSON, _as_it_is),
        (PackedJson, _as_it_is), (sa.String, str),
        (sa.LargeBinary, bytes),
    )  # fmt: skip
    into = next(into for kind, into in kinds if isinstance(column.type, kind))
    kind = into if isinstance(into, type) else None
    return kind, lambda value: None if value is None else into(value)
