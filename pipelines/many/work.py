"""What a worker does: questions of a chunk, their answers by a shard of history, model rows, margins and reasons.

Plain functions of what they are given, by the same code as one machine runs.
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
from features.facts import FACT_SCHEMA, Integers
from features.history import Asked, FactTable, Totals, nothing_known, together
from features.windows import questions
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
Answers = list[tuple[Integers, Totals]]
"""To each question: the places in it that a shard knows of, and what it knows."""


@dataclass(frozen=True, slots=True)
class Shard:
    """What is known of the entities from `low` on and below `high`; the totals of its tables add up."""

    low: int
    high: int
    tables: list[FactTable]


@dataclass(frozen=True, slots=True)
class Answered:
    """A history that has been asked already what a chunk will ask."""

    totals: list[Totals]

    def before(self, asked: Sequence[Asked]) -> list[Totals]:
        """The answers, in the order of the questions that were put before; raises ValueError for others."""
        if [question.moments.shape for question in asked] != [told.amounts.shape[:2] for told in self.totals]:
            raise ValueError("other questions than those that were answered")
        return self.totals

    def unposted(self, consignments: Consignments) -> pl.DataFrame:  # noqa: ARG002 - as every history
        """Nothing: the facts of the whole batch lie in the shards."""
        return FACT_SCHEMA.to_frame()


def asked_by(chunk: Consignments, inputs: Sequence[Input]) -> list[Asked]:
    """What the features of a chunk ask of history."""
    return questions(readings_for(inputs), chunk.frame)


def answered(shard: Shard, asked: Sequence[Asked]) -> Answers:
    """What a shard knows of some questions."""
    places = [np.flatnonzero((q.entities >= shard.low) & (q.entities < shard.high)) for q in asked]
    own = [Asked(q.entities[p], q.moments[:, p], q.facts) for q, p in zip(asked, places, strict=True)]
    return list(zip(places, together(shard.tables, own), strict=True))


def rows_of(
    chunk: Consignments, asked: Sequence[Asked], answers: Sequence[Answers], fits: Fits, inputs: Sequence[Input]
) -> pl.DataFrame:
    """Model rows of a chunk, by the answers of all shards; each entity lies in one of them."""
    totals = [nothing_known(question) for question in asked]
    for of_shard in answers:
        for told, (places, read) in zip(totals, of_shard, strict=True):
            told.amounts[:, places], told.first[places], told.last[places] = read.amounts, read.first, read.last
    return assemble(chunk, Answered(totals), fits, inputs).frame


def rows_without_history(chunk: Consignments, fits: Fits, inputs: Sequence[Input]) -> pl.DataFrame:
    """Model rows of a chunk whose past cannot be read."""
    return assemble(chunk, None, fits, inputs).frame


def margins_of(trees: Trees, matrix: Floats) -> Floats:
    """The margins of some rows."""
    return trees.margins(matrix, threads=1)


def contributions_of(trees: Trees, matrix: Floats) -> Floats:
    """The exact Shapley values of some rows."""
    return trees.contributions(matrix, threads=1)
