"""Conversion of amounts in any currency to euro, so that values can be compared.

The rates are rounded orders of magnitude for features, never for duty: what matters to the ranking is that
a currency is always converted in the same way. They belong to the definition of the features: changing one changes
the fingerprint of the catalogue.
"""

from __future__ import annotations

import polars as pl

from features.algebra import UNKNOWN, Numbers, Text
from features.algebra.written import upper

EURO_PER_UNIT: dict[str, float] = {
    "EUR": 1.0, "USD": 0.90, "CNY": 0.125, "HKD": 0.115, "GBP": 1.16, "JPY": 0.006, "KRW": 0.00065, "TRY": 0.022,
    "AED": 0.245, "INR": 0.0105, "CHF": 1.06, "CAD": 0.65, "AUD": 0.58, "NZD": 0.53, "SGD": 0.68, "TWD": 0.028,
    "THB": 0.027, "VND": 0.000035, "IDR": 0.000055, "MYR": 0.21, "PHP": 0.0155, "PLN": 0.235, "CZK": 0.041,
    "HUF": 0.0026, "RON": 0.2, "BGN": 0.511, "SEK": 0.09, "NOK": 0.085, "DKK": 0.134, "UAH": 0.021, "ILS": 0.26,
    "SAR": 0.24, "MAD": 0.093, "TND": 0.295, "ZAR": 0.05, "BRL": 0.16, "MXN": 0.048, "NGN": 0.0006, "PKR": 0.0032,
    "BDT": 0.0074,
}  # fmt: skip


def euro_per_unit(currency: Text) -> Numbers:
    """Return the euro that a unit of each currency is worth; NaN where that is unknown."""
    return currency.number(lambda code: EURO_PER_UNIT.get(upper(code), UNKNOWN))


def in_euro(amount: pl.Expr, currency: pl.Expr) -> pl.Expr:
    """Convert `amount` to euro; null where the amount or the currency is unknown."""
    rate = currency.str.to_uppercase().replace_strict(EURO_PER_UNIT, default=None, return_dtype=pl.Float64)
    return amount * rate
