"""A search for hyper-parameters, told as it goes, with each trial as a nested run of MLflow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from features.catalogue import Input
from pipelines import show
from pipelines.training.code_version import code_version
from pipelines.training.hyper_parameters import as_toml
from pipelines.training.registry import Registry
from pipelines.training.search import LOSS, PRECISION, Found, Plan, Trial, search
from pipelines.training.train import split_by_time
from pipelines.training.training_frame import TrainingFrame
from pipelines.training.training_run import TrainingRun, place_of, title_of
from pipelines.training.tree_growing import Grower
from service.settings import Settings


def search_parameters(
    settings: Settings,
    frame: TrainingFrame,
    inputs: Sequence[Input],
    name: str,
    plan: Plan,
    *,
    fixed: Mapping[str, float | int],
    test_from: datetime | None,
    grower: Grower,
) -> tuple[dict[str, float | int], str]:
    """Search before the test days, and keep what was found as a file for `--params`; the best, and the search's run."""
    split = split_by_time(frame.facts, test_from)
    show.line(f"searching on folds before {split.test_from:%Y-%m-%d}: {show.counted(plan.trials, 'trial')} at most")
    tags = code_version(inputs) | {"tamis.purpose": "search", "tamis.home": place_of(settings.home)}
    title = title_of(name, frame.end.isoformat(), settings.home, "search")
    with Registry(settings).searching(title, name, tags) as run:

        def noted(trial: Trial) -> None:
            run.trial(TrainingRun(f"trial {trial.number}", trial.parameters, trial.figures, tags))

        found = search(frame, inputs, split, plan, fixed=fixed, noted=noted, grower=grower)
        run.conclude(
            {"trials": len(found.trials), "sampler_seed": plan.seed, "best_trial": found.best.number},
            {f"best.{figure}": value for figure, value in found.best.figures.items()},
        )
    tell(found)
    settings.reports.mkdir(parents=True, exist_ok=True)
    file = settings.reports / f"{name}-parameters.toml"
    file.write_text(as_toml(found.best.parameters), encoding="utf-8")
    show.line(f"the best are kept in {file}, for `tamis train --params`")
    return found.best.parameters, run.id


def tell(found: Found) -> None:
    """Say what the best trial gained on the folds, which is more than it will gain on days to come."""
    first, best = found.trials[0], found.best
    show.line(
        f"{show.counted(len(found.trials), 'trial')}; log-loss on later rows {best.figures[LOSS]:.4f} in trial "
        f"{best.number}, {first.figures[LOSS]:.4f} with the standard ones; average precision "
        f"{best.figures[PRECISION]:.3f} and {first.figures[PRECISION]:.3f}"
    )
    if not found.better:
        show.line("no trial did better than the standard hyper-parameters; they are used")
        return
    changed = ", ".join(f"{name} {value:.4g}" for name, value in best.parameters.items())
    show.line(f"used: {changed}")
    show.line("what the folds show is the best of many tries; the test days below took no part and can be believed")
