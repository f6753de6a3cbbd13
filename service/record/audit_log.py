"""The audit log: what was decided and noted, a chain of entries each bound to all before it.

`hash_n = SHA-256(hash_{n-1} ‖ canonical JSON of entry n)`. An entry holds no personal data: of what was decided it
holds a hash with a salt that lies beside the content, so that content and salt can be erased and the chain still holds.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from service.canonical import canonical
from service.store.bulk_rows import insert_many
from service.store.database import Store
from service.store.driver import Prepared
from service.store.tables import CHAIN

START = "0" * 64  # stands before the first entry
FIELDS = ("number", "kind", "subject", "content", "at")
LAST = Prepared(sa.select(CHAIN.c.number, CHAIN.c.hash).order_by(CHAIN.c.number.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be put on the log: a kind of `record_kinds.KINDS`, which one of it, and what vouches for it."""

    kind: str
    subject: str
    content: str


def new_salt() -> str:
    """Draw a salt of 128 bits, hexadecimal: without it nobody can guess a content by its hash."""
    return secrets.token_hex(16)


def salted(salt: str, content: Mapping[str, Any]) -> str:
    """Hash a content with its salt, as an entry holds it."""
    return hashlib.sha256(salt.encode() + b"\x1f" + canonical(content)).hexdigest()


def append(connection: sa.Connection, entries: Sequence[Entry], at: int) -> None:
    """Put entries at the end of the log, in the caller's transaction; `at`: microseconds since 1970.

    The store lets one transaction write at a time, so that nothing can come between the last entry and these.
    """
    if not entries:
        return
    number, before = tail(connection)
    rows = []
    for entry in entries:
        number += 1
        fields = {"number": number, "kind": entry.kind, "subject": entry.subject, "content": entry.content, "at": at}
        before = hash_of(before, fields)
        rows.append({**fields, "hash": before})
    insert_many(connection, CHAIN, rows)


def note(store: Store, kind: str, subject: str, facts: Mapping[str, Any], at: int) -> None:
    """Put on the log what somebody did: all of it in plain words, so nothing personal beside who and why."""
    content = canonical(facts).decode()
    store.write(lambda connection: append(connection, [Entry(kind, f"{subject}@{at}", content)], at))


def tail(connection: sa.Connection) -> tuple[int, str]:
    """Return number and hash of the last entry."""
    last = LAST.rows(connection)
    return (last[0][0], last[0][1]) if last else (0, START)


def hash_of(before: str, entry: Mapping[str, Any]) -> str:
    """Hash an entry (FIELDS) with the hash of the one before it."""
    return hashlib.sha256(before.encode() + canonical({name: entry[name] for name in FIELDS})).hexdigest()


def walked(connection: sa.Connection, after: int = 0) -> Iterable[Mapping[str, Any]]:
    """Yield all entries after a number in order, without holding them all."""
    query = sa.select(CHAIN).where(CHAIN.c.number > after).order_by(CHAIN.c.number).execution_options(yield_per=5_000)
    for row in connection.execute(query).mappings():
        yield dict(row)
