"""The desk: the five things that a decision needs, and the live one, over the champion bundle and the durable store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from features.assemble import Rows, assemble
from features.consignment import Consignments
from features.history.totals import History, HistoryUnavailable
from features.messages import Message
from features.moments import EPOCH
from features.parties import Parties
from features.parties.list_match import MATCHED
from service.journal import Journal
from service.orientation import DecisionContext, Policy
from service.orientation.columns import Known
from service.parties.linking_switch import LinkingSwitch
from service.parties.stored_parties import StoredParties
from service.record.ownership import Sender
from service.record.search_keys import read_tables
from service.runtime.turns import let_first_pass
from service.scoring import Model
from service.scoring.explanation import Language
from service.serving.serving_bundle import Serving, open_serving
from service.settings import Settings
from service.store.database import open_store

AN_HOUR = 3_600_000_000  # microseconds
PATIENCE_MS = 1_000  # a call that cannot write within it is answered "retry"; a command waits


class DatedHistory(History, Protocol):
    """A history that knows its latest fact, and whether it can be read."""

    def as_of(self) -> int | None:
        """Return the latest moment that any fact was known at, microseconds since 1970."""
        ...

    def readable(self) -> bool:
        """Return true if a decision given now could rest on it."""
        ...


@dataclass(frozen=True, slots=True)
class Desk:
    """The five things that a decision needs, and the language that its reasons are written in.

    lacking: causes that degrade every decision. lists_fresh: the age of watch lists from which decisions mention it.
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
        """Return the model rows of consignments, and what could not be read for them, such as their history."""
        let_first_pass()
        try:
            return assemble(consignments, self.history, self.model.fits, self.model.inputs), ()
        except HistoryUnavailable:
            return assemble(consignments, None, self.model.fits, self.model.inputs), ("history",)

    def screened(self, consignments: Consignments) -> tuple[Consignments, int | None]:
        """Attribute consignments to their networks, and screen them by the watch lists that are active now.

        A list counts from its activation on, also for what was lodged before it. Returns the moment of the last list
        that they were screened by, microseconds since 1970; none where there is no list.
        """
        let_first_pass()
        lists = self.parties.lists_as_of()
        return self.parties.link(consignments, lists_at=None if lists is None else lists + 1), lists

    def context(
        self,
        message: Message,
        consignments: Consignments,
        lost: tuple[str, ...] = (),
        *,
        lists_as_of: int | None = None,
        **again: Any,
    ) -> DecisionContext:
        """Return the circumstances of a message: capacity used, extent of the history, what could not be read.

        lists_as_of: of the watch lists that the consignments were screened by, see `screened`.
        again: for decisions given again, `anew`, `found` and `settled` of the context.
        """
        let_first_pass()
        history, lists = _moment(self.history.as_of()), _moment(lists_as_of)
        now = message.received_at if again else None
        spent = self.journal.spent(self.policy.capacity.periods(Known(consignments.declared), now))
        lost = (*self.lacking, *lost, *self.stale(_moment(self.parties.lists_checked()), message.received_at))
        opened = self.opened(consignments)
        return DecisionContext(
            message.received_at,
            message.competing,
            spent,
            history,
            self.language,
            lists,
            lost,
            opened,
            matches=matches_in(consignments),
            **again,
        )

    def opened(self, consignments: Consignments) -> Mapping[str, int]:
        """Return the pending checks of the networks of these consignments; none where no policy asks."""
        if not self.policy.campaigns.checks or not (networks := networks_of(consignments)):
            return {}
        latest = int(consignments.declared.moments("lodged_at").max())
        return self.journal.opened(networks, latest // AN_HOUR)

    def lost(self, now: datetime) -> tuple[str, ...]:
        """Return what a decision given now would lack."""
        history = () if self.history.readable() else ("history",)
        return (*self.lacking, *history, *self.stale(_moment(self.parties.lists_checked()), now))

    def mode(self, lost: tuple[str, ...]) -> str:
        """Return the mode of decisions that lack this."""
        return "rules_only" if self.model.trees is None else "degraded" if lost else "full"

    def stale(self, lists: datetime | None, now: datetime) -> tuple[str, ...]:
        """Return `lists` if the watch lists have not been checked for too long."""
        late = lists is not None and self.lists_fresh is not None and now - lists > self.lists_fresh
        return ("lists",) if late else ()


def networks_of(consignments: Consignments) -> list[str]:
    """Return the networks that consignments are attributed to, or their parties where these belong to none."""
    network_id, party_id = (consignments.declared.text_or_unknown(name).rows() for name in ("network_id", "party_id"))
    named = (party if network is None else network for network, party in zip(network_id, party_id, strict=True))
    return sorted({code for code in named if code is not None})


def matches_in(consignments: Consignments) -> Mapping[int, tuple[str, ...]]:
    """Return by place the matches of consignments with watch lists, as they are written; none where no list is."""
    declared = consignments.declared
    if MATCHED not in declared:
        return {}
    return {place: tuple(matches) for place, matches in enumerate(declared.values(MATCHED)) if matches}


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def open_desk(settings: Settings, serving: Serving | None = None, *, answers_calls: bool = False) -> Desk:
    """Load the serving bundle and open the store; raises BundleRefused where no trusted bundle serves.

    answers_calls: whether a caller waits for its decisions, so that it must go on without a slow history; a command
    reads all it needs, however long that takes.
    """
    serving = serving or open_serving(settings)
    store = open_store(settings, patience_ms=PATIENCE_MS, grouped=True) if answers_calls else open_store(settings)
    switches = LinkingSwitch(settings.linking), LinkingSwitch(settings.linking_addressees)
    parties, journal = StoredParties(store, *switches), Journal(store, *switches)
    if answers_calls:
        journal.history.readable()  # begin to open its files now, however long it takes, not at the first call
        read_tables()
    return Desk(
        parties, journal.history, serving.model, serving.policy, journal,
        settings.language, serving.lacking, timedelta(hours=settings.lists_hours),
    )  # fmt: skip


def desk_for(desk: Desk, sender: Sender) -> Desk:
    """Return the same desk for what a caller sends."""
    return replace(desk, journal=desk.journal.sent_by(sender))


def rehearsing(desk: Desk) -> Desk:
    """Return the same desk for a dry run: it decides, and nothing is on record afterwards."""
    return replace(desk, journal=desk.journal.rehearsing())


def on_desk(desk: Desk, serving: Serving) -> Desk:
    """Return the same desk with another bundle."""
    return replace(desk, model=serving.model, policy=serving.policy, lacking=serving.lacking)
