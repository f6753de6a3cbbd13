"""Estimates from control results with their intervals, and the readings for alarms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import polars as pl

from pipelines.monitor import estimates
from pipelines.monitor.drift import Reading
from pipelines.monitor.estimates import Calibration, Estimate
from pipelines.monitor.thresholds import Thresholds


@dataclass(frozen=True, slots=True)
class Inspected:
    """Figures of the random sample and of all inspections, for consignments lodged from `first` to `last`."""

    first: date
    last: date
    prevalence: Estimate
    weighted_prevalence: Estimate
    lift: Estimate
    hit_rates: Mapping[str, Estimate]
    calibration: Calibration
    not_presented: Estimate
    readings: Mapping[str, Reading]
    unsaid: tuple[str, ...]


def judge_inspected(outcomes: pl.DataFrame, last: date, rules: Thresholds) -> Inspected:
    """Judge outcomes known by the end of `last`; `day` of each is when its consignment was lodged.

    Only mature results count: a hit takes longer to be known than a clean result, so that the last days would look
    cleaner than they are.
    """
    ripe = last - timedelta(days=rules.estimates.ripe_days)
    first = ripe - timedelta(days=rules.estimates.span_days - 1)
    results = estimates.labelled(outcomes).filter(pl.col("day").is_between(first, ripe))
    confidence = rules.estimates.confidence
    verdicts = {
        "prevalence": _prevalence(results, ripe, rules),
        "hit_rate": _hit_rate(results, first, rules),
        "calibration": _calibrated(results, first, rules),
        "not_presented": _not_presented(outcomes, last, rules),
    }
    return Inspected(
        first=results["day"].min() or first,  # type: ignore[arg-type]
        last=ripe,
        prevalence=estimates.prevalence(results, confidence),
        weighted_prevalence=estimates.weighted_prevalence(results, confidence),
        lift=estimates.lift(results, confidence),
        hit_rates=estimates.hit_rates(results, confidence),
        calibration=estimates.calibration(results),
        not_presented=_absent(outcomes, last - timedelta(days=rules.not_presented.recent_days), last, confidence),
        readings={kind: reading for kind, reading in verdicts.items() if isinstance(reading, Reading)},
        unsaid=tuple(f"{kind.replace('_', ' ')}: {why}" for kind, why in verdicts.items() if isinstance(why, str)),
    )


def _prevalence(results: pl.DataFrame, ripe: date, rules: Thresholds) -> Reading | str:
    """Compare the hit rate of the random sample on recent days with the days before."""
    since = ripe - timedelta(days=rules.estimates.recent_days - 1)
    drawn = results.filter(pl.col("selection") == "random")
    confidence = rules.estimates.alarm_confidence
    recent, before = (
        estimates.share(int(part["hit"].sum()), part.height, confidence)
        for part in (drawn.filter(pl.col("day") >= since), drawn.filter(pl.col("day") < since))
    )
    least = rules.prevalence.least_inspected
    if recent.tried < least or before.tried < least:
        return f"{recent.tried:,} drawn at random lately and {before.tried:,} before; {least:,} of each are needed"
    ratio = estimates.against(recent.hits, recent.tried, before.hits, before.tried, confidence)
    margin = ratio.high / ratio.value  # symmetric for the logarithm: the ratio stands out when it is beyond its reach
    figure = max(ratio.value, 1.0 / ratio.value)
    moved = f"{before.value:.1%} → {recent.value:.1%}"
    return Reading("prevalence", "hits among what chance drew", "factor", since, figure, margin, moved)


def _hit_rate(results: pl.DataFrame, first: date, rules: Thresholds) -> Reading | str:
    """Compare targeting with chance; written as chance over targeting, so that higher is worse."""
    chosen = results.filter(pl.col("selection").is_in(estimates.RISK_SELECTED)).height
    drawn = results.filter(pl.col("selection") == "random").height
    least = rules.hit_rate.least_inspected
    if chosen < least or drawn < least:
        return f"{chosen:,} chosen by targeting and {drawn:,} by chance; {least:,} of each are needed"
    lift = estimates.lift(results, rules.estimates.alarm_confidence)
    moved = f"{lift.value:.2f} times the hit rate of chance, at most {lift.high:.2f}"
    meaning = "hit rate of chance over that of targeting, at least"
    return Reading("hit_rate", meaning, "factor", first, 1.0 / lift.high, 1.0 / rules.hit_rate.lift, moved)


def _calibrated(results: pl.DataFrame, first: date, rules: Thresholds) -> Reading | str:
    calibration, limits = estimates.calibration(results), rules.calibration
    if calibration.promised < limits.least_promised:
        return f"{calibration.promised:.1f} hits promised on the random arm; {limits.least_promised:.0f} are needed"
    reach = estimates.z_of(rules.estimates.alarm_confidence) * calibration.spread
    factor = max(calibration.observed, 0.5) / calibration.promised
    threshold = max(limits.factor, (calibration.promised + reach) / calibration.promised)
    if factor < 1.0:
        factor = 1.0 / factor
        threshold = max(limits.factor, calibration.promised / max(calibration.promised - reach, 0.5))
    moved = f"{calibration.promised:.1f} promised → {calibration.observed} found"
    return Reading("calibration", "hits found against hits promised", "factor", first, factor, threshold, moved)


def _not_presented(outcomes: pl.DataFrame, last: date, rules: Thresholds) -> Reading | str:
    limits, confidence = rules.not_presented, rules.estimates.alarm_confidence
    since = last - timedelta(days=limits.recent_days)
    recent = _absent(outcomes, since, last, confidence)
    before = _absent(outcomes, since - timedelta(days=rules.drift.reference_days), since, confidence)
    if recent.tried < limits.least_results or before.tried < limits.least_results:
        return f"{recent.tried:,} results lately and {before.tried:,} before; {limits.least_results:,} are needed"
    spread = (before.value * (1 - before.value) * (1 / recent.tried + 1 / before.tried)) ** 0.5
    threshold = before.value + max(limits.share, estimates.z_of(confidence) * spread)
    moved, day = f"{before.value:.1%} → {recent.value:.1%}", since + timedelta(days=1)
    return Reading("not_presented", "selected goods not presented", "share", day, recent.value, threshold, moved)


def _absent(outcomes: pl.DataFrame, after: date, until: date, confidence: float) -> Estimate:
    """Estimate the share of results of these days that say the goods were not presented."""
    known_on = pl.col("known_at").dt.date()
    known = outcomes.filter((known_on > after) & (known_on <= until))
    return estimates.share(int((known["result"] == "not_presented").sum()), known.height, confidence)
