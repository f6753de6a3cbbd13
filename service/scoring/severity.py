"""Severity: the probability that a finding is dangerous or has a criminal link, given a finding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from service.scoring.calibration import Calibration
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Severity:
    """A second set of trees, learned from findings alone, on the same rows as the first."""

    trees: Trees
    calibration: Calibration

    def of(self, matrix: Floats) -> Floats:
        """Return probabilities, 0 to 1, of encoded rows; the same for one row and for many."""
        if not len(matrix):
            return np.empty(0)
        return self.calibration.apply(self.trees.margins(matrix))
