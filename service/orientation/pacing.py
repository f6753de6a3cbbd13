"""Pacing: how high a score must stand so that the checks of a day last until its end and none is left over.

A call is decided before the rest of its day has come. Of each office and period the policy knows what is left of its
checks, what has come in so far, and how lately scored: from these it tells how many of the consignments still to come
will score at least as high as this one, and asks for a check where the checks that are left reach that far. The
threshold so moves with every arrival: a busy day or a worse mix raises it, a quiet hour lowers it, and towards the end
whatever is left is given to the best that come. (The re-solving rule for sequential selection under a budget; with
known arrivals its regret does not grow with the length of the day: Arlotto and Gurvich, 2019; Vera and Banerjee, 2021.)

Three things are unknown and estimated from the day itself, each drawn towards what was usual:

- the volume: so many times the expected one, from what has come and the share that has usually come by now;
- the course of the day: the usual share of each hour, learned from the days before;
- the mix: which share of a day scores how high, from the days before and the arrivals so far.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
BANDS = 24  # of scores, ever narrower towards the highest
FINEST = 1e-5  # share of an ordinary day that scores above the last band but one
EDGES: Floats = np.concatenate([[0.0], 1.0 - np.geomspace(1.0, FINEST, BANDS)[1:], [1.0]])  # shares that score lower
SPREAD = 0.3  # of the volume of a day around the expected one, before anything of it has come
CLUMPED = 150.0  # arrivals that tell as much of the volume as one would if none depended on another
USUAL_MIX = 0.2  # of an expected day: what the mix of the days before counts for beside the arrivals of this one
EXPECTED_DAYS = 7  # counted days that the volume of the policy counts for, beside those that were counted
LEAN = 0.15  # of the spread of what is still to come: leaning to the few, so that checks are used and not saved up
FLAT = 0.02  # of the mean arrivals of an hour, in every hour: none is so quiet that nothing can come


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one office and period while it goes on.

    begins, lasts: the period, its length in hours. expected: consignments of a whole period.
    bands: arrivals so far by band of their score. curve: usual arrivals in each of the 24 hours of a day (UTC).
    usual: usual share of each band.
    """

    begins: datetime
    lasts: int
    expected: float
    bands: Floats
    curve: Floats
    usual: Floats

    @classmethod
    def of(cls, row: dict[str, Any]) -> Course:
        """From a row of a policy's frame; what was not counted on any day before is as the policy expects."""
        lasts, expected = row["lasts"], float(row["expected"])
        bands = np.zeros(BANDS) if row["bands"] is None else np.asarray(row["bands"], dtype=np.float64)
        usual = np.diff(EDGES) if row["usual"] is None else np.asarray(row["usual"], dtype=np.float64)
        if row["curve"] is None:
            return cls(row["begins"], lasts, expected, bands, np.full(24, expected / lasts), usual)
        curve, days = np.asarray(row["curve"], dtype=np.float64), row["days"]
        curve = curve + FLAT * curve.mean()
        counted = float(curve[(row["begins"].hour + np.arange(lasts)) % 24].sum())
        shrunk = (EXPECTED_DAYS * expected + days * counted) / (EXPECTED_DAYS + days)
        return cls(row["begins"], lasts, shrunk, bands, curve, usual)

    def gone(self, at: datetime) -> float:
        """The share of the period's arrivals that has usually come by a moment, 0 to 1."""
        hours = (self.begins.hour + np.arange(self.lasts)) % 24
        total = float(self.curve[hours].sum())
        passed = (at - self.begins).total_seconds() / 3600
        if total <= 0:
            return min(max(passed / self.lasts, 0.0), 1.0)
        cumulated = np.concatenate([[0.0], np.cumsum(self.curve[hours])])
        return min(float(np.interp(passed, np.arange(self.lasts + 1), cumulated)) / total, 1.0)

    def to_come(self, at: datetime) -> float:
        """How many more will come after a moment; on the low side, since what is saved up for nobody is lost."""
        gone, seen, prior = self.gone(at), float(self.bands.sum()), SPREAD**-2
        busier = (prior + seen / CLUMPED) / (prior + self.expected * gone / CLUMPED)
        coming = busier * self.expected * (1.0 - gone)
        return max(coming - LEAN * float(np.sqrt(coming * CLUMPED)), 0.0)

    def as_high(self, share_below: Floats) -> Floats:
        """The share of what comes these days that scores at least as high."""
        weight = USUAL_MIX * self.expected
        mass = weight * self.usual + self.bands
        if mass.sum() <= 0:
            mass = np.diff(EDGES)
        above = np.concatenate([np.cumsum(mass[::-1])[::-1], [0.0]]) / mass.sum()
        share: Floats = np.interp(share_below, EDGES, above)
        return share


def band_of(share_below: pl.Series) -> pl.Series:
    """The band of scores (0 the lowest), from the share of an ordinary day that scores lower; null without a score."""
    places = np.searchsorted(EDGES, share_below.to_numpy(), side="right") - 1
    return pl.Series("band", np.clip(places, 0, BANDS - 1), pl.Int64).set(share_below.is_null(), None)


def paced(frame: pl.DataFrame) -> pl.DataFrame:
    """For each row `ahead`, how many of those here and still to come in its period score as high, and `to_come`.

    frame: `office`, `begins`, `lasts`, `at`, `share_below`, `expected`, `bands`, `days`, `curve`, `usual`.
    Arrivals of one message count as coming together; `ahead` is null without a score.
    """
    place, coming = np.full(frame.height, np.nan), np.zeros(frame.height)
    for (_, _), part in frame.with_row_index("place").group_by("office", "begins", maintain_order=True):
        course, own = Course.of(part.row(0, named=True)), part["place"].to_numpy()
        each = {moment: course.to_come(moment) for moment in part["at"].unique()}
        coming[own] = [each[moment] for moment in part["at"]]
        place[own] = course.as_high(part["share_below"].to_numpy()) * (coming[own] + part.height)
    return frame.with_columns(pl.Series("ahead", place).fill_nan(None), pl.Series("to_come", coming))
