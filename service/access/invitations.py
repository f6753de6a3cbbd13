"""One-time links: by which an account is created by its owner, or gets a new password; each dies with the next one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.choices import OF_PEOPLE
from features.moments import micros
from service.access.credentials import NAME, Denied, Kept, check, note, rows, sha256
from service.store.access_tables import ACCOUNTS, INVITATIONS
from service.store.bulk_rows import insert_many, update_rows

INVITED_FOR = timedelta(days=3)
SET_UP = "set-up"  # who invites the first administrator; nobody may be called that
BAD_NAME = "name: letters, digits, and . _ @ - within; at most 64"


class Invitations(Kept):
    """Links that are good once. Their secret is returned once, when they are created."""

    def has_accounts(self) -> bool:
        """Return true if there is any account."""
        with self.store.reading() as connection:
            return any_account(connection)

    def invite(self, name: str, role: str, offices: Sequence[str], by: str, now: datetime) -> str:
        """Create a one-time invitation and return its token; raises Denied for invalid input.

        Earlier links for the same name die. A set-up link, by SET_UP, can be made as long as there is no account.
        """
        if name:
            check_name(name)
        check(role, offices, OF_PEOPLE)
        token = secrets.token_urlsafe(32)
        row = {"token": sha256(token), "name": name, "role": role, "offices": list(offices), "made_by": by,
               "expires_at": micros(now + INVITED_FOR), "used": False}  # fmt: skip
        entry = {"what": "invited", "whom": name, "role": role, "offices": list(offices), "by": by}

        def work(connection: sa.Connection) -> None:
            if by == SET_UP:
                if any_account(connection):
                    raise Denied("there are accounts already: an administrator invites, or `tamis invite --by NAME`")
                void(connection, INVITATIONS.c.made_by == SET_UP)
            if name:
                void(connection, INVITATIONS.c.name == name)
            insert_many(connection, INVITATIONS, [row])
            note(connection, entry, now)

        self.store.write(work)
        return token

    def invitation(self, token: str, now: datetime) -> dict[str, Any] | None:
        """Return an invitation; None where it does not exist, was used or replaced, or has expired."""
        live = (INVITATIONS.c.token == sha256(token), ~INVITATIONS.c.used, INVITATIONS.c.expires_at > micros(now))
        with self.store.reading() as connection:
            return next(iter(rows(connection, sa.select(INVITATIONS).where(*live))), None)


def check_name(name: str) -> None:
    """Raise Denied for a name that no account can have."""
    if not NAME.fullmatch(name):
        raise Denied(BAD_NAME)
    if name == SET_UP:
        raise Denied("name: this one is kept for the set-up; choose another")


def any_account(connection: sa.Connection) -> bool:
    """Return true if there is any account."""
    return connection.execute(sa.select(ACCOUNTS.c.name).limit(1)).first() is not None


def void(connection: sa.Connection, which: sa.ColumnElement[bool]) -> None:
    """Let links be good no more."""
    update_rows(connection, INVITATIONS, {"used": True}, which, ~INVITATIONS.c.used)
