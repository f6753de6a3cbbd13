"""What each level of evidence is worth, in bits, over worlds of the family: measured beside what LEVELS state.

python -m tests.bench.levels [--seeds 1-6] [--days 60] [--per-day 1500]

The bits of a level are the logarithm of how much likelier two records (cards) of one party share such a value than two
of strangers do. Values that more cards share than the level allows link nobody and are left out, as in the product.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl

from features.parties.evidence import KINDS, LEVELS
from features.parties.linking import with_evidence
from pipelines.benchmark import worlds_of
from pipelines.benchmark.world_evidence import Size, gather
from pipelines.synthetic.world_settings import World


def measured(seed: int, size: Size, world: World) -> pl.DataFrame:
    """Return of each level: the pairs of cards that share a value of it, the share of one party, and the bits."""
    with tempfile.TemporaryDirectory() as folder:
        consignments, _, truth = gather(Path(folder), seed, size, world)
    known = with_evidence(consignments).frame.join(truth.select("consignment_id", "actor_id"), on="consignment_id")
    stated = known.select("card_entity", "actor_id", "sender_evidence").drop_nulls("card_entity")
    owner = stated.group_by("card_entity").agg(pl.col("actor_id").mode().sort().first())
    cards = owner.select("actor_id").group_by("actor_id").len()["len"].cast(pl.Int64)
    everything = owner.height * (owner.height - 1) // 2
    same = int((cards * (cards - 1) // 2).sum())
    values = stated.explode("sender_evidence").drop_nulls().rename({"sender_evidence": "value"})
    values = values.select("card_entity", "value").unique().join(owner, on="card_entity")
    rows = [_of_level(level, values, same, everything - same) for level in range(len(LEVELS))]
    return pl.DataFrame([row for row in rows if row], schema=["level", "pairs", "precision", "bits"], orient="row")


def _of_level(level: int, values: pl.DataFrame, same: int, apart: int) -> tuple[str, int, float, float] | None:
    of_level = values.filter((pl.col("value") & (KINDS - 1)) == level)
    few = of_level.filter(pl.len().over("value").is_between(2, LEVELS[level].max_cards))
    if not few.height:
        return None
    pairs = few.join(few, on="value", suffix="_other").filter(pl.col("card_entity") < pl.col("card_entity_other"))
    pairs = pairs.unique(["card_entity", "card_entity_other"])
    alike = int((pairs["actor_id"] == pairs["actor_id_other"]).sum())
    ratio = ((alike + 0.5) / (same + 1)) / ((pairs.height - alike + 0.5) / (apart + 1))
    return LEVELS[level].name, pairs.height, alike / max(pairs.height, 1), float(np.log2(ratio))


def table(worlds: Sequence[pl.DataFrame]) -> str:
    """Tabulate in Markdown what LEVELS state beside the mean and the range over worlds."""
    lines = [
        "| level | bits stated | bits measured | least, most | precision of its pairs | least, most |",
        "|---" * 6 + "|",
    ]
    for level in LEVELS:
        of_level = pl.concat(worlds).filter(level=level.name)
        if of_level.height:
            bits, precision = (of_level[name].to_numpy() for name in ("bits", "precision"))
            lines.append(
                f"| {level.name} | {level.bits} | {bits.mean():.1f} | {bits.min():.1f}, {bits.max():.1f} "
                f"| {precision.mean():.2f} | {precision.min():.2f}, {precision.max():.2f} |"
            )
    return "\n".join(lines)


def main() -> None:
    """Print the table for worlds of the family, and the one world where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-6")
    parser.add_argument("--world", choices=("family", "classic"), default="family")
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--per-day", type=int, default=1500)
    asked = parser.parse_args()
    worlds = worlds_of(asked.world, asked.seeds)
    size = Size(asked.days, asked.per_day)
    print(worlds.name)
    print(table([measured(seed, size, worlds.world_of(seed)) for seed in worlds.seeds]))


if __name__ == "__main__":
    main()
