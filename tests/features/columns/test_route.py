"""How the consignment travels."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.features.conftest import feature


@pytest.mark.parametrize(("countries", "number"), [("HK;NL", 2), ("HK", 1), (" HK ; ;NL;", 2), ("", 0), (None, 0)])
def test_transits_are_counted(countries: str | None, number: int) -> None:
    assert feature("transits", transit_countries=countries) == number


def test_sender_and_origin_elsewhere() -> None:
    assert feature("sender_elsewhere", consignor_country="CN", dispatch_country="CN") == 0.0
    assert feature("sender_elsewhere", consignor_country="HK", dispatch_country="CN") == 1.0
    assert feature("sender_elsewhere", consignor_country=None, dispatch_country="CN") is None
    assert feature("origin_elsewhere", main_origin="VN", dispatch_country="CN") == 1.0
    assert feature("origin_elsewhere", main_origin="CN", dispatch_country="CN") == 0.0
    assert feature("origin_missing", main_origin=None) == 1.0
    assert feature("origin_missing", main_origin="CN") == 0.0


def test_the_hour_of_lodging_is_utc() -> None:
    assert feature("lodged_hour", lodged_at=datetime(2026, 3, 1, 23, 59, tzinfo=UTC)) == 23.0
    assert feature("lodged_hour", lodged_at=datetime(1969, 12, 31, 0, 1, tzinfo=UTC)) == 0.0
