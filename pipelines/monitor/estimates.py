"""Estimates for all consignments from the few that were inspected, each with its interval.

The estimand is the share of consignments of a period that an inspection would call non-compliant. It equals the share
of true offences only if false negatives and false positives of inspections balance; neither is corrected for, as their
rates are unknown. Results `not_presented` and `inconclusive` carry no information on the goods and are left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from features.intervals import wilson, wilson_of
from features.outcome import LABELLED
from pipelines.training.ranking_metrics import Flags, Floats, calibration_error

RISK_SELECTED = ("risk", "rule")  # selected by targeting; campaigns follow their networks


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its interval, and the hits and tries that it rests on; NaN without data."""

    value: float
    low: float
    high: float
    hits: int
    tried: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Hits in the random sample against the hits predicted by the risks."""

    observed: int
    promised: float
    spread: float
    tried: int
    error: float

    @property
    def ratio(self) -> float:
        return self.observed / self.promised if self.promised > 0 else math.nan


def z_of(confidence: float) -> float:
    """Return the number of standard errors that an interval of this confidence reaches to either side."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def share(hits: int, tried: int, confidence: float) -> Estimate:
    """Estimate a share with Wilson's interval, which holds for few hits as well."""
    return Estimate(hits / tried if tried else math.nan, *wilson(hits, tried, z_of(confidence)), hits, tried)


def prevalence(results: pl.DataFrame, confidence: float) -> Estimate:
    """Estimate the share of hits in the random sample: drawn by chance, it needs no weights."""
    drawn = results.filter(pl.col("selection") == "random")
    return share(int(drawn["hit"].sum()), drawn.height, confidence)


def weighted_prevalence(results: pl.DataFrame, confidence: float) -> Estimate:
    """Compute Hájek's estimate over all inspections with a known selection probability, weighted by its inverse.

    The interval is Wilson's on as many tries as a plain sample would need to be as exact, and on no more than the
    weights are worth by themselves (Kish): where few hits weigh much, their variance looks smaller than it is. The
    probability must be that of being inspected for any reason; what was chosen with certainty then counts for itself
    alone.
    """
    known = results.filter(pl.col("selection_probability").is_between(0, 1, closed="right"))
    hit, chance = known["hit"].to_numpy(), known["selection_probability"].to_numpy()
    if not len(hit):
        return Estimate(math.nan, 0.0, 1.0, 0, 0)
    weights = 1.0 / chance
    value = float(np.average(hit, weights=weights))
    alike = float(weights.sum() ** 2 / (weights**2).sum())
    variance = float((weights**2 * (1.0 - chance) * (hit - value) ** 2).sum() / weights.sum() ** 2)
    tries = min(value * (1.0 - value) / variance, alike) if variance > 0 else alike
    low, high = wilson_of(value, tries, z_of(confidence))
    return Estimate(value, low, high, int(hit.sum()), len(hit))


def against(hits: int, tried: int, other_hits: int, other_tried: int, confidence: float) -> Estimate:
    """Compute the ratio of two hit rates; half a hit is added to each, so that none is infinite."""
    if not tried or not other_tried:
        return Estimate(math.nan, 0.0, math.inf, hits, tried)
    ratio = (hits + 0.5) / (tried + 0.5) / ((other_hits + 0.5) / (other_tried + 0.5))
    error = math.sqrt(1 / (hits + 0.5) - 1 / (tried + 0.5) + 1 / (other_hits + 0.5) - 1 / (other_tried + 0.5))
    reach = math.exp(z_of(confidence) * error)
    return Estimate(ratio, ratio / reach, ratio * reach, hits, tried)


def lift(results: pl.DataFrame, confidence: float) -> Estimate:
    """Compute the hit rate of targeting as a multiple of that of the random sample."""
    chosen = results.filter(pl.col("selection").is_in(RISK_SELECTED))["hit"]
    drawn = results.filter(pl.col("selection") == "random")["hit"]
    return against(int(chosen.sum()), len(chosen), int(drawn.sum()), len(drawn), confidence)


def hit_rates(results: pl.DataFrame, confidence: float) -> Mapping[str, Estimate]:
    """Compute the hit rate of every selection."""
    counted = results.group_by("selection").agg(pl.col("hit").sum(), pl.len().alias("tried")).sort("selection")
    return {selection: share(int(hits), int(tried), confidence) for selection, hits, tried in counted.iter_rows()}


def calibration(results: pl.DataFrame) -> Calibration:
    """Compare the sum of the risks in the random sample with the hits in it."""
    drawn = results.filter((pl.col("selection") == "random") & pl.col("risk").is_not_null())
    risk: Floats = drawn["risk"].cast(pl.Float64).to_numpy()
    hit: Flags = drawn["hit"].to_numpy()
    spread = math.sqrt(float((risk * (1.0 - risk)).sum()))
    return Calibration(int(hit.sum()), float(risk.sum()), spread, drawn.height, calibration_error(risk, hit))


def labelled(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Return one row for each consignment with a conclusive result, with `hit`; its last result counts."""
    judged = outcomes.filter(pl.col("result").is_in(LABELLED)).sort("known_at", maintain_order=True)
    last = judged.unique("consignment_id", keep="last", maintain_order=True)
    return last.with_columns((pl.col("result") == "non_compliant").alias("hit"))
