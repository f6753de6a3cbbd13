"""The circumstances that a message is decided in: all that a policy knows besides the consignments and their scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from features.messages.read_message import Competing
from service.orientation.periods import Spent
from service.scoring.explanation import Language

HISTORY = "history"  # missing input of a decision, as its degraded reasons name it
EDITION = 5  # of how declarations are judged; see DecisionContext
ONE_BY_ONE = 4  # the last in which indicators drew each consignment of a batch by itself
MODEL = "model"  # missing where the promoted bundle did not decide; where rules were promoted, nothing is missing
GIVEN_AGAIN = {HISTORY, MODEL}  # a decision that lacks one of these is given again once it is back


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """The circumstances of one message: when it is decided, what it competes with, the capacity already used.

    spent: of each office and day or shift the checks already given out, and for calls what pacing needs.
    history_as_of: the latest fact that the history held. lists_as_of: when a watch list last changed. lost: what could
    not be read, such as `history`. opened: by network, checks whose results are pending. found: networks with a
    finding since these consignments were lodged. anew: whether they are decided again, with today's capacity;
    settled: rows that have the strictest check already and ask for no other. edition: of how declarations are judged,
    so that a decision of an earlier one replays: in the first, any data problem made a declaration incomplete, and HS
    codes were compared with applications as they were written; in the second, nothing had a track without a model of
    severity; in the third, nobody was asked to amend what cannot be; in the fourth, indicators drew each
    consignment of a batch by itself, and left checks unused. matches: by row, the matches of both parties with
    watch lists (`ListMatch.written`).
    """

    decided_at: datetime
    competing: Competing
    spent: Sequence[Spent]
    history_as_of: datetime | None = None
    language: Language = "en"
    lists_as_of: datetime | None = None
    lost: tuple[str, ...] = ()
    opened: Mapping[str, int] = field(default_factory=dict)
    found: tuple[str, ...] = ()
    anew: bool = False
    settled: tuple[int, ...] = ()
    edition: int = EDITION
    matches: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
