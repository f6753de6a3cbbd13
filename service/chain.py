"""The audit chain: what was decided and noted, each entry bound to all before it.

`hash_n = SHA-256(hash_{n-1} ‖ canonical JSON of entry n)`. An entry holds no personal data: of what was decided it
holds a hash with a salt that lies beside the content, so that content and salt can be erased and the chain still holds.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from service.bulk import insert_many
from service.scoring.signature import canonical
from service.store import Store
from service.tables import CHAIN

Kind = Literal[
    "decision",
    "outcome",
    "erasure",
    "promotion",
    "rollback",
    "revocation",
    "list",
    "judgement",
    "retention",
    "case",
    "access",
    "override",
    "proposal",
    "registry",
    "export",
]
START = "0" * 64  # stands before the first entry
FIELDS = ("number", "kind", "subject", "content", "at")


@dataclass(frozen=True, slots=True)
class Entry:
    """Something to be put on the chain: what kind, which one, and the salted hash of its content."""

    kind: Kind
    subject: str
    content: str


def new_salt() -> str:
    """A salt of 128 bits, hexadecimal: without it nobody can guess a content by its hash."""
    return secrets.token_hex(16)


def salted(salt: str, content: Mapping[str, Any]) -> str:
    """The hash that an entry holds of a content."""
    return hashlib.sha256(salt.encode() + b"\x1f" + canonical(content)).hexdigest()


def append(connection: sa.Connection, entries: Sequence[Entry], at: int) -> None:
    """Put entries at the end of the chain, in the caller's transaction; `at`: microseconds since 1970.

    The store lets one transaction write at a time, so that nothing can come between the last entry and these.
    """
    if not entries:
        return
    number, before = tail(connection)
    rows = []
    for entry in entries:
        number += 1
        told = {"number": number, "kind": entry.kind, "subject": entry.subject, "content": entry.content, "at": at}
        before = hash_of(before, told)
        rows.append({**told, "hash": before})
    insert_many(connection, CHAIN, rows)


def note(store: Store, kind: Kind, subject: str, told: Mapping[str, Any], at: int) -> None:
    """Put on the chain what somebody did: all of it in plain words, so nothing personal beside who and why."""
    content = canonical(told).decode()
    store.write(lambda connection: append(connection, [Entry(kind, f"{subject}@{at}", content)], at))


def tail(connection: sa.Connection) -> tuple[int, str]:
    """Number and hash of the last entry."""
    last = connection.execute(sa.select(CHAIN.c.number, CHAIN.c.hash).order_by(CHAIN.c.number.desc()).limit(1)).first()
    return (last.number, last.hash) if last else (0, START)


def hash_of(before: str, told: Mapping[str, Any]) -> str:
    """The hash of an entry (FIELDS) that follows another."""
    return hashlib.sha256(before.encode() + canonical({name: told[name] for name in FIELDS})).hexdigest()


def walked(connection: sa.Connection) -> Iterable[Mapping[str, Any]]:
    """All entries in order, without holding them all."""
    query = sa.select(CHAIN).order_by(CHAIN.c.number).execution_options(yield_per=5_000)
    for row in connection.execute(query).mappings():
        yield dict(row)
