"""The story on one screen: from a message to the orientation of every consignment in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from features.assemble import Rows, assemble
from features.consignment import Consignments
from features.history import History, HistoryUnavailable
from features.messages import Message, read
from features.parties import Parties
from service.journal import Journal
from service.orientation import Decisions, Moment, Policy
from service.records import EPOCH
from service.scoring import Model
from service.scoring.explanation import Language


class DatedHistory(History, Protocol):
    """A history that knows how far it reaches."""

    def as_of(self) -> int | None:
        """The latest moment that any fact was known at, microseconds since 1970."""
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

    def moment(self, message: Message, consignments: Consignments, lost: tuple[str, ...] = ()) -> Moment:
        """The circumstances of a message: what its day has spent, how far history reaches, what could not be read."""
        history, lists = _moment(self.history.as_of()), _moment(self.parties.lists_as_of())
        spent = self.journal.spent(consignments)
        lost = (*self.lacking, *lost, *self.stale(lists, message.received_at))
        return Moment(message.received_at, message.competing, spent, history, self.language, lists, lost)

    def stale(self, lists: datetime | None, now: datetime) -> tuple[str, ...]:
        """`lists` where the watch lists have not been looked after for too long."""
        late = lists is not None and self.lists_fresh is not None and now - lists > self.lists_fresh
        return ("lists",) if late else ()


def _moment(microseconds: int | None) -> datetime | None:
    return None if microseconds is None else EPOCH + timedelta(microseconds=microseconds)


def target(message: Message, desk: Desk) -> Decisions:
    """Orient every consignment in one message, on what was known when it arrived."""
    consignments, problems = read(message)
    if not len(consignments):
        return Decisions([], problems.refused)
    consignments = desk.parties.link(consignments)
    rows, lost = desk.rows(consignments)
    scores = desk.model.score(rows)
    decisions = desk.policy.orient(consignments, scores, problems, desk.moment(message, consignments, lost))
    return desk.journal.record(decisions, rows, consignments)
