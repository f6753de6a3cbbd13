"""Whether a first model is shown to beat the rules that decide: by the checks that were drawn, each with its chance.

What rules had checked is no fair ground for a model's order: it ranks those few well long before it finds anything
among the many that nobody looked at. So what counts is what it would have sent itself. Of the consignments of later
days, each scored by trees that learned from earlier results alone, it would send as many as were checked. Some of
these were drawn while rules decided, with a chance that is on record: each stands for as many as its chance says. The
share of them with a finding must exceed, with 95 % confidence, that of all checks of these days; on the results of
today and on those that were known a week ago, as one week's luck is no proof. And the drawn checks must stand for a
third at least of what it would send: a model may look well where rules look too, and poor where nobody does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import polars as pl

from features.catalogue import Input
from features.intervals import wilson_of
from pipelines.training.results_needed import Results
from pipelines.training.shown_beside_rules import Shown
from pipelines.training.train import Flags, Integers, Learner, folds_of, learner_of
from pipelines.training.training_frame import TrainingFrame
from pipelines.training.tree_growing import HERE, Grower
from service.scoring.model import matrix_of

BY_WEIGHT, BY_CHANCE = (
    "exploration",
    "random",
)  # what chance alone drew would have had a chance by weight, not on record
APART = timedelta(days=7)
Z = 1.96


def beside_rules(
    frame: TrainingFrame, inputs: Sequence[Input], grower: Grower = HERE, parameters: Mapping[str, Any] | None = None
) -> tuple[Shown, ...]:
    """Return what is shown by the results known at the end of the frame, and by those known a week before (WHEN)."""
    last: datetime = frame.facts["known_at"].max()  # type: ignore[assignment]  # there are results
    latest = max(frame.end, last)
    ends = (latest, latest - APART)
    return tuple(_shown(frame, _known(frame, end), inputs, grower, parameters or {}) for end in ends)


def _known(frame: TrainingFrame, end: datetime) -> pl.Series:
    return frame.facts.select(pl.col("known_at") <= end).to_series()


def _shown(
    frame: TrainingFrame, known: pl.Series, inputs: Sequence[Input], grower: Grower, parameters: Mapping[str, Any]
) -> Shown:
    if not Results.of(frame.facts.filter(known)).can_learn():
        return Shown()
    learner = learner_of(frame, known.to_numpy(), inputs, grower, parameters)
    chosen, later = _would_send(learner, np.flatnonzero(known.to_numpy()), frame)
    facts = frame.facts[later.tolist()]
    hit = facts["hit"].to_numpy()
    drawn = BY_WEIGHT if (facts["selection"] == BY_WEIGHT).any() else BY_CHANCE
    known_chance = (pl.col("selection") == drawn) & (pl.col("selection_probability") > 0)
    sent = chosen & facts.select(known_chance.fill_null(False)).to_series().to_numpy()
    if not sent.any():
        return Shown(found=float(hit.mean()))
    weight = 1.0 / facts["selection_probability"].to_numpy()[sent]
    share = float((weight * hit[sent]).sum() / weight.sum())
    low, _ = wilson_of(share, float(weight.sum() ** 2 / (weight**2).sum()), Z)
    return Shown(int(sent.sum()), min(float(weight.sum()) / len(hit), 1.0), share, low, float(hit.mean()))


def _would_send(learner: Learner, rows: Integers, frame: TrainingFrame) -> tuple[Flags, Integers]:
    """Return whether trees of earlier rows would send each later row, where they send as many as were checked.

    What scores as the last of those is sent too: few results make few steps.
    """
    folds = folds_of(rows)
    boosters, rounds, _ = learner.grown(folds)
    ordinary = matrix_of(frame.ordinary, learner.inputs, learner.levels)
    not_sent = 1.0 - frame.facts.height / frame.consignments
    sent = []
    for booster, (_, later) in zip(boosters, folds, strict=True):
        usual = np.asarray(booster.predict(ordinary, raw_score=True, num_iteration=rounds))
        margin = np.asarray(booster.predict(learner.matrix[later], raw_score=True, num_iteration=rounds))
        sent.append(margin >= np.quantile(usual, not_sent, method="higher"))
    return np.concatenate(sent), np.concatenate([later for _, later in folds])
