"""An office whose days nobody can foresee: what the live policy makes of them, beside what else one might do."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl
from scipy.special import expit, ndtr

from features.algebra.tables import Table
from features.assemble import Rows
from features.catalogue import INPUTS
from features.consignment import CONSIGNMENT_COLUMNS, Consignments
from features.contract import no_quarantine
from features.messages import Problems
from service.orientation import DecisionContext, Policy
from service.orientation.columns import Known
from service.orientation.taken import Taken
from service.record.capacity_used import Tallies, count
from service.scoring import Model, Scores
from service.store.database import Store
from tests.service.orientation.lane_frames import frame_of_lanes

Floats = npt.NDArray[np.float64]
FIRST = datetime(2026, 3, 2, tzinfo=UTC)
MEAN, SPREAD = -5.0, 2.0  # of the log-odds of an ordinary day: one in thirty would be found out
NO_GOODS = pl.DataFrame(schema={"row": pl.UInt32, "hs_code": pl.String, "description": pl.String})
NO_PROBLEMS = Problems(
    no_quarantine(), pl.DataFrame(schema={"row": pl.UInt32, "field": pl.String, "problem": pl.String})
)


@dataclass(frozen=True)
class ADay:
    """Moments of arrival, in order, and log-odds of each."""

    moments: list[datetime]
    margin: Floats


def a_day(nth: int, expected: int, rng: np.random.Generator) -> ADay:
    """A day whose volume is off by up to one half, whose two waves come an hour early or late, and whose mix drifts."""
    volume = int(expected * rng.uniform(0.5, 1.5))
    morning, evening, share = 8 + rng.normal(), 16 + rng.normal(), np.clip(0.55 + 0.1 * rng.normal(), 0.2, 0.8)
    early = rng.random(volume) < share
    hours = np.where(early, morning + 2 * rng.normal(size=volume), evening + 2.5 * rng.normal(size=volume)) % 24
    drift = np.sin(nth / 30) + 0.2 * rng.normal()  # odds up to 2.7 times as high, or as low
    start = FIRST + timedelta(days=nth)
    moments = [start + timedelta(seconds=int(s)) for s in np.sort(hours) * 3600]
    return ADay(moments, MEAN + drift + SPREAD * rng.normal(size=volume))


def best_of(day: ADay, checks: int) -> float:
    """What the best choice in hindsight would have found."""
    return float(np.sort(expit(day.margin))[-checks:].sum())


def first_come(day: ADay, checks: int, least: float) -> Floats:
    """Expected finds of checking whatever is worth it until nothing is left."""
    risk = expit(day.margin)
    return np.asarray(risk[np.flatnonzero(risk >= least)[:checks]])


def greedy(day: ADay, checks: int, expected: int) -> Floats:
    """Expected finds of checking what would be among the best of an ordinary day, until nothing is left."""
    above = 1 - ndtr((day.margin - MEAN) / SPREAD)
    return np.asarray(expit(day.margin[np.flatnonzero(above * expected <= checks)[:checks]]))


@dataclass
class Office:
    """Calls at one office, decided by the real policy on the real tallies of a store."""

    policy: Policy
    model: Model
    store: Store
    tallies: Tallies = field(init=False)

    def __post_init__(self) -> None:
        self.tallies = Tallies(self.store)

    def live(self, day: ADay, at_once: int, name: str) -> Floats:
        """Expected finds of the parcels that were opened on a day whose arrivals come `at_once`."""
        found: list[float] = []
        for start in range(0, len(day.moments), at_once):
            part = slice(start, start + at_once)
            lanes = self.decide(day.moments[part], day.margin[part], f"{name}-{start}")
            found += lanes.filter(pl.col("check") == "physical")["risk"].to_list()
        return np.array(found)

    def decide(self, moments: list[datetime], margin: Floats, name: str) -> pl.DataFrame:
        """One call, counted in."""
        frame = _declared(moments, name)
        scores = self._scores(margin)
        spent = self.tallies.spent(self.policy.capacity.periods(Known(Table.of_frame(frame))))
        moment = DecisionContext(moments[-1], "day", spent)
        lanes = self.policy.lanes(Consignments(frame, NO_GOODS), scores, NO_PROBLEMS, moment)
        self.store.write(lambda connection: count(connection, Taken.of_lanes(lanes)))
        return frame_of_lanes(lanes).with_columns(pl.Series("risk", expit(margin)))

    def _scores(self, margin: Floats) -> Scores:
        kinds = {item.name: pl.Float64 if item.kind == "number" else pl.String for item in INPUTS}
        rows = pl.DataFrame({name: [None] * len(margin) for name in kinds}, schema=kinds).with_row_index("row")
        below = ndtr((margin - MEAN) / SPREAD)
        scored = pl.DataFrame({"margin": margin, "risk": expit(margin), "share_below": below}).with_row_index("row")
        return Scores(Table.of_frame(scored), np.zeros((len(margin), len(INPUTS))), Rows.of_frame(rows), self.model)


def _declared(moments: list[datetime], name: str) -> pl.DataFrame:
    size = len(moments)
    declared: dict[str, Any] = {
        "message_id": [name] * size, "consignment_id": [f"{name}-{i}" for i in range(size)], "version": [1] * size,
        "stream": ["express"] * size, "office": ["A"] * size, "lodged_at": moments,
    }  # fmt: skip
    schema = {c.name: c.dtype for c in CONSIGNMENT_COLUMNS} | {
        "party_id": pl.String(),
        "network_id": pl.String(),
        "pieces": pl.Float64(),
    }
    return pl.DataFrame({n: declared.get(n, [None] * size) for n in schema}, schema=schema).with_row_index("row")
