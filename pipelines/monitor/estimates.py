"""What can be said of all consignments from the few that were inspected, each with its interval.

The estimand is the share of consignments of a span that an inspection would call non-compliant. It is the share of
true offences as far as what inspections miss and what they call wrongly weigh each other up; nothing is corrected for
either, because nobody knows them. Results `not_presented` and `inconclusive` say nothing about the goods and are left
out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import polars as pl

from features.outcome import LABELLED
from pipelines.metrics import Flags, Floats, calibration_error, wilson, wilson_of

RISK_SELECTED = ("risk", "rule")  # what targeting chose; campaigns look where they are told to


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure, its interval, and how many hits among how many tries it rests on; NaN where there is nothing."""

    value: float
    low: float
    high: float
    hits: int
    tried: int


@dataclass(frozen=True, slots=True)
class Calibration:
    """Hits on the random arm against the hits that the risks had promised."""

    observed: int
    promised: float
    spread: float
    tried: int
    error: float

    @property
    def ratio(self) -> float:
        return self.observed / self.promised if self.promised > 0 else math.nan


def z_of(confidence: float) -> float:
    """How many standard errors an interval of this confidence reaches to either side."""
    return NormalDist().inv_cdf(0.5 + confidence / 2)


def share(hits: int, tried: int, confidence: float) -> Estimate:
    """A share with Wilson's interval, which holds for few hits as well."""
    return Estimate(hits / tried if tried else math.nan, *wilson(hits, tried, z_of(confidence)), hits, tried)


def prevalence(results: pl.DataFrame, confidence: float) -> Estimate:
    """The plain share of hits on the random arm: chance chose it, so it needs no weights."""
    drawn = results.filter(pl.col("selection") == "random")
    return share(int(drawn["hit"].sum()), drawn.height, confidence)


def weighted_prevalence(results: pl.DataFrame, confidence: float) -> Estimate:
    """Hájek's estimate over everything inspected with a known chance: each counts for all that had its chance.

    The interval is Wilson's on as many tries as a plain sample would need to be as exact, and on no more than the
    weights are worth by themselves (Kish): where few hits weigh much, their variance looks smaller than it is. The
    chance must be that of being inspected for any reason; what was chosen with certainty then counts for itself alone.
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
    """How many times the one hit rate is the other; half a hit is added to each, so that none is infinite."""
    if not tried or not other_tried:
        return Estimate(math.nan, 0.0, math.inf, hits, tried)
    ratio = (hits + 0.5) / (tried + 0.5) / ((other_hits + 0.5) / (other_tried + 0.5))
    error = math.sqrt(1 / (hits + 0.5) - 1 / (tried + 0.5) + 1 / (other_hits + 0.5) - 1 / (other_tried + 0.5))
    reach = math.exp(z_of(confidence) * error)
    return Estimate(ratio, ratio / reach, ratio * reach, hits, tried)


def lift(results: pl.DataFrame, confidence: float) -> Estimate:
    """The hit rate of what targeting chose, in hit rates of the random arm."""
    chosen = results.filter(pl.col("selection").is_in(RISK_SELECTED))["hit"]
    drawn = results.filter(pl.col("selection") == "random")["hit"]
    return against(int(chosen.sum()), len(chosen), int(drawn.sum()), len(drawn), confidence)


def hit_rates(results: pl.DataFrame, confidence: float) -> Mapping[str, Estimate]:
    """The hit rate of every selection there was."""
    counted = results.group_by("selection").agg(pl.col("hit").sum(), pl.len().alias("tried")).sort("selection")
    return {selection: share(int(hits), int(tried), confidence) for selection, hits, tried in counted.iter_rows()}


def calibration(results: pl.DataFrame) -> Calibration:
    """Whether the risks given to what chance drew add up to the hits among it."""
    drawn = results.filter((pl.col("selection") == "random") & pl.col("risk").is_not_null())
    risk: Floats = drawn["risk"].cast(pl.Float64).to_numpy()
    hit: Flags = drawn["hit"].to_numpy()
    spread = math.sqrt(float((risk * (1.0 - risk)).sum()))
    return Calibration(int(hit.sum()), float(risk.sum()), spread, drawn.height, calibration_error(risk, hit))


def labelled(outcomes: pl.DataFrame) -> pl.DataFrame:
    """One row a consignment whose goods were judged, with `hit`; its last result counts."""
    judged = outcomes.filter(pl.col("result").is_in(LABELLED)).sort("known_at", maintain_order=True)
    last = judged.unique("consignment_id", keep="last", maintain_order=True)
    return last.with_columns((pl.col("result") == "non_compliant").alias("hit"))
