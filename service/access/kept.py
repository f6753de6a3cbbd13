"""What accounts and keys have in common: secrets kept as slow hashes, and every change of them on the audit chain."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from features.fault import Fault
from features.words import ROLES
from service.chain import Entry, append
from service.records import micros
from service.scoring.signature import canonical
from service.store import Store

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")


class Denied(Fault):
    """A log-in, an invitation or a key that cannot be; the message is for the person."""


class Kept:
    """Whoever is known, in the store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.hasher = PasswordHasher()
        self.nobody = self.hasher.hash(secrets.token_hex(16))  # checked where there is no such account: as slow

    def matches(self, hashed: str, secret: str) -> bool:
        """Whether a secret is the one that was hashed; slow on purpose."""
        try:
            return self.hasher.verify(hashed, secret)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def write(self, statement: sa.Executable, told: Mapping[str, Any], now: datetime) -> None:
        """Change something, and put on the chain what was changed, in one transaction."""

        def work(connection: sa.Connection) -> None:
            connection.execute(statement)
            note(connection, told, now)

        self.store.write(work)


def rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    """What a query finds, as plain dictionaries."""
    return [dict(row) for row in connection.execute(query).mappings()]


def check(role: str, offices: Sequence[str], roles: Sequence[str] = ROLES) -> None:
    """Raise Denied for a role that is none of these, or offices that nobody can have."""
    if role not in roles:
        raise Denied(f"role: one of {', '.join(roles)}")
    if not offices:
        raise Denied("offices: at least one, or * for every office")


def note(connection: sa.Connection, told: Mapping[str, Any], now: datetime) -> None:
    """Put it on the audit chain: who was let in, by whom."""
    at = micros(now)
    append(connection, [Entry("access", f"access-{secrets.token_hex(4)}@{at}", canonical(told).decode())], at)


def sha256(secret: str) -> str:
    """A secret that is long and random needs no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()
