"""Accounts, invitations, sessions, keys and the log of reading, over the store."""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from features.fault import Fault
from service.access.principal import ROLES, Principal
from service.access.tables import ACCOUNTS, INVITATIONS, KEYS, READS, SESSIONS
from service.chain import Entry, append
from service.records import micros
from service.scoring.signature import canonical
from service.settings import Settings
from service.store import Store, open_store

IDLE, WHOLE = timedelta(minutes=30), timedelta(hours=12)  # a session ends when nobody used it, and in any case
SEEN_EVERY = timedelta(minutes=1)  # the use of a session is noted no more often
INVITED_FOR = timedelta(days=3)
LIVE_KEYS = 2  # of one machine: the old one and the new one while it changes over
KEY_DAYS = 365
TRIES, LONGEST_WAIT = 5, 900  # log-ins that may fail in a row; seconds to wait at the most
SHORTEST_PASSWORD = 12
REMEMBERED = timedelta(minutes=1)  # a key that was verified is not verified again within it, nor its end noticed
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
KEY = re.compile(r"tamis_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")


class Denied(Fault):
    """A log-in or an invitation that is not accepted; the message is for the person."""


class Access:
    """Who is known here. Secrets leave it once, when they are made."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self._hasher = PasswordHasher()
        self._nobody = self._hasher.hash(secrets.token_hex(16))  # checked where there is no such account: as slow
        self._verified: dict[str, tuple[float, Principal]] = {}

    # people

    def anybody(self) -> bool:
        """Whether there is any account at all."""
        with self.store.reading() as connection:
            return connection.execute(sa.select(ACCOUNTS.c.name).limit(1)).first() is not None

    def invite(self, name: str, role: str, offices: Sequence[str], by: str, now: datetime) -> str:
        """The token of a one-time invitation; raises Denied for what cannot be."""
        if name and not NAME.fullmatch(name):
            raise Denied("name: letters, digits, and . _ @ - within; at most 64")
        _check(role, offices)
        token = secrets.token_urlsafe(32)
        row = {"token": _sha256(token), "name": name, "role": role, "offices": list(offices), "made_by": by,
               "expires_at": micros(now + INVITED_FOR), "used": False}  # fmt: skip
        told = {"what": "invited", "whom": name, "role": role, "offices": list(offices), "by": by}
        self._write(sa.insert(INVITATIONS).values(row), told, now)
        return token

    def invitation(self, token: str, now: datetime) -> dict[str, Any] | None:
        """What an invitation is for; None where it is not one, was used, or is over."""
        live = (INVITATIONS.c.token == _sha256(token), ~INVITATIONS.c.used, INVITATIONS.c.expires_at > micros(now))
        with self.store.reading() as connection:
            return next(iter(_rows(connection, sa.select(INVITATIONS).where(*live))), None)

    def accept(self, token: str, name: str, password: str, language: str, now: datetime) -> None:
        """Make the account that an invitation is for, or give it a new password; raises Denied."""
        invited = self.invitation(token, now)
        if invited is None:
            raise Denied("the invitation was used, or is over; ask for another")
        name = invited["name"] or name
        if not NAME.fullmatch(name):
            raise Denied("name: letters, digits, and . _ @ - within; at most 64")
        if len(password) < SHORTEST_PASSWORD:
            raise Denied(f"password: at least {SHORTEST_PASSWORD} characters")
        hashed = self._hasher.hash(password)
        account = {"name": name, "role": invited["role"], "offices": invited["offices"], "language": language,
                   "password": hashed, "failures": 0, "waits_until": 0, "active": True}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            there = connection.execute(sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.name == name)).first()
            if there and not invited["name"]:
                raise Denied("name: there is an account of this name")
            once = sa.update(INVITATIONS).where(INVITATIONS.c.token == invited["token"], ~INVITATIONS.c.used)
            if connection.execute(once.values(used=True)).rowcount != 1:
                raise Denied("the invitation was used, or is over; ask for another")
            connection.execute(sa.delete(ACCOUNTS).where(ACCOUNTS.c.name == name))
            connection.execute(sa.delete(SESSIONS).where(SESSIONS.c.name == name))
            connection.execute(sa.insert(ACCOUNTS).values(account))
            told = {"what": "account", "whom": name, "role": account["role"], "by": invited["made_by"]}
            _note(connection, told, now)

        self.store.write(work)

    def log_in(self, name: str, password: str, purpose: str, now: datetime) -> str:
        """The secret of a new session; raises Denied, in the same words whatever was wrong."""
        with self.store.reading() as connection:
            account = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name)).mappings().first()
        if account is not None and account["waits_until"] > micros(now):
            raise Denied("too many log-ins failed; wait a while")
        right = self._is(account["password"] if account else self._nobody, password)
        if account is None or not right or not account["active"]:
            if account is not None:
                self._failed(name, account["failures"] + 1, now)
            raise Denied("name or password is not right")
        return self._session(name, purpose, now)

    def vouched(self, name: str, role: str, offices: Sequence[str], purpose: str, now: datetime) -> str:
        """A new session of somebody whom the provider vouches for, with the role and offices that it gives him now.

        Raises Denied where the name is that of a local account, or was closed here.
        """
        with self.store.reading() as connection:
            account = next(iter(_rows(connection, sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name))), None)
        if account is not None and (account["password"] or not account["active"]):
            raise Denied("the name is that of another account here, or was closed; ask an administrator")
        row = {"name": name, "role": role, "offices": list(offices), "password": "", "failures": 0, "waits_until": 0,
               "active": True, "language": account["language"] if account else "en"}  # fmt: skip
        if account is None:
            self._write(sa.insert(ACCOUNTS).values(row), {"what": "account", "whom": name, "by": "the provider"}, now)
        else:
            changed = sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(role=role, offices=list(offices))
            self.store.write(lambda connection: connection.execute(changed))
        return self._session(name, purpose, now)

    def _session(self, name: str, purpose: str, now: datetime) -> str:
        secret = secrets.token_urlsafe(32)
        session = {"session": _sha256(secret), "name": name, "purpose": purpose, "csrf": secrets.token_urlsafe(24),
                   "began_at": micros(now), "seen_at": micros(now)}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            over = sa.or_(SESSIONS.c.seen_at < micros(now - IDLE), SESSIONS.c.began_at < micros(now - WHOLE))
            connection.execute(sa.delete(SESSIONS).where(over))
            forgiven = sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name)
            connection.execute(forgiven.values(failures=0, waits_until=0))
            connection.execute(sa.insert(SESSIONS).values(session))
            _note(connection, {"what": "logged in", "whom": name, "purpose": purpose}, now)

        self.store.write(work)
        return secret

    def person(self, secret: str, now: datetime) -> Principal | None:
        """Who has a session; None where it is over, or its account was closed."""
        query = (
            sa.select(SESSIONS, ACCOUNTS.c.role, ACCOUNTS.c.offices)
            .join(ACCOUNTS, ACCOUNTS.c.name == SESSIONS.c.name)
            .where(SESSIONS.c.session == _sha256(secret), ACCOUNTS.c.active)
            .where(SESSIONS.c.seen_at >= micros(now - IDLE), SESSIONS.c.began_at >= micros(now - WHOLE))
        )
        with self.store.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        if row["seen_at"] < micros(now - SEEN_EVERY):
            used = sa.update(SESSIONS).where(SESSIONS.c.session == row["session"]).values(seen_at=micros(now))
            self.store.write(lambda connection: connection.execute(used))
        return Principal(row["name"], row["role"], tuple(row["offices"]), row["purpose"], row["session"], row["csrf"])

    def language_of(self, name: str) -> str:
        """The language that a person reads."""
        with self.store.reading() as connection:
            return str(connection.execute(sa.select(ACCOUNTS.c.language).where(ACCOUNTS.c.name == name)).scalar_one())

    def speak(self, name: str, language: str) -> None:
        """Let a person read another language from now on."""
        chosen = sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(language=language)
        self.store.write(lambda connection: connection.execute(chosen))

    def log_out(self, session: str) -> None:
        """End a session."""
        gone = sa.delete(SESSIONS).where(SESSIONS.c.session == session)
        self.store.write(lambda connection: connection.execute(gone))

    def close_account(self, name: str, by: str, now: datetime) -> None:
        """Let nobody log in by an account any more; raises Denied for one's own."""
        if name == by:
            raise Denied("nobody closes his own account; ask another administrator")
        closed = sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(active=False)
        self._write(closed, {"what": "account closed", "whom": name, "by": by}, now)

    def accounts(self) -> list[dict[str, Any]]:
        """All accounts, without secrets."""
        shown = (ACCOUNTS.c.name, ACCOUNTS.c.role, ACCOUNTS.c.offices, ACCOUNTS.c.active)
        with self.store.reading() as connection:
            return _rows(connection, sa.select(*shown).order_by(ACCOUNTS.c.name))

    # machines

    def make_key(
        self, name: str, role: str, offices: Sequence[str], purpose: str, by: str, now: datetime, days: int = KEY_DAYS
    ) -> str:
        """A new key of a machine; a third live one is refused, so that the oldest is revoked when it is replaced."""
        if not NAME.fullmatch(name):
            raise Denied("name: letters, digits, and . _ @ - within; at most 64")
        _check(role, offices)
        if not purpose.strip():
            raise Denied("purpose: say what the machine reads personal data for")
        if not 1 <= days <= KEY_DAYS:
            raise Denied(f"days: 1 to {KEY_DAYS}")
        key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
        row = {"key_id": key_id, "secret": self._hasher.hash(secret), "name": name, "role": role,
               "offices": list(offices), "purpose": purpose.strip(), "made_by": by,
               "expires_at": micros(now + timedelta(days=days)), "revoked": False}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            live = sa.select(sa.func.count()).select_from(KEYS).where(KEYS.c.name == name, *_live(now))
            if connection.execute(live).scalar_one() >= LIVE_KEYS:
                raise Denied(f"{LIVE_KEYS} keys of this name are live; revoke one first")
            connection.execute(sa.insert(KEYS).values(row))
            told = {"what": "key", "key": key_id, "whom": name, "role": role, "offices": list(offices), "by": by}
            _note(connection, told, now)

        self.store.write(work)
        return f"tamis_{key_id}_{secret}"

    def revoke_key(self, key_id: str, by: str, now: datetime) -> None:
        """End a key; other processes stop taking it within a minute."""
        gone = sa.update(KEYS).where(KEYS.c.key_id == key_id).values(revoked=True)
        self._write(gone, {"what": "key revoked", "key": key_id, "by": by}, now)
        self._verified.clear()

    def keys(self, now: datetime) -> list[dict[str, Any]]:
        """All keys that are live, without their secrets."""
        shown = [column for column in KEYS.c if column.name != "secret"]
        with self.store.reading() as connection:
            return _rows(connection, sa.select(*shown).where(*_live(now)).order_by(KEYS.c.name))

    def machine(self, key: str, now: datetime) -> Principal | None:
        """Whose key it is; None where it is nobody's, or over. Verified once a minute: a hash is slow on purpose."""
        told = KEY.fullmatch(key)
        if told is None:
            return None
        known, at = self._verified.get(_sha256(key)), time.monotonic()
        if known and at - known[0] < REMEMBERED.total_seconds():
            return known[1]
        with self.store.reading() as connection:
            row = connection.execute(sa.select(KEYS).where(KEYS.c.key_id == told[1], *_live(now))).mappings().first()
        if not self._is(row["secret"] if row else self._nobody, told[2]) or row is None:
            return None
        principal = Principal(row["name"], row["role"], tuple(row["offices"]), row["purpose"])
        self._verified[_sha256(key)] = (at, principal)
        return principal

    # reading

    def note_read(self, principal: Principal, route: str, subject: str, now: datetime) -> None:
        """Log that personal data was read; without the log nothing is shown."""
        row = {"at": micros(now), "who": principal.name, "role": principal.role, "purpose": principal.purpose,
               "route": route, "subject": subject[:200]}  # fmt: skip
        self.store.write(lambda connection: connection.execute(sa.insert(READS).values(row)))

    def reads(self, at_most: int = 100) -> list[dict[str, Any]]:
        """The latest reads of personal data."""
        query = sa.select(READS).order_by(READS.c.read_id.desc()).limit(at_most)
        with self.store.reading() as connection:
            return _rows(connection, query)

    def _failed(self, name: str, failures: int, now: datetime) -> None:
        wait = min(2 ** max(0, failures - TRIES), LONGEST_WAIT) if failures >= TRIES else 0
        noted = {"failures": failures, "waits_until": micros(now + timedelta(seconds=wait))}
        told = {"what": "log-in failed", "whom": name, "in a row": failures}
        self._write(sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(noted), told, now)

    def _is(self, hashed: str, secret: str) -> bool:
        try:
            return self._hasher.verify(hashed, secret)
        except (VerifyMismatchError, InvalidHashError):
            return False

    def _write(self, statement: sa.Executable, told: Mapping[str, Any], now: datetime) -> None:
        def work(connection: sa.Connection) -> None:
            connection.execute(statement)
            _note(connection, told, now)

        self.store.write(work)


def open_access(settings: Settings) -> Access:
    """Access to an installation from a command."""
    return Access(open_store(settings))


def _rows(connection: sa.Connection, query: sa.Select[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in connection.execute(query).mappings()]


def _check(role: str, offices: Sequence[str]) -> None:
    if role not in ROLES:
        raise Denied(f"role: one of {', '.join(ROLES)}")
    if not offices:
        raise Denied("offices: at least one, or * for every office")


def _live(now: datetime) -> tuple[sa.ColumnElement[bool], ...]:
    return (~KEYS.c.revoked, KEYS.c.expires_at > micros(now))


def _note(connection: sa.Connection, told: Mapping[str, Any], now: datetime) -> None:
    """Put it on the audit chain: who was let in, by whom."""
    at = micros(now)
    append(connection, [Entry("access", f"access-{secrets.token_hex(4)}@{at}", canonical(told).decode())], at)


def _sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def now_utc() -> datetime:
    """The clock of access."""
    return datetime.now(UTC)
