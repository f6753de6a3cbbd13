"""Shared parts of accounts and keys: secrets kept as slow hashes, and every change in the audit log."""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from features.choices import ROLES
from features.fault import Fault
from features.moments import micros
from service.canonical import canonical
from service.record.audit_log import Entry, append
from service.store.database import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")

HASHER = PasswordHasher()
HASHING = threading.BoundedSemaphore(4)  # each takes 64 MB: as many as threads would be gigabytes


class Denied(Fault):
    """A refused log-in, invitation or key; the message is for the user."""


class Kept:
    """Known users and machines, in the store."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def matches(self, hashed: str, secret: str) -> bool:
        """Return true if a secret is the one that was hashed; slow on purpose."""
        try:
            with HASHING:
                return HASHER.verify(hashed, secret)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def hashed(self, secret: str) -> str:
        """Hash a secret; slow on purpose."""
        with HASHING:
            return HASHER.hash(secret)

    def write(self, change: Callable[[sa.Connection], object], entry: Mapping[str, Any], now: datetime) -> None:
        """Make a change and append its audit entry, in one transaction."""

        def work(connection: sa.Connection) -> None:
            change(connection)
            note(connection, entry, now)

        self.store.write(work)


@lru_cache(maxsize=1)
def hash_of_nobody() -> str:
    """Return a hash that stands in for that of an unknown account, so that refusing it takes as long."""
    return HASHER.hash(secrets.token_hex(16))


def rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    """Return the rows of a query as plain dictionaries."""
    return [dict(row) for row in connection.execute(query).mappings()]


def check(role: str, offices: Sequence[str], roles: Sequence[str] = ROLES) -> None:
    """Raise Denied for a role that is not one of these, or for missing offices."""
    if role not in roles:
        raise Denied(f"role: one of {', '.join(roles)}")
    if not offices:
        raise Denied("offices: at least one, or * for every office")


def note(connection: sa.Connection, entry: Mapping[str, Any], now: datetime) -> None:
    """Append an entry on access to the audit log."""
    at = micros(now)
    append(connection, [Entry("access", f"access-{secrets.token_hex(4)}@{at}", canonical(entry).decode())], at)


def sha256(secret: str) -> str:
    """Hash a secret that is long and random, and so needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def same_text(given: str, known: str) -> bool:
    """Return true if two texts are one, in the same time wherever they differ; they may hold any characters at all."""
    return secrets.compare_digest(given.encode("utf-8", "replace"), known.encode("utf-8", "replace"))
