"""People: accounts made by one-time links or vouched for by a provider, log-in, sessions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.words import OF_PEOPLE
from service.access.kept import NAME, Denied, Kept, check, note, rows, sha256
from service.access.principal import Principal
from service.access.tables import ACCOUNTS, INVITATIONS, SESSIONS
from service.records import micros

IDLE, WHOLE = timedelta(minutes=30), timedelta(hours=12)  # a session ends when nobody used it, and in any case
SEEN_EVERY = timedelta(minutes=1)  # the use of a session is noted no more often
INVITED_FOR = timedelta(days=3)
TRIES, LONGEST_WAIT = 5, 900  # log-ins that may fail in a row; seconds to wait at the most
SHORTEST_PASSWORD = 12


class People(Kept):
    """Those who log in. Secrets leave here once, when they are made."""

    def anybody(self) -> bool:
        """Whether there is any account at all."""
        with self.store.reading() as connection:
            return connection.execute(sa.select(ACCOUNTS.c.name).limit(1)).first() is not None

    def invite(self, name: str, role: str, offices: Sequence[str], by: str, now: datetime) -> str:
        """The token of a one-time invitation; raises Denied for what cannot be."""
        if name and not NAME.fullmatch(name):
            raise Denied("name: letters, digits, and . _ @ - within; at most 64")
        check(role, offices, OF_PEOPLE)
        token = secrets.token_urlsafe(32)
        row = {"token": sha256(token), "name": name, "role": role, "offices": list(offices), "made_by": by,
               "expires_at": micros(now + INVITED_FOR), "used": False}  # fmt: skip
        told = {"what": "invited", "whom": name, "role": role, "offices": list(offices), "by": by}
        self.write(sa.insert(INVITATIONS).values(row), told, now)
        return token

    def invitation(self, token: str, now: datetime) -> dict[str, Any] | None:
        """What an invitation is for; None where it is not one, was used, or is over."""
        live = (INVITATIONS.c.token == sha256(token), ~INVITATIONS.c.used, INVITATIONS.c.expires_at > micros(now))
        with self.store.reading() as connection:
            return next(iter(rows(connection, sa.select(INVITATIONS).where(*live))), None)

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
        hashed = self.hasher.hash(password)
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
            note(connection, told, now)

        self.store.write(work)

    def log_in(self, name: str, password: str, purpose: str, now: datetime) -> str:
        """The secret of a new session; raises Denied, in the same words whatever was wrong."""
        with self.store.reading() as connection:
            account = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name)).mappings().first()
        if account is not None and account["waits_until"] > micros(now):
            raise Denied("too many log-ins failed; wait a while")
        right = self.matches(account["password"] if account else self.nobody, password)
        if account is None or not right or not account["active"]:
            if account is not None:
                self._failed(name, now)
            raise Denied("name or password is not right")
        return self._session(name, purpose, now)

    def vouched(self, name: str, role: str, offices: Sequence[str], purpose: str, now: datetime) -> str:
        """A new session of somebody whom the provider vouches for, with the role and offices that it gives him now.

        Raises Denied where the name is that of a local account, or was closed here.
        """
        with self.store.reading() as connection:
            account = next(iter(rows(connection, sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name))), None)
        if account is not None and (account["password"] or not account["active"]):
            raise Denied("the name is that of another account here, or was closed; ask an administrator")
        row = {"name": name, "role": role, "offices": list(offices), "password": "", "failures": 0, "waits_until": 0,
               "active": True, "language": account["language"] if account else "en"}  # fmt: skip
        if account is None:
            self.write(sa.insert(ACCOUNTS).values(row), {"what": "account", "whom": name, "by": "the provider"}, now)
        else:
            changed = sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name).values(role=role, offices=list(offices))
            self.store.write(lambda connection: connection.execute(changed))
        return self._session(name, purpose, now)

    def _session(self, name: str, purpose: str, now: datetime) -> str:
        secret = secrets.token_urlsafe(32)
        session = {"session": sha256(secret), "name": name, "purpose": purpose, "csrf": secrets.token_urlsafe(24),
                   "began_at": micros(now), "seen_at": micros(now)}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            over = sa.or_(SESSIONS.c.seen_at < micros(now - IDLE), SESSIONS.c.began_at < micros(now - WHOLE))
            connection.execute(sa.delete(SESSIONS).where(over))
            forgiven = sa.update(ACCOUNTS).where(ACCOUNTS.c.name == name)
            connection.execute(forgiven.values(failures=0, waits_until=0))
            connection.execute(sa.insert(SESSIONS).values(session))
            note(connection, {"what": "logged in", "whom": name, "purpose": purpose}, now)

        self.store.write(work)
        return secret

    def person(self, secret: str, now: datetime) -> Principal | None:
        """Who has a session; None where it is over, or its account was closed."""
        query = (
            sa.select(SESSIONS, ACCOUNTS.c.role, ACCOUNTS.c.offices)
            .join(ACCOUNTS, ACCOUNTS.c.name == SESSIONS.c.name)
            .where(SESSIONS.c.session == sha256(secret), ACCOUNTS.c.active)
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
        self.write(closed, {"what": "account closed", "whom": name, "by": by}, now)

    def accounts(self) -> list[dict[str, Any]]:
        """All accounts, without secrets."""
        shown = (ACCOUNTS.c.name, ACCOUNTS.c.role, ACCOUNTS.c.offices, ACCOUNTS.c.active)
        with self.store.reading() as connection:
            return rows(connection, sa.select(*shown).order_by(ACCOUNTS.c.name))

    def _failed(self, name: str, now: datetime) -> None:
        """Count a failure, where the count stands: whoever guesses from many sides at once is counted as often."""

        def work(connection: sa.Connection) -> None:
            mine = ACCOUNTS.c.name == name
            failures = connection.execute(sa.select(ACCOUNTS.c.failures).where(mine)).scalar_one() + 1
            wait = min(2 ** (failures - TRIES), LONGEST_WAIT) if failures >= TRIES else 0
            noted = {"failures": failures, "waits_until": micros(now + timedelta(seconds=wait))}
            connection.execute(sa.update(ACCOUNTS).where(mine).values(noted))
            note(connection, {"what": "log-in failed", "whom": name, "in a row": failures}, now)

        self.store.write(work)
