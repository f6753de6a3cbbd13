"""Training: fit a model on control results, calibrate it, and evaluate it on days it never saw."""

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

from features.assemble import Rows
from features.catalogue import NAMED_ONLY, Input, direction_of
from features.fingerprint import fingerprint
from pipelines.training.calibrating import choose_calibration
from pipelines.training.evaluation import SENDER_RULE, TAMIS, Comparison, compare, sender_rule
from pipelines.training.hyper_parameters import (
    A_SELECTION,
    OF_THE_MACHINE,
    ONE_THREAD_UP_TO,
    PARAMETERS,
    REPEATING,
    SEVERITY_PARAMETERS,
    WHAT_IT_IS,
)
from pipelines.training.kinds_of_findings import kinds_of
from pipelines.training.results_needed import LEAST_GRAVE
from pipelines.training.training_frame import NothingToLearn, TrainingFrame
from pipelines.training.tree_growing import HERE, MOST_ROUNDS, Grower, Labels
from service.scoring.calibration import Calibration
from service.scoring.model import Model, matrix_of
from service.scoring.severity import Severity
from service.scoring.trees import Trees

Floats = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
Integers = npt.NDArray[np.int64]
TEST_SHARE = 0.15  # of labelled rows, the latest: held out from training
FOLDS = (0.55, 0.70, 0.85)  # fit on the rows up to this share by time, early-stop and calibrate on those up to the next
REFERENCE_STEPS = 1001
GOLDEN_ROWS = 200


@dataclass(frozen=True, slots=True)
class Split:
    """Labelled rows split by time: for training and for the test."""

    learn: Flags
    test: Flags
    test_from: datetime


@dataclass(frozen=True, slots=True)
class Tested:
    """The rows of the test: what each ranking says of them, the chance that the model states, and what was found."""

    rankings: Mapping[str, Floats]
    risk: Floats
    hit: Flags


@dataclass(frozen=True, slots=True)
class Trained:
    """A trained model, its evaluation, and golden rows that verify a copy of it.

    margin: of every labelled row, by the model trained on the results before the test.
    parameters: with which its trees were grown, by LightGBM's names.
    """

    model: Model
    golden: Rows
    margin: Floats
    comparison: Comparison
    split: Split
    facts: Mapping[str, Any]
    tested: Tested
    parameters: Mapping[str, Any]


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
    parameters: Mapping[str, Any] | None = None,
) -> Trained:
    """Train a model on all results, and evaluate one trained on the results before the test on the test days.

    The number of trees and the calibration are chosen on later rows than those fitted, on three folds; then one model
    is fitted on all of them. It is evaluated on unseen days; the serving model is then trained in the same way
    including the test days, because the newest schemes show there; unless `test_apart` excludes them, as a published
    split requires. parameters: of the trees, in place of the standard ones.
    """
    split = split_by_time(frame.facts, test_from)
    before_test = learner_of(frame, split.learn, inputs, grower, parameters or {})
    judged = before_test.fit(np.flatnonzero(split.learn))
    margin = judged.trees.margins(before_test.matrix)
    risk = judged.calibration.apply(margin)
    comparison = compare(frame, split.test, margin, risk, lookup=lookup, caution=caution)
    everything, fitted, learned = before_test, judged, np.flatnonzero(split.learn)
    if not test_apart:
        everything = learner_of(frame, np.ones(len(split.learn), dtype=np.bool_), inputs, grower, parameters or {})
        learned = np.arange(len(split.learn))
        fitted = everything.fit(learned)
    ordinary = fitted.trees.margins(matrix_of(frame.ordinary, inputs, everything.levels))
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
        severity=severity_of(everything, frame.facts["grave"], learned),
        kinds=kinds_of(everything, fitted, frame.facts["findings"], learned),
    )
    golden = Rows.of_frame(frame.ordinary.frame.head(GOLDEN_ROWS))
    facts = _facts(frame, split, fitted, inputs, test_apart=test_apart)
    tested = _tested(frame, split.test, margin, risk)
    return Trained(model, golden, margin, comparison, split, facts, tested, everything.grown_with())


def _tested(frame: TrainingFrame, test: Flags, margin: Floats, risk: Floats) -> Tested:
    rankings = {TAMIS: margin[test], SENDER_RULE: sender_rule(frame, test)}
    return Tested(rankings, risk[test], frame.facts["hit"].to_numpy()[test])


def split_by_time(facts: pl.DataFrame, test_from: datetime | None = None) -> Split:
    """Split labelled rows at a moment; by default, so that the latest 15 % are the test.

    A result that became known only after the test began is left out: it was not available for training then.
    """
    lodged = facts["lodged_at"].sort()
    test_from = test_from or lodged[int((1 - TEST_SHARE) * (len(lodged) - 1))]
    learn = facts.select((pl.col("lodged_at") < test_from) & (pl.col("known_at") < test_from)).to_series().to_numpy()
    test = facts.select(pl.col("lodged_at") >= test_from).to_series().to_numpy()
    if not learn.any() or not test.any():
        raise NothingToLearn(f"no results before or none after {test_from:%Y-%m-%d}; choose another --test-from")
    return Split(learn, test, test_from)


def folds_of(rows: Integers) -> list[tuple[Integers, Integers]]:
    """Split rows in order of time into pairs: earlier rows, and the later ones to validate on."""
    edges = [round(share * len(rows)) for share in (*FOLDS, 1.0)]
    return [(rows[:start], rows[start:end]) for start, end in itertools.pairwise(edges)]


def learner_of(
    frame: TrainingFrame, known: Flags, inputs: Sequence[Input], grower: Grower, parameters: Mapping[str, Any]
) -> Learner:
    """Encode labelled rows for trees; levels of categories are those seen in `known` rows."""
    levels = levels_of(frame.rows.frame.filter(pl.Series(known)), inputs)
    matrix = matrix_of(frame.rows, inputs, levels)
    unused = REPEATING if frame.facts.height <= A_SELECTION * frame.consignments else ()
    hit = frame.facts["hit"].to_numpy()
    return Learner(matrix, hit, inputs, levels, grower=grower, parameters=parameters, unused=unused)


def levels_of(rows: pl.DataFrame, inputs: Sequence[Input]) -> dict[str, list[str]]:
    """Return the levels seen in training; a new one counts as unknown."""
    categories = [item.name for item in inputs if item.kind == "category"]
    return {name: rows[name].drop_nulls().unique().sort().to_list() for name in categories}


@dataclass(frozen=True, slots=True)
class Fitted:
    """Trees, and the calibration of their margins.

    held: the later rows of all folds. later: their margins, by trees that had not learned from them.
    """

    trees: Trees
    calibration: Calibration
    held: Integers
    later: Floats


@dataclass(frozen=True, slots=True)
class Learner:
    """Labelled rows encoded for trees.

    always: places of rows of `matrix` that are in the training part of every fold. weight: of each row of `matrix`.
    unused: names of inputs on which no tree splits. most: trees that are chosen at most.
    """

    matrix: Floats
    hit: Flags
    inputs: Sequence[Input]
    levels: dict[str, list[str]]
    always: Integers = field(default_factory=lambda: np.empty(0, np.int64))
    weight: Floats | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    grower: Grower = HERE
    unused: Sequence[str] = ()
    most: int = MOST_ROUNDS

    def fit(self, rows: Integers) -> Fitted:
        """Fit trees on `rows`, which are in order of time: stopped and calibrated on the later ones, fitted on all."""
        folds = folds_of(rows)
        rounds, _, margins = self.stopped(folds)
        later, held = np.concatenate(margins), np.concatenate([held for _, held in folds])
        return Fitted(self.learn(rows, rounds), choose_calibration(later, self.hit[held]), held, later)

    def learn(self, rows: Integers, rounds: int) -> Trees:
        """Fit trees on these rows; read back from text, so that they equal what a bundle will hold."""
        learn = self._rows(np.concatenate([rows, self.always]))
        booster = self.grower.grow(self._parameters(), learn, rounds)
        return Trees.of(lgb.Booster(model_str=booster.model_to_string()))

    def stopped(self, folds: Sequence[tuple[Integers, Integers]]) -> tuple[int, float, list[Floats]]:
        """Choose the number of trees with the least mean log-loss on later rows; that loss, and the margins of each."""
        boosters, rounds, loss = self.grown(folds)
        margins = [
            np.asarray(booster.predict(self.matrix[later], raw_score=True, num_iteration=rounds))
            for booster, (_, later) in zip(boosters, folds, strict=True)
        ]
        return rounds, loss, margins

    def grown(self, folds: Sequence[tuple[Integers, Integers]]) -> tuple[list[lgb.Booster], int, float]:
        """Grow trees of the earlier rows of each fold; how many of them have the least mean log-loss, and that loss."""
        curves, boosters = [], []
        for earlier, later in folds:
            learn = self._rows(np.concatenate([earlier, self.always]))
            booster, curve = self.grower.watched(self._parameters(), learn, self._rows(later))
            boosters.append(booster)
            curves.append(curve)
        shortest = min(self.most, *map(len, curves))
        losses = np.mean([curve[:shortest] for curve in curves], axis=0)
        rounds = int(np.argmin(losses)) + 1
        return boosters, rounds, float(losses[rounds - 1])

    def telling_apart(self, truth: Flags, parameters: Mapping[str, Any]) -> Learner:
        """Return what learns something else of the same rows and all inputs, with other parameters of the trees.

        It learns of findings alone: few rows, which are not worth the way to the workers of a cluster.
        """
        return Learner(self.matrix, truth, self.inputs, self.levels, parameters=parameters)

    def with_parameters(self, parameters: Mapping[str, Any]) -> Learner:
        """Return the same with other parameters of the trees."""
        return replace(self, parameters={**self.parameters, **parameters})

    def with_seed(self, seed: int) -> Learner:
        """Return the same with other draws of columns and rows; seed 0 is this one."""
        return replace(self, parameters={**self.parameters, "seed": PARAMETERS["seed"] + seed})

    def grown_with(self) -> dict[str, Any]:
        """Return what its trees are grown with, without what only says how this machine does it."""
        chosen = PARAMETERS | dict(self.parameters)
        return {name: value for name, value in chosen.items() if name not in OF_THE_MACHINE}

    def _parameters(self) -> dict[str, Any]:
        directions = [direction_of(item.name) for item in self.inputs]
        directed = {"monotone_constraints": directions} if any(directions) else {}
        return (
            PARAMETERS
            | directed
            | self._split_on()
            | dict(self.parameters)
            | ({"num_threads": 1} if len(self.matrix) <= ONE_THREAD_UP_TO else {})
        )

    def _split_on(self) -> dict[str, Any]:
        """Return what keeps trees from inputs that are there for reasons alone, and from those that are not used."""
        learned = [float(item.name not in (*NAMED_ONLY, *self.unused)) for item in self.inputs]
        return {} if all(learned) else {"feature_contri": learned}

    def _rows(self, rows: Integers) -> Labels:
        return Labels(
            self.matrix[rows],
            self.hit[rows].astype(float),
            None if self.weight is None else self.weight[rows],
            [item.name for item in self.inputs],
            [i for i, item in enumerate(self.inputs) if item.kind == "category"],
        )


def severity_of(learner: Learner, grave: pl.Series, rows: Integers) -> Severity | None:
    """Fit trees for the severity of findings, from the findings among these rows; none where they are too few."""
    known = rows[grave.is_not_null().to_numpy()[rows]]
    truth = grave.fill_null(False).to_numpy().astype(np.bool_)
    if min(truth[known].sum(), (~truth[known]).sum()) < LEAST_GRAVE:
        return None
    inputs = learner.inputs
    free = {
        "monotone_constraints": [0] * len(inputs),  # more hits need not be graver
        "feature_contri": [float(_is_of_goods(item)) for item in inputs],
    }
    fitted = learner.telling_apart(truth, SEVERITY_PARAMETERS | free).fit(known)
    return Severity(fitted.trees, fitted.calibration)


def _is_of_goods(item: Input) -> bool:
    return item.name not in NAMED_ONLY and (item.kind == "category" or item.name.startswith(WHAT_IT_IS))


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
