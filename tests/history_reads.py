"""What a history tells of entities at moments, in the shape in which tests count it by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from features.history.facts import FACTS, Integers
from features.history.queries import HistoryQuery
from features.history.totals import TotalsReader


@dataclass(frozen=True)
class Read:
    """amounts: moments × entities × facts; first and last: of each entity, before the first of its moments."""

    amounts: Integers
    first: Integers
    last: Integers


def read_totals(
    history: TotalsReader,
    entities: Sequence[int] | Integers,
    moments: Sequence[int] | Sequence[Sequence[int]] | Integers,
    facts: Sequence[str] = FACTS,
) -> Read:
    """Read the totals of facts of each entity at its moments: one each, or moments × entities."""
    asked = np.array(entities, np.int64)
    when = np.array(moments, np.int64).reshape(-1, len(asked)) if len(asked) else np.empty((1, 0), np.int64)
    totals = history.totals_before(HistoryQuery.of_each(asked, when, facts))
    shaped = totals.sums.reshape(len(when), len(facts), len(asked))
    return Read(shaped.transpose(0, 2, 1), totals.first[0], totals.last[0])
