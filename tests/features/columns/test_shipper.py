"""Shares, means and paces over history, by hand."""

from __future__ import annotations

import pytest

from tests.features.conftest import feature


@pytest.mark.parametrize(("hits", "inspected", "rate"), [(0, 0, 0.2), (0, 5, 0.1), (5, 5, 0.6), (20, 95, 0.21)])
@pytest.mark.parametrize(
    ("who", "span"),
    [
        ("consignor", "ever"),
        ("consignee", "ever"),
        ("route", "90d"),
        ("goods", "90d"),
    ],
)
def test_hit_rates_are_shrunk_to_their_mean(who: str, span: str, hits: int, inspected: int, rate: float) -> None:
    read = {f"{who}_hits_{span}": float(hits), f"{who}_inspected_{span}": float(inspected), "mean_hit_rate": 0.2}
    assert feature(f"{who}_hit_rate", **read) == pytest.approx(rate)


def test_the_pace_of_a_day_against_thirty() -> None:
    def pace(day: float, month: float) -> object:
        return feature("consignor_burst", consignor_consignments_1d=day, consignor_consignments_30d=month)

    assert pace(0.0, 0.0) == 1.0
    assert pace(5.0, 30.0) == pytest.approx(3.0)


def test_the_share_of_a_pair_in_what_its_sender_sends() -> None:
    assert feature("pair_share", pair_consignments_90d=1.0, consignor_consignments_90d=4.0) == 0.25
    assert feature("pair_share", pair_consignments_90d=0.0, consignor_consignments_90d=0.0) is None
