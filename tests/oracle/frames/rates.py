"""Mean hit rates of inspections, towards which the rates of rarely inspected entities are shrunk.

Like norms they have dates: a mean is fitted on the results known before its date, and serves rows lodged from it on
until the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from features.consignment import TIME

MEAN = "mean_hit_rate"
BEFORE_ANY = 0.2  # share of hits among inspections before any result is known
BEFORE_ANY_WEIGHT = 20.0  # in inspections
SCHEMA = pl.Schema([("known_from", TIME), (MEAN, pl.Float64())])


@dataclass(frozen=True, slots=True)
class Rates:
    """The mean hit rate of all inspections; table: SCHEMA, one row for each date it is known from."""

    table: pl.DataFrame

    def attach(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Add `mean_hit_rate` to `frame` (lodged_at); BEFORE_ANY before the first date."""
        moments = frame.select("lodged_at").with_row_index("place").sort("lodged_at")
        dated = moments.join_asof(self.table.sort("known_from"), left_on="lodged_at", right_on="known_from")
        return frame.with_columns(dated.sort("place")[MEAN].fill_null(BEFORE_ANY))


def fit_rates(inspected: pl.DataFrame, dates: Sequence[datetime]) -> Rates:
    """Fit the mean for each date on the results (hit, known_at) that were known before it."""
    rates = []
    for date in sorted(dates):
        hit = inspected.filter(pl.col("known_at") < date)["hit"]
        mean = (int(hit.sum()) + BEFORE_ANY * BEFORE_ANY_WEIGHT) / (len(hit) + BEFORE_ANY_WEIGHT)
        rates.append((date, mean))
    return Rates(pl.DataFrame(rates, schema=SCHEMA, orient="row"))
