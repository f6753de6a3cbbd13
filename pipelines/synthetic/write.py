"""Writing a world to disk, a day at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import polars as pl

from pipelines.synthetic.family import drawn_by, world_of
from pipelines.synthetic.receivers import with_receivers
from pipelines.synthetic.simulation import Lodged, Simulation
from pipelines.synthetic.world_settings import World, load_world

PARAMETERS = "parameters.json"  # of a world of the family: what its seed drew; as secret as the truth


@dataclass(frozen=True)
class WorldSummary:
    """Counts of what was written; no truth can be inferred from them."""

    out: Path
    days: int
    messages: int
    consignments: int
    goods_lines: int
    inspected: int
    outcomes: dict[str, int]
    seed: int


@dataclass
class _Tally:
    messages: int = 0
    consignments: int = 0
    goods_lines: int = 0
    inspected: int = 0
    outcomes: dict[str, int] = field(default_factory=dict)

    def add(self, day: Lodged) -> None:
        self.messages += day.manifest["message_id"].n_unique()
        self.consignments += day.truth.height
        self.goods_lines += day.manifest.height
        self.inspected += day.outcomes.height
        for result, count in day.outcomes["result"].value_counts(sort=True).iter_rows():
            self.outcomes[result] = self.outcomes.get(result, 0) + int(count)


def build_world(
    days: int,
    per_day: int,
    seed: int,
    out: Path,
    *,
    start: date = date(2026, 1, 1),
    world: World | None = None,
    receivers: bool = False,
    progress: Callable[[str], None] | None = None,
) -> WorldSummary:
    """Write `manifests/`, `outcomes/` (by the day on which they became known) and `truth.parquet` under `out`.

    receivers: whether the schemes of the receiving side are added to the world.
    """
    if days < 1 or per_day < 1:
        raise ValueError("a world needs at least one day and one consignment a day")
    for folder in ("manifests", "outcomes"):
        (out / folder).mkdir(parents=True, exist_ok=True)
        for old in (out / folder).glob("*.parquet"):  # another world's days would pass for this one's
            old.unlink()
    (out / PARAMETERS).unlink(missing_ok=True)
    planted = world or load_world()
    planted = with_receivers(planted) if receivers else planted
    simulation, tally = Simulation(planted, days, per_day, seed, start), _Tally()
    truth: list[pl.DataFrame] = []
    waiting: list[pl.DataFrame] = []
    for number in range(days):
        day = simulation.lodge()
        tally.add(day)
        day.manifest.write_parquet(out / "manifests" / f"{day.day}.parquet")
        truth.append(day.truth)
        waiting = _file_outcomes(out / "outcomes", [*waiting, day.outcomes], day.day)
        if progress:
            progress(
                f"{day.day}: {day.truth.height} consignments, {day.outcomes.height} inspected ({number + 1}/{days})"
            )
    _file_outcomes(out / "outcomes", waiting, date.max)
    pl.concat(truth).write_parquet(out / "truth.parquet")
    return WorldSummary(
        out,
        days,
        tally.messages,
        tally.consignments,
        tally.goods_lines,
        tally.inspected,
        dict(sorted(tally.outcomes.items())),
        seed,
    )


def build_of_family(
    days: int,
    per_day: int,
    seed: int,
    out: Path,
    *,
    start: date,
    receivers: bool = False,
    progress: Callable[[str], None] | None = None,
) -> WorldSummary:
    """Write the world of a seed of the family, and beside its truth the parameters that the seed drew."""
    world = world_of(seed)
    summary = build_world(days, per_day, seed, out, start=start, world=world, receivers=receivers, progress=progress)
    (out / PARAMETERS).write_text(json.dumps(drawn_by(seed), indent=1), encoding="utf-8")
    return summary


def _file_outcomes(folder: Path, waiting: list[pl.DataFrame], until: date) -> list[pl.DataFrame]:
    """Write the results known on days up to `until`, one file a day; return those that are still to come."""
    everything = pl.concat(waiting)
    known_on = everything["known_at"].dt.date()
    ripe = everything.filter(known_on <= until).sort("known_at", "consignment_id")
    for (day,), part in ripe.group_by(ripe["known_at"].dt.date().alias("day"), maintain_order=True):
        part.write_parquet(folder / f"{day}.parquet")
    return [everything.filter(known_on > until)]
