"""Chances by kind of finding: what tells a kind from the others, and the kind alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
from scipy.optimize import brentq

from pipelines.training.hyper_parameters import SEVERITY_PARAMETERS
from service.scoring.by_kind import KindOfFinding, mixed
from service.scoring.calibration import FARTHEST

if TYPE_CHECKING:
    from pipelines.training.train import Fitted, Flags, Floats, Integers, Learner

LEAST_TOLD_APART = 8  # findings of a kind, and of others: with fewer, its share stands for it
LEAST_ALONE = 5  # findings of a kind from which trees of it alone are grown
LEAST_STATED = 3  # findings of a kind below which no chance of it is stated
FASTER = {"learning_rate": 0.15}  # a third of the usual number of trees does, as each call walks those of every kind
MOST_TREES = 100  # of each of both


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


def kinds_of(learner: Learner, overall: Fitted, findings: pl.Series, rows: Integers) -> tuple[KindOfFinding, ...]:
    """Learn the kinds of the findings among these rows, which are in order of time; none where nothing was named.

    overall: what the learner fitted on these rows.
    """
    named = named_in(findings)
    known = np.array([row for row in rows.tolist() if named[row] and learner.hit[row]], np.int64)
    learned = []
    for code, count in kinds_known([named[row] for row in known.tolist()]).items():
        of_kind = np.array([code in kinds for kinds in named], np.bool_)
        kind = _told_apart(KindOfFinding(code, count, (count + 1) / (len(known) + 2)), learner, of_kind, known)
        learned.append(_mixed(kind, learner, overall, of_kind, rows) if count >= LEAST_ALONE else kind)
    return tuple(learned)


def _told_apart(kind: KindOfFinding, learner: Learner, of_kind: Flags, known: Integers) -> KindOfFinding:
    """Learn from the known findings alone what tells those of the kind from the others."""
    if min(kind.findings, len(known) - kind.findings) < LEAST_TOLD_APART:
        return kind
    free = {"monotone_constraints": [0] * len(learner.inputs)}  # more findings of the past are of no one kind
    apart = learner.telling_apart(of_kind, SEVERITY_PARAMETERS | free | FASTER)
    fitted = replace(apart, most=MOST_TREES).fit(known)
    return replace(kind, trees=fitted.trees, calibration=fitted.calibration)


def _mixed(kind: KindOfFinding, learner: Learner, overall: Fitted, of_kind: Flags, rows: Integers) -> KindOfFinding:
    """Learn the kind alone from all results, and fit the level of the chances that are mixed with it."""
    alone = replace(learner, hit=of_kind & learner.hit, most=MOST_TREES).with_parameters(FASTER).fit(rows)
    risk = overall.calibration.apply(overall.later)
    stacked = risk * kind.given_a_finding(learner.matrix[overall.held])
    return replace(kind, alone=alone.trees, level=_level(kind.share, risk, stacked, alone.later))


def _level(share: float, risk: Floats, stacked: Floats, alone: Floats) -> float:
    """Return the level at which the chances of rows come to the share that the kind has of their risks.

    The share is of all findings, and a level alone is fitted: from ten findings no more can be learned.
    """

    def too_much(level: float) -> float:
        return float(np.minimum(mixed(stacked, alone, level), risk).sum() - share * risk.sum())

    return float(brentq(too_much, -FARTHEST, FARTHEST))
