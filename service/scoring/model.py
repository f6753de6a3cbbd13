"""The trees, and everything that must travel with them to turn model rows into risks and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.assemble import Fits, Rows
from features.catalogue import Input
from service.scoring.calibration import Calibration
from service.scoring.severity import Severity
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
TAIL = 20  # steps of the reference that tell how its upper tail falls off


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model.

    levels: the known levels of each category, in the order of their codes.
    facts: what its signed manifest says of it: who promoted it, when and why, and how it did on days it never saw.
    reference: margins of one ordinary day at equal steps of rank, lowest first: where a live score stands.
    trees: none where rules alone decide. severity: of findings; none where too few were known.
    """

    model_id: str
    sha256: str
    fingerprint: str
    inputs: tuple[Input, ...]
    fits: Fits
    levels: dict[str, list[str]]
    calibration: Calibration
    reference: Floats
    trees: Trees | None
    facts: Mapping[str, Any] = field(default_factory=dict)
    severity: Severity | None = None

    def score(self, rows: Rows) -> Scores:
        """Margins and calibrated risks of model rows; without trees all unknown, never low."""
        matrix = matrix_of(rows.frame, self.inputs, self.levels)
        if self.trees is None:
            unknown = [pl.lit(None, pl.Float64).alias(name) for name in ("margin", "risk", "share_below")]
            return Scores(rows.frame.select("row", *unknown), matrix, rows, self)
        margin = self.trees.margins(matrix)
        risk = self.calibration.apply(margin)
        share_below = place_among(self.reference, margin)
        frame = pl.DataFrame({"row": rows.frame["row"], "margin": margin, "risk": risk, "share_below": share_below})
        return Scores(frame, matrix, rows, self)


def place_among(reference: Floats, margin: Floats) -> Floats:
    """The share of an ordinary day that scores lower; above all of it still rising, as its upper tail falls off.

    The best few of a day may all score above the highest step of the reference, and they must not count as equals.
    """
    below = np.searchsorted(reference, margin, side="left") / max(len(reference), 1)
    if len(reference) < TAIL:
        return below
    highest, excess = reference[-1], float(np.mean(reference[-TAIL:] - reference[-TAIL]))
    beyond = 1.0 - np.exp(-np.maximum(margin - highest, 0.0) / max(excess, 1e-9)) / len(reference)
    return np.where(margin > highest, beyond, below)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one message.

    frame: `row`, `margin` (log-odds), `risk` (0–1), `share_below` (share of an ordinary day that scores lower); null
        where rules alone decide.
    matrix: rows × inputs as the trees saw them.
    """

    frame: pl.DataFrame
    matrix: Floats
    rows: Rows
    model: Model

    def severity(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> Floats:
        """The chance of chosen rows that a finding would be dangerous or criminal; NaN where no model tells."""
        places = np.asarray(chosen, dtype=np.int64)
        if self.model.severity is None:
            return np.full(len(places), np.nan)
        return self.model.severity.of(self.matrix[places])

    def contributions(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> Floats:
        """Exact Shapley values of the margin: chosen × inputs + 1, the last column the expected margin."""
        explained = self.matrix[np.asarray(chosen, dtype=np.int64)]
        if self.model.trees is None:
            return np.zeros((len(explained), explained.shape[1] + 1))
        return self.model.trees.contributions(explained)


def matrix_of(frame: pl.DataFrame, inputs: tuple[Input, ...], levels: dict[str, list[str]]) -> Floats:
    """Model rows as the trees take them: rows × inputs, categories by code, NaN where unknown or a new level."""
    frozen = tuple((name, tuple(known)) for name, known in levels.items())
    matrix: Floats = frame.select(_columns(inputs, frozen)).to_numpy()
    return np.ascontiguousarray(matrix, dtype=np.float64)


@lru_cache(maxsize=16)
def _columns(inputs: tuple[Input, ...], levels: tuple[tuple[str, tuple[str, ...]], ...]) -> tuple[pl.Expr, ...]:
    codes = {name: {level: float(code) for code, level in enumerate(known)} for name, known in levels}
    return tuple(
        pl.col(item.name).replace_strict(codes[item.name], default=None, return_dtype=pl.Float64)
        if item.kind == "category" and codes[item.name]
        else pl.col(item.name).cast(pl.Float64, strict=False)
        for item in inputs
    )
