"""The model: its trees, and everything needed with them to turn model rows into risks and reasons."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.algebra import Text, exp
from features.algebra.tables import Cells, Table, Wholes, anywhere
from features.assemble import Fits, Rows
from features.catalogue import Input
from features.consignment import NUMBERED
from service.scoring.by_kind import CHANCE, PLACES, KindOfFinding, chances_of
from service.scoring.calibration import Calibration
from service.scoring.severity import Severity
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
FEW = 16  # words of a category that are looked for in the list of its levels
TAIL = 20  # steps of the reference that the upper tail is estimated from


@dataclass(frozen=True, slots=True)
class Model:
    """A loaded model.

    levels: the known levels of each category, in the order of their codes.
    facts: from its signed manifest: by whom, when and why it was promoted, and its figures on unseen days.
    reference: margins of an ordinary day at equal steps of rank, lowest first, to rank live scores against.
    trees: none where rules alone decide. severity: of findings; none where too few are known.
    revised: the identifiers that are read with more care than when it learned; it decides, and should learn anew.
    kinds: of findings; none of a bundle that was made before chances were stated by kind.
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
    revised: tuple[str, ...] = ()
    kinds: tuple[KindOfFinding, ...] = ()

    def score(self, rows: Rows) -> Scores:
        """Compute margins and calibrated risks of model rows; without trees all unknown, never low."""
        matrix = matrix_of(rows, self.inputs, self.levels)
        if self.trees is None:
            unknown = np.full(len(rows), np.nan)
            return Scores(scored(rows, unknown, unknown, unknown), matrix, rows, self)
        margin = self.trees.margins(matrix)
        risk = self.calibration.apply(margin)
        share_below = place_among(self.reference, margin)
        by_kind = chances_of(self.kinds, matrix, risk)
        return Scores(scored(rows, margin, risk, share_below, by_kind), matrix, rows, self)


def scored(
    rows: Rows, margin: Floats, risk: Floats, share_below: Floats, by_kind: Mapping[str, Floats] | None = None
) -> Table:
    """Return what scores come to, by column, for the rows of a model; by_kind: chances by their columns."""
    row = Wholes(rows.row.astype(np.int64))
    overall: dict[str, Cells] = {"row": row, "margin": margin, "risk": risk, "share_below": share_below}
    return Table.of({**overall, **(by_kind or {})}, NUMBERED)


def place_among(reference: Floats, margin: Floats) -> Floats:
    """Return the share of an ordinary day that scores lower; beyond its highest score an estimated upper tail.

    The best few of a day may all score above the highest step of the reference, and must not count as equals.
    """
    below = np.searchsorted(reference, margin, side="left") / max(len(reference), 1)
    if len(reference) < TAIL or not anywhere(margin > reference[-1]):
        return below
    highest, excess = reference[-1], float(np.mean(reference[-TAIL:] - reference[-TAIL]))
    beyond = 1.0 - exp(-np.maximum(margin - highest, 0.0) / max(excess, 1e-9)) / len(reference)
    return np.where(margin > highest, beyond, below)


@dataclass(frozen=True, slots=True)
class Scores:
    """Scores of one message.

    table: `row`, `margin` (log-odds), `risk` (0–1), `share_below` (share of an ordinary day that scores lower); null
        where rules alone decide; and the chance of each kind of finding that the model knows. `frame` is the same.
    matrix: rows × inputs as the trees saw them.
    """

    table: Table
    matrix: Floats
    rows: Rows
    model: Model

    @property
    def frame(self) -> pl.DataFrame:
        """Scores as a frame."""
        return self.table.frame

    def by_kind(self) -> dict[str, Floats]:
        """Return the chance of each kind of finding, by kind; empty where the model knows none."""
        names = [f"{CHANCE}{kind.code}" for kind in self.model.kinds]
        return {name.removeprefix(CHANCE): self.table.number(name) for name in names if name in self.table.kinds}

    def bounds(self) -> tuple[Floats, Floats]:
        """Return between which chances the true share of findings lies nine times in ten; NaN where none is known."""
        risk = self.table.number("risk")
        low, high = self.model.calibration.bounds(self.table.number("margin"))
        return np.minimum(np.round(low, PLACES), risk), np.maximum(np.round(high, PLACES), risk)

    def severity(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> Floats:
        """Return for chosen rows the probability that a finding would be dangerous or criminal; NaN without a model."""
        places = np.asarray(chosen, dtype=np.int64)
        if self.model.severity is None:
            return np.full(len(places), np.nan)
        return self.model.severity.of(self.matrix[places])

    def contributions(self, chosen: Sequence[int] | npt.NDArray[np.int64]) -> Floats:
        """Compute exact Shapley values of the margin: chosen × inputs + 1, the last column the expected margin."""
        explained = self.matrix[np.asarray(chosen, dtype=np.int64)]
        if self.model.trees is None:
            return np.zeros((len(explained), explained.shape[1] + 1))
        return self.model.trees.contributions(explained)


def matrix_of(rows: Rows, inputs: Sequence[Input], levels: Mapping[str, Sequence[str]]) -> Floats:
    """Encode model rows for the trees: rows × inputs, categories by code, NaN where unknown or a new level."""
    names = [item.name for item in inputs]
    columns = [rows.columns[name] for name in names]
    texts = {place: column for place, column in enumerate(columns) if isinstance(column, Text)}
    numbers = [place for place in range(len(columns)) if place not in texts]
    matrix = np.empty((len(rows), len(inputs)))
    if rows.numbers is not None and list(rows.columns) == names:
        matrix[:, numbers] = rows.numbers.T
    else:
        for place in numbers:
            matrix[:, place] = columns[place]  # type: ignore[assignment]  # no text
    for place, text in texts.items():
        matrix[:, place] = _coded(text, levels[names[place]])
    return matrix


def _coded(column: Text, levels: Sequence[str]) -> Floats:
    if len(column.words) < FEW:
        return column.number(lambda word: levels.index(word) if word in levels else math.nan)
    codes = {level: float(code) for code, level in enumerate(levels)}
    return column.number(lambda word: codes.get(word, math.nan))
