"""People: accounts created by one-time links or by an identity provider, log-in, sessions."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.moments import micros
from service.access.credentials import Denied, hash_of_nobody, note, rows, sha256
from service.access.invitations import SET_UP, Invitations, any_account, check_name, void
from service.access.log_in_backoff import caller_of, count_failure, forgive, must_wait
from service.access.principal import Principal
from service.store.access_tables import ACCOUNTS, INVITATIONS, LIST_VIEWS, SESSIONS
from service.store.bulk_rows import delete_rows, insert_many, update_rows, upsert_many

IDLE, WHOLE = timedelta(minutes=30), timedelta(hours=12)  # a session ends after this time unused, and in any case
SEEN_EVERY = timedelta(minutes=1)  # the use of a session is recorded no more often
SHORTEST_PASSWORD = 12
UNCOUNTED = {"failures": 0, "waits_until": 0}  # columns of earlier schemas: failures are counted by address and name
USED = "the invitation has been used or replaced, or has expired; ask for another"


class People(Invitations):
    """Users who log in. Secrets are returned once, when they are created."""

    def accept(self, token: str, name: str, password: str, language: str, now: datetime) -> None:
        """Create the account of an invitation, or give it a new password; raises Denied."""
        invited = self.invitation(token, now)
        if invited is None:
            raise Denied(USED)
        name = invited["name"] or name
        check_name(name)
        if len(password) < SHORTEST_PASSWORD:
            raise Denied(f"password: at least {SHORTEST_PASSWORD} characters")
        hashed = self.hashed(password)
        account = {"name": name, "role": invited["role"], "offices": invited["offices"], "language": language,
                   "password": hashed, **UNCOUNTED, "active": True, "made_by": invited["made_by"]}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            existing = connection.execute(sa.select(ACCOUNTS.c.name).where(ACCOUNTS.c.name == name)).first()
            if existing and not invited["name"]:
                raise Denied("name: an account with this name exists")
            if invited["made_by"] == SET_UP and any_account(connection):
                raise Denied(USED)
            once = (INVITATIONS.c.token == invited["token"], ~INVITATIONS.c.used)
            if update_rows(connection, INVITATIONS, {"used": True}, *once) != 1:
                raise Denied(USED)
            delete_rows(connection, SESSIONS, SESSIONS.c.name == name)
            upsert_many(connection, ACCOUNTS, [account])
            void(connection, INVITATIONS.c.made_by == SET_UP)  # the first account ends the set-up
            entry = {"what": "account", "whom": name, "role": account["role"], "by": invited["made_by"]}
            note(connection, entry, now)

        self.store.write(work)

    def log_in(self, name: str, password: str, purpose: str, now: datetime, address: str = "") -> str:
        """Return the secret of a new session; raises Denied, in the same words and time whichever names exist.

        address: of the caller; failures are counted by it and the name together.
        """
        caller, unknown = caller_of(address, name), hash_of_nobody()  # made by the first log-in, whoever it is of
        with self.store.reading() as connection:
            account = connection.execute(sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name)).mappings().first()
            waits = must_wait(connection, caller, now)
        if waits:
            raise Denied("too many failed log-ins from here; wait a few minutes")
        hashed = account["password"] if account else ""  # empty too for whom the provider lets in
        right = self.matches(hashed or unknown, password)
        if account is None or not hashed or not right or not account["active"]:
            self._failed(caller, name if account else "", now)
            raise Denied("wrong name or password")
        return self._session(name, purpose, now, caller)

    def vouched(self, name: str, role: str, offices: Sequence[str], purpose: str, now: datetime) -> str:
        """Return the secret of a new session for a user of the provider, with the current role and offices.

        Raises Denied where the name belongs to a local account, or was closed.
        """
        with self.store.reading() as connection:
            account = next(iter(rows(connection, sa.select(ACCOUNTS).where(ACCOUNTS.c.name == name))), None)
        if account is not None and (account["password"] or not account["active"]):
            raise Denied("this name belongs to a local or closed account; ask an administrator")
        row = {"name": name, "role": role, "offices": list(offices), "password": "", **UNCOUNTED, "active": True,
               "language": account["language"] if account else "en", "made_by": None}  # fmt: skip
        if account is None:
            entry = {"what": "account", "whom": name, "by": "the provider"}
            self.write(lambda connection: insert_many(connection, ACCOUNTS, [row]), entry, now)
        else:
            self._change(name, {"role": role, "offices": list(offices)})
        return self._session(name, purpose, now)

    def _session(self, name: str, purpose: str, now: datetime, caller: str = "") -> str:
        secret = secrets.token_urlsafe(32)
        session = {"session": sha256(secret), "name": name, "purpose": purpose, "csrf": secrets.token_urlsafe(24),
                   "began_at": micros(now), "seen_at": micros(now)}  # fmt: skip

        def work(connection: sa.Connection) -> None:
            over = sa.or_(SESSIONS.c.seen_at < micros(now - IDLE), SESSIONS.c.began_at < micros(now - WHOLE))
            delete_rows(connection, SESSIONS, over)
            forgive(connection, caller)
            insert_many(connection, SESSIONS, [session])
            note(connection, {"what": "logged in", "whom": name, "purpose": purpose}, now)

        self.store.write(work)
        return secret

    def person(self, secret: str, now: datetime) -> Principal | None:
        """Return the user of a session, whose use is not noted here; None where it or its account has ended."""
        query = (
            sa.select(SESSIONS, ACCOUNTS.c.role, ACCOUNTS.c.offices, ACCOUNTS.c.language)
            .join(ACCOUNTS, ACCOUNTS.c.name == SESSIONS.c.name)
            .where(SESSIONS.c.session == sha256(secret), ACCOUNTS.c.active)
            .where(SESSIONS.c.seen_at >= micros(now - IDLE), SESSIONS.c.began_at >= micros(now - WHOLE))
        )
        with self.store.reading() as connection:
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        return Principal(
            row["name"], row["role"], tuple(row["offices"]), row["purpose"], row["session"], row["csrf"],
            row["language"], idle=row["seen_at"] < micros(now - SEEN_EVERY),
        )  # fmt: skip

    def speak(self, name: str, language: str) -> None:
        """Change the language of a user."""
        self._change(name, {"language": language})

    def log_out(self, session: str) -> None:
        """End a session."""
        self.store.write(lambda connection: delete_rows(connection, SESSIONS, SESSIONS.c.session == session))

    def close_account(self, name: str, by: str, now: datetime) -> None:
        """Close an account, and the links for it and by it; raises Denied for one's own."""
        if name == by:
            raise Denied("you cannot close your own account; ask another administrator")

        def work(connection: sa.Connection) -> None:
            update_rows(connection, ACCOUNTS, {"active": False}, ACCOUNTS.c.name == name)
            delete_rows(connection, LIST_VIEWS, LIST_VIEWS.c.name == name)
            void(connection, (INVITATIONS.c.name == name) | (INVITATIONS.c.made_by == name))
            note(connection, {"what": "account closed", "whom": name, "by": by}, now)

        self.store.write(work)

    def accounts(self) -> list[dict[str, Any]]:
        """Return all accounts, without secrets."""
        shown = (ACCOUNTS.c.name, ACCOUNTS.c.role, ACCOUNTS.c.offices, ACCOUNTS.c.active)
        with self.store.reading() as connection:
            return rows(connection, sa.select(*shown).order_by(ACCOUNTS.c.name))

    def _change(self, name: str, values: dict[str, Any]) -> None:
        """Change columns of an account."""
        self.store.write(lambda connection: update_rows(connection, ACCOUNTS, values, ACCOUNTS.c.name == name))

    def _failed(self, caller: str, name: str, now: datetime) -> None:
        """Count a failed log-in and put it on the audit log; without a name where no account has it."""

        def work(connection: sa.Connection) -> None:
            failures = count_failure(connection, caller, now)
            note(connection, {"what": "log-in failed", "whom": name, "in a row": failures}, now)

        self.store.write(work)
