"""Estimates from the random arm: right on average, honest in their intervals."""

from __future__ import annotations

import math
from datetime import UTC, datetime

import numpy as np
import polars as pl
import pytest

from features.intervals import wilson
from pipelines.monitor import estimates


def _results(hit: np.ndarray, selection: list[str] | str, chance: np.ndarray | float = 0.01) -> pl.DataFrame:
    return pl.DataFrame({"hit": hit.astype(bool)}).with_columns(
        selection=pl.Series(selection) if isinstance(selection, list) else pl.lit(selection),
        selection_probability=pl.Series(np.broadcast_to(chance, len(hit)).astype(float)),
    )


def test_prevalence_is_the_plain_share_of_the_random_arm() -> None:
    results = _results(np.array([1, 0, 0, 0, 1, 1]), ["random"] * 4 + ["risk"] * 2)
    found = estimates.prevalence(results, 0.95)
    assert (found.value, found.hits, found.tried) == (0.25, 1, 4)
    assert (found.low, found.high) == pytest.approx(wilson(1, 4), abs=1e-4)


def test_with_equal_chances_the_weighted_estimate_is_the_plain_one() -> None:
    results = _results(np.arange(400) % 20 == 0, "random", 0.01)
    plain, weighted = estimates.prevalence(results, 0.95), estimates.weighted_prevalence(results, 0.95)
    assert weighted.value == pytest.approx(plain.value)
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), rel=0.02)


def test_the_weighted_estimate_is_unbiased_and_its_interval_covers() -> None:
    """Inspections that mostly look at the suspicious; the truth is known, a thousand times over."""
    rng = np.random.default_rng(5)
    size, repeats = 20_000, 400
    illicit = rng.random(size) < 0.03
    chance = np.clip(0.01 + 0.04 * np.exp(rng.normal(illicit * 1.5, 1.0)), 0.01, 1.0)
    found = []
    for _ in range(repeats):
        seen = rng.random(size) < chance
        found.append(estimates.weighted_prevalence(_results(illicit[seen], "risk", chance[seen]), 0.95))
    truth = illicit.mean()
    mean, error = np.mean([e.value for e in found]), np.std([e.value for e in found]) / math.sqrt(repeats)
    assert abs(mean - truth) < 4 * error
    assert np.mean([e.low <= truth <= e.high for e in found]) > 0.92


@pytest.mark.parametrize("hits", [0, 1, 12])
def test_the_plain_interval_covers_the_truth_of_twelve_in_four_hundred(hits: int) -> None:
    found = estimates.share(hits, 400, 0.95)
    assert found.low <= hits / 400 <= found.high
    assert (found.low <= 0.03 <= found.high) == (hits == 12)


def test_a_ratio_of_hit_rates_and_its_interval() -> None:
    found = estimates.against(40, 200, 10, 500, 0.95)
    assert found.value == pytest.approx(10, rel=0.05)
    assert found.low < 10 < found.high
    other = estimates.against(10, 500, 40, 200, 0.95)
    assert (1 / other.high, 1 / other.low) == pytest.approx((found.low, found.high))


def test_nothing_inspected_is_no_figure() -> None:
    nothing = _results(np.array([]), "random")
    for found in (estimates.prevalence(nothing, 0.95), estimates.weighted_prevalence(nothing, 0.95)):
        assert math.isnan(found.value)
        assert (found.low, found.high, found.tried) == (0.0, 1.0, 0)
    assert math.isnan(estimates.lift(nothing, 0.95).value)


def test_no_hits_still_have_an_interval() -> None:
    found = estimates.weighted_prevalence(_results(np.zeros(100), "random", 0.01), 0.95)
    assert found.value == 0.0
    assert 0.0 == found.low < found.high < 0.1


def test_the_last_result_counts_and_what_says_nothing_of_the_goods_is_left_out() -> None:
    when = [datetime(2026, 1, day, tzinfo=UTC) for day in (3, 1, 2, 4)]
    outcomes = pl.DataFrame(
        {
            "consignment_id": ["a", "a", "b", "c"],
            "known_at": when,
            "result": ["non_compliant", "compliant", "not_presented", "inconclusive"],
        }
    )
    kept = estimates.labelled(outcomes)
    assert kept.select("consignment_id", "hit").rows() == [("a", True)]
