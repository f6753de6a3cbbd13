"""Tasks of a worker: history queries of a chunk, answers from a shard, model rows, margins and reasons.

Pure functions that run the same code as a single machine.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import polars as pl

from features.assemble import Fits, assemble, readings_for
from features.catalogue import Input
from features.consignment import Consignments
from features.history.fact_columns import NO_FACTS, Facts
from features.history.queries import HistoryQuery, Totals, nothing_known
from features.history.totals import FactTable, together
from features.history.windows import question
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Shard:
    """The history of the entities from `low` on and below `high`; the totals of its tables add up."""

    low: int
    high: int
    tables: list[FactTable]


@dataclass(frozen=True, slots=True)
class Answered:
    """A history with the answer to the query of a chunk."""

    asked: HistoryQuery
    totals: Totals

    def totals_before(self, asked: HistoryQuery) -> Totals:
        """Return the answer; raises ValueError for another query."""
        if not asked.equals(self.asked):
            raise ValueError("another query than the one that was answered")
        return self.totals

    def unposted(self, consignments: Consignments) -> Facts:  # noqa: ARG002 - as every history
        """Return no facts: those of the whole batch are in the shards."""
        return NO_FACTS


def asked_by(chunk: Consignments, inputs: Sequence[Input]) -> HistoryQuery:
    """Return the history query of a chunk's features."""
    return question(readings_for(inputs), chunk.frame)


def answered(shard: Shard, asked: HistoryQuery) -> Totals:
    """Answer what a query asks of the entities of a shard."""
    return together(shard.tables, asked.where((asked.entities >= shard.low) & (asked.entities < shard.high)))


def rows_of(
    chunk: Consignments, asked: HistoryQuery, answers: Sequence[Totals], fits: Fits, inputs: Sequence[Input]
) -> pl.DataFrame:
    """Return model rows of a chunk from the answers of all shards; each entity lies in one of them."""
    totals = nothing_known(asked)
    for of_shard in answers:
        totals.add(of_shard)
    return assemble(chunk, Answered(asked, totals), fits, inputs).frame


def rows_without_history(chunk: Consignments, fits: Fits, inputs: Sequence[Input]) -> pl.DataFrame:
    """Return model rows of a chunk without history."""
    return assemble(chunk, None, fits, inputs).frame


def margins_of(trees: Trees, matrix: Floats) -> Floats:
    """Compute the margins of rows."""
    return trees.margins(matrix, threads=1)


def contributions_of(trees: Trees, matrix: Floats) -> Floats:
    """Compute the exact Shapley values of rows."""
    return trees.contributions(matrix, threads=1)
