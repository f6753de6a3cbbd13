"""Learn a model from what inspections revealed, calibrate it, and say how good it is on days it never saw."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import lightgbm as lgb
import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.isotonic import IsotonicRegression
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss

from features.assemble import Rows
from features.catalogue import Input, direction_of, fingerprint
from pipelines.evaluation import Comparison, compare
from pipelines.growing import HERE, Grower, Labels
from pipelines.training_frame import NothingToLearn, TrainingFrame
from service.scoring.calibration import Calibration
from service.scoring.model import Model, matrix_of
from service.scoring.severity import Severity
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
PARAMETERS: dict[str, Any] = {
    "objective": "binary",
    "learning_rate": 0.05,
    "num_leaves": 7,
    "min_data_in_leaf": 20,
    "feature_fraction": 0.3,
    "bagging_fraction": 0.8,
    "bagging_freq": 1,
    "lambda_l2": 5.0,
    "cat_smooth": 20.0,
    "max_cat_threshold": 16,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 2026,
    "verbosity": -1,
}
LEAST_FINDINGS = 30  # of each kind, grave and not: fewer teach nothing of how grave a finding would be
# Findings are few: only what tells what the goods are is asked, as danger lies there, and how grave the findings with
# the same identifiers and of the same network were; all else of who sent them adds noise (tests/bench/track.py).
WHAT_IT_IS = ("value", "gross", "mass", "pieces", "goods_", "wording", "identifiers_grave", "network_grave")
SEVERITY_PARAMETERS: dict[str, Any] = {
    "num_leaves": 4,
    "min_data_in_leaf": 10,
    "lambda_l2": 20.0,
    "cat_smooth": 5.0,
    "min_data_per_group": 5,
}
ONE_THREAD_UP_TO = 100_000  # rows; below it threads wait for one another longer than they work
TEST_SHARE = 0.15  # of labelled rows, the latest: nothing is learned from them
FOLDS = (0.55, 0.70, 0.85)  # learn on the rows up to this share by time, stop and calibrate on those up to the next
REFERENCE_STEPS = 1001
GOLDEN_ROWS = 200


@dataclass(frozen=True, slots=True)
class Split:
    """Labelled rows by time: to learn from, and to test on."""

    learn: Flags
    test: Flags
    test_from: datetime


@dataclass(frozen=True, slots=True)
class Trained:
    """A model, what it was compared with, and a few rows whose scores will prove a copy of it.

    margin: of every labelled row, by the model that the results before the test taught.
    """

    model: Model
    golden: Rows
    margin: Floats
    comparison: Comparison
    split: Split
    facts: Mapping[str, Any]


def train(
    frame: TrainingFrame,
    inputs: Sequence[Input],
    model_id: str,
    *,
    test_from: datetime | None = None,
    lookup: Sequence[str] = (),
    caution: str = "",
    test_apart: bool = False,
    grower: Grower = HERE,
) -> Trained:
    """A model of all results, and how one of the results before the test did on the days of the test.

    How many trees, and how margins become probabilities, is decided on later rows than those learned from, three
    times over; then one model learns from all of them. It is judged on days that taught it nothing; what serves is
    learned again in the same way, the days of the test included, because the newest schemes show there; unless they
    are kept apart, as a published split asks.
    """
    split = split_by_time(frame.facts, test_from)
    past = _learner(frame, split.learn, inputs, grower)
    judged = past.fit(np.flatnonzero(split.learn))
    margin = judged.trees.margins(past.matrix)
    comparison = compare(frame, split.test, margin, judged.calibration.apply(margin), lookup=lookup, caution=caution)
    everything, fitted = past, judged
    if not test_apart:
        everything = _learner(frame, np.ones(len(split.learn), dtype=np.bool_), inputs, grower)
        fitted = everything.fit(np.arange(len(split.learn)))
    ordinary = fitted.trees.margins(matrix_of(frame.ordinary.frame, tuple(inputs), everything.levels))
    model = Model(
        model_id=model_id,
        sha256="",
        fingerprint=fingerprint(inputs),
        inputs=tuple(inputs),
        fits=frame.fits,
        levels=everything.levels,
        calibration=fitted.calibration,
        reference=np.quantile(ordinary, np.linspace(0, 1, REFERENCE_STEPS)),
        trees=fitted.trees,
        severity=severity_of(everything, frame.facts["grave"], np.arange(len(split.learn))),
    )
    golden = Rows(frame.ordinary.frame.head(GOLDEN_ROWS))
    return Trained(
        model, golden, margin, comparison, split, _facts(frame, split, fitted, inputs, test_apart=test_apart)
    )


def split_by_time(facts: pl.DataFrame, test_from: datetime | None = None) -> Split:
    """Split labelled rows at a moment; without one, so that the latest 15 % are the test.

    A result that became known only when the test had begun is left out: nobody could have learned from it.
    """
    lodged = facts["lodged_at"].sort()
    test_from = test_from or lodged[int((1 - TEST_SHARE) * (len(lodged) - 1))]
    learn = facts.select((pl.col("lodged_at") < test_from) & (pl.col("known_at") < test_from)).to_series().to_numpy()
    test = facts.select(pl.col("lodged_at") >= test_from).to_series().to_numpy()
    if not learn.any() or not test.any():
        raise NothingToLearn(f"no results before or none after {test_from:%Y-%m-%d}; choose another --test-from")
    return Split(learn, test, test_from)


def folds_of(rows: Integers) -> list[tuple[Integers, Integers]]:
    """Rows in order of time as pairs: earlier rows, and the later ones that they are checked on."""
    edges = [round(share * len(rows)) for share in (*FOLDS, 1.0)]
    return [(rows[:start], rows[start:end]) for start, end in itertools.pairwise(edges)]


def _learner(frame: TrainingFrame, known: Flags, inputs: Sequence[Input], grower: Grower) -> Learner:
    """Labelled rows as trees take them; levels of categories as `known` rows show them."""
    levels = levels_of(frame.rows.frame.filter(pl.Series(known)), inputs)
    matrix = matrix_of(frame.rows.frame, tuple(inputs), levels)
    return Learner(matrix, frame.facts["hit"].to_numpy(), inputs, levels, grower=grower)


def levels_of(rows: pl.DataFrame, inputs: Sequence[Input]) -> dict[str, list[str]]:
    """The levels seen while learning; a new one counts as unknown."""
    categories = [item.name for item in inputs if item.kind == "category"]
    return {name: rows[name].drop_nulls().unique().sort().to_list() for name in categories}


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees, and how their margins become probabilities."""

    trees: Trees
    calibration: Calibration


@dataclass(frozen=True, slots=True)
class Learner:
    """Labelled rows as trees take them.

    always: places of rows of `matrix` that are learned whatever the fold. weight: of each row of `matrix`.
    """

    matrix: Floats
    hit: Flags
    inputs: Sequence[Input]
    levels: dict[str, list[str]]
    always: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    weight: Floats | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grower: Grower = HERE

    def fit(self, rows: Integers) -> Fitted:
        """Trees on `rows`, which are in order of time: stopped and calibrated on the later of them, learned on all."""
        rounds, calibration = self.stop_and_calibrate(folds_of(rows))
        return Fitted(self.learn(rows, rounds), calibration)

    def learn(self, rows: Integers, rounds: int) -> Trees:
        """Trees on some rows; read back from text, so that it is just what a bundle will hold."""
        learn = self._rows(np.concatenate([rows, self.always]))
        booster = self.grower.grow(self._parameters(), learn, rounds)
        return Trees.of(lgb.Booster(model_str=booster.model_to_string()))

    def stop_and_calibrate(self, folds: Sequence[tuple[Integers, Integers]]) -> tuple[int, Calibration]:
        """The number of trees with the least mean log-loss on later rows, and the calibration of those rows."""
        curves, boosters = [], []
        for earlier, later in folds:
            learn = self._rows(np.concatenate([earlier, self.always]))
            booster, curve = self.grower.watched(self._parameters(), learn, self._rows(later))
            boosters.append(booster)
            curves.append(curve)
        shortest = min(map(len, curves))
        rounds = int(np.argmin(np.mean([curve[:shortest] for curve in curves], axis=0))) + 1
        margin = np.concatenate(
            [
                np.asarray(booster.predict(self.matrix[later], raw_score=True, num_iteration=rounds))
                for booster, (_, later) in zip(boosters, folds, strict=True)
            ]
        )
        return rounds, choose_calibration(margin, self.hit[np.concatenate([later for _, later in folds])])

    def with_seed(self, seed: int) -> Learner:
        """The same with other draws of columns and rows; seed 0 is this one."""
        return replace(self, parameters={**self.parameters, "seed": PARAMETERS["seed"] + seed})

    def _parameters(self) -> dict[str, Any]:
        directions = [direction_of(item.name) for item in self.inputs]
        directed = {"monotone_constraints": directions} if any(directions) else {}
        return (
            PARAMETERS
            | directed
            | dict(self.parameters)
            | ({"num_threads": 1} if len(self.matrix) <= ONE_THREAD_UP_TO else {})
        )

    def _rows(self, rows: Integers) -> Labels:
        return Labels(
            self.matrix[rows],
            self.hit[rows].astype(float),
            None if self.weight is None else self.weight[rows],
            [item.name for item in self.inputs],
            [i for i, item in enumerate(self.inputs) if item.kind == "category"],
        )


def severity_of(learner: Learner, grave: pl.Series, rows: Integers) -> Severity | None:
    """Trees that tell how grave a finding would be, from the findings among some rows; none where they are too few."""
    known = rows[grave.is_not_null().to_numpy()[rows]]
    truth = grave.fill_null(False).to_numpy().astype(np.bool_)
    if min(truth[known].sum(), (~truth[known]).sum()) < LEAST_FINDINGS:
        return None
    inputs = learner.inputs
    free = {
        "monotone_constraints": [0] * len(inputs),  # more hits need not be graver
        "feature_contri": [float(item.kind == "category" or item.name.startswith(WHAT_IT_IS)) for item in inputs],
    }
    findings = Learner(
        learner.matrix, truth, inputs, learner.levels, parameters=SEVERITY_PARAMETERS | free, grower=learner.grower
    )
    fitted = findings.fit(known)
    return Severity(fitted.trees, fitted.calibration)


def choose_calibration(margin: Floats, hit: Flags) -> Calibration:
    """The calibration with the least log-loss on every other row when fitted on the rest; none unless one is better."""
    fit, check = slice(0, None, 2), slice(1, None, 2)
    if len(np.unique(hit[fit])) < 2 or len(np.unique(hit[check])) < 2:
        return Calibration("none")
    candidates = [f(margin[fit], hit[fit]) for f in (_none, _sigmoid, _isotonic)]
    losses = [log_loss(hit[check], np.clip(c.apply(margin[check]), 1e-6, 1 - 1e-6)) for c in candidates]
    return (_none, _sigmoid, _isotonic)[int(np.argmin(losses))](margin, hit)


def _none(_: Floats, __: Flags) -> Calibration:
    return Calibration("none")


def _sigmoid(margin: Floats, hit: Flags) -> Calibration:
    fitted = LogisticRegression(C=1e6).fit(margin[:, None], hit)
    slope = float(fitted.coef_[0, 0])
    return Calibration("sigmoid", slope, float(fitted.intercept_[0])) if slope > 0 else Calibration("none")


def _isotonic(margin: Floats, hit: Flags) -> Calibration:
    fitted = IsotonicRegression(y_min=1 / (len(hit) + 2), y_max=1 - 1 / (len(hit) + 2)).fit(margin, hit.astype(float))
    steps = (tuple(map(float, fitted.X_thresholds_)), tuple(map(float, fitted.y_thresholds_)))
    return Calibration("isotonic", margins=steps[0], probabilities=steps[1])


def _facts(
    frame: TrainingFrame, split: Split, fitted: Fitted, inputs: Sequence[Input], *, test_apart: bool
) -> dict[str, Any]:
    learned_to = split.test_from if test_apart else frame.end
    return {
        "consignments": frame.consignments,
        "labelled": frame.facts.height,
        "learned_on": int(split.learn.sum()) if test_apart else frame.facts.height,
        "judged_after": int(split.learn.sum()),
        "tested_on": int(split.test.sum()),
        "from": frame.start.isoformat(),
        "test_from": split.test_from.isoformat(),
        "to": learned_to.isoformat(),
        "trees": fitted.trees.booster.num_trees(),
        "explained_by": fitted.trees.explained_by,
        "calibration": fitted.calibration.method,
        "inputs": len(inputs),
    }
