"""Of what is looked at and illicit: how well the severity model tells what is to be investigated, by the world's truth.

    python -m tests.bench.track [SEEDS]

Precision and recall of "investigation" over worlds, beside investigating everything, beside the findings' own record by
chapter of the tariff, and beside what nobody can know: the scheme, and the actor with all that it will ever do.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table
from sklearn.metrics import average_precision_score

from features.assemble import Rows
from features.catalogue import INPUTS
from pipelines.benchmark.baselines import OWN, RUNGS, rank
from pipelines.benchmark.world_evidence import Evidence, Size, as_customs_knew, gather
from pipelines.synthetic.world_settings import load_world
from pipelines.training.ranking_metrics import Floats, interval
from pipelines.training.train import Learner, levels_of, severity_of
from service.orientation.track_conditions import Tracks
from service.scoring.model import matrix_of

LOOKED_AT = 0.02  # of each day, by risk: physical checks and documents
THRESHOLD = Tracks().investigation
Bools = np.ndarray[tuple[int, ...], np.dtype[np.bool_]]
Figures = Mapping[str, Mapping[str, float]]


def one(seed: int, size: Size) -> Figures:
    """The figures of one world."""
    with tempfile.TemporaryDirectory() as folder:
        evidence = as_customs_knew(*gather(Path(folder), seed, size, load_world()), INPUTS, size)
    judged = evidence.frame["judged"].to_numpy()
    risk = np.full(len(judged), np.nan)
    risk[judged] = rank(next(rung for rung in RUNGS if rung.name == OWN), evidence)[1]
    found = pl.Series(_looked_at(evidence, risk)) & evidence.frame["illicit"]
    truth = (evidence.frame["dangerous"] | evidence.frame["criminal_link"]).filter(found).to_numpy()
    told = {
        "investigate everything": np.ones(int(found.sum())),
        "findings by chapter": _by(evidence, evidence.rows["hs_chapter"], found),
        "severity model": _by_model(evidence, found),
        "knowing the scheme": _by_truth(evidence, found, "scheme"),
        "knowing the actor": _by_truth(evidence, found, "actor_id"),
    }
    return {name: _figures(truth, chance) for name, chance in told.items()}


def _looked_at(evidence: Evidence, risk: Floats) -> Bools:
    day = evidence.frame["day"].to_numpy()
    chosen = np.zeros(len(day), dtype=np.bool_)
    for one_day in np.unique(day[~np.isnan(risk)]):
        rows = np.flatnonzero((day == one_day) & ~np.isnan(risk))
        chosen[rows[np.argsort(-risk[rows])[: round(LOOKED_AT * len(rows))]]] = True
    return chosen


def _known(evidence: Evidence) -> pl.Series:
    past = (pl.col("known_at") < evidence.start) & (pl.col("lodged_at") < evidence.start)
    return evidence.frame.select((past & pl.col("grave").is_not_null()).fill_null(False)).to_series()


def _by_model(evidence: Evidence, found: pl.Series) -> Floats:
    rows, known = evidence.rows, _known(evidence)
    levels = levels_of(rows.filter(known), INPUTS)
    learner = Learner(matrix_of(Rows.of_frame(rows), INPUTS, levels), found.to_numpy(), INPUTS, levels)
    severity = severity_of(learner, evidence.frame["grave"], known.arg_true().to_numpy().astype(np.int64))
    if severity is None:
        return np.full(int(found.sum()), np.nan)
    return severity.of(learner.matrix[found.to_numpy()])


def _by(evidence: Evidence, group: pl.Series, found: pl.Series) -> Floats:
    """The share of grave ones among past findings of a group, drawn to the mean of all by five."""
    past = pl.DataFrame({"group": group, "grave": evidence.frame["grave"]}).filter(_known(evidence))
    overall = float(past["grave"].drop_nulls().to_numpy().mean())
    rate = past.group_by("group").agg(((pl.col("grave").sum() + 5 * overall) / (pl.len() + 5)).alias("rate"))
    asked = pl.DataFrame({"group": group.filter(found)}).join(rate, on="group", how="left", maintain_order="left")
    return asked["rate"].fill_null(overall).to_numpy()


def _by_truth(evidence: Evidence, found: pl.Series, whose: str) -> Floats:
    """The share of grave ones among all that is illicit of the same scheme or actor, drawn to the mean by one."""
    grave = (pl.col("dangerous") | pl.col("criminal_link")).alias("grave")
    frame = evidence.frame.filter(pl.col("illicit")).with_columns(grave)
    overall = float(frame["grave"].to_numpy().mean())
    rate = frame.group_by(whose).agg(((pl.col("grave").sum() + overall) / (pl.len() + 1)).alias("rate"))
    return evidence.frame.filter(found).join(rate, on=whose, how="left", maintain_order="left")["rate"].to_numpy()


def _figures(truth: Bools, chance: Floats) -> dict[str, float]:
    chosen = chance >= THRESHOLD
    hit = float((chosen & truth).sum())
    return {
        "findings": float(len(truth)), "grave": float(truth.mean()), "chosen": float(chosen.mean()),
        "precision": hit / chosen.sum() if chosen.any() else np.nan, "recall": hit / max(truth.sum(), 1),
        "average precision": average_precision_score(truth, chance) if not np.isnan(chance).any() else np.nan,
    }  # fmt: skip


def main(seeds: int) -> None:
    """Print the table."""
    over = [one(seed, Size()) for seed in range(1, seeds + 1)]
    columns = list(over[0]["severity model"])
    table = Table("how", *columns, title=f"investigation from a chance of {THRESHOLD} on; {seeds} worlds", box=None)
    for name in over[0]:
        cells = [interval([figures[name][column] for figures in over]) for column in columns]
        table.add_row(name, *(f"{cell.mean:.3f} ± {cell.half:.3f}" for cell in cells))
    Console(width=160).print(table)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
