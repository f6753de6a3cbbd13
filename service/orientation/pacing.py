"""Pacing: how high a score must stand so that the checks of a day last until its end and none is left over.

A call is decided before the rest of its day has come. Of each office and period the policy knows what is left of its
checks, what has come in so far, and how lately scored: from these it tells how many of the consignments still to come
will score at least as high as this one, and asks for a check where the checks that are left reach that far. The
threshold so moves with every arrival: a busy day or a worse mix raises it, a quiet hour lowers it, and towards the end
whatever is left is given to the best that come. (The re-solving rule for sequential selection under a budget; with
known arrivals its regret does not grow with the length of the day: Arlotto and Gurvich, 2019; Vera and Banerjee, 2021.)

Three things are unknown and estimated from the day itself, each drawn towards what was usual:

- the volume and the course of the day, together: each of the days before, and their mean, is a course that this one may
  take; how well each fits the hours gone so far says how much it counts, and each tells how much busier this day is and
  how much of it is still to come;
- the mix: the shares of the scores of the days before, tilted as all arrivals so far say that this day is tilted (a
  worse day shows in its many ordinary scores long before it shows in its few high ones), and the arrivals themselves.
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
COUNTED = ("bands", "hours", "courses", "usual")  # columns by which a period is foretold
BANDS = 24  # of scores, ever narrower towards the highest
FINEST = 1e-5  # share of an ordinary day that scores above the last band but one
EDGES: Floats = np.concatenate([[0.0], 1.0 - np.geomspace(1.0, FINEST, BANDS)[1:], [1.0]])  # shares that score lower
SPREAD = 0.3  # of the volume of a day around the expected one, before anything of it has come
CLUMPED = 60.0  # arrivals that tell as much of the volume as one would if none depended on another
STRAYS = 60.0  # times the arrivals of an hour: the variance of an hour around the course that the day takes
TILTED = 0.3  # of the tilt of a day's scores, before anything of it has come; in spreads of an ordinary day
EXPECTED_DAYS = 7  # counted days that the volume of the policy counts for, beside those that were counted
LEAN, LEANT_ON = 0.1, 150.0  # leaning to the few, by some of the spread of what is still to come: checks are for using
FLAT = 0.02  # of the mean arrivals of an hour, in every hour: none is so quiet that nothing can come
STEEPEST = 3.0  # tilt that any day may have: odds e³ times as high in the band one spread up
STEPS = 6  # of Newton's method; the likelihood of a tilt is concave, and two or three would do
HEIGHTS: Floats = np.array([NormalDist().inv_cdf(middle) for middle in (EDGES[:-1] + EDGES[1:]) / 2])  # in spreads


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one office and period while it goes on.

    begins, lasts: the period, its length in hours. expected: consignments of a whole period.
    bands, hours: arrivals so far by band of their score, and by hour of the period.
    courses: courses that a period may take × hours of the period, each with the expected arrivals in all.
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
        """From what was counted; what was not counted on any day before is as the policy expects."""
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
        """How many would have come by a moment on each course, were this a period like any other."""
        passed = (at - self.begins).total_seconds() / 3600
        cumulated = np.hstack([np.zeros((len(self.courses), 1)), np.cumsum(self.courses, axis=1)])
        full = int(np.clip(passed, 0, self.lasts))
        begun: Floats = cumulated[:, full].copy()
        if full < self.lasts:
            begun += float(np.clip(passed - full, 0.0, 1.0)) * self.courses[:, full]
        return begun

    def to_come(self, at: datetime) -> float:
        """How many more will come after a moment; on the low side, since what is saved up for nobody is lost."""
        gone, seen, prior = self.gone(at), float(self.hours.sum()), SPREAD**-2
        busier = (prior + seen / CLUMPED) / (prior + gone / CLUMPED)
        full = int(np.clip((at - self.begins).total_seconds() / 3600, 0, self.lasts))
        foretold = busier[:, None] * self.courses[:, :full]
        off = ((self.hours[:full] - foretold) ** 2 / (STRAYS * (foretold + 3.0))).sum(axis=1)
        fit = -0.5 * (off + np.log(busier) ** 2 * prior)
        counts = np.exp(fit - fit.max())
        coming = float((counts * busier * (self.expected - gone)).sum() / counts.sum())
        return max(coming - LEAN * float(np.sqrt(max(coming, 0.0) * LEANT_ON)), 0.0)

    def as_high(self, share_below: Floats) -> Floats:
        """The share of what comes these days that scores at least as high."""
        mass = self.expected * self._tilted() + self.bands
        if mass.sum() <= 0:
            mass = np.diff(EDGES)
        above = np.concatenate([np.cumsum(mass[::-1])[::-1], [0.0]]) / mass.sum()
        share: Floats = np.interp(share_below, EDGES, above)
        return share

    def _tilted(self) -> Floats:
        """The usual mix, tilted towards high scores or low ones as the arrivals so far make most likely."""
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
    """The band of scores (0 the lowest), from the share of an ordinary day that scores lower; null without a score."""
    places = np.searchsorted(EDGES, share_below.to_numpy(), side="right") - 1
    return pl.Series("band", np.clip(places, 0, BANDS - 1), pl.Int64).set(share_below.is_null(), None)


def paced(frame: pl.DataFrame, spent: pl.DataFrame) -> pl.DataFrame:
    """For each row `ahead`, how many of those here and still to come in its period score as high, and `to_come`.

    frame: `office`, `begins`, `lasts`, `at`, `share_below`, `expected`. spent: what was counted of each office and
    period: `bands`, `hours`, `courses`, `usual`. Arrivals of one message count as coming together; `ahead` is null
    without a score.
    """
    place, coming = np.full(frame.height, np.nan), np.zeros(frame.height)
    counted = {(row["office"], row["begins"]): row for row in spent.select("office", "begins", *COUNTED).to_dicts()}
    for key, part in frame.with_row_index("place").group_by("office", "begins", maintain_order=True):
        row = {**dict.fromkeys(COUNTED), **part.row(0, named=True), **counted.get((key[0], key[1]), {})}
        course, own = Course.of(row), part["place"].to_numpy()
        each = {moment: course.to_come(moment) for moment in part["at"].unique()}
        coming[own] = [each[moment] for moment in part["at"]]
        place[own] = course.as_high(part["share_below"].to_numpy()) * (coming[own] + part.height)
    return frame.with_columns(pl.Series("ahead", place).fill_nan(None), pl.Series("to_come", coming))
