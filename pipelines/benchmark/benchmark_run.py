"""Run the benchmark over several worlds and combine the figures, with intervals over worlds."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from features.catalogue import INPUTS
from pipelines.benchmark.baselines import (
    ABLATIONS,
    CEILING,
    DECLARED_INPUTS,
    OWN,
    RAW_RUNG,
    RUNGS,
    by_chance,
    by_sender,
    rank,
)
from pipelines.benchmark.truth_scores import judge
from pipelines.benchmark.world_evidence import Size, as_customs_knew, gather, with_full_information
from pipelines.training.ranking_metrics import Interval, interval

Figures = Mapping[str, Mapping[str, float]]
Telling = Callable[[str], None]
HEADLINE = "precision at 1 %"
COLUMNS = (
    HEADLINE, "recall at 5 %", "late scheme: recall at 5 %", "senders never seen: recall at 5 %", "live: precision",
    "calibration error",
)  # fmt: skip


def climb(seeds: Sequence[int], size: Size, tell: Telling, *, ablations: bool = False) -> list[Figures]:
    """Compute the figures of every rung, one mapping per seed."""
    return [_one(seed, size, tell, ablations=ablations) for seed in seeds]


def _one(seed: int, size: Size, tell: Telling, *, ablations: bool) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        consignments, outcomes, truth = gather(Path(folder), seed, size)
    evidence = as_customs_knew(consignments, outcomes, truth, (*INPUTS, *DECLARED_INPUTS), size)
    figures = {"by chance": judge(evidence, by_chance(evidence)), "sender rule": judge(evidence, by_sender(evidence))}
    for rung in (*RUNGS, *(ABLATIONS if ablations else ())):
        figures[rung.name] = judge(evidence, *rank(rung, evidence))
        tell(f"seed {seed}: {rung.name}: {figures[rung.name][HEADLINE]:.3f}")
    full = with_full_information(consignments, truth, INPUTS, size)
    figures[CEILING.name] = judge(full, *rank(CEILING, full))
    tell(f"seed {seed}: {CEILING.name}: {figures[CEILING.name][HEADLINE]:.3f}")
    return figures


def over_seeds(figures: Sequence[Figures], name: str, figure: str) -> Interval:
    """Compute the interval of a figure of a ranking over worlds."""
    return interval([of_seed[name].get(figure, float("nan")) for of_seed in figures])


def closed(figures: Sequence[Figures], figure: str = HEADLINE) -> Interval:
    """Compute the share of the gap between raw LightGBM and full information that Tamis closes, by world."""
    low, middle, high = (
        np.array([of_seed[name][figure] for of_seed in figures]) for name in (RAW_RUNG, OWN, CEILING.name)
    )
    return interval(((middle - low) / (high - low)).tolist())


def write_figures(path: Path, figures: Sequence[Figures]) -> None:
    """Write every figure of every ranking and world as JSON; null where undefined."""
    plain = [
        {name: {k: v if np.isfinite(v) else None for k, v in of.items()} for name, of in of_seed.items()}
        for of_seed in figures
    ]
    path.write_text(json.dumps(plain, indent=1), encoding="utf-8")


def table(figures: Sequence[Figures], names: Sequence[str]) -> str:
    """Tabulate figures by rung in Markdown: mean ± half the 95 % interval over worlds."""
    rungs = list(figures[0])
    lines = ["| ranking | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for rung in rungs:
        cells = (over_seeds(figures, rung, name) for name in names)
        lines.append(f"| {rung} | " + " | ".join(f"{cell.mean:.3f} ± {cell.half:.3f}" for cell in cells) + " |")
    return "\n".join(lines)
