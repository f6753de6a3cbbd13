"""Run the benchmark over several worlds and combine the figures, with intervals over worlds."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from features.catalogue import INPUTS
from features.parties.graph import Graph
from features.parties.linking import link_with
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
from pipelines.benchmark.benchmark_worlds import Worlds
from pipelines.benchmark.network_quality import pairwise
from pipelines.benchmark.truth_scores import judge
from pipelines.benchmark.world_evidence import Size, as_customs_knew, gather, with_full_information
from pipelines.synthetic.world_settings import World
from pipelines.training.ranking_metrics import Interval, interval

Figures = Mapping[str, Mapping[str, float]]
Telling = Callable[[str], None]
HEADLINE = "precision at 1 %"
HELD_BACK = "held-back scheme: recall at 5 %"
ERRORS = ("calibration error", "calibration error against findings", "largest network")  # the smaller the better
COLUMNS = (
    HEADLINE, "precision at 5 %", "average precision", "recall at 5 %", HELD_BACK, "senders never seen: recall at 5 %",
    "live: precision", "calibration error against findings",
)  # fmt: skip
LINKING = "linking"
OF_LINKING = ("precision", "recall", "recall of illicit actors", "largest network")


def climb(worlds: Worlds, size: Size, tell: Telling, *, ablations: bool = False) -> Iterator[Figures]:
    """Compute the figures of every rung and of linking, one mapping per seed, as each world is done."""
    for seed in worlds.seeds:
        yield _one(seed, worlds.world_of(seed), size, tell, ablations=ablations)


def _one(seed: int, world: World, size: Size, tell: Telling, *, ablations: bool) -> Figures:
    with tempfile.TemporaryDirectory() as folder:
        consignments, outcomes, truth = gather(Path(folder), seed, size, world)
    graph = Graph()
    linked = link_with(consignments, graph)[0]
    evidence = as_customs_knew(linked, outcomes, truth, (*INPUTS, *DECLARED_INPUTS), size, world)
    figures = {"by chance": judge(evidence, by_chance(evidence)), "sender rule": judge(evidence, by_sender(evidence))}
    for rung in (*RUNGS, *(ABLATIONS if ablations else ())):
        figures[rung.name] = judge(evidence, *rank(rung, evidence))
        tell(f"seed {seed}: {rung.name}: {figures[rung.name][HEADLINE]:.3f}")
    full = with_full_information(consignments, truth, INPUTS, size, world)
    figures[CEILING.name] = judge(full, *rank(CEILING, full))
    tell(f"seed {seed}: {CEILING.name}: {figures[CEILING.name][HEADLINE]:.3f}")
    return figures | {LINKING: pairwise(consignments, graph.network_of, truth)}


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


def worst(figures: Sequence[Figures], name: str, figure: str) -> float:
    """Return the worst of a figure of a ranking over worlds; NaN where no world has it."""
    known = [of_seed[name][figure] for of_seed in figures if np.isfinite(of_seed[name].get(figure, np.nan))]
    return (max if figure in ERRORS else min)(known, default=float("nan"))


def table(figures: Sequence[Figures], names: Sequence[str]) -> str:
    """Tabulate figures by rung in Markdown: mean ± half the 95 % interval over worlds, and the worst world."""
    rungs = [rung for rung, of in figures[0].items() if any(name in of for name in names)]
    lines = ["| ranking | " + " | ".join(names) + " |", "|---" * (len(names) + 1) + "|"]
    for rung in rungs:
        cells = (_cell(over_seeds(figures, rung, name), worst(figures, rung, name)) for name in names)
        lines.append(f"| {rung} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def _cell(over: Interval, least: float) -> str:
    if not over.seeds:
        return ""
    return f"{over.mean:.3f} ± {over.half:.3f} ({least:.3f})" if over.seeds > 1 else f"{over.mean:.3f}"
