"""Calibration: from a model's margin to the probability of a finding if inspected, and how sure it is; kept as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from features.algebra import exp
from features.algebra.tables import anywhere

Floats = npt.NDArray[np.float64]
FARTHEST = 700.0  # log-odds; beyond it the exponential leaves the range of numbers
FARTHER = 1.0  # log-odds by which what lies beyond the outermost results can differ from them, at most
LEAST_SLOPE = 1e-6  # of log-odds by margin: chances of different margins differ
METHODS = ("none", "sigmoid", "isotonic", "knots")


@dataclass(frozen=True, slots=True)
class Knots:
    """A rising curve in log-odds through the centres of groups of results, and its bounds there.

    margins: rising strictly. logits, lows, highs: log-odds of the chance and of its bounds at each. slope: by which
    it goes on beyond the first and the last, ever less, to FARTHER at most: finite results prove nothing for certain.
    """

    margins: tuple[float, ...]
    logits: tuple[float, ...]
    lows: tuple[float, ...]
    highs: tuple[float, ...]
    slope: float

    def logit(self, margin: Floats, heights: tuple[float, ...]) -> Floats:
        """Return the log-odds of one of the three curves."""
        inside = np.interp(margin, self.margins, heights)
        below = np.maximum(self.margins[0] - margin, 0.0)
        above = np.maximum(margin - self.margins[-1], 0.0)
        if not (anywhere(below) or anywhere(above)):  # as most of a call
            return inside
        return inside + self._beyond(above) - self._beyond(below)

    def _beyond(self, distance: Floats) -> Floats:
        return FARTHER * (1.0 - exp(-np.minimum(self.slope * distance / FARTHER, FARTHEST)))


@dataclass(frozen=True, slots=True)
class Calibration:
    """A mapping from margin (log-odds as the trees give it) to probability.

    method: `none` (the model's own probability), `sigmoid` (slope and intercept), `knots` (a rising curve with bounds)
    or `isotonic` (steps, of bundles that were made before).
    """

    method: str
    slope: float = 1.0
    intercept: float = 0.0
    margins: tuple[float, ...] = ()
    probabilities: tuple[float, ...] = ()
    knots: Knots | None = None

    def apply(self, margin: Floats) -> Floats:
        """Return probabilities, 0 to 1, monotone in the margin."""
        if self.knots is not None:
            return _probability(self.knots.logit(margin, self.knots.logits))
        if self.method == "isotonic":
            return np.interp(margin, self.margins, self.probabilities)
        return _probability(self.slope * margin + self.intercept)

    def bounds(self, margin: Floats) -> tuple[Floats, Floats]:
        """Return between which probabilities the true share of findings lies nine times in ten; NaN where unknown.

        Of what scores alike, not of the one consignment: no count can say more of one.
        """
        if self.knots is None:
            return np.full(len(margin), np.nan), np.full(len(margin), np.nan)
        low, high = (_probability(self.knots.logit(margin, side)) for side in (self.knots.lows, self.knots.highs))
        return low, high

    def as_json(self) -> dict[str, Any]:
        """Return the calibration as a bundle keeps it."""
        if self.knots is not None:
            curves = {name: list(getattr(self.knots, name)) for name in ("margins", "logits", "lows", "highs")}
            return {"method": "knots", "slope": self.knots.slope, **curves}
        if self.method == "isotonic":
            return {"method": "isotonic", "margins": list(self.margins), "probabilities": list(self.probabilities)}
        return {"method": self.method, "slope": self.slope, "intercept": self.intercept}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> Calibration:
        """Read the calibration as a bundle kept it."""
        if written["method"] not in METHODS:
            raise ValueError(f"unknown calibration {written['method']!r}")
        if written["method"] == "knots":
            curves = {name: tuple(map(float, written[name])) for name in ("margins", "logits", "lows", "highs")}
            return cls("knots", knots=Knots(**curves, slope=float(written["slope"])))
        kept = dict(written)
        for steps in ("margins", "probabilities"):
            kept[steps] = tuple(kept.get(steps, ()))
        return cls(**kept)


def _probability(logit: Floats) -> Floats:
    chance: Floats = 1.0 / (1.0 + exp(-np.minimum(np.maximum(logit, -FARTHEST), FARTHEST)))
    return chance
