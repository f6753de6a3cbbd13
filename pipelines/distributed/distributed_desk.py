"""A desk whose rows, scores and reasons are computed by a cluster; linking, decisions and the record stay local.

Rows are split into chunks, and the history of their entities into shards by entity. Every chunk queries every shard,
and the answers are merged: the same numbers as in a single process, as totals are integers and add up.
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
from features.history.fact_columns import Facts
from features.history.facts import Integers, with_entities
from features.history.totals import FactTable, HistoryUnavailable
from features.history.windows import ROWS_PER_PASS, question
from pipelines.distributed.cluster import Cluster, Promise
from pipelines.distributed.worker_tasks import (
    Shard,
    answered,
    asked_by,
    contributions_of,
    margins_of,
    rows_of,
    rows_without_history,
)
from service.desk import Desk
from service.history.stored_history import StoredHistory
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
CHUNK = 5_000  # consignments of one task: seconds of work, some megabytes to send
SLICE = 50_000  # rows of one task of scoring, which takes a tenth of the time
EVERYTHING = 2**63 - 1


class Parted(Protocol):
    """A history that can be sent in parts."""

    def parts(self, entities: Integers) -> list[FactTable]:
        """Return the history of entities (ascending, distinct) as tables whose totals add up."""
        ...

    def unposted(self, consignments: Consignments) -> Facts:
        """Return the facts of these consignments that it does not hold yet."""
        ...


def assemble_distributed(
    cluster: Cluster, consignments: Consignments, history: Parted | None, fits: Fits, inputs: Sequence[Input]
) -> Rows:
    """Return the same rows as `assemble`, computed by a cluster; raises HistoryUnavailable like it."""
    linked = with_entities(consignments)
    if not len(linked):
        return assemble(linked, None, fits, inputs)
    chunks = [linked.between(start, start + CHUNK) for start in range(0, len(linked), CHUNK)]
    shards = [] if history is None else shards_of(linked, history, inputs, cluster.size())

    def plan(chunk: Consignments) -> Promise:
        sent, own_fits = cluster.sent(chunk), cluster.shared(fits)
        if history is None:
            return cluster.task(rows_without_history, sent, own_fits, inputs)
        asked = cluster.task(asked_by, sent, inputs)
        answers = [cluster.task(answered, cluster.shared(shard, everywhere=False), asked) for shard in shards]
        return cluster.task(rows_of, sent, asked, answers, own_fits, inputs)

    try:
        frames = cluster.each(chunks, plan)
    finally:
        cluster.drop(shards)
    return Rows.of_frame(pl.concat(frames).with_columns(linked.frame["row"]))


def shards_of(linked: Consignments, history: Parted, inputs: Sequence[Input], shards: int) -> list[Shard]:
    """Split the history that a batch needs, its own facts included, by entity into shards of similar size."""
    own_facts = FactTable.of(history.unposted(linked))
    readings = readings_for(inputs)
    asked = [question(readings, part).entities for part in linked.frame.iter_slices(ROWS_PER_PASS)]
    entities = np.unique(np.concatenate(asked))
    tables = [*history.parts(entities), *own_facts.parts(entities)]  # all of one state of the store
    cuts = [part for part in np.array_split(entities, shards) if len(part)]
    lows = [int(part[0]) for part in cuts]
    return [
        Shard(low, high, [table.of_entities(part) for table in tables])
        for part, low, high in zip(cuts, lows, [*lows[1:], EVERYTHING], strict=True)
    ]


@dataclass(frozen=True, slots=True)
class SpreadTrees(Trees):
    """Trees whose rows are scored and explained by a cluster."""

    cluster: Cluster = field(kw_only=True)
    local_trees: Trees = field(kw_only=True)

    def margins(self, matrix: Floats, threads: int = 0) -> Floats:  # noqa: ARG002 - a worker is one
        """Compute log-odds of rows × inputs."""
        parts = _cut(matrix, SLICE)
        plan = self.cluster.each(
            parts, lambda part: self.cluster.task(margins_of, self.cluster.shared(self.local_trees), part)
        )
        return np.concatenate(plan) if plan else np.empty(0)

    def contributions(self, matrix: Floats, threads: int = 0) -> Floats:  # noqa: ARG002 - a worker is one
        """Compute exact Shapley values of the margins."""
        parts = _cut(matrix, CHUNK)
        plan = self.cluster.each(
            parts, lambda part: self.cluster.task(contributions_of, self.cluster.shared(self.local_trees), part)
        )
        return np.concatenate(plan) if plan else np.empty((0, matrix.shape[1] + 1))


def _cut(matrix: Floats, rows: int) -> list[Floats]:
    return [matrix[start : start + rows] for start in range(0, len(matrix), rows)]


@dataclass(frozen=True, slots=True)
class DistributedDesk(Desk):
    """A desk that sends its rows to a cluster."""

    history: StoredHistory
    cluster: Cluster = field(kw_only=True)

    def rows(self, consignments: Consignments) -> tuple[Rows, tuple[str, ...]]:
        """Return the model rows of consignments, and what could not be read for them."""
        fits, inputs = self.model.fits, self.model.inputs
        try:
            return assemble_distributed(self.cluster, consignments, self.history, fits, inputs), ()
        except HistoryUnavailable:
            return assemble_distributed(self.cluster, consignments, None, fits, inputs), ("history",)


def distribute(desk: Desk, cluster: Cluster) -> DistributedDesk:
    """Return the same desk with its rows computed by a cluster."""
    trees = desk.model.trees
    spread_trees = None
    if trees is not None:
        spread_trees = SpreadTrees(trees.booster, trees.forest, trees.why, cluster=cluster, local_trees=trees)
    if not isinstance(desk.history, StoredHistory):
        raise TypeError("only a stored history can be distributed")
    return DistributedDesk(
        desk.parties, desk.history, replace(desk.model, trees=spread_trees), desk.policy, desk.journal, desk.language,
        desk.lacking, desk.lists_fresh, cluster=cluster,
    )  # fmt: skip
