"""Readings from counts: consignments a day, rows refused, decisions in degraded mode."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from statistics import median

import polars as pl

from pipelines.monitor.drift import Reading
from pipelines.monitor.thresholds import Drift, Volume

WEEK = 7


def volume(volumes: pl.DataFrame, days: Sequence[date], first: date, drift: Drift, rules: Volume) -> list[Reading]:
    """Compare each day's number of consignments with the usual one of its weekday; a day without any counts as zero."""
    counted: dict[date, int] = dict(volumes.select("day", "consignments").iter_rows())
    numbers = [counted.get(day, 0) for day in days]
    readings = []
    for t, day in enumerate(days):
        past = numbers[t - WEEK :: -WEEK][: drift.reference_days // WEEK] if t >= WEEK else []
        if day < first or len(past) < 2 or (usual := median(past)) < rules.least_usual:
            continue
        factor = max(numbers[t] / usual, usual / max(numbers[t], 1))
        moved = f"{usual:,.0f} usual → {numbers[t]:,}"
        readings.append(Reading("volume", "consignments a day", "factor", day, factor, rules.factor, moved))
    return readings


def daily_share(
    series: str, meaning: str, counts: pl.DataFrame, first: date, drift: Drift, points: float
) -> list[Reading]:
    """Compare the share `part` of `whole` of each day with its usual level plus a number of points."""
    known = counts.filter(pl.col("whole") > 0).sort("day")
    days, shares = known["day"].to_list(), (known["part"] / known["whole"]).to_list()
    readings = []
    for t, day in enumerate(days):
        if day >= first:
            past = shares[max(0, t - drift.reference_days) : t]
            usual = median(past) if past else 0.0
            moved = f"{usual:.1%} → {shares[t]:.1%}"
            readings.append(Reading(series, meaning, "share", day, shares[t], usual + points, moved))
    return readings
