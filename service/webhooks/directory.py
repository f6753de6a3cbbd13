"""Where changes are sent: webhooks made, looked at, given another secret, ended; what a receiver would not take."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa

from features.fault import Fault
from features.moments import micros
from service.access.credentials import note, rows
from service.access.directory import Access
from service.store.bulk_rows import insert_many, update_rows
from service.store.database import Store
from service.store.tables import CHAIN
from service.store.webhook_tables import UNDELIVERED, WEBHOOKS
from service.webhooks.signature import check_url, secret_of

# of a webhook to whom nothing was sent in vain since the last message that was taken
FRESH = {"tried_to": None, "failures": 0, "failing_since": None, "fault": "", "next_at": 0, "claimed_until": 0}
OVERLAP = timedelta(days=1)  # for which a secret that was replaced signs beside the new one
AT_MOST = 20  # webhooks: each is a connection of its own


@dataclass(frozen=True, slots=True)
class NewWebhook:
    """A webhook as it was made: its identifier, and the secret by which its receiver verifies what comes."""

    webhook_id: str
    secret: str


class Webhooks:
    """The webhooks of an installation; each change is on the audit log."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self.store: Store = access.store

    def make(
        self, url: str, key_name: str, by: str, now: datetime, *, every: bool = False, since: int | None = None
    ) -> NewWebhook:
        """Send what comes to count from now on to a receiver, as far as the machine of that name sees it.

        every: first decisions too. since: the place on the audit log to begin at. Raises Fault for an address that
        cannot be, a name without a key, and one webhook too many.
        """
        check_url(url)
        if self.access.named(key_name, now) is None:
            raise Fault("key: no active key has this name; see `tamis keys list`")
        webhook_id = f"hook-{secrets.token_hex(6)}"

        def work(connection: sa.Connection) -> None:
            if len(rows(connection, sa.select(WEBHOOKS.c.webhook_id).where(~WEBHOOKS.c.ended))) >= AT_MOST:
                raise Fault(f"{AT_MOST} webhooks are active: end one first (`tamis webhooks end`)")
            last = connection.execute(sa.select(sa.func.max(CHAIN.c.number))).scalar() or 0
            if since is not None and not 0 <= since <= last:
                raise Fault(f"since: a place on the audit log, 0 to {last}")
            row = {"webhook_id": webhook_id, "url": url, "key_name": key_name, "every": every, "made_by": by,
                   "made_at": micros(now), "place": last if since is None else since, "generation": 1,
                   "former_until": None, **FRESH, "ended": False}  # fmt: skip
            insert_many(connection, WEBHOOKS, [row])
            note(connection, {"what": "webhook", "webhook": webhook_id, "key": key_name, "url": url, "by": by}, now)

        self.store.write(work)
        return NewWebhook(webhook_id, secret_of(self.store.pseudonyms, webhook_id, 1))

    def active(self) -> list[dict[str, Any]]:
        """Return the webhooks that are sent to, as their table has them."""
        with self.store.reading() as connection:
            return rows(connection, sa.select(WEBHOOKS).where(~WEBHOOKS.c.ended).order_by(WEBHOOKS.c.made_at))

    def replace_secret(self, webhook_id: str, by: str, now: datetime) -> str:
        """Return a new secret; the former one signs beside it for a day. Raises Fault for no active webhook."""
        webhook = self._one(webhook_id)
        generation = webhook["generation"] + 1
        change = {"generation": generation, "former_until": micros(now + OVERLAP)}
        self._change(webhook_id, change, {"what": "webhook's secret", "webhook": webhook_id, "by": by}, now)
        return secret_of(self.store.pseudonyms, webhook_id, generation)

    def end(self, webhook_id: str, by: str, now: datetime) -> None:
        """Send nothing to it any more; raises Fault where there is no such webhook."""
        self._one(webhook_id)
        self._change(webhook_id, {"ended": True}, {"what": "webhook ended", "webhook": webhook_id, "by": by}, now)

    def try_now(self, webhook_id: str, by: str, now: datetime) -> None:
        """Let a webhook that fails be tried at once; raises Fault where there is no such webhook."""
        self._one(webhook_id)
        self._change(webhook_id, {"next_at": 0}, {"what": "webhook tried", "webhook": webhook_id, "by": by}, now)

    def undelivered(self, webhook_id: str | None = None) -> list[dict[str, Any]]:
        """Return what receivers would not take and did not get since: by webhook, the part of the log, and why."""
        query = sa.select(UNDELIVERED).where(~UNDELIVERED.c.delivered).order_by(UNDELIVERED.c.undelivered_id)
        if webhook_id is not None:
            query = query.where(UNDELIVERED.c.webhook_id == webhook_id)
        with self.store.reading() as connection:
            return rows(connection, query)

    def _one(self, webhook_id: str) -> Mapping[str, Any]:
        found = [webhook for webhook in self.active() if webhook["webhook_id"] == webhook_id]
        if not found:
            raise Fault("no such webhook is active; see `tamis webhooks list`")
        return found[0]

    def _change(self, webhook_id: str, values: Mapping[str, Any], entry: Mapping[str, Any], now: datetime) -> None:
        def work(connection: sa.Connection) -> None:
            update_rows(connection, WEBHOOKS, values, WEBHOOKS.c.webhook_id == webhook_id)
            note(connection, entry, now)

        self.store.write(work)


def failing(connection: sa.Connection) -> Sequence[tuple[str, int]]:
    """Return the webhooks whose last try failed, and since when (microseconds since 1970)."""
    query = sa.select(WEBHOOKS.c.webhook_id, WEBHOOKS.c.failing_since)
    found = connection.execute(query.where(~WEBHOOKS.c.ended, WEBHOOKS.c.failing_since.is_not(None)))
    return [(webhook_id, since) for webhook_id, since in found]
