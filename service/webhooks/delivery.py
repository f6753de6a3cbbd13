"""What came to count, sent to its receivers: in the order of the audit log, tried again until it is taken.

A message holds the changes of a part of the log, as `GET /v1/decisions?since=` gives them. The next part is sent once
this one is taken, so that whatever ends between, nothing is lost and nothing overtakes; a message whose answer was lost
comes again, and `at_entry` of a change tells that it was there before. A receiver that does not answer, or answers with
a fault of its own (5xx, 408, 425, 429), is waited for however long that takes. What it refuses (another 4xx) is tried a
few times, then noted as undelivered, and the next part goes. A broker has taken a message once it has confirmed it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import orjson
import sqlalchemy as sa
import structlog

from features.moments import iso, micros
from service.access.directory import Access
from service.access.redaction import shown_to
from service.calls.decision_changes import changes_since, comes_before
from service.runtime.installed_version import installed_version
from service.store.bulk_rows import insert_row, update_rows
from service.store.database import Store
from service.store.webhook_tables import UNDELIVERED, WEBHOOKS
from service.webhooks.broker import Broker, is_broker
from service.webhooks.directory import FRESH
from service.webhooks.signature import secret_of, signed_headers

LOG = structlog.get_logger("tamis.webhooks")
CHANGES = 100  # in one message
MESSAGES = 50  # of one webhook, before the next one has its turn
SECONDS = 10.0  # for a receiver to answer
CLAIMED = timedelta(minutes=1)  # a process that sends is believed to live so long since its last message
FIRST_WAIT, LONGEST_WAIT = 5.0, 3_600.0  # seconds between two tries; each is twice the one before
REFUSED_TRIES = 5  # of a message that a receiver refuses
PATIENT = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS)
Webhook = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a message: whether it was taken or refused for good, why not, and how long to wait if asked to."""

    taken: bool
    refused: bool = False
    fault: str = ""
    wait: float | None = None


class Sender:
    """Sends what webhooks wait for; several processes may run one each."""

    def __init__(
        self,
        access: Access,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        credentials: Path | None = None,
    ) -> None:
        """credentials: file with `user:password` for brokers."""
        self.access, self.clock, self._broker = access, clock, Broker(credentials)
        self.store: Store = access.store
        self._client: httpx.Client | None = None

    def send_due(self) -> int:
        """Send to every webhook whose time has come; return the number of messages taken."""
        try:
            return sum(self._send_to(webhook_id) for webhook_id in self._due())
        finally:
            self._broker.close()

    def send_again(self, undelivered: Mapping[str, Any]) -> Outcome:
        """Send a part of the log that was not taken once more, as it counts now."""
        with self.store.reading() as connection:
            webhook = _row(connection, undelivered["webhook_id"])
        since, taken = undelivered["since"], Outcome(True)
        while taken.taken and comes_before(since, undelivered["until"]):
            changes, since_next = self._changes(webhook, since, undelivered["until"])
            taken = self._post(webhook, since, since_next, changes) if changes else taken
            since = since_next
        if taken.taken:
            this = UNDELIVERED.c.undelivered_id == undelivered["undelivered_id"]
            self.store.write(lambda connection: update_rows(connection, UNDELIVERED, {"delivered": True}, this))
        return taken

    def close(self) -> None:
        """Give the connections to receivers back."""
        self._broker.close()
        if self._client is not None:
            self._client.close()

    def _due(self) -> list[str]:
        now = micros(self.clock())
        wanted = (~WEBHOOKS.c.ended, WEBHOOKS.c.next_at <= now, WEBHOOKS.c.claimed_until <= now)
        with self.store.reading() as connection:
            return list(connection.execute(sa.select(WEBHOOKS.c.webhook_id).where(*wanted)).scalars())

    def _send_to(self, webhook_id: str) -> int:
        """Send the messages that one webhook waits for; the number of those taken."""
        sent = 0
        webhook = self._waiting(webhook_id)
        while webhook is not None and sent < MESSAGES:
            until = webhook["tried_to"]
            changes, reach = self._changes(webhook, webhook["place"], until)
            if not changes:
                if comes_before(webhook["place"], reach):
                    self._note(webhook, {"place": reach, "tried_to": None})
                break
            if not self._claimed(webhook):
                break
            outcome = self._post(webhook, webhook["place"], reach, changes)
            webhook = self._noted(webhook, reach, outcome)
            sent += outcome.taken
        return sent

    def _waiting(self, webhook_id: str) -> Webhook | None:
        with self.store.reading() as connection:
            return _row(connection, webhook_id)

    def _changes(self, webhook: Webhook, since: int, until: int | None) -> tuple[list[dict[str, Any]], int]:
        """Return the changes of the next part of the log that has any for a receiver, and the place where it ends."""
        principal = self.access.named(webhook["key_name"], self.clock())
        if principal is None:
            return self._without_key(webhook, since)
        place, more = since, True
        wanted: list[dict[str, Any]] = []
        while more and not wanted:
            page = changes_since(self.store, principal, place, CHANGES, until)
            wanted = [change for change in page.decisions if webhook["every"] or _is_news(change)]
            place, more = page.next, page.more and (until is None or comes_before(page.next, until))
        return shown_to(principal, wanted), place

    def _without_key(self, webhook: Webhook, since: int) -> tuple[list[dict[str, Any]], int]:
        """Send nothing to a machine that has no key any more; what it misses waits."""
        self._failed(webhook, webhook["tried_to"], Outcome(False, fault="no active key has the name of its machine"))
        return [], since

    def _claimed(self, webhook: Webhook) -> bool:
        """Take a webhook for this process, unless another one has it or has come further meanwhile."""
        now = self.clock()
        free = (WEBHOOKS.c.webhook_id == webhook["webhook_id"], WEBHOOKS.c.place == webhook["place"],
                WEBHOOKS.c.claimed_until == webhook["claimed_until"], ~WEBHOOKS.c.ended)  # fmt: skip
        values = {"claimed_until": micros(now + CLAIMED)}
        return self.store.write(lambda connection: update_rows(connection, WEBHOOKS, values, *free)) == 1

    def _post(self, webhook: Webhook, since: int, until: int, changes: Sequence[Mapping[str, Any]]) -> Outcome:
        now = self.clock()
        data = {"since": str(since), "next": str(until), "decisions": changes}
        body = orjson.dumps({"type": "decisions.changed", "timestamp": iso(now), "data": data})
        message_id = f"{webhook['webhook_id']}.{since}-{until}"
        headers = signed_headers(message_id, int(now.timestamp()), body, self._secrets(webhook, now))
        if is_broker(webhook["url"]):
            fault = self._broker.publish(webhook["url"], body, headers)
            return Outcome(not fault, fault=fault)  # whatever it is, the message waits: brokers are mended, not avoided
        try:
            with self._receivers().stream("POST", webhook["url"], content=body, headers=dict(headers)) as answer:
                return _outcome(answer)  # what else it says is not read
        except (httpx.HTTPError, httpx.InvalidURL) as fault:
            return Outcome(False, fault=f"it does not answer: {type(fault).__name__}")

    def _receivers(self) -> httpx.Client:
        """Return what connects to receivers; made for the first message: most installations have no webhook."""
        if self._client is None:
            agent = {"User-Agent": f"tamis/{installed_version()}"}
            self._client = httpx.Client(timeout=SECONDS, follow_redirects=False, headers=agent)
        return self._client

    def _secrets(self, webhook: Webhook, now: datetime) -> list[str]:
        """Return the secrets that sign: the present one, and for a while the one before it."""
        generations = [webhook["generation"]]
        if webhook["former_until"] is not None and micros(now) < webhook["former_until"]:
            generations.append(webhook["generation"] - 1)
        return [secret_of(self.store.pseudonyms, webhook["webhook_id"], number) for number in generations]

    def _noted(self, webhook: Webhook, reach: int, outcome: Outcome) -> Webhook | None:
        """Note what became of a message; return the webhook for its next one, None where it has to wait."""
        if outcome.taken:
            went = {"place": reach, **FRESH}
            self._note(webhook, went)
            return {**webhook, **went}
        if outcome.refused and webhook["failures"] + 1 >= REFUSED_TRIES:
            self._give_up(webhook, reach, outcome)
        else:
            self._failed(webhook, reach, outcome)
        return None

    def _failed(self, webhook: Webhook, reach: int | None, outcome: Outcome) -> None:
        now, failures = self.clock(), webhook["failures"] + 1
        usual = min(LONGEST_WAIT, FIRST_WAIT * 2.0 ** min(failures - 1, 20))
        wait = timedelta(seconds=usual if outcome.wait is None else min(LONGEST_WAIT, max(FIRST_WAIT, outcome.wait)))
        since = webhook["failing_since"] or micros(now)
        self._note(webhook, {"tried_to": reach, "failures": failures, "failing_since": since, "fault": outcome.fault,
                             "next_at": micros(now + wait), "claimed_until": 0})  # fmt: skip
        LOG.warning("a webhook fails", webhook=webhook["webhook_id"], fault=outcome.fault, failures=failures)

    def _give_up(self, webhook: Webhook, reach: int, outcome: Outcome) -> None:
        """Note a part of the log as undelivered, and go on after it."""
        row = {"webhook_id": webhook["webhook_id"], "since": webhook["place"], "until": reach, "fault": outcome.fault,
               "at": micros(self.clock()), "delivered": False}  # fmt: skip
        went = {"place": reach, **FRESH}

        def work(connection: sa.Connection) -> None:
            insert_row(connection, UNDELIVERED, row)
            update_rows(connection, WEBHOOKS, went, WEBHOOKS.c.webhook_id == webhook["webhook_id"])

        self.store.write(work)
        LOG.error("a message is not delivered", webhook=webhook["webhook_id"], fault=outcome.fault)

    def _note(self, webhook: Webhook, values: Mapping[str, Any]) -> None:
        this = WEBHOOKS.c.webhook_id == webhook["webhook_id"]
        self.store.write(lambda connection: update_rows(connection, WEBHOOKS, values, this))


def _row(connection: sa.Connection, webhook_id: str) -> Webhook:
    return dict(connection.execute(sa.select(WEBHOOKS).where(WEBHOOKS.c.webhook_id == webhook_id)).mappings().one())


def _is_news(change: Mapping[str, Any]) -> bool:
    """Say whether a change is more than the first decision, which the call or the batch has answered with."""
    return bool(change["change"] != "decided" or change["assessment"] > 1 or change["version"] > 1)


def _outcome(answer: httpx.Response) -> Outcome:
    status = answer.status_code
    if answer.is_success:
        return Outcome(True)
    refused = 400 <= status < 500 and status not in PATIENT
    asked = answer.headers.get("retry-after", "")
    return Outcome(False, refused, f"it answers {status}", float(asked) if asked.isdecimal() else None)
