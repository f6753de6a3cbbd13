"""Evaluation of a model's trees: by compiled kernels, or by LightGBM where the kernels do not apply."""

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
    """A booster, and its trees in the form that the kernels evaluate.

    forest: none where LightGBM must evaluate, at some five times the cost of a reason. why: the cause in that case.
    """

    booster: lgb.Booster
    forest: Forest | None
    why: str = ""

    @classmethod
    def of(cls, booster: lgb.Booster) -> Trees:
        """Build trees from a booster of any kind."""
        try:
            forest = forest_of(booster)
        except OtherTrees as other:
            return cls(booster, None, str(other))
        blank = np.full((1, forest.inputs), np.nan)  # compile the kernels now, not at the first call
        margins(forest, blank), shapley(forest, blank)
        return cls(booster, forest)

    @property
    def explained_by(self) -> str:
        """Return what computes reasons, for the model card."""
        return f"LightGBM, slowly: {self.why}" if self.why else "quadrature"

    def margins(self, matrix: Floats, threads: int = 0) -> Floats:
        """Compute log-odds of rows × inputs; bit for bit the same for one row and many, for any number of threads.

        Equal to LightGBM's own. threads: 0 for as many as pay off.
        """
        threads = threads or _threads(matrix)
        if self.forest is None:
            margin = self.booster.predict(matrix, raw_score=True, num_threads=threads)
            return np.asarray(margin, dtype=np.float64)
        return margins(self.forest, matrix, threads)

    def contributions(self, matrix: Floats, threads: int = 0) -> Floats:
        """Compute exact Shapley values of the margins: rows × inputs + 1, the last column the expected margin.

        threads: 0 for as many as pay off.
        """
        threads = threads or _threads(matrix)
        if not len(matrix):
            return np.empty((0, matrix.shape[1] + 1))
        if self.forest is None:
            values = self.booster.predict(matrix, pred_contrib=True, num_threads=threads)
            return np.asarray(values, dtype=np.float64)
        return shapley(self.forest, matrix, threads)


def _threads(matrix: Floats) -> int:
    return 1 if len(matrix) <= ONE_THREAD_UP_TO else os.cpu_count() or 1
