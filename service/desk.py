"""The desk: the five things that a decision needs, and the live one, over the champion bundle and the durable store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

import polars as pl

from features.assemble import Rows, assemble
from features.consignment import Consignments
from features.history import History, HistoryUnavailable
from features.messages import Message
from features.parties import Parties
from service.bundles import Serving, open_serving
from service.journal import Journal
from service.linking_switch import LinkingSwitch
from service.orientation import Moment, Policy
from service.orientation.campaigns import OPEN
from service.parties import StoredParties
from service.records import EPOCH
from service.scoring import Model
from service.scoring.explanation import Language
from service.settings import Settings
from service.store import open_store

PATIENCE_MS = 1_000  # a call that cannot write within it is told to come again; a command waits


class DatedHistory(History, Protocol):
    """A history that knows how far it reaches, and whether it can be read."""

    def as_of(self) -> int | None:
        """The latest moment that any fact was known at, microseconds since 1970."""
        ...

    def readable(self) -> bool:
        """Whether a decision given now could rest on it."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The five things that a decision needs, and the language that its reasons are written in.

    lacking: what every decision is degraded by. lists_fresh: how old watch lists may be before decisions say so.
    """

    parties: Parties
    history: DatedHistory
    model: Model
    policy: Policy
    journal: Journal
    language: Language = "en"
    lacking: tuple[str, ...] = ()
    lists_fresh: timedelta | None = None

    def rows(self, consignments: Consignments) -> tuple[Rows, tuple[str, ...]]:
        """What the model sees of consignments, and what could not be read for it: without its past, said so."""
        try:
            return assemble(consignments, self.history, self.model.fits, self.model.inputs), ()
        except HistoryUnavailable:
            return assemble(consignments, None, self.model.fits, self.model.inputs), ("history",)

    def moment(self, message: Message, consignments: Consignments, lost: tuple[str, ...] = (), **again: Any) -> Moment:
        """The circumstances of a message: what its day has spent, how far history reaches, what could not be read.

        again: of what is decided again, `anew`, `found` and `settled` of the moment.
        """
        history, lists = _moment(self.history.as_of()), _moment(self.parties.lists_as_of())
        now = message.received_at if again else None
        spent = self.journal.spent(self.policy.hands.periods(consignments.frame, now))
        lost = (*self.lacking, *lost, *self.stale(lists, message.received_at))
        opened = self.opened(consignments)
        return Moment(
            message.received_at, message.competing, spent, history, self.language, lists, lost, opened, **again
        )

    def opened(self, consignments: Consignments) -> pl.DataFrame:
        """Checks of the networks of some consignments whose results are awaited; none where no policy asks."""
        networks = networks_of(consignments)
        if not self.policy.campaigns.checks or not networks:
            return OPEN.to_frame()
        latest: datetime = consignments.frame["lodged_at"].max()  # type: ignore[assignment]
        return self.journal.opened(networks, (latest - EPOCH) // timedelta(hours=1))

    def lost(self, now: datetime) -> tuple[str, ...]:
        """What a decision given now would lack."""
        history = () if self.history.readable() else ("history",)
        return (*self.lacking, *history, *self.stale(_moment(self.parties.lists_as_of()), now))

    def mode(self, lost: tuple[str, ...]) -> str:
        """The mode of decisions that lack this."""
        return "rules_only" if self.model.trees is None else "degraded" if lost else "full"

    def stale(self, lists: datetime | None, now: datetime) -> tuple[str, ...]:
        """`lists` where the watch lists have not been looked after for too long."""
        late = lists is not None and self.lists_fresh is not None and now - lists > self.lists_fresh
        return ("lists",) if late else ()


def networks_of(consignments: Consignments) -> list[str]:
    """Whom some consignments are attributed to: their networks, or parties that belong to none."""
    whose = consignments.frame.select(pl.coalesce("network_id", "party_id").alias("network"))["network"]
    return whose.drop_nulls().unique().sort().to_list()


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def open_desk(settings: Settings, serving: Serving | None = None, *, answers_calls: bool = False) -> Desk:
    """Load what serves and open the store; raises BundleRefused where nothing that can be trusted serves.

    answers_calls: whether somebody waits for its decisions, so that it must go on without a history that is slow;
        a command reads a day's worth of it, however long that takes.
    """
    serving = serving or open_serving(settings)
    store = open_store(settings, patience_ms=PATIENCE_MS, grouped=True) if answers_calls else open_store(settings)
    switch = LinkingSwitch(settings.linking)
    parties, journal = StoredParties(store, switch), Journal(store, switch)
    if answers_calls:
        journal.history.readable()  # its files begin to be opened now, however long that takes, not by the first call
    return Desk(
        parties, journal.history, serving.model, serving.policy, journal,
        settings.language, serving.lacking, timedelta(hours=settings.lists_hours),
    )  # fmt: skip
