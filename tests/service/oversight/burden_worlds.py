"""Small worlds in which everything is known: what inspectors looked at, with which chance, and what was in it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from typing import Any
from unittest.mock import patch

import numpy as np
import polars as pl

from pipelines.synthetic import Simulation, inspection, load_world, simulation
from pipelines.synthetic.world_settings import World
from service.oversight.burden import ORIGINS
from service.oversight.looked_at import DECIDED, RESULTS, seen_of

FIRST_DAY, DAYS, PER_DAY = date(2026, 1, 5), 28, 500
MOST = 0.95  # of a chance that was multiplied
BEFORE_RELEASE = 0.94  # of the regime's inspections; the rest come after clearance and hold nothing up


@dataclass(frozen=True)
class Known:
    """A world: what the record says (SEEN), and the truth of each consignment: `illicit`, and its `chance`."""

    seen: pl.DataFrame
    truth: pl.DataFrame


@dataclass
class Watched:
    """The chances of a regime, day by day; looks at one country of dispatch so many times as often."""

    country: str = ""
    times: float = 1.0

    def __post_init__(self) -> None:
        self.days: list[pl.DataFrame] = []
        self._case: Any = None

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Stand between the regime and its draws."""
        select, by_score = inspection.select, inspection._by_score

        def selecting(case: Any, *rest: Any) -> Any:
            self._case = case
            return select(case, *rest)

        def scoring(regime: Any, score: Any, chances: list[Any]) -> Any:
            every = [*chances, by_score(regime, score, chances)]
            here = (self._case.declared["dispatch_country"] == self.country).fill_null(value=False).to_numpy()
            for nth, chance in enumerate(every):
                every[nth] = np.where(here, np.minimum(chance * self.times, MOST), chance)
            chances[:] = every[:-1]
            overall = 1.0 - np.prod([1.0 - chance for chance in every], axis=0)
            declared = self._case.declared
            shown = 1.0 - declared["stream"].replace_strict(regime.not_presented, return_dtype=pl.Float64)
            chance = pl.Series("chance", overall) * shown * BEFORE_RELEASE
            self.days.append(pl.DataFrame([declared["consignment_id"], chance]))
            return every[-1]

        with patch.object(simulation, "select", selecting), patch.object(inspection, "_by_score", scoring):
            yield


def known_world(
    seed: int, *, country: str = "", times: float = 1.0, per_day: int = PER_DAY, world: World | None = None
) -> Known:
    """Return four weeks of a world whose inspectors look at one country of dispatch so many times as often."""
    watched = Watched(country, times)
    without = (world or load_world()).vary(flow={"amendment_share": 0.0})
    with watched.watching():
        simulated = Simulation(without, DAYS, per_day, seed, FIRST_DAY)
        days = [simulated.lodge() for _ in range(DAYS)]
    declared = pl.concat([day.manifest for day in days]).unique("consignment_id", keep="first", maintain_order=True)
    with_ioss = pl.when(pl.col("ioss").is_null()).then(pl.lit("without")).otherwise(pl.lit("with"))
    origins = declared.with_columns(with_ioss.alias("ioss")).select("consignment_id", *ORIGINS)
    outcomes = pl.concat([day.outcomes for day in days]).rename({"selection": "stated"})
    seen = seen_of(origins, DECIDED.to_frame(), outcomes.sort("known_at").select(RESULTS.names()))
    truth = pl.concat([day.truth for day in days]).select("consignment_id", "illicit")
    return Known(seen, truth.join(pl.concat(watched.days), on="consignment_id", maintain_order="left"))


def true_burden(known: Known, origin: str) -> dict[str, tuple[float, float]]:
    """Return for each group of an origin the share of its compliant ones that was looked at, and that was to be."""
    named = pl.col(origin).fill_null("not stated").alias("group")
    every = known.seen.join(known.truth, on="consignment_id", maintain_order="left").filter(~pl.col("illicit"))
    shares = every.group_by(named).agg(pl.col("looked_at").mean(), pl.col("chance").mean())
    return {group: (came, meant) for group, came, meant in shares.iter_rows()}
