"""Distances between histograms: their laws, an oracle, and what a day is held against."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp

from pipelines.monitor.drift import DECILES, Series, coarse, gathered, judge, ks, psi
from pipelines.monitor.thresholds import load_thresholds
from pipelines.monitor.watched_columns import GRID, Watched, series_of, without_crowding

RULES = load_thresholds().drift
START = date(2026, 1, 1)
counts = st.lists(st.integers(0, 5000), min_size=8, max_size=8).filter(any)
values = st.lists(st.integers(0, 12), min_size=1, max_size=60)


@given(counts)
def test_equal_histograms_are_at_no_distance(one: list[int]) -> None:
    assert psi(one, one) == 0.0
    assert ks(one, one) == 0.0


@given(counts, counts)
def test_distances_are_symmetric_and_never_negative(one: list[int], other: list[int]) -> None:
    assert psi(one, other) == pytest.approx(psi(other, one))
    assert ks(one, other) == pytest.approx(ks(other, one))
    assert psi(one, other) >= 0.0
    assert 0.0 <= ks(one, other) <= 1.0


@given(counts, counts, st.permutations(range(8)))
def test_the_order_of_levels_does_not_matter_to_psi(one: list[int], other: list[int], order: list[int]) -> None:
    assert psi([one[i] for i in order], [other[i] for i in order]) == pytest.approx(psi(one, other))


@pytest.mark.filterwarnings("ignore:divide by zero")  # scipy's chance of the distance, which is not asked for
@given(values, values)
def test_ks_is_the_textbook_s(one: list[int], other: list[int]) -> None:
    histograms = [np.bincount(sample, minlength=13) for sample in (one, other)]
    assert ks(*histograms) == pytest.approx(ks_2samp(one, other, method="asymp").statistic)


def test_psi_is_the_textbook_s_where_there_are_many() -> None:
    p, q = np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.25, 0.25, 0.25, 0.25])
    assert psi(p * 1e7, q * 1e7) == pytest.approx(((p - q) * np.log(p / q)).sum(), rel=1e-4)


def test_distances_of_many_days_are_those_of_each() -> None:
    days = np.random.default_rng(1).integers(0, 50, (6, 9))
    together = days.sum(axis=0)
    assert psi(together, days) == pytest.approx([float(psi(together, day)) for day in days])
    assert ks(together, days) == pytest.approx([float(ks(together, day)) for day in days])


def test_numbers_are_coarsened_to_deciles_of_the_reference() -> None:
    numbers = np.random.default_rng(2).lognormal(2, 1, 20_000)
    frame = pl.DataFrame({"day": pl.repeat(START, len(numbers), eager=True), "x": numbers})
    (series,) = series_of(frame, [START], [Watched("x", "x", "number")])
    assert series.counts.shape == (1, GRID + 1)
    tenths = gathered(series.counts, coarse("number", series.counts[0], 20))[0]
    assert tenths[DECILES] == 0  # all of them are stated
    assert tenths[:DECILES] / len(numbers) == pytest.approx(0.1, abs=0.005)


def test_a_value_that_most_share_is_one_bin() -> None:
    frame = pl.DataFrame({"day": [START] * 10, "x": [1.0] * 8 + [2.0, None]})
    (series,) = series_of(frame, [START], [Watched("x", "x", "number")])
    assert series.counts.tolist() == [[8, 1, 1]]


def test_a_column_that_nobody_fills_is_not_watched() -> None:
    frame = pl.DataFrame({"day": [START], "x": [None]}, schema={"day": pl.Date, "x": pl.Float64})
    assert series_of(frame, [START], [Watched("x", "x", "number")]) == []


def test_one_sender_s_launch_counts_as_little_as_any_sender() -> None:
    frame = pl.DataFrame({"day": [START] * 1000, "sender": [1] * 600 + [None] * 100 + list(range(2, 302))})
    kept = without_crowding(frame, 0.01)
    assert kept.filter(pl.col("sender") == 1).height == 10
    assert kept.height == 10 + 100 + 300


def _levels(shares_by_day: list[list[float]], size: int = 1000, seed: int = 0) -> Series:
    rng = np.random.default_rng(seed)
    drawn = np.stack([rng.multinomial(size, shares) for shares in shares_by_day])
    return Series("x", "x", "level", drawn, [f"level {i}" for i in range(drawn.shape[1])])


def _days(count: int) -> list[date]:
    return [START + timedelta(days=n) for n in range(count)]


def test_a_change_exceeds_from_its_day_until_it_has_become_usual() -> None:
    before, after = [0.7, 0.2, 0.1], [0.4, 0.2, 0.4]
    series = _levels([before] * 30 + [after] * 50)
    beyond = [r.day for r in judge(series, _days(80), START, RULES) if r.exceeds]
    assert beyond[0] == START + timedelta(days=30)
    assert len(beyond) == (beyond[-1] - beyond[0]).days + 1  # without a gap
    assert RULES.settle_days <= len(beyond) <= RULES.settle_days + 14


def test_an_odd_day_does_not_make_the_next_days_odd_nor_hides_them() -> None:
    before, after = [0.7, 0.2, 0.1], [0.3, 0.2, 0.5]
    series = _levels([before] * 30 + [after] + [before] * 9 + [after] + [before] * 10)
    beyond = [(r.day - START).days for r in judge(series, _days(51), START, RULES) if r.exceeds]
    assert beyond == [30, 40]


def test_what_was_always_restless_needs_more_to_stand_out() -> None:
    rng = np.random.default_rng(3)
    restless = [[x, 1 - x] for x in rng.uniform(0.3, 0.7, 60)]
    assert not any(r.exceeds for r in judge(_levels(restless), _days(60), START, RULES))


def test_nothing_is_said_without_a_past_or_on_a_day_with_few() -> None:
    assert judge(_levels([[0.5, 0.5]] * 16), _days(16), START, RULES) == []
    assert judge(_levels([[0.5, 0.5]] * 60, size=50), _days(60), START, RULES) == []
