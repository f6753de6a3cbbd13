"""The circumstances that a message is decided in: all that a policy knows beside the consignments and their scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from features.messages.reading import Competing
from service.orientation.campaigns import OPEN
from service.scoring.explanation import Language

HISTORY = "history"  # what a decision lacked, in the words of its degraded reasons
GIVEN_AGAIN = {HISTORY, "model"}  # what lacks one of these is decided again once it is back


@dataclass(frozen=True, slots=True)
class Moment:
    """The circumstances of one message: when it is decided, what it competes with, what the day has spent.

    spent: one row an office and day or shift: `office`, `begins`, checks already given out by kind (`physical`, `scan`,
        `documents`, `audit`), and for calls what pacing needs: `bands`, `hours`, `courses`, `usual` (see Course).
    history_as_of: the latest fact that the history held. lists_as_of: when a watch list last changed. lost: what could
    not be read, such as `history`. opened: OPEN, checks of networks whose results are awaited. found: networks that
    were found out since these consignments were lodged. anew: whether they are decided again, with today's hands;
    settled: rows that have the strictest check already and ask for no other.
    """

    decided_at: datetime
    competing: Competing
    spent: pl.DataFrame
    history_as_of: datetime | None = None
    language: Language = "en"
    lists_as_of: datetime | None = None
    lost: tuple[str, ...] = ()
    opened: pl.DataFrame = field(default_factory=OPEN.to_frame)
    found: tuple[str, ...] = ()
    anew: bool = False
    settled: tuple[int, ...] = ()
