"""Money in euro."""

from __future__ import annotations

import polars as pl

from features.money import EURO_PER_UNIT, in_euro


def test_amounts_are_turned_at_the_rate_of_their_currency_and_unknown_stays_unknown() -> None:
    frame = pl.DataFrame({"amount": [10.0, 10.0, 10.0, 10.0, None], "currency": ["EUR", "usd", "XXX", None, "EUR"]})
    told = frame.select(in_euro(pl.col("amount"), pl.col("currency"))).to_series()
    assert told.to_list() == [10.0, 9.0, None, None, None]


def test_rates_are_positive_and_the_euro_is_one() -> None:
    assert EURO_PER_UNIT["EUR"] == 1.0
    assert all(rate > 0 and len(code) == 3 and code.isupper() for code, rate in EURO_PER_UNIT.items())
