"""The worlds that a benchmark measures over: of the family, by seeds for tuning or for reporting, or the one world."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from features.fault import Fault
from pipelines.benchmark.world_evidence import scarce
from pipelines.synthetic.family import load_family, world_of
from pipelines.synthetic.world_settings import World, load_world

SEEDS = re.compile(r"(\d+)(?:-(\d+))?")


@dataclass(frozen=True, slots=True)
class Worlds:
    """The seeds, the world of each, and what these worlds are, in words."""

    name: str
    seeds: tuple[int, ...]
    world_of: Callable[[int], World]


def worlds_of(kind: Literal["family", "classic"], wanted: str, *, tuning: bool = False) -> Worlds:
    """Return the worlds of a number ("10") or of seeds ("101-105,140"); raise Fault for anything else.

    A number up to 99 takes the first seeds of the family's seeds for reporting, or of those for tuning.
    """
    if kind == "classic":
        seeds = _seeds(wanted, range(1, 100_000))
        return Worlds(f"the one world, seeds {_span(seeds)}", seeds, lambda _: scarce(load_world()))
    family = load_family()
    seeds = _seeds(wanted, family.tuning if tuning else family.reporting)
    if set(seeds) <= set(family.reporting):
        purpose = "for reporting"
    else:
        purpose = "for tuning" if set(seeds) <= set(family.tuning) else "of no purpose: figures are not for reporting"
    return Worlds(f"worlds of the family, seeds {_span(seeds)}, {purpose}", seeds, world_of)


def _seeds(wanted: str, usual: range) -> tuple[int, ...]:
    """Return the seeds that are named, or as many of the usual ones as are asked for."""
    if wanted.strip().isdecimal() and int(wanted) <= len(usual):
        wanted = f"{usual[0]}-{usual[0] + int(wanted) - 1}"
    parts = [SEEDS.fullmatch(part.strip()) for part in wanted.split(",")]
    spans = [range(int(part[1]), int(part[2] or part[1]) + 1) for part in parts if part]
    if len(spans) < len(parts) or not all(spans):
        raise Fault("--seeds takes a number of worlds from 1 to 99, or seeds such as 101-105,140")
    return tuple(dict.fromkeys(seed for span in spans for seed in span))


def _span(seeds: tuple[int, ...]) -> str:
    together = len(seeds) > 1 and seeds == tuple(range(seeds[0], seeds[-1] + 1))
    return f"{seeds[0]} to {seeds[-1]}" if together else ", ".join(map(str, seeds))
