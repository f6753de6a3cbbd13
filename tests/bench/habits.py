"""What inputs on how a sender states itself are worth to a model, over worlds of the family, judged by the truth.

    python -m tests.bench.habits [--seeds 101-103] [--days 120] [--per-day 1000]

The model that learns from all inputs, one without habits of senders by country, one without the whole plausibility of
identities, and one that has beside all the largest number in the sender's address, which models learned from before.
Each learns from the results of one regime and ranks the same later days.
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from features.catalogue import EVERY_INPUT, INPUTS, Input
from features.columns import habitual, plausible
from features.definition import DEFINITIONS
from pipelines.benchmark import worlds_of
from pipelines.benchmark.baselines import Rung
from pipelines.benchmark.world_evidence import Evidence, Size
from pipelines.synthetic.world_settings import World
from pipelines.training.ranking_metrics import Floats
from tests.bench.rungs import judged

HABITS, PLAUSIBILITY = (habitual.__name__,), (habitual.__name__, plausible.__name__)


def _is_of(item: Input, modules: tuple[str, ...]) -> bool:
    definition = DEFINITIONS.get(item.name)
    return definition is not None and definition.written.__module__ in modules


RUNGS = (
    Rung("all", INPUTS),
    Rung("without habits", tuple(item for item in INPUTS if not _is_of(item, HABITS))),
    Rung("without plausibility", tuple(item for item in INPUTS if not _is_of(item, PLAUSIBILITY))),
    Rung("with the largest number", EVERY_INPUT),
)


def measured(seed: int, size: Size, world: World) -> dict[str, tuple[float, float]]:
    """Return precision at 1 % a day and average precision within days of each model."""
    return judged(RUNGS, seed, size, world, _figures)


def _figures(evidence: Evidence, margin: Floats) -> tuple[float, float]:
    ranked = evidence.frame.filter("judged").with_columns(pl.Series("margin", margin))
    place = pl.col("margin").rank("ordinal", descending=True).over("day") / pl.len().over("day")
    placed = ranked.with_columns(place.alias("place"))
    first = placed.filter(pl.col("place") <= 0.01)["illicit"].to_numpy()
    return float(first.mean()), float(average_precision_score(placed["illicit"], -placed["place"].to_numpy()))


def main() -> None:
    """Print a line for each world and the mean: precision at 1 % / average precision."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="101-103")
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--per-day", type=int, default=1000)
    asked = parser.parse_args()
    worlds = worlds_of("family", asked.seeds)
    size = Size(asked.days, asked.per_day, round(asked.days * 2 / 3))
    every = []
    for seed in worlds.seeds:
        of_world = measured(seed, size, worlds.world_of(seed))
        every.append([of_world[rung.name] for rung in RUNGS])
        print(seed, {name: f"{first:.3f} / {whole:.3f}" for name, (first, whole) in of_world.items()}, flush=True)
    mean = np.mean(every, axis=0)
    print("mean", {rung.name: f"{first:.3f} / {whole:.3f}" for rung, (first, whole) in zip(RUNGS, mean, strict=True)})


if __name__ == "__main__":
    main()
