"""Pacing: the score threshold at which the checks of a day last until its end with none left over.

A call is decided before the rest of its day has arrived. For each office and period the policy knows the remaining
checks, the arrivals so far and their scores: from these it estimates how many consignments still to come will score at
least as high as this one, and asks for a check where the remaining checks reach that far. The threshold thus moves with
every arrival: a busy day or a riskier mix raises it, a quiet hour lowers it, and towards the end whatever is left goes
to the best arrivals. (The re-solving rule for sequential selection under a budget; with
known arrivals its regret does not grow with the length of the day: Arlotto and Gurvich, 2019; Vera and Banerjee, 2021.)

Three things are unknown and estimated from the day itself, each shrunk towards what is usual:

- the volume and the course of the day, together: each past day, and their mean, is a course that this one may take;
  each is weighted by how well it fits the hours so far, and implies how much busier this day is and how much of it is
  still to come;
- the mix: the score distribution of past days, tilted as far as the arrivals so far suggest (a riskier day shows in its
  many ordinary scores long before it shows in its few high ones), and the arrivals themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

Floats = npt.NDArray[np.float64]
FORECAST_COLUMNS = ("bands", "hours", "courses", "usual")  # columns that a period is forecast from
BANDS = 24  # of scores, ever narrower towards the highest
FINEST = 1e-5  # share of an ordinary day that scores above the last band but one
EDGES: Floats = np.concatenate([[0.0], 1.0 - np.geomspace(1.0, FINEST, BANDS)[1:], [1.0]])  # shares that score lower
SPREAD = 0.3  # of the volume of a day around the expected one, before any arrival
CLUMPED = 60.0  # arrivals that carry as much information on the volume as one independent arrival
STRAYS = 60.0  # times the arrivals of an hour: the variance of an hour around the course that the day takes
TILTED = 0.3  # of the tilt of a day's scores, before any arrival; in spreads of an ordinary day
EXPECTED_DAYS = 7  # weight of the policy's volume in the mean, in counted days
LEAN, LEANT_ON = 0.1, 150.0  # bias to the low side, in spreads of what is to come: unused checks are lost
FLAT = 0.02  # of the mean arrivals of an hour, in every hour: none is so quiet that nothing can come
STEEPEST = 3.0  # largest tilt of a day: odds e³ times as high in the band one spread up
STEPS = 6  # of Newton's method; the likelihood of a tilt is concave, and two or three would do
HEIGHTS: Floats = np.array([NormalDist().inv_cdf(middle) for middle in (EDGES[:-1] + EDGES[1:]) / 2])  # in spreads


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one office and period while it lasts.

    begins, lasts: the period, its length in hours. expected: consignments of a whole period.
    bands, hours: arrivals so far by band of their score, and by hour of the period.
    courses: courses that a period may take × hours of the period, each adding up to the expected arrivals.
    usual: usual share of each band.
    """

    begins: datetime
    lasts: int
    expected: float
    bands: Floats
    hours: Floats
    courses: Floats
    usual: Floats

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Course:
        """Build a course from counted arrivals; where no day was counted before, the policy's volume stands in."""
        begins, lasts, expected = row["begins"], row["lasts"], float(row["expected"])
        bands = np.zeros(BANDS) if row["bands"] is None else np.asarray(row["bands"], dtype=np.float64)
        hours = np.zeros(lasts) if row["hours"] is None else np.asarray(row["hours"], dtype=np.float64)
        usual = np.diff(EDGES) if row["usual"] is None else np.asarray(row["usual"], dtype=np.float64)
        if not row["courses"]:
            return cls(begins, lasts, expected, bands, hours, np.full((1, lasts), expected / lasts), usual)
        counted = np.asarray(row["courses"], dtype=np.float64)  # days × the 24 hours of a day
        days, mean = len(counted), counted.mean(axis=0)
        shifted = np.vstack([mean, counted])[:, (begins.hour + np.arange(lasts)) % 24]
        shifted = shifted + FLAT * max(float(mean.mean()), 1e-9)
        shrunk = (EXPECTED_DAYS * expected + days * float(shifted[0].sum())) / (EXPECTED_DAYS + days)
        return cls(begins, lasts, shrunk, bands, hours, shifted * (shrunk / shifted.sum(axis=1, keepdims=True)), usual)

    def gone(self, at: datetime) -> Floats:
        """Return the arrivals expected by a moment on each course, were this a period like any other."""
        passed = (at - self.begins).total_seconds() / 3600
        cumulated = np.hstack([np.zeros((len(self.courses), 1)), np.cumsum(self.courses, axis=1)])
        full = int(np.clip(passed, 0, self.lasts))
        begun: Floats = cumulated[:, full].copy()
        if full < self.lasts:
            begun += float(np.clip(passed - full, 0.0, 1.0)) * self.courses[:, full]
        return begun

    def to_come(self, at: datetime) -> float:
        """Return the arrivals expected after a moment; on the low side, as checks saved for none are lost."""
        gone, seen, prior = self.gone(at), float(self.hours.sum()), SPREAD**-2
        busier = (prior + seen / CLUMPED) / (prior + gone / CLUMPED)
        full = int(np.clip((at - self.begins).total_seconds() / 3600, 0, self.lasts))
        forecast = busier[:, None] * self.courses[:, :full]
        off = ((self.hours[:full] - forecast) ** 2 / (STRAYS * (forecast + 3.0))).sum(axis=1)
        fit = -0.5 * (off + np.log(busier) ** 2 * prior)
        counts = np.exp(fit - fit.max())
        coming = float((counts * busier * (self.expected - gone)).sum() / counts.sum())
        return max(coming - LEAN * float(np.sqrt(max(coming, 0.0) * LEANT_ON)), 0.0)

    def as_high(self, share_below: Floats) -> Floats:
        """Return the share of current arrivals that score at least as high."""
        mass = self.expected * self._tilted() + self.bands
        if mass.sum() <= 0:
            mass = np.diff(EDGES)
        above = np.concatenate([np.cumsum(mass[::-1])[::-1], [0.0]]) / mass.sum()
        share: Floats = np.interp(share_below, EDGES, above)
        return share

    def _tilted(self) -> Floats:
        """Return the usual mix, tilted towards high or low scores as the arrivals so far make most likely."""
        usual = np.maximum(self.usual, 1e-9)
        height, number, tilt = float((self.bands * HEIGHTS).sum()), float(self.bands.sum()), 0.0
        for _ in range(STEPS):
            mix = usual * np.exp(tilt * HEIGHTS)
            mix = mix / mix.sum()
            mean = float((mix * HEIGHTS).sum())
            spread = float((mix * HEIGHTS**2).sum()) - mean**2
            step = (height - number * mean - tilt / TILTED**2) / (number * spread + TILTED**-2)
            tilt = min(max(tilt + step, -STEEPEST), STEEPEST)
        tilted = usual * np.exp(tilt * HEIGHTS)
        shares: Floats = tilted / tilted.sum()
        return shares


def band_of(share_below: pl.Series) -> pl.Series:
    """Return the band of scores (0 the lowest), from the share of ordinary days that scores lower; null if unscored."""
    places = np.searchsorted(EDGES, share_below.to_numpy(), side="right") - 1
    return pl.Series("band", np.clip(places, 0, BANDS - 1), pl.Int64).set(share_below.is_null(), None)


def paced(frame: pl.DataFrame, spent: pl.DataFrame) -> pl.DataFrame:
    """Return for each row `ahead`, the rows present and still to come in its period that score as high, and `to_come`.

    frame: `office`, `begins`, `lasts`, `at`, `share_below`, `expected`. spent: the counts of each office and period:
    `bands`, `hours`, `courses`, `usual`. Rows of one message count as arriving together; `ahead` is null without a
    score.
    """
    place, coming = np.full(frame.height, np.nan), np.zeros(frame.height)
    counted = {
        (row["office"], row["begins"]): row for row in spent.select("office", "begins", *FORECAST_COLUMNS).to_dicts()
    }
    for key, part in frame.with_row_index("place").group_by("office", "begins", maintain_order=True):
        row = {**dict.fromkeys(FORECAST_COLUMNS), **part.row(0, named=True), **counted.get((key[0], key[1]), {})}
        course, places = Course.of(row), part["place"].to_numpy()
        each = {moment: course.to_come(moment) for moment in part["at"].unique()}
        coming[places] = [each[moment] for moment in part["at"]]
        place[places] = course.as_high(part["share_below"].to_numpy()) * (coming[places] + part.height)
    return frame.with_columns(pl.Series("ahead", place).fill_nan(None), pl.Series("to_come", coming))
