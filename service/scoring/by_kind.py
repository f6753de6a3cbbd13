"""Chances by kind of finding: half of what all findings taught, half of what those of the kind alone did.

A model of a kind alone has a tenth of the findings to learn from. So all findings teach the overall risk, and what
tells a kind from the others is learned from findings alone, or stands as the share that the kind has among them, where
those are too few. Their product is mixed with trees of the kind alone, learned from all results: the odds of a chance
are the geometric mean of both, at a level that is fitted beforehand. Each is better where the other is poor. No chance
exceeds the risk: a finding of a kind is a finding.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from features.algebra import exp
from service.scoring.calibration import FARTHEST, Calibration
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
CHANCE = "risk_"  # before a kind: the column of its chance, which rules may name
AS_IT_IS = Calibration("none")
PLACES = 6  # decimal places of a chance
MOST_CERTAIN = 1.0 - 1e-12  # beyond it odds have no number


@dataclass(frozen=True, slots=True)
class KindOfFinding:
    """What is known of one kind.

    findings: of this kind, that it was learned from. share: of all findings, drawn a little to one half. trees: of what
    a finding would be; none where the share stands for them. alone: trees of the kind alone, none where it has too few
    findings, and of a bundle that was made before. level: what is added to the log-odds of what is mixed with them.
    """

    code: str
    findings: int
    share: float
    trees: Trees | None = None
    calibration: Calibration = AS_IT_IS
    alone: Trees | None = None
    level: float = 0.0

    def given_a_finding(self, matrix: Floats) -> Floats:
        """Return for encoded rows the probability that a finding would be of this kind."""
        if self.trees is None:
            return np.full(len(matrix), self.share)
        return self.calibration.apply(self.trees.margins(matrix))

    def as_json(self) -> dict[str, Any]:
        """Return it as a bundle keeps it."""
        text = None if self.trees is None else self.trees.booster.model_to_string()
        known = {"kind": self.code, "findings": self.findings, "share": self.share}
        written = {**known, "calibration": self.calibration.as_json(), "trees": text}
        if self.alone is None:
            return written
        return {**written, "alone": self.alone.booster.model_to_string(), "level": self.level}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> KindOfFinding:
        """Read it as a bundle kept it."""
        trees, alone = (_trees(written.get(name)) for name in ("trees", "alone"))
        calibration = Calibration.from_json(written["calibration"])
        known = written["kind"], int(written["findings"]), float(written["share"])
        return cls(*known, trees, calibration, alone, float(written.get("level", 0.0)))


def _trees(text: str | None) -> Trees | None:
    return None if text is None else Trees.of(lgb.Booster(model_str=text))


def mixed(chance: Floats, alone: Floats, level: float | Floats) -> Floats:
    """Return chances whose odds are the geometric mean of those of a chance and of the log-odds `alone`, at a level."""
    certain = np.minimum(chance, MOST_CERTAIN)
    odds = np.sqrt(certain / (1.0 - certain)) * exp(np.clip(level + alone / 2.0, -FARTHEST, FARTHEST))
    return odds / (1.0 + odds)


def chances_of(kinds: tuple[KindOfFinding, ...], matrix: Floats, risk: Floats) -> dict[str, Floats]:
    """Return the chance of each kind by its column, rounded: the same for one row and for many."""
    if not kinds or not len(matrix):
        return {f"{CHANCE}{kind.code}": np.empty(0) for kind in kinds}
    chances = np.array([risk * kind.given_a_finding(matrix) for kind in kinds])
    alone = {place: kind.alone.margins(matrix) for place, kind in enumerate(kinds) if kind.alone is not None}
    if alone:
        places = list(alone)
        levels = np.array([[kinds[place].level] for place in places])
        together = mixed(chances[places], np.array(list(alone.values())), levels)
        chances[places] = np.minimum(together, risk)
    rounded = np.round(chances, PLACES)
    return {f"{CHANCE}{kind.code}": rounded[place] for place, kind in enumerate(kinds)}
