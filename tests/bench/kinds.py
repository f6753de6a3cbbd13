"""What chances by kind are worth beside a model of each kind alone, over worlds of the family, by the truth.

    python -m tests.bench.kinds [--seeds 1-5] [--days 90] [--per-day 1000]

The product learns the overall risk from all findings and what tells a kind from the others; a model of a kind alone
learns from the same results which of them had a finding of it. Both rank the same later days once: precision of each
day's first hundredth by the chance of the kind, and how far stated chances are from what was there.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from features.assemble import assemble
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
Figures = Mapping[str, tuple[float, float, float, int]]  # kind → precision stacked, alone, calibration error, learned


def measured(seed: int, size: Size, world: World) -> Figures:
    """Return of each kind the precision of both models, the calibration error, and how many findings were learned."""
    with tempfile.TemporaryDirectory() as folder:
        consignments, outcomes, truth = gather(Path(folder), seed, size, world)
    linked = link_with(consignments, Graph())[0]
    first: datetime = linked.frame["lodged_at"].min()  # type: ignore[assignment]
    start = first.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=size.test_day)
    past = ReplayArchive(linking=False)  # linked already
    past.show(linked.where(pl.col("lodged_at") < start))
    past.reveal(with_entities_of(outcomes.filter(pl.col("known_at") < start), linked))
    frame = build_training_frame(past, INPUTS, end=start)
    model = train(frame, INPUTS, "stacked").model
    later = linked.where((pl.col("lodged_at") >= start) & (pl.col("version") == 1))
    known = [facts_of(linked), facts_of_outcomes(with_entities_of(outcomes, linked))]
    rows = assemble(later, FactTable(pl.concat(known), holds_all=True), model.fits, INPUTS)
    there = later.frame.join(truth, on="consignment_id", how="left", maintain_order="left")
    named = named_in(there.select(pl.when("illicit").then("findings")).to_series())
    chances = model.score(rows).by_kind()
    day = there["lodged_at"].dt.date().to_physical().to_numpy()
    judged = {}
    for kind in KINDS:
        of_kind = np.array([kind in kinds for kinds in named], np.bool_)
        alone = _alone(frame, kind)
        if kind not in chances or alone is None:
            continue
        learned = next(one.findings for one in model.kinds if one.code == kind)
        own = alone.trees_of(rows)
        error = calibration_error(chances[kind], of_kind)
        judged[kind] = (_precision(chances[kind], of_kind, day), _precision(own, of_kind, day), error, learned)
    return judged


class Alone:
    """A model of one kind alone."""

    def __init__(self, learner: Learner) -> None:
        self.learner = learner
        self.trees = learner.fit(np.arange(len(learner.hit))).trees

    def trees_of(self, rows: object) -> Floats:
        """Return the margins of model rows."""
        return self.trees.margins(matrix_of(rows, INPUTS, self.learner.levels))  # type: ignore[arg-type]


def _alone(frame: TrainingFrame, kind: str) -> Alone | None:
    of_kind = np.array([kind in kinds for kinds in named_in(frame.facts["findings"])], np.bool_)
    of_kind &= frame.facts["hit"].to_numpy()
    if not of_kind.any():
        return None
    levels = levels_of(frame.rows.frame, INPUTS)
    return Alone(Learner(matrix_of(frame.rows, INPUTS, levels), of_kind, INPUTS, levels))


def _precision(score: Floats, of_kind: Flags, day: np.ndarray) -> float:
    found, sent = 0, 0
    for one in np.unique(day):
        rows = np.flatnonzero(day == one)
        top = rows[np.argsort(-score[rows], kind="stable")[: max(1, round(TOP * len(rows)))]]
        found, sent = found + int(of_kind[top].sum()), sent + len(top)
    return found / sent


def table(worlds: Mapping[int, Figures]) -> str:
    """Tabulate in Markdown each kind's figures, of each world and the mean."""
    lines = [
        "| kind | " + " | ".join(f"world {seed}" for seed in worlds) + " | mean, ratio | worst error |",
        "|---" * (len(worlds) + 3) + "|",
    ]
    for kind in KINDS:
        of_kind = [worlds[seed].get(kind) for seed in worlds]
        known = np.array([one[:3] for one in of_kind if one])
        if not len(known):
            continue
        cells = ["" if one is None else f"{one[0]:.3f}, {one[1]:.3f} ({one[3]}; {one[2]:.4f})" for one in of_kind]
        stacked, alone, _ = known.mean(axis=0)
        ratio = stacked / alone if alone else float("nan")
        lines.append(
            f"| {kind} | {' | '.join(cells)} | {stacked:.3f}, {alone:.3f}: {ratio:.2f} | {known[:, 2].max():.4f} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table: precision stacked, alone (findings learned; calibration error) of each world."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="1-5")
    parser.add_argument("--world", choices=("family", "classic"), default="family")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--per-day", type=int, default=1000)
    asked = parser.parse_args()
    worlds = worlds_of(asked.world, asked.seeds)
    size = Size(asked.days, asked.per_day, round(asked.days * 3 / 4))
    judged = {}
    for seed in worlds.seeds:
        judged[seed] = measured(seed, size, worlds.world_of(seed))
        print(seed, dict(judged[seed]), flush=True)
    print(table(judged))


if __name__ == "__main__":
    main()
