"""The trees of a model as they are asked: by compiled kernels, or by LightGBM where the kernels do not apply."""

from __future__ import annotations

import os
from dataclasses import dataclass

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from service.scoring.forest import Forest, OtherTrees, forest_of
from service.scoring.kernels import margins, shapley

Floats = npt.NDArray[np.float64]
ONE_THREAD_UP_TO = 256  # rows; below it, starting threads costs more than the trees


@dataclass(frozen=True, slots=True)
class Trees:
    """A booster, and its trees as the kernels walk them.

    forest: none where LightGBM itself must answer, at some five times the cost of a reason. why: in that case, why.
    """

    booster: lgb.Booster
    forest: Forest | None
    why: str = ""

    @classmethod
    def of(cls, booster: lgb.Booster) -> Trees:
        """The trees of a booster, whatever kind they are of."""
        try:
            forest = forest_of(booster)
        except OtherTrees as other:
            return cls(booster, None, str(other))
        nobody = np.full((1, forest.inputs), np.nan)  # who asks first must not wait for the kernels to be compiled
        margins(forest, nobody), shapley(forest, nobody)
        return cls(booster, forest)

    @property
    def explained_by(self) -> str:
        """What computes reasons, for the model's card."""
        return f"LightGBM, slowly: {self.why}" if self.why else "quadrature"

    def margins(self, matrix: Floats, threads: int = 0) -> Floats:
        """Log-odds of rows × inputs; the same bits for one row and many, one thread and several, and as LightGBM's.

        threads: 0 for as many as it pays to start.
        """
        threads = threads or _threads(matrix)
        if self.forest is None:
            told = self.booster.predict(matrix, raw_score=True, num_threads=threads)
            return np.asarray(told, dtype=np.float64)
        return margins(self.forest, matrix, threads)

    def contributions(self, matrix: Floats, threads: int = 0) -> Floats:
        """Exact Shapley values of the margins: rows × inputs + 1, the last column the expected margin.

        threads: 0 for as many as it pays to start.
        """
        threads = threads or _threads(matrix)
        if not len(matrix):
            return np.empty((0, matrix.shape[1] + 1))
        if self.forest is None:
            told = self.booster.predict(matrix, pred_contrib=True, num_threads=threads)
            return np.asarray(told, dtype=np.float64)
        return shapley(self.forest, matrix, threads)


def _threads(matrix: Floats) -> int:
    return 1 if len(matrix) <= ONE_THREAD_UP_TO else os.cpu_count() or 1
