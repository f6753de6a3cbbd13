"""Digests of tables: what all rows of a table add up to, kept with every change, so that any other change shows.

Each row is hashed to a number of 2,048 bits, and a digest is the sum of them all: a row that comes adds its number, one
that goes takes it away, and the order of rows is nothing to it (an additive set hash, as AdHash). A transaction gathers
what it changes and writes the new sums once, before it commits. Verification adds up all rows anew.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
import sqlalchemy as sa

from service.store.driver import Prepared, among
from service.store.packed import Unreadable
from service.store.tables import DIGESTS, TABLES
from service.store.vouching import digested

PENDING = "tamis_pending_digests"  # in the connection's own notes, from the begin of a transaction to its end
BYTES = 256
MODULUS = 1 << (8 * BYTES)
ROWS_AT_ONCE = 5_000
Values = tuple[Any, ...]
_WRITTEN: dict[str, Any] = {"columns": sa.bindparam("of"), "rows": sa.bindparam("count"), "digest": sa.bindparam("sum")}
NEW = Prepared(sa.insert(DIGESTS).values(name=sa.bindparam("called"), **_WRITTEN))
CHANGED = Prepared(sa.update(DIGESTS).where(DIGESTS.c.name == sa.bindparam("called")).values(_WRITTEN))
KNOWN = sa.select(DIGESTS.c.name, DIGESTS.c.rows, DIGESTS.c.digest)
KNOWN_OF = Prepared(KNOWN.where(among(DIGESTS.c.name)))


@dataclass(frozen=True, slots=True)
class Digest:
    """The number of rows of a table, and what they add up to."""

    rows: int = 0
    total: int = 0

    def changed(self, rows: int, total: int) -> Digest:
        """Add rows, or take some away."""
        return Digest(self.rows + rows, (self.total + total) % MODULUS)


def begin(connection: sa.Connection) -> None:
    """Start to gather the changes of a transaction."""
    connection.info[PENDING] = {}


def pending(connection: sa.Connection) -> dict[str, Digest]:
    """Give a copy of the changes gathered so far, for a savepoint."""
    return dict(connection.info[PENDING])


def back_to(connection: sa.Connection, former: dict[str, Digest]) -> None:
    """Forget the changes gathered since a savepoint that was rolled back."""
    connection.info[PENDING] = former


def note_rows(
    connection: sa.Connection, table: sa.Table, *, added: Iterable[Values] | Digest = (), removed: Iterable[Values] = ()
) -> None:
    """Note rows that came and rows that went: the values of the digested columns, in their order.

    added: or what they add up to, by `adding`.
    Raises RuntimeError outside of a transaction of the store: its changes would be in no digest.
    """
    if PENDING not in connection.info:
        raise RuntimeError(f"{table.name} is written outside of Store.writing")
    changes: dict[str, Digest] = connection.info[PENDING]
    more, less = added if isinstance(added, Digest) else _sum(table, added), _sum(table, removed)
    before = changes.get(table.name, Digest())
    changes[table.name] = before.changed(more.rows - less.rows, more.total - less.total)


def adding(table: sa.Table, rows: Sequence[Mapping[str, Any]]) -> Digest | None:
    """Return what rows will add to the digest of their table, before the transaction that writes them.

    None where that is not known before: a row does not name all columns, or the table vouches for itself.
    """
    made_of = digested(table)
    if made_of is None:
        return None
    names = set(made_of.names)
    if not all(names <= row.keys() for row in rows):
        return None
    return _sum(table, map(made_of.values, rows))


def write_digests(connection: sa.Connection) -> None:
    """Write the digests of what the transaction changed; the last thing that it does."""
    changes: dict[str, Digest] = connection.info.pop(PENDING, {})
    if not changes:
        return
    known = recorded(connection, list(changes))
    now = {name: known.get(name, Digest()).changed(one.rows, one.total) for name, one in changes.items()}
    _put(connection, now, known)


def recorded(connection: sa.Connection, names: Sequence[str] | None = None) -> dict[str, Digest]:
    """Look up the digests on record: of these tables, or of all."""
    found: Any = connection.execute(KNOWN) if names is None else KNOWN_OF.rows(connection, among=names)
    return {name: Digest(rows, _number(digest)) for name, rows, digest in found}


def counted(connection: sa.Connection, table: sa.Table) -> Digest:
    """Add up all rows of a table."""
    made_of = digested(table)
    if made_of is None:
        raise ValueError(f"{table.name} vouches for itself: it has no digest")
    rows = connection.execute(sa.select(*made_of.selected).execution_options(yield_per=ROWS_AT_ONCE))
    return _sum(table, (tuple(row) for row in rows))


def differing(connection: sa.Connection, names: Collection[str] | None = None) -> Iterator[tuple[str, str]]:
    """Yield by name, in words, each table whose rows are not those that were written, and each digest of no table.

    names: of the tables that are looked at; all of them where none are named.
    """
    digests = connection.execute(sa.select(DIGESTS)).all()
    rows = {row.name: row for row in digests if names is None or row.name in names}
    for table in TABLES.sorted_tables:
        made_of = digested(table)
        if made_of is None or (names is not None and table.name not in names):
            continue
        noted, found = rows.pop(table.name, None), counted(connection, table)
        expected = Digest() if noted is None else Digest(noted.rows, _number(noted.digest))
        if noted is not None and noted.columns != ",".join(made_of.names):
            yield table.name, f"table {table.name}: its digest is of other columns"
        elif found.rows != expected.rows:
            yield table.name, f"table {table.name}: it has {found.rows:,} rows, and {expected.rows:,} were written"
        elif found != expected:
            yield table.name, f"table {table.name}: a row of it was changed"
    for name in sorted(rows):
        yield name, f"table {name}: its row in digests is of no such table"


def renew(connection: sa.Connection) -> list[str]:
    """Make the digests of tables that have none, or one of other columns, after a change of the schema; their names."""
    known = {row.name: row.columns for row in connection.execute(sa.select(DIGESTS))}
    renewed = {}
    for table in TABLES.sorted_tables:
        made_of = digested(table)
        if made_of is not None and known.get(table.name) != ",".join(made_of.names):
            renewed[table.name] = counted(connection, table)
    _put(connection, renewed, known)
    return list(renewed)


def _put(connection: sa.Connection, digests: Mapping[str, Digest], known: Container[str]) -> None:
    """Write digests, over those that are known."""
    rows = [
        {"called": name, "of": _columns(name), "count": now.rows, "sum": now.total.to_bytes(BYTES, "big").hex()}
        for name, now in digests.items()
    ]
    CHANGED.run_many(connection, [row for row in rows if row["called"] in known])
    NEW.run_many(connection, [row for row in rows if row["called"] not in known])


@cache
def _columns(name: str) -> str:
    made_of = digested(TABLES.tables[name])
    return ",".join(made_of.names if made_of else ())


def _sum(table: sa.Table, rows: Iterable[Values]) -> Digest:
    prefix = table.name.encode() + b"\x1f"
    count = total = 0
    for row in rows:
        count += 1
        written = orjson.dumps(row, _in_hex, orjson.OPT_SORT_KEYS)
        total += int.from_bytes(hashlib.shake_256(prefix + written).digest(BYTES), "big")
    return Digest(count, total % MODULUS)


def _in_hex(value: Any) -> str:
    """Write what JSON does not know: bytes, and a content that nobody can read, by its bytes."""
    content: bytes = value.content if isinstance(value, Unreadable) else value
    return content.hex()


def _number(digest: str) -> int:
    """Read a digest; one that is no number is none that any rows add up to."""
    try:
        return int(digest, 16)
    except ValueError:
        return -1
