"""A search for hyper-parameters on temporal folds of the days before the test; no trial sees a test row."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from sklearn.metrics import average_precision_score

from features.catalogue import Input
from features.fault import Fault
from pipelines.training.hyper_parameters import CHOSEN, PARAMETERS
from pipelines.training.train import Learner, Split, folds_of, learner_of
from pipelines.training.training_frame import TrainingFrame
from pipelines.training.tree_growing import HERE, Grower

Integers = npt.NDArray[np.int64]
Parameters = dict[str, float | int]
LOSS, PRECISION = "validation.log_loss", "validation.average_precision"


class NoSearch(Fault):
    """A search that cannot be made; the message says why."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long to search: trials at most, and seconds after which no further one begins; seed of what is drawn."""

    trials: int
    seconds: float | None = None
    seed: int = 0


@dataclass(frozen=True, slots=True)
class Trial:
    """One set of hyper-parameters with its figures, means over the folds' later rows."""

    number: int
    parameters: Parameters
    figures: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Found:
    """All trials, the first with the standard hyper-parameters, and the one with the least loss."""

    trials: Sequence[Trial]
    best: Trial

    @property
    def better(self) -> bool:
        """Tell whether any trial did better than the standard hyper-parameters."""
        return self.best.number > 0


def search(
    frame: TrainingFrame,
    inputs: Sequence[Input],
    split: Split,
    plan: Plan,
    *,
    fixed: Mapping[str, float | int] | None = None,
    noted: Callable[[Trial], None] = lambda _: None,
    grower: Grower = HERE,
) -> Found:
    """Try hyper-parameters by the tree-structured Parzen estimator, as many and as long as planned.

    fixed: those that a person chose, which are not searched. noted: called after each trial. The same seed tries the
    same, unless the seconds end it. Raises NoSearch without optuna, or where folds hold no findings.
    """
    optuna = optuna_or_why()
    fixed = dict(fixed or {})
    learner = learner_of(frame, split.learn, inputs, grower, fixed)
    folds = temporal_folds(frame.facts, np.flatnonzero(split.learn))
    if not folds:
        raise NoSearch(
            "too few findings before the test to search by; choose a later --test-from or leave --search out"
        )
    trials: list[Trial] = []

    def tried(drawn: Any) -> float:
        parameters = fixed | {
            item.name: drawn.suggest_int(item.name, *map(int, item.searched), log=item.on_logs)
            if item.whole
            else drawn.suggest_float(item.name, *item.searched, log=item.on_logs)
            for item in CHOSEN
            if item.searched and item.name not in fixed
        }
        trials.append(Trial(drawn.number, parameters, _figures(learner, parameters, folds)))
        noted(trials[-1])
        return trials[-1].figures[LOSS]

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=plan.seed))
    study.enqueue_trial(
        {item.name: PARAMETERS[item.name] for item in CHOSEN if item.searched and item.name not in fixed}
    )
    study.optimize(tried, n_trials=plan.trials, timeout=plan.seconds)
    return Found(trials, min(trials, key=lambda trial: trial.figures[LOSS]))


def temporal_folds(facts: pl.DataFrame, rows: Integers) -> list[tuple[Integers, Integers]]:
    """Split rows by time, leaving out of each earlier part what was not known yet when the later part began.

    Folds whose parts have no finding, or nothing else, are left out.
    """
    known, lodged, hit = (facts[name].to_numpy() for name in ("known_at", "lodged_at", "hit"))
    folds = [(earlier[known[earlier] < lodged[later].min()], later) for earlier, later in folds_of(rows) if len(later)]
    return [fold for fold in folds if all(0 < hit[part].sum() < len(part) for part in fold)]


def _figures(learner: Learner, parameters: Parameters, folds: Sequence[tuple[Integers, Integers]]) -> dict[str, float]:
    started = time.perf_counter()
    fitted = learner.with_parameters(parameters)
    rounds, losses, margins = fitted.stopped(folds)
    precision = [average_precision_score(learner.hit[later], m) for m, (_, later) in zip(margins, folds, strict=True)]
    return {
        LOSS: losses,
        PRECISION: float(np.mean(precision)),
        "trees": float(rounds),
        "seconds": time.perf_counter() - started,
    }


def optuna_or_why() -> Any:
    """Return optuna; raises NoSearch where it is not installed."""
    try:
        import optuna
    except ImportError:
        raise NoSearch("a search needs optuna: install `tamis[search]`") from None
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    return optuna
