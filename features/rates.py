"""Mean hit rates of inspections, towards which the rates of rarely inspected entities are shrunk.

Like norms they have dates: a mean is fitted on the results known before its date, and serves rows lodged from it on
until the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import polars as pl

from features.algebra import Moments, Numbers
from features.consignment import TIME

MEAN = "mean_hit_rate"
BEFORE_ANY = 0.2  # share of hits among inspections before any result is known
BEFORE_ANY_WEIGHT = 20.0  # in inspections
SCHEMA = pl.Schema([("known_from", TIME), (MEAN, pl.Float64())])


@dataclass(frozen=True, slots=True)
class Rates:
    """The mean hit rate of all inspections; table: SCHEMA, one row for each date it is known from."""

    table: pl.DataFrame
    _dates: Moments = field(init=False, repr=False, compare=False)  # ascending
    _means: Numbers = field(init=False, repr=False, compare=False)  # the last is BEFORE_ANY

    def __post_init__(self) -> None:
        """Arrange the table for look-ups: every call asks it."""
        by_date = self.table.sort("known_from", maintain_order=True)
        object.__setattr__(self, "_dates", by_date["known_from"].dt.epoch("us").to_numpy())
        object.__setattr__(self, "_means", np.append(by_date[MEAN].to_numpy(), BEFORE_ANY).astype(np.float64))

    def attach(self, lodged_at: Moments) -> Numbers:
        """Return `mean_hit_rate` of each consignment; BEFORE_ANY before the first date."""
        return self._means[np.searchsorted(self._dates, lodged_at, side="right") - 1]


def fit_rates(inspected: pl.DataFrame, dates: Sequence[datetime]) -> Rates:
    """Fit the mean for each date on the results (hit, known_at) that were known before it."""
    rates = []
    for date in sorted(dates):
        hit = inspected.filter(pl.col("known_at") < date)["hit"]
        mean = (int(hit.sum()) + BEFORE_ANY * BEFORE_ANY_WEIGHT) / (len(hit) + BEFORE_ANY_WEIGHT)
        rates.append((date, mean))
    return Rates(pl.DataFrame(rates, schema=SCHEMA, orient="row"))
