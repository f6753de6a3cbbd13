"""What inputs of the receiving side are worth, in worlds with resellers at home: with them and without, by the truth.

python -m tests.bench.receiving [--seeds 1-5] [--days 120] [--per-day 1000]

Both models learn from the results of one regime, which looks at senders and goods, and rank the same later days.
"""

from __future__ import annotations

import argparse

import numpy as np
import polars as pl

from features.catalogue import INPUTS, Input
from features.columns import receiving
from features.definition import DEFINITIONS
from pipelines.benchmark.baselines import Rung
from pipelines.benchmark.world_evidence import Evidence, Size
from pipelines.synthetic.receivers import is_receiving, with_receivers
from pipelines.synthetic.world_settings import World, load_world
from pipelines.training.ranking_metrics import Floats
from tests.bench.rungs import judged

WITHOUT, WITH = "without inputs of the receiving side", "with them"
OF_SCHEMES, OF_REST, OF_HONEST = "recall at 5 % of these schemes", "precision at 1 % of the rest", "honest homes at 5 %"


def _is_of_receiving(item: Input) -> bool:
    definition = DEFINITIONS.get(item.name)
    return definition is not None and definition.written.__module__ == receiving.__name__


RUNGS = (
    Rung(WITHOUT, tuple(item for item in INPUTS if not _is_of_receiving(item))),
    Rung(WITH, INPUTS),
)


def measured(seed: int, size: Size, world: World) -> dict[str, dict[str, float]]:
    """Return the figures of each model in the world of a seed, and of each scheme its recall at 5 %."""
    return judged(RUNGS, seed, size, world, _figures)


def _figures(evidence: Evidence, margin: Floats) -> dict[str, float]:
    """Judge a ranking; the rest, whose precision counts, are all parcels but those of the schemes that receive."""
    schemes = [scheme.name for scheme in evidence.world.schemes if is_receiving(scheme)]
    ranked = evidence.frame.filter("judged").with_columns(pl.Series("margin", margin))
    place = pl.col("margin").rank("ordinal", descending=True).over("day") / pl.len().over("day")
    of_schemes = pl.col("scheme").is_in(schemes)
    received = ranked.with_columns(place.alias("place")).filter(of_schemes & pl.col("illicit"))
    rest = ranked.filter(~of_schemes).with_columns(place.alias("place"))
    return {
        OF_SCHEMES: _share(received, 0.05),
        OF_REST: float(np.mean(rest.filter(pl.col("place") <= 0.01)["illicit"].to_numpy())),
        **{f"recall at 5 %: {name}": _share(received.filter(scheme=name), 0.05) for name in schemes},
    }


def _share(illicit: pl.DataFrame, top: float) -> float:
    return float(np.mean(illicit["place"].to_numpy() <= top)) if illicit.height else float("nan")


def table(worlds: dict[int, dict[str, dict[str, float]]]) -> str:
    """Tabulate in Markdown each figure without and with the inputs, of each world and the mean."""
    names = list(next(iter(worlds.values()))[WITH])
    lines = [
        "| | " + " | ".join(f"world {seed}" for seed in worlds) + " | mean, least rise |",
        "|---" * (len(worlds) + 2) + "|",
    ]
    for name in names:
        pairs = np.array([[of[WITHOUT][name], of[WITH][name]] for of in worlds.values()])
        rise = pairs[:, 1] - pairs[:, 0]
        cells = [f"{before:.3f}, {after:.3f}" for before, after in pairs]
        before, after = np.nanmean(pairs, axis=0)
        lines.append(f"| {name} | " + " | ".join(cells) + f" | {before:.3f}, {after:.3f}; {np.nanmin(rise):+.3f} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table for worlds with the schemes of the receiving side."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-5")
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--per-day", type=int, default=1000)
    asked = parser.parse_args()
    first, _, last = asked.seeds.partition("-")
    size = Size(asked.days, asked.per_day, round(asked.days * 2 / 3))
    worlds = {}
    for seed in range(int(first), int(last or first) + 1):
        worlds[seed] = measured(seed, size, with_receivers(load_world()))
        print(seed, worlds[seed], flush=True)
    print(table(worlds))


if __name__ == "__main__":
    main()
