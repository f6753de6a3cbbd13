"""Chances by kind of finding: what a finding would be of, stacked on the overall risk.

A model of its own for every kind would have a tenth of the findings to learn from. Here all findings teach the overall
risk, and of each kind only what a finding would be is learned: from findings alone, or, where those are too few, as
the share that the kind has among them. The chance of a kind is the product, so that it never exceeds the risk.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt

from service.scoring.calibration import Calibration
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
CHANCE = "risk_"  # before a kind: the column of its chance, which rules may name
AS_IT_IS = Calibration("none")
PLACES = 6  # decimal places of a chance


@dataclass(frozen=True, slots=True)
class KindOfFinding:
    """What is known of one kind.

    findings: of this kind, that it was learned from. share: of all findings, drawn a little to one half. trees: none
    where the share stands for them.
    """

    code: str
    findings: int
    share: float
    trees: Trees | None = None
    calibration: Calibration = AS_IT_IS

    def given_a_finding(self, matrix: Floats) -> Floats:
        """Return for encoded rows the probability that a finding would be of this kind."""
        if self.trees is None:
            return np.full(len(matrix), self.share)
        return self.calibration.apply(self.trees.margins(matrix))

    def as_json(self) -> dict[str, Any]:
        """Return it as a bundle keeps it."""
        text = None if self.trees is None else self.trees.booster.model_to_string()
        known = {"kind": self.code, "findings": self.findings, "share": self.share}
        return {**known, "calibration": self.calibration.as_json(), "trees": text}

    @classmethod
    def from_json(cls, written: Mapping[str, Any]) -> KindOfFinding:
        """Read it as a bundle kept it."""
        trees = None if written["trees"] is None else Trees.of(lgb.Booster(model_str=written["trees"]))
        calibration = Calibration.from_json(written["calibration"])
        return cls(written["kind"], int(written["findings"]), float(written["share"]), trees, calibration)


def chances_of(kinds: tuple[KindOfFinding, ...], matrix: Floats, risk: Floats) -> dict[str, Floats]:
    """Return the chance of each kind by its column, rounded: the same for one row and for many."""
    return {
        f"{CHANCE}{kind.code}": np.round(risk * kind.given_a_finding(matrix), PLACES) if len(matrix) else np.empty(0)
        for kind in kinds
    }
