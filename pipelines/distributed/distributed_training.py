"""Data-parallel training: the workers of a cluster grow trees together, each on its own part of the rows.

Workers agree on the bounds of bins from samples of their parts, and add up sums in another order: the trees are close
to those of a single machine but not the same. They are evaluated like any model.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from pipelines.distributed.cluster import Cluster, ClusterFault
from pipelines.training.tree_growing import MOST_ROUNDS, PATIENCE, Labels

Floats = npt.NDArray[np.float64]
FIRST_ROUNDS = 200  # doubled until the least loss lies PATIENCE trees back: LightGBM on dask has no early stopping
ANSWERED_WITHIN = 2  # minutes that a worker waits for another, rather than two hours
NOTICED_WITHIN = 5  # seconds for a scheduler to notice the loss of a worker
PARTS = 2  # of the rows, for each worker: every worker must get one
LOG = logging.getLogger("tamis.lightgbm")  # connections between workers are not reported
LOG.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class DistributedGrower:
    """LightGBM on the workers of a cluster."""

    cluster: Cluster

    def grow(self, parameters: Mapping[str, Any], learn: Labels, rounds: int) -> lgb.Booster:
        """Grow `rounds` trees on these rows; raises ClusterFault if a worker is lost, as all must then start again."""
        before = self.cluster.workers()
        try:
            return self._grown(parameters, learn, rounds)
        except lgb.basic.LightGBMError as fault:  # remaining workers only report a timeout
            if not self._lost(before):
                raise
            raise ClusterFault("a worker was lost while growing trees; restart the workers and train again") from fault

    def _lost(self, before: frozenset[str]) -> bool:
        """Return true if a worker was lost; the scheduler may notice a little later."""
        deadline = time.monotonic() + NOTICED_WITHIN
        while before <= self.cluster.workers():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.1)
        return True

    def _grown(self, parameters: Mapping[str, Any], learn: Labels, rounds: int) -> lgb.Booster:
        from dask import array
        from lightgbm.dask import DaskLGBMClassifier

        lgb.register_logger(LOG)
        rows = -(-len(learn.hit) // (PARTS * self.cluster.size()))
        options = {name: value for name, value in parameters.items() if name != "num_threads"}
        # workers crash, or wait for one another for ever, over a category of one value or of none
        whole = _without(learn.matrix, options.pop("feature_contri", None))
        matrix = array.from_array(whole, chunks=(rows, whole.shape[1]))
        hit = array.from_array(learn.hit.astype(np.int64), chunks=rows)
        weight = None if learn.weight is None else array.from_array(learn.weight, chunks=rows)
        grown = DaskLGBMClassifier(client=self.cluster.client, n_estimators=rounds, time_out=ANSWERED_WITHIN, **options)
        varied = np.ptp(np.nan_to_num(whole, nan=-1.0), axis=0) > 0
        categories = [place for place in learn.categories if varied[place]]
        grown.fit(matrix, hit, sample_weight=weight, feature_name=learn.names, categorical_feature=categories)
        booster: lgb.Booster = grown.to_local().booster_
        return booster

    def watched(self, parameters: Mapping[str, Any], learn: Labels, later: Labels) -> tuple[lgb.Booster, list[float]]:
        """Grow trees, and return the log-loss of later rows after each."""
        rounds = FIRST_ROUNDS
        while True:
            booster = self.grow(parameters, learn, rounds)
            losses = _losses(booster, later)
            stop = int(np.argmin(losses)) + PATIENCE
            if stop < rounds or rounds >= MOST_ROUNDS:
                return booster, losses[: stop + 1]
            rounds = min(rounds * 2, MOST_ROUNDS)


def _without(matrix: Floats, contributions: Sequence[float] | None) -> Floats:
    """Return rows with 0 for what says nothing: what no tree may split on, and what is unknown throughout."""
    idle = np.isnan(matrix).all(axis=0)
    if contributions is not None:
        idle |= np.array(contributions) <= 0
    return np.where(idle, 0.0, matrix)


def _losses(booster: lgb.Booster, later: Labels) -> list[float]:
    """Compute the mean log-loss of rows after each tree."""
    margin, losses = np.zeros(len(later.hit)), []
    sign = np.where(later.hit > 0, -1.0, 1.0)
    for tree in range(booster.num_trees()):
        margin = margin + np.asarray(
            booster.predict(later.matrix, raw_score=True, start_iteration=tree, num_iteration=1, num_threads=1)
        )
        losses.append(float(np.average(np.logaddexp(0.0, sign * margin), weights=later.weight)))
    return losses
