"""Drift: distances between the histograms of a day and of the days before, against their usual size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

import numpy as np
import numpy.typing as npt

from pipelines.monitor.thresholds import Drift

Counts = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Kind = Literal["number", "level", "share"]
Measure = Literal["psi", "ks", "share", "factor"]
MEASURES: dict[Kind, tuple[Measure, ...]] = {"number": ("psi", "ks"), "level": ("psi",), "share": ("share",)}
DECILES = 10


@dataclass(frozen=True, slots=True)
class Series:
    """A monitored quantity, as a histogram of each day.

    counts: days × bins. A number has bins of a fine grid in rising order and a last one for missing values; a level has
        one bin each; a share has two, without it and with it.
    labels: of the bins; for a number, the least value of the bin.
    """

    name: str
    meaning: str
    kind: Kind
    counts: Counts
    labels: Sequence[str]


@dataclass(frozen=True, slots=True)
class Reading:
    """One measure of one series on one day: its value, its threshold, and what moved most."""

    series: str
    meaning: str
    measure: Measure
    day: date
    figure: float
    threshold: float
    moved: str

    @property
    def exceeds(self) -> bool:
        return self.figure > self.threshold


def psi(reference: npt.ArrayLike, today: npt.ArrayLike) -> Floats:
    """Compute the population stability index of histograms over the same bins (the last axis); 0 for equal shares.

    Half a case is added to every bin, so that an empty bin weighs no more than the size of the day justifies.
    """
    p, q = (_shares(np.asarray(counts, dtype=np.float64) + 0.5) for counts in (reference, today))
    return np.asarray(((p - q) * np.log(p / q)).sum(axis=-1))


def ks(reference: npt.ArrayLike, today: npt.ArrayLike) -> Floats:
    """Compute the Kolmogorov-Smirnov distance of histograms over the same rising bins: the largest gap of shares."""
    p, q = (_shares(np.asarray(counts, dtype=np.float64)) for counts in (reference, today))
    return np.asarray(np.abs(np.cumsum(p - q, axis=-1)).max(axis=-1))


def _shares(counts: Floats) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    shares: Floats = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares


def distance(measure: Measure, reference: Counts, today: Counts) -> Floats:
    """Compute a measure of `today` against `reference`, days in rows or a single day."""
    if measure == "ks":  # missing values have no place in the order
        return ks(reference[..., :-1], today[..., :-1])
    if measure == "share":
        return np.asarray(np.abs(_shares(reference.astype(np.float64)) - _shares(today.astype(np.float64)))[..., 0])
    return psi(reference, today)


def coarse(kind: Kind, reference: Counts, most_levels: int) -> Counts:
    """Return the bin that each fine bin falls into: deciles of a number's reference, the commonest levels, the rest."""
    if kind == "share":
        return np.arange(len(reference))
    if kind == "level":
        order = np.argsort(-reference, kind="stable")
        bins = np.full(len(reference), most_levels, dtype=np.int64)
        bins[order[:most_levels]] = np.arange(min(most_levels, len(order)))
        return bins
    stated = reference[:-1]
    middle = (np.cumsum(stated) - stated / 2) / max(int(stated.sum()), 1)
    deciles = np.minimum((middle * DECILES).astype(np.int64), DECILES - 1)
    return np.concatenate([deciles, [DECILES]])


def gathered(counts: Counts, bins: Counts) -> Counts:
    """Add up histograms into coarser bins."""
    into = np.zeros((len(bins), int(bins.max()) + 1), dtype=np.int64)
    into[np.arange(len(bins)), bins] = 1
    return np.asarray(counts @ into)


def judge(series: Series, days: Sequence[date], first: date, rules: Drift) -> list[Reading]:
    """Return the readings of a series for each day from `first` on that has enough past days."""
    return [reading for measure in MEASURES[series.kind] for reading in _judged(series, measure, days, first, rules)]


def _judged(series: Series, measure: Measure, days: Sequence[date], first: date, rules: Drift) -> list[Reading]:
    """Judge day after day, so that days which stand out do not become a reference for later days."""
    readings: list[Reading] = []
    enough = series.counts.sum(axis=1) >= rules.least_consignments
    aside: list[int] = []
    begin = max(0, (first - days[0]).days - rules.settle_days)  # earlier deviations are part of the reference
    for t in range(begin, len(days)):
        aside = [s for s in aside if t - s < rules.settle_days]  # a lasting change becomes the new normal
        span = [s for s in range(t - rules.gap_days) if enough[s] and s not in aside][-rules.reference_days :]
        if not enough[t] or len(span) < rules.least_days:
            continue
        reading = _reading(series, measure, days[t], t, np.array(span), rules)
        if reading.exceeds:
            aside.append(t)
        if days[t] >= first:
            readings.append(reading)
    return readings


def _reading(series: Series, measure: Measure, day: date, t: int, span: Counts, rules: Drift) -> Reading:
    """Compare day `t` with the days of `span`, and these with one another as a yardstick."""
    reference = series.counts[span].sum(axis=0)
    counts = series.counts
    if measure != "ks":
        bins = coarse(series.kind, reference, rules.most_levels)
        counts = gathered(counts, bins)
    near = np.abs(span[:, None] - span[None, :]) <= rules.gap_days
    rest = (~near).astype(np.int64) @ counts[span]
    usual = distance(measure, rest, counts[span])
    figure = float(distance(measure, counts[span].sum(axis=0), counts[t]))
    return Reading(
        series.name, series.meaning, measure, day, figure, _threshold(measure, usual, rules),
        _moved(series, reference, series.counts[t]),
    )  # fmt: skip


def _threshold(measure: Measure, usual: Floats, rules: Drift) -> float:
    """Return the floor, or what the reference days reach when each is compared with the rest."""
    middle, high = np.quantile(usual, [0.5, 0.9])
    floor: float = getattr(rules, measure)
    return float(max(floor, middle + rules.spreads * (high - middle)))


def _moved(series: Series, reference: Counts, today: Counts) -> str:
    """Describe what moved most."""
    before, after = _shares(reference.astype(np.float64)), _shares(today.astype(np.float64))
    if series.kind == "number":
        medians = (series.labels[_median_bin(counts[:-1])] for counts in (reference, today))
        return "median {} → {}".format(*medians)
    place = 0 if series.kind == "share" else int(np.argmax(np.abs(after - before)))
    return f"{series.labels[place]} {before[place]:.1%} → {after[place]:.1%}"


def _median_bin(counts: Counts) -> int:
    return int(np.searchsorted(np.cumsum(counts), counts.sum() / 2))
