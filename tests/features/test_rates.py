"""The mean hit rate: dated, and of the past alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest

from features.consignment import TIME
from features.moments import micros
from features.rates import BEFORE_ANY, BEFORE_ANY_WEIGHT, Rates, fit_rates

DATE = datetime(2026, 3, 1, tzinfo=UTC)
WEEK = timedelta(days=7)


def results(*told: tuple[datetime, bool]) -> pl.DataFrame:
    return pl.DataFrame(told, schema={"known_at": TIME, "hit": pl.Boolean}, orient="row")


def served(rates: Rates, *moments: datetime) -> list[float]:
    return [float(mean) for mean in rates.attach(np.array([micros(moment) for moment in moments], np.int64))]


def test_the_mean_is_of_results_known_strictly_before_its_date() -> None:
    told = results((DATE - WEEK, True), (DATE - WEEK, False), (DATE, True), (DATE + WEEK, True))
    expected = (1 + BEFORE_ANY * BEFORE_ANY_WEIGHT) / (2 + BEFORE_ANY_WEIGHT)
    assert served(fit_rates(told, [DATE]), DATE) == [pytest.approx(expected)]


def test_each_row_has_the_mean_of_its_own_day_whatever_the_order() -> None:
    told = results((DATE - WEEK, True), (DATE, True))
    rates = fit_rates(told, [DATE + WEEK, DATE])
    late, early, first = served(rates, DATE + WEEK, DATE - WEEK, DATE + WEEK - timedelta(microseconds=1))
    assert early == BEFORE_ANY
    assert first == pytest.approx((1 + BEFORE_ANY * BEFORE_ANY_WEIGHT) / (1 + BEFORE_ANY_WEIGHT))
    assert late == pytest.approx((2 + BEFORE_ANY * BEFORE_ANY_WEIGHT) / (2 + BEFORE_ANY_WEIGHT))


def test_without_results_it_is_what_it_was_before_any() -> None:
    assert served(fit_rates(results(), [DATE]), DATE) == [BEFORE_ANY]
