"""Chances by kind of finding: of each kind, what tells it from the other findings, learned from findings alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import polars as pl

from pipelines.training.hyper_parameters import SEVERITY_PARAMETERS
from service.scoring.by_kind import KindOfFinding

if TYPE_CHECKING:
    from pipelines.training.train import Learner

LEAST_TOLD_APART = 8  # findings of a kind, and of others: with fewer, its share stands for it
LEAST_STATED = 3  # findings of a kind below which no chance of it is stated


def named_in(findings: pl.Series) -> list[tuple[str, ...]]:
    """Return the kinds that each result names."""
    cells = findings.fill_null("").to_list()
    return [tuple(word for part in cell.split(";") if (word := part.strip())) for cell in cells]


def kinds_known(named: Sequence[tuple[str, ...]]) -> dict[str, int]:
    """Return how many findings there are of each kind of which a chance can be stated, the most frequent first."""
    counts = Counter(kind for kinds in named for kind in dict.fromkeys(kinds))
    return {kind: count for kind, count in sorted(counts.items(), key=_most_first) if count >= LEAST_STATED}


def _most_first(counted: tuple[str, int]) -> tuple[int, str]:
    kind, count = counted
    return -count, kind


def kinds_of(learner: Learner, findings: pl.Series, rows: npt.NDArray[np.int64]) -> tuple[KindOfFinding, ...]:
    """Learn the kinds of the findings among these rows, which are in order of time; none where nothing was named."""
    named = named_in(findings)
    known = np.array([row for row in rows.tolist() if named[row] and learner.hit[row]], np.int64)
    counts = kinds_known([named[row] for row in known.tolist()])
    return tuple(_kind(learner, kind, count, named, known) for kind, count in counts.items())


def _kind(
    learner: Learner, kind: str, count: int, named: Sequence[tuple[str, ...]], known: npt.NDArray[np.int64]
) -> KindOfFinding:
    share = (count + 1) / (len(known) + 2)
    if min(count, len(known) - count) < LEAST_TOLD_APART:
        return KindOfFinding(kind, count, share)
    free = {"monotone_constraints": [0] * len(learner.inputs)}  # more findings of the past are of no one kind
    of_kind = np.array([kind in kinds for kinds in named], np.bool_)
    fitted = learner.telling_apart(of_kind, SEVERITY_PARAMETERS | free).fit(known)
    return KindOfFinding(kind, count, share, fitted.trees, fitted.calibration)
