"""What chances by kind are worth beside a model of each kind alone, over worlds of the family, by the truth.

    python -m tests.bench.kinds [--seeds 101-105] [--days 120] [--per-day 1000] [--learned 67]

The product mixes what all findings taught with what the kind's alone did; a model of a kind alone learns from the same
results which of them had a finding of it. Both rank the same later days once: precision of each day's first hundredth
by the chance of the kind, and how far stated chances are from what was there. The ratio of the two precisions has an
interval: days are drawn anew, with repetition, of the days of each world. It holds what other days of these worlds
would have shown, not other results to learn from.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from features.assemble import Rows, assemble
from features.catalogue import INPUTS
from features.finding_kinds import COUNTED
from features.history.facts import facts_of, facts_of_outcomes
from features.history.totals import FactTable
from features.parties.graph import Graph
from features.parties.linking import link_with
from pipelines.backtest.replay_desk import ReplayArchive
from pipelines.benchmark import worlds_of
from pipelines.benchmark.world_evidence import Size, gather
from pipelines.synthetic.world_settings import World
from pipelines.training.kinds_of_findings import named_in
from pipelines.training.ranking_metrics import Flags, Floats, calibration_error
from pipelines.training.train import Learner, levels_of, train
from pipelines.training.training_frame import TrainingFrame, build_training_frame, with_entities_of
from service.scoring.model import matrix_of

TOP = 0.01
KINDS = COUNTED  # that every world has, as far as its schemes and its regime bring any
DRAWS, MIDDLE = 1000, (0.025, 0.975)


@dataclass(frozen=True, slots=True)
class OfKind:
    """What was found of one kind in one world, in the first hundredth of each day: by the product, and by it alone.

    learned: findings of the kind that both learned from. error: of the stated chances.
    """

    product: Floats
    alone: Floats
    sent: int
    learned: int
    error: float


Figures = Mapping[str, OfKind]


def measured(seed: int, size: Size, world: World) -> Figures:
    """Return what both found of each kind."""
    with tempfile.TemporaryDirectory() as folder:
        consignments, outcomes, truth = gather(Path(folder), seed, size, world)
    linked = link_with(consignments, Graph())[0]
    first: datetime = linked.frame["lodged_at"].min()  # type: ignore[assignment]
    start = first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=size.test_day)
    past = ReplayArchive(linking=False)  # linked already
    past.show(linked.where(pl.col("lodged_at") < start))
    past.reveal(with_entities_of(outcomes.filter(pl.col("known_at") < start), linked))
    frame = build_training_frame(past, INPUTS, end=start)
    later = linked.where((pl.col("lodged_at") >= start) & (pl.col("version") == 1))
    known = [facts_of(linked), facts_of_outcomes(with_entities_of(outcomes, linked))]
    rows = assemble(later, FactTable(pl.concat(known), holds_all=True), frame.fits, INPUTS)
    there = later.frame.join(truth, on="consignment_id", how="left", maintain_order="left")
    named = named_in(there.select(pl.when("illicit").then("findings")).to_series())
    return judged(frame, rows, named, there["lodged_at"].dt.date().to_physical().to_numpy())


def judged(frame: TrainingFrame, rows: Rows, named: Sequence[tuple[str, ...]], day: npt.NDArray[Any]) -> Figures:
    """Learn of a frame, and judge both models by the kinds that are named of later rows, and the days of these."""
    model = train(frame, INPUTS, "mixed").model
    chances = model.score(rows).by_kind()
    figures = {}
    for kind in KINDS:
        of_kind = np.array([kind in kinds for kinds in named], np.bool_)
        alone = _alone(frame, kind)
        if kind not in chances or alone is None or not of_kind.any():
            continue
        product, sent = _found(chances[kind], of_kind, day)
        beside, _ = _found(alone.trees_of(rows), of_kind, day)
        learned = next(one.findings for one in model.kinds if one.code == kind)
        figures[kind] = OfKind(product, beside, sent, learned, calibration_error(chances[kind], of_kind))
    return figures


class Alone:
    """A model of one kind alone."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.trees = learner.fit(np.arange(len(learner.hit))).trees

    def trees_of(self, rows: Rows) -> Floats:
        """Return the margins of model rows."""
        return self.trees.margins(matrix_of(rows, INPUTS, self.learner.levels))


def _alone(frame: TrainingFrame, kind: str) -> Alone | None:
    of_kind = np.array([kind in kinds for kinds in named_in(frame.facts["findings"])], np.bool_)
    of_kind &= frame.facts["hit"].to_numpy()
    if not of_kind.any():
        return None
    levels = levels_of(frame.rows.frame, INPUTS)
    return Alone(Learner(matrix_of(frame.rows, INPUTS, levels), of_kind, INPUTS, levels))


def _found(score: Floats, of_kind: Flags, day: npt.NDArray[Any]) -> tuple[Floats, int]:
    """Return how many of a kind are in the first hundredth of each day, and how many are in it of any."""
    found, sent = [], 0
    for one in np.unique(day):
        rows = np.flatnonzero(day == one)
        top = rows[np.argsort(-score[rows], kind="stable")[: max(1, round(TOP * len(rows)))]]
        found.append(float(of_kind[top].sum()))
        sent += len(top)
    return np.array(found), sent


def ratio(worlds: Sequence[OfKind]) -> tuple[float, float, float]:
    """Return the ratio of what the product found in these worlds to what models alone did, and its interval."""
    rng = np.random.default_rng(0)
    product, alone = np.zeros(DRAWS), np.zeros(DRAWS)
    for one in worlds:
        days = rng.integers(0, len(one.product), (DRAWS, len(one.product)))
        product, alone = product + one.product[days].sum(axis=1), alone + one.alone[days].sum(axis=1)
    low, high = np.quantile(product / np.maximum(alone, 1.0), MIDDLE)
    return sum(one.product.sum() for one in worlds) / max(sum(one.alone.sum() for one in worlds), 1.0), low, high


def table(worlds: Mapping[int, Figures]) -> str:
    """Tabulate in Markdown each kind's figures, of each world and all of them."""
    lines = [
        "| kind | " + " | ".join(f"world {seed}" for seed in worlds) + " | all: ratio | worst error |",
        "|---" * (len(worlds) + 3) + "|",
    ]
    for kind in KINDS:
        of_kind = [worlds[seed].get(kind) for seed in worlds]
        known = [one for one in of_kind if one is not None]
        if not known:
            continue
        cells = ["" if one is None else _cell(one) for one in of_kind]
        every, low, high = ratio(known)
        worst = max(one.error for one in known)
        lines.append(f"| {kind} | {' | '.join(cells)} | {every:.2f} ({low:.2f} to {high:.2f}) | {worst:.4f} |")
    return "\n".join(lines)


def _cell(one: OfKind) -> str:
    product, alone = one.product.sum() / one.sent, one.alone.sum() / one.sent
    every, low, high = ratio([one])
    return f"{product:.3f}, {alone:.3f}: {every:.2f} ({low:.2f} to {high:.2f}) [{one.learned}; {one.error:.4f}]"


def main() -> None:
    """Print the table: precision of both, their ratio with its interval [findings learned; calibration error]."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="101-105")
    parser.add_argument("--world", choices=("family", "classic"), default="family")
    parser.add_argument("--days", type=int, default=120)
    parser.add_argument("--per-day", type=int, default=1000)
    parser.add_argument("--learned", type=int, default=67, help="days of which results are learned; the rest is judged")
    asked = parser.parse_args()
    worlds = worlds_of(asked.world, asked.seeds)
    size = Size(asked.days, asked.per_day, asked.learned)
    figures = {}
    for seed in worlds.seeds:
        figures[seed] = measured(seed, size, worlds.world_of(seed))
        print(seed, {kind: _cell(one) for kind, one in figures[seed].items()}, flush=True)
    print(table(figures))


if __name__ == "__main__":
    main()
