"""Norms: the usual value of goods by weight and by piece, fitted on the past alone and kept in the bundle.

A norm has a date, `known_from`: it was fitted on lines lodged before that date, and serves rows lodged from it on
until the next. Training and live rows are thus measured in the same way, and no row against its own future.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import polars as pl

from features.consignment import TIME
from tests.oracle.frames.definition import compute

MEMORY = timedelta(days=90)
FEWEST = 20  # lines that a norm needs; below that the next wider group of goods is used
NARROWEST_SPREAD = 0.15  # natural logarithms: goods of a single list price must not make every euro an outlier
TO_SPREAD = 1.4826  # makes a median deviation comparable to a standard deviation
MEASURES = {"value_per_kg": "line_value_per_kg_log", "value_per_piece": "line_value_per_piece_log"}
PARTS = ("norm", "spread", "norm_lines")
FITTED = tuple(f"{measure}_{part}" for measure in MEASURES for part in PARTS)
SCHEMA = pl.Schema([("known_from", TIME), ("goods", pl.String()), *((name, pl.Float64()) for name in FITTED)])


def _groups() -> list[pl.Expr]:
    """Return groups from narrow to wide: HS6 by origin, HS6, HS4, chapter, everything."""
    hs6 = pl.col("hs6")
    return [
        pl.concat_str(hs6, pl.col("goods_origin_country"), separator="|"),
        hs6,
        hs6.str.slice(0, 4),
        hs6.str.slice(0, 2),
        pl.lit("all"),
    ]


@dataclass(frozen=True, slots=True)
class Norms:
    """Fitted norms; table: SCHEMA, one row for each date and group of goods."""

    table: pl.DataFrame

    def attach(self, lines: pl.DataFrame) -> pl.DataFrame:
        """Add to `lines` (hs6, goods_origin_country, lodged_at) the FITTED columns of the narrowest group known."""
        dates = self.table.select(pl.col("known_from").unique().sort()).with_columns(
            pl.col("known_from").alias("norms_of")
        )
        moments = lines.select("lodged_at").with_row_index("line").sort("lodged_at")
        dated = moments.join_asof(dates, left_on="lodged_at", right_on="known_from").sort("line")
        groups = pl.concat(lines.with_columns(group.alias("goods")).select("goods") for group in _groups())
        asked = groups.with_columns(pl.concat([dated["norms_of"]] * len(_groups())))
        fitted = asked.join(
            self.table,
            left_on=["norms_of", "goods"],
            right_on=["known_from", "goods"],
            how="left",
            maintain_order="left",
        ).select(FITTED)
        levels = fitted.to_numpy().astype(np.float64).reshape(len(_groups()), lines.height, len(FITTED))
        narrowest = np.argmax(~np.isnan(levels), axis=0)
        values = np.take_along_axis(levels, narrowest[None], axis=0)[0]
        return lines.hstack(pl.DataFrame(values, schema=list(FITTED), orient="row").fill_nan(None))


def fit_norms(goods: pl.DataFrame, dates: Sequence[datetime]) -> Norms:
    """Fit norms for each date on the lines (GOODS_COLUMNS, `line_value_eur`, `lodged_at`) of the 90 days before it."""
    lines = compute(goods, ("hs6", *MEASURES.values()), "of_line")
    fitted = [
        _fit(lines.filter(pl.col("lodged_at").is_between(date - MEMORY, date, closed="left")), date) for date in dates
    ]
    return Norms(pl.concat([SCHEMA.to_frame(), *fitted]))


def _fit(lines: pl.DataFrame, date: datetime) -> pl.DataFrame:
    levels = [_fit_level(lines.with_columns(group.alias("goods"))) for group in _groups()]
    table = pl.concat(levels).with_columns(pl.lit(date).cast(TIME).alias("known_from"))
    return table.match_to_schema(SCHEMA).sort("goods")


def _fit_level(lines: pl.DataFrame) -> pl.DataFrame:
    return (
        lines.filter(pl.col("goods").is_not_null())
        .group_by("goods")
        .agg(expression for measure, column in MEASURES.items() for expression in _norm(measure, pl.col(column)))
        .with_columns(
            pl.when(pl.col(f"{measure}_norm_lines") >= FEWEST).then(pl.col(f"{measure}_{part}")).name.keep()
            for measure in MEASURES
            for part in PARTS
        )
        .filter(pl.any_horizontal(pl.col(FITTED).is_not_null()))
    )


def _norm(measure: str, value: pl.Expr) -> list[pl.Expr]:
    centre = value.median()
    return [
        centre.alias(f"{measure}_norm"),
        ((value - centre).abs().median() * TO_SPREAD).clip(NARROWEST_SPREAD).alias(f"{measure}_spread"),
        value.count().cast(pl.Float64).alias(f"{measure}_norm_lines"),
    ]
