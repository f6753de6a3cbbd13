"""Machines: API keys, shown once, valid for a year at most, two at a time to allow rotation."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.moments import micros
from service.access.credentials import NAME, Denied, Kept, check, note, rows, sha256
from service.access.principal import Principal
from service.store.access_tables import KEYS
from service.store.bulk_rows import insert_many, update_rows
from service.store.database import Store

LIVE_KEYS = 2  # of one machine: the old and the new one during rotation
KEY_DAYS = 365
REMEMBERED = timedelta(minutes=1)  # a verified key is not verified again within it, nor its end noticed
KEY = re.compile(r"tamis_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Machines(Kept):
    """Clients that call with a key."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._verified: dict[str, tuple[float, Principal]] = {}

    def make_key(
        self, name: str, role: str, offices: Sequence[str], purpose: str, by: str, now: datetime, days: int = KEY_DAYS
    ) -> str:
        """Create a key of a machine; a third active one is refused, so that the old one is revoked on rotation."""
        if not NAME.fullmatch(name):
            raise Denied("name: letters, digits, and . _ @ - within; at most 64")
        check(role, offices)
        if not purpose.strip():
            raise Denied("purpose: state why the client reads personal data")
        if not 1 <= days <= KEY_DAYS:
            raise Denied(f"days: 1 to {KEY_DAYS}")
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row = {"key_id": key_id, "secret": self.hashed(secret), "name": name, "role": role,
               "offices": list(offices), "purpose": purpose.strip(), "made_by": by,
               "expires_at": micros(now + timedelta(days=days)), "revoked": False}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            live = sa.select(sa.func.count()).select_from(KEYS).where(KEYS.c.name == name, *_live(now))
            if connection.execute(live).scalar_one() >= LIVE_KEYS:
                raise Denied(f"{LIVE_KEYS} keys of this name are active; revoke one first")
            insert_many(connection, KEYS, [row])
            entry = {"what": "key", "key": key_id, "whom": name, "role": role, "offices": list(offices), "by": by}
            note(connection, entry, now)

        self.store.write(work)
        return f"tamis_{key_id}_{secret}"

    def revoke_key(self, key_id: str, by: str, now: datetime) -> None:
        """Revoke a key; other processes stop accepting it within a minute."""

        def gone(connection: sa.Connection) -> None:
            update_rows(connection, KEYS, {"revoked": True}, KEYS.c.key_id == key_id)

        self.write(gone, {"what": "key revoked", "key": key_id, "by": by}, now)
        self._verified.clear()

    def keys(self, now: datetime) -> list[dict[str, Any]]:
        """Return all active keys, without their secrets."""
        shown = [column for column in KEYS.c if column.name != "secret"]
        with self.store.reading() as connection:
            return rows(connection, sa.select(*shown).where(*_live(now)).order_by(KEYS.c.name))

    def named(self, name: str, now: datetime) -> Principal | None:
        """Return the machine of a name as its key that ends last has it; None where no key of this name is active."""
        query = sa.select(KEYS).where(KEYS.c.name == name, *_live(now)).order_by(KEYS.c.expires_at.desc()).limit(1)
        with self.store.reading() as connection:
            row = connection.execute(query).mappings().first()
        return None if row is None else _principal(row)

    def machine(self, key: str, now: datetime) -> Principal | None:
        """Return the owner of a key; None where unknown or expired. Verified once a minute, as the hash is slow."""
        parts = KEY.fullmatch(key)
        if parts is None:
            return None
        if known := self.remembered(key):
            return known
        at = time.monotonic()
        with self.store.reading() as connection:
            row = connection.execute(sa.select(KEYS).where(KEYS.c.key_id == parts[1], *_live(now))).mappings().first()
        if row is None or not self.matches(row["secret"], parts[2]):  # for an unknown key_id no hash is computed
            return None
        principal = _principal(row)
        self._verified[sha256(key)] = (at, principal)
        return principal

    def remembered(self, key: str) -> Principal | None:
        """Return the owner of a key verified within the last minute: without the store, and so without a thread."""
        known = self._verified.get(sha256(key))
        return known[1] if known and time.monotonic() - known[0] < REMEMBERED.total_seconds() else None


def _principal(row: Any) -> Principal:
    return Principal(row["name"], row["role"], tuple(row["offices"]), row["purpose"])


def _live(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (~KEYS.c.revoked, KEYS.c.expires_at > micros(now))
