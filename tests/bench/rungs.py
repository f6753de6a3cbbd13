"""One world, gathered and linked once, and rankings of several inputs over it, each judged by the truth."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from features.catalogue import EVERY_INPUT
from features.parties.graph import Graph
from features.parties.linking import link_with
from pipelines.benchmark.baselines import Rung, rank
from pipelines.benchmark.world_evidence import Evidence, Size, as_customs_knew, gather
from pipelines.synthetic.world_settings import World
from pipelines.training.ranking_metrics import Floats

Judged = TypeVar("Judged")


def judged(
    rungs: Sequence[Rung], seed: int, size: Size, world: World, judge: Callable[[Evidence, Floats], Judged]
) -> dict[str, Judged]:
    """Return of each ranking, by its name, what a judge says of the evidence and the margins of its judged rows."""
    with tempfile.TemporaryDirectory() as folder:
        consignments, outcomes, truth = gather(Path(folder), seed, size, world)
    linked = link_with(consignments, Graph())[0]
    evidence = as_customs_knew(linked, outcomes, truth, EVERY_INPUT, size, world)
    return {rung.name: judge(evidence, rank(rung, evidence)[0]) for rung in rungs}
