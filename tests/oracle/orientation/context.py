"""The circumstances that a message is decided in: all that a policy knows besides the consignments and their scores."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from features.messages.read_message import Competing
from service.scoring.explanation import Language
from tests.oracle.orientation.campaigns import OPEN

HISTORY = "history"  # missing input of a decision, as its degraded reasons name it
EDITION = 2  # of how declarations are judged; see DecisionContext
GIVEN_AGAIN = {HISTORY, "model"}  # a decision that lacks one of these is given again once it is back


@dataclass(frozen=True, slots=True)
class DecisionContext:
    """The circumstances of one message: when it is decided, what it competes with, the capacity already used.

    spent: one row an office and day or shift: `office`, `begins`, checks already given out by kind (`physical`, `scan`,
        `documents`, `audit`), and for calls what pacing needs: `bands`, `hours`, `courses`, `usual` (see Course).
    history_as_of: the latest fact that the history held. lists_as_of: when a watch list last changed. lost: what could
    not be read, such as `history`. opened: OPEN, checks of networks whose results are pending. found: networks with a
    finding since these consignments were lodged. anew: whether they are decided again, with today's capacity;
    settled: rows that have the strictest check already and ask for no other. edition: of how declarations are judged,
    so that a decision of an earlier one replays: in the first, any data problem made a declaration incomplete, and HS
    codes were compared with applications as they were written.
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
    edition: int = EDITION
