"""A desk whose rows, scores and reasons are worked out by a crew; linking, orienting and the record stay in one place.

Rows are cut into chunks; what is known of the entities that they ask for is cut into shards by entity. Every chunk asks
every shard, and the answers are put together: the same numbers as in one process, for totals are whole and add up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

import numpy as np
import numpy.typing as npt
import polars as pl

from features.assemble import Fits, Rows, assemble, readings_for
from features.catalogue import Input
from features.consignment import Consignments
from features.facts import Integers, with_entities
from features.history import FactTable, HistoryUnavailable
from features.windows import AT_ONCE, questions
from pipelines.many.crew import Crew, Promise
from pipelines.many.work import (
    Shard,
    answered,
    asked_by,
    contributions_of,
    margins_of,
    rows_of,
    rows_without_history,
)
from service.desk import Desk
from service.history import StoredHistory
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
CHUNK = 5_000  # consignments of one task: seconds of work, some megabytes to send
SLICE = 50_000  # rows of one task of scoring, which takes a tenth of the time
EVERYTHING = 2**63 - 1


class Parted(Protocol):
    """A history that can be handed on in parts."""

    def parts(self, entities: Integers) -> list[FactTable]:
        """What is known of some entities (ascending, each once), as tables whose totals add up."""
        ...

    def unposted(self, consignments: Consignments) -> pl.DataFrame:
        """The facts that these consignments are and that it does not hold yet."""
        ...


def assemble_spread(
    crew: Crew, consignments: Consignments, history: Parted | None, fits: Fits, inputs: Sequence[Input]
) -> Rows:
    """What `assemble` gives, worked out by a crew, row for row the same; raises HistoryUnavailable as it does."""
    linked = with_entities(consignments)
    if not len(linked):
        return assemble(linked, None, fits, inputs)
    chunks = [linked.between(start, start + CHUNK) for start in range(0, len(linked), CHUNK)]
    shards = [] if history is None else shards_of(linked, history, inputs, crew.size())

    def plan(chunk: Consignments) -> Promise:
        sent, own_fits = crew.sent(chunk), crew.shared(fits)
        if history is None:
            return crew.task(rows_without_history, sent, own_fits, inputs)
        asked = crew.task(asked_by, sent, inputs)
        answers = [crew.task(answered, crew.shared(shard, everywhere=False), asked) for shard in shards]
        return crew.task(rows_of, sent, asked, answers, own_fits, inputs)

    try:
        frames = crew.each(chunks, plan)
    finally:
        crew.drop(shards)
    return Rows(pl.concat(frames).with_columns(linked.frame["row"]))


def shards_of(linked: Consignments, history: Parted, inputs: Sequence[Input], shards: int) -> list[Shard]:
    """What is known of all that a batch asks for, its own facts among it, cut by entity into parts of like size."""
    own = FactTable(history.unposted(linked))
    entities = np.unique(
        np.concatenate(
            [
                question.entities
                for part in linked.frame.iter_slices(AT_ONCE)
                for question in questions(readings_for(inputs), part)
            ]
        )
    )
    tables = [*history.parts(entities), *own.parts(entities)]  # all of one state of the store
    cuts = [part for part in np.array_split(entities, shards) if len(part)]
    lows = [int(part[0]) for part in cuts]
    return [
        Shard(low, high, [table.of_entities(part) for table in tables])
        for part, low, high in zip(cuts, lows, [*lows[1:], EVERYTHING], strict=True)
    ]


@dataclass(frozen=True, slots=True)
class SpreadTrees(Trees):
    """Trees whose rows are scored and explained by a crew."""

    crew: Crew = field(kw_only=True)
    here: Trees = field(kw_only=True)

    def margins(self, matrix: Floats, threads: int = 0) -> Floats:  # noqa: ARG002 - a worker is one
        """Log-odds of rows × inputs."""
        parts = _cut(matrix, SLICE)
        plan = self.crew.each(parts, lambda part: self.crew.task(margins_of, self.crew.shared(self.here), part))
        return np.concatenate(plan) if plan else np.empty(0)

    def contributions(self, matrix: Floats, threads: int = 0) -> Floats:  # noqa: ARG002 - a worker is one
        """Exact Shapley values of the margins."""
        parts = _cut(matrix, CHUNK)
        plan = self.crew.each(parts, lambda part: self.crew.task(contributions_of, self.crew.shared(self.here), part))
        return np.concatenate(plan) if plan else np.empty((0, matrix.shape[1] + 1))


def _cut(matrix: Floats, rows: int) -> list[Floats]:
    return [matrix[start : start + rows] for start in range(0, len(matrix), rows)]


@dataclass(frozen=True, slots=True)
class SpreadDesk(Desk):
    """A desk that hands its rows to a crew."""

    history: StoredHistory
    crew: Crew = field(kw_only=True)

    def rows(self, consignments: Consignments) -> tuple[Rows, tuple[str, ...]]:
        """What the model sees of consignments, and what could not be read for it."""
        fits, inputs = self.model.fits, self.model.inputs
        try:
            return assemble_spread(self.crew, consignments, self.history, fits, inputs), ()
        except HistoryUnavailable:
            return assemble_spread(self.crew, consignments, None, fits, inputs), ("history",)


def spread(desk: Desk, crew: Crew) -> SpreadDesk:
    """The same desk, worked by a crew."""
    trees = desk.model.trees
    own = None if trees is None else SpreadTrees(trees.booster, trees.forest, trees.why, crew=crew, here=trees)
    if not isinstance(desk.history, StoredHistory):
        raise TypeError("only a history that lies in a store can be handed on to many machines")
    return SpreadDesk(
        desk.parties, desk.history, replace(desk.model, trees=own), desk.policy, desk.journal, desk.language,
        desk.lacking, desk.lists_fresh, crew=crew,
    )  # fmt: skip
