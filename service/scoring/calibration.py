"""Calibration: from a model's margin to the probability of a finding if inspected; kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.algebra import exp

Floats = npt.NDArray[np.float64]
FARTHEST = 700.0  # log-odds; beyond it the exponential leaves the range of numbers


@dataclass(frozen=True, slots=True)
class Calibration:
    """A mapping from margin (log-odds as the trees give it) to probability.

    method: `none` (the model's own probability), `sigmoid` (slope and intercept) or `isotonic` (steps).
    """

    method: str
    slope: float = 1.0
    intercept: float = 0.0
    margins: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()

    def apply(self, margin: Floats) -> Floats:
        """Return probabilities, 0 to 1, monotone in the margin."""
        if self.method == "isotonic":
            return np.interp(margin, self.margins, self.probabilities)
        logit = np.clip(self.slope * margin + self.intercept, -FARTHEST, FARTHEST)
        risk: Floats = 1.0 / (1.0 + exp(-logit))
        return risk

    def as_json(self) -> dict[str, Any]:
        """Return the calibration as a bundle keeps it."""
        if self.method == "isotonic":
            return {"method": "isotonic", "margins": list(self.margins), "probabilities": list(self.probabilities)}
        return {"method": self.method, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Calibration:
        """Read the calibration as a bundle kept it."""
        if written["method"] not in ("none", "sigmoid", "isotonic"):
            raise ValueError(f"unknown calibration {written['method']!r}")
        kept = dict(written)
        for steps in ("margins", "probabilities"):
            kept[steps] = tuple(kept.get(steps, ()))
        return cls(**kept)
