"""What habits of senders by country are worth to a model: with these inputs and without, over worlds of the family.

python -m tests.bench.habits [--seeds 101-103] [--days 120] [--per-day 1000]

Both models learn from the results of one regime and rank the same later days, judged by the truth.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from features.catalogue import INPUTS
from features.columns import habitual
from features.parties.graph import Graph
from features.parties.linking import link_with
from pipelines.benchmark import worlds_of
from pipelines.benchmark.baselines import Rung, rank
from pipelines.benchmark.world_evidence import Evidence, Size, as_customs_knew, gather
from pipelines.synthetic.world_settings import World
from pipelines.training.ranking_metrics import Floats

RUNGS = (
    Rung("without", tuple(item for item in INPUTS if not hasattr(habitual, item.name))),
    Rung("with", INPUTS),
)


def measured(seed: int, size: Size, world: World) -> dict[str, tuple[float, float]]:
    """Return precision at 1 % a day and average precision within days of each model."""
    with tempfile.TemporaryDirectory() as folder:
        consignments, outcomes, truth = gather(Path(folder), seed, size, world)
    linked = link_with(consignments, Graph())[0]
    evidence = as_customs_knew(linked, outcomes, truth, INPUTS, size, world)
    return {rung.name: _figures(evidence, rank(rung, evidence)[0]) for rung in RUNGS}


def _figures(evidence: Evidence, margin: Floats) -> tuple[float, float]:
    judged = evidence.frame.filter("judged").with_columns(pl.Series("margin", margin))
    place = pl.col("margin").rank("ordinal", descending=True).over("day") / pl.len().over("day")
    placed = judged.with_columns(place.alias("place"))
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
