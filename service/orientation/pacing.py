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

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from statistics import NormalDist

import numpy as np
from numba import njit

from service.orientation.columns import UNKNOWN, Floats, Ints
from service.orientation.periods import Period, Periods, Spent, Usual, sums_by_group

MICROS_OF_AN_HOUR = 3_600_000_000
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
PRIOR, TILT_PRIOR = SPREAD**-2, TILTED**-2
TILT_SPREAD = TILTED**2
SHARES: Floats = np.diff(EDGES)  # of the bands on an ordinary day


@dataclass(frozen=True, slots=True)
class Course:
    """What is known of one office and period while it lasts.

    begins: in microseconds since 1970. lasts: hours. expected: consignments of a whole period.
    bands, hours: arrivals so far by band of their score, and by hour of the period.
    courses: courses that a period may take × hours of the period, each adding up to the expected arrivals.
    usual: usual share of each band.
    """

    begins: int
    lasts: int
    expected: float
    bands: Floats
    hours: Floats
    courses: Floats
    usual: Floats

    @classmethod
    def of(cls, period: Period, expected: int, spent: Spent | None) -> Course:
        """Build a course from what is counted of a period; where nothing is, the policy's volume stands in."""
        usual = spent.usual if spent else Usual()
        forecast, courses, shares = _forecast(usual, period.begins, period.lasts, expected)
        bands = _counted(spent.bands if spent else None, BANDS)
        hours = _counted(spent.hours if spent else None, period.lasts)
        return cls(period.begins, period.lasts, forecast, bands, hours, courses, shares)

    def passed(self, at: int) -> float:
        """Return the hours of the period that are over at a moment, microseconds since 1970."""
        return (at - self.begins) / 1e6 / 3600

    def gone(self, at: int) -> Floats:
        """Return the arrivals expected by a moment on each course, were this a period like any other."""
        return _gone(self.courses, self.passed(at))

    def to_come(self, at: int) -> float:
        """Return the arrivals expected after a moment; on the low side, as checks saved for none are lost."""
        return float(_to_come(self.courses, self.hours, self.expected, self.passed(at)))

    def as_high(self, share_below: Floats) -> Floats:
        """Return the share of current arrivals that score at least as high; NaN without a score."""
        above: Floats = _above_edges(self.usual, self.bands, self.expected, HEIGHTS, SHARES)
        return np.interp(share_below, EDGES, above)


def _counted(numbers: Sequence[int] | None, size: int) -> Floats:
    return np.zeros(size) if numbers is None else np.asarray(numbers, dtype=np.float64)


@lru_cache(maxsize=2_000)
def _forecast(usual: Usual, begins: int, lasts: int, expected: int) -> tuple[float, Floats, Floats]:
    """Return the consignments of a whole period, the courses that it may take and the shares of the bands."""
    shares = SHARES if usual.shares is None else np.asarray(usual.shares, dtype=np.float64)
    if not usual.courses:
        return float(expected), np.full((1, lasts), expected / lasts), shares
    counted = np.asarray(usual.courses, dtype=np.float64)  # days × the 24 hours of a day
    days, mean = len(counted), counted.mean(axis=0)
    of_day = (begins // MICROS_OF_AN_HOUR + np.arange(lasts)) % 24
    shifted = np.vstack([mean, counted])[:, of_day] + FLAT * max(float(mean.mean()), 1e-9)
    shrunk = (EXPECTED_DAYS * expected + days * float(shifted[0].sum())) / (EXPECTED_DAYS + days)
    courses = shifted * (shrunk / shifted.sum(axis=1, keepdims=True))
    return shrunk, np.ascontiguousarray(courses), shares


@njit(cache=True, nogil=True)
def _sum(values: Floats) -> float:
    """Add numbers, at most 128, as decisions on record did: eight sums side by side, then what is left."""
    whole = len(values) - len(values) % 8
    parts = np.zeros(8)
    for i in range(whole):
        parts[i % 8] += values[i]
    total = ((parts[0] + parts[1]) + (parts[2] + parts[3])) + ((parts[4] + parts[5]) + (parts[6] + parts[7]))
    for i in range(whole, len(values)):
        total += values[i]
    return float(total)


@njit(cache=True, nogil=True)
def _gone(courses: Floats, passed: float) -> Floats:
    lasts = courses.shape[1]
    full = int(min(max(passed, 0.0), float(lasts)))
    begun = np.zeros(len(courses))
    for c in range(len(courses)):
        for hour in range(full):
            begun[c] += courses[c, hour]
        if full < lasts:
            begun[c] += min(max(passed - full, 0.0), 1.0) * courses[c, full]
    return begun


@njit(cache=True, nogil=True)
def _to_come(courses: Floats, hours: Floats, expected: float, passed: float) -> float:
    full = int(min(max(passed, 0.0), float(courses.shape[1])))
    gone, seen = _gone(courses, passed), _sum(hours)
    busier, fit = np.empty(len(courses)), np.empty(len(courses))
    for c in range(len(courses)):
        busier[c] = (PRIOR + seen / CLUMPED) / (PRIOR + gone[c] / CLUMPED)
        off = 0.0
        for hour in range(full):
            forecast = busier[c] * courses[c, hour]
            off += (hours[hour] - forecast) * (hours[hour] - forecast) / (STRAYS * (forecast + 3.0))
        log = math.log(busier[c])
        fit[c] = -0.5 * (off + log * log * PRIOR)
    best = fit.max()
    counts, coming = np.empty(len(courses)), np.empty(len(courses))
    for c in range(len(courses)):
        counts[c] = math.exp(fit[c] - best)
        coming[c] = counts[c] * busier[c] * (expected - gone[c])
    mean = _sum(coming) / _sum(counts)
    return max(mean - LEAN * math.sqrt(max(mean, 0.0) * LEANT_ON), 0.0)


@njit(cache=True, nogil=True)
def _tilted(usual: Floats, heights: Floats, tilt: float) -> Floats:
    """Return shares of the bands, tilted towards high or low scores."""
    mix = np.empty(len(usual))
    for band in range(len(usual)):
        mix[band] = usual[band] * math.exp(tilt * heights[band])
    return mix / _sum(mix)


@njit(cache=True, nogil=True)
def _above_edges(usual: Floats, bands: Floats, expected: float, heights: Floats, ordinary: Floats) -> Floats:
    """Return the share of current arrivals that score above each edge of the bands.

    They are those of the usual mix, tilted as the arrivals so far make most likely, and these arrivals themselves.
    """
    usual = np.maximum(usual, 1e-9)
    height, number, tilt = _sum(bands * heights), _sum(bands), 0.0
    for _ in range(STEPS):
        mix = _tilted(usual, heights, tilt)
        mean = _sum(mix * heights)
        spread = _sum(mix * (heights * heights)) - mean * mean
        step = (height - number * mean - tilt / TILT_SPREAD) / (number * spread + TILT_PRIOR)
        tilt = min(max(tilt + step, -STEEPEST), STEEPEST)
    mass = expected * _tilted(usual, heights, tilt) + bands
    if _sum(mass) <= 0.0:
        mass = ordinary
    above, whole = np.zeros(len(mass) + 1), _sum(mass)
    for band in range(len(mass) - 1, -1, -1):
        above[band] = above[band + 1] + mass[band]
    return above / whole


@cache
def compile_kernels() -> None:
    """Compile what pacing computes with now, not at the first call."""
    course = Course.of(Period("", 0, 24, ""), 1, None)
    course.gone(0), course.to_come(0), course.as_high(np.zeros(1)), sums_by_group(np.zeros(1), np.zeros(1, np.int64), 1)


def bands_of(share_below: Floats) -> Ints:
    """Return the band of scores (0 the lowest) of shares of an ordinary day that score lower; UNKNOWN if unscored."""
    bands = np.minimum(np.maximum(EDGES.searchsorted(share_below, side="right") - 1, 0), BANDS - 1)
    return np.where(np.isnan(share_below), UNKNOWN, bands)


def paced(periods: Periods, share_below: Floats) -> tuple[Floats, Floats]:
    """Return for each row `ahead`, the rows present and still to come in its period that score as high, and `to_come`.

    Rows of one message count as arriving together; `ahead` is NaN without a score.
    """
    ahead, to_come = np.empty(len(share_below)), np.empty(len(share_below))
    for place, (period, spent) in enumerate(zip(periods.each, periods.spent, strict=True)):
        rows = np.flatnonzero(periods.of == place) if len(periods.each) > 1 else np.arange(len(share_below))
        course = Course.of(period, int(periods.able["expected"][rows[0]]), spent)
        moments = periods.at[rows].tolist()
        coming = {moment: course.to_come(moment) for moment in set(moments)}
        to_come[rows] = [coming[moment] for moment in moments]
        ahead[rows] = course.as_high(share_below[rows]) * (to_come[rows] + len(rows))
    return ahead, to_come
